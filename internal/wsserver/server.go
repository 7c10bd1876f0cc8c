package wsserver

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"

	"github.com/bywire/bywire/internal/wire"
)

// Defaults of Options.
const (
	DefaultAckDelay   = 3 * time.Millisecond
	DefaultQueueBytes = 1 << 20
	DefaultMaxMessage = 64 << 10
	DefaultCloseWait  = 5 * time.Second
)

// CloseCode is a code of a close frame.
type CloseCode = ws.StatusCode

// The close codes that users of the package need, so that they need not import the WebSocket library.
const (
	CloseNormal    = ws.StatusNormalClosure // 1000: everything was said
	CloseGoingAway = ws.StatusGoingAway     // 1001: the server stops
	CloseRestart   = CloseCode(1012)        // 1012: the service begins anew
)

// readBuffer is what an idle connection keeps for its next request, in bytes: more than a ping or a small subscribe.
const readBuffer = 1 << 10

// Slow says what happens to a session whose queue is full.
type Slow uint8

const (
	// Cut drops the queue and closes the connection with code 1008 and reason "too slow" (choice): the client knows that
	// it missed something and starts anew.
	Cut Slow = iota
	// Pause makes Publish wait until there is room: the slowest consumer sets the pace and nothing is lost.
	Pause
	// Conflate removes queued frames that a later Replacing frame of the same topic makes superfluous. A session whose
	// queue stays fuller than three quarters is cut.
	Conflate
)

// Options configure a Server. The zero value is useful.
type Options struct {
	// AckDelay holds the acknowledgements of subscribe, unsubscribe and auth, and with them what is queued behind them:
	// one popular client registers its callback only after it has sent. Negative is no delay. Default 3 ms.
	AckDelay time.Duration
	// QueueBytes bounds the published frames that wait for one session, in bytes. Default 1 MiB.
	QueueBytes int
	// SocketBytes bounds what the system holds for a session that does not read, in bytes, where it can be told. A system's own
	// bound may be megabytes, and it makes room by a third of that at a time: whether a client reads slowly or not at all is
	// then seen only seconds later, see WaitSent. Default: the system's.
	SocketBytes int
	// Slow is the policy for a session whose queue is full. Default Cut.
	Slow Slow
	// MaxMessage is the longest message in bytes that a client may send; a longer one ends the connection with code 1009.
	// Default 64 KiB, about twice what the venue's limit on arguments lets through.
	MaxMessage int
	// IdleTimeout ends a connection after so long without a frame from the client and without stream data; see the
	// V5 page ws/connect. Default wire.IdleTimeout, 10 minutes.
	IdleTimeout time.Duration
	// CloseWait bounds how long a connection that is being closed waits for its peer. Default 5 s.
	CloseWait time.Duration
	// Limits are what connections are refused beyond. The zero value refuses none, and the limits on arguments hold.
	Limits Limits
	// Op is asked about an operation that the channel does not know, before it is refused; true: Op has dealt with it,
	// by Session.Reply or in silence. It is called on the session's reader. nil knows none. Default nil.
	Op func(s *Session, r *wire.Request) bool
	// Deaf makes the server miss requests on purpose: for one that it reports true, nothing is done and nothing answered.
	// op is "ping" for a WebSocket ping too, and "" for what is no request. It is called on the session's reader. nil
	// misses none. Default nil.
	Deaf func(s *Session, op string) bool
	// Auth checks the arguments of an auth request on the private and trade channels; nil refuses all. Default nil.
	Auth func(s *Session, args []string) error
	// ConnID names a new connection. Default a random UUID.
	ConnID func(wire.Channel) string
	// Now is the time that pongs state. Default time.Now.
	Now func() time.Time
}

// Server makes sessions out of HTTP requests and keeps the registry of topics. Its methods may be called concurrently.
type Server struct {
	opts   Options
	src    Source
	frames sync.Pool // of *batch

	published, publishedBytes atomic.Int64 // see Published

	mu       sync.Mutex // guards the fields below
	closed   bool
	sessions map[*Session]struct{}
	topics   map[topicKey]*Topic
	admitted admissions
}

