package book

import "time"

// FullState is where a Full stands.
type FullState uint8

const (
	// FullWaiting: nothing to align yet, the next delta starts the work.
	FullWaiting FullState = iota
	// FullSyncing: deltas are buffered, a snapshot is needed, or on its way,
	// or waits for the delta that it belongs to.
	FullSyncing
	// FullLive: the book is readable and follows the deltas.
	FullLive
	// FullNoBook: the venue has no book (delisting, before an auction). Nothing
	// is asked for until a delta with levels arrives.
	FullNoBook
)

// String returns the state in words.
func (s FullState) String() string {
	return [...]string{"waiting", "syncing", "live", "no book"}[s&3]
}

// FullOptions are the bounds of a Full. Nil and zero values mean the defaults.
type FullOptions struct {
	// MinInterval is the least time between two snapshot requests. The venue
	// asks for 2 s a symbol. Default 2 s.
	MinInterval time.Duration
	// MaxUpdates is how many deltas are kept while there is no snapshot; of
	// more, the oldest go. Default 600, two minutes of the topic's 200 ms.
	MaxUpdates int
	// MaxLevels is how many levels these deltas may have together, the newest
	// delta excepted. Default 200,000, about 10 MB.
	MaxLevels int
}

// FullStep is what one call to a Full has done, and what the caller does next.
type FullStep struct {
	State FullState // after the call

	// Fetch asks the caller to GET /v5/market/full_orderbook now and to answer
	// with Snapshot or SnapshotFailed. It is not repeated before the answer.
	Fetch bool
	// From is, with Fetch, the cross sequence of the oldest delta that is kept: a
	// snapshot below it is of no use. 0: there is none, or it has no sequence.
	From int64
	// At, if not zero, asks for a call of Tick at that time. A later step
	// replaces the wish: with a zero At nothing is to be called.
	At time.Time

	Synced  bool // the book became live in this call: its content is new
	Applied int  // deltas applied to the live book in this call

	// Err says why the book ceased to be live (an *Error of kind Gap, Restart,
	// Crossed ...), or why a snapshot was of no use (kind Misaligned, or what
	// SnapshotFailed was given). It needs no action beyond Fetch and At.
	Err error
}

// Full keeps the book of an orderbook.full topic. The topic sends deltas only;
// the snapshot to start from comes over REST, and the two are aligned where
// update id and cross sequence both agree:
//
//	delta ──▶ buffer ─┐
//	                  ├─▶ same u and seq ─▶ later deltas, u by one ─▶ live
//	REST  ─▶ snapshot ┘
//
// A gap, or update id 1 (restart, change of tick size, start and end of an
// auction), starts this again. Full does no I/O and has no clock: calls bring
// the time, and the FullStep they return says what to do. It belongs to one
// goroutine, as its Book does.
//
// See https://bybit-exchange.github.io/docs/v5/websocket/public/full-ob
type Full struct {
	opts  FullOptions
	book  *Book
	state FullState

	buffer  []*Update // consecutive deltas, oldest first
	levels  int       // of all in buffer
	spare   []*Update
	held    bool // the book has a snapshot that waits for its delta
	heldID  int64
	heldSeq int64
	heldAt  time.Time // its match time

	ignored int       // old messages since the last one that was not
	asking  bool      // a request is out
	late    bool      // and it is from before the last Reset
	allowed time.Time // no request before
	fails   int       // requests failed in a row
}

// NewFull returns a Full that waits for its first delta.
func NewFull(opts *FullOptions) *Full {
	f := &Full{book: New(0)}
	if opts != nil {
		f.opts = *opts
	}
	if f.opts.MinInterval <= 0 {
		f.opts.MinInterval = 2 * time.Second
	}
	if f.opts.MaxUpdates <= 0 {
		f.opts.MaxUpdates = 600
	}
	if f.opts.MaxLevels <= 0 {
		f.opts.MaxLevels = 200_000
	}
	return f
}

