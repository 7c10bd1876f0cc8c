package bybit

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bywire/bywire/decimal"
)

// venueFrames holds a frame of each shape that the documentation and the
// recordings show, in the venue's key order, with numbers of our own.
var venueFrames = []struct {
	name  string
	ch    Channel
	frame string
}{
	{"linear book", Linear, `{"topic":"orderbook.50.BTCUSDT","type":"snapshot","ts":1700000000101,"data":{"s":"BTCUSDT","b":[["40000.50","0.006"],["40000.00","0.100"]],"a":[["40000.60","0.029"]],"u":18521,"seq":79616},"cts":1700000000099}`},
	{"linear book delta", Linear, `{"topic":"orderbook.200.BTCUSDT","type":"delta","ts":1700000000201,"data":{"s":"BTCUSDT","b":[["40000.00","0"]],"a":[],"u":18522,"seq":79617},"cts":1700000000200}`},
	{"inverse book of 2023", Inverse, `{"topic":"orderbook.50.BTCUSD","type":"delta","ts":1680000000201,"data":{"s":"BTCUSD","b":[["28000.00","12"]],"a":[],"u":5,"seq":7}}`},
	{"linear book of depth 1", Linear, `{"topic":"orderbook.1.BTCUSDT","ts":1780000000201,"type":"snapshot","data":{"s":"BTCUSDT","b":[["40000.00","1"]],"a":[["40000.10","2.5"]],"u":18522,"seq":79617},"cts":1780000000200}`},
	{"linear delta of depth 1 of 2023", Linear, `{"topic":"orderbook.1.BTCUSDT","type":"delta","ts":1680000000201,"data":{"s":"BTCUSDT","b":[],"a":[["28000.10","2.5"]],"u":18522,"seq":79617}}`},
	{"spot book", Spot, `{"topic":"orderbook.50.BTCUSDT","ts":1700000000101,"type":"delta","data":{"s":"BTCUSDT","b":[["40000.5","0.000061"]],"a":[],"u":1,"seq":79616},"cts":1700000000099}`},
	{"rpi book", Spot, `{"topic":"orderbook.rpi.BTCUSDT","ts":1752000000075,"type":"delta","data":{"s":"BTCUSDT","b":[["121000.1","0.25","0"],["121000","0","0.5"]],"a":[["121001","0","0"]],"u":22589,"seq":796832},"cts":1752000000067}`},
	{"full book", Spot, `{"topic":"orderbook.full.MNTUSDT","ts":1784000000732,"type":"delta","data":{"s":"MNTUSDT","b":[["0.4750","2342.47"]],"a":[],"u":278500,"seq":150110},"cts":1784000000730}`},
	{"spread book", Spread, `{"topic":"orderbook.25.SOLUSDT_SOL/USDT","ts":1744000000257,"type":"delta","data":{"s":"SOLUSDT_SOL/USDT","b":[["-0.5","1.5"]],"a":[["22.3","4.7"]],"u":64892,"seq":299084},"cts":1744000000234}`},
	{"option book of 2023", Option, `{"id":"orderbook.25.BTC-30JUN23-45000-P-30-1680","topic":"orderbook.25.BTC-30JUN23-45000-P","ts":1680000000918,"data":{"s":"BTC-30JUN23-45000-P","b":[],"a":[],"u":0},"type":"snapshot"}`},
	{"option book", Option, `{"topic":"orderbook.25.BTC-25JUN27-90000-P-USDT","ts":1790000000615,"type":"snapshot","id":"orderbook.25.BTC-25JUN27-90000-P-USDT-76-1790","data":{"s":"BTC-25JUN27-90000-P-USDT","b":[["21000","18.5"],["5","0.9"]],"a":[["26000","1.25"]],"u":4846,"seq":765717},"cts":1790000000414}`},

	{"linear trades", Linear, `{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1758000000824,"data":[{"T":1758000000823,"s":"BTCUSDT","S":"Buy","v":"0.020","p":"109000.90","L":"ZeroPlusTick","i":"1a74ac78-691c-5b54-9dbe-5aafe8364627","BT":false,"RPI":false,"seq":457514},{"T":1758000000823,"s":"BTCUSDT","S":"Sell","v":"1","p":"109000.80","L":"MinusTick","i":"2a74ac78-691c-5b54-9dbe-5aafe8364627","BT":true,"RPI":true,"seq":457515}]}`},
	{"inverse trades of 2023", Inverse, `{"topic":"publicTrade.BTCUSD","type":"snapshot","ts":1680000000566,"data":[{"T":1680000000564,"s":"BTCUSD","S":"Buy","v":"5823","p":"28560.50","L":"PlusTick","i":"9cbf2330-952d-5d03-a462-4bf826c867af","BT":false}]}`},
	{"spot trades of 2023", Spot, `{"topic":"publicTrade.BTCUSDT","ts":1682000000523,"type":"snapshot","data":[{"i":"2100000000019296000","T":1682000000521,"p":"27200","v":"0.000221","S":"Buy","s":"BTCUSDT","BT":false}]}`},
	{"spot trades", Spot, `{"topic":"publicTrade.BTCUSDT","ts":1788000000483,"type":"snapshot","data":[{"i":"2290000001202469000","T":1788000000482,"p":"77606.8","v":"0.000712","S":"Buy","seq":113508,"s":"BTCUSDT","BT":false,"RPI":false}]}`},
	{"spread trades", Spread, `{"topic":"publicTrade.SOLUSDT_SOL/USDT","ts":1744000000723,"type":"snapshot","data":[{"T":1744000000720,"s":"SOLUSDT_SOL/USDT","S":"Sell","v":"2.5","p":"19.3","L":"MinusTick","i":"31d0fc58-933b-57b3-8378-f73da06da843","seq":178328}]}`},
	{"option trades of 2023", Option, `{"id":"publicTrade.BTC-34-1680","topic":"publicTrade.BTC","ts":1680000000102,"data":[{"p":"985","v":"0.01","i":"0404c393-8419-5bac-95c3-5fea28404754","T":1680000000081,"BT":false,"s":"BTC-28APR23-29500-C","S":"Sell"}],"type":"snapshot"}`},
	{"option trades", Option, `{"topic":"publicTrade.BTC","ts":1790000000392,"type":"snapshot","id":"publicTrade.BTC-76-1790","data":[{"i":"44f06f5c-3628-5a2d-9a1c-0142ddf5e2ab","T":1790000000369,"p":"240","v":"0.1","S":"Buy","seq":765723,"s":"BTC-25JUN27-90000-C-USDT","BT":false,"mP":"238.7","iP":"83885.1","mIv":"0.1389","iv":"0.14"},{"i":"a34d7d60-0fbe-5ff2-865f-8621c27f64cb","T":1790000000369,"p":"245","v":"0.3","S":"Buy","seq":765723,"s":"BTC-26SEP26-83750-C-USDT","BT":false,"mP":"","iP":"83885.1","mIv":"0.1389","iv":"0.14"}]}`},
	{"no trades", Linear, `{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1758000000824,"data":[]}`},

	{"perpetual", Linear, `{"topic":"tickers.BTCUSDT","type":"snapshot","data":{"symbol":"BTCUSDT","tickDirection":"MinusTick","price24hPcnt":"-0.158315","lastPrice":"66000.60","prevPrice24h":"79000.20","highPrice24h":"79200.30","lowPrice24h":"65000.90","prevPrice1h":"66000.60","markPrice":"66000.60","indexPrice":"115000.19","openInterest":"492000.72","openInterestValue":"32824000000.75","turnover24h":"4936000000.6521","volume24h":"73000.3870","fundingIntervalHour":"8","fundingCap":"0.005","nextFundingTime":"1760000000000","fundingRate":"-0.005","bid1Price":"66000.60","bid1Size":"23789.165","ask1Price":"66000.70","ask1Size":"23775.469","preOpenPrice":"","preQty":"","curPreListingPhase":""},"cs":9532239,"ts":1760000000630}`},
	{"future", Linear, `{"topic":"tickers.BTC-26DEC25","type":"snapshot","data":{"symbol":"BTC-26DEC25","tickDirection":"ZeroMinusTick","price24hPcnt":"0","lastPrice":"109000.50","turnover24h":"0.0000","volume24h":"0.0000","deliveryTime":"2025-12-26T08:00:00Z","basisRate":"0.06","deliveryFeeRate":"0","predictedDeliveryPrice":"0.00","basis":"-4730.84","basisRateYear":"0.30","nextFundingTime":"","fundingRate":"","bid1Price":"111000.50","bid1Size":"0.176","ask1Price":"131000.00","ask1Size":"0.580"},"cs":313379,"ts":1760000000857}`},
	{"delta of a future", Inverse, `{"topic":"tickers.BTCUSDU23","type":"delta","data":{"symbol":"BTCUSDU23","price24hPcnt":"0.02","bid1Price":"29000.00","bid1Size":"3100","ask1Price":"29000.50","ask1Size":"3095","basisRate":"0.016","deliveryFeeRate":"0.0005"},"cs":123212,"ts":1680000000199}`},
	{"spot ticker", Spot, `{"topic":"tickers.BTCUSDT","ts":1673000000003,"type":"snapshot","cs":2588407,"data":{"symbol":"BTCUSDT","lastPrice":"21000.77","highPrice24h":"21400.99","lowPrice24h":"20500","prevPrice24h":"20700.93","volume24h":"6780.86","turnover24h":"141946000.22","price24hPcnt":"0.0196","usdIndexPrice":"21120.24"}}`},
	{"option ticker", Option, `{"id":"tickers.BTC-6JAN23-17500-C-24-1672","topic":"tickers.BTC-6JAN23-17500-C","ts":1672000000074,"data":{"symbol":"BTC-6JAN23-17500-C","bidPrice":"0","bidSize":"0","bidIv":"0","askPrice":"10","askSize":"5.1","askIv":"0.514","lastPrice":"10","highPrice24h":"25","lowPrice24h":"5","markPrice":"7.86","indexPrice":"16800.73","markPriceIv":"0.4896","underlyingPrice":"16800.1","openInterest":"49.85","turnover24h":"446800.84","volume24h":"26.55","totalVolume":"86","totalTurnover":"1437000","delta":"0.047","gamma":"0.0002","vega":"0.81","theta":"-19.9","predictedDeliveryPrice":"0","change24h":"-0.33"},"type":"snapshot"}`},
	{"spread ticker", Spread, `{"topic":"tickers.SOLUSDT_SOL/USDT","ts":1744000000009,"type":"snapshot","data":{"symbol":"SOLUSDT_SOL/USDT","bidPrice":"20.33","bidSize":"1.7","askPrice":"","askSize":"","lastPrice":"21.81","highPrice24h":"24.23","lowPrice24h":"-3","prevPrice24h":"22.14","volume24h":"23309.9"}}`},

	{"kline", Linear, `{"topic":"kline.5.BTCUSDT","data":[{"start":1672000000000,"end":1672000299999,"interval":"5","open":"16600.5","close":"16670","high":"16671","low":"16600","volume":"2.081","turnover":"34600.4005","confirm":false,"timestamp":1672000088882}],"ts":1672000088882,"type":"snapshot"}`},
	{"liquidations", Linear, `{"topic":"allLiquidation.ROSEUSDT","type":"snapshot","ts":1739000000204,"data":[{"T":1739000000129,"s":"ROSEUSDT","S":"Sell","v":"20000","p":"0.04499"},{"T":1739000000130,"s":"ROSEUSDT","S":"Buy","v":"1","p":"0.045"}]}`},
	{"retired liquidation", Inverse, `{"topic":"liquidation.XRPUSD","type":"snapshot","ts":1680000000093,"data":{"updatedTime":1680000000092,"symbol":"XRPUSD","side":"Sell","size":"6949","price":"0.5149"}}`},
	{"insurance", Linear, `{"topic":"insurance.USDT","type":"delta","ts":1747000000000,"data":[{"coin":"USDT","symbols":"AAAUSDT","balance":"25614.92972633","updateTime":"1747000000000"},{"coin":"USDT","symbols":"BBBUSDT","balance":"1.5","updateTime":"1747000000000"}]}`},
	{"adl without the highest balance", Inverse, `{"topic":"adlAlert.inverse","type":"snapshot","ts":1757000000000,"data":[{"c":"BTC","s":"BTCUSD","b":31.8,"mb":"","i_pr":-0.3,"pr":0,"adl_tt":10000,"adl_sr":-0.25}]}`},
	{"adl", Linear, `{"topic":"adlAlert.USDT","type":"snapshot","ts":1757000000000,"data":[{"c":"USDT","s":"AAAUSDT","b":-5421.29889888,"mb":-5421.29889888,"i_pr":-0.3,"pr":0,"adl_tt":10000,"adl_sr":-0.25}]}`},
	{"price limit", Spot, `{"topic":"priceLimit.BTCUSDT","data":{"symbol":"BTCUSDT","buyLmt":"114000.00","sellLmt":"103000.00"},"ts":1750000000782}`},
	{"system status", Status, `{"topic":"system.status","ts":1751000000649,"data":[{"id":"4d95b2a0-587f-11f0-bcc9-56f28c94d6ea","title":"upgrade \"A\"","state":"completed","begin":"1751000002000","end":"1751000011000","href":"","serviceTypes":[2,3,4,5],"product":[1,2],"uidSuffix":[],"maintainType":1,"env":1}]}`},
	{"rfq trades", RFQ, `{"topic":"rfq.open.public.trades","creationTime":1757000000358,"data":[{"rfqId":"1757","strategyType":"custom","legs":[{"category":"linear","symbol":"BTCUSDT","side":"Sell","price":"91600","qty":"1","markPrice":"90216.29"},{"category":"option","symbol":"BTC-1","side":"buy","price":"9","qty":"1","markPrice":""}],"createdAt":"1757000000213","updatedAt":"1757000000347"}]}`},
	{"dual asset", Finance, `{"topic":"earn.dualassets.offers","data":[{"p":"36352","c":"74168.46","b":[{"s":"74142","a":"979209000","m":"2000","x":"1773000000781"}],"s":[{"s":"74142","a":"979209000","m":"0.02697492","x":"1773000000781"}]}]}`},
	{"smart leverage", Finance, `{"topic":"earn.smartleverage.offers","data":[{"p":"13010","b":"553.849143","e":"1775000000994","m":"784","c":"615.1"}]}`},
	{"double win", Finance, `{"topic":"earn.doublewin.offers","data":[{"p":"14082","c":"2050.99","l":"37.78","m":"1000","e":"1775000000407"}]}`},
	{"discount buy", Finance, `{"topic":"earn.discountbuy.offers","data":[{"p":"12723","c":"74551.1","b":"73847","k":"75300","e":"10000000","m":"950000","i":"103489231","x":"1776000000336"}]}`},
}

