package capture

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/bywire/bywire/internal/wire"
	"github.com/bywire/bywire/internal/wsserver"
)

// EndOfCapture is the reason with which a replay closes its connections, code
// 1000, when the capture is over.
const EndOfCapture = "end of capture"

// knownRecords is how many records a replay looks at to learn which topics a
// capture has, before it serves: a fraction of a second. A longer capture may
// have more topics, so then none is refused for not having been seen.
const knownRecords = 300_000

// replayQueue bounds what waits for one subscriber, in bytes. At recorded speed
// a subscriber that is further behind is cut; at Max it sets the pace.
const replayQueue = 4 << 20

// ReplayOptions says what of a capture is served, and how fast. The zero value
// serves all of it at the recorded pace.
type ReplayOptions struct {
	// Speed is how many times faster than recorded. Silence is served as well.
	// Default 1.
	Speed float64
	// Max serves as fast as the slowest subscriber takes it. Default false.
	Max bool
	// Loop begins again at the end, for ever. With Max it then waits for a
	// subscription if nobody is subscribed. Default false.
	Loop bool
	// From and To bound what is served: it begins with the first record
	// received at From or later, and ends before the first one after it that was
	// received at To or later, so that a clock that stepped back makes no
	// hole. What a book was at From is rebuilt from what came before. Default:
	// all.
	From, To time.Time
	// StartNow starts the clock at once. Default: at the first subscription.
	StartNow bool
	// AckDelay holds acknowledgements, as the venue's own latency does; some
	// clients are not ready for a faster one. Negative: none. Default: 3 ms.
	AckDelay time.Duration
}

// Replay serves a capture in the V5 protocol: an http.Handler with the paths
// /v5/public/{channel} of the channels that were recorded.
//
// Frames go out byte for byte as they were recorded, in their order, to whoever
// subscribes to their topic. All topics of one subscribe request begin at the
// same point of the recording. Whoever comes late to an order book or a ticker
// first gets a snapshot that the replay rebuilt, and then what follows, so that
// `u` goes on without a gap. At the end every connection is closed with code
// 1000 and the reason EndOfCapture.
//
// A topic that was recorded on two connections at once goes out as both had it,
// except that the repeats of an order book's deltas are left out.
//
// What a replay does not serve: private and trade channels, REST (so
// orderbook.full has deltas but no snapshot), and the recorded connection's own
// disconnects. Damaged parts of a capture are passed over; books then show a
// gap in `u`, which is the truth.
type Replay struct {
	opts     ReplayOptions
	reader   *Reader
	server   *wsserver.Server
	channels []wire.Channel
	known    map[topicKey]bool // topics seen when the capture was looked over; never changed after
	complete bool              // known has all of them

	published atomic.Int64 // frames, counted by the publishing goroutine

	player   *player         // owned by the publishing goroutine
	requests chan func()     // run by the publishing goroutine, between two frames
	ctx      context.Context // ends the publishing goroutine
	cancel   context.CancelFunc
	done     chan struct{} // closed when the publishing goroutine has ended
	err      error         // why, if not by the capture's end or Close; set before done is closed
}

// NewReplay looks the capture over and begins to serve it. The error is that of
// reading, or says that there is nothing to serve.
func NewReplay(r *Reader, opts *ReplayOptions) (*Replay, error) {
	p := &Replay{reader: r, known: make(map[topicKey]bool), requests: make(chan func()), done: make(chan struct{})}
	if opts != nil {
		p.opts = *opts
	}
	if !(p.opts.Speed >= 0) || math.IsInf(p.opts.Speed, 1) {
		return nil, fmt.Errorf("capture: replay: speed %v is no number above zero", p.opts.Speed)
	}
	if p.opts.Speed == 0 {
		p.opts.Speed = 1
	}
	if err := p.look(); err != nil {
		return nil, err
	}
	slow := wsserver.Cut
	if p.opts.Max {
		slow = wsserver.Pause
	}
	p.server = wsserver.New(p, &wsserver.Options{AckDelay: p.opts.AckDelay, QueueBytes: replayQueue, Slow: slow})
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.player = &player{Replay: p, started: p.opts.StartNow, timer: time.NewTimer(0)}
	go p.run()
	return p, nil
}

