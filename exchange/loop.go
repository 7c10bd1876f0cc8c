package exchange

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"github.com/bywire/bywire/exchange/internal/core"
	"github.com/bywire/bywire/internal/wsserver"
)

// stalled is how long a client that takes nothing, or does not say that it has dealt with what it took, can hold up a clock
// that waits for it. A Max clock, which has all the time there is, is more patient with one that takes nothing: over TCP a slow
// reader is seen to read in lumps, which are seconds apart.
const (
	stalled      = time.Second
	stalledOnMax = 10 * time.Second
)

// behindBy is how far a clock bound to the wall clock may lag, on the wall clock, before it gives up the lost time: it
// then runs as fast as the machine can. A Live clock never does, for it has to show the time.
const behindBy = time.Second

// run is the loop: it alone touches the core, and publishes. Requests take effect between two steps.
func (x *Exchange) run() {
	defer close(x.done)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for x.ctx.Err() == nil {
		wait := x.step()
		if wait == 0 {
			x.serveWaiting()
			continue
		}
		var due <-chan time.Time
		if wait > 0 {
			timer.Reset(wait)
			due = timer.C
		}
		select {
		case request := <-x.requests:
			request()
			x.serveWaiting()
		case <-due:
		case <-x.settled: // nil unless a Max clock waits for its clients
			x.settled = nil
		case <-x.ctx.Done():
		}
	}
	x.shut()
}

// serveWaiting runs the requests that wait already, but not for ever: who asks again and again must not stop the time.
func (x *Exchange) serveWaiting() {
	for range 256 {
		select {
		case request := <-x.requests:
			request()
		default:
			return
		}
	}
}

// step moves the time as far as the clock says, a stride at most. It returns how long nothing will be due: 0 is not at
// all, less than 0 until something else happens.
func (x *Exchange) step() time.Duration {
	if !x.clock.runs() {
		return -1
	}
	if x.clock.mode == Max {
		return x.stepMax()
	}
	target := x.clock.target()
	if next := x.next(); next > target {
		return x.clock.until(next)
	}
	x.advance(min(target, x.stride()))
	if lag := x.clock.target() - x.core.Now(); x.clock.mode == Scaled && float64(lag) > x.clock.speed*float64(behindBy) {
		x.clock.start(x.core.Now())
	}
	return 0
}

// stepMax moves the time of a Max clock by a quantum, unless its clients are to be waited for.
func (x *Exchange) stepMax() time.Duration {
	if x.settled != nil {
		return -1
	}
	attend := x.forward(math.MaxInt64) && x.attentive()
	if attend || x.behind() {
		settled := make(chan struct{})
		x.settled = settled
		go func() {
			defer close(settled)
			x.settle(x.ctx, attend, stalledOnMax)
		}()
	}
	return 0
}

// stride is how far the time moves between two looks at what else there is to do, and at how far clients are behind: it is no
// more than what their queues hold, however long a quantum is.
func (x *Exchange) stride() int64 { return max(x.core.Now()+int64(DefaultQuantum), x.next()) }

// forward moves the time towards an instant by a stride, and not beyond the end of the quantum. It reports whether a
// quantum has ended in which a client got something.
func (x *Exchange) forward(to int64) (ended bool) {
	now := x.core.Now()
	if x.ends <= now {
		x.ends, x.output = x.quantum(), false
	}
	if x.advance(min(to, x.ends, x.stride())) {
		x.output = true
	}
	if now = x.core.Now(); now >= to {
		x.ends = now
	}
	return x.output && now >= x.ends
}

// behind reports whether a client that the time waits for has so much before it that it is to be given time.
func (x *Exchange) behind() bool { return x.ws.Behind(x.cfg.QueueBytes / 2) }

// quantum is where the next quantum ends. When nothing is due within one, it is where something is.
func (x *Exchange) quantum() int64 { return max(x.core.Now()+x.pace.quantum.Load(), x.next()) }

// next is when something is due next, in the market or with a fault.
func (x *Exchange) next() int64 { return min(x.core.Next(), x.faults.next()) }