// newMessageFor returns an empty message for the frame's topic.
func newMessageFor(t testing.TB, frame string) Message {
	t.Helper()
	name, ok := FrameTopic([]byte(frame))
	if !ok {
		t.Fatalf("no topic in %s", frame)
	}
	m, ok := NewMessage(Topic{name: string(name)})
	if !ok {
		t.Fatalf("no message for %s", name)
	}
	return m
}

func TestMessagesRoundTrip(t *testing.T) {
	for _, c := range venueFrames {
		t.Run(c.name, func(t *testing.T) {
			m := newMessageFor(t, c.frame)
			if err := m.Decode([]byte(c.frame)); err != nil {
				t.Fatal(err)
			}
			if got := string(m.AppendJSON(nil, c.ch)); got != c.frame {
				t.Errorf("encodes to\n%s\nwant\n%s", got, c.frame)
			}
		})
	}
}

// withoutArena returns what a message says, without the memory it says it in.
func withoutArena(m Message) any {
	switch m := m.(type) {
	case *BookMessage:
		c := *m
		c.ids = nil
		return c
	case *TradesMessage:
		c := *m
		c.ids = nil
		return c
	case *TickerMessage:
		c := *m
		c.ids = nil
		return c
	}
	return reflect.ValueOf(m).Elem().Interface()
}

