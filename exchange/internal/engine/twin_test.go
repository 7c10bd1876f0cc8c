package engine_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/engine/naive"
	"github.com/bywire/bywire/exchange/internal/state"
)

// book is what the engine and its oracle share.
type book interface {
	Place(*engine.Order) []engine.Event
	Amend(id uint64, price, qty int64) []engine.Event
	Cancel(id uint64, why engine.Reason) []engine.Event
	Clear(why engine.Reason) []engine.Event
	Halt() []engine.Event
	Resume() []engine.Event
	Restart() []engine.Event
	SetLimits(lowestSell, highestBuy int64)

	Best(engine.Side) (price, qty int64, ok bool)
	Levels(dst []engine.Level, s engine.Side, n int, rpi bool) []engine.Level
	LevelAt(s engine.Side, price int64) (engine.Level, bool)
	Orders(dst []engine.Resting, s engine.Side) []engine.Resting
	Order(id uint64) (engine.Resting, bool)
	Version(engine.Side) uint64
	Seq() int64
	Closed() bool
	Limits() (lowestSell, highestBuy int64)
	Resting() int
}

var (
	_ book = (*engine.Book)(nil)
	_ book = (*naive.Book)(nil)
)

// sparse makes ids as the exchange does: each number its own, spread over 64 bits.
func sparse(n uint64) uint64 {
	n *= 0x9e3779b97f4a7c15
	return n ^ n>>29
}

// A script is bytes read as commands. Any bytes are one, so that a fuzzer can write it.
type script struct {
	bytes  []byte
	center int64 // of prices
	step   int64 // between neighbouring prices
	ids    []uint64
}

func (s *script) byte() byte {
	if len(s.bytes) == 0 {
		return 0
	}
	b := s.bytes[0]
	s.bytes = s.bytes[1:]
	return b
}

func (s *script) price() int64 {
	b := s.byte()
	if b == 255 {
		return math.MinInt64
	}
	return s.center + int64(b%31-15)*s.step
}

func (s *script) qty() int64 {
	switch b := s.byte(); {
	case b < 246:
		return 1 + int64(b%7)
	case b < 252:
		return math.MaxInt64 / 20 >> (b % 4)
	default:
		return []int64{0, -3, math.MaxInt64, math.MinInt64}[b%4]
	}
}

// known is the id of one of the latest orders, now and then of none.
func (s *script) known() uint64 {
	b := int(s.byte())
	if b > 250 || len(s.ids) == 0 {
		return uint64(b)
	}
	return s.ids[max(0, len(s.ids)-1-b)]
}

func (s *script) order() *engine.Order {
	s.ids = append(s.ids, sparse(uint64(len(s.ids)+1)))
	kind, owner, more := s.byte(), s.byte(), s.byte()
	o := &engine.Order{
		ID: s.ids[len(s.ids)-1], Account: uint32(owner % 4), Group: uint32(owner / 4 % 3), Prevent: engine.Prevention(owner / 16 % 4), Tag: engine.Tag(owner / 64 % 3),
		Side: engine.Side(kind % 2), TIF: []engine.TimeInForce{engine.GTC, engine.GTC, engine.IOC, engine.FOK, engine.PostOnly, engine.RPI, engine.RPI, engine.GTC}[kind/2%8],
		Market: kind >= 224, SeesRPI: more%2 == 1, Reprice: more/2%2 == 1,
		Price: s.price(), Qty: s.qty(),
	}
	switch more / 4 {
	case 0, 1, 2, 3, 4:
		o.Bounded, o.Worst = true, s.price()
	case 5, 6, 7, 8:
		o.Best, o.BestOpposite = 1+s.byte()%6, more%2 == 0
	case 9, 10, 11, 12, 13, 14, 15, 16:
		if o.Market {
			o.Qty, o.Value = 0, s.center*s.qty()
		}
	case 17:
		o.ID = s.known()
	case 18:
		b := s.byte()
		o.Side, o.TIF, o.Value = engine.Side(b%3), engine.TimeInForce(b/3%6), int64(b/18%3)-1
		o.Prevent += engine.Prevention(b / 54)
	case 19:
		o.ID = 0
	}
	return o
}

