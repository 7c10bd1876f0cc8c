// Package bybittest runs a local exchange inside of a test: in memory, without a port, and by itself in time.
//
//	func TestBot(t *testing.T) {
//		x := bybittest.NewExchange(t, nil)
//		stream, err := x.Client().Public(t.Context(), bybit.Linear, nil, bybit.OrderBook(50, "BTCUSDT"))
//		...
//		x.Advance(time.Second) // now a second of market happens, and all of it was sent
//	}
//
//	┌────────── the test ───────────┐   a network in memory   ┌──────── exchange.Exchange ────────┐
//	│ x.Client(), or a client of    │ ──────────────────────▶ │ WebSocket, REST, /control/v1      │
//	│ your own made of x.Options()  │ ◀────────────────────── │ a generated market from the seed  │
//	│ x.Advance, x.AddFault ...     │ ── calls ─────────────▶ │ its time moves by Advance alone   │
//	└───────────────────────────────┘                         └───────────────────────────────────┘
//
// What a test may rely on:
//   - Nothing happens by itself: time stands still at 2026-01-01T00:00:00Z until Advance, and the market of a seed is the
//     same in each run, so a test that failed once fails again.
//   - It works inside of a testing/synctest bubble, and outside. Tests in parallel do not know of each other.
//   - At the end of the test everything is closed. Goroutines of the exchange or of its clients that go on are an error of
//     the test, with their stacks.
//
// Exchange has the calls of package exchange: faults, halts, shocks, snapshots. What is simulated, and what is not, says
// docs/fidelity.md; accounts and orders are not, so far.
package bybittest
