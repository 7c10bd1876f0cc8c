package exchange

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/bywire/bywire/exchange/internal/core"
)

// Bounds of what the control API keeps.
const (
	maxSnapshots = 16
	maxForks     = 16
	maxName      = 64
)

// kept is a snapshot that the control API has taken.
type kept struct {
	name  string
	at    time.Time
	hash  [32]byte
	bytes []byte
}

// fork is an exchange with a port of its own that the control API has begun.
type fork struct {
	x      *Exchange
	server *http.Server
	addr   string
	served chan struct{} // closed when the server has ended
}

// shelf is what the control API keeps between calls.
type shelf struct {
	mu        sync.Mutex // guards the fields below
	snapshots []kept     // oldest first
	forks     []*fork
	children  map[*Exchange]struct{} // all forks that have not been closed, whoever has begun them
	closed    bool
}

// snapshotText is a snapshot as the control API shows it.
type snapshotText struct {
	Name  string    `json:"name"`
	Time  time.Time `json:"time"` // of the exchange, when it was taken
	Hash  string    `json:"hash"`
	Bytes int       `json:"bytes"`
}

func (k *kept) text() snapshotText {
	return snapshotText{k.name, k.at, hex.EncodeToString(k.hash[:]), len(k.bytes)}
}

// snapshotName reads the name in a body.
func snapshotName(body []byte) (string, error) {
	q := struct{ Name string }{"latest"}
	if err := fill(body, &q, map[string]string{"name": "a text"}); err != nil {
		return "", err
	}
	if strings.Trim(q.Name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") != "" || q.Name == "" || len(q.Name) > maxName {
		return "", wrong("name %q: 1 to %d letters, digits, and - _ .", shortened(q.Name), maxName)
	}
	return q.Name, nil
}

// controlSnapshot takes a snapshot and keeps it under a name.
func controlSnapshot(x *Exchange, r *http.Request, body []byte) (any, error) {
	name, err := snapshotName(body)
	if err != nil {
		return nil, err
	}
	k := kept{name: name}
	if err := x.do(r.Context(), func(c *core.Core) {
		k.at, k.bytes = time.Unix(0, c.Now()).UTC(), c.Snapshot()
	}); err != nil {
		return nil, err
	}
	k.hash = core.HashOf(k.bytes)
	s := &x.shelf
	s.mu.Lock()
	defer s.mu.Unlock()
	s.snapshots = slices.DeleteFunc(s.snapshots, func(old kept) bool { return old.name == name })
	if len(s.snapshots) >= maxSnapshots {
		return nil, &controlError{http.StatusConflict, fmt.Sprintf("%d snapshots are kept: take this one under the name of one that can go", maxSnapshots)}
	}
	s.snapshots = append(s.snapshots, k)
	return k.text(), nil
}

// controlSnapshots lists the snapshots, or hands out the one that the query names.
func controlSnapshots(x *Exchange, r *http.Request, _ []byte) (any, error) {
	s := &x.shelf
	s.mu.Lock()
	defer s.mu.Unlock()
	if query := r.URL.Query(); len(query) > 0 {
		if len(query) != 1 || !query.Has("name") {
			return nil, wrong("snapshot: get the bytes of one with ?name=latest, or a list without a query")
		}
		k, err := s.find(query.Get("name"))
		if err != nil {
			return nil, err
		}
		return &download{k.bytes}, nil
	}
	list := struct {
		Snapshots []snapshotText `json:"snapshots"`
	}{[]snapshotText{}}
	for i := range s.snapshots {
		list.Snapshots = append(list.Snapshots, s.snapshots[i].text())
	}
	return list, nil
}

// find returns a snapshot. It is called with the lock held.
func (s *shelf) find(name string) (kept, error) {
	var names []string
	for _, k := range s.snapshots {
		if k.name == name {
			return k, nil
		}
		names = append(names, k.name)
	}
	there := "none was taken"
	if len(names) > 0 {
		there = "there are " + strings.Join(names, ", ")
	}
	return kept{}, &controlError{http.StatusNotFound, fmt.Sprintf("no snapshot %q: %s", shortened(name), there)}
}

// controlRestore goes back to a snapshot.
func controlRestore(x *Exchange, r *http.Request, body []byte) (any, error) {
	name, err := snapshotName(body)
	if err != nil {
		return nil, err
	}
	x.shelf.mu.Lock()
	k, err := x.shelf.find(name)
	x.shelf.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if err := x.Restore(r.Context(), k.bytes); err != nil {
		return nil, err
	}
	return x.moment(), nil
}

// controlReset begins anew.
func controlReset(x *Exchange, r *http.Request, _ []byte) (any, error) {
	if err := x.Reset(r.Context()); err != nil {
		return nil, err
	}
	return x.moment(), nil
}

