package bybit_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/internal/wire"
)

// topicRow is what the documentation says of one topic on the channels where its
// messages look alike.
type topicRow struct {
	pattern string // as the documentation writes the topic
	on      []bybit.Channel
	topics  []bybit.Topic // every form of it; the frames are of the first
	event   bybit.Event   // of its type are the stream's events
	fields  string        // keys of the frame at any depth
	frames  []string      // in the venue's order of keys; together they have every field
}

var (
	futures       = []bybit.Channel{bybit.Linear, bybit.Inverse}
	spot          = []bybit.Channel{bybit.Spot}
	option        = []bybit.Channel{bybit.Option}
	spread        = []bybit.Channel{bybit.Spread}
	finance       = []bybit.Channel{bybit.Finance}
	groupsOfPools = []string{"USDT", "USDC", "inverse"}
)

// topicRows is every public topic of every public path, with numbers of our own. V5
// pages: websocket/public/*, spread/websocket/public/*, rfq/websocket/public/*,
// websocket/system/system-status, finance/advanced-earn/websocket/*.
var topicRows = []topicRow{
	{
		"orderbook.{depth}.{symbol}", futures, books("AAAUSDT", 50, 1, 200, 1000), &bybit.BookEvent{},
		"topic type ts data s b a u seq cts",
		[]string{
			`{"topic":"orderbook.50.AAAUSDT","type":"snapshot","ts":1700000000978,"data":{"s":"AAAUSDT","b":[["93.50","0.006"],["93.00","0.100"]],"a":[["94.00","0.029"]],"u":512,"seq":7961},"cts":1700000000976}`,
			`{"topic":"orderbook.50.AAAUSDT","type":"delta","ts":1700000001466,"data":{"s":"AAAUSDT","b":[["93.50","0"]],"a":[["94.50","2.5"]],"u":513,"seq":7964},"cts":1700000001464}`,
		},
	},
	{
		"orderbook.{depth}.{symbol}", spot, books("AAAUSDT", 50, 1, 200, 1000), &bybit.BookEvent{},
		"topic type ts data s b a u seq cts",
		[]string{`{"topic":"orderbook.50.AAAUSDT","ts":1700000000978,"type":"snapshot","data":{"s":"AAAUSDT","b":[["93.5","0.006"]],"a":[["94","0.029"]],"u":512,"seq":7961},"cts":1700000000976}`},
	},
	{
		"orderbook.{depth}.{symbol}", option, books("BTC-29MAY26-90000-C-USDT", 25, 100), &bybit.BookEvent{},
		"topic type ts data s b a u seq cts id",
		[]string{`{"topic":"orderbook.25.BTC-29MAY26-90000-C-USDT","ts":1700000000615,"type":"snapshot","id":"orderbook.25.BTC-29MAY26-90000-C-USDT-7-1","data":{"s":"BTC-29MAY26-90000-C-USDT","b":[["210","18.5"]],"a":[["260","1.25"]],"u":4846,"seq":765},"cts":1700000000414}`},
	},
	{
		"orderbook.{depth}.{symbol}", spread, books("AAAUSDT_AAA/USDT", 25), &bybit.BookEvent{},
		"topic type ts data s b a u seq cts",
		[]string{
			`{"topic":"orderbook.25.AAAUSDT_AAA/USDT","ts":1700000000157,"type":"snapshot","data":{"s":"AAAUSDT_AAA/USDT","b":[["-3.5","1.5"]],"a":[["2.25","4.7"]],"u":64,"seq":299},"cts":1700000000134}`,
			`{"topic":"orderbook.25.AAAUSDT_AAA/USDT","ts":1700000000257,"type":"delta","data":{"s":"AAAUSDT_AAA/USDT","b":[],"a":[["2.3755","4.7"]],"u":65,"seq":300},"cts":1700000000234}`,
		},
	},
	{
		"orderbook.rpi.{symbol}", spot, []bybit.Topic{bybit.RPIOrderBook("AAAUSDT")}, &bybit.BookEvent{},
		"topic type ts data s b a u seq cts",
		[]string{
			`{"topic":"orderbook.rpi.AAAUSDT","ts":1700000000075,"type":"snapshot","data":{"s":"AAAUSDT","b":[["75.1","0.114","0"],["60.5","0","0.163"]],"a":[["90.8","0.441","0.788"]],"u":225,"seq":796},"cts":1700000000067}`,
			`{"topic":"orderbook.rpi.AAAUSDT","ts":1700000000175,"type":"delta","data":{"s":"AAAUSDT","b":[["75.1","0","0"]],"a":[],"u":226,"seq":797},"cts":1700000000167}`,
		},
	},
	{
		"orderbook.rpi.{symbol}", futures, []bybit.Topic{bybit.RPIOrderBook("AAAUSDT")}, &bybit.BookEvent{},
		"topic type ts data s b a u seq cts",
		[]string{`{"topic":"orderbook.rpi.AAAUSDT","type":"snapshot","ts":1700000000075,"data":{"s":"AAAUSDT","b":[["75.1","0.114","0"]],"a":[["90.8","0.441","0.788"]],"u":225,"seq":796},"cts":1700000000067}`},
	},
	{
		"orderbook.full.{symbol}", spot, []bybit.Topic{bybit.FullOrderBook("AAAUSDT")}, &bybit.BookEvent{},
		"topic type ts data s b a u seq cts",
		[]string{`{"topic":"orderbook.full.AAAUSDT","ts":1700000000732,"type":"delta","data":{"s":"AAAUSDT","b":[["0.4758","2342.47"],["0.4757","0"]],"a":[["0.4760","1"]],"u":278,"seq":1501},"cts":1700000000730}`},
	},
	{
		"orderbook.full.{symbol}", futures, []bybit.Topic{bybit.FullOrderBook("AAAUSDT")}, &bybit.BookEvent{},
		"topic type ts data s b a u seq cts",
		[]string{`{"topic":"orderbook.full.AAAUSDT","type":"delta","ts":1700000000732,"data":{"s":"AAAUSDT","b":[["0.4758","2342.47"]],"a":[["0.4760","1"]],"u":278,"seq":1501},"cts":1700000000730}`},
	},

	{
		"publicTrade.{symbol}", futures, []bybit.Topic{bybit.Trades("AAAUSDT")}, &bybit.TradesEvent{},
		"topic type ts data T s S v p L i BT RPI seq",
		[]string{`{"topic":"publicTrade.AAAUSDT","type":"snapshot","ts":1700000000868,"data":[{"T":1700000000865,"s":"AAAUSDT","S":"Buy","v":"0.001","p":"78.50","L":"PlusTick","i":"20f43950-d8dd-5b31-9112-000000000001","BT":false,"RPI":false,"seq":178},{"T":1700000000866,"s":"AAAUSDT","S":"Sell","v":"2","p":"78.40","L":"ZeroMinusTick","i":"20f43950-d8dd-5b31-9112-000000000002","BT":true,"RPI":true,"seq":179}]}`},
	},
	{
		"publicTrade.{symbol}", spot, []bybit.Topic{bybit.Trades("AAAUSDT")}, &bybit.TradesEvent{},
		"topic type ts data T s S v p i BT RPI seq",
		[]string{`{"topic":"publicTrade.AAAUSDT","ts":1700000000483,"type":"snapshot","data":[{"i":"2290000001202469000","T":1700000000482,"p":"76.8","v":"0.000712","S":"Buy","seq":113508,"s":"AAAUSDT","BT":false,"RPI":false}]}`},
	},
	{
		"publicTrade.{symbol}", option, []bybit.Topic{bybit.Trades("BTC")}, &bybit.TradesEvent{},
		"id topic type ts data T s S v p i BT seq mP iP mIv iv",
		[]string{`{"topic":"publicTrade.BTC","ts":1700000000392,"type":"snapshot","id":"publicTrade.BTC-7-1","data":[{"i":"44f06f5c-3628-5a2d-9a1c-000000000001","T":1700000000369,"p":"240","v":"0.1","S":"Buy","seq":765,"s":"BTC-29MAY26-90000-C-USDT","BT":false,"mP":"238.7","iP":"83.1","mIv":"0.1389","iv":"0.14"}]}`},
	},
	{
		"publicTrade.{symbol}", spread, []bybit.Topic{bybit.Trades("AAAUSDT_AAA/USDT")}, &bybit.TradesEvent{},
		"topic type ts data T s S v p L i seq",
		[]string{`{"topic":"publicTrade.AAAUSDT_AAA/USDT","ts":1700000000723,"type":"snapshot","data":[{"T":1700000000720,"s":"AAAUSDT_AAA/USDT","S":"Sell","v":"2.5","p":"19.3928","L":"MinusTick","i":"31d0fc58-933b-57b3-8378-000000000001","seq":178}]}`},
	},

	{
		"tickers.{symbol}", futures, []bybit.Topic{bybit.Tickers("AAAUSDT")}, &bybit.TickerEvent{},
		"topic type cs ts data symbol tickDirection price24hPcnt lastPrice prevPrice24h highPrice24h lowPrice24h prevPrice1h markPrice indexPrice" +
			" openInterest openInterestValue singleOpenInterest singleOpenInterestValue turnover24h volume24h nextFundingTime fundingRate bid1Price" +
			" bid1Size ask1Price ask1Size deliveryTime basis basisRate deliveryFeeRate predictedDeliveryPrice preOpenPrice preQty curPreListingPhase" +
			" fundingIntervalHour fundingCap basisRateYear",
		[]string{
			`{"topic":"tickers.AAAUSDT","type":"snapshot","data":{"symbol":"AAAUSDT","tickDirection":"MinusTick","price24hPcnt":"-0.1583","lastPrice":"66.60","prevPrice24h":"79.20","highPrice24h":"79.30","lowPrice24h":"65.90","prevPrice1h":"66.70","markPrice":"66.61","indexPrice":"66.19","openInterest":"492.72","openInterestValue":"32824.75","singleOpenInterest":"246.36","singleOpenInterestValue":"16412.375","turnover24h":"49367.6521","volume24h":"731.3870","fundingIntervalHour":"8","fundingCap":"0.005","nextFundingTime":"1700006400000","fundingRate":"-0.005","bid1Price":"66.60","bid1Size":"237.165","ask1Price":"66.70","ask1Size":"236.469","preOpenPrice":"66","preQty":"3","curPreListingPhase":"ContinuousTrading"},"cs":9532,"ts":1700000000630}`,
			`{"topic":"tickers.AAAUSDT","type":"snapshot","data":{"symbol":"AAAUSDT","lastPrice":"109.50","deliveryTime":"2026-12-25T08:00:00Z","basisRate":"0.0612","deliveryFeeRate":"0.0002","predictedDeliveryPrice":"110.25","basis":"-4.84","basisRateYear":"0.3065"},"cs":9533,"ts":1700000000730}`,
			`{"topic":"tickers.AAAUSDT","type":"delta","data":{"symbol":"AAAUSDT","lastPrice":"109.60"},"cs":9534,"ts":1700000000830}`,
		},
	},
	{
		"tickers.{symbol}", spot, []bybit.Topic{bybit.Tickers("AAAUSDT")}, &bybit.TickerEvent{},
		"topic ts type cs data symbol lastPrice highPrice24h lowPrice24h prevPrice24h volume24h turnover24h price24hPcnt usdIndexPrice",
		[]string{`{"topic":"tickers.AAAUSDT","ts":1700000000003,"type":"snapshot","cs":2588,"data":{"symbol":"AAAUSDT","lastPrice":"21.77","highPrice24h":"21.99","lowPrice24h":"20.5","prevPrice24h":"20.93","volume24h":"6780.866","turnover24h":"141946.229","price24hPcnt":"0.0196","usdIndexPrice":"21.7513"}}`},
	},
	{
		"tickers.{symbol}", option, []bybit.Topic{bybit.Tickers("BTC-29MAY26-90000-C-USDT")}, &bybit.TickerEvent{},
		"topic type id ts data symbol bidPrice bidSize bidIv askPrice askSize askIv lastPrice highPrice24h lowPrice24h markPrice indexPrice markPriceIv" +
			" underlyingPrice openInterest turnover24h volume24h totalVolume totalTurnover delta gamma vega theta predictedDeliveryPrice change24h",
		[]string{`{"id":"tickers.BTC-29MAY26-90000-C-USDT-7-1","topic":"tickers.BTC-29MAY26-90000-C-USDT","ts":1700000000074,"data":{"symbol":"BTC-29MAY26-90000-C-USDT","bidPrice":"9","bidSize":"2","bidIv":"0.49","askPrice":"10","askSize":"5.1","askIv":"0.514","lastPrice":"9.5","highPrice24h":"25","lowPrice24h":"5","markPrice":"9.6974","indexPrice":"90.73","markPriceIv":"0.4896","underlyingPrice":"90.1","openInterest":"49.85","turnover24h":"446.8473","volume24h":"26.55","totalVolume":"86","totalTurnover":"1437","delta":"0.047831","gamma":"0.00021453","vega":"0.8135","theta":"-19.9115","predictedDeliveryPrice":"90.5","change24h":"-0.3333"},"type":"snapshot"}`},
	},
	{
		"tickers.{symbol}", spread, []bybit.Topic{bybit.Tickers("AAAUSDT_AAA/USDT")}, &bybit.TickerEvent{},
		"topic type ts data symbol bidPrice bidSize askPrice askSize lastPrice highPrice24h lowPrice24h prevPrice24h volume24h",
		[]string{`{"topic":"tickers.AAAUSDT_AAA/USDT","ts":1700000000009,"type":"snapshot","data":{"symbol":"AAAUSDT_AAA/USDT","bidPrice":"20.3359","bidSize":"1.7","askPrice":"21.5","askSize":"0.2","lastPrice":"21.8182","highPrice24h":"24.2356","lowPrice24h":"-3","prevPrice24h":"22.1468","volume24h":"23309.9"}}`},
	},

	{
		"kline.{interval}.{symbol}", slices.Concat(futures, spot), candles("AAAUSDT"), &bybit.KlineEvent{},
		"topic type ts data start end interval open close high low volume turnover confirm timestamp",
		[]string{`{"topic":"kline.1.AAAUSDT","data":[{"start":1700000040000,"end":1700000099999,"interval":"1","open":"49.5","close":"77","high":"78","low":"8","volume":"2.081","turnover":"346.4005","confirm":true,"timestamp":1700000099882}],"ts":1700000099882,"type":"snapshot"}`},
	},
	{
		"allLiquidation.{symbol}", futures, []bybit.Topic{bybit.Liquidations("AAAUSDT")}, &bybit.LiquidationsEvent{},
		"topic type ts data T s S v p",
		[]string{`{"topic":"allLiquidation.AAAUSDT","type":"snapshot","ts":1700000003204,"data":[{"T":1700000002929,"s":"AAAUSDT","S":"Sell","v":"20000","p":"0.04499"}]}`},
	},
	{
		"insurance.{group}", futures, each(bybit.Insurance, groupsOfPools), &bybit.InsuranceEvent{},
		"topic type ts data coin symbols balance updateTime",
		[]string{`{"topic":"insurance.USDT","type":"delta","ts":1700000000000,"data":[{"coin":"USDT","symbols":"AAAUSDT,BBBUSDT","balance":"25614.92972633","updateTime":"1700000000000"}]}`},
	},
	{
		"adlAlert.{group}", futures, each(bybit.ADLAlerts, groupsOfPools), &bybit.ADLEvent{},
		"topic type ts data c s b mb i_pr pr adl_tt adl_sr",
		[]string{`{"topic":"adlAlert.USDT","type":"snapshot","ts":1700000004000,"data":[{"c":"USDT","s":"AAAUSDT","b":-5421.29889888,"mb":453.36,"i_pr":-0.3,"pr":0.000174,"adl_tt":10000,"adl_sr":-0.25}]}`},
	},
	{
		"priceLimit.{symbol}", slices.Concat(futures, spot), []bybit.Topic{bybit.PriceLimits("AAAUSDT")}, &bybit.PriceLimitEvent{},
		"topic ts data symbol buyLmt sellLmt",
		[]string{`{"topic":"priceLimit.AAAUSDT","data":{"symbol":"AAAUSDT","buyLmt":"114.00","sellLmt":"103.00"},"ts":1700000003782}`},
	},
	{
		"system.status", []bybit.Channel{bybit.Status}, []bybit.Topic{bybit.SystemStatus()}, &bybit.SystemStatusEvent{},
		"topic ts data id title state begin end href serviceTypes product uidSuffix maintainType env",
		[]string{`{"topic":"system.status","ts":1700000009649,"data":[{"id":"4d95b2a0-587f-11f0-bcc9-000000000001","title":"upgrade","state":"completed","begin":"1700000002000","end":"1700000007000","href":"https://example.com/a","serviceTypes":[2,3],"product":[1,2],"uidSuffix":[0,7],"maintainType":1,"env":1}]}`},
	},
	{
		"rfq.open.public.trades", []bybit.Channel{bybit.RFQ}, []bybit.Topic{bybit.RFQTrades()}, &bybit.RFQTradesEvent{},
		"id topic creationTime data rfqId strategyType createdAt updatedAt legs category symbol side price qty markPrice",
		[]string{`{"id":"m-1","topic":"rfq.open.public.trades","creationTime":1700000004358,"data":[{"rfqId":"17","strategyType":"custom","legs":[{"category":"linear","symbol":"AAAUSDT","side":"Sell","price":"916","qty":"1","markPrice":"902.29"}],"createdAt":"1700000004213","updatedAt":"1700000004347"}]}`},
	},
	{
		"earn.dualassets.offers", finance, []bybit.Topic{bybit.DualAssetOffers()}, &bybit.DualAssetEvent{},
		"topic data p c b s a m x",
		[]string{`{"topic":"earn.dualassets.offers","data":[{"p":"36352","c":"741.46","b":[{"s":"742","a":"979209000","m":"2000","x":"1700000007781"}],"s":[{"s":"740","a":"89019","m":"0.02697492","x":"1700000007782"}]}]}`},
	},
	{
		"earn.smartleverage.offers", finance, []bybit.Topic{bybit.SmartLeverageOffers()}, &bybit.SmartLeverageEvent{},
		"topic data p b e m c",
		[]string{`{"topic":"earn.smartleverage.offers","data":[{"p":"13010","b":"553.849143","e":"1700000011994","m":"784","c":"615.1"}]}`},
	},
	{
		"earn.doublewin.offers", finance, []bybit.Topic{bybit.DoubleWinOffers()}, &bybit.DoubleWinEvent{},
		"topic data p c l m e",
		[]string{`{"topic":"earn.doublewin.offers","data":[{"p":"14082","c":"2050.99","l":"37.78","m":"1000","e":"1700000001407"}]}`},
	},
	{
		"earn.discountbuy.offers", finance, []bybit.Topic{bybit.DiscountBuyOffers()}, &bybit.DiscountBuyEvent{},
		"topic data p c b k e m i x",
		[]string{`{"topic":"earn.discountbuy.offers","data":[{"p":"12723","c":"745.1","b":"738","k":"753","e":"10000000","m":"950000","i":"103489231","x":"1700000000336"}]}`},
	},
}

