package capture

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bywire/bywire/internal/wsclient"
)

func TestReplaySpeeds(t *testing.T) {
	for _, speed := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1} {
		if _, err := NewReplay(openReader(t, record(t, twoBooks())), &ReplayOptions{Speed: speed}); err == nil {
			t.Errorf("speed %v is taken", speed)
		}
	}
	for _, test := range []struct {
		speed float64
		want  int // frames after five minutes
	}{{1e-300, 1}, {1e-9, 1}, {math.MaxFloat64, 6}} {
		synctest.Test(t, func(t *testing.T) {
			s := serve(t, twoBooks(), &ReplayOptions{Speed: test.speed, AckDelay: -1})
			f := s.dial("spot")
			f.send("subscribe", "publicTrade.ABCUSDT")
			time.Sleep(5 * time.Minute)
			if n := len(f.sofar()); n != test.want {
				t.Errorf("speed %v: %d frames, want %d", test.speed, n, test.want)
			}
		})
	}
}

// TestReplayClock checks when frames are due whose recorded times step.
func TestReplayClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c clock
		start := time.Now()
		for i, step := range []struct{ recorded, want float64 }{
			{100, 0}, {104, 2}, {103.9, 1.95}, {105, 2.5}, // a little back: due already
			{50, 2.5}, {50.5, 2.75}, {52, 3.5}, // set back: goes on from there
			{3652, 1803.5}, // an hour of silence
		} {
			received := begun.Add(time.Duration(step.recorded * float64(time.Second)))
			if got := c.due(received, 2).Sub(start).Seconds(); math.Abs(got-step.want) > 1e-6 {
				t.Errorf("frame %d is due after %v s, want %v", i, got, step.want)
			}
		}
	})
}

// TestReplayLateFramesAnswer checks that a replay that is behind its time still
// answers requests.
func TestReplayLateFramesAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &player{Replay: &Replay{ctx: t.Context(), requests: make(chan func())}, started: true}
		answered := 0
		for range 3 {
			go func() { p.requests <- func() { answered++ } }()
		}
		synctest.Wait()
		if err := p.answerUntil(time.Now().Add(-time.Hour)); err != nil || answered != 3 {
			t.Errorf("%d answered, %v", answered, err)
		}
	})
}

// TestReplayWindowIsWhole checks that a clock that stepped back makes no hole in
// what From and To select.
func TestReplayWindowIsWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		frames := twoBooks()[:20:20]
		frames[8].at, frames[12].at = 3*time.Second, 2*time.Second // u of 7 and 8 of ABCUSDT
		s := serve(t, frames, &ReplayOptions{Max: true, From: begun.Add(2500 * time.Millisecond), To: begun.Add(4 * time.Second)})
		f := s.dial("linear")
		f.send("subscribe", "orderbook.50.ABCUSDT")
		f.ended(1000, EndOfCapture)
		var ids []string
		for _, data := range f.data {
			_, rest, _ := strings.Cut(data, `"u":`)
			id, _, _ := strings.Cut(rest, ",")
			ids = append(ids, id)
		}
		wantLines(t, ids, []string{"6", "7", "8"}) // the snapshot where it begins, then what follows
	})
	for _, opts := range []ReplayOptions{
		{From: begun.Add(time.Hour)}, {To: begun}, {From: begun.Add(4 * time.Second), To: begun.Add(2 * time.Second)},
		{Loop: true, From: begun.Add(time.Second + 1), To: begun.Add(time.Second + 2)},
	} {
		if _, err := NewReplay(openReader(t, record(t, twoBooks())), &opts); err == nil || !strings.Contains(err.Error(), "no public message in the capture between the given times") {
			t.Errorf("%v to %v: %v", opts.From, opts.To, err)
		}
	}
}

// TestReplayLoopFrom checks that subscribers get the books as they were at From
// with each pass, so that `u` goes on from there.
func TestReplayLoopFrom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		frames := twoBooks()
		s := serve(t, frames, &ReplayOptions{Loop: true, AckDelay: -1, From: begun.Add(3 * time.Second), To: begun.Add(5 * time.Second)})
		f := s.dial("linear")
		f.send("subscribe", "orderbook.50.ABCUSDT")
		time.Sleep(2500 * time.Millisecond)
		pass := append([]string{
			`{"topic":"orderbook.50.ABCUSDT","type":"snapshot","ts":7000,"data":{"s":"ABCUSDT","b":[["102","7"],["101","6"],["100","5"]],"a":[["200","1"]],"u":7,"seq":70},"cts":6999}`,
		}, of(frames[12:20], "linear", "orderbook.50.ABCUSDT")...)
		wantLines(t, f.sofar(), slices.Concat(pass, pass, pass[:2]))
	})
}

