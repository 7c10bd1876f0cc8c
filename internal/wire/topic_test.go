package wire

import (
	"errors"
	"slices"
	"testing"
)

func TestParseTopic(t *testing.T) {
	tests := []struct {
		in   string
		want Topic
	}{
		{"orderbook.1.BTCUSDT", Topic{Kind: KindOrderBook, Depth: 1, Symbol: "BTCUSDT"}},
		{"orderbook.50.BTCUSD", Topic{Kind: KindOrderBook, Depth: 50, Symbol: "BTCUSD"}},
		{"orderbook.500.XRPUSDT", Topic{Kind: KindOrderBook, Depth: 500, Symbol: "XRPUSDT"}},
		{"orderbook.100.BTC-6JAN23-18000-C", Topic{Kind: KindOrderBook, Depth: 100, Symbol: "BTC-6JAN23-18000-C"}},
		{"orderbook.25.XRP-26JUN26-2.5-P", Topic{Kind: KindOrderBook, Depth: 25, Symbol: "XRP-26JUN26-2.5-P"}},
		{"orderbook.25.SOLUSDT_SOL/USDT", Topic{Kind: KindOrderBook, Depth: 25, Symbol: "SOLUSDT_SOL/USDT"}},
		{"orderbook.rpi.BTCUSDT", Topic{Kind: KindRPIOrderBook, Symbol: "BTCUSDT"}},
		{"orderbook.full.MNTUSDT", Topic{Kind: KindFullOrderBook, Symbol: "MNTUSDT"}},
		{"publicTrade.BTCUSDT", Topic{Kind: KindTrades, Symbol: "BTCUSDT"}},
		{"publicTrade.BTC", Topic{Kind: KindTrades, Symbol: "BTC"}},
		{"publicTrade.\u5e01\u5b89USDT", Topic{Kind: KindTrades, Symbol: "\u5e01\u5b89USDT"}},
		{"tickers.BTC-26DEC25", Topic{Kind: KindTickers, Symbol: "BTC-26DEC25"}},
		{"kline.5.BTCUSDT", Topic{Kind: KindKlines, Interval: "5", Symbol: "BTCUSDT"}},
		{"kline.M.BTCUSDT", Topic{Kind: KindKlines, Interval: "M", Symbol: "BTCUSDT"}},
		{"allLiquidation.ROSEUSDT", Topic{Kind: KindLiquidations, Symbol: "ROSEUSDT"}},
		{"insurance.inverse", Topic{Kind: KindInsurance, Symbol: "inverse"}},
		{"adlAlert.USDC", Topic{Kind: KindADLAlerts, Symbol: "USDC"}},
		{"priceLimit.BTCUSDT", Topic{Kind: KindPriceLimits, Symbol: "BTCUSDT"}},
		{"system.status", Topic{Kind: KindSystemStatus}},
		{"rfq.open.public.trades", Topic{Kind: KindRFQTrades}},
		{"earn.dualassets.offers", Topic{Kind: KindDualAssetOffers}},
		{"earn.smartleverage.offers", Topic{Kind: KindSmartLeverageOffers}},
		{"earn.doublewin.offers", Topic{Kind: KindDoubleWinOffers}},
		{"earn.discountbuy.offers", Topic{Kind: KindDiscountBuyOffers}},
		{"position", Topic{Kind: KindPosition}},
		{"position.option", Topic{Kind: KindPosition, Symbol: "option"}},
		{"execution", Topic{Kind: KindExecution}},
		{"execution.spot", Topic{Kind: KindExecution, Symbol: "spot"}},
		{"execution.fast", Topic{Kind: KindFastExecution}},
		{"execution.fast.linear", Topic{Kind: KindFastExecution, Symbol: "linear"}},
		{"order", Topic{Kind: KindOrder}},
		{"order.inverse", Topic{Kind: KindOrder, Symbol: "inverse"}},
		{"wallet", Topic{Kind: KindWallet}},
		{"greeks", Topic{Kind: KindGreeks}},
		{"dcp.future", Topic{Kind: KindDCP, Symbol: "future"}},
		{"strategy", Topic{Kind: KindStrategy}},
		{"spread.order", Topic{Kind: KindSpreadOrder}},
		{"spread.execution", Topic{Kind: KindSpreadExecution}},
		{"rfq.open.rfqs", Topic{Kind: KindRFQs}},
		{"rfq.open.quotes", Topic{Kind: KindRFQQuotes}},
		{"rfq.open.trades", Topic{Kind: KindRFQPrivateTrades}},
	}
	for _, tt := range tests {
		got, err := ParseTopic(tt.in)
		if err != nil || got != tt.want {
			t.Errorf("ParseTopic(%q) = %+v, %v, want %+v", tt.in, got, err, tt.want)
			continue
		}
		if s := got.String(); s != tt.in {
			t.Errorf("%q prints as %q", tt.in, s)
		}
		if s := string(got.AppendTo([]byte("> "))); s != "> "+tt.in {
			t.Errorf("%q appends as %q", tt.in, s)
		}
	}
}

