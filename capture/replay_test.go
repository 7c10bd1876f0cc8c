package capture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bywire/bywire/internal/memnet"
	"github.com/bywire/bywire/internal/wsclient"
)

// begun is when the captures of these tests begin: far from the bubbles' own
// clock, so that one is not taken for the other.
var begun = time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC)

// frameAt is a frame that was received so long after begun.
type frameAt struct {
	at      time.Duration
	channel string
	data    string
}

func record(t *testing.T, frames []frameAt) string {
	t.Helper()
	dir := t.TempDir()
	w := openWriter(t, dir, nil)
	conns := make(map[string]uint64)
	for _, f := range frames {
		if conns[f.channel] == 0 {
			conns[f.channel] = w.NextConn()
		}
		rec := Record{Kind: Frame, Conn: conns[f.channel], Channel: f.channel, Received: begun.Add(f.at), Data: []byte(f.data)}
		if err := w.Write(&rec); err != nil {
			t.Fatal(err)
		}
	}
	closeWriter(t, w)
	return dir
}

func bookFrame(symbol string, u int, bid string) string {
	kind, rest := "delta", `"b":[["`+bid+`","`+fmt.Sprint(u)+`"]],"a":[]`
	if u == 5 {
		kind, rest = "snapshot", `"b":[["`+bid+`","5"]],"a":[["200","1"]]`
	}
	return fmt.Sprintf(`{"topic":"orderbook.50.%s","type":"%s","ts":%d,"data":{"s":"%s",%s,"u":%d,"seq":%d},"cts":%d}`,
		symbol, kind, 1000*u, symbol, rest, u, 10*u, 1000*u-1)
}

func tradeFrame(symbol string, n int) string {
	return fmt.Sprintf(`{"topic":"publicTrade.%s","type":"snapshot","ts":%d,"data":[{"T":%d,"s":"%s","S":"Buy","v":"1","p":"100","L":"PlusTick","i":"t%d","BT":false}]}`,
		symbol, n, n, symbol, n)
}

// twoBooks is a capture of two symbols, a frame of each every second.
func twoBooks() []frameAt {
	var frames []frameAt
	for i := range 6 {
		at := time.Duration(i) * time.Second
		frames = append(frames,
			frameAt{at, "linear", bookFrame("ABCUSDT", 5+i, fmt.Sprint(100+i))},
			frameAt{at, "linear", bookFrame("XYZUSDT", 5+i, fmt.Sprint(100-i))},
			frameAt{at, "linear", tradeFrame("ABCUSDT", i)},
			frameAt{at, "spot", tradeFrame("ABCUSDT", 100+i)})
	}
	return frames
}

// served is a replay behind an HTTP server in memory.
type replayServer struct {
	*Replay
	t      *testing.T
	listen *memnet.Listener
}

func serve(t *testing.T, frames []frameAt, opts *ReplayOptions) *replayServer {
	t.Helper()
	return serveDir(t, record(t, frames), opts)
}

func serveDir(t *testing.T, dir string, opts *ReplayOptions) *replayServer {
	t.Helper()
	p, err := NewReplay(openReader(t, dir), opts)
	if err != nil {
		t.Fatal(err)
	}
	listen := memnet.Listen("replay")
	server := &http.Server{Handler: p}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := server.Serve(listen); !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	}()
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		<-ended
	})
	return &replayServer{Replay: p, t: t, listen: listen}
}

// follower is a client that keeps every frame with the time it came. Its fields
// may be read when done is closed.
type follower struct {
	t    *testing.T
	conn *wsclient.Conn
	end  error
	done chan struct{}

	mu   sync.Mutex      // guards the fields below while frames come
	data []string        // data frames
	at   []time.Duration // since the bubble's start
	acks []string
}

// sofar waits until everybody waits, and returns the data frames until then.
func (f *follower) sofar() []string {
	synctest.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.data)
}

var bubbleStart = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func (s *replayServer) dial(channel string) *follower {
	s.t.Helper()
	return s.dialPath("/v5/public/" + channel)
}

