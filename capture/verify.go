package capture

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/bywire/bywire/book"
	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/internal/wire"
)

// Verification is what Verify found in a capture.
type Verification struct {
	Frames  int64 // frames of all kinds
	Data    int64 // of these, data messages
	Control int64 // of these, acknowledgements, pongs and what was sent
	Topics  []TopicReport
	// Gaps is how many places the recorder itself marked as not recorded.
	Gaps int64
	// Damaged is how many places of the files cannot be trusted, and Lost how
	// many records were in them, as far as that is known.
	Damaged int64
	Lost    int64
	Notices []Notice
}

// Clean reports whether nothing is missing and no book broke a check.
func (v *Verification) Clean() bool {
	if v.Gaps > 0 || v.Damaged > 0 {
		return false
	}
	return !slices.ContainsFunc(v.Topics, func(t TopicReport) bool { return !t.Clean() })
}

// TopicReport is what Verify found on one topic of one channel.
type TopicReport struct {
	Channel string
	Topic   string
	Updates int64 // messages
	// Undecoded counts messages that are no valid message of the topic.
	Undecoded int64
	// What the books of an order book topic saw, one for each connection that
	// carried it; zero for other topics. orderbook.full, whose snapshot is not in
	// a capture, has Gaps alone.
	Snapshots      int64
	Gaps           int64 // update ids that did not follow the one before
	Crossed        int64 // messages after which the best bid was not below the best ask
	Rejected       int64 // messages with another fault, such as too many levels
	NoBook         int64 // deltas that met no valid book
	UnknownDeletes int64 // deletes of a price that was not in the book
	First, Last    time.Time
	// LongestSilence is the longest time between two messages.
	LongestSilence time.Duration
}

// Clean reports whether no message was undecodable and no book check failed.
// Deletes of unknown levels and silences are facts, not faults.
func (t *TopicReport) Clean() bool {
	return t.Undecoded == 0 && t.Gaps == 0 && t.Crossed == 0 && t.Rejected == 0 && t.NoBook == 0
}

// Verify reads a whole capture, decodes every message and replays every book.
// A topic that two connections carried at once has two books, so that the
// repeats are no gaps; a connection that goes on with what another began has no
// book. A gap is counted and the book goes on without a new snapshot, as far as
// its other checks hold. progress, if not nil, is called about every 100,000
// records with how many there were. The error is of reading, or ctx's; damage
// is part of the result.
func Verify(ctx context.Context, r *Reader, progress func(records int64)) (*Verification, error) {
	v := &Verification{}
	topics := make(map[topicKey]*topicCheck)
	var records int64
	for rec, err := range r.Records(time.Time{}, time.Time{}) {
		if damage := AsDamage(err); damage != nil {
			v.Damaged++
			v.Lost += max(damage.Records, 0)
			continue
		}
		if err != nil {
			return nil, err
		}
		if records%10_000 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if records++; records%100_000 == 0 && progress != nil {
			progress(records)
		}
		v.record(&rec, topics)
	}
	for _, check := range topics {
		v.Topics = append(v.Topics, check.finish())
	}
	slices.SortFunc(v.Topics, func(a, b TopicReport) int {
		return cmp.Or(cmp.Compare(a.Channel, b.Channel), cmp.Compare(a.Topic, b.Topic))
	})
	v.Notices = r.Notices()
	return v, nil
}

type topicKey struct{ channel, topic string }

func (v *Verification) record(rec *Record, topics map[topicKey]*topicCheck) {
	switch rec.Kind {
	case Gap:
		v.Gaps++
		return
	case Disconnect:
		for _, check := range topics {
			check.disconnected(rec.Conn)
		}
		return
	case Frame:
		v.Frames++
	default:
		return
	}
	if rec.Direction == Out || wire.IsControl(rec.Data) {
		v.Control++
		return
	}
	v.Data++
	name, _ := bybit.FrameTopic(rec.Data)
	check, ok := topics[topicKey{rec.Channel, string(name)}]
	if !ok {
		check = newTopicCheck(rec.Channel, string(name))
		topics[topicKey{rec.Channel, string(name)}] = check
	}
	check.add(rec)
}

// topicCheck follows one topic through a capture.
type topicCheck struct {
	report  TopicReport
	message bybit.Message // nil for a topic that bywire has no type for
	kind    wire.Kind
	depth   int
	books   []*connBook // the one used last comes first
}