// look learns channels and topics from the first records that will be served.
func (p *Replay) look() error {
	p.complete = true
	looked := 0
	for rec, err := range p.reader.Records(p.opts.From, time.Time{}) {
		if AsDamage(err) != nil {
			continue
		}
		if err != nil {
			return err
		}
		if p.over(&rec) {
			break
		}
		if looked++; looked > knownRecords && len(p.channels) > 0 {
			p.complete = false
			break
		}
		channel, name, ok := served(&rec)
		if !ok {
			continue
		}
		if !slices.Contains(p.channels, channel) {
			p.channels = append(p.channels, channel)
		}
		p.known[topicKey{string(channel), string(name)}] = true
	}
	if len(p.channels) == 0 {
		return errors.New("capture: replay: no public message in the capture between the given times")
	}
	return nil
}

// over reports whether a record is behind the end of what is served.
func (p *Replay) over(rec *Record) bool {
	return !p.opts.To.IsZero() && !rec.Received.Before(p.opts.To)
}

// served returns the channel and topic of a record that a replay serves.
func served(rec *Record) (channel wire.Channel, name []byte, ok bool) {
	channel = wire.Channel(rec.Channel)
	if channel.IsCustom() {
		channel, _ = wire.ChannelOfPath(rec.Channel) // the path of a channel that has a name
	}
	if rec.Kind != Frame || rec.Direction == Out || channel.Path() == "" || !channel.IsPublic() || wire.IsControl(rec.Data) {
		return "", nil, false
	}
	name, ok = wire.FrameTopic(rec.Data)
	return channel, name, ok
}

// Topics returns the topics of the capture as "channel topic", sorted, and
// whether they are all: a long capture is looked over in part.
func (p *Replay) Topics() (topics []string, complete bool) {
	for key := range p.known {
		topics = append(topics, key.channel+" "+key.topic)
	}
	slices.Sort(topics)
	return topics, p.complete
}

// Channels returns the channels that are served.
func (p *Replay) Channels() []string {
	channels := make([]string, len(p.channels))
	for i, c := range p.channels {
		channels[i] = string(c)
	}
	return channels
}

// ServeHTTP upgrades requests on the recorded channels' paths. Other paths get
// 404 with the paths that there are.
func (p *Replay) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	channel, _ := wire.ChannelOfPath(r.URL.Path)
	if !slices.Contains(p.channels, channel) {
		paths := make([]string, len(p.channels))
		for i, c := range p.channels {
			paths[i] = c.Path()
		}
		http.Error(w, "no "+r.URL.Path+" in this capture; it has "+strings.Join(paths, ", "), http.StatusNotFound)
		return
	}
	p.server.Serve(w, r, channel)
}

// ReplayStats is what a replay has done so far.
type ReplayStats struct {
	Sessions  int   // connections that are open
	Published int64 // recorded frames whose turn came, subscribed or not
	Sent      int64 // frames queued for subscribers: a frame counts once for each
	SentBytes int64 // of these, without WebSocket headers
}

// Stats returns what the replay has done so far.
func (p *Replay) Stats() ReplayStats {
	frames, size := p.server.Published()
	return ReplayStats{Sessions: p.server.Sessions(), Published: p.published.Load(), Sent: frames, SentBytes: size}
}

// Done is closed when the replay has ended and every connection is closed: at
// the capture's end without Loop, after Close, or after a reading error.
func (p *Replay) Done() <-chan struct{} { return p.done }

// Err returns why the replay ended early, after Done: an error of reading. It
// is nil at the capture's end and after Close.
func (p *Replay) Err() error {
	select {
	case <-p.done:
		return p.err
	default:
		return nil
	}
}

// Close ends the replay and its connections, code 1001. It returns Err.
func (p *Replay) Close() error {
	p.cancel()
	<-p.done
	return p.err
}

// run is the publishing goroutine: it alone decides about subscriptions and
// publishes, so a request takes effect between two frames.
func (p *Replay) run() {
	defer close(p.done)
	defer p.cancel()
	err := p.player.pass()
	for err == nil && p.opts.Loop {
		if err = p.player.rewind(); err == nil {
			err = p.player.pass()
		}
	}
	code, reason := wsserver.CloseNormal, EndOfCapture
	if err != nil {
		code, reason = wsserver.CloseGoingAway, "replay stopped"
		if p.ctx.Err() == nil {
			p.err = err
		}
	}
	// At full speed the slowest subscriber sets the pace to the end; else there
	// is a bound to waiting for one.
	ctx, cancel := context.WithTimeout(context.Background(), wsserver.DefaultCloseWait)
	defer cancel()
	if p.opts.Max && err == nil {
		ctx = p.ctx
	}
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		// A client that does not take what is left is cut off; nobody is left
		// who would want to know.
		_ = p.server.Close(ctx, code, reason)
	}()
	// A session that waits for an answer could not end.
	for {
		select {
		case request := <-p.requests:
			request()
		case <-closed:
			return
		}
	}
}
