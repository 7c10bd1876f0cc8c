package bybit

import (
	"time"

	"github.com/bywire/bywire/book"
)

// BookMessage is a push of orderbook.{depth}, orderbook.rpi or orderbook.full:
// a snapshot that replaces the book, or a delta to it. Sizes are in base coin,
// or in contracts of one US dollar on inverse; a size of zero deletes the level.
//
// Update.ID is the venue's u: it rises by one with each message of a topic,
// and 1 means that the service restarted and the book is replaced. Update.Seq
// is the cross sequence, comparable across depths; 0 is absent. Update.MatchTime
// is cts, absent in recordings of before 2024.
//
// V5 pages: websocket/public/orderbook, orderbook-rpi, full-ob.
type BookMessage struct {
	MessageID string    // id of the push; only on option
	Topic     Topic     // orderbook.{depth}.{symbol}
	Time      time.Time // ts: when the frame was made
	Symbol    string
	book.Update
}
