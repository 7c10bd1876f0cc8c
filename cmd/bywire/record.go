package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/capture"
)

const recordLong = `Record public topics into a capture: every message as it came, byte for byte, with its
receive time. Topics may be of several categories: each goes to its own, and
spot:publicTrade.BTCUSDT names one. Otherwise topics are written as for "bywire stream".

What was recorded survives a kill or a crash but for its last second. A lost connection is
made anew; what is missing between is a gap in the capture, in its place, and so is what a
disk that stood still made the recorder miss, and the time until it runs again: the
same command goes on in the same folder. When the disk is full it ends, and says what it
kept.

Once a minute, and all the time on a terminal, a line on stderr tells how it goes. SIGINT
and SIGTERM end it in order, with everything that was received on disk.

It ends with code 0 after --count or --for, and when a replay is over; with 8 if there was a
gap or a message that could not be decoded (it is recorded all the same); with 4 if the
exchange refused a topic; with 1 when the disk refused; with 130 after a signal.`

// recordOptions are the flags of record.
type recordOptions struct {
	connection
	to         string
	segmentMB  int
	segmentAge time.Duration
	count      int64
	length     time.Duration
	queueMB    int
	wait       bool
	metrics    string
}

func (a *app) recordCommand() *cobra.Command {
	var opts recordOptions
	cmd := &cobra.Command{
		Use:   "record --to DIR TOPIC...",
		Short: "save public topics in a capture",
		Long:  recordLong,
		Example: `  bywire record --to rec orderbook.50.BTCUSDT publicTrade.BTCUSDT spot:publicTrade.BTCUSDT
  bywire record --to rec --for 1h --metrics 127.0.0.1:9100 - < topics.txt
  bywire replay rec`,
		ValidArgsFunction: completeTopics,
		RunE: func(cmd *cobra.Command, args []string) error {
			env, err := opts.prepare(cmd)
			if err != nil {
				return err
			}
			all, err := a.selectByChannel(args, opts.category, opts.own())
			if err != nil {
				return err
			}
			return a.record(cmd.Context(), &opts, env, all)
		},
	}
	opts.flags(cmd)
	f := cmd.Flags()
	f.StringVar(&opts.to, "to", "", "`DIR` of the capture; one that is there is continued")
	f.IntVar(&opts.segmentMB, "segment-size", 64, "`MB` of messages that make a segment")
	f.DurationVar(&opts.segmentAge, "segment-age", time.Hour, "`DURATION` after which a segment is ended all the same")
	f.Int64Var(&opts.count, "count", 0, "end after `N` messages")
	f.DurationVar(&opts.length, "for", 0, "end after this `DURATION`, such as 10s or 24h")
	f.IntVar(&opts.queueMB, "queue", 64, "`MB` that may wait for a slow disk, for each category; beyond that a gap tells what was discarded")
	f.BoolVar(&opts.wait, "wait", false, "make the server wait for a slow disk in place of a gap; only a replay does (default: with --ws)")
	metricsFlag(cmd, &opts.metrics)
	if err := cmd.MarkFlagDirname("to"); err != nil {
		panic("bywire: " + err.Error()) // the flag exists
	}
	return cmd
}

// prepare checks the flags and returns what to connect to.
func (o *recordOptions) prepare(cmd *cobra.Command) (bybit.Environment, error) {
	none := bybit.Environment{}
	switch {
	case o.to == "":
		return none, usageError("record: --to missing, the folder of the capture, like: bywire record --to rec publicTrade.BTCUSDT")
	case o.segmentMB < 1 || o.segmentMB > 1<<20:
		return none, usageError("--segment-size %d: give a number of MB from 1 on", o.segmentMB)
	case o.segmentAge < time.Second:
		return none, usageError("--segment-age %s: give a duration of a second or more", o.segmentAge)
	case o.count < 0 || cmd.Flags().Changed("count") && o.count == 0:
		return none, usageError("--count %d: give a number above 0", o.count)
	case o.length < 0 || cmd.Flags().Changed("for") && o.length == 0:
		return none, usageError("--for %s: give a duration above 0, such as 10s", o.length)
	case o.queueMB < 1 || o.queueMB > 1<<20:
		return none, usageError("--queue %d: give a number of MB from 1 on", o.queueMB)
	}
	if info, err := os.Stat(o.to); err == nil && !info.IsDir() {
		return none, usageError("--to %s: a file; a capture is a folder", o.to)
	}
	if !cmd.Flags().Changed("wait") {
		o.wait = o.own()
	}
	return o.environment(cmd)
}

