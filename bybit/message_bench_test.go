package bybit

import (
	"encoding/json"
	"testing"
)

// Frames of the sizes that the design's figures are for: a book delta of 285
// bytes and 7 levels, a trade message of 524 bytes and 3 trades, a ticker delta.
const (
	benchBook = `{"topic":"orderbook.50.BTCUSDT","type":"delta","ts":1758845431663,"data":{"s":"BTCUSDT","b":[["109147.80","1.687"],["109144.10","0.027"]],"a":[["109148.00","0"],["109154.30","0.0765"],["109156.40","0"],["109165.30","0.003"],["109165.40","0.0075"]],"u":21111423,"seq":457538796406},"cts":1758845431662}`

	benchTrades = `{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1758841135824,"data":[{"T":1758841135823,"s":"BTCUSDT","S":"Buy","v":"0.020","p":"109378.90","L":"ZeroPlusTick","i":"9a74ac78-691c-5b54-9dbe-5aafe8364621","BT":false,"seq":457514743450},{"T":1758841135823,"s":"BTCUSDT","S":"Sell","v":"0.104","p":"109378.80","L":"MinusTick","i":"1b74ac78-691c-5b54-9dbe-5aafe8364622","BT":false,"seq":457514743450},{"T":1758841135823,"s":"BTCUSDT","S":"Buy","v":"1.5","p":"109378.90","L":"PlusTick","i":"7c74ac78-691c-5b54-9dbe-5aafe8364623","BT":false,"seq":457514743451}]}`

	benchTicker = `{"topic":"tickers.BTCUSDT","type":"delta","data":{"symbol":"BTCUSDT","markPrice":"61875.06","indexPrice":"61903.59","openInterestValue":"3595994223.27","bid1Price":"61873.90","bid1Size":"3.543"},"cs":176530004279,"ts":1715748763063}`

	benchKline = `{"topic":"kline.5.BTCUSDT","data":[{"start":1720076100000,"end":1720076399999,"interval":"5","open":"58870","close":"58786.9","high":"58889.4","low":"58786.9","volume":"110.686","turnover":"6513843.7858","confirm":false,"timestamp":1720076255380}],"ts":1720076255380,"type":"snapshot"}`
)

// spaced is a frame that only the tolerant path reads.
func spaced(frame string) []byte { return []byte("{ " + frame[1:]) }

func benchmarkDecode(b *testing.B, m Message, frame []byte) {
	b.SetBytes(int64(len(frame)))
	b.ReportAllocs()
	for b.Loop() {
		if err := m.Decode(frame); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, c := range []struct {
		name, frame string
		message     func() Message
		reference   func() any
	}{
		{"book", benchBook, func() Message { return new(BookMessage) }, func() any { return new(jsonBook) }},
		{"trades", benchTrades, func() Message { return new(TradesMessage) }, func() any { return new(jsonTrades) }},
		{"ticker", benchTicker, func() Message { return new(TickerMessage) }, func() any { return new(jsonTicker) }},
		{"kline", benchKline, func() Message { return new(KlineMessage) }, func() any { return new(jsonKline) }},
	} {
		b.Run(c.name+"/template", func(b *testing.B) { benchmarkDecode(b, c.message(), []byte(c.frame)) })
		b.Run(c.name+"/tolerant", func(b *testing.B) { benchmarkDecode(b, c.message(), spaced(c.frame)) })
		b.Run(c.name+"/encodingjson", func(b *testing.B) {
			frame := []byte(c.frame)
			b.SetBytes(int64(len(frame)))
			b.ReportAllocs()
			for b.Loop() {
				if err := json.Unmarshal(frame, c.reference()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAppendJSON(b *testing.B) {
	for _, c := range []struct {
		name, frame string
		message     Message
	}{
		{"book", benchBook, new(BookMessage)},
		{"trades", benchTrades, new(TradesMessage)},
		{"ticker", benchTicker, new(TickerMessage)},
		{"kline", benchKline, new(KlineMessage)},
	} {
		b.Run(c.name, func(b *testing.B) {
			if err := c.message.Decode([]byte(c.frame)); err != nil {
				b.Fatal(err)
			}
			dst := make([]byte, 0, 2*len(c.frame))
			b.ReportAllocs()
			for b.Loop() {
				dst = c.message.AppendJSON(dst[:0], Linear)
			}
		})
	}
}

func BenchmarkFrameTopic(b *testing.B) {
	frame := []byte(benchBook)
	for b.Loop() {
		if _, ok := FrameTopic(frame); !ok {
			b.Fatal("no topic")
		}
	}
}

// What encoding/json decodes into: the same content, numbers left as text.
type (
	jsonBook struct {
		Topic, Type string
		TS, CTS     int64
		Data        struct {
			S      string
			B, A   [][2]string
			U, Seq int64
		}
	}
	jsonTrades struct {
		Topic, Type string
		TS          int64
		Data        []struct {
			Time      int64  `json:"T"`
			Symbol    string `json:"s"`
			Side      string `json:"S"`
			Size      string `json:"v"`
			Price     string `json:"p"`
			Direction string `json:"L"`
			ID        string `json:"i"`
			Block     bool   `json:"BT"`
			Seq       int64  `json:"seq"`
		}
	}
	jsonTicker struct {
		Topic, Type string
		CS, TS      int64
		Data        struct {
			Symbol, MarkPrice, IndexPrice, OpenInterestValue, Bid1Price, Bid1Size string
		}
	}
	jsonKline struct {
		Topic, Type string
		TS          int64
		Data        []struct {
			Start, End, Timestamp                              int64
			Interval, Open, Close, High, Low, Volume, Turnover string
			Confirm                                            bool
		}
	}
)