func (s *replayServer) dialPath(path string) *follower {
	s.t.Helper()
	conn, err := wsclient.Dial(context.Background(), &wsclient.Config{URL: "ws://replay" + path, DialContext: s.listen.Dial})
	if err != nil {
		s.t.Fatal(err)
	}
	f := &follower{t: s.t, conn: conn, done: make(chan struct{})}
	s.t.Cleanup(func() { conn.Abort(io.ErrClosedPipe); conn.Wait() })
	go f.read()
	return f
}

// get returns the HTTP status of a handshake that is refused.
func (s *replayServer) get(path string) int {
	s.t.Helper()
	_, err := wsclient.Dial(context.Background(), &wsclient.Config{URL: "ws://replay" + path, DialContext: s.listen.Dial})
	refused, ok := errors.AsType[*wsclient.HandshakeError](err)
	if !ok {
		s.t.Fatalf("%s: %v, want a refusal", path, err)
	}
	return refused.Status
}

func (f *follower) read() {
	defer close(f.done)
	for {
		frame, err := f.conn.Next()
		if err != nil {
			f.end = err
			return
		}
		f.keep(string(frame))
	}
}

func (f *follower) keep(frame string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !strings.HasPrefix(frame, `{"topic"`) {
		f.acks = append(f.acks, frame)
		return
	}
	f.data = append(f.data, frame)
	f.at = append(f.at, time.Since(bubbleStart))
}

func (f *follower) send(op string, topics ...string) {
	f.t.Helper()
	frame := `{"op":"` + op + `","args":["` + strings.Join(topics, `","`) + `"]}`
	if err := f.conn.Send([]byte(frame)); err != nil {
		f.t.Fatal(err)
	}
}

// ended waits for the server's close frame and checks it.
func (f *follower) ended(code int, reason string) {
	f.t.Helper()
	<-f.done
	closed, ok := errors.AsType[*wsclient.CloseError](f.end)
	if !ok || closed.Code != code || closed.Reason != reason {
		f.t.Errorf("ended with %v, want close %d %s", f.end, code, reason)
	}
}

func of(frames []frameAt, channel string, topics ...string) []string {
	var out []string
	for _, f := range frames {
		if f.channel == channel && slices.ContainsFunc(topics, func(t string) bool { return strings.Contains(f.data, `"`+t+`"`) }) {
			out = append(out, f.data)
		}
	}
	return out
}

// TestReplayDeliversAll checks that whoever subscribes first gets every frame of
// its topics once, in order, byte for byte, and then the end.
func TestReplayDeliversAll(t *testing.T) {
	for _, max := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			frames := twoBooks()
			s := serve(t, frames, &ReplayOptions{Max: max})
			linear := s.dial("linear")
			linear.send("subscribe", "publicTrade.ABCUSDT", "orderbook.50.XYZUSDT", "orderbook.50.ABCUSDT")
			linear.ended(1000, EndOfCapture)
			wantLines(t, linear.data, of(frames, "linear", "orderbook.50.ABCUSDT", "orderbook.50.XYZUSDT", "publicTrade.ABCUSDT"))
			if len(linear.acks) != 1 || !strings.Contains(linear.acks[0], `"success":true`) {
				t.Errorf("acks %q", linear.acks)
			}
			<-s.Done()
			if s.Err() != nil {
				t.Error(s.Err())
			}
			size := int64(len(strings.Join(linear.data, "")))
			if got, want := s.Stats(), (ReplayStats{Published: 24, Sent: 18, SentBytes: size}); got != want {
				t.Errorf("stats %+v, want %+v", got, want)
			}
		})
	}
}

// TestReplayPace checks that the clock starts with the first subscription and
// that frames are as far apart as they were recorded, divided by the speed.
func TestReplayPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, twoBooks(), &ReplayOptions{Speed: 4, AckDelay: -1})
		f := s.dial("spot")
		time.Sleep(time.Minute)
		f.send("subscribe", "publicTrade.ABCUSDT")
		f.ended(1000, EndOfCapture)
		if len(f.at) != 6 {
			t.Fatalf("%d frames", len(f.at))
		}
		for i, at := range f.at {
			if want := time.Minute + time.Duration(i)*250*time.Millisecond; at != want {
				t.Errorf("frame %d after %s, want %s", i, at, want)
			}
		}
	})
}

