package catalog

import (
	"strings"
	"testing"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/state"
)

// What a file says is refused where it would not hold: the sentence names the symbol, the member and what it should be.
func TestNumbersThatWouldNotHold(t *testing.T) {
	const linear, spot = `"category":"linear","like":"BTCUSDT","symbol":"X",`, `"category":"spot","like":"BTCUSDT","symbol":"X",`
	for _, tt := range []struct{ row, want string }{
		{linear + `"priceFilter":{"tickSize":"0.50","maxPrice":"199999.95"}`, "linear X: priceFilter.maxPrice is 199999.95: want a multiple of tickSize, 0.50"},
		{linear + `"priceFilter":{"minPrice":"0.15"}`, "linear X: priceFilter.minPrice is 0.15: want a multiple of tickSize, 0.10"},
		{linear + `"lotSizeFilter":{"maxOrderQty":"-5"}`, "linear X: lotSizeFilter.maxOrderQty is -5: want at least a lot, 0.001"},
		{linear + `"lotSizeFilter":{"maxOrderQty":"0"}`, "linear X: lotSizeFilter.maxOrderQty is 0: want at least a lot, 0.001"},
		{linear + `"lotSizeFilter":{"maxOrderQty":"0.0009"}`, "linear X: lotSizeFilter.maxOrderQty is 0.0009: want at least a lot, 0.001"},
		{linear + `"lotSizeFilter":{"maxMktOrderQty":"0"}`, "linear X: lotSizeFilter.maxMktOrderQty is 0: want at least a lot, 0.001"},
		{linear + `"lotSizeFilter":{"minOrderQty":"-0.001"}`, "linear X: lotSizeFilter.minOrderQty is -0.001: want more than 0"},
		{linear + `"lotSizeFilter":{"minOrderQty":"0"}`, "linear X: lotSizeFilter.minOrderQty is 0: want more than 0"},
		{linear + `"fundingInterval":0`, "linear X: fundingInterval is 0: want minutes from 1 to 1440"},
		{linear + `"fundingInterval":-480`, "linear X: fundingInterval is -480: want minutes from 1 to 1440"},
		{linear + `"fundingInterval":1441`, "linear X: fundingInterval is 1441: want minutes from 1 to 1440"},
		{linear + `"upperFundingRate":"1.5","lowerFundingRate":"-0.5"`, "linear X: upperFundingRate is 1.5 and lowerFundingRate -0.5: want -1 <= lower <= upper <= 1"},
		// Of the mean coin 20 million dollars change hands in a day, of BTC 5,600.
		{linear + `"lotSizeFilter":{"qtyStep":"637"}`, "linear X: lotSizeFilter.qtyStep is 637: want at most what 56000000 US dollars buy, a hundredth of the usual turnover of a day"},
		{linear + `"baseCoin":"NEW","lotSizeFilter":{"qtyStep":"167"}`, "linear X: lotSizeFilter.qtyStep is 167: want at most what 200000 US dollars buy"},
		{`"category":"inverse","like":"BTCUSD","symbol":"X","lotSizeFilter":{"qtyStep":"56000001"}`, "inverse X: lotSizeFilter.qtyStep is 56000001: want at most what 56000000 US dollars buy"},
		{spot + `"lotSizeFilter":{"basePrecision":"637"}`, "spot X: lotSizeFilter.basePrecision is 637: want at most what 56000000 US dollars buy"},
		{`"category":"spot","like":"BTCUSDT","symbol":"BTCUSDT","lotSizeFilter":{"basePrecision":"160"}`, "spot BTCUSDT: lotSizeFilter.basePrecision is 160: want at most what 14000000 US dollars buy"},
		{spot + `"lotSizeFilter":{"maxLimitOrderQty":"-1"}`, "spot X: lotSizeFilter.maxLimitOrderQty is -1: want at least a lot, 0.000001"},
		{spot + `"lotSizeFilter":{"maxMarketOrderQty":"-1"}`, "spot X: lotSizeFilter.maxMarketOrderQty is -1: want at least a lot, 0.000001"},
		{spot + `"lotSizeFilter":{"postOnlyMaxLimitOrderSize":"-1"}`, "spot X: lotSizeFilter.postOnlyMaxLimitOrderSize is -1: want at least a lot, 0.000001"},
		// Few enough ticks, but more of the quote coin than a price can be.
		{`"category":"spot","like":"BTCUSDT","symbol":"X","baseCoin":"DEAR","quoteCoin":"DOGE","priceFilter":{"tickSize":"1000"}`, "spot X: the price is 1626016261.42 DOGE: want at most 1073741824"},
	} {
		c := Default(start)
		if _, err := c.Load([]byte(`{"assets":[{"coin":"DEAR","price":"200000000"}]}`)); err != nil {
			t.Fatal(err)
		}
		before := state.Hash(c)
		skipped, err := c.Load([]byte(`{"instruments":[{` + tt.row + `}]}`))
		if err != nil || len(skipped) != 1 || !strings.HasPrefix(skipped[0], tt.want) {
			t.Errorf("%s: skipped %q, %v, want %s", tt.row, skipped, err, tt.want)
		}
		if state.Hash(c) != before {
			t.Errorf("%s: was skipped, and the catalogue changed", tt.row)
		}
	}
}

