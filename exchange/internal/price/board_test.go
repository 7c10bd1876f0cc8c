package price

import (
	"testing"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/fixed"
)

func num(s string) fixed.F {
	f, ok := fixed.FromDecimal(decimal.MustParse(s))
	if !ok {
		panic(s)
	}
	return f
}

// start is 2026-01-01T00:00:00Z.
const start = 1767225600 * catalog.Second

// market is Inputs with fixed answers.
type market struct {
	cat   *catalog.Catalog
	index map[string]fixed.F
	vol   fixed.F
	quote func(in *catalog.Instrument) Quote
}

func (m *market) Index(coin string) fixed.F {
	if p, ok := m.index[coin]; ok {
		return p
	}
	a, _ := m.cat.Asset(coin)
	return a.Start
}
func (m *market) Vol(string) fixed.F { return m.vol }
func (m *market) Quote(in *catalog.Instrument) Quote {
	if m.quote == nil {
		return Quote{}
	}
	return m.quote(in)
}

func id(t *testing.T, c *catalog.Catalog, category bybit.Category, symbol string) catalog.ID {
	t.Helper()
	in, ok := c.Find(category, symbol)
	if !ok {
		t.Fatalf("%s %s is not listed", category, symbol)
	}
	return in.ID
}

func TestBoardOfTheDefaultCatalogue(t *testing.T) {
	c := catalog.Default(start)
	b := New(c, start)
	b.Update(start, &market{cat: c})
	btc := id(t, c, bybit.Linear, "BTCUSDT")
	// 88,000 dollars at 0.9996 dollars per USDT; nothing traded yet: the mark is the index, shown with 2 digits.
	if got := b.Mark(btc).Decimal(4).String(); got != "88035.2100" {
		t.Errorf("mark price %s", got)
	}
	if rate, next := b.Funding(btc); rate != num("0.0001") || next != start+8*catalog.Hour {
		t.Errorf("funding %v at %d", rate, next)
	}
	for _, in := range c.All(bybit.Option) {
		o, ok := b.Option(in.ID)
		if !ok || o.Price < 0 || o.Vol < lowestVol || o.Underlying <= 0 {
			t.Fatalf("%s: %+v, %t", in.Symbol, o, ok)
		}
	}
}
