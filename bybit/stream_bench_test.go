package bybit

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"testing"

	"github.com/gobwas/ws"

	"github.com/bywire/bywire/book"
	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/internal/wire"
	"github.com/bywire/bywire/internal/wsframe"
)

// benchFeed is the mix of performance-notes as frames ready to be written: 70 %
// deltas of a book of depth 50 with seven levels, 20 % trades, 8 % tickers, 2 %
// candles. It begins with a snapshot of update id 1, so that it can be sent again and
// again.
func benchFeed(n int) (feed []byte) {
	rng := rand.New(rand.NewPCG(1, 2))
	level := func(side, i int, gone bool) book.Level {
		size := decimal.New(rng.Int64N(100000)+1, 3)
		if gone {
			size = decimal.New(0, 0)
		}
		return book.Level{Price: decimal.New(10914750+int64(side*(10+10*i)), 2), Size: size}
	}
	m := BookMessage{Topic: OrderBook(50, "BTCUSDT"), Time: millis(1758845431663), Symbol: "BTCUSDT"}
	m.MatchTime = millis(1758845431662)
	m.Update.Snapshot, m.Update.ID, m.Update.Seq = true, 1, 457538796406
	for i := range 50 {
		m.Bids, m.Asks = append(m.Bids, level(-1, i, false)), append(m.Asks, level(1, i, false))
	}
	add := func(frame []byte) { feed = wsframe.AppendFrame(feed, ws.OpText, frame) }
	add(m.AppendJSON(nil, Linear))
	m.Snapshot = false
	for i := 1; i < n; i++ {
		switch k := rng.IntN(100); {
		case k < 70:
			m.ID++
			m.Seq += 100
			m.Bids, m.Asks = m.Bids[:0], m.Asks[:0]
			for l := range 7 {
				// The first of a side goes, the others come or change: no side
				// has more than 50.
				i := rng.IntN(50)
				if l%2 == 0 {
					m.Bids = append(m.Bids, level(-1, i, l == 0))
				} else {
					m.Asks = append(m.Asks, level(1, i, l == 1))
				}
			}
			add(m.AppendJSON(nil, Linear))
		case k < 90:
			add([]byte(benchTrades))
		case k < 98:
			add([]byte(benchTicker))
		default:
			add([]byte(benchKline))
		}
	}
	return feed
}

// serveFeed accepts subscriptions and then writes the feed for ever.
func serveFeed(ln net.Listener, feed []byte) {
	nc, err := ln.Accept()
	if err != nil {
		return
	}
	defer nc.Close()
	if _, err := ws.Upgrade(nc); err != nil {
		return
	}
	op, payload, err := wsframe.NewReader(nc, 1024, 1<<20, true).Next()
	if err != nil || op != ws.OpText {
		return
	}
	req, err := wire.ParseRequest(payload)
	if err != nil {
		return
	}
	ack := wire.AppendReply(nil, wire.FamilyFutures, &wire.Reply{Op: req.Op, ReqID: req.ReqID, Success: true})
	out := wsframe.AppendFrame(nil, ws.OpText, ack)
	for err == nil {
		_, err = nc.Write(out)
		out = feed
	}
}

// BenchmarkStreamEvents is the cost of a message from the socket to the loop:
// frames over loopback, decoded, with the book kept and checked. The writer of
// the feed is in the same process and shares its processors; bench/ measures
// without it.
func BenchmarkStreamEvents(b *testing.B) {
	for _, read := range []bool{false, true} {
		b.Run(fmt.Sprintf("readbook=%v", read), func(b *testing.B) {
			feed := benchFeed(20_000)
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			var wg sync.WaitGroup
			wg.Go(func() { serveFeed(ln, feed) })
			client, err := NewClient(&Options{Environment: CustomEnvironment("ws://"+ln.Addr().String(), "")})
			if err != nil {
				b.Fatal(err)
			}
			ctx := context.Background()
			s, err := client.Public(ctx, Linear, &StreamOptions{Overflow: OverflowWait},
				OrderBook(50, "BTCUSDT"), Trades("BTCUSDT"), Tickers("BTCUSDT"), Klines("5", "BTCUSDT"))
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				ev, err := s.Recv(ctx)
				if err != nil {
					b.Fatal(err)
				}
				switch ev := ev.(type) {
				case *BookEvent:
					if !read {
						continue
					}
					if _, err := ev.Book.BestBid(); err != nil {
						b.Fatal(err)
					}
					if _, err := ev.Book.BestAsk(); err != nil {
						b.Fatal(err)
					}
				case *GapEvent, *DecodeErrorEvent:
					b.Fatalf("%T %+v", ev, ev)
				}
			}
			b.StopTimer()
			s.abort()
			ln.Close()
			wg.Wait()
		})
	}
}