// The same numbers at the edge of what holds are taken, and hold.
func TestNumbersAtTheEdge(t *testing.T) {
	c := Default(start)
	skipped, err := c.Load([]byte(`{"instruments":[
		{"category":"linear","like":"BTCUSDT","symbol":"A","fundingInterval":1440,"upperFundingRate":"1","priceScale":"1",
		 "priceFilter":{"tickSize":"0.50","minPrice":"1.0","maxPrice":"199999.5"},"lotSizeFilter":{"qtyStep":"636","minOrderQty":"636","maxOrderQty":"90000000000000000","maxMktOrderQty":"636"}},
		{"category":"inverse","like":"BTCUSD","symbol":"B","lotSizeFilter":{"qtyStep":"56000000"}},
		{"category":"linear","symbol":"C","contractType":"LinearPerpetual","status":"Trading","baseCoin":"BTC","quoteCoin":"USDT","priceFilter":{"tickSize":"0.1"},"lotSizeFilter":{"qtyStep":"0.1"}},
		{"category":"linear","like":"BTCUSDT-27MAR26","symbol":"D","contractType":"LinearPerpetual"},
		{"category":"linear","like":"BTCUSDT-27MAR26","symbol":"E"},
		{"category":"spot","symbol":"F","status":"1","baseCoin":"BTC","quoteCoin":"USDT","priceFilter":{"tickSize":"0.1"},"lotSizeFilter":{"basePrecision":"0.01","maxOrderQty":"0"}}]}`))
	if err != nil || len(skipped) != 0 {
		t.Fatal(skipped, err)
	}
	a := find(t, c, bybit.Linear, "A")
	// An explicit priceScale that is coarser than the tick does not coarsen the mark price.
	if a.MarkScale != 2 || a.MinPrice != 2 || a.MaxPrice != 399999 || a.FundingEvery != 24*Hour || a.MinQty != 1 || a.MaxMarketQty != 1 {
		t.Errorf("A is %+v", a)
	}
	if a.MaxQty != unbounded(636) || a.MaxPostOnlyQty != a.MaxQty {
		t.Errorf("A's largest orders have %d and %d lots, want %d", a.MaxQty, a.MaxPostOnlyQty, unbounded(636))
	}
	if b := find(t, c, bybit.Inverse, "B"); b.MaxPostOnlyQty != b.MaxQty || b.MaxQty != 25000000 {
		t.Errorf("B is %+v", b)
	}
	// An interval that no row names is shown as what it is.
	for symbol, want := range map[string]int64{"C": 480, "D": 480, "E": 0} {
		in := find(t, c, bybit.Linear, symbol)
		if in.Info.FundingInterval != want || in.FundingEvery != want*Minute {
			t.Errorf("%s: funding every %d minutes, shown as %d, want %d", symbol, in.FundingEvery/Minute, in.Info.FundingInterval, want)
		}
	}
	// The venue's own 0 on spot is no bound.
	if in := find(t, c, bybit.Spot, "F"); in.MaxQty != unbounded(1) {
		t.Errorf("F is %+v", in)
	}
	for _, in := range c.Live() {
		if (in.Kind == Perpetual || in.Kind == Future) && in.MaxPostOnlyQty != in.MaxQty {
			t.Errorf("%s: post-only orders of at most %d lots, others %d", in.Symbol, in.MaxPostOnlyQty, in.MaxQty)
		}
	}
}