// New returns a server whose topics come from src. opts may be nil.
func New(src Source, opts *Options) *Server {
	v := &Server{src: src, sessions: map[*Session]struct{}{}, topics: map[topicKey]*Topic{}}
	if opts != nil {
		v.opts = *opts
	}
	o := &v.opts
	if o.AckDelay == 0 {
		o.AckDelay = DefaultAckDelay
	}
	if o.QueueBytes <= 0 {
		o.QueueBytes = DefaultQueueBytes
	}
	if o.MaxMessage <= 0 {
		o.MaxMessage = DefaultMaxMessage
	}
	if o.IdleTimeout <= 0 {
		o.IdleTimeout = wire.IdleTimeout
	}
	if o.CloseWait <= 0 {
		o.CloseWait = DefaultCloseWait
	}
	if o.ConnID == nil {
		o.ConnID = randomID
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	v.frames.New = func() any { return new(batch) }
	return v
}

// randomID is a random UUID, as the public channels show them.
func randomID(wire.Channel) string {
	var b [16]byte
	rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	s := hex.EncodeToString(b[:])
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}

// Serve upgrades the request to a WebSocket on the channel and returns; the session goes on by itself, so that the
// HTTP server's goroutine and buffers are free. A request that is no handshake is answered with the HTTP error it
// deserves, with 503 after Close, and beyond Options.Limits as Limits says.
func (v *Server) Serve(w http.ResponseWriter, r *http.Request, ch wire.Channel) {
	v.mu.Lock()
	closed := v.closed
	v.mu.Unlock()
	if closed {
		http.Error(w, "closing", http.StatusServiceUnavailable)
		return
	}
	remote := AddressOf(r.RemoteAddr)
	counts := isHandshake(r)
	if counts {
		if refusal := v.admit(remote, ch); refusal != "" {
			// Choice: the venue says 403 of too many requests of an address, and nothing of connections.
			http.Error(w, refusal, http.StatusForbidden)
			return
		}
	}
	conn, rw, _, err := ws.UpgradeHTTP(r, w)
	if err != nil || !counts {
		if conn != nil {
			conn.Close()
		}
		if counts {
			v.release(remote, ch)
		}
		return
	}
	if c, ok := conn.(interface{ SetWriteBuffer(bytes int) error }); ok && v.opts.SocketBytes > 0 {
		// A connection that is over already says so when it is written to.
		_ = c.SetWriteBuffer(v.opts.SocketBytes)
	}
	// A client may send before it has read the handshake's end; the HTTP server's reader has those bytes.
	early, _ := rw.Reader.Peek(rw.Reader.Buffered())
	s := newSession(v, conn, ch, early)
	s.remote = remote
	v.mu.Lock()
	if v.closed {
		v.mu.Unlock()
		v.release(remote, ch)
		conn.Close()
		return
	}
	v.sessions[s] = struct{}{}
	v.mu.Unlock()
	go s.run()
}

// Sessions is the number of open connections.
func (v *Server) Sessions() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.sessions)
}

// Published is how many frames, and bytes of payload, Publish has offered to sessions: a frame counts once for each
// subscriber.
func (v *Server) Published() (frames, size int64) { return v.published.Load(), v.publishedBytes.Load() }

// CloseSessions closes every session that is open now, after its queue was written, and waits for their ends. When
// ctx ends first, the rest is cut off and ctx's error returned. New connections are still accepted.
func (v *Server) CloseSessions(ctx context.Context, code ws.StatusCode, reason string) error {
	v.mu.Lock()
	open := make([]*Session, 0, len(v.sessions))
	for s := range v.sessions {
		open = append(open, s)
	}
	v.mu.Unlock()
	for _, s := range open {
		s.shut(code, reason, keepQueue)
	}
	for _, s := range open {
		select {
		case <-s.ended:
		case <-ctx.Done():
			for _, s := range open {
				s.conn.Close()
			}
			return ctx.Err()
		}
	}
	return nil
}

// Close refuses new connections and does what CloseSessions does.
func (v *Server) Close(ctx context.Context, code ws.StatusCode, reason string) error {
	v.mu.Lock()
	v.closed = true
	v.mu.Unlock()
	return v.CloseSessions(ctx, code, reason)
}
