// Package core is the exchange without a clock, a socket or a goroutine: virtual time, what is due when, the books, the
// generated market that fills them, and the feed that says what happened. Everything that changes goes through it, one
// thing at a time.
//
//	          Do(Command) ──▶ journal                     Advance(to)
//	               │                                           │ what is due, in one order
//	               ▼                                           ▼
//	┌──────▶ engine.Book ◀── orders ── flow ◀── timers: minute, board, funding, roll, flow, pushes
//	│              │ events              ▲                                             │
//	│              ├─────────────────────┘                                             ▼
//	│              └──▶ feed ──▶ bars (past) ──────────────────────────────────▶ topics ──▶ Sink
//	└── price limits ── price.Board ◀── latent prices of flow, impact prices of the books
//
// What a caller may rely on:
//   - The same configuration and the same commands at the same times give the same events, frames and Hash, on every
//     machine, whether somebody listens or not.
//   - What is due at one instant happens in the order of the table in run.go, and all of it before Advance returns.
//     A command comes after it, and what the command makes due at its own instant comes with the next Advance.
//   - A core that was restored from a snapshot goes on like the one it was taken from, field by field. Republish then
//     tells whoever listened to another run what there is now, and the run knows nothing of it.
//   - There is no moment without published books: not at the start, not after Restart, and not after a restore.
//
// Commands are what the outside wants. What flow does is none: it follows from the seed. So a journal of commands with
// their times is all that a run needs to be told again.
//
// What it does not do: wait, know what time it is, or who is asking.
package core
