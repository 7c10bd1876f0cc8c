package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/bywire/bywire/capture"
)

// A recording of a replay is the capture that was replayed, frame for frame.
func TestRecordEqualsWhatIsReplayed(t *testing.T) {
	t.Parallel()
	var frames []string
	for i, f := range bookFrames("BTCUSDT", 4000, 1) {
		frames = append(frames, f)
		if i%3 == 0 {
			frames = append(frames, tradeFrame("BTCUSDT", int64(i), 1700000000000+int64(i)))
		}
	}
	dir := captureOf(t, "linear", frames)
	want, _ := recorded(t, dir)
	r := startReplay(t, dir, "--speed", "max")
	to := filepath.Join(t.TempDir(), "rec")
	o := bywire(t, "record", "--to", to, "--ws", r.ws, "--category", "linear", "orderbook.50.BTCUSDT", "publicTrade.BTCUSDT").want(t, exitOK)
	r.end(t).want(t, exitOK)
	got, others := recorded(t, to)
	if len(want) != 2 || len(got) != 2 {
		t.Fatalf("%d topics, want %d, and 2 of them", len(got), len(want))
	}
	for key := range want {
		wantFrames(t, key, got[key], want[key])
	}
	if len(others) != 3 || !strings.HasPrefix(others[0], "note 0 recorded by bywire ") || others[1] != "connect 1 " || others[2] != "disconnect 1 end of capture" {
		t.Errorf("other records: %q", others)
	}
	if !strings.HasPrefix(o.stderr, "bywire: recorded 5,335 messages of 2 topics in ") || !strings.Contains(o.stderr, ", 0 gaps; "+to+" holds ") || o.stdout != "" {
		t.Errorf("record says %q and prints %q", o.stderr, o.stdout)
	}
	bywire(t, "capture", "verify", to).want(t, exitOK)
}

// Topics of several channels go into one capture of several segments, in the
// order of each topic.
func TestRecordManyChannels(t *testing.T) {
	t.Parallel()
	s := startScripted(t)
	to := filepath.Join(t.TempDir(), "rec")
	rec := startRecord(t, to, nil, "--ws", s.ws, "--segment-size", "1",
		"orderbook.50.BTCUSDT", "linear:publicTrade.BTCUSDT", "spot:publicTrade.BTCUSDT", "publicTrade.BTCUSD", "trade.BTCUSD")
	s.await(1, "linear orderbook.50.BTCUSDT", "linear publicTrade.BTCUSDT", "spot publicTrade.BTCUSDT", "inverse publicTrade.BTCUSD")
	want := make(map[string][]string)
	send := func(channel, topic, frame string) {
		s.publish(channel, frame)
		want[channel+" "+topic] = append(want[channel+" "+topic], frame)
	}
	for i, f := range bookFrames("BTCUSDT", 6000, 1) {
		at := 1700000000000 + int64(i)
		send("linear", "orderbook.50.BTCUSDT", f)
		send("linear", "publicTrade.BTCUSDT", tradeFrame("BTCUSDT", int64(i), at))
		send("spot", "publicTrade.BTCUSDT", tradeFrame("BTCUSDT", int64(-i), at))
		send("inverse", "publicTrade.BTCUSD", tradeFrame("BTCUSD", int64(i), at))
	}
	s.finish()
	o := rec.end().want(t, exitOK)
	const said = "bywire: trade.BTCUSD is a retired name: taking publicTrade.BTCUSD on inverse\n" +
		"bywire: taking orderbook.50.BTCUSDT on linear; spot:orderbook.50.BTCUSDT is the other\n"
	if !strings.HasPrefix(o.stderr, said) {
		t.Errorf("record says %q", o.stderr)
	}
	got, _ := recorded(t, to)
	if len(got) != len(want) {
		t.Errorf("%d topics, want %d", len(got), len(want))
	}
	for key := range want {
		wantFrames(t, key, got[key], want[key])
	}
	info := bywire(t, "capture", "info", to, "-o", "json").want(t, exitOK).stdout
	if n := strings.Count(info, `"sealed": true`); n < 4 {
		t.Errorf("%d sealed segments, want several: %s", n, info)
	}
	bywire(t, "capture", "verify", to).want(t, exitOK)
}

