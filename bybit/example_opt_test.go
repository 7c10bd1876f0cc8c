package bybit_test

import (
	"fmt"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/decimal"
)

// Zero is sent and does something, unset is not sent: here the take profit is removed, the
// stop loss is moved, and the trailing stop stays as it is.
func ExampleOpt() {
	params := &bybit.PositionSetTradingStopParams{
		Category:   bybit.Linear,
		Symbol:     "BTCUSDT",
		TPSLMode:   bybit.TPSLFull,
		TakeProfit: bybit.Some(decimal.FromInt(0)),
		StopLoss:   bybit.Some(decimal.MustParse("60000")),
	}
	fmt.Println(params.TrailingStop.IsSet())
	fmt.Println(string(params.AppendJSON(nil)))

	page := &bybit.KlineParams{Category: bybit.Spot, Symbol: "BTCUSDT", Interval: bybit.Interval1h, Limit: bybit.Some(200)}
	query, err := page.AppendQuery(nil)
	fmt.Println(string(query), err)
	// Output:
	// false
	// {"category":"linear","symbol":"BTCUSDT","takeProfit":"0","stopLoss":"60000","tpslMode":"Full","positionIdx":0}
	// category=spot&symbol=BTCUSDT&interval=60&limit=200 <nil>
}