// State returns where f stands.
func (f *Full) State() FullState { return f.state }

// View returns the book for reading. It is valid while the state is FullLive;
// otherwise reads return ErrNoBook or the reason why the book ceased.
func (f *Full) View() View { return f.book.View() }

// Release makes the Views handed out so far stale. The book is unchanged.
func (f *Full) Release() { f.book.Release() }

// Stats returns the counts of the book. Snapshots counts those of REST that
// were tried.
func (f *Full) Stats() Stats { return f.book.Stats() }

// Buffered returns how many deltas wait for a snapshot.
func (f *Full) Buffered() int { return len(f.buffer) }

// Delta takes one message of the topic. It does not keep u. A message that came
// before, or is from before those that did, changes nothing.
func (f *Full) Delta(u *Update, now time.Time) FullStep {
	if !f.isOld(u) {
		f.ignored = 0
	}
	switch {
	case f.held && u.ID == f.heldID && u.Seq == f.heldSeq:
		f.held = false
		return f.live(now)
	case u.ID == 1 && !f.isOld(u):
		return f.restart(u, now)
	case f.isOld(u):
		return f.ignore(u, now)
	case f.state == FullLive:
		return f.follow(u, now)
	case f.state == FullNoBook && len(u.Bids)+len(u.Asks) == 0:
		return f.step(now)
	case f.held && u.Seq < f.heldSeq && !countsAnew(u, f.heldSeq, f.heldAt):
		return f.step(now) // the snapshot has it already
	case f.held:
		err := &Error{Kind: Misaligned, Want: u.Seq, Got: f.heldSeq}
		f.begin(u)
		return f.stepWith(err, now)
	}
	f.state = FullSyncing
	f.push(u)
	return f.step(now)
}

// Snapshot takes the answer to a Fetch: a REST result as an Update. It does not
// keep u. In a state that needs no snapshot it is dropped.
func (f *Full) Snapshot(u *Update, now time.Time) FullStep {
	late := f.late
	f.asking, f.late, f.fails = false, false, 0
	if f.state == FullLive || f.state == FullNoBook || f.held {
		return f.step(now)
	}
	if late {
		if len(f.buffer) == 0 {
			return f.step(now)
		}
		return f.misaligned(f.buffer[0].Seq, u.Seq, now)
	}
	if len(u.Bids)+len(u.Asks) == 0 {
		return f.emptyReply(u, now)
	}
	if len(f.buffer) > 0 {
		if first := f.buffer[0]; u.Seq < first.Seq {
			return f.misaligned(first.Seq, u.Seq, now)
		}
	}
	if n := len(f.buffer); n > 0 && countsAnew(f.buffer[n-1], u.Seq, u.MatchTime) {
		return f.misaligned(f.buffer[n-1].Seq, u.Seq, now)
	}
	for len(f.buffer) > 0 && f.buffer[0].Seq < u.Seq {
		f.drop()
	}
	if len(f.buffer) > 0 {
		if d := f.buffer[0]; d.Seq != u.Seq || d.ID != u.ID {
			return f.misaligned(d.Seq, u.Seq, now)
		}
	}
	if err := f.load(u); err != nil {
		return f.stepWith(err, now)
	}
	if len(f.buffer) == 0 {
		// The reply is ahead of the stream; its delta is still to come.
		f.state = FullSyncing
		f.held, f.heldID, f.heldSeq, f.heldAt = true, u.ID, u.Seq, u.MatchTime
		return f.step(now)
	}
	f.drop() // the delta that made the snapshot: the book has it already
	return f.live(now)
}

// countsAnew reports whether d is later than a message or a snapshot, and has a lower
// sequence all the same: both counts have begun anew in between. A snapshot from before that
// would wait for its delta until they are there once more.
func countsAnew(d *Update, seq int64, at time.Time) bool {
	return d.Seq < seq && !at.IsZero() && d.MatchTime.After(at)
}

