package main

import (
	"strings"
	"unicode/utf8"

	"github.com/bywire/bywire/book"
	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/decimal"
)

// The colours of the terminal. They are the eight that every theme has.
const (
	colourReset  = "\x1b[0m"
	colourGreen  = "\x1b[32m"
	colourRed    = "\x1b[31m"
	colourYellow = "\x1b[33m"
	colourFaint  = "\x1b[2m"
)

// tablePrinter prints a line per event, or per trade, for people.
type tablePrinter struct {
	a      *app
	topics int // width of the widest topic
	begun  bool
	buf    []byte
}

func newTablePrinter(a *app, sel selection) *tablePrinter {
	p := &tablePrinter{a: a}
	for _, t := range sel.topics {
		p.topics = max(p.topics, len(t.String()))
	}
	return p
}

func (p *tablePrinter) flush() error { return p.a.flush() }
func (p *tablePrinter) end() error   { return p.a.flush() }

func (p *tablePrinter) print(ev bybit.Event) error {
	width := 0
	if p.a.terminal {
		width, _ = p.a.size()
	}
	b := p.buf[:0]
	if !p.begun {
		p.begun = true
		b = append(b, "TIME (UTC)    "...)
		b = append(b, pad("TOPIC", p.topics)...)
		b = append(b, "  EVENT\n"...)
	}
	h := headOf(ev)
	at := h.time
	if at.IsZero() {
		at = h.received
	}
	lead := string(appendClock(nil, at)) + "  " + pad(printable(h.topic.String()), p.topics) + "  "
	for _, row := range rowsOf(ev) {
		text := lead + printable(row.text)
		if width > 0 {
			text = cut(text, width)
		}
		if p.a.colour && row.colour != "" {
			text = row.colour + text + colourReset
		}
		b = append(b, text...)
		b = append(b, '\n')
	}
	p.buf = b
	if _, err := p.a.out.Write(b); err != nil {
		return &outputError{err}
	}
	return nil
}

// row is one line of the table.
type row struct{ text, colour string }

func rowsOf(ev bybit.Event) []row {
	switch e := ev.(type) {
	case *bybit.BookEvent:
		return []row{{bookLine(e), ""}}
	case *bybit.TradesEvent:
		rows := make([]row, len(e.Trades))
		for i := range e.Trades {
			t := &e.Trades[i]
			rows[i] = row{pad(string(t.Side), 4) + " " + t.Size.String() + " @ " + t.Price.String(), sideColour(t.Side)}
			if strings.HasPrefix(e.Topic.String(), "publicTrade.") && t.Symbol != e.Topic.Symbol() {
				rows[i].text += "  " + t.Symbol // option trades come by base coin
			}
		}
		return rows
	case *bybit.TickerEvent:
		return []row{{tickerLine(&e.Ticker), ""}}
	case *bybit.KlineEvent:
		rows := make([]row, len(e.Klines))
		for i := range e.Klines {
			k := &e.Klines[i]
			rows[i] = row{string(appendClock(nil, k.Start))[:5] + " open " + k.Open.String() + " high " + k.High.String() + " low " + k.Low.String() +
				" close " + k.Close.String() + " volume " + k.Volume.String(), ""}
			if k.Confirm {
				rows[i].text += " closed"
			}
		}
		return rows
	case *bybit.LiquidationsEvent:
		rows := make([]row, len(e.Liquidations))
		for i := range e.Liquidations {
			l := &e.Liquidations[i]
			rows[i] = row{pad(string(l.Side), 4) + " liquidated " + l.Size.String() + " @ " + l.Price.String(), sideColour(l.Side)}
		}
		return rows
	case *bybit.PriceLimitEvent:
		return []row{{"buy up to " + e.BuyLimit.String() + ", sell down to " + e.SellLimit.String(), ""}}
	case *bybit.GapEvent, *bybit.RejectedEvent, *bybit.SilentEvent, *bybit.DecodeErrorEvent:
		return []row{{noticeOf(ev), colourYellow}}
	case *bybit.RawEvent:
		return []row{{string(e.Frame), ""}}
	}
	return []row{{headOf(ev).kind, ""}}
}