// A lost connection is a gap per topic, in its place; later frames are complete,
// and so is the next run in the same folder.
func TestRecordSurvivesDisconnects(t *testing.T) {
	t.Parallel()
	s := startScripted(t)
	to := filepath.Join(t.TempDir(), "rec")
	args := []string{"--ws", s.ws, "--category", "linear", "orderbook.50.BTCUSDT", "publicTrade.BTCUSDT"}
	rec := startRecord(t, to, nil, args...)
	topics := []string{"linear orderbook.50.BTCUSDT", "linear publicTrade.BTCUSDT"}
	books := bookFrames("BTCUSDT", 100, 1)
	for n := range 3 {
		s.await(n+1, topics...)
		s.publish("linear", books...)
		s.publish("linear", tradeFrame("BTCUSDT", int64(n), 1))
		if n < 2 {
			s.hangUp(1001, "maintenance")
		}
	}
	s.finish()
	rec.end().want(t, exitDamage)
	got, others := recorded(t, to)
	wantFrames(t, topics[0], got[topics[0]], append(append(append([]string{}, books...), books...), books...))
	if n := len(got[topics[1]]); n != 3 {
		t.Errorf("%d trades, want 3", n)
	}
	text := strings.Join(others[1:], "\n")
	gap := regexp.MustCompile(`gap 1 (orderbook.50|publicTrade).BTCUSDT: disconnected: .*maintenance \(1001\)
gap 1 (orderbook.50|publicTrade).BTCUSDT: disconnected: .*maintenance \(1001\)
disconnect 1 .*maintenance \(1001\)
connect 2 
gap 2 .*
gap 2 .*
disconnect 2 .*
connect 3 
disconnect 3 end of capture$`)
	if !gap.MatchString(text) {
		t.Errorf("other records:\n%s", text)
	}
	// Nothing but the gaps is wrong with it.
	o := bywire(t, "capture", "verify", to).want(t, exitDamage)
	if o.stderr != "bywire: 4 places not recorded\n" {
		t.Errorf("verify says %q", o.stderr)
	}

	rec = startRecord(t, to, nil, args...)
	s.await(4, topics...)
	s.publish("linear", books...)
	s.finish()
	again := rec.end().want(t, exitOK)
	if !strings.HasPrefix(again.stderr, "bywire: going on with "+to+", which ends at ") {
		t.Errorf("the second run says %q", again.stderr)
	}
	got, others = recorded(t, to)
	if n := len(got[topics[0]]); n != 4*len(books) {
		t.Errorf("%d book frames after the second run, want %d", n, 4*len(books))
	}
	if n := len(others); n < 4 || !regexp.MustCompile(`^gap 0 not recorded from \S+ to \S+: no recorder was running$`).MatchString(others[n-4]) || others[n-2] != "connect 4 " {
		t.Errorf("other records of the second run: %q", others)
	}
}

// What cannot be decoded is recorded, and so are the deltas that a book with a
// hole in it has no use for.
func TestRecordKeepsEveryFrame(t *testing.T) {
	t.Parallel()
	s := startScripted(t)
	to := filepath.Join(t.TempDir(), "rec")
	rec := startRecord(t, to, nil, "--ws", s.ws, "--category", "linear", "orderbook.50.BTCUSDT", "publicTrade.BTCUSDT")
	s.await(1, "linear orderbook.50.BTCUSDT", "linear publicTrade.BTCUSDT")
	books := bookFrames("BTCUSDT", 40, 1)
	snapshot := strings.NewReplacer(`"u":10,`, `"u":30,`, `"seq":100}`, `"seq":120}`, "1700000000000", "1700000000020", "1699999999999", "1700000000019").Replace(books[0])
	broken := `{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1,"data":[{"p":"1..2"}]}`
	sent := slices.Concat(books[:5], books[8:21], []string{snapshot}, books[21:])
	// The first frame after the hole makes the recorder leave the topic and come
	// back: what is published between is for nobody.
	s.publish("linear", sent[:6]...)
	s.publish("linear", broken, tradeFrame("BTCUSDT", 1, 1))
	s.await(2, "linear orderbook.50.BTCUSDT") // for a new snapshot
	s.publish("linear", sent[6:]...)
	s.finish()
	o := rec.end().want(t, exitDamage)
	if !strings.Contains(o.stderr, "bywire: 1 gap and 1 undecodable frame in 41 messages\n") {
		t.Errorf("record says %q", o.stderr)
	}
	got, others := recorded(t, to)
	wantFrames(t, "book", got["linear orderbook.50.BTCUSDT"], sent)
	wantFrames(t, "trades", got["linear publicTrade.BTCUSDT"], []string{broken, tradeFrame("BTCUSDT", 1, 1)})
	if len(others) < 3 || !strings.HasPrefix(others[2], "gap 1 orderbook.50.BTCUSDT: book: ") {
		t.Errorf("other records: %q", others)
	}
}

