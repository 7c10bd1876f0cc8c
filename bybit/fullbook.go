package bybit

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/bywire/bywire/book"
	"github.com/bywire/bywire/internal/session"
	"github.com/bywire/bywire/internal/wire"
)

// fullBook is the book of an orderbook.full topic. The consumer owns it. The
// snapshot comes over REST:
//
//	consumer ──fetch──▶ mail ──▶ runner ──▶ a goroutine: GET full_orderbook
//	    ▲                                      │
//	    └───────────── queue ◀───fullNotice────┘
//
// so that the book changes where all others do, in Recv.
type fullBook struct {
	machine *book.Full
	tickAt  time.Time // a tick is to come then; zero: none

	// Since the book was live last:
	told    bool // the user knows why there is no snapshot
	useless int  // snapshots that did not fit
}

func newFullBook() *fullBook { return &fullBook{machine: book.NewFull(nil)} }

// maxUseless is how many snapshots in a row may be older than the deltas before the
// user is told: one or two are normal after a restart.
const maxUseless = 3

// fullNotice tells the consumer about a full book, in its place among the messages.
// It is never yielded, and never discarded: each request gets its answer.
type fullNotice struct {
	tick     bool
	err      error
	snapshot *fullSnapshot // if there is no error
}

func (*fullNotice) event() {}

// fullFetch is a consumer's wish for a snapshot.
type fullFetch struct {
	sub  *subscription
	from int64 // of this cross sequence or later; 0: asked for from now on
}

// fullTick is a consumer's wish for a tick.
type fullTick struct {
	sub *subscription
	at  time.Time
}

// fullSnapshot is a result of GET /v5/market/full_orderbook.
type fullSnapshot struct {
	symbol string
	time   time.Time // ts
	book.Update
}

// noFullBook is why there is nothing to read although all is well. It is a
// book.ErrNoBook.
type noFullBook struct{}

func (noFullBook) Error() string {
	return "the exchange has no book: delisted, or before an auction"
}
func (noFullBook) Unwrap() error { return book.ErrNoBook }

// applyFull takes a delta of a full book into account.
func (s *Stream) applyFull(sub *subscription, ev *BookEvent) Event {
	if sub.full == nil {
		return s.applyFullAlone(sub, ev)
	}
	f := sub.full
	live := f.machine.State() == book.FullLive
	step := f.machine.Delta(&ev.Update, time.Now())
	s.fullStep(sub, &step)
	switch {
	case step.Synced:
		return s.yieldFull(sub, ev, ev.Time, ev.Received)
	case step.State == book.FullLive && step.Applied == 0:
		s.count.dropped.Add(1) // it came before, or is from before what did
		return nil
	case step.State == book.FullLive:
		ev.Book = f.machine.View()
		return s.yieldBook(sub, ev)
	}
	s.count.dropped.Add(1)
	if live {
		if fault, ok := errors.AsType[*book.Error](step.Err); ok && fault.Kind != book.Restart {
			s.count.violations.Add(1)
		}
		return s.bookGap(sub, step.Err, 1, ev.Received)
	}
	sub.dropped++
	return s.fullTrouble(sub, step.Err, ev.Received)
}

// applyFullAlone takes a delta into account where no book is kept.
func (s *Stream) applyFullAlone(sub *subscription, ev *BookEvent) Event {
	last := sub.updateID
	sub.updateID = ev.ID
	if last == 0 || ev.ID == last+1 || ev.ID == 1 {
		return s.yieldBook(sub, ev)
	}
	s.count.violations.Add(1)
	sub.updateID = 0 // the event comes here once more, after the gap
	s.local.after(sub, ev)
	return s.bookGap(sub, &book.Error{Kind: book.Gap, Want: last + 1, Got: ev.ID}, 0, ev.Received)
}

// applyFullNotice takes an answer or a tick into account.
func (s *Stream) applyFullNotice(sub *subscription, n *fullNotice, at time.Time) Event {
	f := sub.full
	if f == nil {
		return nil
	}
	before := f.machine.State()
	now := time.Now()
	var step book.FullStep
	switch {
	case n.tick:
		f.tickAt = time.Time{}
		step = f.machine.Tick(now)
	case n.err != nil:
		s.log.Warn("snapshot of the full book", "topic", sub.topic.name, "error", n.err)
		step = f.machine.SnapshotFailed(n.err, now)
	default:
		step = f.machine.Snapshot(&n.snapshot.Update, now)
	}
	s.fullStep(sub, &step)
	switch {
	case step.Synced:
		ev := &s.local.books[s.local.book%bookRing]
		s.local.book++
		ev.Topic, ev.MessageID, ev.Frame = sub.topic, "", nil
		return s.yieldFull(sub, ev, n.snapshot.time, at)
	case step.State == book.FullNoBook && before != book.FullNoBook:
		f.told, f.useless = true, 0
		return s.fullGap(sub, noFullBook{}, at)
	}
	return s.fullTrouble(sub, step.Err, at)
}

// fullStep does what the machine asks for.
func (s *Stream) fullStep(sub *subscription, step *book.FullStep) {
	if step.Fetch {
		s.mail.put(letter{fetch: &fullFetch{sub, step.From}})
	}
	if at := step.At; !at.IsZero() && !at.Equal(sub.full.tickAt) {
		sub.full.tickAt = at
		s.mail.put(letter{tick: &fullTick{sub, at}})
	}
}

