package main

import (
	"bytes"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bywire/bywire/capture"
)

// soakTime in the environment is how long TestRecordKeepsUp records, such as 10m.
const soakTime = "BYWIRE_SOAK"

const (
	soakRate    = 20_000 // messages a second
	soakSymbols = 50
	soakSeconds = 2 // of the capture that is looped
	// soakHeap is what the heap may grow by: the queue's memory, where the machine
	// is busy with other things too. Messages that are kept come to more than that
	// in three seconds.
	soakHeap = 16 << 20
)

// soakFrames are the messages of the looped capture: of each symbol a book that
// begins with a snapshot, and trades. The count of a book begins with 1, as after
// a restart of the venue's service, so that the loop leaves no gap.
func soakFrames() []string {
	levels := func(from, n, step int) string {
		var b strings.Builder
		for j := range n {
			if j > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, `["%d.%d","%d.%03d"]`, from+step*j/10, j%10, 1+j*from%97, j*37%1000)
		}
		return b.String()
	}
	var frames []string
	for i := range soakRate * soakSeconds {
		symbol, round := fmt.Sprintf("S%02dUSDT", i%soakSymbols), i/soakSymbols
		ts := 1700000000000 + int64(i)*1000/soakRate
		switch {
		case round == 0:
			frames = append(frames, fmt.Sprintf(`{"topic":"orderbook.50.%s","type":"snapshot","ts":%d,"data":{"s":"%[1]s","b":[%[3]s],"a":[%[4]s],"u":1,"seq":100},"cts":%[2]d}`,
				symbol, ts, levels(30000, 50, -10), levels(30001, 50, 10)))
		case round%4 == 0:
			frames = append(frames, tradeFrame(symbol, int64(i), ts))
		default:
			frames = append(frames, fmt.Sprintf(`{"topic":"orderbook.50.%s","type":"delta","ts":%d,"data":{"s":"%[1]s","b":[%[3]s],"a":[%[4]s],"u":%[5]d,"seq":%[6]d},"cts":%[2]d}`,
				symbol, ts, levels(30000-i%3, 5, -10), levels(30001+i%3, 4, 10), 1+round-round/4, 100+i))
		}
	}
	return frames
}