// sameContent compares two messages; empty and nil slices are the same.
func sameContent(a, b Message) bool {
	return reflect.DeepEqual(withoutArena(a), withoutArena(b)) || bytes.Equal(a.AppendJSON(nil, Linear), b.AppendJSON(nil, Linear))
}

// TestMessagesInAnyOrder decodes each frame with its keys turned around and
// with white space and unknown keys, and wants the same message.
func TestMessagesInAnyOrder(t *testing.T) {
	for _, c := range venueFrames {
		t.Run(c.name, func(t *testing.T) {
			want := newMessageFor(t, c.frame)
			if err := want.Decode([]byte(c.frame)); err != nil {
				t.Fatal(err)
			}
			for name, frame := range variants([]byte(c.frame)) {
				got := newMessageFor(t, c.frame)
				if err := got.Decode(frame); err != nil {
					t.Errorf("%s: %v", name, err)
				} else if !sameContent(got, want) {
					t.Errorf("%s: %+v, want %+v", name, got, want)
				}
			}
		})
	}
}

// TestMessagesForget decodes each frame into a message that held another frame
// of its type before, and wants nothing of that one.
func TestMessagesForget(t *testing.T) {
	for _, before := range venueFrames {
		for _, after := range venueFrames {
			used, fresh := newMessageFor(t, before.frame), newMessageFor(t, after.frame)
			if reflect.TypeOf(used) != reflect.TypeOf(fresh) {
				continue
			}
			for name, frame := range map[string][]byte{"template": []byte(after.frame), "tolerant": spaced(after.frame)} {
				if err := used.Decode([]byte(before.frame)); err != nil {
					t.Fatal(err)
				}
				if err := used.Decode(frame); err != nil {
					t.Fatal(err)
				}
				if got := string(used.AppendJSON(nil, after.ch)); got != after.frame {
					t.Errorf("%s after %s, %s:\n%s\nwant\n%s", after.name, before.name, name, got, after.frame)
				}
			}
		}
	}
}

