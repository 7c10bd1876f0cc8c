package api

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/fixed"
)

// newAPI returns the API of a market in which nothing happens.
func newAPI(t *testing.T) *API {
	t.Helper()
	return New(newRig(t), Options{})
}

// ask makes a request that is served and decodes its result.
func ask[T any, P interface {
	*T
	Decode(json []byte) error
}](t *testing.T, a *API, target string) *T {
	t.Helper()
	r, _ := get(t, a, target)
	var envelope struct {
		RetCode int
		Result  json.RawMessage
	}
	if err := json.Unmarshal(r.Body, &envelope); err != nil || envelope.RetCode != 0 {
		t.Fatalf("%s: %v, %.300s", target, err, r.Body)
	}
	v := new(T)
	if err := P(v).Decode(envelope.Result); err != nil {
		t.Fatalf("%s: %v in %.300s", target, err, r.Body)
	}
	return v
}

func symbols(r *bybit.InstrumentsResult) []string {
	var list []string
	for _, in := range r.List {
		list = append(list, in.Symbol)
	}
	return list
}

func TestInstrumentsComeInPages(t *testing.T) {
	a := newAPI(t)
	for _, category := range []string{"linear", "inverse", "option"} {
		all := symbols(ask[bybit.InstrumentsResult](t, a, "/v5/market/instruments-info?limit=1000&category="+category))
		if len(all) < 3 {
			t.Fatalf("%s: %q", category, all)
		}
		if r := ask[bybit.InstrumentsResult](t, a, "/v5/market/instruments-info?category="+category+"&limit="+strconv.Itoa(len(all))); len(r.List) != len(all) || r.NextPageCursor != "" {
			t.Errorf("%s: a page of all %d has %d and the cursor %q", category, len(all), len(r.List), r.NextPageCursor)
		}
		for _, n := range []string{"1", "2", "7"} {
			for _, escape := range []func(string) string{func(s string) string { return s }, url.QueryEscape} {
				var got []string
				target := "/v5/market/instruments-info?category=" + category + "&limit=" + n
				for cursor, pages := "", 0; ; pages++ {
					r := ask[bybit.InstrumentsResult](t, a, target+"&cursor="+escape(cursor))
					got = append(got, symbols(r)...)
					if cursor = r.NextPageCursor; cursor == "" || pages > len(all) {
						break
					}
				}
				if !slices.Equal(got, all) {
					t.Errorf("%s, pages of %s: %d instruments, want %d", category, n, len(got), len(all))
				}
			}
		}
	}
}

func TestSpotComesWhole(t *testing.T) {
	a := newAPI(t)
	r := ask[bybit.InstrumentsResult](t, a, "/v5/market/instruments-info?category=spot&limit=1")
	if len(r.List) != len(catalog.Default(start).All(bybit.Spot)) || len(r.List) < 2 {
		t.Errorf("%d instruments", len(r.List))
	}
}

func TestInstrumentsAreFiltered(t *testing.T) {
	a := newAPI(t)
	for query, want := range map[string]func(in *bybit.Instrument) bool{
		"category=linear&symbol=BTCUSDT":                 func(in *bybit.Instrument) bool { return in.Symbol == "BTCUSDT" },
		"category=linear&baseCoin=ETH":                   func(in *bybit.Instrument) bool { return in.BaseCoin == "ETH" },
		"category=option":                                func(in *bybit.Instrument) bool { return in.BaseCoin == "BTC" },
		"category=option&baseCoin=ETH":                   func(in *bybit.Instrument) bool { return in.BaseCoin == "ETH" },
		"category=option&symbol=ETH-27MAR26-3000-C-USDT": func(in *bybit.Instrument) bool { return in.Symbol == "ETH-27MAR26-3000-C-USDT" },
		"category=linear&status=Trading":                 func(in *bybit.Instrument) bool { return in.Status == "Trading" },
	} {
		r := ask[bybit.InstrumentsResult](t, a, "/v5/market/instruments-info?"+query)
		if len(r.List) == 0 {
			t.Errorf("%s: nothing", query)
		}
		for _, in := range r.List {
			if !want(&in) {
				t.Errorf("%s: %s", query, in.Symbol)
			}
		}
	}
	for _, query := range []string{"category=linear&status=PreLaunch", "category=spot&symbol=NOSUCH", "category=option&baseCoin=SOL", "category=linear&symbol=BTCUSDT&status=Closed"} {
		if r := ask[bybit.InstrumentsResult](t, a, "/v5/market/instruments-info?"+query); len(r.List) > 0 {
			t.Errorf("%s: %q", query, symbols(r))
		}
	}
	both := symbols(ask[bybit.InstrumentsResult](t, a, "/v5/market/instruments-info?category=inverse&baseCoin=BTC"))
	if !slices.Contains(both, "BTCUSDT") || !slices.Contains(both, "BTCUSD") {
		t.Errorf("by base coin, inverse is %q, without one of linear or inverse", both)
	}
}

