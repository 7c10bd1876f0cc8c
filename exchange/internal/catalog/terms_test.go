package catalog

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/exchange/internal/fixed"
)

// The members of an instrument by category: those of the examples of the V5 page market/instruments-info, and what a
// reply of September 2026 has beside them: displayName and forbidUplWithdrawal, and what is not documented, marketRegion,
// underlyingTicker and fullName. That inverse has these as well is a choice.
var members = map[bybit.Category]string{
	bybit.Spot: `symbolId symbol baseCoin quoteCoin innovation status marginTrading stTag symbolType priceFilter.tickSize
		lotSizeFilter.basePrecision lotSizeFilter.quotePrecision lotSizeFilter.minOrderQty lotSizeFilter.maxOrderQty
		lotSizeFilter.minOrderAmt lotSizeFilter.maxOrderAmt lotSizeFilter.maxLimitOrderQty lotSizeFilter.maxMarketOrderQty
		lotSizeFilter.postOnlyMaxLimitOrderSize riskParameters.priceLimitRatioX riskParameters.priceLimitRatioY`,
	bybit.Linear: contractMembers, bybit.Inverse: contractMembers,
	bybit.Option: `symbol symbolId status baseCoin quoteCoin settleCoin optionsType launchTime deliveryTime deliveryFeeRate displayName
		priceFilter.minPrice priceFilter.maxPrice priceFilter.tickSize
		lotSizeFilter.maxOrderQty lotSizeFilter.minOrderQty lotSizeFilter.qtyStep`,
}

const contractMembers = `symbol symbolId contractType status baseCoin quoteCoin launchTime deliveryTime deliveryFeeRate
	priceScale leverageFilter.minLeverage leverageFilter.maxLeverage leverageFilter.leverageStep
	priceFilter.minPrice priceFilter.maxPrice priceFilter.tickSize
	lotSizeFilter.maxOrderQty lotSizeFilter.minOrderQty lotSizeFilter.qtyStep lotSizeFilter.postOnlyMaxOrderQty
	lotSizeFilter.maxMktOrderQty lotSizeFilter.minNotionalValue unifiedMarginTrade fundingInterval settleCoin copyTrading
	upperFundingRate lowerFundingRate isPreListing preListingInfo riskParameters.priceLimitRatioX
	riskParameters.priceLimitRatioY displayName symbolType forbidUplWithdrawal fullName marketRegion underlyingTicker`

// mayBeEmpty are the members that are "" or null in real replies, by kind.
func mayBeEmpty(in *Instrument, member string) bool {
	switch member {
	case "symbolType", "preListingInfo", "marketRegion", "underlyingTicker":
		return true
	case "deliveryFeeRate":
		return in.Kind == Perpetual
	case "upperFundingRate", "lowerFundingRate":
		return in.Kind == Future
	case "lotSizeFilter.minNotionalValue":
		return in.Inverse
	}
	return false
}

// flat lists the members of an object, and which of them are empty.
func flat(t *testing.T, prefix string, object []byte, into map[string]bool) {
	t.Helper()
	var m map[string]json.RawMessage
	if err := json.Unmarshal(object, &m); err != nil {
		t.Fatalf("%s: %v", object, err)
	}
	for k, v := range m {
		if v[0] == '{' {
			flat(t, prefix+k+".", v, into)
			continue
		}
		into[prefix+k] = string(v) == `""` || string(v) == "null"
	}
}