// TestTopicErrors is about words: each one says what would be right.
func TestTopicErrors(t *testing.T) {
	tests := []struct {
		in, want, suggest string
	}{
		{"", "topic missing, like orderbook.50.BTCUSDT", ""},
		{"tickers", "tickers: symbol missing, like tickers.BTCUSDT", ""},
		{"tickers.", "tickers: symbol missing, like tickers.BTCUSDT", ""},
		{"orderbook", "orderbook: depth missing, like orderbook.50.BTCUSDT", ""},
		{"orderbook.", "orderbook: depth missing, like orderbook.50.BTCUSDT", ""},
		{"orderbook.50", "orderbook.50: symbol missing, like orderbook.50.BTCUSDT", ""},
		{"orderbook.50.", "orderbook.50: symbol missing, like orderbook.50.BTCUSDT", ""},
		{"orderbook.rpi", "orderbook.rpi: symbol missing, like orderbook.rpi.BTCUSDT", ""},
		{"orderbook.BTCUSDT", "orderbook.BTCUSDT: depth missing, like orderbook.50.BTCUSDT", "orderbook.50.BTCUSDT"},
		{"orderbook.0.BTCUSDT", "orderbook.0.BTCUSDT: depth 0 does not exist; linear has 1, 50, 200, 1000", ""},
		{"orderbook.050.BTCUSDT", "orderbook.050.BTCUSDT: depth 050 does not exist; linear has 1, 50, 200, 1000", ""},
		{"orderbook.123456.BTCUSDT", "orderbook.123456.BTCUSDT: depth 123456 does not exist; linear has 1, 50, 200, 1000", ""},
		{"orderbook.-1.BTCUSDT", "orderbook.-1.BTCUSDT: depth -1 is no number; write one like orderbook.50.BTCUSDT, or rpi or full", ""},
		{"orderbook.RPI.BTCUSDT", "orderbook.RPI.BTCUSDT: depth RPI is no number; meant orderbook.rpi.BTCUSDT?", "orderbook.rpi.BTCUSDT"},
		{"orderbook.50.btcusdt", "orderbook.50.btcusdt: symbols are upper case; meant orderbook.50.BTCUSDT?", "orderbook.50.BTCUSDT"},
		{"tickers.BTCusdt", "tickers.BTCusdt: symbols are upper case; meant tickers.BTCUSDT?", "tickers.BTCUSDT"},
		{"tickers.BTC USDT", "tickers.BTC USDT: no symbol, one looks like tickers.BTCUSDT", ""},
		{"tickers.BTCUSDT\"", "tickers.BTCUSDT\": no symbol, one looks like tickers.BTCUSDT", ""},
		{"tickers.BTCUSDT.", "tickers.BTCUSDT.: no symbol, one looks like tickers.BTCUSDT", ""},
		{"tickers.\xff", "tickers.\xff: no symbol, one looks like tickers.BTCUSDT", ""},
		{"kline", "kline: interval missing, like kline.5.BTCUSDT", ""},
		{"kline.BTCUSDT", "kline.BTCUSDT: interval missing, like kline.1.BTCUSDT", "kline.1.BTCUSDT"},
		{"kline.5", "kline.5: symbol missing, like kline.5.BTCUSDT", ""},
		{"kline.7.BTCUSDT", "kline.7.BTCUSDT: interval 7 does not exist; there are 1, 3, 5, 15, 30, 60, 120, 240, 360, 720, D, W, M", ""},
		{"kline.1h.BTCUSDT", "kline.1h.BTCUSDT: interval 1h does not exist; meant kline.60.BTCUSDT?", "kline.60.BTCUSDT"},
		{"insurance", "insurance: group missing, like insurance.USDT", ""},
		{"insurance.Inverse", "insurance.Inverse: group Inverse does not exist; there are USDT, USDC, inverse", "insurance.inverse"},
		{"adlAlert.BTC", "adlAlert.BTC: group BTC does not exist; there are USDT, USDC, inverse", ""},
		{"dcp", "dcp: product missing, like dcp.future", ""},
		{"dcp.linear", "dcp.linear: product linear does not exist; there are future, spot, option", ""},
		{"order.futures", "order.futures: category futures does not exist here; there are spot, linear, inverse, option, or order for all", "order"},
		{"position.spot", "position.spot: category spot does not exist here; there are linear, inverse, option, or position for all", "position"},
		{"execution.fast.spread", "execution.fast.spread: category spread does not exist here; there are spot, linear, inverse, option, or execution.fast for all", "execution.fast"},
		{"wallet.USDT", "wallet.USDT: nothing may follow wallet", "wallet"},
		{"system.status.x", "system.status.x: nothing may follow system.status", "system.status"},
		{"publictrade.BTCUSDT", "publictrade.BTCUSDT: no such topic; meant publicTrade.BTCUSDT?", "publicTrade.BTCUSDT"},
		{"PublicTrade.BTCUSDT", "PublicTrade.BTCUSDT: no such topic; meant publicTrade.BTCUSDT?", "publicTrade.BTCUSDT"},
		{"ticker.BTCUSDT", "ticker.BTCUSDT: no such topic; meant tickers.BTCUSDT?", "tickers.BTCUSDT"},
		{"tikcers.BTCUSDT", "tikcers.BTCUSDT: no such topic; meant tickers.BTCUSDT?", "tickers.BTCUSDT"},
		{"orderBook.50.BTCUSDT", "orderBook.50.BTCUSDT: no such topic; meant orderbook.50.BTCUSDT?", "orderbook.50.BTCUSDT"},
		{"books.50.BTCUSDT", "books.50.BTCUSDT: no such topic; meant orderbook.50.BTCUSDT?", "orderbook.50.BTCUSDT"},
		{"orderBook.BTCUSDT", "orderBook.BTCUSDT: no such topic; meant orderbook, like orderbook.50.BTCUSDT?", ""},
		{"klines.1.BTCUSDT", "klines.1.BTCUSDT: no such topic; meant kline.1.BTCUSDT?", "kline.1.BTCUSDT"},
		{"orders", "orders: no such topic; meant order?", "order"},
		{"systemstatus", "systemstatus: no such topic; meant system.status?", "system.status"},
		{"system", "system: no such topic; meant system.status?", "system.status"},
		{"rfq.open", "rfq.open: no such topic; there are rfq.open.public.trades, rfq.open.rfqs, rfq.open.quotes, rfq.open.trades", ""},
		{"order.", "order.: category missing; write order for all", "order"},
		{"orderbook.btcusdt", "orderbook.btcusdt: depth missing, like orderbook.50.BTCUSDT", "orderbook.50.BTCUSDT"},
		{"orderbook.50.BTC\u200bUSDT", "orderbook.50.BTC\u200bUSDT: no symbol, one looks like orderbook.50.BTCUSDT", ""},
		{"kline.btcusdt", "kline.btcusdt: interval missing, like kline.1.BTCUSDT", "kline.1.BTCUSDT"},
		{"kline.1h", "kline.1h: interval 1h does not exist; meant 60?", ""},
		{"kline.1m.btcusdt", "kline.1m.btcusdt: interval 1m does not exist; meant kline.1.BTCUSDT?", "kline.1.BTCUSDT"},
		{"candle.1m.btcusdt", "candle.1m.btcusdt: retired name; V5 calls it kline.1.BTCUSDT on linear", "kline.1.BTCUSDT"},
		{"candle.1M.btcusdt", "candle.1M.btcusdt: retired name; V5 calls it kline.M.BTCUSDT on linear", "kline.M.BTCUSDT"},
		{"orderBookL2_25.btcusd", "orderBookL2_25.btcusd: retired name; V5 calls it orderbook.50.BTCUSD on inverse", "orderbook.50.BTCUSD"},
		{"orderBookL2_25", "orderBookL2_25: retired name without a symbol; V5 has topics like orderbook.50.BTCUSDT", ""},
		{"orderBook_200.100ms.", "orderBook_200.100ms.: retired name without a symbol; V5 has topics like orderbook.200.BTCUSDT", ""},
		{"trade", "trade: no such topic; meant publicTrade, like publicTrade.BTCUSDT?", ""},
		{"trade.BTCUSD", "trade.BTCUSD: retired name; V5 calls it publicTrade.BTCUSD on inverse", "publicTrade.BTCUSD"},
		{"orderBookL2_25.BTCUSD", "orderBookL2_25.BTCUSD: retired name; V5 calls it orderbook.50.BTCUSD on inverse", "orderbook.50.BTCUSD"},
		{"liquidation.BTCUSDT", "liquidation.BTCUSDT: retired name; V5 calls it allLiquidation.BTCUSDT on linear", "allLiquidation.BTCUSDT"},
		{"weather.BTCUSDT", "weather.BTCUSDT: no such topic; topics look like orderbook.50.BTCUSDT or publicTrade.BTCUSDT", ""},
		{".BTCUSDT", ".BTCUSDT: no such topic; topics look like orderbook.50.BTCUSDT or publicTrade.BTCUSDT", ""},
	}
	for _, tt := range tests {
		got, err := ParseTopic(tt.in)
		if err == nil {
			t.Errorf("ParseTopic(%q) = %+v, want an error", tt.in, got)
			continue
		}
		if err.Error() != tt.want {
			t.Errorf("ParseTopic(%q):\n got %q\nwant %q", tt.in, err, tt.want)
		}
		te, ok := errors.AsType[*TopicError](err)
		if !ok || !errors.Is(err, ErrTopic) {
			t.Errorf("ParseTopic(%q): %T is no *TopicError", tt.in, err)
			continue
		}
		if te.Suggest != tt.suggest {
			t.Errorf("ParseTopic(%q) suggests %q, want %q", tt.in, te.Suggest, tt.suggest)
		}
		if te.Suggest != "" {
			if _, err := ParseTopic(te.Suggest); err != nil {
				t.Errorf("ParseTopic(%q) suggests what does not parse: %v", tt.in, err)
			}
		}
		if got != (Topic{}) {
			t.Errorf("ParseTopic(%q) gives %+v with its error", tt.in, got)
		}
	}
}

