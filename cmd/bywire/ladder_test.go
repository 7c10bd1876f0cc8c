package main

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/bywire/bywire/book"
	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/decimal"
)

func level(price, size string) book.Level {
	return book.Level{Price: decimal.MustParse(price), Size: decimal.MustParse(size)}
}

func sampleLadder() *ladder {
	at := time.Date(2026, 1, 31, 12, 4, 5, 678e6, time.UTC)
	l := &ladder{
		symbol: "BTCUSDT", channel: "linear", topic: "orderbook.50.BTCUSDT", where: "mainnet", live: true, valid: true, at: at,
		bids:       []book.Level{level("109378.8", "1.273"), level("109378", "2"), level("109377.55", "0.5")},
		asks:       []book.Level{level("109378.9", "6.278"), level("109379.1", "0.12")},
		bookEvents: 12345, bookPerSec: 98, tradPerSec: 4,
	}
	for i, side := range []bybit.Side{bybit.Buy, bybit.Sell} {
		l.tape = append(l.tape, bybit.Trade{Time: at.Add(-time.Duration(i) * time.Second), Side: side, Size: decimal.MustParse("0.020"), Price: decimal.MustParse("109378.90")})
	}
	return l
}

func TestLadder(t *testing.T) {
	const wide = `BTCUSDT  linear  orderbook.50.BTCUSDT  mainnet                  12:04:05.678 UTC
     PRICE     SIZE    TOTAL                TIME      TRADES
 109379.10    0.120    6.398 █████████████  12:04:05  Buy  0.020 @ 109378.90
 109378.90    6.278    6.278 ████████████   12:04:04  Sell 0.020 @ 109378.90
         spread 0.1
 109378.80    1.273    1.273 ██
 109378.00    2.000    3.273 ██████
 109377.55    0.500    3.773 ███████
98 updates/s  4 trades/s  12,345 updates  0 gaps`
	checkPicture(t, "80x24", sampleLadder(), 80, 24, wide)

	const narrow = `BTCUSDT  linear  orderbook.50.BTCUSDT …
     PRICE     SIZE    TOTAL
  109378.9    6.278    6.278 ████████
         spread 0.1
  109378.8    1.273    1.273 █
98 updates/s  4 trades/s  12,345 updat…`
	checkPicture(t, "39x6", sampleLadder(), 39, 6, narrow)

	broken := sampleLadder()
	broken.valid, broken.problem, broken.tape = false, "orderbook.50.BTCUSDT: gap: disconnected", nil
	lines := broken.render(80, 24, false)
	if got := lines[len(lines)-1]; got != "NO BOOK: orderbook.50.BTCUSDT: gap: disconnected" {
		t.Errorf("status of a broken book: %q", got)
	}

	empty := newLadder(selection{channel: "linear", topics: []bybit.Topic{bybit.OrderBook(50, "BTCUSDT")}}, "mainnet")
	checkPicture(t, "empty", empty, 60, 24, `BTCUSDT  linear  orderbook.50.BTCUSDT  mainnet
     PRICE     SIZE    TOTAL
            no book
NO BOOK: waiting for the snapshot`)
}

func checkPicture(t *testing.T, name string, l *ladder, width, height int, want string) {
	t.Helper()
	lines := l.render(width, height, false)
	if len(lines) > height {
		t.Errorf("%s: %d lines", name, len(lines))
	}
	for i, line := range lines {
		if n := utf8.RuneCountInString(line); n > width {
			t.Errorf("%s: line %d is %d wide: %q", name, i, n, line)
		}
		lines[i] = strings.TrimRight(line, " ")
	}
	if got := strings.Join(lines, "\n"); got != want {
		t.Errorf("%s:\n%s\nwant\n%s", name, got, want)
	}
}

// Without colour there is not one escape, with it the same text.
func TestLadderColour(t *testing.T) {
	plain := strings.Join(sampleLadder().render(80, 24, false), "\n")
	coloured := strings.Join(sampleLadder().render(80, 24, true), "\n")
	if strings.Contains(plain, "\x1b") {
		t.Error("escapes without colour")
	}
	if !strings.Contains(coloured, colourRed) || !strings.Contains(coloured, colourGreen) {
		t.Error("no colour")
	}
	for _, code := range []string{colourReset, colourGreen, colourRed, colourYellow, colourFaint} {
		coloured = strings.ReplaceAll(coloured, code, "")
	}
	if coloured != plain {
		t.Errorf("colour changes the text:\n%s\nwant\n%s", coloured, plain)
	}
}

func TestLadderRates(t *testing.T) {
	l := sampleLadder()
	now := time.Unix(1000, 0)
	l.bookEvents, l.tradeEvents = 0, 0
	l.tick(now)
	l.bookEvents, l.tradeEvents = 250, 5
	l.tick(now.Add(500 * time.Millisecond))
	if l.bookPerSec != 98 {
		t.Error("rates change within a second")
	}
	l.tick(now.Add(1250 * time.Millisecond))
	if l.bookPerSec != 200 || l.tradPerSec != 4 {
		t.Errorf("rates %d and %d", l.bookPerSec, l.tradPerSec)
	}
}

// Rates have their unit, and what is not there is left out.
func TestRatesLine(t *testing.T) {
	d := decimal.MustParse
	for _, test := range []struct {
		ticker bybit.Ticker
		coin   string
		want   string
	}{
		{bybit.Ticker{MarkPrice: d("88036.35"), IndexPrice: d("88012.1"), FundingRate: d("0.000125"), Price24hPcnt: d("-0.037572"), Volume24h: d("56286.123")}, "BTC",
			"mark 88036.35  index 88012.1  funding 0.0125 %  24h -3.76 %  volume 56286 BTC"},
		{bybit.Ticker{Price24hPcnt: d("0.0149"), Volume24h: d("10")}, "BTC", "24h 1.49 %  volume 10 BTC"},
		{bybit.Ticker{MarkPrice: d("5"), MarkPriceIV: d("0.4512")}, "BTC", "mark 5  iv 45.12 %"},
		{bybit.Ticker{FundingRate: d("-0.0001"), Volume24h: d("7")}, "", "funding -0.0100 %  volume 7"},
		{bybit.Ticker{}, "BTC", ""},
	} {
		if got := ratesLine(&test.ticker, test.coin); got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}