// TestReplayLoopRests checks that a loop neither floods its subscribers with one
// moment nor turns without any.
func TestReplayLoopRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, twoBooks()[:4], &ReplayOptions{Loop: true, AckDelay: -1})
		f := s.dial("spot")
		f.send("subscribe", "publicTrade.ABCUSDT")
		time.Sleep(time.Second + time.Millisecond)
		if n := len(f.sofar()); n != 11 {
			t.Errorf("%d frames in a second", n)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, twoBooks(), &ReplayOptions{Loop: true, Max: true, AckDelay: -1})
		for range 2 { // the second one finds the loop at rest, and sets it going
			conn, err := wsclient.Dial(context.Background(), &wsclient.Config{URL: "ws://replay/v5/public/spot", DialContext: s.listen.Dial})
			if err != nil {
				t.Fatal(err)
			}
			if err := conn.Send([]byte(`{"op":"subscribe","args":["publicTrade.ABCUSDT"]}`)); err != nil {
				t.Fatal(err)
			}
			for range 100 {
				if _, err := conn.Next(); err != nil {
					t.Fatal(err)
				}
			}
			conn.Abort(io.ErrClosedPipe)
			conn.Wait()
			time.Sleep(time.Minute)
			synctest.Wait() // would wait for ever for a loop that turns
		}
	})
}

// TestReplayTwoConnections checks that an order book that two connections carried
// at once has no repeats, and that the book at the end is known.
func TestReplayTwoConnections(t *testing.T) {
	const topic = "orderbook.50.ABCUSDT"
	lines := []string{
		"1 linear " + messageOf(topic, "snapshot", "9", 5), "1 linear " + messageOf(topic, "delta", "8", 6),
		"2 linear " + messageOf(topic, "snapshot", "9", 6), "1 linear " + messageOf(topic, "delta", "8", 7),
		"2 linear " + messageOf(topic, "delta", "8", 7), "2 linear " + messageOf(topic, "delta", "8", 8),
		"1 linear " + messageOf(topic, "delta", "8", 8), "2 linear " + messageOf(topic, "delta", "8", 9),
	}
	synctest.Test(t, func(t *testing.T) {
		s := serveDir(t, recordOn(t, lines...), &ReplayOptions{AckDelay: -1})
		f := s.dial("linear")
		f.send("subscribe", topic)
		time.Sleep(6500 * time.Millisecond)
		late := s.dial("linear")
		late.send("subscribe", topic)
		f.ended(1000, EndOfCapture)
		<-late.done
		var want []string
		for _, i := range []int{0, 1, 2, 3, 5, 7} {
			want = append(want, lines[i][len("1 linear "):])
		}
		wantLines(t, f.data, want)
		if len(late.data) != 2 || !strings.Contains(late.data[0], `"snapshot"`) || !strings.Contains(late.data[0], `"u":8`) || late.data[1] != want[5] {
			t.Errorf("late: %q", late.data)
		}
	})
}

