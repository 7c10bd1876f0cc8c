// Package feed turns what the engine does into the pushes of V5's public channels, and keeps the state that REST
// shows.
//
//	core: each event          EndCommand              Push, each 10, 20, 50, 100, 200,
//	of a command              of the command          300, 500 ms and 1 s of virtual time
//	   │                         │                        │
//	   ▼                         ▼                        ▼
//	trades, positions ─▶ publicTrade at once       books: what is, against what was pushed
//	liquidations         bars, pools               tickers, candles, limits, pools
//	                             │                        │
//	                             └──────── Sink ◀─────────┘
//	                              Wanted? Publish
//	REST ◀── Book, RPI, Full, Trades, Ticker, OpenInterest, Insurance, ADL ...
//
// An order book topic holds the levels that its subscribers hold. When its push is due and the book has changed,
// the levels as they are now are compared with those; if there is a difference u rises by one and the difference is
// sent. So a topic's u does not depend on who listens, and whoever joins gets the levels as pushed last with their
// u, and continues without a hole. A frame is encoded only if the Sink wants it. A restart
// pushes everything at once, with u = 1; on orderbook.full, which has no snapshots, as a delta of everything.
// Republish does that for an audience that has seen another run: its u begins anew, and the state stays as it is.
//
// Check compares what was pushed of the books with the engine's books, by another way than that of the pushes.
//
// What a caller may rely on:
//   - Every message is a type of package bybit, encoded by it in the key order of its channel.
//   - The same events and pushes give the same frames and the same state, whoever listened meanwhile.
//   - A book that has not changed costs nothing, and one that has costs a look at the prices that commands touched (mirror)
//     and a comparison as far as the first difference. Nothing is allocated while books have a size that they have had
//     before, but for frames that carry ids.
//
// What it does not do: know time, sockets or subscribers; compute prices (package price does) or candles (package
// past does). Open interest is kept here only until the ledger has positions. Choices where the venue's behaviour
// is not documented are marked "choice" where they are made.
package feed
