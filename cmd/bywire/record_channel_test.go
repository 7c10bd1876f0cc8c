package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/capture"
)

// listWriter keeps records as text.
type listWriter struct {
	conns uint64
	list  []string
}

func (w *listWriter) Write(r *capture.Record) error {
	w.list = append(w.list, strings.TrimSpace(fmt.Sprintf("%s %d %s", r.Kind, r.Conn, r.Data)))
	return nil
}

func (w *listWriter) NextConn() uint64 {
	w.conns++
	return w.conns
}

func (w *listWriter) Stats() capture.WriterStats { return capture.WriterStats{} }
func (w *listWriter) Close() error               { return nil }

// Which topics were on one socket shows when it is lost. Those of others keep
// their number, so that no book in the capture ends that did not end.
func TestRecordFollowsTheSocketsOfAStream(t *testing.T) {
	names := []string{"a", "b", "c", "d"}
	w := new(listWriter)
	r := &recorder{w: w, opts: &recordOptions{}, env: bybit.CustomEnvironment("ws://x", "")}
	sel := selection{channel: bybit.Linear}
	for _, name := range names {
		sel.topics = append(sel.topics, bybit.RawTopic(name))
	}
	c := newChannelRecorder(r, nil, sel)
	at := time.Unix(1700000000, 0)
	take := func(ev bybit.Event) {
		t.Helper()
		if err := c.take(ev); err != nil {
			t.Fatal(err)
		}
	}
	all := func() {
		for _, name := range names {
			take(&bybit.RawEvent{Topic: bybit.RawTopic(name), Received: at, Frame: []byte(name)})
		}
	}
	lose := func(names ...string) {
		at = at.Add(time.Second)
		for _, name := range names {
			take(&bybit.GapEvent{Topic: bybit.RawTopic(name), Reason: bybit.GapDisconnected, Err: errors.New("eof"), Time: at})
		}
	}
	all()
	lose("a", "b") // the first socket
	all()
	lose("c", "d") // the second
	lose("c", "d") // again, before it brought anything
	all()
	lose("a", "b", "c", "d") // the machine's network
	take(&bybit.GapEvent{Topic: bybit.RawTopic("a"), Reason: bybit.GapOverflow, Dropped: 1200, Time: at})
	take(&bybit.SilentEvent{Topic: bybit.RawTopic("b"), Since: at, Expected: time.Minute, Time: at})
	all()
	if err := c.end(bybit.ErrClosed); !errors.Is(err, bybit.ErrClosed) {
		t.Errorf("end: %v", err)
	}
	want := strings.Split(`connect 1
frame 1 a
frame 1 b
frame 1 c
frame 1 d
gap 1 a: disconnected: eof
gap 1 b: disconnected: eof
connect 2
frame 2 a
frame 2 b
frame 1 c
frame 1 d
gap 1 c: disconnected: eof
gap 1 d: disconnected: eof
disconnect 1 eof
gap 3 c: disconnected: eof
gap 3 d: disconnected: eof
disconnect 3 eof
frame 2 a
frame 2 b
connect 4
frame 4 c
frame 4 d
gap 2 a: disconnected: eof
gap 2 b: disconnected: eof
disconnect 2 eof
gap 4 c: disconnected: eof
gap 4 d: disconnected: eof
disconnect 4 eof
gap 5 a: overflow, 1,200 messages dropped
note 5 b: silent since 2023-11-14T22:13:24.000Z, expected something within 1m0s; subscribed anew
connect 5
frame 5 a
frame 5 b
frame 5 c
frame 5 d
disconnect 5 stream closed`, "\n")
	if !slices.Equal(w.list, want) {
		t.Errorf("recorded\n%s\nwant\n%s", strings.Join(w.list, "\n"), strings.Join(want, "\n"))
	}
}

// The status line tells the rate since the one before.
func TestRecordStatusLine(t *testing.T) {
	s := startScripted(t)
	client, err := bybit.NewClient(&bybit.Options{Environment: bybit.CustomEnvironment(s.ws, "")})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	stream, err := client.Public(context.Background(), bybit.Linear, nil)
	if err != nil {
		t.Fatal(err)
	}
	var words strings.Builder
	begun := time.Unix(1700000000, 0)
	dir := t.TempDir()
	r := &recorder{
		app: newApp(strings.NewReader(""), &words, &words), w: new(listWriter), opts: &recordOptions{to: dir}, begun: begun,
	}
	c := newChannelRecorder(r, stream, selection{channel: bybit.Linear})
	r.parts = append(r.parts, c)
	status := r.status()
	c.messages.Store(1_200_000)
	c.gaps.Store(1)
	status.tell(begun.Add(time.Minute))
	c.messages.Store(1_200_600)
	status.terminal = true
	status.tell(begun.Add(2 * time.Minute))
	status.end()
	first := "bywire: 1,200,000 messages, 20,000/s, 0 B in " + dir + ", 1 gap, queue 0 B\n"
	second := "\r1,200,600 messages, 10/s, 0 B in " + dir + ", 1 gap, queue 0 B"
	if got := words.String(); got != first+second+"\r"+strings.Repeat(" ", len(second)-1)+"\r" {
		t.Errorf("got %q\nwant %q and %q", got, first, second)
	}
}
