package catalog

import (
	"strings"
	"testing"

	"github.com/bywire/bywire/bybit"
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
	if got, want := strings.Join(skipped, "\n"), "linear OLDUSDT: status is Closed\nlinear BTCEUR: quote coin EUR has no price"; got != want {
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
	if len(skipped) != 1 || !strings.Contains(skipped[0], "BTCUSDT-05DEC25: delivered at 2025-12-05T08:00Z") {
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
		{`{"assets":[{"coin":"X","price":"-1"}]}`, "price -1: want more than 0"},
		{`{"assets":[{"coin":"X","liquidity":9}]}`, "liquidity 9: want more than 0 and at most 5"},
		{`{"assets":[{"coin":"X","carry":"3"}]}`, "carry 3: want -1 to 1"},
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
		{`"priceFilter":{"tickSize":"0.0000000001"}`, "at most 9 places"},
		{`"priceFilter":{"tickSize":"0"}`, "tickSize"},
		{`"priceFilter":{"tickSize":"1000000"}`, "none of tick"},
		{`"lotSizeFilter":{"qtyStep":"-1"}`, "lot size"},
		{`"contractType":"LinearFutures"`, "a future without deliveryTime"},
		{`"contractType":"Forward"`, `contractType "Forward" is unknown`},
		{`"baseCoin":""`, "one is missing"},
		{`"status":"PreLaunch"`, "status is PreLaunch"},
	} {
		c := Default(start)
		skipped, err := c.Load([]byte(`{"instruments":[{"category":"linear","like":"BTCUSDT","symbol":"X",` + tt.members + `}]}`))
		if err != nil || len(skipped) != 1 || !strings.Contains(skipped[0], tt.want) {
			t.Errorf("%s: skipped %v, %v, want %s", tt.members, skipped, err, tt.want)
		}
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
