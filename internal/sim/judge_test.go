package sim_test

import (
	"strings"
	"testing"
	"time"

	"github.com/bywire/bywire/book"
	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/internal/sim"
)

// nth returns a predicate that is true for the nth event that is chosen.
func nth(n int, chosen func(bybit.Event) bool) func(bybit.Event) bool {
	return func(ev bybit.Event) bool {
		if !chosen(ev) {
			return false
		}
		n--
		return n == 0
	}
}

func isBook(ev bybit.Event) bool {
	b, ok := ev.(*bybit.BookEvent)
	return ok && !b.Snapshot && !isFull(ev)
}
func isFull(ev bybit.Event) bool {
	b, ok := ev.(*bybit.BookEvent)
	return ok && b.Topic == bybit.FullOrderBook("BTCUSDT")
}
func isTrades(ev bybit.Event) bool { _, ok := ev.(*bybit.TradesEvent); return ok }
func isTicker(ev bybit.Event) bool { _, ok := ev.(*bybit.TickerEvent); return ok }

func topicOf(ev bybit.Event) bybit.Topic {
	switch ev := ev.(type) {
	case *bybit.BookEvent:
		return ev.Topic
	case *bybit.TradesEvent:
		return ev.Topic
	case *bybit.TickerEvent:
		return ev.Topic
	}
	return bybit.Topic{}
}

// drop loses one event.
func drop(pick func(bybit.Event) bool) func(bybit.Event) []bybit.Event {
	return func(ev bybit.Event) []bybit.Event {
		if pick(ev) {
			return nil
		}
		return []bybit.Event{ev}
	}
}

// swap gives one event after the next one of its topic.
func swap(pick func(bybit.Event) bool) func(bybit.Event) []bybit.Event {
	var held bybit.Event
	return func(ev bybit.Event) []bybit.Event {
		switch {
		case held != nil && topicOf(ev) == topicOf(held):
			both := []bybit.Event{ev, held}
			held = nil
			return both
		case held == nil && pick(ev):
			held = ev
			if b, ok := ev.(*bybit.BookEvent); ok {
				held = b.Clone()
			}
			return nil
		}
		return []bybit.Event{ev}
	}
}

// alter changes one event.
func alter(pick func(bybit.Event) bool, change func(bybit.Event) bybit.Event) func(bybit.Event) []bybit.Event {
	return func(ev bybit.Event) []bybit.Event {
		if pick(ev) {
			ev = change(ev)
		}
		return []bybit.Event{ev}
	}
}

// wrong returns a change of a book event that makes its book wrong.
func wrong(spoil func(u *book.Update)) func(bybit.Event) bybit.Event {
	return func(ev bybit.Event) bybit.Event {
		c := ev.(*bybit.BookEvent).Clone()
		var u book.Update
		if err := c.Book.AppendSnapshot(&u); err != nil {
			return c
		}
		spoil(&u)
		own := book.New(len(u.Bids) + len(u.Asks))
		own.Apply(&u)
		c.Book = own.View()
		return c
	}
}

