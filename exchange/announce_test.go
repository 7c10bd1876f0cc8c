package exchange_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/bybittest"
	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/exchange"
)

// A maintenance is announced, changed by what a call names, and shown by the topic and by REST.
func TestMaintenance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := bybittest.NewExchange(t, one())
		c := connect(t, x, "/v5/public/misc/status")
		defer c.close()
		c.subscribe("system.status")
		client := x.Client()
		var first, changed struct {
			ID   string
			Time time.Time
		}
		call(t, x, "maintenance", `{"title":"upgrade","begin":"2026-01-01T08:00:00Z","for":"30m","products":[1,2],"serviceTypes":[2]}`, &first)
		call(t, x, "maintenance", `{"id":"`+first.ID+`","state":"ongoing","begin":"2026-01-01T08:01:00Z"}`, &changed)
		if first.ID == "" || changed.ID != first.ID || !first.Time.Equal(x.Now()) {
			t.Errorf("%+v, then %+v", first, changed)
		}
		begin := time.Date(2026, 1, 1, 8, 0, 0, 0, time.UTC)
		frames := enough(t, c.take(), 2)
		for n, want := range []struct {
			state string
			begin time.Time
		}{{"scheduled", begin}, {"ongoing", begin.Add(time.Minute)}} {
			var m bybit.SystemStatusMessage
			if err := m.Decode([]byte(frames[n])); err != nil {
				t.Fatal(err)
			}
			if got := m.Maintenances[0]; got.ID != first.ID || got.Title != "upgrade" || got.State != want.state || !got.Begin.Equal(want.begin) ||
				got.End.Sub(got.Begin) != 30*time.Minute || len(got.Products) != 2 || len(got.ServiceTypes) != 1 || got.MaintainType != 1 || got.Env != 1 {
				t.Errorf("message %d: %+v", n, got)
			}
		}
		list, err := client.Platform.SystemStatus(t.Context(), nil)
		if err != nil || len(list.List) != 1 || string(list.List[0].State) != "ongoing" {
			t.Errorf("%+v, %v", list, err)
		}
		id, err := x.Maintain(t.Context(), &bybit.Maintenance{Title: "an incident", State: "ongoing", MaintainType: 3})
		if err != nil || id == "" || id == first.ID {
			t.Errorf("%q, %v", id, err)
		}
		if _, err := x.Maintain(t.Context(), &bybit.Maintenance{Title: "never"}); err == nil {
			t.Error("a maintenance without a state was announced")
		}
		if n := len(c.take()); n != 1 || x.State().Commands != 5 { // with the regime at the beginning, and the refused one
			t.Errorf("%d messages, %d commands", n, x.State().Commands)
		}
	})
}

// A block trade is on the topic of block trades, and a public trade with the mark of one; no book and no price has moved.
func TestBlockTrade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := bybittest.NewExchange(t, one())
		blocks, trades := connect(t, x, "/v5/public/rfq"), connect(t, x, "/v5/public/linear")
		defer blocks.close()
		defer trades.close()
		blocks.subscribe("rfq.open.public.trades")
		trades.subscribe("publicTrade.BTCUSDT", btcBook)
		x.Advance(time.Second)
		blocks.take()
		trades.take()
		var made struct{ RFQID string }
		call(t, x, "block", `{"legs":[{"category":"linear","symbol":"BTCUSDT","side":"Sell","qty":"2.5","price":"87000.5"}]}`, &made)
		var m bybit.RFQTradesMessage
		if err := m.Decode([]byte(enough(t, blocks.take(), 1)[0])); err != nil {
			t.Fatal(err)
		}
		if b := m.Trades[0]; b.RFQID != made.RFQID || made.RFQID == "" || b.StrategyType != "custom" || len(b.Legs) != 1 ||
			b.Legs[0].Price.Float64() != 87000.5 || b.Legs[0].Qty.Float64() != 2.5 || !strings.EqualFold(string(b.Legs[0].Side), "sell") {
			t.Errorf("%+v", b)
		}
		var public struct {
			Topic string
			Data  []struct {
				S, P string
				BT   bool
			}
		}
		frames := trades.take()
		if len(frames) != 1 || json.Unmarshal([]byte(frames[0]), &public) != nil || public.Topic != "publicTrade.BTCUSDT" || len(public.Data) != 1 || !public.Data[0].BT {
			t.Errorf("%q", frames)
		}
		// Without a price it is the mark price.
		if _, err := x.BlockTrade(t.Context(), "PerpBasis", []bybit.RFQLeg{{Category: "linear", Symbol: "BTCUSDT", Side: "Buy", Qty: decimal.FromInt(1)}}); err != nil {
			t.Fatal(err)
		}
		if err := m.Decode([]byte(enough(t, blocks.take(), 1)[0])); err != nil {
			t.Fatal(err)
		}
		if l := m.Trades[0].Legs[0]; l.MarkPrice.IsZero() || math.Abs(l.Price.Float64()-l.MarkPrice.Float64()) > 1 {
			t.Errorf("price %s, mark price %s", l.Price, l.MarkPrice)
		}
	})
}