// fullTrouble tells why there is no book yet, once. A snapshot that is merely older
// than the deltas is no news unless that goes on.
func (s *Stream) fullTrouble(sub *subscription, err error, at time.Time) Event {
	f := sub.full
	if err == nil {
		return nil
	}
	if fault, ok := errors.AsType[*book.Error](err); ok && fault.Kind == book.Misaligned {
		if f.useless++; f.useless < maxUseless {
			return nil
		}
	}
	if f.told {
		return nil
	}
	f.told = true
	return s.fullGap(sub, err, at)
}

// fullGap announces that there is no snapshot.
func (s *Stream) fullGap(sub *subscription, err error, at time.Time) Event {
	gap := &GapEvent{Topic: sub.topic, Reason: GapSnapshot, Err: err, Dropped: sub.dropped, Time: at}
	sub.dropped = 0
	s.count.gaps.Add(1)
	s.traceGap(gap)
	return gap
}

// yieldFull makes ev the event of a book that has become live.
func (s *Stream) yieldFull(sub *subscription, ev *BookEvent, sent, received time.Time) Event {
	f := sub.full
	f.told, f.useless = false, 0
	sub.dropped = 0
	view := f.machine.View()
	ev.Symbol, ev.Time, ev.Received, ev.Conflated = sub.symbol, sent, received, 0
	ev.Update = book.Update{Snapshot: true}
	ev.ID, _ = view.ID()
	ev.Seq, _ = view.Seq()
	ev.MatchTime, _ = view.MatchTime()
	// Memory of its own: twenty thousand levels are not what the next delta needs.
	if bids, asks, err := view.Len(); err == nil {
		ev.Bids, _ = view.AppendTop(make([]book.Level, 0, bids), book.Bid, math.MaxInt)
		ev.Asks, _ = view.AppendTop(make([]book.Level, 0, asks), book.Ask, math.MaxInt)
	}
	ev.Book = view
	return s.yieldBook(sub, ev)
}

// resetFull makes a full book begin anew after a gap.
func (s *Stream) resetFull(sub *subscription, gap *GapEvent) {
	sub.updateID = 0
	if f := sub.full; f != nil {
		step := f.machine.Reset(&gapError{gap.Reason, gap.Err, gap.Time}, time.Now())
		s.fullStep(sub, &step)
	}
}

// fetch begins a request for a snapshot. It has no answer if the topic is not
// subscribed any more.
func (r *runner) fetch(wish *fullFetch) {
	sub := wish.sub
	if r.subs[sub.topic.name] != sub || r.session.State() == session.Closed {
		return
	}
	ctx, stop := context.WithCancel(r.life)
	r.fetches[wish] = stop
	r.busy++
	go func() {
		n := &fullNotice{}
		n.snapshot, n.err = r.s.client.snapshots.fetch(ctx, r.s.ch, sub.symbol, wish.from)
		if n.err == nil || ctx.Err() == nil { // else nobody wants the answer
			r.s.notify(sub, n)
		}
		r.s.mail.put(letter{fetched: wish})
	}()
}

// fetched takes in that a request has ended. The consumer may have had its answer before, and
// have asked again.
func (r *runner) fetched(wish *fullFetch) {
	r.busy--
	r.fetches[wish]()
	delete(r.fetches, wish)
}

// checkFull refuses full books where there are no snapshots for them.
func checkFull(env *Environment, ch Channel) error {
	if _, err := env.URL(AbilityREST); err != nil {
		return err
	}
	switch ch {
	case Spot, Linear, Inverse:
		return nil
	}
	return fmt.Errorf("channel %q has no category there", string(ch))
}

// The keys of a snapshot, as bits for Cursor.Once.
const (
	keyFullSymbol = iota
	keyFullBids
	keyFullAsks
	keyFullID
	keyFullSeq
	keyFullTime
	keyFullMatchTime
)

// decode reads a result. One without levels need not have anything else, nor be there:
// there is no book to number.
func (s *fullSnapshot) decode(result []byte) error {
	if len(result) == 0 || string(result) == "null" {
		return nil
	}
	c := wire.NewCursor(result)
	var symbol []byte
	var hasID, hasSeq bool
	var o wire.Object
	for c.NextKey(&o) {
		switch string(o.Key) {
		case "s":
			c.Once(&o, keyFullSymbol)
			symbol = c.Text()
		case "b":
			c.Once(&o, keyFullBids)
			s.Bids = readLevels(&c, nil)
		case "a":
			c.Once(&o, keyFullAsks)
			s.Asks = readLevels(&c, nil)
		case "u":
			c.Once(&o, keyFullID)
			if s.ID, hasID = c.Integer(); s.ID < 0 {
				c.Fail(c.Offset(), "an update id below 0")
			}
		case "seq":
			c.Once(&o, keyFullSeq)
			s.Seq, hasSeq = c.Integer()
		case "ts":
			c.Once(&o, keyFullTime)
			s.time = c.Millis()
		case "cts":
			c.Once(&o, keyFullMatchTime)
			s.MatchTime = c.Millis()
		default:
			c.Skip(&o)
		}
	}
	c.End()
	if c.Err() == nil {
		switch {
		case len(s.Bids)+len(s.Asks) == 0 && len(symbol) == 0:
		case string(symbol) != s.symbol:
			c.Fail(0, "the book is of another symbol")
		case len(s.Bids)+len(s.Asks) > 0 && !(hasID && hasSeq):
			c.Fail(0, "no u or no seq")
		}
	}
	if err := c.Err(); err != nil {
		return newDecodeError(nil, result, err)
	}
	return nil
}