// TestJudgeSeesWhatIsWrong puts a liar between stream and judge.
func TestJudgeSeesWhatIsWrong(t *testing.T) {
	isGap := func(ev bybit.Event) bool { _, ok := ev.(*bybit.GapEvent); return ok }
	lastPrice := func(ev bybit.Event) bybit.Event {
		c := *ev.(*bybit.TickerEvent)
		c.LastPrice = decimal.FromInt(-1)
		return &c
	}
	twice := func(pick func(bybit.Event) bool) func(bybit.Event) []bybit.Event {
		return func(ev bybit.Event) []bybit.Event {
			if pick(ev) {
				return []bybit.Event{ev, ev}
			}
			return []bybit.Event{ev}
		}
	}
	var lanes = sim.Rules{Lanes: true}
	tests := []struct {
		name   string
		rules  sim.Rules
		tamper func(bybit.Event) []bybit.Event
		faults []sim.Kind
		want   string
	}{
		{"a book event is lost", sim.Rules{}, drop(nth(100, isBook)), nil, "no gap says so"},
		{"trades are lost", sim.Rules{}, drop(nth(100, isTrades)), nil, "no gap says so"},
		{"a ticker is lost", sim.Rules{}, drop(nth(100, isTicker)), nil, "no gap says so"},
		{"a gap is hidden", sim.Rules{}, drop(isGap), []sim.Kind{sim.Cut}, "no gap says so"},
		{"a gap of a book is hidden", sim.Rules{}, drop(isGap), []sim.Kind{sim.Drop, sim.Drop, sim.Drop, sim.Drop}, "no gap says so"},
		{"two book events change places", sim.Rules{}, swap(nth(100, isBook)), nil, "no gap says so"},
		{"two trades change places", sim.Rules{}, swap(nth(100, isTrades)), nil, "no gap says so"},
		{"trades come twice", sim.Rules{}, twice(nth(100, isTrades)), nil, "came 2 times"},
		{"a level has another size", sim.Rules{}, alter(nth(100, isBook), wrong(func(u *book.Update) { u.Bids[0].Size = decimal.FromInt(123456789) })), nil, "differs from the server's"},
		{"the last level is missing", sim.Rules{}, alter(nth(100, isBook), wrong(func(u *book.Update) { u.Asks = u.Asks[:len(u.Asks)-1] })), nil, "differs from the server's"},
		{"there is a level too many", sim.Rules{}, alter(nth(100, isBook), wrong(func(u *book.Update) {
			u.Bids = append(u.Bids, book.Level{Price: decimal.MustParse("0.01"), Size: decimal.FromInt(1)})
		})), nil, "differs from the server's"},
		{"a book stays readable", sim.Rules{}, alter(nth(100, isBook), func(ev bybit.Event) bybit.Event { return ev.(*bybit.BookEvent).Clone() }), nil, "can still be read"},
		{"a ticker has another price", sim.Rules{}, alter(nth(100, isTicker), lastPrice), nil, "lastPrice is -1"},
		{"a change of a full book is lost", sim.Rules{}, drop(nth(100, isFull)), nil, "orderbook.full.BTCUSDT: message"},
		{"two of a full book change places", sim.Rules{}, swap(nth(100, isFull)), nil, "no gap says so"},
		{"a level of a full book has another size", sim.Rules{}, alter(nth(100, isFull), wrong(func(u *book.Update) { u.Bids[0].Size = decimal.FromInt(123456789) })), nil, "differs from the server's"},
		{"a gap of a full book is hidden", sim.Rules{}, drop(isGap), []sim.Kind{sim.LateSnapshot, sim.LateSnapshot}, "begins the book anew"},
		{"a topic dies", sim.Rules{}, drop(isTicker), nil, "nothing came"},
		{"trades are lost, on lanes", lanes, drop(nth(100, isTrades)), nil, "never came"},
		{"a gap is hidden, on lanes", lanes, drop(isGap), []sim.Kind{sim.RefuseDials, sim.Huge}, "follows"},
		{"trades come twice, on lanes", lanes, twice(nth(100, isTrades)), nil, "came 2 times"},
		{"a book event is lost, on lanes", lanes, drop(nth(100, isBook)), nil, "follows"},
		{"two book events change places, on lanes", lanes, swap(nth(100, isBook)), nil, "follows"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var faults []sim.Fault
			for i, k := range tt.faults {
				faults = append(faults, sim.Fault{After: 20 * time.Second, Kind: k, Pick: i * 16, For: 5 * time.Second})
			}
			p := &party{channel: bybit.Linear, topics: topicsOf("BTCUSDT"), rules: tt.rules, tamper: tt.tamper}
			play(t, 3, faults, []*party{p})
			if all := strings.Join(p.judge.Complaints(), "\n"); !strings.Contains(all, tt.want) {
				t.Errorf("the judge says %q, want %q in it", all, tt.want)
			}
		})
	}
}
