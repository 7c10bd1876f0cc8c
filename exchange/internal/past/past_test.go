package past

import (
	"testing"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/catalog"
)

// Two starts: at the beginning of a month, and at no round time at all.
const (
	newYear = 1767225600_000000000
	oddTime = newYear + 17*day + 13*hour + 47*minute + 12_345678912
)

func find(t testing.TB, cat *catalog.Catalog, category bybit.Category, symbol string) *catalog.Instrument {
	t.Helper()
	in, ok := cat.Find(category, symbol)
	if !ok {
		t.Fatalf("no %s %s", category, symbol)
	}
	return in
}

func TestThePastEndsWhereTheMarketBegins(t *testing.T) {
	for _, start := range []int64{newYear, oddTime} {
		cat := catalog.Default(start)
		p := New(7, cat, start)
		for _, in := range cat.Live() {
			if in.Kind == catalog.Option || in.Kind == catalog.Spread {
				continue
			}
			a, _ := cat.Asset(in.Base)
			want := cat.StartPrice(in)
			switch in.Kind {
			case catalog.Perpetual:
				want += want.Mul(a.Funding)
			case catalog.Future:
				want += want.Mul(a.Carry.Mul(in.Years(start)))
			}
			for i := range Interval(Intervals) {
				bars := p.Bars(nil, in.ID, Trade, i, start-90*day, start, 1)
				if len(bars) != 1 {
					t.Fatalf("%s %s: %d bars, want 1", in.Symbol, i, len(bars))
				}
				if last := bars[0]; last.Close != in.TicksOf(want) {
					t.Errorf("%s %s: the last bar closes at %d, want %d", in.Symbol, i, last.Close, in.TicksOf(want))
				}
			}
		}
	}
}
