package core

import "testing"

// TestBlockTradesOfTheMarketAreShown: flow's block trades pass the checks of the feed and stand in what REST shows, without a
// command.
func TestBlockTradesOfTheMarketAreShown(t *testing.T) {
	c := mustNew(t, Config{Seed: 5, Start: start, Only: []string{"linear:BTCUSDT", "spot:BTCUSDT"}})
	commands := c.Commands()
	for hours := 0; len(c.Feed().Blocks(10)) < 3; hours++ {
		if hours == 4 {
			t.Fatalf("%d block trades in four hours", len(c.Feed().Blocks(10)))
		}
		c.Advance(c.Now() + 60*minute)
	}
	for _, b := range c.Feed().Blocks(10) {
		if b.StrategyType == "" || len(b.Legs) == 0 {
			t.Errorf("a block trade %+v", b)
		}
		for _, l := range b.Legs {
			if !l.Price.IsSet() || !l.Qty.IsSet() || l.Qty.Sign() <= 0 {
				t.Errorf("a leg %+v", l)
			}
		}
	}
	if c.Commands() != commands {
		t.Error("block trades of the market are commands")
	}
}
