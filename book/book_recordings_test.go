//go:build recordings

package book_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bywire/bywire/book"
	"github.com/bywire/bywire/book/internal/naive"
	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/internal/recordings"
)

// TestRecordings replays recordings of the venue through the book and its twin
// and compares them after each message, levels in the text they came in.
func TestRecordings(t *testing.T) {
	tests := []struct {
		file       string
		depth      int
		stats      book.Stats
		bids, asks int
		bid, ask   string // best at the end
	}{
		{"linear_orderbook500_XRPUSDT_20241201.jsonl.gz", 500,
			book.Stats{Updates: 50, Snapshots: 1}, 500, 500, "1.9537", "1.9538"},
		{"spot_orderbook50_BTCUSDT_20260824.jsonl", 50,
			book.Stats{Updates: 9, Snapshots: 1}, 50, 50, "78715", "78715.1"},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			fast, slow := book.New(tt.depth), naive.New(tt.depth)
			small := book.NewSmallBlocks(tt.depth, 16)
			for u := range recorded(t, "testdata/real/ws_v5/"+tt.file) {
				if err := fast.Apply(u); err != nil {
					t.Fatalf("message %d: %v", u.ID, err)
				}
				if err := slow.Apply(u); err != nil {
					t.Fatalf("naive, message %d: %v", u.ID, err)
				}
				if err := small.Apply(u); err != nil {
					t.Fatalf("small blocks, message %d: %v", u.ID, err)
				}
				compare(t, fast, slow)
				compare(t, small, slow)
			}
			if got := fast.Stats(); got != tt.stats {
				t.Errorf("Stats = %+v, want %+v", got, tt.stats)
			}
			bids, asks, err := fast.View().Len()
			if bids != tt.bids || asks != tt.asks || err != nil {
				t.Errorf("Len = %d, %d, %v, want %d, %d", bids, asks, err, tt.bids, tt.asks)
			}
			bid, _ := fast.View().BestBid()
			ask, _ := fast.View().BestAsk()
			if bid.Price.String() != tt.bid || ask.Price.String() != tt.ask {
				t.Errorf("best bid and ask %v, %v, want %v, %v", bid.Price, ask.Price, tt.bid, tt.ask)
			}
		})
	}
}

// TestRecordedSamples applies single messages of 2023 to 2025: depth 1 deltas,
// option books without seq, the empty one with u = 0. Three are deltas without
// what came before them.
func TestRecordedSamples(t *testing.T) {
	books := map[string]*book.Book{}
	var applied, ignored int
	file, err := os.Open(recordings.Path(t, "testdata/real/ws_v5/frames_mixed_public.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line struct {
			Src   string
			Frame json.RawMessage
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		topic, u := decode(t, line.Frame)
		if !strings.HasPrefix(topic, "orderbook.") {
			continue
		}
		if books[line.Src+topic] == nil {
			books[line.Src+topic] = book.New(map[string]int{"1": 1, "25": 25, "50": 50}[strings.Split(topic, ".")[1]])
		}
		b := books[line.Src+topic]
		known := b.Err() == nil
		switch err := b.Apply(u); {
		case err == nil:
			applied++
		case !known && err == book.ErrNoBook:
			ignored++
		default:
			// Samples are not a stream: only an id that skips may be wrong.
			if e, ok := err.(*book.Error); !ok || e.Kind != book.Gap {
				t.Errorf("%s: %v", topic, err)
			}
			ignored++
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if applied != 12 || ignored != 3 {
		t.Errorf("%d applied, %d ignored, want 12, 3", applied, ignored)
	}
}

// recorded yields the book messages of a file.
func recorded(t *testing.T, name string) func(yield func(*book.Update) bool) {
	t.Helper()
	file, err := os.Open(recordings.Path(t, name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	var src io.Reader = file
	if strings.HasSuffix(name, ".gz") {
		if src, err = gzip.NewReader(file); err != nil {
			t.Fatal(err)
		}
	}
	lines := bufio.NewScanner(src)
	lines.Buffer(nil, 1<<20)
	return func(yield func(*book.Update) bool) {
		for lines.Scan() {
			if topic, u := decode(t, lines.Bytes()); topic != "" && !yield(u) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			t.Fatal(err)
		}
	}
}

// decode reads a book frame with encoding/json; the topic is empty for others.
func decode(t *testing.T, frame []byte) (string, *book.Update) {
	t.Helper()
	var m struct {
		Topic, Type string
		Cts         int64
		Data        json.RawMessage
	}
	if err := json.Unmarshal(frame, &m); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(m.Topic, "orderbook.") {
		return "", nil
	}
	var data struct {
		B, A   [][]decimal.Decimal
		U, Seq int64
	}
	if err := json.Unmarshal(m.Data, &data); err != nil {
		t.Fatal(err)
	}
	u := &book.Update{Snapshot: m.Type == "snapshot", ID: data.U, Seq: data.Seq}
	if m.Cts != 0 {
		u.MatchTime = time.UnixMilli(m.Cts).UTC()
	}
	level := func(pair []decimal.Decimal) book.Level {
		return book.Level{Price: pair[0], Size: pair[1]}
	}
	for _, pair := range data.B {
		u.Bids = append(u.Bids, level(pair))
	}
	for _, pair := range data.A {
		u.Asks = append(u.Asks, level(pair))
	}
	u.Bids, u.Asks = slices.Clip(u.Bids), slices.Clip(u.Asks)
	return m.Topic, u
}
