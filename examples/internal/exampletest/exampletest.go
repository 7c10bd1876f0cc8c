// Package exampletest runs an example program against a replay: frames are
// recorded into a capture, served again in the V5 protocol over an in-memory
// network, at their own pace on fake time. The capture ends and so does the
// program.
package exampletest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/capture"
	"github.com/bywire/bywire/internal/memnet"
)

// Frame is a message of a channel, received some time after the capture began. One
// without a channel is none: all connections are cut then.
type Frame struct {
	At      time.Duration
	Channel bybit.Channel
	Text    string
}

// Output returns what the program writes while it follows a replay of the
// frames.
func Output(t *testing.T, frames []Frame, program func(context.Context, io.Writer, *bybit.Options) error) string {
	t.Helper()
	dir := t.TempDir()
	var out bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		record(t, dir, frames)
		reader, err := capture.OpenReader(dir)
		if err != nil {
			t.Fatal(err)
		}
		replay, err := capture.NewReplay(reader, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer replay.Close()
		ln := memnet.Listen("replay")
		server := http.Server{Handler: replay}
		served := make(chan error)
		go func() { served <- server.Serve(ln) }()
		var cuts []*time.Timer
		for _, f := range frames {
			if f.Channel == "" {
				cuts = append(cuts, time.AfterFunc(f.At, func() { ln.CutAll() }))
			}
		}
		err = program(t.Context(), &out, &bybit.Options{
			Environment: bybit.CustomEnvironment("ws://replay", ""),
			DialContext: ln.Dial,
		})
		if err != nil {
			t.Errorf("the program ended with %v", err)
		}
		for _, cut := range cuts {
			cut.Stop()
		}
		server.Close()
		ln.CutAll()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return out.String()
}

// record writes the capture, one connection for each channel.
func record(t *testing.T, dir string, frames []Frame) {
	t.Helper()
	w, err := capture.OpenWriter(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	conns := make(map[bybit.Channel]uint64)
	slices.SortStableFunc(frames, func(a, b Frame) int { return int(a.At - b.At) })
	for _, f := range frames {
		if f.Channel == "" {
			continue
		}
		if conns[f.Channel] == 0 {
			conns[f.Channel] = w.NextConn()
		}
		err := w.Write(&capture.Record{
			Kind: capture.Frame, Conn: conns[f.Channel], Channel: string(f.Channel),
			Received: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(f.At), Data: []byte(f.Text),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}