// soakCapture is the frames as a capture, received at an even pace.
func soakCapture(t *testing.T, frames []string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "loop")
	w, err := capture.OpenWriter(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i, f := range frames {
		rec := capture.Record{Kind: capture.Frame, Conn: 1, Channel: "linear", Received: begun.Add(time.Duration(i) * time.Second / soakRate), Data: []byte(f)}
		if err := w.Write(&rec); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// A recorder keeps up with 20,000 messages a second from a looped replay: it
// loses none, and its memory stays what it was. It is a process of its own, so
// that what it takes can be told apart; its own metrics say how much.
//
// In the short form this takes four seconds. BYWIRE_SOAK=10m (make soak) is the
// long one, which also holds the replay to its rate.
func TestRecordKeepsUp(t *testing.T) {
	length, every := 4*time.Second, time.Second
	long := os.Getenv(soakTime) != ""
	if long {
		var err error
		if length, err = time.ParseDuration(os.Getenv(soakTime)); err != nil || length < 40*time.Second {
			t.Fatalf("%s=%s: give a duration of 40s or more, so that half of it has sealed a segment", soakTime, os.Getenv(soakTime))
		}
		every = min(length/4, time.Minute)
	}
	frames := soakFrames()
	reader, err := capture.OpenReader(soakCapture(t, frames))
	if err != nil {
		t.Fatal(err)
	}
	replay, err := capture.NewReplay(reader, &capture.ReplayOptions{Loop: true})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(replay)
	defer server.Close()
	to := filepath.Join(t.TempDir(), "rec")
	args := []string{"record", "--to", to, "--ws", "ws" + strings.TrimPrefix(server.URL, "http"), "--category", "linear", "--metrics", "127.0.0.1:0"}
	for i := range soakSymbols {
		args = append(args, fmt.Sprintf("orderbook.50.S%02dUSDT", i), fmt.Sprintf("publicTrade.S%02dUSDT", i))
	}
	p := startProcess(t, args...)
	addr := strings.TrimSuffix(p.stderr.await(t, "bywire: metrics on http://"), "/metrics")

	begun := time.Now()
	tick := time.NewTicker(every)
	defer tick.Stop()
	var heap []int64
	for range int(length / every) {
		<-tick.C
		m := metricsOf(t, addr)
		heap = append(heap, metric(t, m, "go_gc_heap_live_bytes"))
		took := time.Since(begun)
		t.Logf("%8s  sent %s  recorded %s  heap %s  rss %s  cpu %s of a core  queue %s  at risk %s records", took.Round(time.Second), grouped(replay.Stats().Sent),
			grouped(metric(t, m, "bywire_record_records_total")), byteCount(heap[len(heap)-1]), byteCount(metric(t, m, "process_resident_memory_bytes")),
			share(m["process_cpu_seconds_total"], took), byteCount(metric(t, m, `bywire_queue_bytes{channel="linear"}`)), m["bywire_record_at_risk_records"])
	}
	if err := replay.Close(); err != nil { // returns when the recorder has read everything
		t.Fatal(err)
	}
	took := time.Since(begun)
	sent := replay.Stats().Sent
	if err := p.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(); p.ProcessState.ExitCode() != exitInterrupted {
		t.Fatalf("record ends with %v: %s", err, p.stderr)
	}
	got, gaps := checkLoop(t, to, frames)
	rate := sent * int64(time.Second) / int64(took)
	t.Logf("%s: sent %s (%s/s), recorded %s, lost %s; capture of %s", took.Round(time.Millisecond), grouped(sent), grouped(rate), grouped(got), grouped(sent-got), byteCount(folderBytes(to)))
	if got != sent || gaps != 0 {
		t.Errorf("sent %d messages, recorded %d with %d gaps between", sent, got, gaps)
	}
	first, last := heap[0], heap[len(heap)-1]
	if long {
		first = heap[len(heap)/2-1] // sealing a segment takes its part from then on
	}
	if last > first+first/4+soakHeap {
		t.Errorf("the heap has grown from %s to %s", byteCount(first), byteCount(last))
	}
	if long && rate < soakRate*95/100 {
		t.Errorf("the replay has sent %d messages a second, want %d", rate, soakRate)
	}
}

// checkLoop reads a recording of looped frames: how many there are, each in its
// place, and how many gaps before the last one.
func checkLoop(t *testing.T, dir string, frames []string) (n int64, gaps int) {
	t.Helper()
	r, err := capture.OpenReader(dir)
	if err != nil {
		t.Fatal(err)
	}
	after := 0
	for rec, err := range r.Records(time.Time{}, time.Time{}) {
		if err != nil {
			t.Fatal(err)
		}
		switch rec.Kind {
		case capture.Gap:
			after++
		case capture.Frame:
			gaps, after = gaps+after, 0
			if want := frames[n%int64(len(frames))]; !bytes.Equal(rec.Data, []byte(want)) {
				t.Fatalf("message %d is %s\nwant %s", n, rec.Data, want)
			}
			n++
		}
	}
	return n, gaps
}

// metric is a metric as a whole number.
func metric(t *testing.T, m map[string]string, name string) int64 {
	t.Helper()
	v, err := strconv.ParseFloat(m[name], 64)
	if err != nil {
		t.Fatalf("%s is %q", name, m[name])
	}
	return int64(v)
}

// share is seconds of a time, as a percentage.
func share(seconds string, of time.Duration) string {
	v, err := strconv.ParseFloat(seconds, 64)
	if err != nil {
		return "?"
	}
	return fmt.Sprintf("%.1f %%", v/of.Seconds()*100)
}
