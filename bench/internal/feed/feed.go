// Package feed generates market data in the shapes of Bybit's linear channel:
// 70 % order-book deltas of depth 50 with seven levels, 20 % trade messages of
// three trades, 8 % ticker deltas and 2 % klines, for a few symbols. The same
// seed gives the same bytes. Each symbol starts with snapshots; update ids rise
// by one; books keep 50 levels a side and never cross, so a client that
// verifies them has nothing to complain about.
//
// The numbers are invented; key order and number formats are the venue's.
package feed

import (
	"fmt"
	"math/rand/v2"
	"strconv"
)

// A Feed is messages in the order they are to be sent, and the topics that a
// client subscribes to get all of them.
type Feed struct {
	Messages [][]byte
	Topics   []Topic
	Books    int // how many messages are order books
}

// A Topic is a subscription, whole and in parts: clients differ in which they
// want.
type Topic struct {
	Kind   string // orderbook, publicTrade, tickers, kline
	Symbol string
	Name   string // "orderbook.50.BTCUSDT"
}

// A market is one symbol's state.
type market struct {
	symbol                string
	priceScale, sizeScale int
	tick                  int64 // in units of the price's last digit
	book                  *ladder
	rng                   *rand.Rand
	u, seq, ts            int64
	started               map[string]bool
}

// New generates n messages from a seed.
func New(seed uint64, n int) *Feed {
	rng := rand.New(rand.NewPCG(seed, 1))
	markets := []*market{
		{symbol: "BTCUSDT", priceScale: 2, sizeScale: 3, tick: 10, u: 1, seq: 457538796406},
		{symbol: "ETHUSDT", priceScale: 2, sizeScale: 2, tick: 1, u: 1, seq: 297538796406},
		{symbol: "SOLUSDT", priceScale: 3, sizeScale: 1, tick: 10, u: 1, seq: 187538796406},
		{symbol: "XRPUSDT", priceScale: 4, sizeScale: 1, tick: 1, u: 1, seq: 167538796406},
	}
	f := &Feed{}
	for i, m := range markets {
		m.rng = rand.New(rand.NewPCG(seed, uint64(i)+2))
		m.book = newLadder(m.rng, []int64{1091475, 403312, 21877, 29921}[i])
		m.ts = 1758845431663
		m.started = make(map[string]bool)
		f.Topics = append(f.Topics,
			Topic{"orderbook", m.symbol, "orderbook.50." + m.symbol},
			Topic{"publicTrade", m.symbol, "publicTrade." + m.symbol},
			Topic{"tickers", m.symbol, "tickers." + m.symbol},
			Topic{"kline", m.symbol, "kline.1." + m.symbol},
		)
	}
	for len(f.Messages) < n {
		m := markets[rng.IntN(len(markets))]
		m.ts += rng.Int64N(30)
		m.seq += 1 + rng.Int64N(200)
		var msg []byte
		switch k := rng.IntN(100); {
		case k < 70:
			msg = m.orderBook()
			f.Books++
		case k < 90:
			msg = m.trades()
		case k < 98:
			msg = m.ticker()
		default:
			msg = m.kline()
		}
		f.Messages = append(f.Messages, msg)
	}
	return f
}

// first reports whether this is the first message of a kind.
func (m *market) first(kind string) bool {
	was := m.started[kind]
	m.started[kind] = true
	return !was
}

func (m *market) orderBook() []byte {
	kind, bids, asks := "delta", m.book.bids.levels, m.book.asks.levels
	if m.first("orderbook") {
		kind = "snapshot"
	} else {
		m.u++
		bids, asks = m.book.change(7)
	}
	b := fmt.Appendf(nil, `{"topic":"orderbook.50.%s","type":"%s","ts":%d,"data":{"s":"%s","b":[`, m.symbol, kind, m.ts, m.symbol)
	b = m.appendLevels(b, bids)
	b = append(b, `],"a":[`...)
	b = m.appendLevels(b, asks)
	return fmt.Appendf(b, `],"u":%d,"seq":%d},"cts":%d}`, m.u, m.seq, m.ts-2)
}

func (m *market) appendLevels(b []byte, levels []level) []byte {
	for i, lv := range levels {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `["`...)
		b = m.appendPrice(b, lv.price)
		b = append(b, `","`...)
		b = m.appendSize(b, lv.size)
		b = append(b, `"]`...)
	}
	return b
}