func books(symbol string, depths ...int) []bybit.Topic {
	return each(func(depth int) bybit.Topic { return bybit.OrderBook(depth, symbol) }, depths)
}

func candles(symbol string) []bybit.Topic {
	return each(func(interval bybit.Interval) bybit.Topic { return bybit.Klines(interval, symbol) }, []bybit.Interval{
		bybit.Interval1m, bybit.Interval3m, bybit.Interval5m, bybit.Interval15m, bybit.Interval30m, bybit.Interval1h, bybit.Interval2h,
		bybit.Interval4h, bybit.Interval6h, bybit.Interval12h, bybit.Interval1d, bybit.Interval1w, bybit.Interval1M,
	})
}

func each[T any](topic func(T) bybit.Topic, of []T) []bybit.Topic {
	var topics []bybit.Topic
	for _, v := range of {
		topics = append(topics, topic(v))
	}
	return topics
}

// perRow runs a test for each row on each of its channels.
func perRow(t *testing.T, test func(t *testing.T, row *topicRow, ch bybit.Channel)) {
	t.Helper()
	for i := range topicRows {
		for _, ch := range topicRows[i].on {
			t.Run(string(ch)+" "+topicRows[i].pattern, func(t *testing.T) { test(t, &topicRows[i], ch) })
		}
	}
}

