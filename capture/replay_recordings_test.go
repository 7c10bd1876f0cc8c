//go:build recordings

package capture

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/bywire/bywire/book"
	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/internal/recordings"
)

// naive is an order book as plainly as it can be written: sizes by the text of
// their price.
type naive struct{ bids, asks map[string]string }

func (n *naive) clear() { n.bids, n.asks = make(map[string]string), make(map[string]string) }

func set1(side map[string]string, price, size string) {
	if size == "0" || size == "" {
		delete(side, price)
		return
	}
	side[price] = size
}

// naiveMessage changes naive books by one line of a recording, read with
// encoding/json and nothing of bywire. It returns the V5 topic, "" for a line
// that is no book message.
func naiveMessage(t *testing.T, line string, books map[string]*naive) string {
	t.Helper()
	if _, rest, ok := strings.Cut(line, ": {"); ok && !strings.HasPrefix(line, "{") {
		line = "{" + rest
	}
	var m struct {
		Topic string
		Type  string
		Data  json.RawMessage
	}
	if json.Unmarshal([]byte(line), &m) != nil || !strings.HasPrefix(strings.ToLower(m.Topic), "orderbook") {
		return ""
	}
	topic := strings.Replace(m.Topic, "orderBookL2_25.", "orderbook.50.", 1)
	b := books[topic]
	if b == nil {
		b = &naive{}
		b.clear()
		books[topic] = b
	}
	if m.Type == "snapshot" {
		b.clear()
	}
	type v2Row struct {
		Price, Side string
		Size        json.Number
	}
	var d struct {
		B, A                   [][]string
		OrderBook              []v2Row `json:"order_book"`
		Delete, Update, Insert []v2Row
	}
	if err := json.Unmarshal(m.Data, &d); err != nil {
		t.Fatal(err)
	}
	for _, l := range d.B {
		set1(b.bids, l[0], l[1])
	}
	for _, l := range d.A {
		set1(b.asks, l[0], l[1])
	}
	for _, l := range slices.Concat(d.Delete, d.OrderBook, d.Update, d.Insert) {
		side := b.bids
		if l.Side == "Sell" {
			side = b.asks
		}
		set1(side, l.Price, l.Size.String())
	}
	return topic
}

// differs says where a book and its naive twin differ, or "".
func differs(v book.View, n *naive) string {
	for _, side := range []struct {
		side book.Side
		want map[string]string
	}{{book.Bid, n.bids}, {book.Ask, n.asks}} {
		levels, err := v.Levels(side.side)
		if err != nil {
			return err.Error()
		}
		count := 0
		for l := range levels {
			count++
			if side.want[l.Price.String()] != l.Size.String() {
				return fmt.Sprintf("%s %s: %s, want %q", side.side, l.Price, l.Size, side.want[l.Price.String()])
			}
		}
		if count != len(side.want) {
			return fmt.Sprintf("%d %s levels, want %d", count, side.side, len(side.want))
		}
	}
	return ""
}

func readLinesOf(t *testing.T, path string) []string {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var r io.Reader = file
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(file); err != nil {
			t.Fatal(err)
		}
	}
	var lines []string
	scan := bufio.NewScanner(r)
	scan.Buffer(nil, maxLine)
	for scan.Scan() {
		lines = append(lines, scan.Text())
	}
	if scan.Err() != nil {
		t.Fatal(scan.Err())
	}
	return lines
}

// TestRecordingsOverASocket imports the recordings of order books, replays them
// over loopback to the SDK, and compares the book after each message with a
// naive replay of the file.
func TestRecordingsOverASocket(t *testing.T) {
	for _, test := range []struct {
		file     string
		format   Format
		category string
		books    int
		messages int
	}{
		{"ws_v5/linear_orderbook500_XRPUSDT_20241201.jsonl.gz", FormatBybitBooks, "linear", 1, 50},
		{"ws_v5/spot_orderbook50_BTCUSDT_20260824.jsonl", FormatV5JSONL, "spot", 1, 9},
		{"legacy_v2/linear_trade_orderBookL2_25_8symbols_20210417.txt.gz", FormatV2Log, "linear", 8, 3260},
	} {
		t.Run(test.file, func(t *testing.T) {
			path := recordings.Path(t, "testdata/real/"+test.file)
			dir := t.TempDir()
			importInto(t, dir, &ImportOptions{Format: test.format, Category: categoryOf(test.category)}, path)
			replay, err := NewReplay(openReader(t, dir), &ReplayOptions{Max: true})
			if err != nil {
				t.Fatal(err)
			}
			server := httptest.NewServer(replay)
			defer server.Close()
			client, err := bybit.NewClient(&bybit.Options{
				Environment: bybit.CustomEnvironment(strings.Replace(server.URL, "http", "ws", 1), ""),
			})
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			var topics []bybit.Topic
			names, _ := replay.Topics()
			for _, name := range names {
				_, topic, _ := strings.Cut(name, " ")
				if strings.HasPrefix(topic, "orderbook.") {
					topics = append(topics, mustTopic(t, topic))
				}
			}
			stream, err := client.Public(context.Background(), bybit.Channel(test.category), nil, topics...)
			if err != nil {
				t.Fatal(err)
			}
			books := make(map[string]*naive)
			messages := 0
			for _, line := range readLinesOf(t, path) {
				topic := naiveMessage(t, line, books)
				if topic == "" {
					continue
				}
				event, err := stream.Recv(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				got, ok := event.(*bybit.BookEvent)
				if !ok || got.Topic.String() != topic {
					t.Fatalf("message %d: %T %+v, want a book event of %s", messages, event, event, topic)
				}
				if diff := differs(got.Book, books[topic]); diff != "" {
					t.Fatalf("message %d, %s: %s", messages, topic, diff)
				}
				messages++
			}
			if len(books) != test.books || messages != test.messages {
				t.Errorf("%d books and %d messages, want %d and %d", len(books), messages, test.books, test.messages)
			}
		})
	}
}

func mustTopic(t *testing.T, name string) bybit.Topic {
	t.Helper()
	topic, err := bybit.ParseTopic(name)
	if err != nil {
		t.Fatal(err)
	}
	return topic
}