// TestReplayLate checks that a late subscriber gets a snapshot of each book as
// it is, all of one request at the same moment, and then consecutive updates;
// and that leaving a topic ends its frames.
func TestReplayLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		frames := twoBooks()
		s := serve(t, frames, &ReplayOptions{StartNow: true, AckDelay: -1})
		time.Sleep(2500 * time.Millisecond)
		f := s.dial("linear")
		f.send("subscribe", "orderbook.50.XYZUSDT", "orderbook.50.ABCUSDT", "publicTrade.ABCUSDT")
		time.Sleep(time.Second)
		f.send("unsubscribe", "publicTrade.ABCUSDT", "orderbook.50.XYZUSDT")
		f.ended(1000, EndOfCapture)
		want := []string{
			`{"topic":"orderbook.50.XYZUSDT","type":"snapshot","ts":7000,"data":{"s":"XYZUSDT","b":[["100","5"],["99","6"],["98","7"]],"a":[["200","1"]],"u":7,"seq":70},"cts":6999}`,
			`{"topic":"orderbook.50.ABCUSDT","type":"snapshot","ts":7000,"data":{"s":"ABCUSDT","b":[["102","7"],["101","6"],["100","5"]],"a":[["200","1"]],"u":7,"seq":70},"cts":6999}`,
		}
		want = append(want, of(frames[12:16], "linear", "orderbook.50.ABCUSDT", "orderbook.50.XYZUSDT", "publicTrade.ABCUSDT")...)
		want = append(want, of(frames[16:], "linear", "orderbook.50.ABCUSDT")...)
		wantLines(t, f.data, want)
	})
}

// TestReplayFrom checks that a replay from the middle begins with the books as
// they were there.
func TestReplayFrom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		frames := twoBooks()
		s := serve(t, frames, &ReplayOptions{Max: true, From: begun.Add(2500 * time.Millisecond), To: begun.Add(4500 * time.Millisecond)})
		f := s.dial("linear")
		f.send("subscribe", "orderbook.50.ABCUSDT")
		f.ended(1000, EndOfCapture)
		want := []string{`{"topic":"orderbook.50.ABCUSDT","type":"snapshot","ts":7000,"data":{"s":"ABCUSDT","b":[["102","7"],["101","6"],["100","5"]],"a":[["200","1"]],"u":7,"seq":70},"cts":6999}`}
		wantLines(t, f.data, append(want, of(frames[12:20], "linear", "orderbook.50.ABCUSDT")...))
	})
}

// TestReplayTicker checks that a late subscriber to a ticker gets all that is
// known of it, not only the last change.
func TestReplayTicker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, []frameAt{
			{0, "linear", `{"topic":"tickers.ABCUSDT","type":"snapshot","data":{"symbol":"ABCUSDT","lastPrice":"1.50","markPrice":"1.6"},"cs":1,"ts":1000}`},
			{time.Second, "linear", `{"topic":"tickers.ABCUSDT","type":"delta","data":{"symbol":"ABCUSDT","markPrice":"1.7"},"cs":2,"ts":2000}`},
			{3 * time.Second, "linear", `{"topic":"tickers.ABCUSDT","type":"delta","data":{"symbol":"ABCUSDT","lastPrice":"1.8"},"cs":3,"ts":3000}`},
		}, &ReplayOptions{StartNow: true, AckDelay: -1})
		time.Sleep(2 * time.Second)
		f := s.dial("linear")
		f.send("subscribe", "tickers.ABCUSDT")
		f.ended(1000, EndOfCapture)
		wantLines(t, f.data, []string{
			`{"topic":"tickers.ABCUSDT","type":"snapshot","data":{"symbol":"ABCUSDT","lastPrice":"1.50","markPrice":"1.7"},"cs":2,"ts":2000}`,
			`{"topic":"tickers.ABCUSDT","type":"delta","data":{"symbol":"ABCUSDT","lastPrice":"1.8"},"cs":3,"ts":3000}`,
		})
	})
}