// TestDecodeRefuses cuts and damages each frame, and wants an error each time.
func TestDecodeRefuses(t *testing.T) {
	for _, c := range venueFrames {
		t.Run(c.name, func(t *testing.T) {
			m := newMessageFor(t, c.frame)
			refuse := func(what string, frame []byte) {
				t.Helper()
				err := m.Decode(frame)
				de, ok := errors.AsType[*DecodeError](err)
				if !ok {
					t.Errorf("%s: error %v, want a *DecodeError: %s", what, err, frame)
					return
				}
				if de.Offset < 0 || de.Offset > len(frame) || !bytes.Equal(de.Frame, frame) || de.Error() == "" {
					t.Errorf("%s: offset %d, frame %s", what, de.Offset, de.Frame)
				}
			}
			for n := range len(c.frame) {
				refuse("cut", []byte(c.frame[:n]))
			}
			refuse("trailing brace", []byte(c.frame+"}"))
			refuse("trailing message", []byte(c.frame+c.frame))
			refuse("topic twice", []byte(strings.TrimSuffix(c.frame, "}")+`,"topic":"x"}`))
			refuse("unknown key twice", []byte(strings.TrimSuffix(c.frame, "}")+`,"zz":1,"zz":2}`))
			refuse("data twice", []byte(strings.TrimSuffix(c.frame, "}")+`,"data":{}}`))
			refuse("data is text", []byte(`{"topic":"`+topicOf(m, c.frame)+`","type":"snapshot","data":"x"}`))
			refuse("data is a number", []byte(`{"topic":"`+topicOf(m, c.frame)+`","type":"snapshot","data":1}`))
			refuse("no data", []byte(`{"topic":"`+topicOf(m, c.frame)+`","type":"snapshot"}`))
			refuse("another topic", []byte(strings.Replace(c.frame, `"topic":"`, `"topic":"x`, 1)))
			refuse("a comma in front", []byte(","+c.frame[1:]))
			refuse("an array", []byte(`[`+c.frame+`]`))
			for _, number := range []string{`"1.2.3"`, `"0x10"`, `"NaN"`, `"1 "`, `"+1"`, `{}`, `[]`, `true`} {
				if bad, ok := withFirstNumber(c.frame, number); ok {
					refuse("number "+number, []byte(bad))
				}
			}
		})
	}
}