func TestRecordNotesRefusals(t *testing.T) {
	t.Parallel()
	s := startScripted(t)
	to := filepath.Join(t.TempDir(), "rec")
	rec := startRecord(t, to, nil, "--ws", s.ws, "--category", "linear", "publicTrade.NONEUSDT", "publicTrade.BTCUSDT")
	s.await(1, "linear publicTrade.BTCUSDT")
	s.publish("linear", tradeFrame("BTCUSDT", 1, 1))
	s.finish()
	o := rec.end().want(t, exitRefused)
	if !strings.HasSuffix(o.stderr, "bywire: 1 topic refused by the exchange\n") {
		t.Errorf("record says %q", o.stderr)
	}
	if _, others := recorded(t, to); !strings.Contains(strings.Join(others, "\n"), "note 1 publicTrade.NONEUSDT: refused by the exchange: ") {
		t.Errorf("other records: %q", others)
	}
	none := bywire(t, "record", "--to", filepath.Join(t.TempDir(), "none"), "--ws", s.ws, "--category", "linear", "publicTrade.NONEUSDT").want(t, exitRefused)
	if want := "bywire: publicTrade.NONEUSDT: refused, " + s.ws + "/v5/public/linear has no such topic"; !strings.HasPrefix(none.stderr, want) {
		t.Errorf("all refused: %q, want %q", none.stderr, want)
	}
}

func TestRecordEndsAfterCountAndTime(t *testing.T) {
	t.Parallel()
	dir := captureOf(t, "linear", bookFrames("BTCUSDT", 6000, 5))
	r := startReplay(t, dir, "--ack-delay", "0")
	to := filepath.Join(t.TempDir(), "rec")
	args := []string{"record", "--to", to, "--ws", r.ws, "--category", "linear", "orderbook.50.BTCUSDT"}
	o := bywire(t, append(args, "--count", "25")...).want(t, exitOK)
	if got, _ := recorded(t, to); len(got["linear orderbook.50.BTCUSDT"]) != 25 || !strings.HasPrefix(o.stderr, "bywire: recorded 25 messages of 1 topic in ") {
		t.Errorf("--count 25 records %d messages, and says %q", len(got["linear orderbook.50.BTCUSDT"]), o.stderr)
	}
	begun := time.Now()
	bywire(t, append(args, "--for", "300ms")...).want(t, exitOK)
	if took := time.Since(begun); took < 300*time.Millisecond || took > 30*time.Second {
		t.Errorf("--for 300ms took %s", took)
	}
	if got, _ := recorded(t, to); len(got["linear orderbook.50.BTCUSDT"]) <= 25 {
		t.Error("--for 300ms records nothing")
	}
	r.stop(t)
}

