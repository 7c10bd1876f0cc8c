package main

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/bywire/bywire/book"
	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/decimal"
)

// ladder is the picture of a book: what is known, and how it is drawn. It knows
// no terminal and no clock.
//
//	BTCUSDT  linear  orderbook.50.BTCUSDT  mainnet            12:04:05.678 UTC
//	         PRICE      SIZE     TOTAL                  TIME      TRADES
//	     109379.10     0.120     6.518 ███████          12:04:05  Buy  0.020 @ 109378.90
//	     109378.90     6.398     6.398 ██████           ...
//	                spread 0.10
//	     109378.80     1.273     1.273 █
//	     109378.70     2.000     3.273 ███
//	98 updates/s  4 trades/s  0 gaps
type ladder struct {
	symbol, channel, topic, where string

	live       bool // drawn over and over: the status has rates
	valid      bool
	problem    string // why the book is not valid, or what else went wrong
	at         time.Time
	id         int64        // update id
	bids, asks []book.Level // best first
	tape       []bybit.Trade
	ticker     string   // a line of prices and rates, if there is one
	volumeCoin string   // what the volume in it is of
	above      []string // what stands over the picture; it is wrapped, not cut, so that it can be copied

	bookEvents, tradeEvents int64 // since the start
	gaps                    int

	rateBegun              time.Time // the second that the rates are counted over
	rateBook, rateTrade    int64     // counts when it began
	bookPerSec, tradPerSec int64
}

// ladderFrame is how many lines are not levels: title, columns, spread, status.
const ladderFrame = 4

// maxTape is how many trades are remembered.
const maxTape = 200

func newLadder(sel selection, where string) *ladder {
	topic := sel.topics[0]
	return &ladder{symbol: topic.Symbol(), channel: string(sel.channel), topic: topic.String(), where: where, problem: "waiting for the snapshot"}
}

// tick renews the rates about every second.
func (l *ladder) tick(now time.Time) {
	took := now.Sub(l.rateBegun)
	if !l.rateBegun.IsZero() && took < time.Second {
		return
	}
	if !l.rateBegun.IsZero() {
		ms := took.Milliseconds()
		l.bookPerSec = (l.bookEvents - l.rateBook) * 1000 / ms
		l.tradPerSec = (l.tradeEvents - l.rateTrade) * 1000 / ms
	}
	l.rateBegun, l.rateBook, l.rateTrade = now, l.bookEvents, l.tradeEvents
}

// tapeFrom is the width from which on the trades have room.
const tapeFrom = 70

// render draws the picture as lines of at most width runes, at most height of
// them.
func (l *ladder) render(width, height int, colour bool) []string {
	if l.ticker != "" {
		height--
	}
	n := ladderRows(height, 0)
	asks := l.asks[:min(n, len(l.asks))]
	bids := l.bids[:min(n, len(l.bids))]
	left := width
	if width >= tapeFrom && len(l.tape) > 0 {
		left = width - 36
	}
	cols := layout(asks, bids, left)

	lines := []string{cut(l.title(width), width), ""}
	askRows := cols.rows(asks, colour, colourRed)
	for i := len(askRows) - 1; i >= 0; i-- {
		lines = append(lines, askRows[i])
	}
	lines = append(lines, l.middle(cols, colour))
	lines = append(lines, cols.rows(bids, colour, colourGreen)...)
	lines[1] = pad(cols.head(), left)
	if left < width {
		lines[1] += "TIME      TRADES"
		for i := 2; i < len(lines) && i-2 < len(l.tape); i++ {
			t := &l.tape[i-2]
			text := string(appendClock(nil, t.Time))[:8] + "  " + pad(string(t.Side), 4) + " " + t.Size.String() + " @ " + t.Price.String()
			lines[i] += paint(cut(text, width-left), sideColour(t.Side), colour)
		}
	}
	if l.ticker != "" {
		lines = append(lines, cut(l.ticker, width))
	}
	return append(lines, l.status(width, colour))
}

// aboveRows is how many rows of a terminal stand over the picture.
func (l *ladder) aboveRows(width int) int {
	rows := 0
	for _, line := range l.above {
		rows += max(1, (utf8.RuneCountInString(line)+width-1)/max(width, 1))
	}
	return rows
}

// line is the picture for who has no terminal.
func (l *ladder) line() string {
	if !l.valid {
		return "no book: " + l.problem
	}
	s := string(appendClock(nil, l.at)) + "  " + l.symbol
	if len(l.bids) > 0 && len(l.asks) > 0 {
		s += "  bid " + l.bids[0].Price.String() + " x " + l.bids[0].Size.String() + "  ask " + l.asks[0].Price.String() + " x " + l.asks[0].Size.String()
	} else {
		s += "  a side is empty"
	}
	if len(l.tape) > 0 {
		t := &l.tape[0]
		s += "  last " + string(t.Side) + " " + t.Size.String() + " @ " + t.Price.String()
	}
	return s + "  " + grouped(l.bookPerSec) + " updates/s  " + grouped(l.tradPerSec) + " trades/s  " + counted(l.gaps, "gap")
}

