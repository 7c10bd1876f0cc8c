// Package flow is the generated market: it makes prices, and the agents that trade around them. It sees the books through
// World, as everybody does, and answers with orders.
//
//	latent (one log-price per coin, 100 ms)      mood (regime per coin)
//	   │ market factor, jumps, two speeds of        │ factors on volatility, rates, depth; scripts of
//	   │ volatility; shocks                         │ gap, flash crash, cascade
//	   ▼                                            ▼
//	desk, one per instrument: fair price = latent x (1 + basis), in fractions of a tick
//	   │
//	   ├─ maker       inventory, touch and several depths, skewed quotes     rest as PostOnly
//	   ├─ crowd       single limit orders out to the last of 1,000 levels
//	   ├─ iceberg     one large order shown in slices
//	   ├─ retail      RPI quotes
//	   ├─ arbitrage   takes what is left on the wrong side of the fair price
//	   ├─ noise       Poisson arrivals that excite themselves, heavy-tailed sizes
//	   ├─ momentum    follows what moves
//	   └─ liquidator  orders tagged as liquidations after large moves
//	blocks: trades that large traders agree on outside of the books, a few an hour
//	options: one maker around the mark; spreads: one maker around the difference of the legs
//
// The fair price is what everybody would agree on; the book follows it in steps, because makers keep their quotes while the
// fair price stays within their tolerance, and when it has left it they pull them and an arbitrage taker clears what single
// orders remain in between. So books have a touch that stands for moments and then moves by many small levels at
// once, as recorded ones do. The numbers (calibration.go) are fitted to recordings; docs/market.md shows both.
//
// Everything follows from the seed and the calls: each instrument has a random source of its own name, agents wake by one
// heap ordered by time, instrument and agent, and all arithmetic is fixed-point.
//
// Bounds that hold, outside of the scripts of gap and flash crash:
//   - bids stand below asks, as the engine guarantees; on both sides of each book there are orders;
//   - a maker's inventory stays within its limit: near it the side that would add is not quoted;
//   - mid prices of a coin's spot, perpetuals and futures differ from latent x (1 + basis) by no more than a few
//     tolerances (see TestPricesOfACoinStayTogether).
package flow
