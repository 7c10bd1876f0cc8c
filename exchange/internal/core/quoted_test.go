package core

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/flow"
)

// A pair that is quoted in a coin has a market like others: near its index, and close.
func TestPairsQuotedInACoinTrade(t *testing.T) {
	for _, tt := range []struct{ base, quote, tick, lot, least string }{
		{"ETH", "BTC", "0.000001", "0.0001", "0.000001"},
		{"DOGE", "BTC", "0.000000001", "1", "0.000001"},
	} {
		t.Run(tt.base+tt.quote, func(t *testing.T) {
			file := fmt.Sprintf(`{"instruments":[{"category":"spot","like":"ETHUSDT","symbol":"%s%s","baseCoin":"%[1]s","quoteCoin":"%[2]s",
				"priceFilter":{"tickSize":"%s"},"lotSizeFilter":{"basePrecision":"%s","minOrderQty":"%[4]s","minOrderAmt":"%s"}}]}`,
				tt.base, tt.quote, tt.tick, tt.lot, tt.least)
			c := mustNew(t, Config{Seed: 1, Only: []string{"spot:" + tt.base + tt.quote}, Instruments: []byte(file)})
			in := mustFind(t, c, bybit.Spot, tt.base+tt.quote)
			for k := range int64(10) {
				c.Advance(start + (k+1)*30*second)
				bid, _, okBid := c.Book(in.ID).Best(engine.Buy)
				ask, _, okAsk := c.Book(in.ID).Best(engine.Sell)
				if !okBid || !okAsk {
					t.Fatalf("a side is empty: bid %d (%v), ask %d (%v)", bid, okBid, ask, okAsk)
				}
				index, middle := float64(c.Board().IndexOf(in.ID)), float64(in.PriceOf(bid)+in.PriceOf(ask))/2
				spread := float64(ask-bid) / float64(ask+bid) * 2e4 // basis points
				t.Logf("after %d s: bid %s, ask %s, index %s: %.2f bp of spread, %.2f off", (k+1)*30, in.Price(bid), in.Price(ask), c.Board().IndexOf(in.ID).Decimal(9), spread, (middle/index-1)*1e4)
				if math.Abs(middle/index-1) > 0.002 || spread > 10 {
					t.Errorf("after %d s: bid %s, ask %s, index %s: want a middle within 0.2 %% of it, and a spread of 10 bp at most",
						(k+1)*30, in.Price(bid), in.Price(ask), c.Board().IndexOf(in.ID).Decimal(9))
				}
			}
		})
	}
}

// A shock of no possible length is refused and does nothing, also if it comes from a journal; the longest one begins slowly.
func TestShocksHaveALength(t *testing.T) {
	for _, tt := range []struct {
		over int64
		want error
	}{
		{math.MinInt64, ErrTooLong}, {-1, ErrTooLong}, {math.MaxInt64, ErrTooLong}, {flow.LongestShock + 1, ErrTooLong}, {flow.LongestShock, nil},
	} {
		t.Run(fmt.Sprint(tt.over), func(t *testing.T) {
			c := mustNew(t, Config{Seed: 4, Only: []string{"spot:BTCUSDT"}, Quiet: true})
			c.Advance(start + second)
			before := c.Flow().Index("BTC")
			var entry Entry
			line := fmt.Sprintf(`{"at":%d,"n":1,"do":"shock","with":{"coin":"BTC","percent":"-50","over":%d}}`, c.Now(), tt.over)
			if err := entry.UnmarshalJSON([]byte(line)); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Do(entry.Command); !errors.Is(err, tt.want) {
				t.Errorf("%v, want %v", err, tt.want)
			}
			c.Advance(c.Now() + 2*second)
			if after := c.Flow().Index("BTC"); (after - before).Abs() > before/100 {
				t.Errorf("the price went from %v to %v within two seconds", before, after)
			}
			if c.Flow().Shock("BTC", fixed.FromInt(-50), tt.over) != (tt.want == nil) {
				t.Errorf("flow sees a length of %d in another way", tt.over)
			}
		})
	}
}