// captureWriter is what a recorder needs of a capture.Writer.
type captureWriter interface {
	Write(*capture.Record) error
	NextConn() uint64
	Stats() capture.WriterStats
	Close() error
}

// openWriter opens a capture for recording.
func openWriter(dir string, opts *capture.WriterOptions) (captureWriter, error) {
	return capture.OpenWriter(dir, opts)
}

// recorder is one run of record.
type recorder struct {
	app     *app
	opts    *recordOptions
	env     bybit.Environment
	w       captureWriter
	client  *bybit.Client
	meter   *meter // nil without --metrics
	parts   []*channelRecorder
	before  capture.WriterStats // the capture when this run began
	begun   time.Time
	halt    chan struct{} // closed when a part has met its count or a write error
	halting sync.Once
	stop    context.CancelFunc // ends the parts without waiting for what is queued
	running sync.WaitGroup     // of the parts

	taken atomic.Int64 // messages of all parts, with --count
	clock clockWatch

	mu     sync.Mutex // guards failed
	failed error      // why the capture takes no more
}

// record records until one of its ends.
func (a *app) record(ctx context.Context, opts *recordOptions, env bybit.Environment, all []selection) (err error) {
	r := &recorder{app: a, opts: opts, env: env, halt: make(chan struct{})}
	if r.meter, err = a.startMeter(opts.metrics, topicCount(all), nil); err != nil {
		return err
	}
	defer r.meter.close()
	last, err := lastRecorded(opts.to)
	if err != nil {
		return err
	}
	r.w, err = a.openWriter(opts.to, &capture.WriterOptions{
		SegmentBytes: int64(opts.segmentMB) << 20,
		SegmentAge:   opts.segmentAge,
		Notice:       func(n capture.Notice) { a.say("%s", n) },
	})
	if err != nil {
		return writerError(opts.to, err)
	}
	err = r.run(ctx, all, last)
	if e := r.w.Close(); r.failed == nil {
		r.failed = e
	}
	if r.failed != nil {
		return r.diskError()
	}
	sum := r.total()
	if err != nil && sum.messages == 0 {
		return err
	}
	a.say("%s", r.summary(sum, time.Now()))
	if err != nil {
		return err
	}
	return sum.verdict()
}

func topicCount(all []selection) (n int) {
	for _, sel := range all {
		n += len(sel.topics)
	}
	return n
}

// writerError says why a folder takes no recording.
func writerError(dir string, err error) error {
	switch {
	case errors.Is(err, capture.ErrLocked):
		return usageError("--to %s: another recorder writes there; name another folder", dir)
	case errors.Is(err, fs.ErrPermission):
		return usageError("--to %s: may not be written: permission denied", dir)
	}
	if file, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Errorf("--to %s: %w", dir, file.Err)
	}
	return err
}

// lastRecorded returns when the last message of an earlier recording in the
// folder came; the zero time if there was none.
func lastRecorded(dir string) (time.Time, error) {
	r, err := capture.OpenReader(dir)
	if errors.Is(err, capture.ErrNoCapture) || errors.Is(err, fs.ErrNotExist) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, writerError(dir, err)
	}
	info, err := r.Info()
	if err != nil {
		return time.Time{}, err
	}
	return info.Total.Last, nil
}

// run opens the streams and lets them be recorded until one of the ends.
func (r *recorder) run(ctx context.Context, all []selection, last time.Time) error {
	client, err := bybit.NewClient(&bybit.Options{Environment: r.env})
	if err != nil {
		return err
	}
	r.client = client
	defer client.Close()
	r.before = r.w.Stats()
	r.meter.recorder(r.w.Stats, &r.clock)
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	r.stop = stop
	for _, sel := range all {
		if err = r.open(ctx, life, sel, last); err != nil {
			break
		}
	}
	if err == nil {
		err = r.await(ctx)
	}
	// Closed streams still give what was queued: the parts end after that.
	r.client.Close()
	r.running.Wait()
	return err
}

