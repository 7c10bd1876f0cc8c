package capture_test

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/capture"
)

// recorded is a file as somebody else's recorder leaves it: one frame a line.
const recorded = `{"topic":"orderbook.50.BTCUSDT","type":"snapshot","ts":1700000000000,"data":{"s":"BTCUSDT","b":[["37000.1","2"]],"a":[["37000.2","1"]],"u":41,"seq":900},"cts":1699999999998}
{"topic":"orderbook.50.BTCUSDT","type":"delta","ts":1700000000020,"data":{"s":"BTCUSDT","b":[["37000.1","0.5"]],"a":[],"u":42,"seq":905},"cts":1700000000018}
`

// A recording becomes a capture, is served again in the V5 protocol, and is
// followed as if it were the exchange.
func Example() {
	dir, err := os.MkdirTemp("", "capture")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "frames.jsonl")
	if err := os.WriteFile(file, []byte(recorded), 0o600); err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()

	w, err := capture.OpenWriter(filepath.Join(dir, "capture"), nil)
	if err != nil {
		log.Fatal(err)
	}
	opts := &capture.ImportOptions{Format: capture.FormatV5JSONL, Category: bybit.Linear}
	if _, err := capture.Import(ctx, w, opts, file); err != nil {
		log.Fatal(err)
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}

	r, err := capture.OpenReader(filepath.Join(dir, "capture"))
	if err != nil {
		log.Fatal(err)
	}
	replay, err := capture.NewReplay(r, &capture.ReplayOptions{Max: true})
	if err != nil {
		log.Fatal(err)
	}
	server := httptest.NewServer(replay)
	defer server.Close()

	url := strings.Replace(server.URL, "http", "ws", 1)
	client, err := bybit.NewClient(&bybit.Options{Environment: bybit.CustomEnvironment(url, "")})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	stream, err := client.Public(ctx, bybit.Linear, nil, bybit.OrderBook(50, "BTCUSDT"))
	if err != nil {
		log.Fatal(err)
	}
	for range 2 {
		event, err := stream.Recv(ctx)
		if err != nil {
			log.Fatal(err)
		}
		if e, ok := event.(*bybit.BookEvent); ok {
			bid, err := e.Book.BestBid()
			if err != nil {
				log.Fatal(err)
			}
			fmt.Println(e.Topic, "u", e.ID, "best bid", bid.Price, "x", bid.Size)
		}
	}
	// Output:
	// orderbook.50.BTCUSDT u 41 best bid 37000.1 x 2
	// orderbook.50.BTCUSDT u 42 best bid 37000.1 x 0.5
}

// Verify replays every book of a capture and says what is wrong with it.
func ExampleVerify() {
	dir, err := os.MkdirTemp("", "capture")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	w, err := capture.OpenWriter(dir, nil)
	if err != nil {
		log.Fatal(err)
	}
	conn, now := w.NextConn(), time.Now()
	for _, frame := range strings.Split(strings.TrimSpace(recorded), "\n") {
		frame = strings.Replace(frame, `"u":42`, `"u":44`, 1) // as if two frames were lost
		rec := capture.Record{Kind: capture.Frame, Conn: conn, Channel: bybit.Linear, Received: now, Data: []byte(frame)}
		if err := w.Write(&rec); err != nil {
			log.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}

	r, err := capture.OpenReader(dir)
	if err != nil {
		log.Fatal(err)
	}
	report, err := capture.Verify(context.Background(), r, nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, topic := range report.Topics {
		fmt.Println(topic.String())
	}
	// Output:
	// linear orderbook.50.BTCUSDT: 2 updates, 1 gaps, 0 crossed
}
