package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/capture"
	"github.com/bywire/bywire/exchange"
)

// fullMeter is a meter with every metric there is.
func fullMeter() *meter {
	m := newMeter(2)
	m.streams.add(m, "linear", func() bybit.StreamStats { return bybit.StreamStats{} })
	c := m.channel(bybit.Linear)
	topic := bybit.Trades("BTCUSDT")
	at := time.Unix(1700000000, 0)
	for _, ev := range []bybit.Event{
		&bybit.TradesEvent{TradesMessage: bybit.TradesMessage{Topic: topic, Time: at}, Received: at.Add(time.Second)},
		&bybit.GapEvent{Topic: topic, Reason: bybit.GapOverflow},
	} {
		h := headOf(ev)
		c.note(ev, &h)
	}
	clock := new(clockWatch)
	clock.known.Store(true)
	m.recorder(func() capture.WriterStats { return capture.WriterStats{} }, clock)
	m.replay(func() capture.ReplayStats { return capture.ReplayStats{} })
	m.exchange(func() exchange.Stats { return exchange.Stats{} })
	return m
}

// docs/metrics.md lists every metric, with its type and labels, and no other.
func TestMetricsAreDocumented(t *testing.T) {
	families, err := fullMeter().registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), "bywire_") {
			continue
		}
		var labels []string
		for _, l := range f.GetMetric()[0].GetLabel() {
			labels = append(labels, l.GetName())
		}
		have = append(have, fmt.Sprintf("%s %s %s", f.GetName(), strings.ToLower(f.GetType().String()), strings.Join(labels, ", ")))
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) < 5 || !strings.Contains(cells[1], "`bywire_") {
			continue
		}
		listed = append(listed, fmt.Sprintf("%s %s %s", strings.Trim(cells[1], " `"), strings.TrimSpace(cells[2]), strings.TrimSpace(cells[3])))
	}
	slices.Sort(have)
	slices.Sort(listed)
	if !slices.Equal(have, listed) {
		t.Errorf("served:\n%s\nlisted:\n%s", strings.Join(have, "\n"), strings.Join(listed, "\n"))
	}
}

// metricsOf asks for metrics and returns those of bywire, by name and labels.
func metricsOf(t *testing.T, addr string) map[string]string {
	t.Helper()
	resp, err := http.Get("http://" + addr + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	values := make(map[string]string)
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && name != "#" {
			values[name] = value
		}
	}
	return values
}

// wantMetrics compares some of the metrics.
func wantMetrics(t *testing.T, got map[string]string, want map[string]string) {
	t.Helper()
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s is %q, want %q", name, got[name], value)
		}
	}
}

