package sim

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/internal/memnet"
	"github.com/bywire/bywire/internal/wire"
)

// step is how often the server looks what is due.
const step = 50 * time.Millisecond

// Config says what a server is.
type Config struct {
	Seed    uint64
	Streams int // networks, one for each stream, so that faults and wires have an owner

	// Sleep makes the consumer of a stream pause, for the fault of that name.
	// It must return at once. Nil: there is no such fault.
	Sleep func(stream int, d time.Duration)
}

// Server is an exchange in memory whose market is known. Make one with New,
// inside the bubble whose clock it is to follow, and Close it there. It is safe
// for concurrent use.
type Server struct {
	cfg    Config
	hashes maphash.Seed
	wg     sync.WaitGroup
	done   chan struct{} // closed by Close

	mu     sync.Mutex // guards all that follows, and the connections
	rand   *rand.Rand
	nets   []*network
	feeds  map[string]*feed // by channel and name
	order  []*feed
	frozen bool
	broken []string // what clients did that the venue forbids
}

// network is what one stream dials.
type network struct {
	ln, rest *memnet.Listener // never change

	conns []*conn // that are open
	made  int     // connections so far
	wires map[string]*tape
	asked map[string]time.Time // when the last snapshot of a feed was asked for
	ills
}

// ills are the faults of a network that last, and those that wait for an occasion.
type ills struct {
	refuseDials, refuseHandshakes, hangHandshakes time.Time // until then

	// For the next subscribe request.
	reject, refuse, loseAck bool
	delayAck, lateAck       time.Duration
	pick                    int

	lateSnapshot                             time.Duration // of the next one
	oldSnapshot, refuseSnapshot, cutSnapshot time.Time     // until then
}

// New starts a server.
func New(cfg Config) *Server {
	s := &Server{
		cfg: cfg, hashes: maphash.MakeSeed(), done: make(chan struct{}),
		rand: rand.New(rand.NewPCG(cfg.Seed, 0x5e4e4)), feeds: make(map[string]*feed),
	}
	for i := range cfg.Streams {
		n := &network{
			ln: memnet.Listen(fmt.Sprintf("stream %d", i)), rest: memnet.Listen(fmt.Sprintf("rest %d", i)),
			wires: make(map[string]*tape), asked: make(map[string]time.Time),
		}
		s.nets = append(s.nets, n)
		s.wg.Go(func() {
			for {
				nc, err := n.ln.Accept()
				if err != nil {
					return
				}
				s.wg.Go(func() { s.serve(n, nc.(*memnet.Conn)) })
			}
		})
		s.serveREST(n)
	}
	s.wg.Go(s.run)
	return s
}

// Environment is where the server is reached with [Server.Dial].
func (s *Server) Environment() bybit.Environment {
	return bybit.CustomEnvironment("ws://sim", "http://"+restHost)
}

// errUnreachable is what a refused dial ends with.
var errUnreachable = errors.New("network is unreachable")

// Dial returns the network of a stream, for Options.DialContext.
func (s *Server) Dial(stream int) func(ctx context.Context, name, addr string) (net.Conn, error) {
	n := s.nets[stream]
	return func(ctx context.Context, name, addr string) (net.Conn, error) {
		if host, _, _ := net.SplitHostPort(addr); host == restHost {
			return n.rest.Dial(ctx, name, addr)
		}
		s.mu.Lock()
		refused := time.Now().Before(n.refuseDials)
		s.mu.Unlock()
		if refused {
			return nil, errUnreachable
		}
		return n.ln.Dial(ctx, name, addr)
	}
}

// Close ends the server, its connections, and waits for its goroutines. Stop
// the clients first.
func (s *Server) Close() {
	close(s.done)
	for _, n := range s.nets {
		for _, ln := range []*memnet.Listener{n.ln, n.rest} {
			ln.Close()
			ln.CutAll()
		}
	}
	s.wg.Wait()
}

