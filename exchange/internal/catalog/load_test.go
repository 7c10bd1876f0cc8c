package catalog

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/state"
)

// A reply in today's form: BTCUSDT with other terms, a coin that nobody knows, one that does not trade, one in a quote
// coin without a price.
const reply = `{"retCode":0,"retMsg":"OK","result":{"category":"linear","list":[
{"symbol":"BTCUSDT","symbolId":5,"contractType":"LinearPerpetual","status":"Trading","baseCoin":"BTC","quoteCoin":"USDT","launchTime":"1585526400000",
"deliveryTime":"0","deliveryFeeRate":"","priceScale":"2","leverageFilter":{"minLeverage":"1","maxLeverage":"150.00","leverageStep":"0.01"},
"priceFilter":{"minPrice":"0.50","maxPrice":"1999999.50","tickSize":"0.50"},
"lotSizeFilter":{"maxOrderQty":"1500.000","minOrderQty":"0.002","qtyStep":"0.002","postOnlyMaxOrderQty":"1500.000","maxMktOrderQty":"150.000","minNotionalValue":"5"},
"unifiedMarginTrade":true,"fundingInterval":240,"settleCoin":"USDT","copyTrading":"both","upperFundingRate":"0.00333","lowerFundingRate":"-0.00333",
"isPreListing":false,"preListingInfo":null,"riskParameters":{"priceLimitRatioX":"0.01","priceLimitRatioY":"0.02"},"displayName":"BTCUSDT"},
{"symbol":"WIFUSDT","contractType":"LinearPerpetual","status":"Trading","baseCoin":"WIF","quoteCoin":"USDT","launchTime":"1706000000000","deliveryTime":"0",
"deliveryFeeRate":"","priceScale":"4","leverageFilter":{"minLeverage":"1","maxLeverage":"50.00","leverageStep":"0.01"},
"priceFilter":{"minPrice":"0.0001","maxPrice":"199.9998","tickSize":"0.0001"},
"lotSizeFilter":{"maxOrderQty":"170000","minOrderQty":"1","qtyStep":"1","maxMktOrderQty":"60000","minNotionalValue":"5"},"settleCoin":"USDT"},
{"symbol":"OLDUSDT","contractType":"LinearPerpetual","status":"Closed","baseCoin":"OLD","quoteCoin":"USDT","priceFilter":{"tickSize":"1"},"lotSizeFilter":{"qtyStep":"1"}},
{"symbol":"BTCEUR","contractType":"LinearPerpetual","status":"Trading","baseCoin":"BTC","quoteCoin":"EUR","priceFilter":{"tickSize":"1"},"lotSizeFilter":{"qtyStep":"1"}}
],"nextPageCursor":""},"retExtInfo":{},"time":1789135951778}`

func TestLoadAReply(t *testing.T) {
	c := Default(start)
	before, ids := c.Len(), find(t, c, bybit.Linear, "BTCUSDT").ID
	skipped, err := c.Load([]byte(reply))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(skipped, "\n"), `linear OLDUSDT: status is "Closed": want Trading
linear BTCEUR: quoteCoin is EUR, which has no price: want USDT, USDC, USD or one of the assets with a price`; got != want {
		t.Errorf("skipped\n%s\nwant\n%s", got, want)
	}
	btc := find(t, c, bybit.Linear, "BTCUSDT")
	if btc.ID != ids || btc.Tick.String() != "0.50" || btc.MinQty != 1 || btc.MaxQty != 750000 || btc.MaxMarketQty != 75000 ||
		btc.FundingEvery != 4*Hour || btc.FundingCap != number("0.00333") || btc.Info.SymbolID != 5 || btc.Turnover != 5600e6 {
		t.Errorf("BTCUSDT is %+v", btc)
	}
	if btc.Tiers[0].MaxLeverage.String() != "150.00" || btc.Tiers[0].InitialMargin.String() != "0.0067" || btc.Tiers[0].RiskLimitValue.String() != "2000000" {
		t.Errorf("its first tier is %+v", btc.Tiers[0])
	}
	// 5 USDT are 5,000 times 0.50 * 0.002.
	if btc.MinNotional != 5000 || btc.Price(176001).String() != "88000.50" {
		t.Errorf("smallest value %d, price of 176,001 ticks %s", btc.MinNotional, btc.Price(176001))
	}
	// 12,000 ticks of 0.0001 USDT, at 0.9996 dollars.
	wif := find(t, c, bybit.Linear, "WIFUSDT")
	if a, ok := c.Asset("WIF"); !ok || a.Start.Decimal(6).String() != "1.199520" || wif.TicksOf(c.StartPrice(wif)) != 12000 {
		t.Errorf("WIF is %+v; %d ticks", a, wif.TicksOf(c.StartPrice(wif)))
	}
	if c.Len() != before+1 || wif.ID != ID(before) || wif.LimitX.Decimal(6).String() != "0.030000" || wif.FundingEvery != 8*Hour || wif.Fees.Group != bybit.FeeGroupMidLiquidity {
		t.Errorf("WIFUSDT, of %d instruments, is %+v", c.Len(), wif)
	}
	if len(c.All(bybit.Linear)) != 9 || c.All(bybit.Linear)[0] != btc {
		t.Errorf("linear instruments are %v", symbols(c.All(bybit.Linear)))
	}
	// The result alone is a file, too.
	if _, err := Default(start).Load([]byte(reply[strings.Index(reply, `{"category"`):strings.Index(reply, `,"retExtInfo"`)])); err != nil {
		t.Error(err)
	}
}

