package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bywire/bywire/bybit"
)

// Every frame of a capture comes out of a stream once, in order, as it was.
func TestReplayAndStreamDeliverTheCapture(t *testing.T) {
	var frames []string
	books := bookFrames("BTCUSDT", 3000, 1)
	for i, f := range books {
		frames = append(frames, f)
		if i%3 == 0 {
			frames = append(frames, tradeFrame("BTCUSDT", int64(i), 1700000000000+int64(i)))
		}
	}
	dir := captureOf(t, "linear", frames)
	want := bywire(t, "capture", "cat", dir, "--data").want(t, exitOK).stdout
	if strings.Count(want, "\n") != len(frames) {
		t.Fatalf("the capture has %d frames, want %d", strings.Count(want, "\n"), len(frames))
	}

	r := startReplay(t, dir, "--speed", "max")
	o := bywire(t, "stream", "--ws", r.ws, "--category", "linear", "-o", "raw", "orderbook.50.BTCUSDT", "publicTrade.BTCUSDT").want(t, exitOK)
	if o.stdout != want {
		t.Errorf("stream -o raw differs from capture cat --data: %d and %d bytes", len(o.stdout), len(want))
	}
	if o.stderr != "bywire: end of capture after 4,002 messages\n" {
		t.Errorf("stream says %q", o.stderr)
	}
	if o := r.end(t).want(t, exitOK); !strings.Contains(o.stderr, "bywire stream --ws "+r.ws+" --category linear orderbook.50.BTCUSDT publicTrade.BTCUSDT\n") {
		t.Errorf("replay says %s", o.stderr)
	}

	r = startReplay(t, dir, "--speed", "max")
	o = bywire(t, "stream", "--ws", r.ws+"/v5/public/linear", "orderbook.50.BTCUSDT", "publicTrade.BTCUSDT").want(t, exitOK)
	lines := strings.Split(strings.TrimSuffix(o.stdout, "\n"), "\n")
	if len(lines) != len(frames) {
		t.Fatalf("%d lines of ndjson, want %d", len(lines), len(frames))
	}
	type line struct {
		Type, Topic, Channel string
		Received, Time       time.Time
		BestBid, BestAsk     []string
		Data                 json.RawMessage
	}
	for i, text := range lines {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatalf("line %d: %v: %s", i, err, text)
		}
		var frame struct {
			Topic string
			TS    int64
			Data  json.RawMessage
		}
		if err := json.Unmarshal([]byte(frames[i]), &frame); err != nil {
			t.Fatal(err)
		}
		if l.Topic != frame.Topic || l.Channel != "linear" || l.Time.UnixMilli() != frame.TS || string(l.Data) != string(frame.Data) || l.Received.IsZero() {
			t.Fatalf("line %d is %s\nof %s", i, text, frames[i])
		}
		if l.Type == "book" && (strings.Join(l.BestBid, " ") != "100.5 1" || strings.Join(l.BestAsk, " ") != "101.0 3") {
			t.Fatalf("line %d: best %q and %q", i, l.BestBid, l.BestAsk)
		}
	}
	r.end(t).want(t, exitOK)
}

func TestStreamFormats(t *testing.T) {
	frames := append(bookFrames("BTCUSD", 1, 1000),
		tradeFrame("BTCUSD", 7, 1700000001000),
		`{"topic":"tickers.BTCUSD","type":"snapshot","data":{"symbol":"BTCUSD","lastPrice":"100.5","markPrice":"100.75"},"cs":1,"ts":1700000001001}`,
		`{"topic":"tickers.BTCUSD","type":"delta","data":{"symbol":"BTCUSD","markPrice":"100.80"},"cs":2,"ts":1700000001002}`,
	)
	dir := captureOf(t, "inverse", frames)
	topics := []string{"orderbook.50.BTCUSD", "publicTrade.BTCUSD", "tickers.BTCUSD"}
	stream := func(format string) outcome {
		r := startReplay(t, dir, "--speed", "max")
		defer func() { r.end(t).want(t, exitOK) }()
		return bywire(t, append([]string{"stream", "--ws", r.ws, "-o", format}, topics...)...).want(t, exitOK)
	}

	const table = `TIME (UTC)    TOPIC                EVENT
22:13:20.000  orderbook.50.BTCUSD  100.5 x 1 | 101.0 x 3  spread 0.5  snapshot 2 bids, 2 asks
22:13:21.000  orderbook.50.BTCUSD  100.5 x 1 | 101.0 x 3  spread 0.5  2 levels set, 0 deleted
22:13:21.000  publicTrade.BTCUSD   Sell 0.020 @ 100.5
22:13:21.001  tickers.BTCUSD       last 100.5  mark 100.75
22:13:21.002  tickers.BTCUSD       last 100.5  mark 100.80
`
	if o := stream("table"); o.stdout != table {
		t.Errorf("table:\n%s\nwant\n%s", o.stdout, table)
	}
	var all []struct {
		Type   string
		Ticker map[string]string
	}
	if err := json.Unmarshal([]byte(stream("json").stdout), &all); err != nil {
		t.Fatal(err)
	}
	if len(all) != 5 || all[4].Type != "ticker" || all[4].Ticker["lastPrice"] != "100.5" || all[4].Ticker["markPrice"] != "100.80" {
		t.Errorf("json: %+v", all)
	}
	if o := stream("raw"); o.stdout != strings.Join(frames, "\n")+"\n" {
		t.Errorf("raw:\n%s", o.stdout)
	}
}