// TestReplaySnapshots checks what a late subscriber is told of topics of every
// kind: depth 1, RPI, options with their id, and nothing where nothing is known.
func TestReplaySnapshots(t *testing.T) {
	const id = `{"topic":"orderbook.25.BTC-30DEC27-70000-C","ts":2,"type":"delta","id":"m2","data":{"s":"BTC-30DEC27-70000-C","b":[["8","1"]],"a":[],"u":6,"seq":60},"cts":1}`
	for _, test := range []struct {
		channel, topic string
		frames         []string
		want           string // "" if there is no snapshot
	}{
		{"linear", "orderbook.1.ABCUSDT", []string{
			`{"topic":"orderbook.1.ABCUSDT","ts":1,"type":"snapshot","data":{"s":"ABCUSDT","b":[["9","1"]],"a":[],"u":5,"seq":50},"cts":1}`,
			`{"topic":"orderbook.1.ABCUSDT","ts":2,"type":"snapshot","data":{"s":"ABCUSDT","b":[["8","1"]],"a":[],"u":5,"seq":50},"cts":1}`,
		}, `{"topic":"orderbook.1.ABCUSDT","ts":2,"type":"snapshot","data":{"s":"ABCUSDT","b":[["8","1"]],"a":[],"u":5,"seq":50},"cts":1}`},
		{"linear", "orderbook.rpi.ABCUSDT", []string{
			`{"topic":"orderbook.rpi.ABCUSDT","type":"snapshot","ts":1,"data":{"s":"ABCUSDT","b":[["9","1","2"]],"a":[],"u":5,"seq":50},"cts":1}`,
			`{"topic":"orderbook.rpi.ABCUSDT","type":"delta","ts":2,"data":{"s":"ABCUSDT","b":[["8","0","3"]],"a":[["7","0","1"]],"u":6,"seq":60},"cts":1}`,
		}, `{"topic":"orderbook.rpi.ABCUSDT","type":"snapshot","ts":2,"data":{"s":"ABCUSDT","b":[["9","1","2"],["8","0","3"]],"a":[["7","0","1"]],"u":6,"seq":60},"cts":1}`},
		{"option", "orderbook.25.BTC-30DEC27-70000-C", []string{
			strings.NewReplacer("delta", "snapshot", "m2", "m1", `"u":6`, `"u":5`, `["8"`, `["9"`).Replace(id), id,
		}, strings.NewReplacer("delta", "snapshot", `["8"`, `["9","1"],["8"`).Replace(id)},
		{"linear", "orderbook.full.ABCUSDT", []string{messageOf("orderbook.full.ABCUSDT", "delta", "9", 5), messageOf("orderbook.full.ABCUSDT", "delta", "9", 6)}, ""},
		{"linear", "orderbook.50.ABCUSDT", []string{messageOf("orderbook.50.ABCUSDT", "snapshot", "9", 5), messageOf("orderbook.50.ABCUSDT", "delta", "9", 7)}, ""},
		{"linear", "orderbook.50.ABCUSDT", []string{messageOf("orderbook.50.ABCUSDT", "snapshot", "9", 5), `{"topic":"orderbook.50.ABCUSDT","type":"delta"`}, ""},
		{"linear", "orderbook.50.ABCUSDT", []string{messageOf("orderbook.50.ABCUSDT", "delta", "9", 5), messageOf("orderbook.50.ABCUSDT", "delta", "9", 6)}, ""},
		{"linear", "kline.1.ABCUSDT", []string{`{"topic":"kline.1.ABCUSDT","ts":1,"data":[]}`}, ""},
		{"/odd path/v9", "future.x", []string{`{"topic":"future.x"}`}, ""},
	} {
		t.Run(test.topic, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var frames []frameAt
				for i, frame := range test.frames {
					frames = append(frames, frameAt{time.Duration(i) * time.Second, test.channel, frame})
				}
				frames = append(frames, frameAt{time.Minute, test.channel, `{"topic":"future.end"}`})
				s := serve(t, frames, &ReplayOptions{StartNow: true, AckDelay: -1})
				time.Sleep(10 * time.Second)
				path := "/v5/public/" + test.channel
				if strings.HasPrefix(test.channel, "/") {
					path = strings.ReplaceAll(test.channel, " ", "%20")
				}
				f := s.dialPath(path)
				f.send("subscribe", test.topic)
				f.ended(1000, EndOfCapture)
				var want []string
				if test.want != "" {
					want = []string{test.want}
				}
				wantLines(t, f.data, want)
			})
		})
	}
}

// TestReplayChannels checks that a channel recorded by its path is the channel of
// that path, and that what no path leads to is not served.
func TestReplayChannels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, []frameAt{
			{0, "/v5/public/linear", tradeFrame("ABCUSDT", 1)}, {0, "/v5/private", `{"topic":"order","data":[]}`}, {0, "private", `{"topic":"order","data":[]}`},
			{0, "", tradeFrame("XYZUSDT", 1)}, {0, "odd", tradeFrame("XYZUSDT", 2)}, {0, "linear", tradeFrame("ABCUSDT", 2)},
		}, &ReplayOptions{Max: true, AckDelay: -1})
		wantLines(t, s.Channels(), []string{"linear"})
		topics, _ := s.Topics()
		wantLines(t, topics, []string{"linear publicTrade.ABCUSDT"})
		f := s.dial("linear")
		f.send("subscribe", "publicTrade.ABCUSDT")
		f.ended(1000, EndOfCapture)
		wantLines(t, f.data, []string{tradeFrame("ABCUSDT", 1), tradeFrame("ABCUSDT", 2)})
	})
}

