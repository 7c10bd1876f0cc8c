package bybit

import (
	"fmt"
	"slices"
	"time"

	"github.com/bywire/bywire/book"
)

// Event is one thing that a [Stream] yields. The set of types is closed: the
// data events, one per message type, [*RawEvent] for topics without a type, and
// the notices [*GapEvent], [*RejectedEvent], [*SilentEvent] and
// [*DecodeErrorEvent].
//
// An event does not change once it was yielded and may be kept, except for
// [BookEvent].
//
// Received, in every event, is our clock when the bytes were read from the
// socket, without a monotonic reading. Frames that one read brought share one
// time.
//
// Frame is a copy of the message as it came, if StreamOptions.RawFrames asks for
// it, else nil. An event that stands for several messages has none.
type Event interface{ event() }

// BookEvent is a change of an order book that was applied and found correct.
//
// Book is the whole book after the change. Unlike every other event, a BookEvent
// is valid until the next Recv or TryRecv of the stream (in a loop over Events: until
// the end of the body), because its memory, and the book, are used again. After that
// every read of Book returns [book.ErrStale], Bids and Asks are nil, and the other
// fields change when they like. Clone keeps an event, Book.Clone a book.
//
// The book of orderbook.full has up to 10,000 levels a side and more. Its topic brings
// changes only, so the stream fetches a snapshot over REST and aligns the two; until then
// the changes are not yielded, and count in StreamStats.Dropped. The first event of the
// book, and the first after a gap, has Snapshot set: no message of the exchange was like it;
// Bids and Asks are the whole book, ID, Seq and MatchTime those of the newest change in it,
// Frame is nil. From then on each change is an event. What ends the book is a GapEvent, also
// the exchange's own beginning anew (update id 1). There is at most one request in 2 s for a
// symbol, over all streams of the client. V5 pages: [websocket/public/full-ob],
// [market/full-ob].
//
// With [OverflowConflate] an event may stand for several messages: Conflated says how
// many beyond itself, and Update.From where they begin.
//
// [websocket/public/full-ob]: https://bybit-exchange.github.io/docs/v5/websocket/public/full-ob
// [market/full-ob]: https://bybit-exchange.github.io/docs/v5/market/full-ob
type BookEvent struct {
	BookMessage
	Book      book.View
	Conflated int
	Received  time.Time
	Frame     []byte
}

// Clone returns a copy that stays valid, levels and the whole book included. The
// book of the copy is the caller's own.
func (e *BookEvent) Clone() *BookEvent {
	c := *e
	c.Bids, c.Asks = slices.Clone(e.Bids), slices.Clone(e.Asks)
	if own, err := e.Book.Clone(); err == nil {
		c.Book = own.View()
	} // else the view says of the copy what it says here
	return &c
}

// TradesEvent is one push of public trades.
type TradesEvent struct {
	TradesMessage
	Received time.Time
	Frame    []byte
}

// TickerEvent is a push of a ticker. The fields of Ticker are the state as of
// this event: what this push carried, and for the rest what came before, since
// the last snapshot or gap, after which nothing is known. Arrived tells the two apart.
//
// With [OverflowConflate] an event may stand for several pushes: Conflated says how many
// beyond itself. What arrived is what any of them carried, since the last snapshot among
// them.
type TickerEvent struct {
	TickerMessage
	Complete  bool // the state began with a snapshot
	Conflated int
	Received  time.Time
	Frame     []byte

	arrived uint64 // as Ticker.fields
}

// Arrived reports whether this push carried the field. Has reports whether the
// field is known.
func (e *TickerEvent) Arrived(f TickerField) bool {
	return f < tickerFieldCount && e.arrived&(1<<f) != 0
}

// KlineEvent is a push of candles.
type KlineEvent struct {
	KlineMessage
	Received time.Time
	Frame    []byte
}

// LiquidationsEvent is a push of liquidations.
type LiquidationsEvent struct {
	LiquidationsMessage
	Received time.Time
	Frame    []byte
}

// InsuranceEvent is a push of insurance pools.
type InsuranceEvent struct {
	InsuranceMessage
	Received time.Time
	Frame    []byte
}

// ADLEvent is a push of auto-deleveraging alerts.
type ADLEvent struct {
	ADLMessage
	Received time.Time
	Frame    []byte
}

// PriceLimitEvent is a push of order price limits.
type PriceLimitEvent struct {
	PriceLimitMessage
	Received time.Time
	Frame    []byte
}

// SystemStatusEvent is a push of announced maintenance.
type SystemStatusEvent struct {
	SystemStatusMessage
	Received time.Time
	Frame    []byte
}

// RFQTradesEvent is a push of block trades.
type RFQTradesEvent struct {
	RFQTradesMessage
	Received time.Time
	Frame    []byte
}

// DualAssetEvent is a push of dual asset products.
type DualAssetEvent struct {
	DualAssetMessage
	Received time.Time
	Frame    []byte
}

// SmartLeverageEvent is a push of smart leverage offers.
type SmartLeverageEvent struct {
	SmartLeverageMessage
	Received time.Time
	Frame    []byte
}

// DoubleWinEvent is a push of double win offers.
type DoubleWinEvent struct {
	DoubleWinMessage
	Received time.Time
	Frame    []byte
}

// DiscountBuyEvent is a push of discount buy offers.
type DiscountBuyEvent struct {
	DiscountBuyMessage
	Received time.Time
	Frame    []byte
}

// RawEvent is a message of a topic made by [RawTopic], as it came.
type RawEvent struct {
	Topic    Topic
	Received time.Time
	Frame    []byte // a copy, always present
}

