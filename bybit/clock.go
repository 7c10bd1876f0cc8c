package bybit

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/bywire/bywire/internal/wire"
)

const (
	// timeSamples is how often the exchange's clock is asked for one measurement.
	timeSamples = 5

	// syncBound bounds a measurement, startWait how long calls wait for the first one: then
	// this machine's clock has to do.
	syncBound = 5 * time.Second
	startWait = time.Second

	// syncPause is the least time between two measurements because of a timestamp that was
	// refused, signDoubts because of a signature: the clock is seldom the reason for the
	// latter, the secret often.
	syncPause  = time.Second
	signDoubts = 30 * time.Second

	// maxRoundTrip bounds a sample, which may be wrong by half of it: the exchange takes no
	// timestamp that is ahead by a second. V5 page: guide.
	maxRoundTrip = 2 * time.Second

	timePath = "/v5/market/time"
)

// ClockSync is a measurement of the exchange's clock.
type ClockSync struct {
	Offset    time.Duration // the exchange's clock minus this machine's
	RoundTrip time.Duration // of the samples that counted, the median
	Samples   int           // that counted
	Measured  time.Time     // by this machine's clock; zero: not yet
}

// clock knows the exchange's time.
type clock struct {
	measure func(context.Context) (ClockSync, error)
	begin   func(context.Context) (bounded context.Context, end func(), err error) // see rest.begin

	mu      sync.Mutex    // guards what follows
	run     chan struct{} // closed when the measurement that is under way has ended; nil if none is
	begun   time.Time     // when that was
	last    ClockSync     // that succeeded
	version int           // grows with every measurement, whether or not it succeeds
	ended   time.Time     // when the last one did
	err     error         // of it
	doubted time.Time     // when a refused signature last led to one
}

// now returns the exchange's time as far as it is known, and the version that this is from.
func (c *clock) now() (time.Time, int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.last.Offset), c.version
}

// state returns the last measurement that succeeded.
func (c *clock) state() ClockSync {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last
}