func TestLoadAUsersFile(t *testing.T) {
	c := Default(start)
	skipped, err := c.Load([]byte(`{
		"assets": [{"coin": "PEPE", "price": "0.0000071", "volatility": "1.1", "correlation": "0.7", "liquidity": 4},
		           {"coin": "BTC", "price": "60000"}, {"coin": "EUR", "price": "1.17"}],
		"instruments": [
			{"category": "linear", "like": "DOGEUSDT", "symbol": "1000PEPEUSDT", "baseCoin": "1000PEPE", "leverageFilter": {"maxLeverage": "25.00"}},
			{"category": "spot", "like": "DOGEUSDT", "symbol": "PEPEUSDT", "baseCoin": "PEPE", "priceFilter": {"tickSize": "0.000000001"}},
			{"category": "spot", "like": "PEPEUSDT", "symbol": "PEPEEUR", "quoteCoin": "EUR"},
			{"category": "spot", "like": "BTCUSDT", "symbol": "ETHBTC", "baseCoin": "ETH", "quoteCoin": "BTC", "priceFilter": {"tickSize": "0.000001"}},
			{"category": "linear", "like": "BTCUSDT", "symbol": "BTCUSDT-06FEB26", "contractType": "LinearFutures", "deliveryTime": "1770364800000"},
			{"category": "linear", "like": "BTCUSDT", "symbol": "BTCUSDT-05DEC25", "contractType": "LinearFutures", "deliveryTime": "1764921600000"},
			{"category": "option", "like": "BTC-30JAN26-90000-C-USDT", "symbol": "BTC-30JAN26-92500-C-USDT"}
		]}`))
	if err != nil {
		t.Fatal(err)
	}
	if len(skipped) != 1 || !strings.Contains(skipped[0], "linear BTCUSDT-05DEC25: deliveryTime is 2025-12-05T08:00Z: want a time after the start, 2026-01-01T00:00Z") {
		t.Errorf("skipped %v", skipped)
	}
	pepe := find(t, c, bybit.Spot, "PEPEUSDT")
	// 0.0000071 dollars at 0.9996: 7,103 ticks of 1e-9.
	if got := pepe.TicksOf(c.StartPrice(pepe)); got < 7100 || got > 7106 {
		t.Errorf("PEPEUSDT starts at %d ticks", got)
	}
	if a, _ := c.Asset("PEPE"); a.Vol != number("1.1") || a.Liquidity != 4 || a.Turnover != 20e6 {
		t.Errorf("PEPE is %+v", a)
	}
	kilo := find(t, c, bybit.Linear, "1000PEPEUSDT")
	if kilo.Info.LeverageFilter.LeverageStep.String() != "0.01" || kilo.Tiers[0].MaxLeverage.String() != "25.00" || kilo.Info.DisplayName != "1000PEPEUSDT" {
		t.Errorf("1000PEPEUSDT has leverage %+v, tiers %+v, name %q", kilo.Info.LeverageFilter, kilo.Tiers[0], kilo.Info.DisplayName)
	}
	ethbtc := find(t, c, bybit.Spot, "ETHBTC")
	if got := c.StartPrice(ethbtc).Decimal(6).String(); got != "0.049583" { // 2975 / 60000
		t.Errorf("ETHBTC starts at %s", got)
	}
	if got := find(t, c, bybit.Option, "BTC-30JAN26-92500-C-USDT"); got.Strike != fixed.FromInt(92500) || !got.Call {
		t.Errorf("the option is %+v", got)
	}

	// A snapshot holds what the file brought.
	copied := new(Catalog)
	if err := state.Restore(copied, state.Bytes(c)); err != nil {
		t.Fatal(err)
	}
	if state.Hash(copied) != state.Hash(c) {
		t.Error("a restored catalogue has another state")
	}
	for _, in := range c.Live() {
		got := copied.At(in.ID)
		if got == nil || got.Symbol != in.Symbol || got.MaxQty != in.MaxQty || len(got.Tiers) != len(in.Tiers) || got.Info.SymbolID != in.Info.SymbolID || got.Turnover != in.Turnover {
			t.Fatalf("%s came back as %+v", in.Symbol, got)
		}
	}

	// The future of the file is delivered; nothing takes its place.
	future := find(t, c, bybit.Linear, "BTCUSDT-06FEB26")
	delivered, _ := c.Roll(at("2026-02-06T08:00"), newWalk(c).underlying)
	found := false
	for _, id := range delivered {
		found = found || id == future.ID
	}
	if !found || len(c.All(bybit.Linear)) != 9 {
		t.Errorf("delivered %v; linear are %v", delivered, symbols(c.All(bybit.Linear)))
	}
}