// A signal ends a recording in order: with everything that was received, and a
// line that says so.
func TestInterruptEndsRecord(t *testing.T) {
	t.Parallel()
	s := startScripted(t)
	to := filepath.Join(t.TempDir(), "rec")
	var held heldWriter
	rec := startRecord(t, to, held.open, "--ws", s.ws, "--category", "linear", "orderbook.50.BTCUSDT")
	s.await(1, "linear orderbook.50.BTCUSDT")
	books := bookFrames("BTCUSDT", 500, 1)
	s.publish("linear", books...)
	<-held.reached // all but the first frames wait in the queue
	s.hangUp(1001, "the rest is on its way")
	rec.interrupt()
	close(held.release)
	o := rec.end().want(t, exitInterrupted)
	if !strings.HasPrefix(o.stderr, "bywire: recorded 501 messages of 1 topic in ") {
		t.Errorf("record says %q", o.stderr)
	}
	got, _ := recorded(t, to)
	wantFrames(t, "book", got["linear orderbook.50.BTCUSDT"], books)
}

// heldWriter is a disk that stands still from the first record on, until it is
// released.
type heldWriter struct {
	captureWriter
	reached, release chan struct{}
	waited           atomic.Bool
}

func (w *heldWriter) open(a *app) {
	w.reached, w.release = make(chan struct{}), make(chan struct{})
	inner := a.openWriter
	a.openWriter = func(dir string, opts *capture.WriterOptions) (captureWriter, error) {
		var err error
		w.captureWriter, err = inner(dir, opts)
		return w, err
	}
}

func (w *heldWriter) Write(r *capture.Record) error {
	if r.Kind == capture.Frame && !w.waited.Swap(true) {
		close(w.reached)
		<-w.release
	}
	return w.captureWriter.Write(r)
}

// A disk that stands still for long costs messages, and each topic's loss is on
// record with its number.
func TestRecordTellsWhatASlowDiskCost(t *testing.T) {
	t.Parallel()
	s := startScripted(t)
	to := filepath.Join(t.TempDir(), "rec")
	var held heldWriter
	rec := startRecord(t, to, held.open, "--ws", s.ws, "--category", "linear", "--wait=false", "--queue", "1", "publicTrade.BTCUSDT", "publicTrade.ETHUSDT")
	topics := []string{"linear publicTrade.BTCUSDT", "linear publicTrade.ETHUSDT"}
	s.await(1, topics...)
	const each = 10_000
	for i := range int64(each) {
		s.publish("linear", tradeFrame("BTCUSDT", i, i), tradeFrame("ETHUSDT", i, i))
	}
	<-held.reached
	s.finish() // when it returns, the recorder has read everything
	close(held.release)
	rec.end().want(t, exitDamage)
	got, others := recorded(t, to)
	for _, topic := range topics {
		_, name, _ := strings.Cut(topic, " ")
		dropped, gaps := 0, 0
		for _, text := range others {
			var n int
			if rest, ok := strings.CutPrefix(strings.ReplaceAll(text, ",", ""), "gap 1 "+name+": overflow "); ok {
				if _, err := fmt.Sscanf(rest, "%d", &n); err != nil {
					t.Fatalf("%s: %v", text, err)
				}
				dropped += n
				gaps++
			}
		}
		if have := len(got[topic]); gaps == 0 || have == 0 || have+dropped != each {
			t.Errorf("%s: %d recorded and %d dropped in %d gaps, want %d in all", topic, have, dropped, gaps, each)
		}
	}
}

// fullWriter is a disk that is full after some records.
type fullWriter struct {
	captureWriter
	left atomic.Int64
}

func (w *fullWriter) open(records int64) func(*app) {
	w.left.Store(records)
	return func(a *app) {
		inner := a.openWriter
		a.openWriter = func(dir string, opts *capture.WriterOptions) (captureWriter, error) {
			var err error
			w.captureWriter, err = inner(dir, opts)
			return w, err
		}
	}
}

func (w *fullWriter) Write(r *capture.Record) error {
	if w.left.Add(-1) < 0 {
		return &capture.WriteError{Segment: 1, Saved: w.Stats().Saved, Err: syscall.ENOSPC}
	}
	return w.captureWriter.Write(r)
}