func (l *ladder) title(width int) string {
	s := l.symbol + "  " + l.channel + "  " + l.topic + "  " + l.where
	if l.at.IsZero() {
		return s
	}
	at := string(appendClock(nil, l.at)) + " UTC"
	return s + strings.Repeat(" ", max(2, width-len(s)-len(at))) + at
}

// middle is the line between the sides, as wide as they are.
func (l *ladder) middle(c columns, colour bool) string {
	s := "no book"
	if len(l.bids) > 0 && len(l.asks) > 0 {
		if spread, err := l.asks[0].Price.Sub(l.bids[0].Price); err == nil {
			s = "spread " + spread.String()
		}
	} else if l.valid {
		s = "a side is empty"
	}
	return paint(pad(padLeft(s, c.price+c.size+1), c.width), colourFaint, colour)
}

func (l *ladder) status(width int, colour bool) string {
	if !l.valid {
		return paint(cut("NO BOOK: "+l.problem, width), colourYellow, colour)
	}
	if !l.live {
		return cut("update "+strconv.FormatInt(l.id, 10)+", of "+l.at.UTC().Format(time.DateOnly), width)
	}
	s := grouped(l.bookPerSec) + " updates/s  " + grouped(l.tradPerSec) + " trades/s  " + grouped(l.bookEvents) + " updates  " + counted(l.gaps, "gap")
	if l.problem != "" {
		return paint(cut(s+"  "+l.problem, width), colourYellow, colour)
	}
	return cut(s, width)
}

// columns is the layout of the levels.
type columns struct {
	price, size, total, bar int // widths
	width                   int // of a whole row
	priceScale, sizeScale   int // most digits after the point
	most                    decimal.Decimal
}

// layout makes the columns as wide as what is in them; what is left is the
// bar's.
func layout(asks, bids []book.Level, width int) columns {
	c := columns{price: 10, size: 8, total: 8, width: width}
	for _, side := range [...][]book.Level{asks, bids} {
		for i := range side {
			c.priceScale = max(c.priceScale, side[i].Price.Scale())
			c.sizeScale = max(c.sizeScale, side[i].Size.Scale())
		}
	}
	for _, side := range [...][]book.Level{asks, bids} {
		sums := totals(side)
		for i := range side {
			c.price = max(c.price, len(digits(side[i].Price, c.priceScale)))
			c.size = max(c.size, len(digits(side[i].Size, c.sizeScale)))
			c.total = max(c.total, len(digits(sums[i], c.sizeScale)))
		}
		if n := len(sums); n > 0 && sums[n-1].Cmp(c.most) > 0 {
			c.most = sums[n-1]
		}
	}
	c.bar = max(0, width-c.price-c.size-c.total-5)
	return c
}

func (c columns) head() string {
	return padLeft("PRICE", c.price) + " " + padLeft("SIZE", c.size) + " " + padLeft("TOTAL", c.total)
}

// rows draws the levels of a side, best first.
func (c columns) rows(side []book.Level, colour bool, shade string) []string {
	sums := totals(side)
	lines := make([]string, len(side))
	for i := range side {
		price := padLeft(digits(side[i].Price, c.priceScale), c.price)
		rest := " " + padLeft(digits(side[i].Size, c.sizeScale), c.size) + " " + padLeft(digits(sums[i], c.sizeScale), c.total) + " "
		bar := strings.Repeat("█", c.cells(sums[i]))
		blank := max(0, c.width-len(price)-len(rest)-c.cells(sums[i]))
		lines[i] = cut(price+rest+bar+strings.Repeat(" ", blank), c.width)
		if colour && len(price)+len(rest) <= c.width {
			lines[i] = paint(price, shade, true) + rest + paint(bar, shade, true) + strings.Repeat(" ", blank)
		}
	}
	return lines
}

// digits is a number with zeros at its end, so that points stand below each
// other: some feeds leave them out.
func digits(d decimal.Decimal, scale int) string {
	s := d.String()
	missing := scale - d.Scale()
	if missing <= 0 || !d.IsSet() {
		return s
	}
	if d.Scale() == 0 {
		s += "."
	}
	return s + strings.Repeat("0", missing)
}

// cells is the length of a bar: the share of the largest total.
func (c columns) cells(total decimal.Decimal) int {
	if c.bar == 0 || c.most.Sign() <= 0 {
		return 0
	}
	scaled, err := total.Mul(decimal.FromInt(int64(c.bar)))
	if err != nil {
		return 0
	}
	share, err := scaled.Quo(c.most, 0, decimal.ToZero)
	if err != nil {
		return 0
	}
	n, _ := share.Units(0)
	return min(max(int(n), 0), c.bar)
}

// totals are the sums of sizes from the best level on.
func totals(side []book.Level) []decimal.Decimal {
	sums := make([]decimal.Decimal, len(side))
	var sum decimal.Decimal
	for i := range side {
		if next, err := sum.Add(side[i].Size); err == nil {
			sum = next
		}
		sums[i] = sum
	}
	return sums
}

// paint puts a text in colour, if there is colour.
func paint(s, shade string, colour bool) string {
	if !colour || shade == "" || s == "" {
		return s
	}
	return shade + s + colourReset
}