// open connects the stream of one channel and starts to record it.
func (r *recorder) open(ctx, life context.Context, sel selection, last time.Time) error {
	wait, cancel := context.WithTimeout(ctx, dialWait)
	defer cancel()
	opts := &bybit.StreamOptions{QueueBytes: r.opts.queueMB << 20, Books: bybit.BooksNone, RawFrames: true}
	if r.opts.wait {
		opts.Overflow = bybit.OverflowWait
	}
	fail := func(err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return connectError(r.env, sel.channel, err)
	}
	s, err := r.client.Public(wait, sel.channel, opts)
	if err != nil {
		return fail(err)
	}
	if r.begun.IsZero() {
		r.begun = time.Now()
		if err := r.resume(last); err != nil {
			return err
		}
	}
	part := newChannelRecorder(r, s, sel)
	r.parts = append(r.parts, part)
	// It records while topics are still being answered: the first of them may
	// be busy.
	r.running.Go(func() { part.run(life) })
	if err := s.Subscribe(wait, sel.topics...); err != nil && !errors.Is(err, bybit.ErrEndOfCapture) {
		return fail(err)
	}
	return nil
}

// resume says in the capture what was not recorded since the last run.
func (r *recorder) resume(last time.Time) error {
	now := r.begun.Round(0)
	if !last.IsZero() {
		text := fmt.Sprintf("not recorded from %s to %s: no recorder was running", stamp(last), stamp(now))
		if err := r.w.Write(&capture.Record{Kind: capture.Gap, Received: now, Data: []byte(text)}); err != nil {
			return err
		}
		r.app.say("going on with %s, which ends at %s", r.opts.to, stamp(last))
	}
	return r.w.Write(&capture.Record{Kind: capture.Note, Received: now, Data: []byte("recorded by bywire " + currentVersion())})
}

// await returns at the first end: of the time, of the streams, of the disk, or
// by a signal.
func (r *recorder) await(ctx context.Context) error {
	var timeUp <-chan time.Time
	if r.opts.length > 0 {
		timer := time.NewTimer(r.opts.length)
		defer timer.Stop()
		timeUp = timer.C
	}
	ended := make(chan struct{})
	go func() {
		r.running.Wait()
		close(ended)
	}()
	clock := r.watchClock(ctx)
	defer clock.stop()
	status := r.status()
	defer status.end()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timeUp:
			return nil
		case <-ended:
			return nil
		case <-r.halt:
			r.stop()
			return nil
		case now := <-status.tick.C:
			status.tell(now)
		}
	}
}

// fail is told by a part that the capture takes no more.
func (r *recorder) fail(err error) {
	r.mu.Lock()
	if r.failed == nil {
		r.failed = err
	}
	r.mu.Unlock()
	r.enough()
}

// enough ends the recording.
func (r *recorder) enough() { r.halting.Do(func() { close(r.halt) }) }

// diskError says what was kept when the disk refused.
func (r *recorder) diskError() error {
	reason := r.failed
	if full, ok := errors.AsType[*capture.WriteError](reason); ok {
		reason = full.Err
	}
	if file, ok := errors.AsType[*fs.PathError](reason); ok {
		reason = file.Err
	}
	now := r.w.Stats()
	kept, taken := now.Saved-r.before.Records, now.Records-r.before.Records
	return &diskError{fmt.Errorf("%s: %w: the recording has ended; %s of this run are on disk, the last %s are not; with room again, the same command goes on",
		r.opts.to, reason, recordCount(int64(kept)), grouped(int64(taken-kept)))}
}

// diskError ends a recording with code 1, also after a signal: whoever sent it
// has to know that the end is not whole.
type diskError struct{ err error }

func (e *diskError) Error() string { return e.err.Error() }
func (e *diskError) Unwrap() error { return e.err }
