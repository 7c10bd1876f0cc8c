package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/bywire/bywire/internal/wire"
)

// fullDelta is the first delta of a full book; fullSnapshot is the book as of it.
const (
	fullDelta    = `{"topic":"orderbook.full.ABCUSDT","type":"delta","ts":1700000000000,"data":{"s":"ABCUSDT","b":[["99","2"]],"a":[],"u":7,"seq":70},"cts":1700000000000}`
	fullSnapshot = `{"retCode":0,"retMsg":"OK","result":{"s":"ABCUSDT","b":[["99","2"],["98","1"]],"a":[["101","3"]],"ts":1700000000000,"u":7,"seq":70,"cts":1700000000000},"retExtInfo":{},"time":1700000000001}`
)

// fullVenue serves a full book that does not change, over WebSocket and REST.
func fullVenue(t *testing.T) *httptest.Server {
	t.Helper()
	push := venueHandler(func(ch wire.Channel, req wire.Request) []string {
		frames := []string{rightAnswer(ch, req)}
		if req.Op == wire.OpSubscribe {
			frames = append(frames, fullDelta)
		}
		return frames
	})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v5/market/full_orderbook" {
			fmt.Fprint(w, fullSnapshot)
			return
		}
		push.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func TestBookOfEveryLevel(t *testing.T) {
	s := fullVenue(t)
	o := bywire(t, "book", "orderbook.full.ABCUSDT", "--category", "linear", "--ws", wsOf(s), "--rest", s.URL, "--once").want(t, exitOK)
	for _, want := range []string{"ABCUSDT  linear  orderbook.full.ABCUSDT", "101", "99", "98", "update 7"} {
		if !strings.Contains(o.stdout, want) {
			t.Errorf("book prints\n%s\nwithout %q", o.stdout, want)
		}
	}
	o = bywire(t, "book", "orderbook.full.ABCUSDT", "--category", "linear", "--ws", wsOf(s), "--once").want(t, exitUsage)
	if !strings.Contains(o.stderr, "no documented host for REST") {
		t.Errorf("book without REST says %q", o.stderr)
	}
	o = bywire(t, "book", "orderbook.full.ABCUSDT", "--depth", "50", "--ws", wsOf(s), "--once").want(t, exitUsage)
	if !strings.Contains(o.stderr, "has every level") {
		t.Errorf("book with a depth says %q", o.stderr)
	}
}

// A server without REST, such as a replay, still has the messages.
func TestStreamOfAFullBookNeedsNoREST(t *testing.T) {
	s := fullVenue(t)
	o := bywire(t, "stream", "orderbook.full.ABCUSDT", "--category", "linear", "--ws", wsOf(s), "--count", "1").want(t, exitOK)
	if !strings.Contains(o.stdout, `"u":7`) || !strings.Contains(o.stderr, "orderbook.full: printing its messages as they come") {
		t.Errorf("stream prints %q and says %q", o.stdout, o.stderr)
	}
}