// A full disk ends the recording at once: it says what was kept, what was kept
// reads, and the next run goes on there.
func TestRecordEndsWhenTheDiskIsFull(t *testing.T) {
	t.Parallel()
	s := startScripted(t)
	to := filepath.Join(t.TempDir(), "rec")
	var full fullWriter
	args := []string{"--ws", s.ws, "linear:orderbook.50.BTCUSDT", "spot:publicTrade.BTCUSDT"}
	rec := startRecord(t, to, full.open(302), args...) // a note and a connect are two of them
	s.await(1, "linear orderbook.50.BTCUSDT", "spot publicTrade.BTCUSDT")
	books := bookFrames("BTCUSDT", 1000, 1)
	s.publish("linear", books...)
	o := rec.end().want(t, exitOther)
	if want := "bywire: " + to + ": no space left on device: the recording has ended; "; strings.Count(o.stderr, "\n") != 1 || !strings.HasPrefix(o.stderr, want) {
		t.Errorf("record says %q, want %q", o.stderr, want)
	}
	got, _ := recorded(t, to)
	wantFrames(t, "book", got["linear orderbook.50.BTCUSDT"], books[:300])
	rec = startRecord(t, to, nil, args...)
	s.await(2, "linear orderbook.50.BTCUSDT", "spot publicTrade.BTCUSDT")
	s.publish("linear", books...)
	s.finish()
	rec.end().want(t, exitOK)
	got, _ = recorded(t, to)
	wantFrames(t, "book", got["linear orderbook.50.BTCUSDT"], append(books[:300:300], books...))
}

// The signal that ends a recording does not hide that the disk refused.
func TestDiskErrorIsNotHiddenByASignal(t *testing.T) {
	s := startScripted(t)
	rec := startRecord(t, filepath.Join(t.TempDir(), "rec"), func(a *app) {
		a.openWriter = func(dir string, opts *capture.WriterOptions) (captureWriter, error) {
			w, err := openWriter(dir, opts)
			return failsAtClose{w}, err
		}
	}, "--ws", s.ws, "publicTrade.BTCUSD")
	s.await(1, "inverse publicTrade.BTCUSD")
	rec.interrupt()
	if o := rec.end().want(t, exitOther); !strings.Contains(o.stderr, "input/output error: the recording has ended; ") {
		t.Errorf("record says %q", o.stderr)
	}
}

type failsAtClose struct{ captureWriter }

func (w failsAtClose) Close() error {
	return errors.Join(&capture.WriteError{Err: syscall.EIO}, w.captureWriter.Close())
}

func TestRecordMeasuresTheClock(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v5/market/time" {
			http.NotFound(w, r)
			return
		}
		now := time.Now().Add(time.Hour)
		fmt.Fprintf(w, `{"retCode":0,"retMsg":"OK","result":{"timeSecond":"%d","timeNano":"%d"},"retExtInfo":{},"time":%d}`, now.Unix(), now.UnixNano(), now.UnixMilli())
	}))
	defer server.Close()
	s := startScripted(t)
	to := filepath.Join(t.TempDir(), "rec")
	clocked := make(chan struct{})
	rec := startRecord(t, to, func(a *app) {
		a.openWriter = func(dir string, opts *capture.WriterOptions) (captureWriter, error) {
			w, err := openWriter(dir, opts)
			return &tellsClock{w, clocked}, err
		}
	}, "--ws", s.ws, "--rest", server.URL, "publicTrade.BTCUSD")
	<-clocked
	s.finish()
	rec.end().want(t, exitOK)
	r, err := capture.OpenReader(to)
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for rec, err := range r.Records(time.Time{}, time.Time{}) {
		if err != nil {
			t.Fatal(err)
		}
		if rec.Kind == capture.ClockOffset {
			found = true
			if offset, err := rec.Offset(); err != nil || offset < time.Hour-time.Minute || offset > time.Hour+time.Minute {
				t.Errorf("offset %s, %v; want an hour", offset, err)
			}
		}
	}
	if !found {
		t.Error("no clock offset in the capture")
	}
}