func TestCheckOn(t *testing.T) {
	tests := []struct {
		topic   string
		ch      Channel
		want    string // empty: the channel has it
		retired bool
	}{
		{"orderbook.50.BTCUSDT", Linear, "", false},
		{"orderbook.1000.BTCUSDT", Spot, "", false},
		{"orderbook.25.BTC-26JUN26-70000-C", Option, "", false},
		{"orderbook.25.SOLUSDT_SOL/USDT", Spread, "", false},
		{"orderbook.500.XRPUSDT", "/replay", "", false},
		{"orderbook.30.BTCUSDT", Linear, "orderbook.30.BTCUSDT: depth 30 does not exist; linear has 1, 50, 200, 1000", false},
		{"orderbook.50.BTC-26JUN26-70000-C", Option, "orderbook.50.BTC-26JUN26-70000-C: depth 50 does not exist; option has 25, 100", false},
		{"orderbook.30.BTCUSDT", "/replay", "orderbook.30.BTCUSDT: depth 30 does not exist; a book has 1, 25, 40, 50, 100, 200, 500, 1000", false},
		{"orderbook.500.XRPUSDT", Linear, "orderbook.500.XRPUSDT: depth 500 was retired in September 2025; use orderbook.1000.XRPUSDT or orderbook.200.XRPUSDT", true},
		{"orderbook.25.BTCUSD", Inverse, "orderbook.25.BTCUSD: depth 25 was retired with V2; use orderbook.50.BTCUSD", true},
		{"orderbook.40.BTCUSDT", Spot, "orderbook.40.BTCUSDT: depth 40 was retired with spot V3; use orderbook.50.BTCUSDT", true},
		{"orderbook.500.BTCUSDT", Spot, "orderbook.500.BTCUSDT: depth 500 does not exist; spot has 1, 50, 200, 1000", false},
		{"publicTrade.BTC", Option, "", false},
		{"publicTrade.BTC-26JUN26-70000-C", Option, "publicTrade.BTC-26JUN26-70000-C: option trades are subscribed by base coin, like publicTrade.BTC", false},
		{"kline.1.BTC-26JUN26-70000-C", Option, "kline.1.BTC-26JUN26-70000-C: option has no kline topics; they are on spot, linear, inverse", false},
		{"allLiquidation.BTCUSDT", Spot, "allLiquidation.BTCUSDT: spot has no allLiquidation topics; they are on linear, inverse", false},
		{"system.status", Linear, "system.status: linear has no system.status topics; they are on status", false},
		{"system.status", Status, "", false},
		{"order.linear", Private, "", false},
		{"order", Linear, "order: linear has no order topics; they are on private", false},
		{"order", "/replay", "order: /replay has no order topics; they are on private", false},
		{"orderbook.50.BTCUSDT", Trade, "orderbook.50.BTCUSDT: the trade channel takes orders and has no topics; orderbook is on spot, linear, inverse, option, spread", false},
		{"orderbook.50.BTCUSDT", "futures", "orderbook.50.BTCUSDT: there is no channel futures; orderbook is on spot, linear, inverse, option, spread", false},
	}
	for _, tt := range tests {
		topic, err := ParseTopic(tt.topic)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		err = topic.CheckOn(tt.ch)
		if err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s on %s:\n got %q\nwant %q", tt.topic, tt.ch, got, tt.want)
		}
		if errors.Is(err, ErrRetired) != tt.retired {
			t.Errorf("%s on %s: retired is %v", tt.topic, tt.ch, !tt.retired)
		}
	}
	if err := (Topic{}).CheckOn(Linear); err == nil || !errors.Is(err, ErrTopic) {
		t.Errorf("the zero topic: %v", err)
	}
}

