package bybit_test

import (
	"errors"
	"fmt"

	"github.com/bywire/bywire/bybit"
)

func ExampleBookMessage() {
	frame := []byte(`{"topic":"orderbook.50.BTCUSDT","type":"delta","ts":1700000000201,"data":{"s":"BTCUSDT","b":[["40000.00","0"]],"a":[["40000.60","0.029"]],"u":18522,"seq":79617},"cts":1700000000200}`)

	var m bybit.BookMessage // reuse it: decoding into a warm message allocates nothing
	if err := m.Decode(frame); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(m.Topic, m.ID, m.Time.Sub(m.MatchTime))
	for _, level := range m.Asks {
		fmt.Println("ask", level.Price, level.Size)
	}
	fmt.Println(string(m.AppendJSON(nil, bybit.Linear)) == string(frame))
	// Output:
	// orderbook.50.BTCUSDT 18522 1ms
	// ask 40000.60 0.029
	// true
}

func ExampleTicker_Merge() {
	var m bybit.TickerMessage
	var state bybit.Ticker
	for _, frame := range []string{
		`{"topic":"tickers.BTCUSDT","type":"snapshot","data":{"symbol":"BTCUSDT","lastPrice":"61874.00","fundingRate":"0.0001"},"cs":1,"ts":1700000000000}`,
		`{"topic":"tickers.BTCUSDT","type":"delta","data":{"symbol":"BTCUSDT","lastPrice":"61875.50"},"cs":2,"ts":1700000000100}`,
	} {
		if err := m.Decode([]byte(frame)); err != nil {
			fmt.Println(err)
			return
		}
		if m.Snapshot {
			state = m.Ticker
		} else {
			state.Merge(&m.Ticker)
		}
	}
	fmt.Println(state.LastPrice, state.FundingRate, m.Has(bybit.TickerFundingRate))
	// Output: 61875.50 0.0001 false
}

func ExampleNewMessage() {
	frame := []byte(`{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1758000000824,"data":[{"T":1758000000823,"s":"BTCUSDT","S":"Buy","v":"0.020","p":"109000.90","L":"PlusTick","i":"1a74ac78","BT":false,"RPI":false,"seq":457514}]}`)
	name, _ := bybit.FrameTopic(frame)
	topic, err := bybit.ParseTopic(string(name))
	if err != nil {
		fmt.Println(err)
		return
	}
	m, _ := bybit.NewMessage(topic)
	if err := m.Decode(frame); err != nil {
		fmt.Println(err)
		return
	}
	for _, trade := range m.(*bybit.TradesMessage).Trades {
		fmt.Println(trade.Side, trade.Size, "at", trade.Price)
	}
	// Output: Buy 0.020 at 109000.90
}

func ExampleDecodeError() {
	var m bybit.PriceLimitMessage
	err := m.Decode([]byte(`{"topic":"priceLimit.BTCUSDT","data":{"symbol":"BTCUSDT","buyLmt":"1,5","sellLmt":"1"},"ts":1}`))
	if e, ok := errors.AsType[*bybit.DecodeError](err); ok {
		fmt.Println(e.Topic, e.Offset)
	}
	// Output: priceLimit.BTCUSDT 67
}