// An answer that is none of the venue's is no time.
func TestClockIsMeasuredFromAnswersOnly(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		status int
		body   string
		ok     bool
	}{
		{200, fmt.Sprintf(`{"result":{"timeNano":"%d"}}`, time.Now().UnixNano()), true},
		{200, fmt.Sprintf(`{"result":{},"time":%d}`, time.Now().UnixMilli()), true},
		{200, `{"result":{"timeNano":"0"}}`, false},
		{200, `{"result":{"timeNano":"-1"}}`, false},
		{200, `<html>log in</html>`, false},
		{502, fmt.Sprintf(`{"result":{"timeNano":"%d"}}`, time.Now().UnixNano()), false},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(tc.status)
			fmt.Fprint(w, tc.body)
		}))
		offset, _, err := measureClock(t.Context(), server.Client(), server.URL)
		if (err == nil) != tc.ok || err == nil && offset.Abs() > time.Minute {
			t.Errorf("%d %s: offset %s, %v; want one: %t", tc.status, tc.body, offset, err, tc.ok)
		}
		server.Close()
	}
}

// tellsClock says when a clock offset was written.
type tellsClock struct {
	captureWriter
	clocked chan struct{}
}

func (w *tellsClock) Write(r *capture.Record) error {
	err := w.captureWriter.Write(r)
	if r.Kind == capture.ClockOffset {
		close(w.clocked)
	}
	return err
}

func TestRecordWrongInput(t *testing.T) {
	t.Parallel()
	text := file(t, "frames.jsonl", "")
	locked := filepath.Join(t.TempDir(), "rec")
	w, err := capture.OpenWriter(locked, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"publicTrade.BTCUSD"}, "record: --to missing, the folder of the capture, like: bywire record --to rec publicTrade.BTCUSDT"},
		{[]string{"--to", "rec"}, "record: topic missing, like: bywire record --to rec orderbook.50.BTCUSDT spot:publicTrade.BTCUSDT"},
		{[]string{"--to", text, "t"}, "--to " + text + ": a file; a capture is a folder"},
		{[]string{"--to", locked, "publicTrade.BTCUSD"}, "--to " + locked + ": another recorder writes there; name another folder"},
		{[]string{"--to", "rec", "--segment-size", "0", "t"}, "--segment-size 0: give a number of MB from 1 on"},
		{[]string{"--to", "rec", "--segment-age", "1ms", "t"}, "--segment-age 1ms: give a duration of a second or more"},
		{[]string{"--to", "rec", "--count", "0", "t"}, "--count 0: give a number above 0"},
		{[]string{"--to", "rec", "--for", "0s", "t"}, "--for 0s: give a duration above 0, such as 10s"},
		{[]string{"--to", "rec", "--queue", "0", "t"}, "--queue 0: give a number of MB from 1 on"},
		{[]string{"--to", "rec", "publicTrade.ETHBTC"}, "publicTrade.ETHBTC: the name does not tell its category; write spot:publicTrade.ETHBTC, linear:publicTrade.ETHBTC or another before it"},
		{[]string{"--to", "rec", "swap:publicTrade.BTCUSD"}, "swap:publicTrade.BTCUSD: no such category before the colon; there are spot, linear, inverse, option, spread, rfq, status, finance"},
		{[]string{"--to", "rec", "--category", "linear", "spot:publicTrade.BTCUSDT"}, "spot:publicTrade.BTCUSDT and --category linear: give one of them"},
		{[]string{"--to", "rec", "spot:allLiquidation.BTCUSDT"}, "allLiquidation.BTCUSDT: spot has no allLiquidation topics; they are on linear, inverse"},
		{[]string{"--to", "rec", "order"}, "order is a private topic; bywire stream shows public data: bywire topics lists it"},
	} {
		o := bywire(t, append([]string{"record"}, tc.args...)...).want(t, exitUsage)
		if o.stderr != "bywire: "+tc.want+"\n" || o.stdout != "" {
			t.Errorf("%q says %q\nwant %q", tc.args, o.stderr, tc.want)
		}
	}
	under := filepath.Join(text, "rec") // which no system makes
	o := bywire(t, "record", "--to", under, "publicTrade.BTCUSD").want(t, exitOther)
	if want := "bywire: --to " + under + ": not a directory\n"; o.stderr != want {
		t.Errorf("a folder in a file: %q, want %q", o.stderr, want)
	}
}