// An old subscribe frame works as it stands, as an argument and on stdin.
func TestRetiredFrameIsTranslated(t *testing.T) {
	dir := captureOf(t, "inverse", append(bookFrames("BTCUSD", 1, 10), tradeFrame("BTCUSD", 1, 1700000000020)))
	const old = `{"op":"subscribe","args":["orderBookL2_25.BTCUSD","trade.BTCUSD"]}`
	for _, tc := range []struct {
		stdin string
		args  []string
	}{
		{"", []string{old}},
		{old + "\n", []string{"-"}},
		{"trade.BTCUSD\n\n", []string{"orderBookL2_25.BTCUSD", "-"}},
	} {
		r := startReplay(t, dir, "--speed", "max")
		o := bywireWith(t, tc.stdin, append([]string{"stream", "--ws", r.ws}, tc.args...)...).want(t, exitOK)
		const want = "bywire: orderBookL2_25.BTCUSD is a retired name: taking orderbook.50.BTCUSD on inverse\n" +
			"bywire: trade.BTCUSD is a retired name: taking publicTrade.BTCUSD on inverse\n"
		if !strings.HasPrefix(o.stderr, want) {
			t.Errorf("%q says %q", tc, o.stderr)
		}
		if n := strings.Count(o.stdout, "\n"); n != 3 || !strings.Contains(o.stdout, `"channel":"inverse"`) {
			t.Errorf("%q prints %s", tc, o.stdout)
		}
		r.end(t).want(t, exitOK)
	}
}

func TestStreamEndsAfterCountAndTime(t *testing.T) {
	dir := captureOf(t, "linear", bookFrames("BTCUSDT", 3, 3_600_000)) // an hour between frames
	r := startReplay(t, dir, "--loop", "--ack-delay", "0")
	args := []string{"stream", "--ws", r.ws, "--category", "linear", "orderbook.50.BTCUSDT"}
	if o := bywire(t, append(args, "--count", "1")...).want(t, exitOK); strings.Count(o.stdout, "\n") != 1 || o.stderr != "" {
		t.Errorf("--count 1: %+v", o)
	}
	begun := time.Now()
	o := bywire(t, append(args, "--for", "300ms")...).want(t, exitOK)
	if took := time.Since(begun); took < 300*time.Millisecond || took > 30*time.Second {
		t.Errorf("--for 300ms took %s", took)
	}
	if strings.Count(o.stdout, "\n") != 1 { // the snapshot for who comes late
		t.Errorf("--for 300ms prints %s", o.stdout)
	}
	r.stop(t)
}

// firstLine lets a test see that the first line was printed.
type firstLine struct {
	seen chan struct{}
	done bool
}

func (w *firstLine) Write(p []byte) (int, error) {
	if !w.done && len(p) > 0 {
		w.done = true
		close(w.seen)
	}
	return len(p), nil
}

func TestInterruptEndsStream(t *testing.T) {
	dir := captureOf(t, "linear", bookFrames("BTCUSDT", 1, 3_600_000))
	r := startReplay(t, dir)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	out := &firstLine{seen: make(chan struct{})}
	go func() {
		<-out.seen
		interrupt()
	}()
	var stderr strings.Builder
	code := run(ctx, []string{"stream", "--ws", r.ws, "--category", "linear", "orderbook.50.BTCUSDT"}, strings.NewReader(""), out, &stderr)
	if code != exitInterrupted || stderr.Len() > 0 {
		t.Errorf("exit code %d, %s", code, &stderr)
	}
	r.stop(t)
}

