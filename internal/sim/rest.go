package sim

import (
	"net/http"
	"strconv"
	"time"

	"github.com/bywire/bywire/internal/wire"
)

// restHost is where a client finds snapshots.
const restHost = "rest"

// snapshotPace is the least time between two requests for a snapshot. V5 page:
// market/full-ob.
const snapshotPace = 2 * time.Second

// serveREST serves a network's snapshots of orderbook.full until Close.
func (s *Server) serveREST(n *network) {
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.snapshot(n, w, r) })}
	s.wg.Go(func() { _ = srv.Serve(n.rest) }) // ends with the listener
	s.wg.Go(func() {
		<-s.done
		srv.Close()
	})
}

// snapshot answers a request as its faults say.
func (s *Server) snapshot(n *network, w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	query := r.URL.Query()
	f := s.feed(wire.Channel(query.Get("category")), "orderbook.full."+query.Get("symbol"))
	now := time.Now()
	if f == nil || r.Method != http.MethodGet || r.URL.Path != "/v5/market/full_orderbook" {
		s.breach("the client asks for %s %s", r.Method, r.URL)
		s.mu.Unlock()
		http.NotFound(w, r)
		return
	}
	if last := n.asked[f.name]; !last.IsZero() && now.Sub(last) < snapshotPace {
		s.breach("a snapshot of %s is asked for %v after the last", f.name, now.Sub(last))
	}
	n.asked[f.name] = now
	body := f.appendSnapshot(nil, now)
	late, old, refused, cut := n.lateSnapshot, now.Before(n.oldSnapshot), now.Before(n.refuseSnapshot), now.Before(n.cutSnapshot)
	n.lateSnapshot = 0
	switch {
	case old && f.old != nil:
		body = f.old
	case now.Sub(f.oldAt) > 5*time.Second:
		f.old, f.oldAt = body, now
	}
	byHTTP := n.pick%2 == 0
	s.mu.Unlock()

	if late > 0 {
		timer := time.NewTimer(late)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
			return
		case <-s.done:
			return
		}
	}
	switch {
	case refused && byHTTP:
		http.Error(w, "bad gateway", http.StatusBadGateway)
		return
	case refused:
		body = []byte(`{"retCode":10006,"retMsg":"Too many visits!","result":{},"retExtInfo":{},"time":0}`)
	case cut:
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		body = body[:len(body)/2]
	}
	if _, err := w.Write(body); err != nil || cut && !refused {
		panic(http.ErrAbortHandler) // ends the connection
	}
}

// appendSnapshot writes the reply with the book as it is shown now.
func (f *feed) appendSnapshot(dst []byte, now time.Time) []byte {
	dst = append(dst, `{"retCode":0,"retMsg":"OK","result":{"s":"`+f.symbol+`","b":`...)
	dst = f.appendLevels(dst, f.bids)
	dst = append(dst, `,"a":`...)
	dst = f.appendLevels(dst, f.asks)
	dst = strconv.AppendInt(append(dst, `,"u":`...), f.u, 10)
	dst = strconv.AppendInt(append(dst, `,"seq":`...), f.key, 10)
	dst = strconv.AppendInt(append(dst, `,"ts":`...), now.UnixMilli(), 10)
	dst = strconv.AppendInt(append(dst, `,"cts":`...), f.books[f.key].match, 10)
	dst = strconv.AppendInt(append(dst, `},"retExtInfo":{},"time":`...), now.UnixMilli(), 10)
	return append(dst, '}')
}

// sufferREST makes a fault happen to the snapshots of a stream that has a full book, and
// one of its books need a snapshot.
func (n *network) sufferREST(f Fault, until time.Time) bool {
	for _, c := range n.conns {
		for _, name := range c.names {
			b := c.subs[name]
			if !b.feed.full() {
				continue
			}
			b.drop = true
			n.pick = f.Pick
			switch f.Kind {
			case LateSnapshot:
				n.lateSnapshot = f.For
			case OldSnapshot:
				n.oldSnapshot = until
			case RefuseSnapshot:
				n.refuseSnapshot = until
			case CutSnapshot:
				n.cutSnapshot = until
			}
			return true
		}
	}
	return false
}