// TestReplayLoop checks that the capture begins anew after its end.
func TestReplayLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		frames := twoBooks()
		s := serve(t, frames, &ReplayOptions{Loop: true, AckDelay: -1})
		f := s.dial("linear")
		f.send("subscribe", "orderbook.50.ABCUSDT")
		time.Sleep(5*time.Second + 500*time.Millisecond)
		once := of(frames, "linear", "orderbook.50.ABCUSDT")
		wantLines(t, f.sofar(), append(slices.Clone(once), once[0]))
		time.Sleep(5 * time.Second)
		wantLines(t, f.sofar(), append(append(slices.Clone(once), once...), once[0]))
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		f.ended(1001, "replay stopped")
	})
}

// TestReplaySlowestSetsThePace checks that at full speed a client that stops
// reading for a while loses nothing, and neither does the other.
func TestReplaySlowestSetsThePace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var frames []frameAt
		filler := strings.Repeat("x", 16<<10)
		for i := range 1000 {
			frames = append(frames, frameAt{0, "linear", fmt.Sprintf(`{"topic":"future.topic","ts":%d,"data":"%s"}`, i, filler)})
		}
		s := serve(t, frames, &ReplayOptions{Max: true, AckDelay: -1})
		slow, err := wsclient.Dial(context.Background(), &wsclient.Config{URL: "ws://replay/v5/public/linear", DialContext: s.listen.Dial})
		if err != nil {
			t.Fatal(err)
		}
		defer slow.Wait()
		if err := slow.Send([]byte(`{"op":"subscribe","args":["future.topic"]}`)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		f := s.dial("linear")
		f.send("subscribe", "future.topic")
		time.Sleep(time.Minute)
		if n := len(f.sofar()); n > 900 {
			t.Errorf("%d frames delivered while a subscriber stands still", n)
		}
		got := 0
		for {
			frame, err := slow.Next()
			if err != nil {
				break
			}
			if strings.HasPrefix(string(frame), `{"topic"`) {
				if string(frame) != frames[got].data {
					t.Fatalf("frame %d is %.60s", got, frame)
				}
				got++
			}
		}
		if got != len(frames) {
			t.Errorf("%d frames of %d", got, len(frames))
		}
		f.ended(1000, EndOfCapture)
		first := len(frames) - len(f.data)
		for i, data := range f.data {
			if data != frames[first+i].data {
				t.Fatalf("the late one's frame %d is %.60s", i, data)
			}
		}
	})
}

// TestReplayRefuses checks what a client is told that asks for what the
// capture does not have.
func TestReplayRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, twoBooks(), nil)
		f := s.dial("linear")
		f.send("subscribe", "orderbook.50.ABCUSDT", "orderbook.50.NONEUSDT")
		time.Sleep(time.Second)
		if len(f.sofar()) != 0 || len(f.acks) != 1 || !strings.Contains(f.acks[0], `"success":false,"ret_msg":"error:handler not found,topic:orderbook.50.NONEUSDT"`) {
			t.Errorf("data %q, acks %q", f.data, f.acks)
		}
		_, err := wsclient.Dial(context.Background(), &wsclient.Config{URL: "ws://replay/v5/public/inverse", DialContext: s.listen.Dial})
		refused, ok := errors.AsType[*wsclient.HandshakeError](err)
		if !ok || refused.Status != http.StatusNotFound || !strings.Contains(refused.Body, "no /v5/public/inverse in this capture; it has /v5/public/linear, /v5/public/spot") {
			t.Errorf("inverse: %v", err)
		}
		topics, complete := s.Topics()
		wantLines(t, topics, []string{"linear orderbook.50.ABCUSDT", "linear orderbook.50.XYZUSDT", "linear publicTrade.ABCUSDT", "spot publicTrade.ABCUSDT"})
		if !complete {
			t.Error("topics are not complete")
		}
	})
	if _, err := NewReplay(openReader(t, record(t, []frameAt{{0, "linear", `{"op":"pong"}`}})), nil); err == nil {
		t.Error("a capture without data messages can be replayed")
	}
}