// sync has the clock measured, unless somebody else has since the version, waits for that, and
// returns the error of the last measurement. After a failure the result of the one before stands.
// A measurement is the client's: it goes on when ctx has ended, for the calls to come.
func (c *clock) sync(ctx context.Context, version int) error {
	c.mu.Lock()
	if c.version != version {
		defer c.mu.Unlock()
		return c.err
	}
	if c.run == nil {
		life, end, err := c.begin(context.Background())
		if err != nil {
			c.mu.Unlock()
			return err
		}
		c.run, c.begun = make(chan struct{}), time.Now()
		go func() {
			defer end()
			c.once(life)
		}()
	}
	run := c.run
	c.mu.Unlock()
	select {
	case <-run:
		return c.lastError()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// once measures.
func (c *clock) once(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, syncBound)
	defer cancel()
	m, err := c.measure(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		c.last = m
	}
	c.version++
	c.ended, c.err = time.Now(), err
	close(c.run)
	c.run = nil
}

func (c *clock) lastError() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// start measures for the first signed call, and waits for it: for startWait from its begin, and
// for half of the time until ctx ends or the call has to leave (zero: whenever), at most. If it
// fails, or takes longer, this machine's clock has to do, until the exchange says that it does
// not.
func (c *clock) start(ctx context.Context, until time.Time) {
	c.mu.Lock()
	version, wait := c.version, startWait
	if c.run != nil {
		wait -= time.Since(c.begun)
	}
	c.mu.Unlock()
	if version != 0 {
		return
	}
	if end, ok := ctx.Deadline(); ok {
		wait = min(wait, time.Until(end)/2)
	}
	if !until.IsZero() {
		wait = min(wait, time.Until(until)/2)
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	_ = c.sync(ctx, 0) // who measures anew will see the error
}

// resync measures anew if a request was refused because of its timestamp or its signature,
// unless that was done a moment ago, and reports whether another signature is worth a try.
// version is what the refused one was signed with.
func (c *clock) resync(ctx context.Context, refused *Error, version int) bool {
	switch refused.Code {
	case codeTimestamp:
	case codeSignature:
		if !c.doubt() {
			return false
		}
	default:
		return false
	}
	c.mu.Lock()
	fresh, err := c.version == version && time.Since(c.ended) < syncPause, c.err
	c.mu.Unlock()
	if !fresh {
		err = c.sync(ctx, version)
	}
	return err == nil
}

// doubt reports whether a refused signature may lead to a measurement, and counts it.
func (c *clock) doubt() bool {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.doubted.IsZero() && now.Sub(c.doubted) < signDoubts {
		return false
	}
	c.doubted = now
	return true
}

// Refusals that have to do with the clock. V5 page: error.
const (
	codeTimestamp = 10002 // outside the window
	codeSignature = 10004
)

// timeSample is one reading of the exchange's clock.
type timeSample struct {
	offset, roundTrip time.Duration
}

// measureClock asks for the exchange's time several times, one after the other. The reply is
// taken to be from half way through the round trip. The slowest sample is discarded, since what
// delayed it hardly delayed both ways; of the others the median counts. Its requests go before
// all others, since a cancel may wait for them.
func (r *rest) measureClock(ctx context.Context) (ClockSync, error) {
	var samples []timeSample
	var failed error
	for range timeSamples {
		s, err := r.sampleClock(ctx)
		if err == nil {
			samples = append(samples, s)
			continue
		}
		if failed == nil || ctx.Err() == nil { // else that time is up says less
			failed = err
		}
		if _, limited := errors.AsType[*LimitError](err); limited || ctx.Err() != nil {
			break
		}
	}
	if len(samples) == 0 {
		return ClockSync{}, fmt.Errorf("measure the clock: %w", failed)
	}
	m := medianOffset(samples)
	m.Measured = time.Now()
	if f := r.opts.Trace.ClockMeasured; f != nil {
		f(m)
	}
	return m, nil
}

func (r *rest) sampleClock(ctx context.Context) (timeSample, error) {
	e := endpointOf(http.MethodGet, timePath)
	a, err := r.attempt(ctx, &request{endpoint: e, urgent: true}, false, time.Time{}, 1)
	if err == nil {
		err = a.err
	}
	if err != nil {
		return timeSample{}, named(e, err)
	}
	roundTrip := time.Since(a.at)
	if roundTrip > maxRoundTrip {
		return timeSample{}, named(e, fmt.Errorf("the reply took %s, which is too long for a measurement", roundTrip.Round(time.Millisecond)))
	}
	at, err := serverTime(a.reply)
	if err != nil {
		return timeSample{}, named(e, err)
	}
	return timeSample{offset: at.Sub(a.at.Add(roundTrip / 2)), roundTrip: roundTrip}, nil
}

// serverTime reads a reply of GET /v5/market/time: nanoseconds in its result, or else the
// milliseconds of the envelope.
func serverTime(r *reply) (time.Time, error) {
	if len(r.result) > 0 {
		c := wire.NewCursor(r.result)
		var o wire.Object
		for c.NextKey(&o) {
			if string(o.Key) != "timeNano" {
				c.Skip(&o)
				continue
			}
			if n, ok := c.Integer(); ok && n > 0 {
				return time.Unix(0, n).UTC(), nil
			}
		}
	}
	if r.time.IsZero() {
		return time.Time{}, errors.New("no time in the reply")
	}
	return r.time, nil
}

// medianOffset makes a measurement of samples, of which there is one at least.
func medianOffset(samples []timeSample) ClockSync {
	slices.SortFunc(samples, func(a, b timeSample) int { return int(a.roundTrip - b.roundTrip) })
	if len(samples) > 2 {
		samples = samples[:len(samples)-1]
	}
	m := ClockSync{Samples: len(samples), RoundTrip: samples[len(samples)/2].roundTrip}
	offsets := make([]time.Duration, len(samples))
	for i, s := range samples {
		offsets[i] = s.offset
	}
	slices.Sort(offsets)
	mid := len(offsets) / 2
	if m.Offset = offsets[mid]; len(offsets)%2 == 0 {
		m.Offset = offsets[mid-1] + (offsets[mid]-offsets[mid-1])/2
	}
	return m
}

// SyncTime measures the difference between the exchange's clock and this machine's, and
// signs with it from then on: the median of several samples of GET
// /v5/market/time, without the slowest. The first signed call does it by itself and waits for
// it, a second at most; call SyncTime before, so that it does not. It is done again when the
// exchange refuses a timestamp. It takes 5 s at most; after an error the last measurement stands. V5
// page: [market/time].
//
// [market/time]: https://bybit-exchange.github.io/docs/v5/market/time
func (c *Client) SyncTime(ctx context.Context) (*ClockSync, error) {
	if _, err := c.opts.Environment.URL(AbilityREST); err != nil {
		return nil, fmt.Errorf("sync time: %w", err)
	}
	ctx, end, err := c.rest.begin(ctx)
	if err != nil {
		return nil, fmt.Errorf("sync time: %w", err)
	}
	defer end()
	_, version := c.rest.clock.now()
	if err := c.rest.clock.sync(ctx, version); err != nil {
		return nil, fmt.Errorf("sync time: %w", err)
	}
	m := c.rest.clock.state()
	return &m, nil
}

// Clock returns the last measurement of the exchange's clock; the zero ClockSync if there is none.
func (c *Client) Clock() ClockSync { return c.rest.clock.state() }