// advance moves the core, and reports whether a client got something.
func (x *Exchange) advance(to int64) (published bool) {
	before, _ := x.ws.Published()
	for due := x.faults.next(); due <= to; due = x.faults.next() {
		x.core.Advance(due)
		x.faults.release(x.ctx, x.core.Now())
	}
	x.core.Advance(to)
	x.now.Store(x.core.Now())
	x.rates.note(x.core.Now(), x.count)
	after, _ := x.ws.Published()
	return after != before
}

// catchUp brings the core to the time that the clock shows, before a request is answered. A clock that lags far behind
// gets there in its own steps.
func (x *Exchange) catchUp() {
	if !x.clock.runs() || x.clock.mode == Max {
		return
	}
	if target := x.clock.target(); target > x.core.Now() && target-x.core.Now() <= int64(DefaultQuantum) {
		x.advance(target)
	}
}

// attentive reports whether some client wants to be waited for.
func (x *Exchange) attentive() bool { return x.pace.silence.Load() > 0 || x.steady.Load() }

// Late is a connection that the time did not wait for any longer.
type Late struct {
	Connection string // its conn_id
	Remote     string // its address
	Why        LateReason
}

// String names the connection and says why.
func (l Late) String() string { return fmt.Sprintf("%s %s: %s", l.Connection, l.Remote, l.Why) }

// LateReason is why a connection is Late.
type LateReason string

// The reasons.
const (
	NotRead   LateReason = "did not read"            // it took nothing for a second
	NotIdle   LateReason = "did not say bywire.idle" // for a second since it last took something or said so
	NotSilent LateReason = "was not silent"          // with Config.Silence: it went on sending
)

// settle waits until the clients have room for more and, with attend, until those that are waited for have dealt with what
// they got. A client that holds this up for too long is returned, and not waited for again until it gives a sign of what
// was missing. It runs on its caller's goroutine.
func (x *Exchange) settle(ctx context.Context, attend bool, patience time.Duration) []Late {
	late := x.sent(ctx, x.cfg.QueueBytes/4, patience)
	if attend {
		why, silence := NotIdle, time.Duration(x.pace.silence.Load())
		if silence > 0 {
			why = NotSilent
		}
		late = append(late, lateBy(why, x.ws.WaitIdle(ctx, silence, silence+stalled))...)
	}
	return late
}

// sent waits until all but so many bytes of what is queued is with the clients, of which each has so long to take something.
func (x *Exchange) sent(ctx context.Context, size int, patience time.Duration) []Late {
	return lateBy(NotRead, x.ws.WaitSent(ctx, size, patience))
}

func lateBy(why LateReason, sessions []*wsserver.Session) []Late {
	late := make([]Late, 0, len(sessions))
	for _, s := range sessions {
		late = append(late, Late{s.ID(), s.Remote(), why})
	}
	return late
}

// ErrInterrupted is in the error of an Advance that Pause, Restore or Reset has ended.
var ErrInterrupted = errors.New("interrupted")

// turn is the time between two interruptions. Its end ends every Advance that has begun in it.
type turn struct {
	ctx context.Context
	end context.CancelCauseFunc
}

func newTurn() *turn {
	t := &turn{}
	t.ctx, t.end = context.WithCancelCause(context.Background())
	return t
}

// interrupt ends the advances that are under way, and those that wait for their turn. It runs on the loop.
func (x *Exchange) interrupt(by string) {
	x.turn.Swap(newTurn()).end(fmt.Errorf("exchange: advance: %w by %s; it is %s", ErrInterrupted, by,
		time.Unix(0, x.core.Now()).UTC().Format(time.RFC3339Nano)))
}