// Breaches returns what clients did that the venue forbids: a request with too
// many topics, a frame that is no request, two requests for a snapshot within 2 s.
func (s *Server) Breaches() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.broken
}

// Connects returns how many connections a stream has made.
func (s *Server) Connects(stream int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.nets[stream].made
}

// Calm ends every fault that lasts, and those that wait for their occasion.
func (s *Server) Calm() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.nets {
		n.ills = ills{}
		for _, c := range n.conns {
			c.stalled = time.Time{}
			c.kick()
			for _, sub := range c.subs {
				sub.calm()
			}
		}
	}
	for _, f := range s.order {
		f.restart, f.skip, f.swell = false, false, false
	}
}

// Freeze pushes every topic once more and then nothing.
func (s *Server) Freeze() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.order {
		s.push(f)
	}
	s.frozen = true
}

// run pushes what is due.
func (s *Server) run() {
	clock := time.NewTicker(step)
	defer clock.Stop()
	for {
		select {
		case <-s.done:
			return
		case <-clock.C:
		}
		s.mu.Lock()
		now := time.Now()
		for _, f := range s.order {
			if !s.frozen && !now.Before(f.due) {
				f.due = now.Add(f.every)
				s.push(f)
			}
		}
		s.mu.Unlock()
	}
}

// push sends the next message of a topic to whoever is subscribed. s.mu is held.
func (s *Server) push(f *feed) {
	m := f.next(s.rand, time.Now(), s.hashes)
	for _, n := range s.nets {
		for _, c := range n.conns {
			if sub := c.subs[f.name]; sub != nil && sub.feed == f {
				c.deliver(sub, m)
			}
		}
	}
}

// feed returns the topic of a channel, nil if there is none. s.mu is held.
func (s *Server) feed(ch wire.Channel, name string) *feed {
	key := string(ch) + " " + name
	if f := s.feeds[key]; f != nil {
		return f
	}
	t, err := wire.ParseTopic(name)
	if err != nil || t.CheckOn(ch) != nil {
		return nil
	}
	f := newFeed(s.rand, ch, t, time.Now())
	if f.books != nil {
		f.note(time.Now(), s.hashes)
	}
	if f.tickers != nil {
		f.tickers[f.key] = f.fields
	}
	s.feeds[key] = f
	s.order = append(s.order, f)
	return f
}

// Inject makes a fault happen. It reports whether there was something for it to
// happen to.
func (s *Server) Inject(f Fault) bool {
	if f.Kind == Sleep {
		if s.cfg.Sleep == nil {
			return false
		}
		s.cfg.Sleep(f.Stream, f.For)
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.nets[f.Stream]
	until := time.Now().Add(f.For)
	switch f.Kind {
	case RefuseDials:
		n.refuseDials = until
		n.cut(f.Pick)
		return true
	case RefuseHandshakes:
		n.refuseHandshakes = until
		n.cut(f.Pick)
		return true
	case HangHandshakes:
		n.hangHandshakes = until
		n.cut(f.Pick)
		return true
	case Reject, RefuseRequest, DelayAck, LateAck, LoseAck:
		n.pick = f.Pick
		n.reject, n.refuse, n.loseAck = f.Kind == Reject, f.Kind == RefuseRequest, f.Kind == LoseAck
		n.delayAck, n.lateAck = 0, 0
		switch f.Kind {
		case DelayAck:
			n.delayAck = f.For
		case LateAck:
			n.lateAck = f.For
		}
		n.cut(f.Pick) // so that there is a request
		return true
	case LateSnapshot, OldSnapshot, RefuseSnapshot, CutSnapshot:
		return n.sufferREST(f, until)
	}
	if len(n.conns) == 0 {
		return false
	}
	return n.conns[f.Pick%len(n.conns)].suffer(f, until)
}

// cut ends one of a stream's connections.
func (n *network) cut(pick int) {
	if len(n.conns) > 0 {
		n.conns[pick%len(n.conns)].cut()
	}
}