func topicOf(_ Message, frame string) string {
	name, _ := FrameTopic([]byte(frame))
	return string(name)
}

// withFirstNumber replaces the first decimal number in quotes.
func withFirstNumber(frame, number string) (string, bool) {
	data := strings.Index(frame, `"data"`)
	for i := data; i < len(frame); i++ {
		if frame[i] != '"' {
			continue
		}
		end := i + 1 + strings.IndexByte(frame[i+1:], '"')
		text := frame[i+1 : end]
		if _, err := decimal.Parse(text); err == nil && !strings.HasPrefix(frame[end+1:], ":") && strings.Contains(text, ".") {
			return frame[:i] + number + frame[end+1:], true
		}
		i = end
	}
	return "", false
}

func TestDecodeErrorText(t *testing.T) {
	var m BookMessage
	frame := []byte(`{"topic":"orderbook.50.BTCUSDT","type":"delta","ts":1,"data":{"s":"BTCUSDT","b":[["4x","1"]],"a":[],"u":2}}`)
	err := m.Decode(frame)
	const want = `decode orderbook.50.BTCUSDT: not a decimal number at offset 83: "4x\",\"1\"]],\"a\":[],\"u\":2}}"`
	if err == nil || err.Error() != want {
		t.Errorf("error %v\nwant  %s", err, want)
	}
	frame[0] = 'X' // the caller reuses its buffer
	if de, _ := errors.AsType[*DecodeError](err); de.Frame[0] != '{' {
		t.Error("the error does not hold a copy of the frame")
	}
}

