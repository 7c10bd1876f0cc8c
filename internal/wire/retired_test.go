package wire

import "testing"

func TestTranslate(t *testing.T) {
	tests := []struct {
		old, want string
		ch        Channel
	}{
		// V2 inverse and linear.
		{"orderBookL2_25.BTCUSD", "orderbook.50.BTCUSD", Inverse},
		{"orderBookL2_25.BTCUSDT", "orderbook.50.BTCUSDT", Linear},
		{"orderBookL2_25.BTCPERP", "orderbook.50.BTCPERP", Linear},
		{"orderBookL2_25.BTCUSDM21", "orderbook.50.BTCUSDM21", Inverse},
		{"orderBook_200.100ms.BTCUSDT", "orderbook.200.BTCUSDT", Linear},
		{"orderBook_200.100ms.EOSUSD", "orderbook.200.EOSUSD", Inverse},
		{"trade.BTCUSD", "publicTrade.BTCUSD", Inverse},
		{"trade.BTCUSDT", "publicTrade.BTCUSDT", Linear},
		{"instrument_info.100ms.BTCUSD", "tickers.BTCUSD", Inverse},
		{"instrument_info.100ms.ETHUSDU21", "tickers.ETHUSDU21", Inverse},
		{"instrument_info.100ms.BTCPERP", "tickers.BTCPERP", Linear},
		{"klineV2.1.BTCUSD", "kline.1.BTCUSD", Inverse},
		{"klineV2.D.BTCUSD", "kline.D.BTCUSD", Inverse},
		{"candle.1.BTCUSDT", "kline.1.BTCUSDT", Linear},
		{"candle.240.BTCUSDT", "kline.240.BTCUSDT", Linear},
		{"liquidation.BTCUSD", "allLiquidation.BTCUSD", Inverse},
		{"liquidation.BTCUSDT", "allLiquidation.BTCUSDT", Linear},
		// Spot V3, and V1 with the symbol behind the name.
		{"orderbook.40.BTCUSDT", "orderbook.50.BTCUSDT", Spot},
		{"bookticker.BTCUSDT", "orderbook.1.BTCUSDT", Spot},
		{"bookTicker.BTCUSDT", "orderbook.1.BTCUSDT", Spot},
		{"depth.BTCUSDT", "orderbook.50.BTCUSDT", Spot},
		{"mergedDepth.BTCUSDT", "orderbook.50.BTCUSDT", Spot},
		{"diffDepth.BTCUSDT", "orderbook.50.BTCUSDT", Spot},
		{"realtimes.BTCUSDT", "tickers.BTCUSDT", Spot},
		{"kline.1m.BTCUSDT", "kline.1.BTCUSDT", Spot},
		{"kline.4h.BTCUSDT", "kline.240.BTCUSDT", Spot},
		{"kline_1d.BTCUSDT", "kline.D.BTCUSDT", Spot},
		// No retired name, or none with a successor.
		{"orderbook.50.BTCUSDT", "", ""},
		{"publicTrade.BTCUSDT", "", ""},
		{"kline.1.BTCUSDT", "", ""},
		{"order", "", ""},
		{"trade", "", ""},
		{"trade.", "", ""},
		{"trade.btcusd", "", ""},
		{"trade.FOO", "", ""},
		{"instrument_info.BTCUSD", "", ""},
		{"orderBook_200.fast.BTCUSD", "", ""},
		{"klineV2.7.BTCUSD", "", ""},
		{"kline_9m.BTCUSDT", "", ""},
		{"depth", "", ""},
		{"", "", ""},
	}
	for _, tt := range tests {
		topic, ch, ok := Translate(tt.old)
		if topic != tt.want || ch != tt.ch || ok != (tt.want != "") {
			t.Errorf("Translate(%q) = %q, %q, %v, want %q, %q", tt.old, topic, ch, ok, tt.want, tt.ch)
			continue
		}
		if !ok {
			continue
		}
		parsed, err := ParseTopic(topic)
		if err != nil {
			t.Errorf("Translate(%q) gives %q: %v", tt.old, topic, err)
		} else if err := parsed.CheckOn(ch); err != nil {
			t.Errorf("Translate(%q): %v", tt.old, err)
		}
	}
}

func TestOldIntervals(t *testing.T) {
	tests := map[string]string{
		"1m": "1", "3m": "3", "5m": "5", "15m": "15", "30m": "30", "60m": "60", "1h": "60", "2h": "120", "4h": "240",
		"6h": "360", "12h": "720", "1d": "D", "1D": "D", "1440": "D", "1w": "W", "1M": "M", "M": "M", "720": "720",
		"": "", "m": "", "2m": "", "1y": "", "H": "",
	}
	for in, want := range tests {
		if got := v5Interval(in); got != want {
			t.Errorf("v5Interval(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestCategoryOf(t *testing.T) {
	tests := []struct {
		symbol string
		want   Channel
	}{
		{"BTCUSD", Inverse},
		{"BTCUSDM21", Inverse},
		{"ETHUSDH26", Inverse},
		{"BTCUSD-26JUN26", Inverse},
		{"BTCUSDT", Linear},
		{"1000PEPEUSDT", Linear},
		{"BTCPERP", Linear},
		{"ETHUSDC", Linear},
		{"BTC-26JUN26", Linear},
		{"BTC-6JAN23", Linear},
		{"BTCUSDT-26JUN26", Linear},
		{"BTC-26JUN26-70000-C", Option},
		{"BTC-6JAN23-17500-P", Option},
		{"SOL-26JUN26-140-C-USDT", Option},
		{"XRP-26JUN26-2.5-P-USDT", Option},
		{"SOLUSDT_SOL/USDT", Spread},
		{"USD", ""},
		{"USDT", ""},
		{"BTC", ""},
		{"BTCUSDA21", ""},
		{"BTCUSDM2X", ""},
		{"BTC-26XXX26", ""},
		{"BTC-26ANF26", ""},
		{"BTC-26JUN26-70000", ""},
		{"btcusd", ""},
		{"", ""},
	}
	for _, tt := range tests {
		if got, ok := CategoryOf(tt.symbol); got != tt.want || ok != (tt.want != "") {
			t.Errorf("CategoryOf(%q) = %q, %v, want %q", tt.symbol, got, ok, tt.want)
		}
	}
}