// SnapshotFailed says that the request asked for by Fetch has failed; cause
// comes back as FullStep.Err. Requests that fail in a row are repeated after 2,
// 4, 8, 16, at most 32 s by default: MinInterval, doubled up to four times.
func (f *Full) SnapshotFailed(cause error, now time.Time) FullStep {
	f.asking, f.late = false, false
	if next := now.Add(f.opts.MinInterval << f.fails); next.After(f.allowed) {
		f.allowed = next
	}
	f.fails = min(f.fails+1, 4)
	return f.stepWith(cause, now)
}

// Tick is called at the time a step has asked for. Calls at other times do no
// harm.
func (f *Full) Tick(now time.Time) FullStep { return f.step(now) }

// Reset says that the subscription has ended, by a lost connection: what was
// buffered is worthless, the book unreadable with the given reason (nil:
// ErrNoBook). A request that is out stays out; its answer is dropped, for nobody
// has seen what came between it and the next message.
func (f *Full) Reset(cause error, now time.Time) FullStep {
	f.forget()
	f.late = f.asking
	f.state = FullWaiting
	f.book.Invalidate(cause)
	return f.step(now)
}

// isOld reports whether u is from before the last message, or is that one again: the
// cross sequence says so, also where a count of update ids has ended in between. A restart
// that comes late is old too, unless its time says that both counts have begun anew.
func (f *Full) isOld(u *Update) bool {
	if u.Seq == 0 {
		return false // absent, so nothing is known
	}
	id, seq, at := f.book.id, f.book.seq, f.book.matched
	if f.state != FullLive {
		n := len(f.buffer)
		if n == 0 {
			return false
		}
		last := f.buffer[n-1]
		id, seq, at = last.ID, last.Seq, last.MatchTime
	}
	if u.ID == 1 && countsAnew(u, seq, at) {
		return false
	}
	return u.Seq < seq || u.Seq == seq && u.ID <= id
}

// maxIgnored is how many old messages in a row are old messages. More are a venue that
// has begun both of its counts anew, unnoticed.
const maxIgnored = 16

// ignore passes over an old message.
func (f *Full) ignore(u *Update, now time.Time) FullStep {
	if f.ignored++; f.ignored <= maxIgnored {
		return f.step(now)
	}
	f.ignored = 0
	var err error
	if f.state == FullLive {
		err = &Error{Kind: Gap, Want: f.book.id + 1, Got: u.ID}
		f.book.Invalidate(err)
	}
	f.begin(u)
	return f.stepWith(err, now)
}

// restart begins anew with the message that has update id 1. It carries no
// complete book: "re-initialise" means fetch again.
func (f *Full) restart(u *Update, now time.Time) FullStep {
	if f.state == FullNoBook && len(u.Bids)+len(u.Asks) == 0 {
		return f.step(now)
	}
	var err error
	if f.state == FullLive {
		err = &Error{Kind: Restart}
		f.book.Invalidate(err)
	}
	f.begin(u)
	return f.stepWith(err, now)
}

// begin makes u the first buffered delta.
func (f *Full) begin(u *Update) {
	f.forget()
	f.push(u)
	f.state = FullSyncing
}

func (f *Full) forget() {
	for len(f.buffer) > 0 {
		f.drop()
	}
	f.held = false
}

// follow applies a delta to the live book.
func (f *Full) follow(u *Update, now time.Time) FullStep {
	if err := f.apply(u); err != nil {
		f.begin(u)
		return f.stepWith(err, now)
	}
	s := f.step(now)
	s.Applied = 1
	return s
}

// apply hands a delta to the book. The topic has no snapshots, so the flag of
// one is an error of the caller that must not replace a verified book.
func (f *Full) apply(u *Update) error {
	d := *u
	d.Snapshot = false
	return f.book.Apply(&d)
}

