package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/bywire/bywire/capture"
)

const (
	clockEvery = time.Minute
	clockWait  = 5 * time.Second
	// clockTrust is the longest answer that still tells something: its half is
	// the error.
	clockTrust = time.Second
)

// clockWatch measures the venue's clock against ours from time to time, where
// there is a REST server to ask. What fails is not recorded: a recording needs no
// clock.
type clockWatch struct {
	stop   func()       // ends it and waits
	offset atomic.Int64 // the last measurement in nanoseconds
	known  atomic.Bool
}

// watchClock starts to measure.
func (r *recorder) watchClock(ctx context.Context) *clockWatch {
	w := &r.clock
	w.stop = func() {}
	if r.env.RESTURL == "" {
		return w
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	w.stop = func() {
		cancel()
		<-done
	}
	go func() {
		defer close(done)
		tick := time.NewTicker(clockEvery)
		defer tick.Stop()
		// Like the streams it goes no way round, whatever proxy is set.
		transport := new(http.Transport)
		defer transport.CloseIdleConnections()
		client := &http.Client{Timeout: clockWait, Transport: transport}
		for {
			if offset, at, err := measureClock(ctx, client, r.env.RESTURL); err == nil {
				w.offset.Store(int64(offset))
				w.known.Store(true)
				rec := capture.NewClockOffset(offset, at)
				if err := r.w.Write(&rec); err != nil {
					return // the parts meet the same error, and say it
				}
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	}()
	return w
}

// measureClock asks for the venue's time and returns how far it is ahead of
// ours, and when the answer came. V5 page: market/time.
func measureClock(ctx context.Context, client *http.Client, base string) (offset time.Duration, at time.Time, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/v5/market/time", nil)
	if err != nil {
		return 0, at, err
	}
	asked := time.Now()
	resp, err := client.Do(req)
	if err != nil {
		return 0, at, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return 0, at, err
	}
	took := time.Since(asked)
	at = asked.Add(took).Round(0)
	server, ok := serverTime(body)
	if resp.StatusCode != http.StatusOK || !ok {
		return 0, at, fmt.Errorf("time: no answer of V5: HTTP %d", resp.StatusCode)
	}
	if took > clockTrust {
		return 0, at, fmt.Errorf("time: the answer took %s", took)
	}
	// The answer was made about half way between.
	return server.Sub(asked.Add(took / 2)), at, nil
}
