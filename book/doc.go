// Package book keeps level-2 order books: price levels of two sides, changed
// by the snapshots and deltas of the orderbook topics, checked after every
// message.
//
//	Update ──Apply──▶ Book ──View──▶ BestBid, Bids, SumTop, Fill, Clone ...
//	                   │
//	                   └─ error: the book is invalid and every read says why
//	                      until the next snapshot
//
// A Book is correct or it says that it is not. Apply checks that update ids
// step by one (a Policy), that a snapshot is sorted and free of duplicates,
// that no size is negative, that no side holds more levels than the topic's
// depth, and that the best bid is below the best ask. A message that breaks
// one of these leaves the book invalid: reads return the *Error until a
// snapshot, or a message whose update id is 1 (the venue's service restarted),
// replaces the book.
//
// Prices and sizes are exact decimals and come back as they were received:
// "1.9530" stays "1.9530", although "1.953" names the same level. Prices may
// be negative, as they are on spreads.
//
// One structure serves all depths: each side is a list of sorted blocks of
// integer price keys with the best price at the end, so that the changes near
// the best move little. Apply does not allocate once the book has been at its
// size. Full adds what orderbook.full needs: it buffers deltas and aligns them
// with a snapshot that its caller fetches over REST.
//
// Nothing here reads a clock, starts a goroutine or locks. A Book belongs to
// one goroutine; whoever else needs its content takes a Clone. A View is a
// handle that the owner gives out for reading: it holds until the book
// changes, and every read after that returns ErrStale.
package book