// With another quote coin the values of orders and the bounds of prices are not those of the old one.
func TestLikeWithAnotherQuoteCoin(t *testing.T) {
	c := Default(start)
	skipped, err := c.Load([]byte(`{"instruments":[
		{"category":"spot","like":"ETHUSDT","symbol":"ETHBTC","quoteCoin":"BTC","priceFilter":{"tickSize":"0.000001"}},
		{"category":"spot","like":"ETHUSDT","symbol":"NAMED","quoteCoin":"BTC","priceFilter":{"tickSize":"0.000001"},"lotSizeFilter":{"minOrderAmt":"0.0001","maxOrderAmt":"20"}},
		{"category":"spot","like":"ETHUSDT","symbol":"ETHUSDC","quoteCoin":"USDC"},
		{"category":"linear","like":"BTCUSDT","symbol":"BTCETH","quoteCoin":"ETH"},
		{"category":"linear","like":"BTCUSDT","symbol":"BTCSOL","quoteCoin":"SOL","lotSizeFilter":{"minNotionalValue":"0.04"}},
		{"category":"linear","like":"BTCETH","symbol":"AGAIN","quoteCoin":"USDT"}]}`))
	if err != nil || len(skipped) != 0 {
		t.Fatal(skipped, err)
	}
	for _, tt := range []struct {
		category                   bybit.Category
		symbol                     string
		leastAmt, mostAmt, least   string
		minNotional, mostPriceTick int64
	}{
		{bybit.Spot, "ETHBTC", "", "", "", 0, 0},
		{bybit.Spot, "NAMED", "0.0001", "20", "", 10000000, 0},   // of 0.000001 * 0.00001
		{bybit.Spot, "ETHUSDC", "5", "7000000", "", 50000000, 0}, // of 0.01 * 0.00001
		{bybit.Linear, "BTCETH", "", "", "", 0, 32 * 296},        // 88,000 / 2,975 = 29.58
		{bybit.Linear, "BTCSOL", "", "", "0.04", 400, 32 * 7040}, // of 0.10 * 0.001; 88,000 / 125 = 704
		{bybit.Linear, "AGAIN", "", "", "", 0, 32 * 880352},      // 88,000 / 0.9996
		{bybit.Linear, "BTCUSDT", "", "", "5", 50000, 19999998},  // as it was
	} {
		in := find(t, c, tt.category, tt.symbol)
		lot := &in.Info.LotSizeFilter
		if lot.MinOrderAmt.String() != tt.leastAmt || lot.MaxOrderAmt.String() != tt.mostAmt || lot.MinNotionalValue.String() != tt.least || in.MinNotional != tt.minNotional {
			t.Errorf("%s: values from %q or %q (%d units) to %q", tt.symbol, lot.MinOrderAmt, lot.MinNotionalValue, in.MinNotional, lot.MaxOrderAmt)
		}
		if tt.mostPriceTick != 0 && in.MaxPrice != tt.mostPriceTick {
			t.Errorf("%s: prices up to %d ticks, want %d", tt.symbol, in.MaxPrice, tt.mostPriceTick)
		}
	}
}

// A price that makes a lot of an instrument that is there too dear does not fit it.
func TestAPriceThatMakesALotTooDear(t *testing.T) {
	c := Default(start)
	if skipped, err := c.Load([]byte(`{"assets":[{"coin":"NEW","price":"100"}],"instruments":[{"category":"spot","like":"BTCUSDT","symbol":"NEWUSDT","baseCoin":"NEW","lotSizeFilter":{"basePrecision":"1000"}}]}`)); err != nil || len(skipped) != 0 {
		t.Fatal(skipped, err)
	}
	_, err := c.Load([]byte(`{"assets":[{"coin":"NEW","price":"500"}]}`))
	if err == nil || !strings.Contains(err.Error(), "assets: spot NEWUSDT does not fit them: lotSizeFilter.basePrecision is 1000: want at most what 200000 US dollars buy") {
		t.Error(err)
	}
}

// A lot in a reply is the venue's: the price that is assumed from a tick does not make it too large; one that is known does.
func TestTheLotOfAReply(t *testing.T) {
	for coin, want := range map[string]int{"NEW": 0, "BTC": 1} {
		skipped, err := Default(start).Load([]byte(`{"category":"spot","list":[{"symbol":"X","status":"Trading","baseCoin":"` + coin + `","quoteCoin":"ETH","priceFilter":{"tickSize":"0.1"},"lotSizeFilter":{"basePrecision":"1000"}}]}`))
		if err != nil || len(skipped) != want {
			t.Errorf("%s: skipped %q, %v", coin, skipped, err)
		}
	}
}