// BenchmarkTakeFrame is the same without a socket and on one goroutine: a frame
// decoded into the queue, and with apply the event taken out again.
func BenchmarkTakeFrame(b *testing.B) {
	feed := benchFeed(20_000)
	client, err := NewClient(nil)
	if err != nil {
		b.Fatal(err)
	}
	s := newStream(client, Linear, "", (&StreamOptions{}).withDefaults())
	subs := map[string]*subscription{}
	for _, t := range []Topic{OrderBook(50, "BTCUSDT"), Trades("BTCUSDT"), Tickers("BTCUSDT"), Klines("5", "BTCUSDT")} {
		subs[t.name] = newSubscription(t, Linear, &s.opts)
	}
	read := &reader{s: s, subs: subs, number: 1}
	var frames [][]byte
	r := wsframe.NewReader(bytes.NewReader(feed), 64<<10, 1<<20, false)
	for {
		_, payload, err := r.Next()
		if err != nil {
			break
		}
		frames = append(frames, bytes.Clone(payload))
	}
	for _, apply := range []bool{false, true} {
		b.Run("apply="+strconv.FormatBool(apply), func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				in := s.queue.Lock()
				for range 100 {
					read.take(in, frames[i])
					if i++; i == len(frames) {
						i = 0
					}
				}
				s.queue.Unlock()
				if apply {
					for range 100 {
						ev, ok, err := s.TryRecv()
						if err != nil || !ok {
							b.Fatal(ev, ok, err)
						}
					}
					continue
				}
				full, err := s.queue.TryTake(s.local.out)
				if err != nil {
					b.Fatal(err)
				}
				s.local.out, s.local.next = full, len(full.Items)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100, "ns/message")
			for _, sub := range subs {
				sub.broken = sub.chained
			}
		})
	}
}

// BenchmarkMerge measures what Merge adds to an event: the same frames through
// one stream, and in turns through two that are merged.
func BenchmarkMerge(b *testing.B) {
	for _, n := range []int{0, 1, 2, 8} {
		b.Run("parts="+strconv.Itoa(n), func(b *testing.B) {
			client, err := NewClient(nil)
			if err != nil {
				b.Fatal(err)
			}
			topic := OrderBook(50, "BTCUSDT")
			streams := make([]*Stream, max(n, 1))
			readers := make([]*reader, len(streams))
			for i := range streams {
				streams[i] = newStream(client, Linear, "", (&StreamOptions{Books: BooksNone}).withDefaults())
				readers[i] = &reader{s: streams[i], number: 1, subs: map[string]*subscription{topic.name: newSubscription(topic, Linear, &streams[i].opts)}}
			}
			s := streams[0]
			if n > 0 {
				s = Merge(streams...)
			}
			frame := []byte(`{"topic":"orderbook.50.BTCUSDT","type":"snapshot","ts":1,"data":{"s":"BTCUSDT","b":[],"a":[],"u":1,"seq":2},"cts":1}`)
			at, in := int64(0), (*batch)(nil)
			b.ReportAllocs()
			for b.Loop() {
				for i := range 800 { // bursts of ten
					read := readers[i/10%len(streams)]
					from := read.s
					if i%10 == 0 {
						in = from.queue.Lock()
						at++
						read.received = millis(at)
					}
					read.take(in, frame)
					if i%10 == 9 {
						from.queue.Unlock()
					}
				}
				for range 800 {
					if ev, ok, err := s.TryRecv(); err != nil || !ok {
						b.Fatal(ev, ok, err)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/800, "ns/message")
		})
	}
}