// command reads one command and returns what runs it, with its words.
func (s *script) command() (string, func(book) []engine.Event) {
	switch op := s.byte(); {
	case op < 140:
		o := s.order()
		return fmt.Sprintf("place %+v", *o), func(b book) []engine.Event { return b.Place(o) }
	case op < 180:
		id, price, qty := s.known(), s.price(), s.qty()
		what := s.byte()
		return fmt.Sprintf("amend %d (%d): %d at %d", id, what%4, qty, price), func(b book) []engine.Event {
			// Mostly one of both stays as it is.
			if r, ok := b.Order(id); ok && what%4 == 1 {
				return b.Amend(id, r.Price, qty)
			} else if ok && what%4 == 2 {
				return b.Amend(id, price, r.Qty)
			} else if ok && what%4 == 3 {
				return b.Amend(id, r.Price, r.Qty-int64(what/128))
			}
			return b.Amend(id, price, qty)
		}
	case op < 240:
		id := s.known()
		return fmt.Sprintf("cancel %d", id), func(b book) []engine.Event { return b.Cancel(id, engine.ByUser) }
	case op < 246:
		low, high := s.price(), s.price()
		if op > 240 {
			low, high = math.MinInt64, math.MaxInt64
		}
		return fmt.Sprintf("limits %d %d", low, high), func(b book) []engine.Event { b.SetLimits(low, high); return nil }
	case op < 249:
		return "halt", book.Halt
	case op < 254:
		return "resume", book.Resume
	case op < 255:
		return "restart", book.Restart
	default:
		return "clear", func(b book) []engine.Event { return b.Clear(engine.ByAdmin) }
	}
}

// play runs a script on the engine and on the oracle and compares whatever can be seen of them after each command.
// Seen, if not nil, is called with all events.
func play(tb testing.TB, data []byte, seen func(engine.Event)) {
	s := &script{bytes: data}
	shape := s.byte()
	s.center = []int64{1000, 0, -20, 1 << 40, 1<<47 - 100}[shape%5]
	s.step = []int64{1, 3, 64, 5000, 300_000, 1 << 33}[shape/5%6]
	cfg := engine.Config{MaxMatches: []int{0, 1, 2, 5}[shape/30%4]}
	fast, slow := engine.New(cfg), naive.New(cfg)
	for n := 0; len(s.bytes) > 0; n++ {
		words, run := s.command()
		want := run(slow)
		got := run(fast)
		if !slices.Equal(got, want) {
			tb.Fatalf("command %d, %s: events are\n%+v, want\n%+v\nbids %+v\nasks %+v", n, words, got, want, slow.Orders(nil, engine.Buy), slow.Orders(nil, engine.Sell))
		}
		if seen != nil {
			for _, e := range got {
				seen(e)
			}
		}
		when := fmt.Sprintf("after command %d, %s", n, words)
		same(tb, when, fast, slow)
		if n%16 == 15 {
			fast = restored(tb, fast, cfg)
			same(tb, "restored "+when, fast, slow)
		}
	}
}

