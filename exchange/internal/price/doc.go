// Package price computes the prices that are not traded: index, mark, premium and funding, the marks and greeks of options,
// delivery prices, and the limits within which orders may be placed.
//
//	Inputs: a coin's price in US dollars and its volatility (flow), each book's best and impact prices (core)
//	   │ each second
//	   ▼
//	 Board ── index of each pair ──┬─▶ perpetual: mark, premium index, funding rate
//	                               ├─▶ future:    mark, basis; its average in the last 30 minutes: delivery price
//	                               ├─▶ option:    forward, volatility of the surface, Black-76: mark and greeks
//	                               └─▶ limits of new orders, for each of them and for spot
//
// The rules are functions of their own (PerpetualMark, FundingRate, black76 ...), each with its source in the comment and a
// table in the tests worked by hand. The Board is the memory that they need: the averages over the last seconds and
// minutes, the funding of the interval under way, what was settled and delivered. All of it is in Walk.
//
// Update counts in seconds: core calls it at each full second of virtual time. Averages "over 5 minutes, each second" are the
// last 300 calls.
//
// What it does not do: make the index (the generated market does, Update takes it), the hourly funding that the venue
// switches to after a rate at its cap, and price limits of options, whose rule is not public.
package price