func TestFieldsAreCompleteInEachCategory(t *testing.T) {
	c := Default(start)
	for _, category := range []bybit.Category{bybit.Spot, bybit.Linear, bybit.Inverse, bybit.Option} {
		want := strings.Fields(members[category])
		slices.Sort(want)
		if len(c.All(category)) == 0 {
			t.Fatalf("no %s instruments", category)
		}
		for _, in := range c.All(category) {
			reply := bybit.InstrumentsResult{Category: category, List: []bybit.Instrument{in.Info}}
			var r struct{ List []json.RawMessage }
			if err := json.Unmarshal(reply.AppendJSON(nil), &r); err != nil {
				t.Fatal(err)
			}
			got := make(map[string]bool)
			flat(t, "", r.List[0], got)
			if names := slices.Sorted(maps.Keys(got)); !slices.Equal(names, want) {
				t.Fatalf("%s %s has\n%s\nwant\n%s", category, in.Symbol, names, want)
			}
			for _, name := range want {
				if got[name] && !mayBeEmpty(in, name) {
					t.Errorf("%s %s: %s is empty", category, in.Symbol, name)
				}
			}
		}
	}
}

func TestTermsAgreeWithEachOther(t *testing.T) {
	c := Default(start)
	symbolIDs := make(map[int64]string)
	for _, in := range c.Live() {
		steps := func(step, d decimal.Decimal) int64 { // how many steps d is
			t.Helper()
			q, err := d.Quo(step, 0, decimal.ToZero)
			if err != nil || !d.IsMultipleOf(step) {
				t.Errorf("%s: %s is no multiple of %s", in.Symbol, d, step)
			}
			u, _ := q.Units(0)
			return u
		}
		n := func(d decimal.Decimal) int64 { return steps(in.Lot, d) }
		if in.MinPrice >= in.MaxPrice || in.MinQty > in.MaxQty || in.MaxMarketQty > in.MaxQty || in.MinQty <= 0 || in.Fees.Taker.Sign() <= 0 {
			t.Errorf("%s: prices %d to %d, quantities %d to %d (market %d), fees %+v",
				in.Symbol, in.MinPrice, in.MaxPrice, in.MinQty, in.MaxQty, in.MaxMarketQty, in.Fees)
		}
		if in.Kind == Spread {
			continue
		}
		if other, ok := symbolIDs[in.Info.SymbolID]; ok || in.Info.SymbolID <= 0 {
			t.Errorf("%s and %s have symbolId %d", in.Symbol, other, in.Info.SymbolID)
		}
		symbolIDs[in.Info.SymbolID] = in.Symbol
		filter := in.Info.LotSizeFilter
		if in.Kind == Spot {
			if n(filter.MinOrderQty) != in.MinQty || n(filter.MaxLimitOrderQty) != in.MaxQty || n(filter.MaxMarketOrderQty) != in.MaxMarketQty {
				t.Errorf("%s: %+v against %d, %d, %d", in.Symbol, filter, in.MinQty, in.MaxQty, in.MaxMarketQty)
			}
		} else if n(filter.MinOrderQty) != in.MinQty || n(filter.MaxOrderQty) != in.MaxQty || steps(in.Tick, in.Info.PriceFilter.MaxPrice) != in.MaxPrice {
			t.Errorf("%s: %+v and %+v against %d, %d, %d", in.Symbol, filter, in.Info.PriceFilter, in.MinQty, in.MaxQty, in.MaxPrice)
		}
		// A price that is not absurd: between 1,000 and 10 million ticks, and far from the bounds.
		if ticks := in.TicksOf(c.StartPrice(in)); in.Kind != Option && (ticks < 1000 || ticks > 10_000_000 || ticks*5 > in.MaxPrice) {
			t.Errorf("%s starts at %d ticks, its highest price is %d", in.Symbol, ticks, in.MaxPrice)
		}
		if in.Turnover <= 0 || in.ImpactValue <= 0 || (in.OpenValue > 0) != (in.Kind != Spot) {
			t.Errorf("%s: turnover %d, impact value %d, open %d", in.Symbol, in.Turnover, in.ImpactValue, in.OpenValue)
		}
		if in.Kind == Perpetual && (in.FundingEvery != 8*Hour || in.FundingCap <= 0 || in.FundingFloor != -in.FundingCap) {
			t.Errorf("%s: funding every %d within %v and %v", in.Symbol, in.FundingEvery, in.FundingFloor, in.FundingCap)
		}
		if (in.Kind == Perpetual || in.Kind == Future) != (len(in.Tiers) > 0 && in.Fees.Group != "") {
			t.Errorf("%s: %d tiers, fee group %q", in.Symbol, len(in.Tiers), in.Fees.Group)
		}
	}
}