// load puts a snapshot into the book and leaves it unreadable: whether it
// belongs to the stream is not known before its delta has been seen.
func (f *Full) load(u *Update) error {
	reason := f.book.err
	s := *u
	s.Snapshot = true
	if err := f.book.Apply(&s); err != nil {
		return err
	}
	f.book.Invalidate(reason)
	return nil
}

// misaligned asks for another snapshot and keeps the deltas: they are in
// sequence, it is the reply that is too old or from another life of the topic.
func (f *Full) misaligned(want, got int64, now time.Time) FullStep {
	return f.stepWith(&Error{Kind: Misaligned, Want: want, Got: got}, now)
}

// emptyReply judges a snapshot without levels. With nothing but a restart
// without levels before it, the venue has no book, and asking again would be a
// loop without end. Otherwise the stream knows better: ask again.
func (f *Full) emptyReply(u *Update, now time.Time) FullStep {
	for _, d := range f.buffer {
		if len(d.Bids)+len(d.Asks) > 0 {
			return f.misaligned(f.buffer[0].Seq, u.Seq, now)
		}
	}
	f.forget()
	f.state = FullNoBook
	f.book.Invalidate(ErrNoBook)
	return f.step(now)
}

// live makes the loaded book readable and applies what is buffered.
func (f *Full) live(now time.Time) FullStep {
	f.book.err = nil
	f.book.gen++
	f.state = FullLive
	applied := 0
	for len(f.buffer) > 0 {
		u := f.buffer[0]
		if err := f.apply(u); err != nil {
			// Buffered deltas are in sequence, so this is not a gap and the
			// ones after it are good: keep them and ask again.
			f.drop()
			f.state = FullSyncing
			return f.stepWith(err, now)
		}
		applied++
		f.drop()
	}
	s := f.step(now)
	s.Synced, s.Applied = true, applied
	return s
}

// push buffers a copy of u. The buffer holds a run without a gap, so a delta
// that does not follow the last one starts a new run.
func (f *Full) push(u *Update) {
	if n := len(f.buffer); n > 0 && u.ID != f.buffer[n-1].ID+1 {
		f.forget()
	}
	var c *Update
	if n := len(f.spare); n > 0 {
		c, f.spare = f.spare[n-1], f.spare[:n-1]
	} else {
		c = new(Update)
	}
	c.ID, c.Seq, c.MatchTime = u.ID, u.Seq, u.MatchTime
	c.Bids, c.Asks = append(c.Bids[:0], u.Bids...), append(c.Asks[:0], u.Asks...)
	f.buffer = append(f.buffer, c)
	f.levels += len(c.Bids) + len(c.Asks)
	for len(f.buffer) > f.opts.MaxUpdates || f.levels > f.opts.MaxLevels && len(f.buffer) > 1 {
		f.drop()
	}
}

// drop removes the oldest buffered delta. A few are kept for their memory.
func (f *Full) drop() {
	u := f.buffer[0]
	f.levels -= len(u.Bids) + len(u.Asks)
	n := copy(f.buffer, f.buffer[1:])
	f.buffer[n] = nil
	f.buffer = f.buffer[:n]
	if len(f.spare) < 16 && len(u.Bids)+len(u.Asks) < 4096 {
		f.spare = append(f.spare, u)
	}
}

// step decides about the next request: the one place that does.
func (f *Full) step(now time.Time) FullStep {
	s := FullStep{State: f.state}
	if f.state != FullSyncing || f.held || f.asking {
		return s
	}
	if now.Before(f.allowed) {
		s.At = f.allowed
		return s
	}
	f.asking = true
	f.allowed = now.Add(f.opts.MinInterval)
	s.Fetch = true
	if len(f.buffer) > 0 {
		s.From = f.buffer[0].Seq
	}
	return s
}

func (f *Full) stepWith(err error, now time.Time) FullStep {
	s := f.step(now)
	s.Err = err
	return s
}
