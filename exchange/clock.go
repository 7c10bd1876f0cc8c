package exchange

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Mode is what makes the exchange's time pass.
type Mode uint8

// The modes. All but Live start at 2026-01-01T00:00:00Z unless Config.Start says otherwise.
const (
	Live   Mode = iota // with the wall clock, which it shows
	Scaled             // with the wall clock, Config.Speed times as fast
	Step               // only by Advance
	Max                // as fast as the machine and the slowest subscriber allow
)

// String returns the mode's word; ParseClock reads it.
func (m Mode) String() string {
	switch m {
	case Live:
		return "live"
	case Scaled:
		return "scaled"
	case Step:
		return "step"
	case Max:
		return "max"
	}
	return "mode " + strconv.Itoa(int(m))
}

// The bounds of Config.Speed.
const (
	MinSpeed = 0.001
	MaxSpeed = 1e6
)

// ParseClock reads what people write for a clock: live, step, max, or how many times as fast as the wall clock, as x10.
func ParseClock(s string) (Mode, float64, error) {
	switch s {
	case "live":
		return Live, 0, nil
	case "step":
		return Step, 0, nil
	case "max":
		return Max, 0, nil
	}
	if number, ok := strings.CutPrefix(s, "x"); ok {
		if speed, err := strconv.ParseFloat(number, 64); err == nil && speed >= MinSpeed && speed <= MaxSpeed {
			return Scaled, speed, nil
		}
	}
	return 0, 0, fmt.Errorf("exchange: clock %.20q: one of live, step, max, or a speed such as x10 (x0.001 to x1000000)", s)
}

// defaultStart is when the exchange's time begins when it is not the wall clock's.
var defaultStart = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// clock says what the exchange's time should be now. It belongs to the loop.
type clock struct {
	mode   Mode
	speed  float64
	paused bool
	held   int // how many calls of Advance move the time themselves

	// A moment at which both times are known.
	wall    time.Time
	virtual int64

	from int64 // while it is held: the time from which it was moved
}

// start sets the clock going at a virtual time.
func (c *clock) start(virtual int64) { c.wall, c.virtual, c.from = time.Now(), virtual, virtual }

// hold lets the caller move the time, which is now, until release.
func (c *clock) hold(now int64) {
	c.held++
	c.from = now
}

// release lets the clock go on: what it shows is ahead by as far as the time was moved.
func (c *clock) release(now int64) {
	c.held--
	c.virtual += now - c.from
	c.from = now
}

// runs reports whether time passes by itself.
func (c *clock) runs() bool { return !c.paused && c.held == 0 && c.mode != Step }

// target is the time that a clock bound to the wall clock shows.
func (c *clock) target() int64 {
	passed := time.Since(c.wall)
	switch c.mode {
	case Live:
		// Without the monotonic part: a machine that slept has a later time of day, and no time has passed.
		passed = time.Now().Round(0).Sub(c.wall.Round(0))
	case Scaled:
		scaled := float64(passed) * c.speed
		if scaled > math.MaxInt64/2 {
			scaled = math.MaxInt64 / 2
		}
		passed = time.Duration(scaled)
	}
	return c.virtual + int64(passed)
}

// until is how long the wall clock needs to get to a virtual time, at least a moment.
func (c *clock) until(virtual int64) time.Duration {
	left := float64(virtual - c.target())
	if c.mode == Scaled {
		left /= c.speed
	}
	const longest = float64(time.Hour)
	return time.Duration(min(max(left, 1), longest))
}
