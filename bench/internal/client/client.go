// Package client holds the clients under test. Each one subscribes to every
// topic of the feed in the way its documentation shows and counts the
// messages that reach the user's code, decoded.
package client

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/bywire/bywire/bench/internal/feed"
)

// A Run is one client's task: to receive all messages from a server at addr
// ("127.0.0.1:port").
type Run struct {
	Addr   string
	Topics []feed.Topic
	Total  int  // messages that must arrive
	Books  int  // order-book messages among them
	Times  bool // note when each message arrives
}

// A Client receives a feed. It calls meter.message once for each message that
// it has decoded and handed to the user's code, and returns when it saw all.
type Client func(ctx context.Context, run *Run, m *Meter) error

// Clients are the clients under test, in the order of the table.
var Clients = []struct {
	Name   string
	Label  string
	Passes int // how often the feed is sent: slow clients see it less often
	Func   Client
}{
	{"bywire", "bywire, typed events through Events", 10, bywireEvents},
	{"bywire-book", "bywire, with a verified book of each symbol", 10, bywireBook},
	{"bywire-best", "bywire, best bid and ask of the verified book read at each change", 10, bywireBest},
	{"bywire-poll", "bywire, the same with BusyPoll", 10, bywirePolling},
	{"bare", "bare read loop and scanner (the limit)", 10, bare},
	{"official", "bybit.go.api, decoding to a map", 2, official},
	{"hirokisan", "hirokisan/bybit v2.36.0, callbacks", 2, hirokisan},
}

// A Result is what one run cost a client's process.
type Result struct {
	Messages int
	WallNs   float64 // per message, from the first message to the last
	CPUNs    float64 // per message, user and system, all threads
	Allocs   float64 // per message
	Bytes    float64 // allocated per message
	At       []int64 // when each message was handed to the user, in Unix nanoseconds; if Run.Times
}

// A Meter counts messages and takes the time between the first and the last.
type Meter struct {
	total, seen int
	first, last time.Time
	done        chan struct{}
	check       int64
	at          []int64 // nil, or the time of each message
}

func newMeter(run *Run) *Meter {
	m := &Meter{total: run.Total, done: make(chan struct{})}
	if run.Times {
		m.at = make([]int64, 0, run.Total)
	}
	return m
}

// message counts one. It is called by one goroutine.
func (m *Meter) message() {
	m.seen++
	if m.at != nil {
		m.at = append(m.at, time.Now().UnixNano())
	}
	switch m.seen {
	case 1:
		m.first = time.Now()
	case m.total:
		m.last = time.Now()
		close(m.done)
	}
}

// use keeps a value that the user's code would have looked at.
func (m *Meter) use(n int) { m.check += int64(n) }

// Measure runs a client in this process.
func Measure(ctx context.Context, c Client, run *Run) (*Result, error) {
	m := newMeter(run)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	cpu := processTime()
	if err := c(ctx, run, m); err != nil {
		return nil, err
	}
	cpu = processTime() - cpu
	runtime.ReadMemStats(&after)
	if m.seen != run.Total {
		return nil, fmt.Errorf("%d messages arrived, want %d", m.seen, run.Total)
	}
	n := float64(run.Total)
	return &Result{
		Messages: run.Total,
		WallNs:   float64(m.last.Sub(m.first)) / n,
		CPUNs:    float64(cpu) / n,
		Allocs:   float64(after.Mallocs-before.Mallocs) / n,
		Bytes:    float64(after.TotalAlloc-before.TotalAlloc) / n,
		At:       m.at,
	}, nil
}

// wait returns when all messages were seen.
func (m *Meter) wait(ctx context.Context) error {
	select {
	case <-m.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%w after %d of %d messages", context.Cause(ctx), m.seen, m.total)
	}
}