// connBook is the book that a subscription on one connection builds.
type connBook struct {
	conn uint64
	book *book.Book // nil on orderbook.full
	last int64      // update id, on orderbook.full
}

// maxBooks is how many connections may carry a topic at once. The book of the
// one that was silent longest makes room: not every connection's end is on
// record.
const maxBooks = 4

func newTopicCheck(channel, name string) *topicCheck {
	c := &topicCheck{report: TopicReport{Channel: channel, Topic: name}, message: messageOfTopic(name)}
	if _, ok := c.message.(*bybit.BookMessage); ok {
		parts, _ := wire.ParseTopic(name) // a topic with a message parses
		c.kind = parts.Kind
		c.depth, _ = bookDepth(parts)
	}
	return c
}

// rpiDepth is how many levels a side orderbook.rpi has. V5 page
// websocket/public/orderbook-rpi.
const rpiDepth = 50

// bookDepth returns how many levels a side of the topic's book may have, and
// whether it has one that its messages alone build: orderbook.full needs a
// snapshot over REST, which a capture does not hold.
func bookDepth(t wire.Topic) (int, bool) {
	switch t.Kind {
	case wire.KindOrderBook:
		return t.Depth, true
	case wire.KindRPIOrderBook:
		return rpiDepth, true
	}
	return 0, false
}

func (c *topicCheck) add(rec *Record) {
	r := &c.report
	r.Updates++
	if r.First.IsZero() {
		r.First = rec.Received
	} else {
		r.LongestSilence = max(r.LongestSilence, rec.Received.Sub(r.Last))
	}
	r.Last = rec.Received
	if c.message == nil {
		if c.report.Topic == "" || !json.Valid(rec.Data) {
			r.Undecoded++
		}
		return
	}
	if err := c.message.Decode(rec.Data); err != nil {
		r.Undecoded++
		return
	}
	if m, ok := c.message.(*bybit.BookMessage); ok {
		c.bookOf(rec.Conn).add(&m.Update, r)
	}
}

// bookOf returns the book of a connection.
func (c *topicCheck) bookOf(conn uint64) *connBook {
	i := slices.IndexFunc(c.books, func(b *connBook) bool { return b.conn == conn })
	if i == 0 {
		return c.books[0]
	}
	var b *connBook
	if i > 0 {
		b = c.books[i]
		c.books = slices.Delete(c.books, i, i+1)
	} else {
		b = &connBook{conn: conn}
		if c.kind != wire.KindFullOrderBook {
			b.book = book.New(c.depth)
			b.book.SetPolicy(book.Lenient)
		}
		if len(c.books) == maxBooks {
			c.fold(c.books[maxBooks-1])
			c.books = c.books[:maxBooks-1]
		}
	}
	c.books = slices.Insert(c.books, 0, b)
	return b
}

// add takes a message into the book, which counts what is wrong; its verdict on
// each message is in those counts. On orderbook.full only the update ids can be
// checked, which rise by one, and 1 is a restart. V5 page
// websocket/public/full-ob.
func (b *connBook) add(u *book.Update, r *TopicReport) {
	if b.book != nil {
		_ = b.book.Apply(u)
		return
	}
	if b.last != 0 && u.ID != b.last+1 && u.ID != 1 {
		r.Gaps++
	}
	b.last = u.ID
}

// disconnected ends the book of a connection.
func (c *topicCheck) disconnected(conn uint64) {
	c.books = slices.DeleteFunc(c.books, func(b *connBook) bool {
		if b.conn == conn {
			c.fold(b)
		}
		return b.conn == conn
	})
}

// fold adds up what a book saw.
func (c *topicCheck) fold(b *connBook) {
	if b.book == nil {
		return
	}
	s, r := b.book.Stats(), &c.report
	r.Snapshots += int64(s.Snapshots)
	r.Gaps += int64(s.Gaps)
	r.Crossed += int64(s.Crossed)
	r.Rejected += int64(s.Rejected)
	r.NoBook += int64(s.Ignored)
	r.UnknownDeletes += int64(s.UnknownDeletes)
}

func (c *topicCheck) finish() TopicReport {
	for _, b := range c.books {
		c.fold(b)
	}
	return c.report
}

// String is one line for people.
func (t *TopicReport) String() string {
	return fmt.Sprintf("%s %s: %d updates, %d gaps, %d crossed", t.Channel, t.Topic, t.Updates, t.Gaps, t.Crossed)
}