func (m *market) trades() []byte {
	directions := []string{"PlusTick", "ZeroPlusTick", "MinusTick", "ZeroMinusTick"}
	b := fmt.Appendf(nil, `{"topic":"publicTrade.%s","type":"snapshot","ts":%d,"data":[`, m.symbol, m.ts)
	for i := range 3 {
		if i > 0 {
			b = append(b, ',')
		}
		taker, price := "Buy", m.book.asks.levels[0].price
		if m.rng.IntN(2) == 0 {
			taker, price = "Sell", m.book.bids.levels[0].price
		}
		b = fmt.Appendf(b, `{"T":%d,"s":"%s","S":"%s","v":"`, m.ts-1, m.symbol, taker)
		b = m.appendSize(b, m.book.size())
		b = append(b, `","p":"`...)
		b = m.appendPrice(b, price)
		b = fmt.Appendf(b, `","L":"%s","i":"%08x-%04x-5%03x-9%03x-%012x","BT":false,"seq":%d}`, directions[m.rng.IntN(4)],
			m.rng.Uint32(), m.rng.Uint32()&0xffff, m.rng.Uint32()&0xfff, m.rng.Uint32()&0xfff, m.rng.Uint64()&0xffffffffffff, m.seq)
	}
	return append(b, `]}`...)
}

func (m *market) ticker() []byte {
	bid, ask := m.book.bids.levels[0], m.book.asks.levels[0]
	price := func(p int64) []byte { return m.appendPrice(nil, p) }
	size := func(s int64) []byte { return m.appendSize(nil, s) }
	kind := "delta"
	if m.first("tickers") {
		kind = "snapshot"
	}
	b := fmt.Appendf(nil, `{"topic":"tickers.%s","type":"%s","data":{"symbol":"%s"`, m.symbol, kind, m.symbol)
	if kind == "snapshot" {
		b = fmt.Appendf(b, `,"tickDirection":"PlusTick","price24hPcnt":"0.017103","lastPrice":"%s","prevPrice24h":"%s","highPrice24h":"%s","lowPrice24h":"%s","prevPrice1h":"%s","markPrice":"%s","indexPrice":"%s","openInterest":"68744.761","openInterestValue":"1171997889.40","turnover24h":"1570383121.9434","volume24h":"91705.2760","nextFundingTime":"1758873600000","fundingRate":"-0.000212","bid1Price":"%s","bid1Size":"%s","ask1Price":"%s","ask1Size":"%s"`,
			price(ask.price), price(ask.price-900), price(ask.price+400), price(ask.price-1100), price(ask.price-200), price(ask.price), price(bid.price), price(bid.price), size(bid.size), price(ask.price), size(ask.size))
	} else {
		b = fmt.Appendf(b, `,"price24hPcnt":"0.0%05d","markPrice":"%s","indexPrice":"%s","turnover24h":"%d.%04d","volume24h":"%d.%04d","bid1Price":"%s","bid1Size":"%s","ask1Price":"%s","ask1Size":"%s"`,
			m.rng.IntN(100000), price(ask.price), price(bid.price), 1570383121+m.seq%100000, m.rng.IntN(10000), 91705+m.seq%1000, m.rng.IntN(10000), price(bid.price), size(bid.size), price(ask.price), size(ask.size))
	}
	return fmt.Appendf(b, `},"cs":%d,"ts":%d}`, m.seq, m.ts)
}

func (m *market) kline() []byte {
	ask := m.book.asks.levels[0].price
	start := m.ts - m.ts%60000
	price := func(p int64) []byte { return m.appendPrice(nil, p) }
	return fmt.Appendf(nil, `{"topic":"kline.1.%s","data":[{"start":%d,"end":%d,"interval":"1","open":"%s","close":"%s","high":"%s","low":"%s","volume":"%s","turnover":"%d.%04d","confirm":false,"timestamp":%d}],"ts":%d,"type":"snapshot"}`,
		m.symbol, start, start+59999, price(ask-13), price(ask), price(ask+21), price(ask-34), m.appendSize(nil, m.book.size()*100), m.rng.IntN(9000000), m.rng.IntN(10000), m.ts-3, m.ts)
}

func (m *market) appendPrice(b []byte, ticks int64) []byte {
	return appendFixed(b, ticks*m.tick, m.priceScale)
}

func (m *market) appendSize(b []byte, lots int64) []byte {
	if lots == 0 {
		return append(b, '0')
	}
	return appendFixed(b, lots, m.sizeScale)
}

// appendFixed writes v / 10^scale with all its digits after the point.
func appendFixed(b []byte, v int64, scale int) []byte {
	one := int64(1)
	for range scale {
		one *= 10
	}
	b = strconv.AppendInt(b, v/one, 10)
	b = append(b, '.')
	fraction := strconv.AppendInt(nil, one+v%one, 10)
	return append(b, fraction[1:]...)
}