// The tiers of BTCUSDT as the margin parameters page had them (bybit.com zh-TW, undated): limit, leverage, maintenance
// margin, deduction.
func TestTiersOfAPublishedTable(t *testing.T) {
	want := `2000000 100 0.005 - | 2600000 90 0.0056 1200 | 3200000 80 0.0063 3020 | 3800000 75 0.0067 4300 |
		4400000 70 0.0071 5820 | 5000000 65 0.0077 8460 | 5600000 55 0.0091 15460 | 8500000 50 0.01 20500 |
		10000000 45 0.013 46000 | 14000000 40 0.015 66000 | 20000000 35 0.016 80000 | 28000000 30 0.02 160000 |
		38000000 25 0.025 300000 | 50000000 20 0.029 452000 | 55000000 19 0.03 502000 | 60000000 18 0.035 777000 |
		65000000 17 0.036 837000 | 70000000 16 0.038 967000 | 75000000 15 0.04 1107000 | 80000000 14 0.045 1482000`
	list := find(t, Default(start), bybit.Linear, "BTCUSDT").Tiers
	for i, row := range strings.Split(want, "|") {
		f := strings.Fields(row)
		tier := list[i]
		deduction := "-"
		if tier.MMDeduction.IsSet() {
			deduction = tier.MMDeduction.String()
		}
		if tier.RiskLimitValue.String() != f[0] || tier.MaxLeverage.String() != f[1]+".00" || tier.MaintenanceMargin.String() != f[2] || deduction != f[3] {
			t.Errorf("tier %d is %+v, want %v", i+1, tier, f)
		}
		if tier.ID != int64(i+1) || tier.IsLowestRisk != (i == 0) || tier.Symbol != "BTCUSDT" {
			t.Errorf("tier %d is %+v", i+1, tier)
		}
	}
	// 90 times leverage: 1/90 is 1.11 %, as risk-limit of June 2023 had it.
	if got := list[1].InitialMargin.String(); got != "0.0111" {
		t.Errorf("initial margin of tier 2 is %s", got)
	}
}

func TestTiersOfInverseArePercent(t *testing.T) {
	list := find(t, Default(start), bybit.Inverse, "BTCUSD").Tiers
	// V5 page market/risk-limit, example: 150 BTC at 0.5 and 1 percent, leverage 100.00. The second tier has 1/75 = 1.33 %,
	// half of it 0.67 %; its deduction is 150 * (0.67 % - 0.5 %) = 0.255.
	for i, want := range []string{"150 0.5 1 100.00 ", "300 0.67 1.33 75.00 0.255"} {
		r := list[i]
		got := strings.Join([]string{r.RiskLimitValue.String(), r.MaintenanceMargin.String(), r.InitialMargin.String(), r.MaxLeverage.String(), r.MMDeduction.String()}, " ")
		if got != want {
			t.Errorf("tier %d is %q, want %q", i+1, got, want)
		}
	}
}

