package feed

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/state"
	"github.com/bywire/bywire/internal/wire"
)

// What is published once more for another audience has books with u = 1, as pushed last, and the state stays as it was:
// whether it is done or not, the run goes on alike.
func TestRepublish(t *testing.T) {
	run := func(republish bool) (*venue, map[string][]string) {
		v := newMarkets(t)
		busyRun(v, 3, nil)
		before := state.Hash(v.feed)
		frames := map[string][]string{}
		v.every = func(topic *Topic, frame []byte) {
			key := string(topic.Channel) + " " + topic.Name
			frames[key] = append(frames[key], string(frame))
		}
		if republish {
			v.feed.Republish()
		}
		if state.Hash(v.feed) != before {
			t.Error("publishing once more has changed the state")
		}
		return v, frames
	}
	v, frames := run(true)
	books := 0
	for _, topic := range v.feed.index {
		list := frames[string(topic.Channel)+" "+topic.Name]
		if want := v.feed.Snapshot(topic, nil); len(want) > 0 && (len(list) != 1 || list[0] != string(want[0])) {
			t.Errorf("%s: published %s, and a new subscriber gets %s", topic.Name, list, want)
		}
		if topic.depth == nil {
			continue
		}
		books++
		kind := "snapshot"
		if topic.Kind == wire.KindFullOrderBook {
			kind = "delta"
		}
		if len(list) != 1 || !strings.Contains(list[0], `"type":"`+kind+`"`) || !strings.Contains(list[0], `"u":1,`) {
			t.Errorf("%s: %s", topic.Name, list)
		}
		if b, ok := v.feed.view(topic.ID, func(*market) *depth { return topic.depth }); !ok || b.U != 1 || len(b.Bids) == 0 {
			t.Errorf("%s: REST shows u %d and %d bids", topic.Name, b.U, len(b.Bids))
		}
	}
	if books < 20 {
		t.Errorf("only %d books", books)
	}
	other, _ := run(false)
	busyRun(v, 5, nil)
	busyRun(other, 5, nil)
	if state.Hash(v.feed) != state.Hash(other.feed) {
		t.Error("publishing once more has changed what came of it")
	}
}

// What was pushed is compared with the engine's book: all of it right after a push, what has not changed at other times,
// and whatever is wrong is found.
func TestCheck(t *testing.T) {
	v := newMarkets(t)
	busyRun(v, 3, nil)
	v.advance(v.now - v.now%class200 + class200)
	all, topics, broken := v.feed.Check()
	books := 0
	for _, topic := range v.feed.index {
		if topic.depth != nil {
			books++
		}
	}
	if all != topics || topics != books || len(broken) > 0 {
		t.Fatalf("%d of %d are compared, of %d books; %v", all, topics, books, broken)
	}
	in := v.find(bybit.Linear, "BTCUSDT")
	before := state.Hash(v.feed)
	depths := v.feed.markets[in.ID].depths
	for _, d := range depths {
		for side := range d.sides {
			list := d.sides[side]
			for i, spoil := range []func(){
				func() { d.sides[side] = list[1:] },
				func() { d.sides[side] = list[:len(list)-1] },
				func() { d.sides[side] = append(slices.Clip(list), rung{price: 1, qty: 1}) },
				func() { list[len(list)/2].qty++ },
				func() { list[0].price-- },
				func() { list[len(list)-1].rpi++ },
			} {
				kept := slices.Clone(list)
				spoil()
				n, _, broken := v.feed.Check()
				if n != topics || len(broken) != 1 || !errors.Is(broken[0], ErrBook) || !strings.Contains(broken[0].Error(), d.topic.Name+" at u "+fmt.Sprint(d.u)) {
					t.Errorf("%s, side %d, %d: %d compared, %v", d.topic.Name, side, i, n, broken)
				}
				d.sides[side] = append(list[:0], kept...)
			}
		}
	}
	if n, _, broken := v.feed.Check(); n != topics || len(broken) > 0 || state.Hash(v.feed) != before {
		t.Errorf("checking has changed something: %d compared, %v", n, broken)
	}
	best, _, _ := v.books[in.ID].Best(engine.Buy)
	v.place(in.ID, engine.Order{Account: 1, Side: engine.Buy, Price: best - 100, Qty: 7})
	if n, _, broken := v.feed.Check(); n != topics-len(depths) || len(broken) > 0 {
		t.Errorf("%d compared of %d, %d have a push to come: %v", n, topics, len(depths), broken)
	}
}

