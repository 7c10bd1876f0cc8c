package bybit

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"
)

const fullPath = "/v5/market/full_orderbook"

// fullInterval is the least time between two snapshots of a symbol. V5 page:
// market/full-ob.
const fullInterval = 2 * time.Second

// snapshots makes the requests of all streams of a client, those for one symbol
// one after the other. Who waits for a symbol gets any reply that will do:
//
//	ask ──┬─▶ the request is not sent yet: its reply is as good as one's own
//	      └─▶ it is under way: its reply will do if it is not older than what one has
type snapshots struct {
	rest *rest

	mu    sync.Mutex // guards turns and all waiting in them
	turns map[string]*turn
}

// turn is whose turn it is with a symbol.
type turn struct {
	token   chan struct{} // of who may ask
	next    time.Time     // not before; who has the token owns it
	waiting []*fullWait
}

// fullWait is a caller that waits for a snapshot.
type fullWait struct {
	from  int64 // the oldest cross sequence that will do; 0: not known
	early bool  // was there before the request that is under way
	reply chan fullReply
}

// fullReply is how a request ended. The snapshot may be others' too: nobody changes it.
type fullReply struct {
	snapshot *fullSnapshot
	err      error
}

// fetch gets a snapshot when it may: one of the given cross sequence or later, or one
// that was asked for after the call.
func (f *snapshots) fetch(ctx context.Context, ch Channel, symbol string, from int64) (*fullSnapshot, error) {
	t, w := f.enter(string(ch)+" "+symbol, from)
	defer f.leave(t, w)
	select {
	case t.token <- struct{}{}:
	case r := <-w.reply:
		return r.snapshot, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-t.token }()
	select {
	case r := <-w.reply: // it came with the token
		return r.snapshot, r.err
	default:
	}
	if wait := time.Until(t.next); wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	f.begin(t)
	s, err := f.get(ctx, ch, symbol)
	// Counted from the end, so that the interval is kept at the exchange's door too.
	t.next = time.Now().Add(fullInterval)
	if err == nil || ctx.Err() == nil { // else it is the end of this call alone
		f.share(t, w, fullReply{s, err})
	}
	return s, err
}

// get makes the request.
func (f *snapshots) get(ctx context.Context, ch Channel, symbol string) (*fullSnapshot, error) {
	e := endpointOf(http.MethodGet, fullPath)
	query := "category=" + escape(string(ch)) + "&symbol=" + escape(symbol)
	reply, err := f.rest.call(ctx, &request{endpoint: e, query: []byte(query), noRepeat: true})
	if err != nil {
		return nil, err
	}
	s := &fullSnapshot{symbol: symbol}
	if err := s.decode(reply.result); err != nil {
		return nil, named(e, err)
	}
	return s, nil
}

// enter notes that somebody waits.
func (f *snapshots) enter(key string, from int64) (*turn, *fullWait) {
	f.mu.Lock()
	defer f.mu.Unlock()
	t := f.turns[key]
	if t == nil {
		t = &turn{token: make(chan struct{}, 1)}
		f.turns[key] = t
	}
	w := &fullWait{from: from, reply: make(chan fullReply, 1)}
	t.waiting = append(t.waiting, w)
	return t, w
}

// leave takes back that somebody waits.
func (f *snapshots) leave(t *turn, w *fullWait) {
	f.mu.Lock()
	defer f.mu.Unlock()
	t.waiting = slices.DeleteFunc(t.waiting, func(o *fullWait) bool { return o == w })
}

// begin notes who is there before the request.
func (f *snapshots) begin(t *turn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, w := range t.waiting {
		w.early = true
	}
}

// share answers those who wait, besides own, and for whom the reply will do.
func (f *snapshots) share(t *turn, own *fullWait, r fullReply) {
	f.mu.Lock()
	defer f.mu.Unlock()
	t.waiting = slices.DeleteFunc(t.waiting, func(w *fullWait) bool {
		if w == own || !w.early && !r.reaches(w.from) {
			return false
		}
		w.reply <- r // has room: an answered one waits no more
		return true
	})
}

// reaches reports whether the reply is a book as of a cross sequence, or of later. One
// without levels has no sequence that says when it was true.
func (r *fullReply) reaches(from int64) bool {
	s := r.snapshot
	return r.err == nil && from != 0 && len(s.Bids)+len(s.Asks) > 0 && s.Seq >= from
}