// Every public kind of topic stands in the table for each channel that has it, and
// for no other, with all its depths.
func TestTopicTableIsComplete(t *testing.T) {
	type place struct {
		kind  wire.Kind
		ch    wire.Channel
		depth int
	}
	listed := map[place]bool{}
	for i := range topicRows {
		row := &topicRows[i]
		for _, topic := range row.topics {
			parsed, err := wire.ParseTopic(topic.String())
			if err != nil {
				t.Errorf("%s: %v", topic, err)
			}
			for _, ch := range row.on {
				listed[place{parsed.Kind, wire.Channel(ch), parsed.Depth}] = true
			}
		}
	}
	for _, kind := range wire.Kinds() {
		if !kind.IsPublic() {
			continue
		}
		for _, ch := range kind.Channels() {
			depths := []int{0}
			if kind == wire.KindOrderBook {
				depths = nil
				for _, d := range wire.Depths(ch) {
					if d.State == wire.DepthCurrent {
						depths = append(depths, d.Levels)
					}
				}
			}
			for _, depth := range depths {
				at := place{kind, ch, depth}
				if !listed[at] {
					t.Errorf("%v of depth %d on %s is not in the table", kind, depth, ch)
				}
				delete(listed, at)
			}
		}
	}
	for at := range listed {
		t.Errorf("the table has %v of depth %d on %s, where it does not exist", at.kind, at.depth, at.ch)
	}
}

