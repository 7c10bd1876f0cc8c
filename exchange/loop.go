package exchange

import (
	"context"
	"time"

	"github.com/bywire/bywire/exchange/internal/core"
	"github.com/bywire/bywire/internal/wsserver"
)

// stalled is how long a client that takes nothing can hold up a clock that waits for it.
const stalled = time.Second

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

// step moves the time as far as the clock says, a quantum at most. It returns how long nothing will be due: 0 is not at
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
	x.advance(min(target, x.quantum()))
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
	published := x.advance(x.quantum())
	if published && x.attentive() || x.ws.Behind(x.cfg.QueueBytes/2) {
		settled := make(chan struct{})
		x.settled = settled
		go func() {
			defer close(settled)
			x.settle(x.ctx)
		}()
	}
	return 0
}

// quantum is where the next quantum ends. When nothing is due within one, it is where something is.
func (x *Exchange) quantum() int64 { return max(x.core.Now()+int64(x.cfg.Quantum), x.next()) }

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
	if target := x.clock.target(); target > x.core.Now() && target-x.core.Now() <= int64(x.cfg.Quantum) {
		x.advance(target)
	}
}

// attentive reports whether some client wants to be waited for.
func (x *Exchange) attentive() bool { return x.cfg.Silence > 0 || x.steady.Load() }

// settle waits until the clients have room for more, and those that are waited for have dealt with what they got. A client
// that holds this up for too long is returned, and not waited for again until it has caught up. It runs on its caller's
// goroutine.
func (x *Exchange) settle(ctx context.Context) []*wsserver.Session {
	late := x.wait(ctx, func(ctx context.Context) []*wsserver.Session { return x.ws.WaitSent(ctx, x.cfg.QueueBytes/4) })
	if x.attentive() {
		late = append(late, x.wait(ctx, func(ctx context.Context) []*wsserver.Session {
			return x.ws.WaitIdle(ctx, x.cfg.Silence)
		})...)
	}
	return late
}

// wait bounds one wait for clients.
func (x *Exchange) wait(ctx context.Context, wait func(context.Context) []*wsserver.Session) []*wsserver.Session {
	bounded, cancel := context.WithTimeout(ctx, stalled)
	defer cancel()
	return wait(bounded)
}

// Advance moves the time of the exchange by d, a quantum at a time, and returns when everything that was due on the way
// was handed to the sockets of the clients. A client that holds this up for a second is not waited for any more, and
// named in late by its conn_id and address. On a clock that runs by itself the time is ahead by d from then on. ctx
// bounds the wait; when it ends first, the time stays where it has come to.
func (x *Exchange) Advance(ctx context.Context, d time.Duration) (late []string, err error) {
	select {
	case x.moving <- struct{}{}:
		defer func() { <-x.moving }()
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-x.done:
		return nil, ErrClosed
	}
	var target int64
	if err := x.do(ctx, func(c *core.Core) {
		target = c.Now() + int64(max(d, 0))
		x.clock.held++
	}); err != nil {
		return nil, err
	}
	defer func() {
		// Whatever became of ctx, the clock goes on from where the time is.
		_ = x.do(x.ctx, func(c *core.Core) {
			x.clock.held--
			x.clock.start(c.Now())
		})
	}()
	names := map[string]bool{}
	note := func(sessions []*wsserver.Session) {
		for _, s := range sessions {
			if name := s.ID() + " " + s.Remote(); !names[name] {
				names[name] = true
				late = append(late, name)
			}
		}
	}
	for there := false; !there; {
		var published bool
		if err := x.do(ctx, func(c *core.Core) {
			// Quanta without output need nobody to be asked, but others have requests too.
			for n := 0; n < 64 && !published && !there; n++ {
				published = x.advance(min(target, x.quantum()))
				there = c.Now() >= target
			}
		}); err != nil {
			return late, err
		}
		if published && (x.attentive() || x.ws.Behind(x.cfg.QueueBytes/2)) {
			note(x.settle(ctx))
		}
	}
	note(x.wait(ctx, func(ctx context.Context) []*wsserver.Session { return x.ws.WaitSent(ctx, 0) }))
	return late, ctx.Err()
}

// SetClock changes what makes time pass; the time itself goes on from where it is. speed counts on a Scaled clock.
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
		x.clock.mode, x.clock.speed = mode, probe.Speed
		x.clock.start(c.Now())
	})
}

// Pause stops a clock that runs by itself, and lets it go on.
func (x *Exchange) Pause(ctx context.Context, paused bool) error {
	return x.do(ctx, func(c *core.Core) {
		x.clock.paused = paused
		x.clock.start(c.Now())
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