// GapReason says why part of a topic was not delivered. New reasons may come.
type GapReason string

// The reasons.
const (
	// GapDisconnected: the connection was lost. The topic is subscribed again
	// when there is a new one; what was pushed in between is missing. Where several
	// connections carry the topic it comes when none is left, and when one ends
	// that had brought nothing since before the others were subscribed: something
	// may be missing then, and what, lies further back than the event.
	GapDisconnected GapReason = "disconnected"

	// GapBook: a message did not fit the order book, for instance because an
	// update id was skipped. Err is a *book.Error. The topic is resubscribed to
	// get a new snapshot, at a limited rate, unless it is a snapshot that shows that
	// messages before it are missing: that is the next event then.
	GapBook GapReason = "book"

	// GapOverflow: the consumer was slower than the feed for so long that the
	// queue was full, and what was in it was discarded. Topics that begin with a snapshot
	// are resubscribed to get a new one, at a limited rate.
	GapOverflow GapReason = "overflow"

	// GapSnapshot: a book of orderbook.full has no snapshot to begin with, and none of
	// its changes are yielded. Err says why: an *Error of the exchange, a
	// *DecodeError, a network error; it is asked for again after 2 seconds, then
	// 4, 8, up to 32. A *book.Error says that what came does not fit the changes, and
	// [book.ErrNoBook] that the exchange itself has no book, for instance before an auction:
	// then nothing is asked for until a change with levels comes. It is told once, until
	// the book can be read again.
	GapSnapshot GapReason = "snapshot"

	// GapOrder: with StreamOptions.Duplicates, a change of a ticker came after a
	// later one, because a connection had left it out. The topic is resubscribed to
	// get a new snapshot.
	GapOrder GapReason = "order"
)

// GapEvent says, at the place in the stream where it happened, that messages
// of a topic are missing. What follows is consistent again: an order book
// begins with a snapshot, and deltas that come before that are dropped, unless
// [BooksNone] asks for them; a ticker's fields are those that come from here on, and
// TickerEvent.Complete says when a snapshot has come. With [BooksLenient] a skipped
// update id is no gap, but of orderbook.full.
type GapEvent struct {
	Topic   Topic
	Reason  GapReason
	Err     error // what happened: a *CloseError, a *book.Error, a network error; nil on overflow
	Dropped int   // messages that arrived and were discarded; those that never arrived are not known
	Time    time.Time
}

// RejectedEvent says that the exchange refused to subscribe a topic. The rest
// of the stream is not affected. It comes for a topic that is refused when it is
// first subscribed, and for one that is refused after a reconnect. The topic is not
// asked for again unless Subscribe names it again. StreamStats.Rejected has it as well.
type RejectedEvent struct {
	Topic Topic
	Err   *RejectedError
	Time  time.Time
}

// SilentEvent says that a topic brought nothing for longer than expected,
// although its connection is alive, and was subscribed anew. What follows is
// consistent.
//
// Where the exchange promises to repeat itself, as on an order book of depth 1, the
// event comes at once. Of most topics it promises nothing: they are subscribed anew
// after a minute, or eight times their longest silence, then more and more rarely
// down to once an hour, and nothing is said, since a market may be quiet, or closed.
// Only if the new subscription shows that something may have been missed does the
// event come, before the message that shows it: a ticker that has changed, any message
// within ten seconds on other topics. On an order book the [GapEvent] of its update ids
// takes its place. StreamStats.Resyncs and Trace.Silent count every time.
type SilentEvent struct {
	Topic    Topic
	Since    time.Time     // when the last message came, or the subscription began
	Expected time.Duration // the silence that was allowed
	Time     time.Time     // when it was subscribed anew
}

// DecodeErrorEvent says that a frame could not be decoded. Err.Frame has its
// bytes. Topic is the zero Topic if the frame does not even say that. The stream goes
// on. An order book that has missed a message so is a [GapEvent] as soon as the next
// one shows it by its update id; of a ticker with changes a new snapshot is asked for,
// and Complete is false until it has come.
type DecodeErrorEvent struct {
	Topic    Topic
	Err      *DecodeError
	Received time.Time
}

// RejectedError is the exchange's refusal to subscribe a topic.
type RejectedError struct {
	Topic   Topic
	Code    int    // 0 on public channels, which give no code
	Message string // what the exchange said
}

// Error names the topic and what the exchange said.
func (e *RejectedError) Error() string {
	if e.Code != 0 {
		return fmt.Sprintf("%s: %s (%d)", e.Topic, e.Message, e.Code)
	}
	return fmt.Sprintf("%s: %s", e.Topic, e.Message)
}

func (*BookEvent) event()          {}
func (*TradesEvent) event()        {}
func (*TickerEvent) event()        {}
func (*KlineEvent) event()         {}
func (*LiquidationsEvent) event()  {}
func (*InsuranceEvent) event()     {}
func (*ADLEvent) event()           {}
func (*PriceLimitEvent) event()    {}
func (*SystemStatusEvent) event()  {}
func (*RFQTradesEvent) event()     {}
func (*DualAssetEvent) event()     {}
func (*SmartLeverageEvent) event() {}
func (*DoubleWinEvent) event()     {}
func (*DiscountBuyEvent) event()   {}
func (*RawEvent) event()           {}
func (*GapEvent) event()           {}
func (*RejectedEvent) event()      {}
func (*SilentEvent) event()        {}
func (*DecodeErrorEvent) event()   {}