// A contract of 12.5 times begins with the step of 12: the first tier has the contract's own leverage.
func TestTiersBeginAtTheContractsLeverage(t *testing.T) {
	list := tiers("XUSDT", ladder{broadLadder, 1000}, decimal.MustParse("12.50"), false)
	want := []string{"1000 12.50 0.08 0.04", "1350 10.00 0.1 0.05", "1800 8.00 0.125 0.0625"}
	for i, w := range want {
		r := list[i]
		got := strings.Join([]string{r.RiskLimitValue.String(), r.MaxLeverage.String(), r.InitialMargin.String(), r.MaintenanceMargin.String()}, " ")
		if got != w {
			t.Errorf("tier %d is %q, want %q", i+1, got, w)
		}
	}
	for _, leverage := range []string{"1", "1000", "0.5"} {
		for i, r := range tiers("XUSDT", ladder{majorLadder, 1000}, decimal.MustParse(leverage), false) {
			if r.MaintenanceMargin.Sign() <= 0 || r.MaintenanceMargin.Cmp(r.InitialMargin) > 0 {
				t.Errorf("leverage %s, tier %d: maintenance %s, initial %s", leverage, i+1, r.MaintenanceMargin, r.InitialMargin)
			}
		}
	}
}

func TestFeeGroups(t *testing.T) {
	groups := Default(start).FeeGroups()
	var got []string
	for _, g := range groups {
		got = append(got, string(g.GroupName)+": "+strings.Join(g.Symbols, " "))
		if g.SymbolCount != int64(len(g.Symbols)) || len(g.FeeRates.Pro) != 6 || len(g.FeeRates.MarketMaker) != 3 {
			t.Errorf("%s: %d symbols counted, %d and %d levels", g.GroupName, g.SymbolCount, len(g.FeeRates.Pro), len(g.FeeRates.MarketMaker))
		}
	}
	want := []string{
		"G1(Major Coins): BTCUSDT ETHUSDT SOLUSDT XRPUSDT BTCUSD ETHUSD BTCUSDT-27MAR26 BTCUSDT-26JUN26 BTCUSDH26",
		"G2(High Growth): DOGEUSDT",
		"USDC: BTCPERP",
	}
	if !slices.Equal(got, want) {
		t.Errorf("groups\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	// A market maker's row has a rebate only, a professional's no rebate.
	b, err := json.Marshal(groups[0].FeeRates)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		`{"level":"Pro 1","takerFeeRate":"0.00028","makerFeeRate":"0.0001","makerRebate":""}`,
		`{"level":"MM 1","takerFeeRate":"","makerFeeRate":"","makerRebate":"-0.00001"}`,
	} {
		if !strings.Contains(string(b), part) {
			t.Errorf("rates %s: want %s", b, part)
		}
	}
}

func TestAssets(t *testing.T) {
	c := Default(start)
	btc, _ := c.Asset("BTC")
	index := func(coin string) fixed.F { a, _ := c.Asset(coin); return a.Start }
	for _, tt := range []struct{ coin, quote, want string }{
		{"BTC", "USD", "88000.0000"},
		{"BTC", "USDT", "88035.2141"}, // 88000 / 0.9996
		{"BTC", "USDC", "88008.8009"}, // 88000 / 0.9999
		{"ETH", "BTC", "0.0338"},      // 2975 / 88000
		{"USDC", "USDT", "1.0003"},
	} {
		if got, ok := c.InQuote(tt.coin, tt.quote, index); !ok || got.Decimal(4).String() != tt.want {
			t.Errorf("%s in %s is %v, %t, want %s", tt.coin, tt.quote, got.Decimal(4), ok, tt.want)
		}
	}
	for _, pair := range [][2]string{{"BTC", "EUR"}, {"SHIB", "USDT"}} {
		if got, ok := c.InQuote(pair[0], pair[1], index); ok {
			t.Errorf("%s in %s is %v", pair[0], pair[1], got)
		}
	}
	// 0.46 * 0.95 / 0.46
	if got := btc.Beta(number("0.46")).Decimal(6).String(); got != "0.950000" {
		t.Errorf("beta of BTC is %s", got)
	}
	for _, a := range c.Assets() {
		if a.Start <= 0 || a.Vol <= 0 || a.Corr <= 0 || a.Corr >= fixed.One || a.Liquidity == 0 || a.Turnover <= 0 || a.Name == "" {
			t.Errorf("%+v", a)
		}
	}
}