// What is wrong with a maintenance or a leg is said in words of its own, which begin with what it is about.
func TestAnnouncementRefusals(t *testing.T) {
	x := bybittest.NewExchange(t, one())
	for _, test := range []struct{ call, body, want string }{
		{"block", `{"legs":[{}]}`, `no block trade: leg 1: category and symbol are missing`},
		{"block", `{"legs":[null]}`, `no block trade: leg 1: category and symbol are missing`},
		{"block", `{"legs":[{"category":"linear"}]}`, `no block trade: leg 1: symbol is missing`},
		{"block", `{"legs":[{"symbol":"BTCUSDT"}]}`, `no block trade: leg 1: category is missing`},
		{"block", `{"legs":[{"category":"linear","symbol":"BTCUSDT","side":"Buy","price":"1"}]}`, `no block trade: leg 1: qty is missing`},
		{"block", `{"legs":[{"category":"linear","symbol":"BTCUSDT","side":"Buy","qty":"0"}]}`, `no block trade: leg 1: qty 0 of BTCUSDT is not above 0`},
		{"block", `{"legs":[{"category":"linear","symbol":"BTCUSDT","side":"Buy","qty":"-1"}]}`, `no block trade: leg 1: qty -1 of BTCUSDT is not above 0`},
		{"block", `{"legs":[{"category":"linear","symbol":"BTCUSDT","side":"Buy","qty":"-0.0005"}]}`, `no block trade: leg 1: qty -0.0005 of BTCUSDT is not above 0`},
		{"block", `{"legs":[{"category":"linear","symbol":"BTCUSDT","side":"Buy","qty":"1000000000"}]}`, `no block trade: leg 1: qty 1000000000 of BTCUSDT is not from 0.001 to `},
		{"block", `{"legs":[{"category":"linear","symbol":"BTCUSDT","side":"Buy","qty":"0.0001"}]}`, `no block trade: leg 1: qty 0.0001 of BTCUSDT is not from 0.001 to `},
		{"block", `{"legs":[{"category":"linear","symbol":"BTCUSDT","side":"Buy","qty":"1","price":"0"}]}`, `no block trade: leg 1: price 0 of BTCUSDT is not above 0`},
		{"block", `{"legs":[{"category":"linear","symbol":"BTCUSDT","side":"Buy","qty":"1","price":"-1"}]}`, `no block trade: leg 1: price -1 of BTCUSDT is not above 0`},
		{"block", `{"legs":[{"category":"linear","symbol":"BTCUSDT","side":"Buy","qty":"1","price":"1000000000"}]}`, `no block trade: leg 1: price 1000000000 of BTCUSDT is not from 0.1`},
		{"block", `{"legs":[{"category":"linear","symbol":"BTCUSDT","side":"Buy","qty":"1","price":"0.01"}]}`, `no block trade: leg 1: price 0.01 of BTCUSDT is not from 0.1`},
		{"block", `{"legs":[{"category":"linear","symbol":"BTCUSDT","side":"Buy","qty":"1","price":"99999999999999999999"}]}`, `no block trade: leg 1: price 99999999999999999999 of BTCUSDT is not from 0.1`},
		{"block", `{"legs":[{"category":"linear","symbol":"BTCUSDT","side":"Buy","qty":"ten"}]}`, `legs: leg 1: qty: a number, such as "10", not "ten"`},
		{"block", `{"legs":[{"category":"linear","symbol":"BTCUSDT","side":"Buy","qty":"1"},{"qty":"1","price":[]}]}`, `legs: leg 2: price: a number, such as "10", not []`},
		{"block", `{"legs":[{"category":7}]}`, `legs: leg 1: category: a text, not 7`},
		{"block", `{"legs":[7]}`, `legs: each is such as {`},
		{"block", `{"legs":7}`, `legs: a list; each is such as {`},
		{"maintenance", `{"title":"t","begin":"1600-01-01T00:00:00Z"}`, `begin 1600-01-01T00:00:00Z is not from 2000-01-01 to 2200-01-01`},
		{"maintenance", `{"title":"t","begin":"0001-01-01T00:00:00Z"}`, `begin 0001-01-01T00:00:00Z is not from`},
		{"maintenance", `{"title":"t","begin":"1970-01-01T00:00:00Z"}`, `begin 1970-01-01T00:00:00Z is not from`},
		{"maintenance", `{"title":"t","begin":"2290-01-01T00:00:00Z"}`, `begin 2290-01-01T00:00:00Z is not from 2000-01-01 to 2200-01-01`},
		{"maintenance", `{"title":"t","for":"2000000h"}`, `for 2000000h0m0s: it would end at 2254-02-`},
		{"maintenance", `{"title":"t","maintainType":9}`, `maintainType: 1 (planned), 2 (temporary) or 3 (incident), not 9`},
		{"maintenance", `{"title":"t","maintainType":0}`, `maintainType: 1 (planned), 2 (temporary) or 3 (incident), not 0`},
		{"maintenance", `{"title":"t","env":3}`, `env: 1 (production) or 2 (demo), not 3`},
		{"maintenance", `{"title":"t","env":-1}`, `env: 1 (production) or 2 (demo), not -1`},
		{"maintenance", `{}`, `no maintenance: it has no title`},
		{"maintenance", `{"title":"t","state":"soon"}`, `no maintenance: its state is one of`},
	} {
		status, text := post(x, test.call, test.body)
		var answer struct{ Error string }
		if err := json.Unmarshal([]byte(text), &answer); err != nil || status != 400 || !strings.HasPrefix(answer.Error, test.want) {
			t.Errorf("%s %s: status %d %s\nwant 400 %s", test.call, test.body, status, text, test.want)
		}
	}
	far := time.Date(2300, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, m := range []*bybit.Maintenance{
		{Title: "t", State: "scheduled", Begin: far},
		{Title: "t", State: "scheduled", End: far},
		{Title: "t", State: "scheduled", Begin: time.Date(1600, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		if _, err := x.Maintain(t.Context(), m); err == nil || !strings.Contains(err.Error(), "is not from 2000-01-01 to 2200-01-01") {
			t.Errorf("%+v: %v", m, err)
		}
	}
	if list, err := x.Client().Platform.SystemStatus(t.Context(), nil); err != nil || len(list.List) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
	if _, err := exchange.ReplayJournal(strings.NewReader(""), far); err == nil || !strings.Contains(err.Error(), "until 2300-01-01T00:00:00Z is not from") {
		t.Error(err)
	}
}

// A new maintenance without a state is under way or to come, by its times; a state given stays, and so does that of an earlier one.
func TestMaintenanceState(t *testing.T) {
	x := bybittest.NewExchange(t, one())
	for _, test := range []struct{ body, want string }{
		{`{"id":"a","title":"t"}`, "ongoing"},
		{`{"id":"b","title":"t","begin":"2026-01-01T00:00:01Z"}`, "scheduled"},
		{`{"id":"c","title":"t","begin":"2025-12-31T23:30:00Z"}`, "ongoing"},
		{`{"id":"d","title":"t","begin":"2025-12-31T23:30:00Z","for":"30m"}`, "scheduled"},
		{`{"id":"e","title":"t","state":"scheduled"}`, "scheduled"},
		{`{"id":"b","begin":"2025-12-31T23:30:00Z"}`, "scheduled"},
		{`{"id":"a","begin":"2026-01-02T00:00:00Z"}`, "ongoing"},
	} {
		var made struct{ ID string }
		call(t, x, "maintenance", test.body, &made)
		if m := noticeOf(t, x, made.ID); string(m.State) != test.want || m.End.Before(m.Begin) {
			t.Errorf("%s: %+v, want %s", test.body, m, test.want)
		}
	}
	x.Advance(2 * time.Hour)
	if m := noticeOf(t, x, "e"); m.State != "scheduled" {
		t.Errorf("the state changed by itself: %+v", m)
	}
	// One that was announced without an end has none after a change either, until one is given.
	if _, err := x.Maintain(t.Context(), &bybit.Maintenance{ID: "open", Title: "t", State: "ongoing", Begin: x.Now()}); err != nil {
		t.Fatal(err)
	}
	var made struct{ ID string }
	call(t, x, "maintenance", `{"id":"open","title":"u"}`, &made)
	if m := noticeOf(t, x, "open"); m.Title != "u" || !m.End.IsZero() {
		t.Errorf("%+v", m)
	}
	call(t, x, "maintenance", `{"id":"open","for":"3h"}`, &made)
	if m := noticeOf(t, x, "open"); m.End.Sub(m.Begin) != 3*time.Hour {
		t.Errorf("%+v", m)
	}
}

// noticeOf is the maintenance of an id, as REST shows it.
func noticeOf(t *testing.T, x *bybittest.Exchange, id string) bybit.MaintenanceNotice {
	t.Helper()
	list, err := x.Client().Platform.SystemStatus(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range list.List {
		if m.ID == id {
			return m
		}
	}
	t.Fatalf("no maintenance %q", id)
	return bybit.MaintenanceNotice{}
}