// TestDeliveredContractsChangeTheirStatus follows an option over its expiry.
func TestDeliveredContractsChangeTheirStatus(t *testing.T) {
	m := newRig(t)
	a := New(m, Options{})
	var option *catalog.Instrument
	for _, in := range m.catalog.All(bybit.Option) {
		if option == nil || in.Delivery < option.Delivery {
			option = in
		}
	}
	symbol := option.Symbol
	list := func(status string) []string {
		return symbols(ask[bybit.InstrumentsResult](t, a, "/v5/market/instruments-info?category=option&symbol="+symbol+"&status="+status))
	}
	if len(list("")) != 1 || len(list("Trading")) != 1 || len(list("Delivering")) != 0 {
		t.Fatalf("%s does not trade", symbol)
	}
	m.now = option.Delivery
	m.catalog.Roll(m.now, func(string) fixed.F { return fixed.FromInt(1000) })
	if len(list("")) != 1 || len(list("Trading")) != 0 || len(list("Delivering")) != 1 {
		t.Errorf("%s is not being delivered", symbol)
	}
	if !slices.ContainsFunc(ask[bybit.PlatformAnnouncementsResult](t, a, "/v5/announcements/index?locale=en-US&type=delistings").List, func(n bybit.Announcement) bool {
		return strings.HasPrefix(n.Title, "Delivery of "+option.Base) && n.Date.Equal(time.Unix(0, option.Delivery))
	}) {
		t.Errorf("the delivery of %s was not announced", symbol)
	}
	m.now += deliveringFor
	if len(list("")) != 0 || len(list("Delivering")) != 0 || len(list("Closed")) != 1 {
		t.Errorf("%s is not closed four hours later", symbol)
	}
}

func TestRiskLimitsComeInPages(t *testing.T) {
	m := newRig(t)
	a := New(m, Options{})
	var got []string
	for cursor := ""; ; {
		r := ask[bybit.RiskLimitsResult](t, a, "/v5/market/risk-limit?category=linear&cursor="+cursor)
		n := 0
		for _, tier := range r.List {
			if len(got) == 0 || got[len(got)-1] != tier.Symbol {
				got = append(got, tier.Symbol)
				n++
			}
		}
		if n > riskPage {
			t.Errorf("%d symbols on a page", n)
		}
		if cursor = r.NextPageCursor; cursor == "" {
			break
		}
	}
	if len(got) != len(m.catalog.All(bybit.Linear)) {
		t.Errorf("%d symbols: %q", len(got), got)
	}
	one := ask[bybit.RiskLimitsResult](t, a, "/v5/market/risk-limit?category=inverse&symbol=BTCUSD")
	if len(one.List) < 5 || one.List[0].Symbol != "BTCUSD" || !one.List[0].IsLowestRisk {
		t.Errorf("BTCUSD: %+v", one.List)
	}
}

func TestFeeGroupsByNumber(t *testing.T) {
	a := newAPI(t)
	all := ask[bybit.FeeGroupsResult](t, a, "/v5/market/fee-group-info?productType=contract")
	if len(all.List) < 2 {
		t.Fatalf("%d groups", len(all.List))
	}
	major := ask[bybit.FeeGroupsResult](t, a, "/v5/market/fee-group-info?productType=contract&groupId=1")
	if len(major.List) != 1 || major.List[0].GroupName != bybit.FeeGroupNameMajor {
		t.Errorf("group 1: %+v", major.List)
	}
	for _, g := range all.List {
		if groupID(g.GroupName) == "" {
			t.Errorf("%q has no number", g.GroupName)
		}
	}
}

func TestSpreadInstrumentsComeInPages(t *testing.T) {
	a := newAPI(t)
	all := ask[bybit.SpreadInstrumentsResult](t, a, "/v5/spread/instrument")
	var got []string
	for cursor := ""; ; {
		r := ask[bybit.SpreadInstrumentsResult](t, a, "/v5/spread/instrument?limit=2&cursor="+cursor)
		for _, in := range r.List {
			got = append(got, in.Symbol)
		}
		if cursor = r.NextPageCursor; cursor == "" {
			break
		}
	}
	if len(got) != len(all.List) || len(got) < 3 {
		t.Errorf("%d and %d spreads", len(got), len(all.List))
	}
}

func TestAnnouncementsAreListingsNewestFirst(t *testing.T) {
	a := newAPI(t)
	all := ask[bybit.PlatformAnnouncementsResult](t, a, "/v5/announcements/index?locale=en-US&limit=1000")
	if int(all.Total) != len(all.List) || len(all.List) < 3 {
		t.Fatalf("%d of %d announcements", len(all.List), all.Total)
	}
	for i, n := range all.List {
		if i > 0 && n.Date.After(all.List[i-1].Date) {
			t.Errorf("%s after an older one", n.Title)
		}
		if n.Date.After(time.Unix(0, start)) {
			t.Errorf("%s in the future", n.Title)
		}
	}
	second := ask[bybit.PlatformAnnouncementsResult](t, a, "/v5/announcements/index?locale=en-US&limit=2&page=2")
	if second.Total != all.Total || len(second.List) != 2 || second.List[0].Title != all.List[2].Title {
		t.Errorf("second page: %+v", second)
	}
	for _, n := range ask[bybit.PlatformAnnouncementsResult](t, a, "/v5/announcements/index?locale=en-US&tag=Options").List {
		if !strings.Contains(n.Title, "options") {
			t.Errorf("%s has the tag Options", n.Title)
		}
	}
}