func TestDecodeTolerates(t *testing.T) {
	for _, c := range []struct{ name, frame, want string }{
		{"numbers as JSON numbers", `{"topic":"orderbook.50.X","type":"delta","ts":"5","data":{"s":"X","b":[[1.50,2]],"a":[],"u":"7","seq":"8"},"cts":"4"}`,
			`{"topic":"orderbook.50.X","type":"delta","ts":5,"data":{"s":"X","b":[["1.50","2"]],"a":[],"u":7,"seq":8},"cts":4}`},
		{"null and missing", `{"topic":"orderbook.50.X","type":"delta","ts":null,"data":{"s":null,"b":null,"u":7,"seq":null},"cts":""}`,
			`{"topic":"orderbook.50.X","type":"delta","data":{"s":"","b":[],"a":[],"u":7}}`},
		{"unknown values", `{"topic":"publicTrade.X","type":"partial","ts":1,"data":[{"T":null,"S":"Both","L":"Sideways","i":77,"v":null,"p":"","BT":null,"new":[{}]}]}`,
			`{"topic":"publicTrade.X","type":"partial","ts":1,"data":[{"T":null,"S":"Both","v":"","p":"","L":"Sideways","i":"77","BT":false}]}`},
		{"ticker", `{"topic":"tickers.X","type":"delta","ts":1,"data":{"symbol":"X","fundingRate":null,"lastPrice":5e1,"nextFundingTime":1700000000000,"novel":"1"}}`,
			`{"topic":"tickers.X","type":"delta","data":{"symbol":"X","lastPrice":"50","nextFundingTime":"1700000000000","fundingRate":""},"ts":1}`},
	} {
		m := newMessageFor(t, c.frame)
		if err := m.Decode([]byte(c.frame)); err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if got := string(m.AppendJSON(nil, Linear)); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

func TestBookRefusesLevels(t *testing.T) {
	for _, b := range []string{`[[]]`, `[["1"]]`, `[["1","2","3","4"]]`, `[["","1"]]`, `[["1",null]]`, `[["1",""]]`, `["1","2"]`, `[[["1"],"2"]]`, `[{"1":"2"}]`, `{}`, `"x"`} {
		var m BookMessage
		if err := m.Decode([]byte(`{"topic":"orderbook.50.X","type":"delta","ts":1,"data":{"s":"X","b":` + b + `,"a":[],"u":2}}`)); err == nil {
			t.Errorf("b %s decodes to %v", b, m.Bids)
		}
	}
	for _, frame := range []string{
		`{"topic":"orderbook.50.X","type":"other","ts":1,"data":{"s":"X","b":[],"a":[],"u":2}}`,
		`{"topic":"orderbook.50.X","ts":1,"data":{"s":"X","b":[],"a":[],"u":2}}`,
		`{"topic":"orderbook.50.X","type":"delta","ts":1,"data":{"s":"X","b":[],"a":[]}}`,
		`{"topic":"orderbook.50.X","type":"delta","ts":-1,"data":{"s":"X","b":[],"a":[],"u":2}}`,
		`{"topic":"orderbook.50.X","type":"delta","ts":1,"data":{"s":"X","b":[],"a":[],"u":-2}}`,
		`{"topic":"tickers.X","type":"delta","ts":1,"data":{"s":"X","b":[],"a":[],"u":2}}`,
	} {
		var m BookMessage
		if err := m.Decode([]byte(frame)); err == nil {
			t.Errorf("decodes: %s", frame)
		}
	}
}

// TestDecodeDoesNotAllocate is the promise of the package comment.
func TestDecodeDoesNotAllocate(t *testing.T) {
	for _, c := range venueFrames {
		m := newMessageFor(t, c.frame)
		switch m.(type) {
		case *BookMessage, *TradesMessage, *TickerMessage, *KlineMessage:
		default:
			continue
		}
		if c.name == "option trades" {
			continue // of a base coin: a symbol that differs from the trade's before is a new string
		}
		template, tolerant := []byte(c.frame), spaced(c.frame)
		// An id is cut from a chunk that holds 50 to 110 of them: less than one
		// allocation a frame, which counts as none.
		for name, frame := range map[string][]byte{"template": template, "tolerant": tolerant} {
			if n := testing.AllocsPerRun(1000, func() {
				if err := m.Decode(frame); err != nil {
					t.Fatal(err)
				}
			}); n != 0 {
				t.Errorf("%s, %s: %v allocations", c.name, name, n)
			}
		}
		dst := make([]byte, 0, 4096)
		if n := testing.AllocsPerRun(100, func() { dst = m.AppendJSON(dst[:0], c.ch) }); n != 0 {
			t.Errorf("%s: AppendJSON allocates %v times", c.name, n)
		}
	}
}

func TestNewMessage(t *testing.T) {
	for _, topic := range []Topic{
		OrderBook(50, "X"), OrderBook(500, "X"), RPIOrderBook("X"), FullOrderBook("X"), Trades("X"), Tickers("X"), Klines(Interval5m, "X"),
		Liquidations("X"), Insurance("USDT"), ADLAlerts("USDT"), PriceLimits("X"), SystemStatus(), RFQTrades(),
		DualAssetOffers(), SmartLeverageOffers(), DoubleWinOffers(), DiscountBuyOffers(),
	} {
		if _, ok := NewMessage(topic); !ok {
			t.Errorf("no message for %s", topic)
		}
		if parsed, err := ParseTopic(topic.String()); err != nil || parsed != topic {
			t.Errorf("ParseTopic(%s) = %v, %v", topic, parsed, err)
		}
	}
	for _, topic := range []Topic{RawTopic("tickers.X"), {}, {name: "order"}, {name: "nonsense.X"}} {
		if m, ok := NewMessage(topic); ok {
			t.Errorf("%T for %q", m, topic)
		}
	}
}

// TestTickerRefuses wants an error where a ticker contradicts itself, and for
// times that could not be encoded again.
func TestTickerRefuses(t *testing.T) {
	for _, fields := range []string{
		`"bid1Price":"1","bidPrice":"2"`,
		`"askSize":"1","symbol":"X","ask1Size":"1"`,
		`"deliveryTime":"1969-12-31T23:59:59Z"`,
		`"deliveryTime":"1970-01-01T00:00:00+01:00"`,
		`"deliveryTime":"9999-12-31T23:59:59-01:00"`,
		`"deliveryTime":"253402300800000"`,
		`"nextFundingTime":253402300800000`,
		`"nextFundingTime":-1`,
		`"nextFundingTime":"tomorrow"`,
	} {
		for _, space := range []string{"", " "} {
			var m TickerMessage
			frame := space + `{"topic":"tickers.X","type":"delta","data":{` + fields + `},"cs":1,"ts":1}`
			if err := m.Decode([]byte(frame)); err == nil {
				t.Errorf("decodes: %s", frame)
			}
		}
	}
}

func TestTickerMerge(t *testing.T) {
	var snapshot, delta TickerMessage
	for m, frame := range map[*TickerMessage]string{
		&snapshot: `{"topic":"tickers.X","type":"snapshot","data":{"symbol":"X","tickDirection":"PlusTick","lastPrice":"5.50","fundingRate":"0.1","nextFundingTime":"1700000000000","curPreListingPhase":"A"},"cs":1,"ts":1}`,
		&delta:    `{"topic":"tickers.X","type":"delta","data":{"symbol":"X","tickDirection":"MinusTick","lastPrice":"5.40","fundingRate":"","nextFundingTime":"","deliveryTime":"2026-01-01T08:00:00Z","curPreListingPhase":"B"},"cs":2,"ts":2}`,
	} {
		if err := m.Decode([]byte(frame)); err != nil {
			t.Fatal(err)
		}
	}
	state := snapshot.Ticker
	state.Merge(&delta.Ticker)
	if state.LastPrice != decimal.MustParse("5.40") || state.FundingRate.IsSet() || !state.Has(TickerFundingRate) ||
		!state.NextFundingTime.IsZero() || state.TickDirection != MinusTick || state.CurPreListingPhase != "B" ||
		!state.DeliveryTime.Equal(time.Date(2026, 1, 1, 8, 0, 0, 0, time.UTC)) || state.Has(TickerMarkPrice) {
		t.Errorf("merged: %+v", state)
	}
	// A delta of every field replaces every field.
	var full Ticker
	for f := range tickerFieldCount {
		full.Mark(f)
		if number := full.number(f); number != nil {
			*number = decimal.FromInt(int64(f) + 1)
		}
	}
	full.Symbol, full.TickDirection, full.CurPreListingPhase = "Y", PlusTick, "C"
	full.NextFundingTime, full.DeliveryTime = time.UnixMilli(1).UTC(), time.UnixMilli(2000).UTC()
	state.Merge(&full)
	if state != full {
		t.Errorf("merged with all fields: %+v\nwant %+v", state, full)
	}
}

func TestMarkedFieldsAreWritten(t *testing.T) {
	m := TradesMessage{Topic: Trades("X"), Time: time.UnixMilli(5), Trades: []Trade{{
		Time: time.UnixMilli(4), Symbol: "X", Side: Buy, Size: decimal.FromInt(1), Price: decimal.FromInt(2), ID: "a", Seq: 9,
	}}}
	m.Trades[0].Mark(TradeBlock, TradeRPI)
	const want = `{"topic":"publicTrade.X","type":"snapshot","ts":5,"data":[{"T":4,"s":"X","S":"Buy","v":"1","p":"2","i":"a","BT":false,"RPI":false,"seq":9}]}`
	if got := string(m.AppendJSON(nil, Linear)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	k := TickerMessage{Topic: Tickers("X"), Snapshot: true, Ticker: Ticker{Symbol: "X", BidPrice: decimal.FromInt(1)}}
	k.Mark(TickerPreQty)
	for ch, want := range map[Channel]string{
		Linear: `{"topic":"tickers.X","type":"snapshot","data":{"symbol":"X","bid1Price":"1","preQty":""}}`,
		Option: `{"topic":"tickers.X","data":{"symbol":"X","bidPrice":"1","preQty":""},"type":"snapshot"}`,
	} {
		if got := string(k.AppendJSON(nil, ch)); got != want {
			t.Errorf("%s: got  %s\nwant %s", ch, got, want)
		}
	}
}

// TestTradeIDsStay decodes many messages and wants the ids of the first to stay
// what they were.
func TestTradeIDsStay(t *testing.T) {
	var m TradesMessage
	if err := m.Decode([]byte(benchTrades)); err != nil {
		t.Fatal(err)
	}
	first := m.Trades[0].ID
	c := m // a copy must not write into the memory of the original
	for i := range 500 {
		frame := strings.ReplaceAll(benchTrades, "9a74ac78", "0000"+string(rune('a'+i%26))+"abc")
		if err := m.Decode([]byte(frame)); err != nil {
			t.Fatal(err)
		}
		if err := c.Decode([]byte(frame)); err != nil {
			t.Fatal(err)
		}
	}
	if first != "9a74ac78-691c-5b54-9dbe-5aafe8364621" {
		t.Errorf("the first id became %s", first)
	}
	if m.ids == c.ids {
		t.Error("two messages share memory for ids")
	}
}

// TestLongIDs mixes ids of the venue's length with much longer ones, which get
// memory of their own.
func TestLongIDs(t *testing.T) {
	var m TradesMessage
	var want, got []string
	for i := range 300 {
		id := strings.Repeat(string(rune('a'+i%26)), 1+i*i%5000)
		if err := m.Decode([]byte(`{"topic":"publicTrade.X","type":"snapshot","ts":1,"data":[{"i":"` + id + `"},{"i":""}]}`)); err != nil {
			t.Fatal(err)
		}
		want, got = append(want, id), append(got, m.Trades[0].ID)
		if m.Trades[1].ID != "" {
			t.Errorf("an empty id became %q", m.Trades[1].ID)
		}
	}
	if !slices.Equal(got, want) {
		t.Error("ids changed")
	}
	if m.ids.chunk.Cap() > idChunk {
		t.Errorf("a chunk of %d bytes, want %d", m.ids.chunk.Cap(), idChunk)
	}
}

func TestTopicText(t *testing.T) {
	for _, c := range []struct {
		topic        Topic
		name, symbol string
	}{
		{OrderBook(50, "BTCUSDT"), "orderbook.50.BTCUSDT", "BTCUSDT"},
		{RPIOrderBook("BTCUSDT"), "orderbook.rpi.BTCUSDT", "BTCUSDT"},
		{FullOrderBook("BTCUSDT"), "orderbook.full.BTCUSDT", "BTCUSDT"},
		{OrderBook(25, "SOLUSDT_SOL/USDT"), "orderbook.25.SOLUSDT_SOL/USDT", "SOLUSDT_SOL/USDT"},
		{Klines(Interval1M, "BTCUSDT"), "kline.M.BTCUSDT", "BTCUSDT"},
		{Trades("BTC"), "publicTrade.BTC", "BTC"},
		{Insurance("inverse"), "insurance.inverse", "inverse"},
		{SystemStatus(), "system.status", ""},
		{RFQTrades(), "rfq.open.public.trades", ""},
		{DualAssetOffers(), "earn.dualassets.offers", ""},
		{Topic{name: "execution.fast.linear"}, "execution.fast.linear", "linear"},
		{Topic{name: "spread.order"}, "spread.order", ""},
		{Topic{name: "position"}, "position", ""},
		{Topic{}, "", ""},
	} {
		if c.topic.String() != c.name || c.topic.Symbol() != c.symbol {
			t.Errorf("%q with symbol %q, want %q, %q", c.topic, c.topic.Symbol(), c.name, c.symbol)
		}
		if c.name == "" {
			continue
		}
		var back Topic
		text, err := c.topic.MarshalText()
		if err == nil {
			err = back.UnmarshalText(text)
		}
		if err != nil || back != c.topic {
			t.Errorf("%q comes back as %q, %v", c.topic, back, err)
		}
	}
	for name, symbol := range map[string]string{"liquidation.XRPUSD": "XRPUSD", "new.1.BTCUSDT": "BTCUSDT", "new": ""} {
		if got := RawTopic(name).Symbol(); got != symbol {
			t.Errorf("symbol of %s: %q, want %q", name, got, symbol)
		}
	}
	if _, err := ParseTopic("orderbok.50.X"); err == nil {
		t.Error("ParseTopic accepts a misspelled topic")
	}
	if Custom("/v5/public/linear") != Linear || Custom("/v9/new").Path() != "/v9/new" {
		t.Error("Custom")
	}
}