// A file with a delivery at an hour of its own is due then.
func TestRollOfAContractFromAFile(t *testing.T) {
	c, err := New(Config{Start: start, Only: []string{"linear:BTCUSDT"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Load([]byte(`{"instruments":[{"category":"linear","like":"BTCUSDT","symbol":"X","contractType":"LinearFutures","deliveryTime":"1767240000000"}]}`)); err != nil {
		t.Fatal(err)
	}
	if got := c.NextRoll(start); got != at("2026-01-01T04:00") {
		t.Errorf("the next roll is at %v", moment(got))
	}
	if delivered, listed := c.Roll(at("2026-01-01T04:00"), newWalk(c).underlying); len(delivered) != 1 || len(listed) != 0 {
		t.Errorf("delivered %v, listed %v", delivered, listed)
	}
	if got := c.NextRoll(at("2026-01-01T04:00")); got != Never {
		t.Errorf("then the next roll is at %v", moment(got))
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	for _, tt := range []struct{ file, want string }{
		{``, "instruments file"},
		{`[]`, "instruments file"},
		{`{}`, "neither a reply with a list"},
		{`{"retCode":10001,"result":{}}`, "neither a reply with a list"},
		{`{"instruments":[{"symbol":"X"}]}`, `category "" is none of`},
		{`{"instruments":[{"category":"spread","symbol":"X"}]}`, `category "spread" is none of`},
		{`{"instruments":[{"category":"linear","like":"NOUSDT","symbol":"X"}]}`, `like "NOUSDT": no instrument of category linear`},
		{`{"instruments":[{"category":"linear","like":"BTCUSDT","priceFilter":{"tickSize":"many"}}]}`, "tickSize"},
		{`{"assets":[{"price":"1"}]}`, "one has no coin"},
		{`{"assets":[{"coin":"USDT","price":"1"}]}`, "USDT: its price is a constant"},
		{`{"assets":[{"coin":"X","price":"-1"}]}`, "assets: X: price is -1: want 0.00000001 to 1073741824"},
		{`{"assets":[{"coin":"X","price":"0.000000001"}]}`, "price is 0.000000001: want 0.00000001 to"},
		{`{"assets":[{"coin":"X","volatility":"0.0000000001"}]}`, "volatility is 0.0000000001: want 0.001 to 20"},
		{`{"assets":[{"coin":"X","correlation":"1.01"}]}`, "correlation is 1.01: want 0 to 1"},
		{`{"assets":[{"coin":"X","liquidity":9}]}`, "liquidity is 9: want 1 to 5"},
		{`{"assets":[{"coin":"X","carry":"-1"}]}`, "carry is -1: want -0.4 to 0.4"},
		{`{"assets":[{"coin":"X","funding":"0.5"}]}`, "funding is 0.5: want -0.01 to 0.01"},
		{`{"assets":[{"coin":"BTC","price":"0.01"}]}`, "spot BTCUSDT does not fit them: priceFilter.tickSize is 0.1: want at most a tenth of the price, 0.01 USDT"},
		{`{"assets":[{"coin":"DOGE","price":"4.10"}]}`, "linear DOGEUSDT does not fit them: the price is 4.10164 USDT: want one from priceFilter.minPrice, 0.00001, to maxPrice, 3.99998"},
	} {
		c := Default(start)
		before := state.Hash(c)
		_, err := c.Load([]byte(tt.file))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s", tt.file, err, tt.want)
		}
		if state.Hash(c) != before {
			t.Errorf("%s: the catalogue changed", tt.file)
		}
	}
}

func TestInstrumentsThatCannotBeSimulated(t *testing.T) {
	for _, tt := range []struct{ members, want string }{
		{`"priceFilter":{"tickSize":"0.0000000001"}`, "priceFilter.tickSize is 0.0000000001: want more than 0 and at most 9 digits after the point"},
		{`"priceFilter":{"tickSize":"0"}`, "priceFilter.tickSize is 0: want more than 0"},
		{`"priceFilter":{"tickSize":"1000000"}`, "priceFilter.tickSize is 1000000: want at most a tenth of the price, 88035.21 USDT"},
		{`"priceFilter":{"tickSize":"0.0001"}`, "priceFilter.tickSize is 0.0001: want at most 89478485 ticks in the price, 88035.2141 USDT"},
		{`"priceFilter":{"tickSize":"0.00001"}`, "priceFilter.tickSize is 0.00001: want at most 89478485 ticks"},
		{`"priceFilter":{"minPrice":"90000"}`, "the price is 88035.21 USDT: want one from priceFilter.minPrice, 90000.00, to maxPrice, 1999999.80"},
		{`"priceFilter":{"maxPrice":"50000"}`, "the price is 88035.21 USDT: want one from priceFilter.minPrice, 0.10, to maxPrice, 50000.00"},
		{`"priceFilter":{"minPrice":"9","maxPrice":"5"}`, "priceFilter.minPrice is 9.00: want at most maxPrice, 5.00"},
		{`"lotSizeFilter":{"qtyStep":"-1"}`, "lotSizeFilter.qtyStep is -1: want more than 0"},
		{`"lotSizeFilter":{"qtyStep":"2000000000"}`, "lotSizeFilter.qtyStep is 2000000000: want at most 1073741824"},
		{`"lotSizeFilter":{"minOrderQty":"10","maxOrderQty":"2"}`, "lotSizeFilter.minOrderQty is 10.000: want at most the largest order, 2.000"},
		{`"contractType":"LinearFutures"`, "deliveryTime is missing: want the time at which the future is delivered"},
		{`"contractType":"LinearFutures","deliveryTime":"9000000000000"`, "deliveryTime is 2255-03-14T16:00Z: want a time within 2 years of the start"},
		{`"contractType":"Forward"`, `contractType is "Forward": want LinearPerpetual`},
		{`"baseCoin":""`, `symbol is "X", baseCoin "", quoteCoin "USDT": want all three`},
		{`"baseCoin":"USDC"`, "baseCoin is USDC, whose price is a constant: want another one"},
		{`"status":"PreLaunch"`, `status is "PreLaunch": want Trading`},
		{`"riskParameters":{"priceLimitRatioX":"-0.5"}`, "riskParameters.priceLimitRatioX is -0.5: want more than 0 and at most 1"},
		{`"riskParameters":{"priceLimitRatioX":"1000000000"}`, "riskParameters.priceLimitRatioX is 1000000000: want"},
		{`"riskParameters":{"priceLimitRatioY":"0.001"}`, "riskParameters.priceLimitRatioY is 0.001: want a number from priceLimitRatioX, 0.01, to 1"},
		{`"upperFundingRate":"-0.01","lowerFundingRate":"0.01"`, "upperFundingRate is -0.01 and lowerFundingRate 0.01: want -1 <= lower <= upper <= 1"},
	} {
		c := Default(start)
		before := state.Hash(c)
		skipped, err := c.Load([]byte(`{"instruments":[{"category":"linear","like":"BTCUSDT","symbol":"X",` + tt.members + `}]}`))
		if err != nil || len(skipped) != 1 || !strings.HasPrefix(skipped[0], "linear X: "+tt.want) {
			t.Errorf("%s: skipped %v, %v, want %s", tt.members, skipped, err, tt.want)
		}
		if state.Hash(c) != before {
			t.Errorf("%s: was skipped, and the catalogue changed", tt.members)
		}
	}
}

// A coin that only a row mentions that is left out stays unknown.
func TestASkippedRowLeavesNoCoin(t *testing.T) {
	c := Default(start)
	skipped, err := c.Load([]byte(`{"instruments":[{"category":"linear","like":"BTCUSDT","symbol":"XUSDT","baseCoin":"X","riskParameters":{"priceLimitRatioX":"2"}}]}`))
	if err != nil || len(skipped) != 1 {
		t.Fatal(skipped, err)
	}
	if a, ok := c.Asset("X"); ok {
		t.Errorf("X is known: %+v", a)
	}
}

// With another tick, coin or lot than the instrument that it is like, a row has bounds of its own; those that it names stay.
func TestLikeWithOtherSteps(t *testing.T) {
	c := Default(start)
	skipped, err := c.Load([]byte(`{"assets": [{"coin": "PEPE", "price": "0.0000071"}], "instruments": [
		{"category": "linear", "like": "DOGEUSDT", "symbol": "PEPEUSDT", "baseCoin": "PEPE", "priceFilter": {"tickSize": "0.00000001"}, "lotSizeFilter": {"qtyStep": "100"}},
		{"category": "linear", "like": "PEPEUSDT", "symbol": "NAMED", "priceScale": "9", "priceFilter": {"tickSize": "0.000000002", "minPrice": "0.000000004", "maxPrice": "0.5"}, "lotSizeFilter": {"qtyStep": "1000", "minOrderQty": "5000", "maxOrderQty": "6000"}},
		{"category": "linear", "like": "BTCUSDT", "symbol": "FINE", "lotSizeFilter": {"qtyStep": "0.00001"}},
		{"category": "spot", "like": "DOGEUSDT", "symbol": "KILO", "lotSizeFilter": {"basePrecision": "1"}}]}`))
	if err != nil || len(skipped) != 0 {
		t.Fatal(skipped, err)
	}
	// 0.0000071 dollars are 710 ticks at 0.9996; 32 times that. 25,600,000 lots as DOGEUSDT has.
	in := find(t, c, bybit.Linear, "PEPEUSDT")
	if in.MarkScale != 8 || in.Info.PriceScale != 8 || in.MinPrice != 1 || in.MaxPrice != 22720 || in.MinQty != 1 || in.MaxQty != 25600000 ||
		in.Info.PriceFilter.MaxPrice.String() != "0.00022720" || in.Info.LotSizeFilter.MinOrderQty.String() != "100" || in.MaxMarketQty != 5120000 {
		t.Errorf("PEPEUSDT is %+v", in)
	}
	in = find(t, c, bybit.Linear, "NAMED")
	if in.MarkScale != 9 || in.Info.PriceScale != 9 || in.MinPrice != 2 || in.MaxPrice != 250000000 || in.MinQty != 5 || in.MaxQty != 6 {
		t.Errorf("NAMED is %+v", in)
	}
	in = find(t, c, bybit.Linear, "FINE")
	if in.MinQty != 1 || in.MaxQty != 119000000 || in.MaxPrice != 19999998 || in.MarkScale != 2 {
		t.Errorf("FINE is %+v", in)
	}
	in = find(t, c, bybit.Spot, "KILO")
	if in.MinQty != 82 || in.Info.LotSizeFilter.MinOrderQty.String() != "82" || in.MaxQty != 160000000 || in.MaxPostOnlyQty != 3000000000*10 {
		t.Errorf("KILO is %+v", in)
	}
	for _, in := range c.Live() {
		if in.MarkScale < in.PriceScale && in.Kind != Option {
			t.Errorf("%s: mark prices have %d digits, the tick %d", in.Symbol, in.MarkScale, in.PriceScale)
		}
	}
}

// The largest numbers of ticks and lots, and sums of a thousand of them, are shown as what they are.
func TestLargestNumbersAreShown(t *testing.T) {
	c := Default(start)
	skipped, err := c.Load([]byte(`{"instruments":[
		{"category":"spot","symbol":"XUSDT","baseCoin":"DOGE","quoteCoin":"USDT","status":"Trading","lotSizeFilter":{"basePrecision":"1000000"},"priceFilter":{"tickSize":"0.000500000"}},
		{"category":"linear","like":"DOGEUSDT","symbol":"Y","lotSizeFilter":{"qtyStep":"1000000"},"priceFilter":{"tickSize":"0.000500000"}}]}`))
	if err != nil || len(skipped) != 0 {
		t.Fatal(skipped, err)
	}
	for _, in := range []*Instrument{find(t, c, bybit.Spot, "XUSDT"), find(t, c, bybit.Linear, "Y")} {
		for _, n := range []int64{in.MaxPrice, in.MaxQty, 1024 * in.MaxQty, math.MaxInt64, math.MinInt64 + 1} {
			price, qty := new(big.Int).Mul(big.NewInt(n), big.NewInt(500000)), new(big.Int).Mul(big.NewInt(n), big.NewInt(1000000))
			for _, tt := range []struct {
				got   decimal.Decimal
				want  *big.Int
				scale int
			}{{in.Price(n), price, 9}, {in.Qty(n), qty, 0}} {
				want, err := decimal.Parse(tt.want.String() + "e-" + strconv.Itoa(tt.scale))
				if err != nil {
					want, err = decimal.Parse(new(big.Rat).SetFrac(tt.want, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(tt.scale)), nil)).FloatString(tt.scale))
				}
				if err != nil || tt.got.Cmp(want) != 0 {
					t.Errorf("%s: %d units are shown as %s, want %s (%v)", in.Symbol, n, tt.got, want, err)
				}
			}
			if in.trim && in.Price(n).Scale() > 4 {
				t.Errorf("%s: %s has zeros at its end", in.Symbol, in.Price(n))
			}
		}
		if in.Kind == Spot && in.MaxQty < 1<<32 {
			t.Errorf("%s: no bound is a bound of %d lots", in.Symbol, in.MaxQty)
		}
	}
}

// What a file adds can be selected, also like an instrument that is not; and nothing else is there then.
func TestSelectAfterLoad(t *testing.T) {
	c := Default(start)
	if skipped, err := c.Load([]byte(`{"instruments":[
		{"category":"linear","like":"DOGEUSDT","symbol":"AUSDT","baseCoin":"A"},{"category":"linear","like":"DOGEUSDT","symbol":"BUSDT","baseCoin":"B"}]}`)); err != nil || len(skipped) != 0 {
		t.Fatal(skipped, err)
	}
	whole, err := c.Select(nil)
	if err != nil || whole.Len() != c.Len() {
		t.Fatalf("%d of %d instruments, %v", whole.Len(), c.Len(), err)
	}
	for id := range ID(c.Len()) {
		if a, b := c.At(id), whole.At(id); a.Symbol != b.Symbol || a.Info.SymbolID != b.Info.SymbolID || len(a.Tiers) != len(b.Tiers) {
			t.Errorf("%+v became %+v", a, b)
		}
	}
	s, err := c.Select([]string{"linear:AUSDT", "linear:ETHUSDT", "spot:ETHUSDT"})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, in := range s.Live() {
		names = append(names, string(in.Category)+":"+in.Symbol)
	}
	if got := strings.Join(names, " "); got != "spot:ETHUSDT linear:ETHUSDT spread:ETHUSDT_ETH/USDT linear:AUSDT" {
		t.Errorf("selected %s", got)
	}
	if legs := find(t, s, bybit.Spread, "ETHUSDT_ETH/USDT").Legs; legs != [2]ID{1, 0} {
		t.Errorf("the spread's legs are %v", legs)
	}
	if _, listed := s.Roll(at("2026-01-01T08:00"), newWalk(s).underlying); len(listed) != 0 {
		t.Errorf("later %v are listed", listed)
	}
	if _, err := c.Select([]string{"linear:CUSDT"}); err == nil || err.Error() != `catalog: "linear:CUSDT" names no instrument` {
		t.Errorf("no instrument has the name: %v", err)
	}
}

// A future whose terms come from a reply is still the first of its family: the spreads on it stay.
func TestSpreadsOnFuturesOfAFile(t *testing.T) {
	c := Default(start)
	resolved := func() string {
		in, ok := c.resolve(leg{bybit.Linear, "BTCUSDT-", 1})
		if !ok {
			t.Fatal("there is no first future")
		}
		return in.Symbol
	}
	first := resolved()
	skipped, err := c.Load([]byte(`{"instruments":[{"category":"linear","like":"` + first + `","symbol":"` + first + `","leverageFilter":{"maxLeverage":"10"}},
		{"category":"linear","like":"` + first + `","symbol":"BTCUSDT-06FEB26","deliveryTime":"1770364800000"}]}`))
	if err != nil || len(skipped) != 0 {
		t.Fatal(skipped, err)
	}
	if got := resolved(); got != first {
		t.Errorf("the first future is %s, was %s", got, first)
	}
}

// 5 USDT are 3,333.3 times 0.50 * 0.003: an order needs 3,334.
func TestSmallestValueIsRoundedUp(t *testing.T) {
	c := Default(start)
	if _, err := c.Load([]byte(`{"instruments":[{"category":"linear","like":"BTCUSDT","symbol":"X","priceFilter":{"tickSize":"0.50"},"lotSizeFilter":{"qtyStep":"0.003"}}]}`)); err != nil {
		t.Fatal(err)
	}
	if in := find(t, c, bybit.Linear, "X"); in.MinNotional != 3334 {
		t.Errorf("smallest value %d", in.MinNotional)
	}
}

// FuzzLoad feeds files; whatever is taken in must survive a snapshot and a roll.
func FuzzLoad(f *testing.F) {
	f.Add([]byte(reply))
	f.Add([]byte(`{"assets":[{"coin":"X","price":"1"}],"instruments":[{"category":"spot","like":"BTCUSDT","symbol":"XUSDT","baseCoin":"X"}]}`))
	f.Add([]byte(`{"category":"option","list":[{"symbol":"BTC-6FEB26-100-C","status":"Trading","baseCoin":"BTC","quoteCoin":"USD","deliveryTime":"1770364800000","priceFilter":{"tickSize":"5"},"lotSizeFilter":{"qtyStep":"0.01"}}]}`))
	base, err := New(Config{Start: start, Only: []string{"BTCUSDT*"}})
	if err != nil {
		f.Fatal(err)
	}
	snapshot := state.Bytes(base)
	f.Fuzz(func(t *testing.T, file []byte) {
		c := new(Catalog)
		if err := state.Restore(c, snapshot); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Load(file); err != nil {
			return
		}
		w := newWalk(c)
		for _, in := range c.Live() {
			p := in.PriceOf(in.TicksOf(c.StartPrice(in)))
			in.Value(in.TicksOf(p), in.MaxQty)
			in.Qty(in.MinQty)
		}
		if now := c.NextRoll(start); now < at("2026-01-01T08:00") {
			c.Roll(now, w.underlying)
		}
		copied := new(Catalog)
		if err := state.Restore(copied, state.Bytes(c)); err != nil {
			t.Fatal(err)
		}
		if state.Hash(copied) != state.Hash(c) {
			t.Fatal("a restored catalogue has another state")
		}
	})
}

// FuzzRestore feeds snapshots: an error or a catalogue, never a panic.
func FuzzRestore(f *testing.F) {
	for _, only := range []string{"BTCUSDT*", "option:ETH-2JAN26-*"} {
		c, err := New(Config{Start: start, Only: []string{only}})
		if err != nil {
			f.Fatal(err)
		}
		c.Roll(c.NextRoll(start), newWalk(c).underlying)
		f.Add(state.Bytes(c))
	}
	f.Fuzz(func(t *testing.T, snapshot []byte) {
		c := new(Catalog)
		if state.Restore(c, snapshot) != nil {
			return
		}
		for _, in := range c.Live() {
			in.Price(1)
			c.StartPrice(in)
		}
		if string(state.Bytes(c)) != string(snapshot) {
			t.Fatal("restored to another state")
		}
	})
}