// same compares two books by all that their methods show.
func same(tb testing.TB, when string, fast *engine.Book, slow *naive.Book) {
	tb.Helper()
	if err := fast.Check(); err != nil {
		tb.Fatalf("%s: %v", when, err)
	}
	low, high := fast.Limits()
	wantLow, wantHigh := slow.Limits()
	if fast.Seq() != slow.Seq() || fast.Closed() != slow.Closed() || fast.Resting() != slow.Resting() || low != wantLow || high != wantHigh {
		tb.Fatalf("%s: seq %d, closed %t, %d orders, limits %d and %d; want %d, %t, %d, %d, %d", when,
			fast.Seq(), fast.Closed(), fast.Resting(), low, high, slow.Seq(), slow.Closed(), slow.Resting(), wantLow, wantHigh)
	}
	for _, side := range []engine.Side{engine.Buy, engine.Sell} {
		price, qty, ok := fast.Best(side)
		wantPrice, wantQty, wantOK := slow.Best(side)
		if price != wantPrice || qty != wantQty || ok != wantOK {
			tb.Fatalf("%s: %v best is %d at %d, %t; want %d at %d, %t", when, side, qty, price, ok, wantQty, wantPrice, wantOK)
		}
		if got, want := fast.Version(side), slow.Version(side); got != want {
			tb.Fatalf("%s: %v version is %d, want %d", when, side, got, want)
		}
		orders := slow.Orders(nil, side)
		if got := fast.Orders(nil, side); !slices.Equal(got, orders) {
			tb.Fatalf("%s: %v orders are\n%+v, want\n%+v", when, side, got, orders)
		}
		prices := []int64{math.MinInt64, math.MaxInt64}
		for _, want := range orders {
			if got, ok := fast.Order(want.ID); !ok || got != want {
				tb.Fatalf("%s: order %d is %+v, want %+v", when, want.ID, got, want)
			}
			prices = append(prices, want.Price, want.Price+1)
		}
		for _, price := range prices {
			got, ok := fast.LevelAt(side, price)
			if want, wantOK := slow.LevelAt(side, price); got != want || ok != wantOK {
				tb.Fatalf("%s: %v level at %d is %+v, %t, want %+v, %t", when, side, price, got, ok, want, wantOK)
			}
		}
		for _, rpi := range []bool{false, true} {
			for _, n := range []int{1, 3, math.MaxInt} {
				if got, want := fast.Levels(nil, side, n, rpi), slow.Levels(nil, side, n, rpi); !slices.Equal(got, want) {
					tb.Fatalf("%s: %d %v levels (RPI %t) are\n%+v, want\n%+v", when, n, side, rpi, got, want)
				}
			}
		}
	}
}

// restored is the book after a snapshot and a restore.
func restored(tb testing.TB, b *engine.Book, cfg engine.Config) *engine.Book {
	tb.Helper()
	snapshot := state.Bytes(b)
	again := engine.New(cfg)
	if err := state.Restore(again, snapshot); err != nil {
		tb.Fatalf("restore: %v", err)
	}
	if !bytes.Equal(state.Bytes(again), snapshot) {
		tb.Fatal("a restored book has another snapshot")
	}
	return again
}

// noise is a script of n random bytes.
func noise(seed uint64, n int) []byte {
	r := rand.New(rand.NewPCG(seed, 5))
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(r.Uint32())
	}
	return data
}

func TestEngineDoesWhatTheOracleDoes(t *testing.T) {
	kinds, reasons := make(map[engine.EventKind]int), make(map[engine.Reason]int)
	for seed := range uint64(60) {
		data := noise(seed, 4000)
		data[0] = byte(seed) // each shape
		play(t, data, func(e engine.Event) {
			kinds[e.Kind]++
			reasons[e.Reason]++
		})
	}
	// A comparison of what never happens proves nothing.
	for k := engine.Rested; k <= engine.Restarted; k++ {
		if kinds[k] < 10 {
			t.Errorf("%v happened %d times, want 10 or more", k, kinds[k])
		}
	}
	for r := engine.SelfMatch; r <= engine.Unchanged; r++ {
		if reasons[r] < 10 {
			t.Errorf("%q happened %d times, want 10 or more", r, reasons[r])
		}
	}
}

func FuzzEngineDoesWhatTheOracleDoes(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(noise(seed, 300))
	}
	f.Fuzz(func(t *testing.T, data []byte) { play(t, data[:min(len(data), 4000)], nil) })
}
