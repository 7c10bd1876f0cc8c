package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/bywire/bywire/capture"
	"github.com/bywire/bywire/internal/wire"
	"github.com/bywire/bywire/internal/wsserver"
)

// scripted is a V5 server that publishes what a test tells it to, when it tells
// it to. Subscriptions are answered by whoever asks; publish and subscriptions
// take turns.
type scripted struct {
	t   *testing.T
	srv *wsserver.Server
	ws  string

	mu     sync.Mutex // guards what follows, and that one goroutine publishes
	topics map[string]int
	change chan struct{} // closed and replaced when topics changes
}

func startScripted(t *testing.T) *scripted {
	t.Helper()
	s := &scripted{t: t, topics: make(map[string]int), change: make(chan struct{})}
	s.srv = wsserver.New(s, &wsserver.Options{AckDelay: -1, Slow: wsserver.Pause})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		channel, ok := wire.ChannelOfPath(r.URL.Path)
		if !ok {
			http.Error(w, "no such path", http.StatusNotFound)
			return
		}
		s.srv.Serve(w, r, channel)
	}))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = s.srv.Close(ctx, wsserver.CloseGoingAway, "the test is over") // whoever is left is cut off
		server.Close()
	})
	s.ws = "ws" + strings.TrimPrefix(server.URL, "http")
	return s
}

func (s *scripted) Subscribe(q *wsserver.Subscription) {
	s.mu.Lock()
	defer s.mu.Unlock()
	errs := make([]error, len(q.Topics))
	for i, name := range q.Topics {
		if strings.Contains(name, "NONE") {
			errs[i] = wsserver.ErrNoTopic
		}
	}
	for _, name := range q.Answer(errs) {
		s.topics[string(q.Session.Channel())+" "+name]++
	}
	close(s.change)
	s.change = make(chan struct{})
}

func (s *scripted) Unsubscribe(session *wsserver.Session, topics []string) {}

func (s *scripted) Closed(*wsserver.Session) {}

// await waits until each of the topics ("linear publicTrade.X") was subscribed n
// times.
func (s *scripted) await(n int, topics ...string) {
	s.t.Helper()
	bound := time.After(30 * time.Second)
	for {
		s.mu.Lock()
		met := !slices.ContainsFunc(topics, func(name string) bool { return s.topics[name] < n })
		have, change := fmt.Sprint(s.topics), s.change
		s.mu.Unlock()
		if met {
			return
		}
		select {
		case <-change:
		case <-bound:
			s.t.Fatalf("subscribed: %s, want %d times %q", have, n, topics)
		}
	}
}

// publish sends a frame to whoever is subscribed to its topic.
func (s *scripted) publish(channel string, frames ...string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range frames {
		name, ok := wire.FrameTopic([]byte(f))
		if !ok {
			s.t.Fatalf("no topic in %s", f)
		}
		if err := s.srv.Topic(wire.Channel(channel), string(name)).Publish(s.t.Context(), []byte(f), wsserver.Following); err != nil {
			s.t.Fatal(err)
		}
	}
}

// finish ends every connection as a replay does at the end of its capture.
func (s *scripted) finish() { s.hangUp(wsserver.CloseNormal, capture.EndOfCapture) }

func (s *scripted) hangUp(code ws.StatusCode, reason string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 20*time.Second)
	defer cancel()
	if err := s.srv.CloseSessions(ctx, code, reason); err != nil {
		s.t.Fatal(err)
	}
}

// recording is a bywire record, or another command, that runs beside the test.
type recording struct {
	t         *testing.T
	interrupt context.CancelFunc
	done      chan outcome
	stderr    *watchedText
}

// startRecord starts bywire record into dir. change may alter the command before
// it runs.
func startRecord(t *testing.T, dir string, change func(*app), args ...string) *recording {
	t.Helper()
	return startCommand(t, change, append([]string{"record", "--to", dir}, args...)...)
}

func startCommand(t *testing.T, change func(*app), args ...string) *recording {
	t.Helper()
	ctx, interrupt := context.WithCancel(t.Context())
	r := &recording{t: t, interrupt: interrupt, done: make(chan outcome, 1), stderr: newWatchedText()}
	var stdout strings.Builder
	a := newApp(strings.NewReader(""), &stdout, r.stderr)
	if change != nil {
		change(a)
	}
	root := a.rootCommand()
	root.SetArgs(args)
	go func() {
		code := a.finish(ctx, root.ExecuteContext(ctx))
		r.done <- outcome{code: code, stdout: stdout.String(), stderr: r.stderr.String()}
	}()
	t.Cleanup(interrupt)
	return r
}

// end waits until the recording has ended by itself.
func (r *recording) end() outcome {
	r.t.Helper()
	select {
	case o := <-r.done:
		return o
	case <-time.After(time.Minute):
		r.t.Fatalf("the recording goes on: %s", r.stderr.String())
		return outcome{}
	}
}

// watchedText keeps what was written, and lets a test wait for a part of it.
type watchedText struct {
	mu     sync.Mutex // guards what follows
	text   strings.Builder
	change chan struct{}
}

func newWatchedText() *watchedText { return &watchedText{change: make(chan struct{})} }

func (w *watchedText) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text.Write(p)
	close(w.change)
	w.change = make(chan struct{})
	return len(p), nil
}

func (w *watchedText) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// await waits for a text and returns what follows it on its line.
func (w *watchedText) await(t *testing.T, text string) string {
	t.Helper()
	bound := time.After(30 * time.Second)
	for {
		w.mu.Lock()
		have, change := w.text.String(), w.change
		w.mu.Unlock()
		if _, after, ok := strings.Cut(have, text); ok {
			if line, _, whole := strings.Cut(after, "\n"); whole {
				return line
			}
		}
		select {
		case <-change:
		case <-bound:
			t.Fatalf("no %q in %q", text, have)
		}
	}
}

// recorded reads a capture: its frames by "channel topic", and its other records
// as "kind conn text", in order.
func recorded(t *testing.T, dir string) (frames map[string][]string, others []string) {
	t.Helper()
	r, err := capture.OpenReader(dir)
	if err != nil {
		t.Fatal(err)
	}
	frames = make(map[string][]string)
	for rec, err := range r.Records(time.Time{}, time.Time{}) {
		if err != nil {
			t.Fatal(err)
		}
		if rec.Kind != capture.Frame {
			others = append(others, fmt.Sprintf("%s %d %s", rec.Kind, rec.Conn, rec.Data))
			continue
		}
		name, _ := wire.FrameTopic(rec.Data)
		key := rec.Channel + " " + string(name)
		frames[key] = append(frames[key], string(rec.Data))
	}
	return frames, others
}

// wantFrames compares the frames of one topic.
func wantFrames(t *testing.T, key string, got, want []string) {
	t.Helper()
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Fatalf("%s: frame %d is %s\nwant %s", key, i, got[i], want[i])
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%s: %d frames, want %d", key, len(got), len(want))
	}
}