// A topic is one that its constructor and ParseTopic agree about, that its channels
// take and others refuse, and that has a type.
func TestEveryTopicIsTyped(t *testing.T) {
	perRow(t, func(t *testing.T, row *topicRow, ch bybit.Channel) {
		for _, topic := range row.topics {
			if parsed, err := bybit.ParseTopic(topic.String()); err != nil || parsed != topic {
				t.Errorf("ParseTopic(%s) = %v, %v", topic, parsed, err)
			}
			if _, ok := bybit.NewMessage(topic); !ok {
				t.Errorf("%s has no message type", topic)
			}
			parsed, _ := wire.ParseTopic(topic.String())
			if err := parsed.CheckOn(wire.Channel(ch)); err != nil {
				t.Errorf("%s on %s: %v", topic, ch, err)
			}
			for _, other := range wire.Channels() {
				if err := parsed.CheckOn(other); err == nil && !slices.Contains(parsed.Kind.Channels(), other) {
					t.Errorf("%s is taken on %s, which does not have it", topic, other)
				}
			}
		}
	})
}

// The examples have every documented field, with a value, and nothing of them is lost
// on the way through the type.
func TestEveryDocumentedFieldIsDecoded(t *testing.T) {
	perRow(t, func(t *testing.T, row *topicRow, ch bybit.Channel) {
		have := map[string]bool{}
		for _, frame := range row.frames {
			m, ok := bybit.NewMessage(row.topics[0])
			if !ok {
				t.Fatalf("%s has no message type", row.topics[0])
			}
			if err := m.Decode([]byte(frame)); err != nil {
				t.Fatal(err)
			}
			if got := string(m.AppendJSON(nil, ch)); got != frame {
				t.Errorf("encodes to\n%s\nwant\n%s", got, frame)
			}
			var tree any
			if err := json.Unmarshal([]byte(frame), &tree); err != nil {
				t.Fatal(err)
			}
			collectKeys(tree, have)
		}
		for _, field := range strings.Fields(row.fields) {
			if !have[field] {
				t.Errorf("no example has the field %s", field)
			}
			delete(have, field)
		}
		for field := range have {
			t.Errorf("the examples have a field %s that is not listed", field)
		}
	})
}

