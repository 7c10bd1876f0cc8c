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