// Fork returns another exchange that is what this one is now, and goes on by itself: the same market at the same time, on
// the same clock, without its connections, faults and journal. Its Close ends it, or else that of this one.
func (x *Exchange) Fork(ctx context.Context) (*Exchange, error) {
	var cfg Config
	var snapshot []byte
	var of clock
	if err := x.do(ctx, func(c *core.Core) { cfg, of, snapshot = x.cfg, x.clock, c.Snapshot() }); err != nil {
		return nil, err
	}
	cfg.Journal = nil
	cfg.Clock, cfg.Speed = of.mode, of.speed
	cfg.Quantum, cfg.Silence = time.Duration(x.pace.quantum.Load()), time.Duration(x.pace.silence.Load())
	y, err := build(cfg, snapshot, &of)
	if err != nil {
		return nil, err
	}
	y.parent = x
	if !x.shelf.adopt(y) {
		y.Close()
		return nil, ErrClosed
	}
	return y, nil
}

// adopt notes a fork, unless it is too late.
func (s *shelf) adopt(y *Exchange) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	if s.children == nil {
		s.children = map[*Exchange]struct{}{}
	}
	s.children[y] = struct{}{}
	return true
}

// release forgets a fork.
func (s *shelf) release(y *Exchange) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.children, y)
}

// controlFork begins a fork with a port of its own.
func controlFork(x *Exchange, r *http.Request, body []byte) (any, error) {
	q := struct{ Listen string }{"127.0.0.1:0"}
	if err := fill(body, &q, map[string]string{"listen": "an address, such as 127.0.0.1:0"}); err != nil {
		return nil, err
	}
	at, err := netip.ParseAddrPort(q.Listen)
	if err != nil {
		return nil, wrong("listen %q: an IP address and a port, such as 127.0.0.1:0 for a free one", shortened(q.Listen))
	}
	if !at.Addr().Unmap().IsLoopback() && x.cfg.Token == "" {
		return nil, wrong("listen %s: a loopback address, since this exchange demands no token", at)
	}
	listener, err := net.Listen("tcp", at.String())
	if err != nil {
		return nil, &controlError{http.StatusConflict, fmt.Sprintf("listen %s: %v", at, err)}
	}
	y, err := x.Fork(r.Context())
	if err != nil {
		listener.Close()
		return nil, err
	}
	f := &fork{x: y, server: y.Server(), addr: listener.Addr().String(), served: make(chan struct{})}
	y.stop = func() { x.shelf.end(f) }
	if err := x.shelf.add(f); err != nil {
		listener.Close()
		y.Close()
		return nil, err
	}
	go func() {
		defer close(f.served)
		if err := f.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			x.cfg.Logger.Warn("fork ended", "listen", f.addr, "error", err)
		}
	}()
	return f.text(), nil
}

// forkText is a fork as the control API shows it.
type forkText struct {
	Listen string `json:"listen"`
	REST   string `json:"rest"`
	WS     string `json:"ws"`
}

func (f *fork) text() forkText { return forkText{f.addr, "http://" + f.addr, "ws://" + f.addr} }

// add keeps a fork.
func (s *shelf) add(f *fork) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	if len(s.forks) >= maxForks {
		return &controlError{http.StatusConflict, fmt.Sprintf("%d forks are there: end one with POST %sstop at its own address", maxForks, controlPrefix)}
	}
	s.forks = append(s.forks, f)
	return nil
}

// end ends a fork, once.
func (s *shelf) end(f *fork) {
	s.mu.Lock()
	i := slices.Index(s.forks, f)
	if i >= 0 {
		s.forks = slices.Delete(s.forks, i, i+1)
	}
	s.mu.Unlock()
	if i >= 0 {
		f.close()
	}
}

// close ends the fork's server and its exchange.
func (f *fork) close() {
	f.x.Close() // a fork has no journal, so there is no error
	f.server.Close()
	<-f.served
}

// close ends all forks.
func (s *shelf) close() {
	s.mu.Lock()
	forks, children := s.forks, slices.Collect(maps.Keys(s.children))
	s.forks, s.closed = nil, true
	s.mu.Unlock()
	for _, f := range forks {
		f.close()
	}
	for _, y := range children {
		y.Close() // see fork.close; of those with a port it is the second time
	}
}

// controlStop ends a fork from its own address.
func controlStop(x *Exchange, _ *http.Request, _ []byte) (any, error) {
	if x.stop == nil {
		return nil, &controlError{http.StatusConflict, "this exchange is no fork: end its process"}
	}
	// The answer has to get out first: Close ends the server that gives it.
	time.AfterFunc(stopAfter, x.stop)
	return x.moment(), nil
}

// stopAfter is how long a fork lives on to answer that it ends.
const stopAfter = 50 * time.Millisecond
