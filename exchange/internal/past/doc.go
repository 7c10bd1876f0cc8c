// Package past has the candles of all instruments: those of the years before the exchange started, which are generated, and
// those that are made of trades since.
//
//	     Past: made when somebody looks                        start        Store: made of trades and prices
//	days ─────────── hours ──────────── minutes ──────────────┼──▶ Trade, Value, Interest
//	5 years          2 years            30 days               │     minutes 31 days, hours 2 years, days
//	       one path per coin, then basis, ticks, volume       │
//	                                                          ▼
//	                Current, Closed, Day: streams and tickers      Bars: REST
//
// The past is a pure function of the seed, the catalogue and the start. A coin has one path of logarithms; the day's
// return is drawn first, bent into hours, and these into minutes, so any hour can be made alone and is always the same.
// Volatility clusters by day, hour and minute, hours of the day differ, volume follows the range, and coins move together.
// Each instrument reads the path of its coin: spot as it is, a perpetual with a premium that wanders, a future with what
// it is dearer until its delivery. The last bar closes at the price that the generated market starts from.
//
// What holds for all bars, of either part and across the start:
//   - A bar of an interval is the sum of the shortest that reach back so far: minutes for up to half an hour, hours for up to
//     twelve, days beyond. Asking for a part gives the same bars as asking for all.
//   - It opens with the close of the one before it, as the venue's candles do; what trades at another price then is in
//     high or low. A bar without trades has four equal prices and volume 0.
//   - Weeks begin on Mondays, months on the first, UTC.
//   - Turnover is exact: a count of ticks times lots in 128 bits.
//
// Streams and REST read the same Store, so they cannot disagree. Closed minutes and hours lie in logs of few bytes a bar
// and are dropped when they are too old; days stay. Reading changes nothing that Walk writes.
//
// Memory grows until minutes and hours are as old as they are kept: all default instruments with a trade each minute are
// 24 MB after 5 virtual days and 56 MB after 30; a snapshot of them has 15 MB and 37 MB. Days, which are never dropped,
// are 80 bytes each and series.
//
// What it does not do: trades and books of the past, options of the past beside their mark price, spreads, and contracts
// delivered before the start.
package past