func TestRecordServesMetrics(t *testing.T) {
	t.Parallel()
	s := startScripted(t)
	rec := startRecord(t, filepath.Join(t.TempDir(), "rec"), nil, "--ws", s.ws, "--category", "linear", "--metrics", "127.0.0.1:0",
		"orderbook.50.BTCUSDT", "publicTrade.BTCUSDT", "publicTrade.NONEUSDT")
	addr := strings.TrimSuffix(rec.stderr.await(t, "bywire: metrics on http://"), "/metrics")
	s.await(1, "linear orderbook.50.BTCUSDT", "linear publicTrade.BTCUSDT")
	s.publish("linear", bookFrames("BTCUSDT", 9, 1)...)
	s.publish("linear", tradeFrame("BTCUSDT", 1, time.Now().Add(time.Hour).UnixMilli()))
	s.hangUp(1001, "maintenance")
	s.await(2, "linear orderbook.50.BTCUSDT", "linear publicTrade.BTCUSDT")
	s.publish("linear", bookFrames("BTCUSDT", 0, 1)...)
	const arrived = `bywire_delay_seconds_count{channel="linear",topic="orderbook.50.BTCUSDT"}`
	got := metricsOf(t, addr)
	for bound := time.Now().Add(30 * time.Second); got[arrived] != "11" && time.Now().Before(bound); {
		got = metricsOf(t, addr)
	}
	got = metricsOf(t, addr) // one answer is not of one moment: the queue may have been read before the delays
	wantMetrics(t, got, map[string]string{
		arrived: "11",
		`bywire_delay_seconds_bucket{channel="linear",topic="orderbook.50.BTCUSDT",le="30"}`: "0", // frames of 2023
		`bywire_delay_seconds_count{channel="linear",topic="publicTrade.BTCUSDT"}`:           "0",
		`bywire_delay_negative_total{channel="linear",topic="publicTrade.BTCUSDT"}`:          "1",
		`bywire_gaps_total{channel="linear",reason="disconnected"}`:                          "2",
		`bywire_reconnects_total{channel="linear"}`:                                          "1",
		`bywire_rejected_topics{channel="linear"}`:                                           "1",
		`bywire_topics{channel="linear"}`:                                                    "2",
		`bywire_queue_bytes{channel="linear"}`:                                               "0",
		`bywire_undecoded_frames_total{channel="linear"}`:                                    "0",
	})
	if got["process_cpu_seconds_total"] == "" || got["go_gc_heap_live_bytes"] == "" || got["bywire_record_synced_bytes_total"] == "" {
		t.Errorf("no metrics of the process, of Go, or of the recorder: %v", got)
	}
	for _, path := range []string{"/", "/metrics/", "/debug/pprof/"} {
		resp, err := http.Get("http://" + addr + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s answers %d, want 404", path, resp.StatusCode)
		}
	}
	s.finish()
	rec.end().want(t, exitDamage)
	if _, err := net.Dial("tcp", addr); err == nil {
		t.Error("metrics are served after the end")
	}
}

func TestStreamAndReplayServeMetrics(t *testing.T) {
	t.Parallel()
	dir := captureOf(t, "linear", bookFrames("BTCUSDT", 3, 3_600_000)) // an hour between frames
	stderr := newWatchedText()
	r := startReplayTo(t, stderr, dir, "--metrics", "0")
	replayed := strings.TrimSuffix(stderr.await(t, "bywire: metrics on http://"), "/metrics")
	s := startCommand(t, nil, "stream", "--ws", r.ws, "--category", "linear", "--metrics", "127.0.0.1:0", "orderbook.50.BTCUSDT")
	streamed := strings.TrimSuffix(s.stderr.await(t, "bywire: metrics on http://"), "/metrics")
	const arrived = `bywire_delay_seconds_count{channel="linear",topic="orderbook.50.BTCUSDT"}`
	got := metricsOf(t, streamed)
	for bound := time.Now().Add(30 * time.Second); got[arrived] != "1" && time.Now().Before(bound); {
		got = metricsOf(t, streamed)
	}
	wantMetrics(t, got, map[string]string{arrived: "1", `bywire_accepted_topics{channel="linear"}`: "1"})
	wantMetrics(t, metricsOf(t, replayed), map[string]string{
		"bywire_replay_sessions": "1", "bywire_replay_published_frames_total": "1", "bywire_replay_sent_frames_total": "1",
		"bywire_replay_sent_bytes_total": fmt.Sprint(len(bookFrames("BTCUSDT", 0, 1)[0])),
	})
	s.interrupt()
	s.end().want(t, exitInterrupted)
	r.stop(t)
}

// An address that is taken is refused before anything else is opened.
func TestMetricsAddressInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	addr := l.Addr().String()
	dir := captureOf(t, "linear", bookFrames("BTCUSDT", 1, 1))
	to := filepath.Join(t.TempDir(), "rec")
	for _, args := range [][]string{
		{"record", "--to", to, "--ws", "ws://" + addr, "publicTrade.BTCUSD"},
		{"stream", "--ws", "ws://" + addr, "publicTrade.BTCUSD"},
		{"replay", dir, "--listen", "127.0.0.1:0"},
	} {
		o := bywire(t, append(args, "--metrics", addr)...).want(t, exitNetwork)
		if want := "bywire: --metrics " + addr + ": address already in use; --metrics 127.0.0.1:0 takes a free port\n"; o.stderr != want || o.stdout != "" {
			t.Errorf("%s says %q, want %q", args[0], o.stderr, want)
		}
	}
	if _, err := os.Stat(to); err == nil {
		t.Error("record has made the folder")
	}
	o := bywire(t, "stream", "--metrics", "here", "publicTrade.BTCUSD").want(t, exitUsage)
	if want := "bywire: --metrics here: no address; one looks like 127.0.0.1:8787, with port 0 for a free one\n"; o.stderr != want {
		t.Errorf("a wrong address: %q, want %q", o.stderr, want)
	}
}

