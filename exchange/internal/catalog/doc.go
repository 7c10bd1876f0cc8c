// Package catalog knows what is traded: each instrument's rules as instruments-info shows them and as the integers that
// the engine counts in, its risk tiers and fees, and the data of each coin that the generated market starts from.
//
//	table.go, assets.go          Load: a user's file, or a
//	rows of our own data         real instruments-info reply
//	        │                            │
//	        ▼                            ▼
//	      New ────────────────────▶ Catalog ◀──── Roll, each day at 08:00 UTC
//	                                   │           delivers what expires, lists what follows
//	                                   ▼
//	              Instrument: number, Info, ticks, lots, tiers, fees
//
// Everything outside counts in an instrument's own units: a price is a number of ticks, a quantity a number of lots, and
// only Instrument turns them into the decimals that go over the wire. An instrument's number, ID, is its place in the
// catalogue and never given to another one, so that books, quotes and candles can be slices.
//
// Dated contracts expire at 08:00 UTC: options daily, on Fridays, on the last Friday of a month and of a quarter;
// futures at the ends of quarters. Roll lists the ones that the calendar asks for, and adds strikes where the underlying
// has moved, so a virtual year never runs dry.
//
// Numbers are never given again, so the catalogue grows by an entry for each contract that it lists: about 13,000 a
// virtual year, mostly options, of 104 bytes each in memory and 13 in a snapshot. So do the slices that go by number.
//
// The rows are our own: ticks, lots and limits are like the exchange's, because a bot must meet the same rules, but which
// instruments there are, their prices and how much they trade is the generated market's business. Choices where the venue
// is undocumented are marked "choice" where they are made.
package catalog