// TestReplaySubscribeAgain checks a topic that is left and taken up again, and
// two requests that follow each other at once.
func TestReplaySubscribeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		frames := twoBooks()
		s := serve(t, frames, &ReplayOptions{AckDelay: -1})
		f := s.dial("linear")
		f.send("subscribe", "orderbook.50.ABCUSDT")
		f.send("subscribe", "publicTrade.ABCUSDT")
		time.Sleep(1500 * time.Millisecond)
		f.send("unsubscribe", "orderbook.50.ABCUSDT", "publicTrade.ABCUSDT")
		time.Sleep(2 * time.Second)
		f.send("subscribe", "orderbook.50.ABCUSDT")
		f.ended(1000, EndOfCapture)
		books := of(frames, "linear", "orderbook.50.ABCUSDT")
		got := slices.DeleteFunc(f.data, func(d string) bool { return strings.Contains(d, "publicTrade") })
		wantLines(t, got, []string{
			books[0], books[1],
			`{"topic":"orderbook.50.ABCUSDT","type":"snapshot","ts":8000,"data":{"s":"ABCUSDT","b":[["103","8"],["102","7"],["101","6"],["100","5"]],"a":[["200","1"]],"u":8,"seq":80},"cts":7999}`,
			books[4], books[5],
		})
		if len(f.acks) != 4 {
			t.Errorf("acks %q", f.acks)
		}
	})
}

// TestReplayManySessions checks that a hundred sessions of one topic that join
// and leave at will all get what is theirs, and nothing is left running.
func TestReplayManySessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		frames := twoBooks()
		s := serve(t, frames, &ReplayOptions{Speed: 0.5})
		var followers []*follower
		for range 100 {
			followers = append(followers, s.dial("linear"))
		}
		for i, f := range followers {
			f.send("subscribe", "orderbook.50.ABCUSDT")
			if i%4 == 3 {
				f.conn.Abort(io.ErrClosedPipe) // while it waits for its answer
			}
		}
		time.Sleep(3 * time.Second)
		for i, f := range followers {
			if i%4 == 2 {
				f.conn.Close()
			}
		}
		books := of(frames, "linear", "orderbook.50.ABCUSDT")
		for i, f := range followers {
			<-f.done
			if i%4 < 2 {
				wantLines(t, f.data, books)
			}
		}
	})
}

// TestReplayClose checks Close before the first subscription, while a frame is
// awaited, and while a subscriber that does not read holds up the rest.
func TestReplayClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, twoBooks(), nil)
		f := s.dial("linear")
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		f.ended(1001, "replay stopped")
	})
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, twoBooks(), &ReplayOptions{Speed: 1e-6})
		f := s.dial("linear")
		f.send("subscribe", "orderbook.50.ABCUSDT")
		time.Sleep(time.Second)
		go s.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		f.ended(1001, "replay stopped")
		if status := s.get("/v5/public/linear"); status != http.StatusServiceUnavailable {
			t.Errorf("after Close: status %d", status)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		filler := strings.Repeat("x", 1<<20)
		var frames []frameAt
		for i := range 20 {
			frames = append(frames, frameAt{0, "linear", fmt.Sprintf(`{"topic":"future.topic","ts":%d,"data":"%s"}`, i, filler)})
		}
		s := serve(t, frames, &ReplayOptions{Max: true, AckDelay: -1})
		slow, err := wsclient.Dial(context.Background(), &wsclient.Config{URL: "ws://replay/v5/public/linear", DialContext: s.listen.Dial})
		if err != nil {
			t.Fatal(err)
		}
		defer slow.Wait()
		defer slow.Abort(io.ErrClosedPipe)
		if err := slow.Send([]byte(`{"op":"subscribe","args":["future.topic"]}`)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		waiting := s.dial("linear")
		waiting.send("subscribe", "future.topic")
		time.Sleep(time.Minute)
		before := time.Now()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if took := time.Since(before); took > 10*time.Second {
			t.Errorf("Close took %s", took)
		}
		<-waiting.done
	})
}

// TestReplayLateTopics checks that a capture too long to be looked over serves a
// topic that begins far inside, and one whose first messages are far inside.
func TestReplayLateTopics(t *testing.T) {
	dir := t.TempDir()
	w := openWriter(t, dir, nil)
	write := func(data string) {
		if err := w.Write(&Record{Kind: Frame, Conn: 1, Channel: "linear", Received: begun, Data: []byte(data)}); err != nil {
			t.Fatal(err)
		}
	}
	for range knownRecords + 1 {
		write(`{"op":"pong"}`)
	}
	write(tradeFrame("ABCUSDT", 1))
	for range knownRecords + 1 {
		write(`{"op":"pong"}`)
	}
	write(tradeFrame("XYZUSDT", 2))
	closeWriter(t, w)
	synctest.Test(t, func(t *testing.T) {
		s := serveDir(t, dir, &ReplayOptions{Max: true})
		if topics, complete := s.Topics(); complete || len(topics) != 1 {
			t.Errorf("topics %q, complete %v", topics, complete)
		}
		f := s.dial("linear")
		f.send("subscribe", "publicTrade.XYZUSDT")
		f.ended(1000, EndOfCapture)
		wantLines(t, f.data, []string{tradeFrame("XYZUSDT", 2)})
	})
}
