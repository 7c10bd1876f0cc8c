package feed

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/bywire/bywire/book"
	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/internal/wire"
)

// markets are one instrument of each category.
var markets = []struct {
	category bybit.Category
	symbol   string
	mid      int64
}{
	{bybit.Spot, "BTCUSDT", 880_000},
	{bybit.Linear, "BTCUSDT", 880_000},
	{bybit.Inverse, "BTCUSD", 880_000},
	{bybit.Option, "BTC-2JAN26-88000-C-USDT", 300},
	{bybit.Spread, "BTCUSDT_BTC/USDT", 0}, // prices of both signs
}

func newMarkets(t testing.TB) *venue {
	return newVenue(t, "BTCUSDT", "BTCUSD", "BTC-2JAN26-88000-C-USDT")
}

// Clients join at random times, at each depth of each category, while books change and restart: every frame
// decodes, every book stays valid under package book's strict rules, and equals the engine's at each push.
func TestBooksOfClientsEqualTheEngines(t *testing.T) {
	for seed := range uint64(6) {
		v := newMarkets(t)
		r := rand.New(rand.NewPCG(seed, 1))
		var traders []*trader
		var topics []*Topic
		for _, row := range markets {
			in := v.find(row.category, row.symbol)
			traders = append(traders, newTrader(v, in.ID, seed, row.mid, 40+int64(seed*seed)*600))
			m := v.feed.markets[in.ID]
			for _, d := range m.depths {
				if d != m.full {
					topics = append(topics, d.topic)
				}
			}
		}
		if seed == 5 { // books deeper than any topic
			for _, tr := range traders {
				tr.fill(1500)
			}
		}
		joined, deep := 0, 0
		checks := 0
		v.pushed = func(every int64) {
			for _, c := range v.clients {
				if c.topic.depth.every == every {
					c.check()
					checks++
					if d := c.topic.depth; d.levels == 1000 && len(d.sides[0]) == 1000 {
						deep++
					}
				}
			}
		}
		for range 400 {
			for range r.IntN(60) {
				traders[r.IntN(len(traders))].step()
			}
			switch n := r.IntN(100); {
			case n < 20 && v.now > testStart:
				v.join(topics[r.IntN(len(topics))])
				joined++
			case n < 25 && len(v.clients) > 0:
				v.clients[r.IntN(len(v.clients))].leave()
			case n == 25:
				id := traders[r.IntN(len(traders))].id
				v.do(id, func(b *engine.Book) []engine.Event { return b.Restart() })
			case n == 27:
				v.feed.Republish()
			case n == 26 && seed != 5:
				id := traders[r.IntN(len(traders))].id
				v.do(id, func(b *engine.Book) []engine.Event { return b.Clear(engine.ByAdmin) })
			}
			v.wait(time.Duration(r.IntN(40)) * time.Millisecond)
		}
		if joined < 40 || checks < 5000 || seed == 5 && deep < 100 {
			t.Errorf("seed %d: only %d clients and %d checks, %d of deep books", seed, joined, checks, deep)
		}
	}
}

// The full book has no snapshot: REST's, taken at any time, aligns with the deltas where u and seq are equal.
func TestFullBooksAlign(t *testing.T) {
	for seed := range uint64(4) {
		v := newMarkets(t)
		in := v.find(bybit.Linear, "BTCUSDT")
		tr := newTrader(v, in.ID, seed, 880_000, 300)
		for range 2000 {
			tr.step()
		}
		r := rand.New(rand.NewPCG(seed, 2))
		full := book.NewFull(&book.FullOptions{MinInterval: time.Nanosecond})
		var msg bybit.BookMessage
		due, restarts, live := int64(0), 0, 0
		now := func() time.Time { return time.Unix(0, v.now) }
		take := func(step book.FullStep) {
			if step.Fetch {
				due = v.now + r.Int64N(int64(time.Second))
			}
		}
		name := "orderbook.full.BTCUSDT"
		v.every = func(topic *Topic, frame []byte) {
			if topic.Channel != wire.Linear || topic.Name != name {
				return
			}
			if err := msg.Decode(frame); err != nil {
				t.Fatal(err)
			}
			if msg.Snapshot {
				t.Fatalf("a snapshot on %s", name)
			}
			take(full.Delta(&msg.Update, now()))
		}
		for i := range 600 {
			for range r.IntN(20) {
				tr.step()
			}
			if i%150 == 149 {
				v.do(in.ID, func(b *engine.Book) []engine.Event { return b.Restart() })
				restarts++
			}
			v.wait(50 * time.Millisecond)
			if due > 0 && v.now >= due {
				due = 0
				view, ok := v.feed.Full(in.ID)
				if !ok {
					take(full.SnapshotFailed(nil, now()))
					continue
				}
				m := v.feed.markets[in.ID]
				u := book.Update{Snapshot: true, ID: view.U, Seq: view.Seq}
				u.Bids, u.Asks = m.appendLevels(nil, appendReversed(nil, view.Bids), false), m.appendLevels(nil, appendReversed(nil, view.Asks), false)
				take(full.Snapshot(&u, now()))
			}
			if full.State() != book.FullLive || v.now%class200 != 0 {
				continue
			}
			live++
			compareSides(t, v, in.ID, full.View())
		}
		if live < 50 {
			t.Errorf("seed %d: live at %d pushes only", seed, live)
		}
	}
}

// compareSides compares a full book with the engine's.
func compareSides(t *testing.T, v *venue, id catalog.ID, view book.View) {
	t.Helper()
	m := v.feed.markets[id]
	for s := engine.Buy; s <= engine.Sell; s++ {
		want := m.book.Levels(nil, s, 1<<30, false)
		got, err := view.AppendTop(nil, book.Side(s), len(want)+1)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != len(want) {
			t.Fatalf("%v: %d levels, want %d", s, len(got), len(want))
		}
		for i := range want {
			if w := m.level(&rung{price: want[i].Price, qty: want[i].Qty}, false); !got[i].Price.Equal(w.Price) || !got[i].Size.Equal(w.Size) {
				t.Fatalf("%v level %d: %v, want %v", s, i, got[i], w)
			}
		}
	}
}