// A gap is an event in its place, and the exit code is 8.
func TestStreamTellsGaps(t *testing.T) {
	frames := bookFrames("BTCUSDT", 6, 10)
	dir := captureOf(t, "linear", append(frames[:3:3], frames[4:]...))
	r := startReplay(t, dir, "--speed", "max")
	o := bywire(t, "stream", "--ws", r.ws, "--category", "linear", "orderbook.50.BTCUSDT").want(t, exitDamage)
	lines := strings.Split(strings.TrimSuffix(o.stdout, "\n"), "\n")
	var gap struct {
		Type, Topic, Reason, Error string
		Dropped                    int
	}
	if len(lines) < 4 {
		t.Fatalf("stream prints %s", o.stdout)
	}
	if err := json.Unmarshal([]byte(lines[3]), &gap); err != nil {
		t.Fatal(err)
	}
	if gap.Type != "gap" || gap.Topic != "orderbook.50.BTCUSDT" || gap.Reason != "book" || !strings.Contains(gap.Error, "want 13") {
		t.Errorf("gap: %s", lines[3])
	}
	if !strings.Contains(o.stderr, "bywire: 1 gap in 3 messages\n") {
		t.Errorf("stream says %q", o.stderr)
	}
	r.end(t)
}

// A silence is an object of its own, and no reason for another exit code.
func TestStreamTellsSilences(t *testing.T) {
	since := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	ev := &bybit.SilentEvent{Topic: bybit.Trades("BTCUSDT"), Since: since, Expected: time.Minute, Time: since.Add(61 * time.Second)}
	p := &jsonPrinter{channel: bybit.Linear}
	const object = `{"type":"silent","topic":"publicTrade.BTCUSDT","channel":"linear","received":"2026-01-02T03:05:06.000000000Z","since":"2026-01-02T03:04:05.000000000Z","expectedMs":60000}`
	if got := string(p.appendEvent(nil, ev)); got != object {
		t.Errorf("got  %s\nwant %s", got, object)
	}
	const words = "publicTrade.BTCUSDT: silent since 2026-01-02T03:04:05.000Z, expected something within 1m0s; subscribed anew"
	if got := rowsOf(ev); len(got) != 1 || got[0].text != words {
		t.Errorf("got %q, want %q", got, words)
	}
	var sum tally
	if sum.note(ev); sum.verdict() != nil || sum.messages != 0 {
		t.Errorf("a silence makes %+v and %v", sum, sum.verdict())
	}
}

func TestStreamRefusals(t *testing.T) {
	dir := captureOf(t, "linear", bookFrames("BTCUSDT", 2, 10))
	r := startReplay(t, dir, "--speed", "max")

	o := bywire(t, "stream", "--ws", r.ws, "--category", "linear", "publicTrade.ETHUSDT").want(t, exitRefused)
	if want := "bywire: publicTrade.ETHUSDT: refused, " + r.ws + "/v5/public/linear has no such topic (error:handler not found,topic:publicTrade.ETHUSDT)\n"; o.stderr != want || o.stdout != "" {
		t.Errorf("wrong topic: %+v", o)
	}
	o = bywire(t, "stream", "--ws", r.ws, "--category", "spot", "publicTrade.BTCUSDT").want(t, exitRefused)
	if want := "bywire: " + r.ws + "/v5/public/spot: refused with HTTP 404: no /v5/public/spot in this capture; it has /v5/public/linear\n"; o.stderr != want {
		t.Errorf("wrong channel: %q", o.stderr)
	}
	o = bywire(t, "stream", "--ws", r.ws, "--category", "linear", "publicTrade.ETHUSDT", "orderbook.50.BTCUSDT").want(t, exitRefused)
	if !strings.Contains(o.stdout, `"type":"rejected","topic":"publicTrade.ETHUSDT"`) || strings.Count(o.stdout, `"type":"book"`) != 3 {
		t.Errorf("one of two refused: %s", o.stdout)
	}
	if !strings.HasSuffix(o.stderr, "bywire: 1 topic refused by the exchange\n") {
		t.Errorf("one of two refused: %q", o.stderr)
	}
	r.end(t).want(t, exitOK)
}

