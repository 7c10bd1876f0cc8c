// Package exchange is a Bybit in a box: an http.Handler that speaks the V5 protocol with a generated market behind it,
// whose time is yours.
//
//	x, err := exchange.New(nil) // or a Config: seed, clock, limits ...
//	defer x.Close()
//	server := x.Server() // an http.Server that bounds the headers of requests as well
//	server.Addr = "127.0.0.1:8787"
//	server.ListenAndServe()
//
// The parts:
//
//	 clients                      goroutines of theirs                  one goroutine: the loop
//	┌──────────┐  requests   ┌────────────────────────────┐  funcs   ┌────────────────────────────┐
//	│ REST     │ ──────────▶ │ api.Admit: limits          │ ───────▶ │ api.Serve                  │
//	│          │ ◀────────── │                            │ ◀─────── │   reads ▼                  │
//	├──────────┤             ├────────────────────────────┤          │ core.Core: books, flow,    │
//	│ WebSocket│ ──────────▶ │ wsserver: acks, limits     │ ───────▶ │ feed, time                 │
//	│          │ ◀────────── │   bounded queue, writer    │ ◀─────── │   publishes ▲   ▲ Advance  │
//	└──────────┘             └────────────────────────────┘  frames  │             clock          │
//	                                                                 └────────────────────────────┘
//
// What a caller may rely on:
//   - Everything that touches the market happens on the loop, between two steps of the time: a reply, a snapshot and the
//     messages after it are of one state.
//   - The same seed, start and instruments, and the same commands at the same times, give the same market, bit for bit; a
//     journal is such a list (Config.Journal, ReplayJournal).
//   - Nobody slows anybody: a client that does not read is closed when its queue is full. On a Step and a Max clock the
//     time waits for clients: the slowest that reads sets the pace, and one that has taken nothing for a second, or on a
//     Max clock for ten, is not waited for any more.
//
// The clock is Live (the time of day), Scaled (faster, or slower), Step (Advance moves it) or Max (as fast as possible).
// A client that wants the time to wait for it on the last two sends {"op":"bywire.idle"} whenever it has dealt with what
// it got; with the number of messages that it has received since it connected as an argument, {"op":"bywire.idle",
// "args":["12"]}, there is no doubt what that is.
//
// What it does not do: accounts and private channels, and whatever docs/fidelity.md says is not simulated.
package exchange