func sideColour(s bybit.Side) string {
	switch s {
	case bybit.Buy:
		return colourGreen
	case bybit.Sell:
		return colourRed
	}
	return ""
}

// bookLine is "109378.80 x 1.273 | 109378.90 x 6.278  spread 0.10  +2 -1".
func bookLine(e *bybit.BookEvent) string {
	best := func(lv book.Level, err error) string {
		if err != nil {
			return "-"
		}
		return lv.Price.String() + " x " + lv.Size.String()
	}
	s := best(e.Book.BestBid()) + " | " + best(e.Book.BestAsk())
	if spread, err := e.Book.Spread(); err == nil {
		s += "  spread " + spread.String()
	}
	if e.Snapshot {
		return s + "  snapshot " + counted(len(e.Bids), "bid") + ", " + counted(len(e.Asks), "ask")
	}
	var set, gone int
	for _, side := range [...][]book.Level{e.Bids, e.Asks} {
		for i := range side {
			if side[i].Size.IsZero() && side[i].RPI.IsZero() {
				gone++
			} else {
				set++
			}
		}
	}
	return s + "  " + counted(set, "level") + " set, " + grouped(int64(gone)) + " deleted"
}

// tickerLine shows of a ticker what it has.
func tickerLine(t *bybit.Ticker) string {
	return namedNumbers([]namedNumber{
		{"last", t.LastPrice}, {"bid", t.BidPrice}, {"ask", t.AskPrice}, {"mark", t.MarkPrice}, {"index", t.IndexPrice},
		{"24h", t.Price24hPcnt}, {"volume", t.Volume24h}, {"funding", t.FundingRate}, {"iv", t.MarkPriceIV},
	})
}

// ratesLine shows of a ticker what a book and its trades do not show. coin is what the volume is of.
func ratesLine(t *bybit.Ticker, coin string) string {
	prices := namedNumbers([]namedNumber{{"mark", t.MarkPrice}, {"index", t.IndexPrice}})
	var parts []string
	if prices != "" {
		parts = append(parts, prices)
	}
	for _, rate := range []struct {
		name   string
		value  decimal.Decimal
		digits int
	}{{"funding", t.FundingRate, 4}, {"iv", t.MarkPriceIV, 2}, {"24h", t.Price24hPcnt, 2}} {
		if text := percentage(rate.value, rate.digits); text != "" {
			parts = append(parts, rate.name+" "+text)
		}
	}
	if v := t.Volume24h; v.IsSet() {
		if v.Cmp(decimal.FromInt(1000)) >= 0 {
			v = v.Round(0, decimal.HalfEven) // a line has 80 columns
		}
		parts = append(parts, strings.TrimSuffix("volume "+v.String()+" "+coin, " "))
	}
	return strings.Join(parts, "  ")
}

// percentage is a fraction in percent; "" for none.
func percentage(fraction decimal.Decimal, digits int) string {
	if !fraction.IsSet() {
		return ""
	}
	p, err := fraction.Mul(decimal.FromInt(100))
	if err != nil {
		return ""
	}
	return p.Round(digits, decimal.HalfEven).String() + " %"
}

// namedNumber is a number with the word before it.
type namedNumber struct {
	name  string
	value decimal.Decimal
}

// namedNumbers joins the numbers that there are.
func namedNumbers(list []namedNumber) string {
	var parts []string
	for _, n := range list {
		if n.value.IsSet() {
			parts = append(parts, n.name+" "+n.value.String())
		}
	}
	return strings.Join(parts, "  ")
}

// pad fills a text with spaces up to a width.
func pad(s string, width int) string {
	if n := width - utf8.RuneCountInString(s); n > 0 {
		return s + strings.Repeat(" ", n)
	}
	return s
}

// padLeft is pad with the spaces before the text.
func padLeft(s string, width int) string {
	if n := width - utf8.RuneCountInString(s); n > 0 {
		return strings.Repeat(" ", n) + s
	}
	return s
}

// cut shortens a text to a width, and shows that it did.
func cut(s string, width int) string {
	if len(s) <= width || utf8.RuneCountInString(s) <= width {
		return s
	}
	if width < 1 {
		return ""
	}
	return string([]rune(s)[:width-1]) + "…"
}