// Advance moves the time of the exchange by d, a quantum at a time, and returns when everything that was due on the way
// was handed to the sockets of the clients. A client that reads slowly sets the pace; one that takes nothing for a second
// is not waited for any more, and named in late, and so is one that has said bywire.idle before and does not say it again.
// On a clock that runs by itself the time is ahead by d from then on. ctx bounds the wait; when it ends first, the time stays
// where it has come to, and so it does when Pause, Restore or Reset end the advance: see ErrInterrupted. Of several calls
// one moves the time after the other.
func (x *Exchange) Advance(ctx context.Context, d time.Duration) (late []Late, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	turn := x.turn.Load()
	defer context.AfterFunc(turn.ctx, func() { cancel(context.Cause(turn.ctx)) })()
	select {
	case x.moving <- struct{}{}:
		defer func() { <-x.moving }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-x.done:
		return nil, ErrClosed
	}
	var target int64
	if err := x.do(ctx, func(c *core.Core) {
		target = c.Now() + int64(max(d, 0))
		x.clock.hold(c.Now())
	}); err != nil {
		return nil, because(ctx, err)
	}
	defer func() {
		// Whatever became of ctx, the clock goes on from where the time is.
		_ = x.do(x.ctx, func(c *core.Core) { x.clock.release(c.Now()) })
	}()
	named := map[Late]bool{}
	note := func(more []Late) {
		for _, l := range more {
			if !named[l] {
				named[l] = true
				late = append(late, l)
			}
		}
	}
	for there := false; !there; {
		var ended, behind bool
		if err := x.do(ctx, func(c *core.Core) {
			// Quanta without output need nobody to be asked, but others have requests too.
			for n := 0; n < 64 && !ended && !behind && !there && turn.ctx.Err() == nil; n++ {
				ended = x.forward(target)
				behind = x.output && x.behind()
				there = c.Now() >= target
			}
		}); err != nil {
			return late, because(ctx, err)
		}
		if attend := ended && x.attentive(); attend || behind {
			note(x.settle(ctx, attend, stalled))
		}
	}
	note(x.sent(ctx, 0, stalled))
	return late, because(ctx, ctx.Err())
}

// because is what an error that comes of the end of ctx comes of.
func because(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// SetClock changes what makes time pass; the time itself goes on from where it is. speed counts on a Scaled clock. A clock
// that is paused stays so.
func (x *Exchange) SetClock(ctx context.Context, mode Mode, speed float64) error {
	probe := x.cfg
	probe.Clock, probe.Speed = mode, speed
	if mode != Scaled {
		probe.Speed = 1
	}
	if _, err := probe.withDefaults(); err != nil {
		return err
	}
	return x.do(ctx, func(c *core.Core) {
		if x.clock.mode == mode && x.clock.speed == probe.Speed {
			return // what it has to make up for is not forgotten
		}
		x.clock.mode, x.clock.speed = mode, probe.Speed
		x.clock.start(c.Now())
	})
}

// Pause stops a clock that runs by itself, and lets it go on. A pause also ends an Advance that is under way.
func (x *Exchange) Pause(ctx context.Context, paused bool) error {
	return x.do(ctx, func(c *core.Core) {
		if paused {
			x.interrupt("pause")
		}
		if x.clock.paused != paused {
			x.clock.paused = paused
			x.clock.start(c.Now())
		}
	})
}

// pace is how a Step and a Max clock wait for clients: Config.Quantum and Config.Silence, in nanoseconds.
type pace struct{ quantum, silence atomic.Int64 }

// SetPace changes Config.Quantum, with 0 to its default, and Config.Silence. An advance that is under way goes on with it.
func (x *Exchange) SetPace(ctx context.Context, quantum, silence time.Duration) error {
	probe := x.cfg
	probe.Quantum, probe.Silence = quantum, silence
	probe, err := probe.withDefaults()
	if err != nil {
		return err
	}
	return x.do(ctx, func(*core.Core) {
		x.pace.quantum.Store(int64(probe.Quantum))
		x.pace.silence.Store(int64(probe.Silence))
	})
}

// shut ends the connections. A session that waits for an answer could not end, so requests are answered meanwhile.
func (x *Exchange) shut() {
	ctx, cancel := context.WithTimeout(context.Background(), closeWait)
	defer cancel()
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		// A client that does not take what is left is cut off.
		_ = x.ws.Close(ctx, wsserver.CloseGoingAway, "exchange stopped")
	}()
	for {
		select {
		case request := <-x.requests:
			request()
		case <-closed:
			if x.settled != nil {
				<-x.settled
			}
			return
		}
	}
}