// TestKinds holds every kind to what it says of itself.
func TestKinds(t *testing.T) {
	for _, k := range Kinds() {
		if k.String() == "unknown" || k.Example() == "" || len(k.Channels()) == 0 {
			t.Errorf("kind %d is not described: %q %q %v", k, k, k.Example(), k.Channels())
		}
		topic, err := ParseTopic(k.Example())
		if err != nil || topic.Kind != k {
			t.Errorf("the example of %s parses as %+v, %v", k, topic, err)
		}
		for _, ch := range Channels() {
			has := slices.Contains(k.Channels(), ch)
			if has && ch.IsPublic() != k.IsPublic() {
				t.Errorf("%s on %s: public is %v and %v", k, ch, k.IsPublic(), ch.IsPublic())
			}
			err := topic.CheckOn(ch)
			wrongDepth := k == KindOrderBook && (ch == Option || ch == Spread)
			if (err == nil) != (has && !wrongDepth) {
				t.Errorf("%s on %s: %v", topic, ch, err)
			}
		}
	}
	if KindUnknown.String() != "unknown" || kindEnd.String() != "unknown" || (Topic{}).String() != "" {
		t.Error("names of what is no kind")
	}
}

func TestCheckTogether(t *testing.T) {
	tests := []struct {
		topics []string
		want   string
	}{
		{[]string{"order", "execution", "wallet"}, ""},
		{[]string{"order.linear", "order.spot", "execution"}, ""},
		{[]string{"execution", "execution.fast.linear"}, ""},
		{[]string{"order", "wallet", "order.linear"}, "order.linear: order and order.linear cannot share one subscribe request; send two"},
		{[]string{"execution.spot", "execution"}, "execution: execution.spot and execution cannot share one subscribe request; send two"},
	}
	for _, tt := range tests {
		topics := make([]Topic, len(tt.topics))
		for i, s := range tt.topics {
			var err error
			if topics[i], err = ParseTopic(s); err != nil {
				t.Fatal(err)
			}
		}
		got := ""
		if err := CheckTogether(topics...); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%v: %q, want %q", tt.topics, got, tt.want)
		}
	}
}