// A label can be any text, and one that is not UTF-8 ends nothing.
func TestLabelsOfOddNames(t *testing.T) {
	m := newMeter(1)
	m.streams.add(m, labelOf("/v5/\xff"), func() bybit.StreamStats { return bybit.StreamStats{} })
	c := m.channel("/v5/\xff")
	c.topic(bybit.RawTopic("a{b=\"c\"}\n\xff"))
	c.gap(bybit.GapDisconnected)
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range families {
		if f.GetName() == "bywire_delay_seconds" || f.GetName() == "bywire_gaps_total" {
			for _, label := range f.GetMetric()[0].GetLabel() {
				got = append(got, label.GetValue())
			}
		}
	}
	if want := []string{"/v5/\uFFFD", "a{b=\"c\"}\n\uFFFD", "/v5/\uFFFD", "disconnected"}; !slices.Equal(got, want) {
		t.Errorf("labels %q, want %q", got, want)
	}
	o := bywire(t, "stream", "--ws", "ws://127.0.0.1:1", "--category", "/v5/new", "new.\xff").want(t, exitUsage)
	if want := "bywire: \"new.\\xff\": no topic: not valid UTF-8\n"; o.stderr != want {
		t.Errorf("says %q, want %q", o.stderr, want)
	}
}

// Topics on stdin are never cut short in silence.
func TestTooManyTopicsOnStdin(t *testing.T) {
	list := strings.Repeat("publicTrade.BTCUSDT\n", maxTopicList/20+1)
	o := bywireWith(t, list, "stream", "--ws", "ws://127.0.0.1:1", "--category", "linear", "-").want(t, exitUsage)
	if want := "bywire: stdin: more than 4.0 MB of topics; give one on each line\n"; o.stderr != want {
		t.Errorf("says %q, want %q", o.stderr, want)
	}
}

// More topics than have labels of their own share those of their kinds.
func TestManyTopicsShareLabels(t *testing.T) {
	for _, tc := range []struct {
		topics int
		want   []string
	}{
		{maxTopicLabels, []string{"orderbook.50.S0USDT", "orderbook.50.S1USDT", "tickers.S0USDT", "tickers.S1USDT"}},
		{maxTopicLabels + 1, []string{"orderbook.50.*", "tickers.*"}},
	} {
		m := newMeter(tc.topics)
		m.streams.add(m, "linear", func() bybit.StreamStats { return bybit.StreamStats{} })
		c := m.channel(bybit.Linear)
		for i := range 2 {
			symbol := fmt.Sprintf("S%dUSDT", i)
			c.topic(bybit.OrderBook(50, symbol))
			c.topic(bybit.Tickers(symbol))
		}
		families, err := m.registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range families {
			if f.GetName() == "bywire_delay_seconds" {
				for _, series := range f.GetMetric() {
					got = append(got, series.GetLabel()[1].GetValue())
				}
			}
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("%d topics: labels %q, want %q", tc.topics, got, tc.want)
		}
	}
}

// The metrics cost a stream this much per event.
func BenchmarkMeter(b *testing.B) {
	m := newMeter(100)
	m.streams.add(m, "linear", func() bybit.StreamStats { return bybit.StreamStats{} })
	c := m.channel(bybit.Linear)
	at := time.Unix(1700000000, 0)
	var events []bybit.Event
	for i := range 100 {
		ev := &bybit.BookEvent{Received: at.Add(time.Duration(i) * 3 * time.Millisecond)}
		ev.Topic, ev.Time = bybit.OrderBook(50, fmt.Sprintf("S%dUSDT", i)), at
		events = append(events, ev)
	}
	i := 0
	for b.Loop() {
		h := headOf(events[i])
		c.note(events[i], &h)
		if i++; i == len(events) {
			i = 0
		}
	}
}