func TestNoConnectionIsANetworkError(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	o := bywire(t, "stream", "--ws", "ws://"+addr, "--category", "linear", "publicTrade.BTCUSDT").want(t, exitNetwork)
	if o.stderr != "bywire: ws://"+addr+"/v5/public/linear: no connection: connection refused\n" {
		t.Errorf("stderr %q", o.stderr)
	}
}

func TestHTTPRefusals(t *testing.T) {
	for status, code := range map[int]int{
		http.StatusForbidden: exitRefused, http.StatusTooManyRequests: exitRateLimited, http.StatusBadGateway: exitNetwork,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "not today", status)
		}))
		url := "ws" + strings.TrimPrefix(server.URL, "http")
		o := bywire(t, "stream", "--ws", url, "--category", "spot", "publicTrade.BTCUSDT").want(t, code)
		if want := fmt.Sprintf("bywire: %s/v5/public/spot: refused with HTTP %d: not today\n", url, status); o.stderr != want {
			t.Errorf("stderr %q, want %q", o.stderr, want)
		}
		server.Close()
	}
}

func TestListenRefused(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dir := captureOf(t, "linear", bookFrames("BTCUSDT", 1, 1))
	o := bywire(t, "replay", dir, "--listen", l.Addr().String()).want(t, exitNetwork)
	if o.stderr != "bywire: --listen "+l.Addr().String()+": address already in use; --listen 127.0.0.1:0 takes a free port\n" {
		t.Errorf("stderr %q", o.stderr)
	}
}

func TestBrokenPipeEndsStream(t *testing.T) {
	dir := captureOf(t, "linear", bookFrames("BTCUSDT", 100, 1))
	r := startReplay(t, dir, "--speed", "max", "--loop")
	var stderr strings.Builder
	code := run(t.Context(), []string{"stream", "--ws", r.ws, "--category", "linear", "orderbook.50.BTCUSDT"}, strings.NewReader(""), &brokenPipe{left: 1000}, &stderr)
	if code != exitOK || stderr.Len() > 0 {
		t.Errorf("exit code %d, %s", code, &stderr)
	}
	r.stop(t)
}

func TestBookOnce(t *testing.T) {
	dir := captureOf(t, "inverse", bookFrames("BTCUSD", 1, 3_600_000))
	r := startReplay(t, dir)
	o := bywire(t, "book", "BTCUSD", "--ws", r.ws, "--once", "--rows", "1").want(t, exitOK)
	const want = `BTCUSD  inverse  orderbook.50.BTCUSD  custom                    22:13:20.000 UTC
     PRICE     SIZE    TOTAL
     101.0        3        3 █████████████████████████████████████████████████
         spread 0.5
     100.5        1        1 ████████████████
update 10, of 2023-11-14
`
	if o.stdout != want || o.stderr != "" {
		t.Errorf("book --once prints\n%s%s\nwant\n%s", o.stdout, o.stderr, want)
	}
	r.stop(t)
}

// A live book draws at most ten times a second and gives the terminal back.
func TestBookLive(t *testing.T) {
	dir := captureOf(t, "linear", append(bookFrames("BTCUSDT", 80, 10), tradeFrame("BTCUSDT", 1, 1700000000801)))
	r := startReplay(t, dir)
	var out strings.Builder
	a := newApp(strings.NewReader(""), &out, io.Discard)
	a.terminal = true
	root := a.rootCommand()
	root.SetArgs([]string{"book", "BTCUSDT", "--category", "linear", "--ws", r.ws})
	begun := time.Now()
	if err := root.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	most := int(time.Since(begun)/redraw) + 1
	screen := out.String()
	if !strings.HasPrefix(screen, screenOn) || !strings.HasSuffix(screen, screenOff) {
		t.Errorf("the screen begins %q and ends %q", screen[:min(20, len(screen))], screen[max(0, len(screen)-20):])
	}
	pictures := strings.Count(screen, "\x1b[H")
	if pictures == 0 || pictures > most || !strings.Contains(screen, "spread 0.5") {
		t.Errorf("%d pictures, at most %d wanted:\n%s", pictures, most, screen)
	}
	if strings.Contains(screen, colourRed) {
		t.Error("colour without a.colour")
	}
	r.end(t).want(t, exitOK)
}
