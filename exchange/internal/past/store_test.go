package past

import (
	"bytes"
	"testing"

	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/state"
)

// smallCatalog has two instruments with a past, and one without.
func smallCatalog(t testing.TB, start int64) *catalog.Catalog {
	t.Helper()
	cat, err := catalog.New(catalog.Config{Start: start, Only: []string{"linear:BTCUSDT", "inverse:BTCUSD", "option:BTC-*"}})
	if err != nil {
		t.Fatal(err)
	}
	return cat
}

// trades lets a store see random trades and prices until an end, some far apart.
func trades(s *Store, r *fixed.Rand, ids []catalog.ID, from, to, apart int64) {
	price := fixed.FromInt(88000)
	for at := from; at < to; at += 1 + fixed.MulDiv(int64(r.Exponential()), apart, int64(fixed.One)) {
		price += price.Mul(r.Gauss()) / 2000
		for _, id := range ids {
			in := s.cat.At(id)
			if in.Kind == catalog.Option || r.Bool(fixed.Half) {
				s.Trade(at, id, max(1, in.TicksOf(price)+r.IntN(9)-4), 1+r.IntN(5000))
			}
			s.Value(at, id, Mark, price)
			s.Value(at, id, Index, price-fixed.One)
			s.Value(at, id, Premium, r.Gauss()/1000)
			s.Interest(at, id, 1000+r.IntN(1000))
		}
	}
}

func FuzzRestore(f *testing.F) {
	const start = newYear + 5*minute
	cat := smallCatalog(f, start)
	past := New(7, cat, start)
	s := NewStore(past)
	f.Add(state.Bytes(s))
	trades(s, fixed.NewRand(1), []catalog.ID{0, 3}, start, start+3*hour, 7*minute)
	f.Add(state.Bytes(s))
	var dst []Bar
	f.Fuzz(func(t *testing.T, b []byte) {
		s := NewStore(past)
		if err := state.Restore(s, b); err != nil {
			return
		}
		if again := state.Bytes(s); !bytes.Equal(again, b) {
			t.Errorf("restored from % x, written as % x", b, again)
		}
		// What was taken can be read.
		for id := range catalog.ID(cat.Len()) {
			for of := range seriesCount {
				for _, i := range []Interval{M1, M15, H1, D1, MN1} {
					dst = s.Bars(dst[:0], id, of, i, 0, s.now, 100)
					s.Current(id, of, i)
					s.Closed(id, of, i)
				}
			}
			s.Day(id)
		}
	})
}