// A feed restored from a snapshot, with books restored as well, goes on as if nothing had happened.
func TestRestoredFeedGoesOn(t *testing.T) {
	var runs [2]bytes.Buffer
	for run := range runs {
		v := newMarkets(t)
		second := false
		v.every = func(topic *Topic, frame []byte) {
			if second {
				fmt.Fprintf(&runs[run], "%s %s %s\n", topic.Channel, topic.Name, frame)
			}
		}
		busyRun(v, 8, func() {
			second = true
			v.maintain(Notice{Title: "a", State: "scheduled"})
			v.block("custom", []BlockLeg{{ID: v.find(bybit.Linear, "BTCUSDT").ID, Price: 880_000, Lots: 10}})
			if run == 0 {
				return
			}
			saved := state.Bytes(v.feed)
			var before []string
			for _, m := range v.feed.markets {
				before = append(before, describe(m))
			}
			for id, b := range v.books {
				fresh := engine.New(engine.Config{})
				if err := state.Restore(fresh, state.Bytes(b)); err != nil {
					t.Fatal(err)
				}
				v.books[id] = fresh
			}
			v.feed = New(v.cat, v, v.board, v.bars, v, testStart)
			if err := state.Restore(v.feed, saved); err != nil {
				t.Fatal(err)
			}
			if state.Hash(v.feed) != sha256.Sum256(saved) {
				t.Error("the restored feed has another state")
			}
			for id, m := range v.feed.markets {
				if m != nil && describe(m) != before[id] {
					t.Errorf("%s is\n%s\nand was\n%s", m.inst.Symbol, describe(m), before[id])
				}
			}
		})
	}
	if a, b := runs[0].String(), runs[1].String(); a != b || len(a) < 100_000 {
		al, bl := strings.Split(a, "\n"), strings.Split(b, "\n")
		for i := range min(len(al), len(bl)) {
			if al[i] != bl[i] {
				t.Fatalf("frame %d:\n%s\n%s", i, al[i], bl[i])
			}
		}
		t.Errorf("%d and %d bytes", len(a), len(b))
	}
}

// describe is all of a market that a snapshot must bring back.
func describe(m *market) string {
	if m == nil {
		return ""
	}
	s := fmt.Sprintln(m.seq, m.matched, m.traded, m.last, m.dir, len(m.recent.trades), m.recent.next, m.ticker.shown, m.ticker.pushed, m.ticker.seq,
		m.pnl, m.pnlHigh, m.totalLots, m.totalValue)
	for _, d := range m.depths {
		s += fmt.Sprintln(d.topic.Name, d.u, d.seq, d.matched, d.pushed, len(d.sides[0]), len(d.sides[1]))
	}
	for _, c := range m.candles {
		s += fmt.Sprintln(c.start, c.trades)
	}
	if m.limits != nil {
		s += fmt.Sprintln(m.limits.buy, m.limits.sell, m.limits.pushed)
	}
	if m.interest != nil {
		s += fmt.Sprintf("%+v\n", *m.interest)
	}
	if m.losses != nil {
		s += fmt.Sprintln(m.losses.waiting)
	}
	return s
}

// Bytes from anywhere restore or are refused, and never panic.
func FuzzRestore(f *testing.F) {
	v := newVenue(f, "BTCUSDT", "BTC-2JAN26-88000-C-USDT")
	fresh := state.Bytes(v.feed)
	f.Add(fresh)
	for _, in := range v.cat.Live() {
		mid := int64(1000)
		tr := newTrader(v, in.ID, 1, mid, 10)
		for range 100 {
			tr.step()
		}
	}
	v.wait(time.Second)
	v.maintain(Notice{Title: "a", State: "ongoing"})
	v.block("custom", []BlockLeg{{ID: 0, Price: 880_000, Lots: 1000}})
	f.Add(state.Bytes(v.feed))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		v.t = t
		to := New(v.cat, v, v.board, v.bars, nil, testStart)
		if state.Restore(to, b) != nil {
			return
		}
		again := state.Bytes(to)
		if !bytes.Equal(again, b) {
			t.Error("restored to another state")
		}
		for _, every := range Classes() {
			to.Push(v.now+second, every)
		}
		for _, topic := range to.index {
			to.Snapshot(topic, nil)
		}
		for id := range catalog.ID(4) {
			to.Ticker(id)
			to.Trades(nil, id, 1000)
		}
		to.Blocks(10)
	})
}

// After contracts were delivered and listed, a restored feed has the same state: pools and option coins as they
// came about.
func TestRestoredAfterRolls(t *testing.T) {
	v := newVenue(t)
	for range 90 {
		v.now = v.cat.NextRoll(v.now)
		delivered, listed := v.cat.Roll(v.now, func(coin string) fixed.F {
			a, _ := v.cat.Asset(coin)
			return a.Start
		})
		for _, id := range delivered {
			v.feed.Delivered(v.now, id)
			delete(v.books, id)
		}
		for _, id := range listed {
			v.books[id] = engine.New(engine.Config{})
			v.feed.Listed(id)
		}
	}
	if v.find(bybit.Linear, "BTCUSDT-25SEP26") == nil || len(v.feed.Insurance()) < 5 {
		t.Fatal("nothing new was listed")
	}
	for i, every := range Classes() {
		v.feed.Push(v.now+int64(i), every)
	}
	saved := state.Bytes(v.feed)
	fresh := New(v.cat, v, v.board, v.bars, nil, v.now)
	if err := state.Restore(fresh, saved); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(state.Bytes(fresh), saved) {
		t.Error("the restored feed has another state")
	}
	if got, want := fmt.Sprint(fresh.Insurance()), fmt.Sprint(v.feed.Insurance()); got != want {
		t.Errorf("pools\n%s\nwant\n%s", got, want)
	}
	live := 0
	for _, in := range v.cat.Live() {
		if _, ok := fresh.Topic(channelOf(in.Category), "tickers."+in.Symbol); !ok {
			t.Errorf("no ticker of %s", in.Symbol)
		}
		live++
	}
	if len(fresh.index) != len(v.feed.index) || live < 200 {
		t.Errorf("%d topics of %d instruments, want %d", len(fresh.index), live, len(v.feed.index))
	}
}