// collectKeys notes the keys of objects at any depth that have a value.
func collectKeys(tree any, keys map[string]bool) {
	switch tree := tree.(type) {
	case map[string]any:
		for key, value := range tree {
			if value != "" && value != nil {
				keys[key] = true
			}
			collectKeys(value, keys)
		}
	case []any:
		for _, value := range tree {
			collectKeys(value, keys)
		}
	}
}

// A stream yields each topic as its type, with what the frame said.
func TestEveryTopicStreams(t *testing.T) {
	perRow(t, func(t *testing.T, row *topicRow, ch bybit.Channel) {
		inBubble(t, func(t *testing.T, v *venue) {
			v.family = wire.Channel(ch).Family()
			opts := &bybit.StreamOptions{Books: bybit.BooksNone}
			s, err := v.client().Public(t.Context(), ch, opts, row.topics...)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if got, want := v.last().path, ch.Path(); got != want {
				t.Errorf("the client asked for %s, want %s", got, want)
			}
			v.last().send(row.frames[0])
			ev, err := s.Recv(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if got, want := reflect.TypeOf(ev), reflect.TypeOf(row.event); got != want {
				t.Fatalf("the event is a %v, want a %v", got, want)
			}
			if got := string(ev.(bybit.Message).AppendJSON(nil, ch)); got != row.frames[0] {
				t.Errorf("the event says\n%s\nwant\n%s", got, row.frames[0])
			}
		})
	})
}

// A topic without a type needs RawTopic, and arrives as it came.
func TestUnknownTopicsArriveRaw(t *testing.T) {
	const name, frame = "novel.7.AAAUSDT", `{"topic":"novel.7.AAAUSDT","what":[1,2],"data":{"x":"y"}}`
	if topic, err := bybit.ParseTopic(name); err == nil {
		t.Errorf("ParseTopic(%s) = %v, want an error", name, topic)
	}
	if m, ok := bybit.NewMessage(bybit.RawTopic(name)); ok {
		t.Errorf("%s has the type %T, want none", name, m)
	}
	for _, ch := range []bybit.Channel{bybit.Spot, bybit.Linear, bybit.Option, bybit.Finance, bybit.Custom("/v5/public/novel")} {
		t.Run(string(ch), func(t *testing.T) {
			inBubble(t, func(t *testing.T, v *venue) {
				v.family = wire.Channel(ch).Family()
				s, err := v.client().Public(t.Context(), ch, nil, bybit.RawTopic(name))
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				v.wantRequests("subscribe " + name)
				v.last().send(frame)
				wantEvents(t, s, fmt.Sprintf("raw %s %s", name, frame))
			})
		})
	}
	inBubble(t, func(t *testing.T, v *venue) {
		v.reject(name, "error:handler not found,topic:"+name)
		_, err := v.client().Public(t.Context(), bybit.Linear, nil, bybit.RawTopic(name))
		if refused, ok := errors.AsType[*bybit.RejectedError](err); !ok || refused.Topic != bybit.RawTopic(name) {
			t.Errorf("a topic that the exchange refuses gives %v, want a *RejectedError of it", err)
		}
	})
}
