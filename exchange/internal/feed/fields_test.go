package feed

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/price"
	"github.com/bywire/bywire/internal/wire"
)

// keysOf returns the keys of a frame in their order: topic,type,ts,data{s,b,a,u,seq},cts. Of an array of objects it
// is the keys of the first, and all must have the same.
func keysOf(t *testing.T, frame []byte) string {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(frame))
	var value func() string
	value = func() string {
		token, err := d.Token()
		if err != nil {
			t.Fatalf("%v: %s", err, frame)
		}
		switch token {
		case json.Delim('{'):
			var keys []string
			for d.More() {
				key, err := d.Token()
				if err != nil {
					t.Fatalf("%v: %s", err, frame)
				}
				keys = append(keys, key.(string)+value())
			}
			if _, err := d.Token(); err != nil {
				t.Fatal(err)
			}
			return "{" + strings.Join(keys, ",") + "}"
		case json.Delim('['):
			var first string
			for i := 0; d.More(); i++ {
				got := value()
				if i == 0 {
					first = got
				} else if got != first {
					t.Fatalf("elements of other keys, %s and %s: %s", first, got, frame)
				}
			}
			if _, err := d.Token(); err != nil {
				t.Fatal(err)
			}
			return first
		}
		return ""
	}
	return strings.TrimSuffix(strings.TrimPrefix(value(), "{"), "}")
}

// What the documentation's examples and recorded frames show: the keys of each topic's messages, by channel.
// "snapshot" and "delta" are the types; a topic without one has "".
var documentedKeys = []struct {
	channel wire.Channel
	topic   string
	kind    string
	keys    string
}{
	{wire.Linear, "orderbook.1.BTCUSDT", "snapshot", "topic,ts,type,data{s,b,a,u,seq},cts"},
	{wire.Linear, "orderbook.50.BTCUSDT", "snapshot", "topic,type,ts,data{s,b,a,u,seq},cts"},
	{wire.Linear, "orderbook.50.BTCUSDT", "delta", "topic,type,ts,data{s,b,a,u,seq},cts"},
	{wire.Linear, "orderbook.200.BTCUSDT", "delta", "topic,type,ts,data{s,b,a,u,seq},cts"},
	{wire.Linear, "orderbook.1000.BTCUSDT", "delta", "topic,type,ts,data{s,b,a,u,seq},cts"},
	{wire.Linear, "orderbook.rpi.BTCUSDT", "delta", "topic,type,ts,data{s,b,a,u,seq},cts"},
	{wire.Linear, "orderbook.full.BTCUSDT", "delta", "topic,type,ts,data{s,b,a,u,seq},cts"},
	{wire.Linear, "publicTrade.BTCUSDT", "snapshot", "topic,type,ts,data{T,s,S,v,p,L,i,BT,RPI,seq}"},
	{wire.Linear, "tickers.BTCUSDT", "snapshot", "topic,type,data{symbol,tickDirection,price24hPcnt,lastPrice,prevPrice24h,highPrice24h,lowPrice24h,prevPrice1h," +
		"markPrice,indexPrice,openInterest,openInterestValue,singleOpenInterest,singleOpenInterestValue,turnover24h,volume24h,fundingIntervalHour,fundingCap," +
		"nextFundingTime,fundingRate,bid1Price,bid1Size,ask1Price,ask1Size,preOpenPrice,preQty,curPreListingPhase},cs,ts"},
	{wire.Linear, "tickers.BTCUSDT-27MAR26", "snapshot", "topic,type,data{symbol,tickDirection,price24hPcnt,lastPrice,prevPrice24h,highPrice24h,lowPrice24h," +
		"prevPrice1h,markPrice,indexPrice,openInterest,openInterestValue,singleOpenInterest,singleOpenInterestValue,turnover24h,volume24h,deliveryTime,basisRate," +
		"deliveryFeeRate,predictedDeliveryPrice,basis,basisRateYear,nextFundingTime,fundingRate,bid1Price,bid1Size,ask1Price,ask1Size},cs,ts"},
	{wire.Linear, "kline.5.BTCUSDT", "snapshot", "topic,data{start,end,interval,open,close,high,low,volume,turnover,confirm,timestamp},ts,type"},
	{wire.Linear, "allLiquidation.BTCUSDT", "snapshot", "topic,type,ts,data{T,s,S,v,p}"},
	{wire.Linear, "priceLimit.BTCUSDT", "", "topic,data{symbol,buyLmt,sellLmt},ts"},
	{wire.Linear, "insurance.USDT", "delta", "topic,type,ts,data{coin,symbols,balance,updateTime}"},
	{wire.Linear, "adlAlert.USDT", "snapshot", "topic,type,ts,data{c,s,b,mb,i_pr,pr,adl_tt,adl_sr}"},

	{wire.Inverse, "orderbook.1.BTCUSD", "snapshot", "topic,ts,type,data{s,b,a,u,seq},cts"},
	{wire.Inverse, "orderbook.200.BTCUSD", "delta", "topic,type,ts,data{s,b,a,u,seq},cts"},
	{wire.Inverse, "publicTrade.BTCUSD", "snapshot", "topic,type,ts,data{T,s,S,v,p,L,i,BT,RPI,seq}"},
	{wire.Inverse, "kline.D.BTCUSD", "snapshot", "topic,data{start,end,interval,open,close,high,low,volume,turnover,confirm,timestamp},ts,type"},
	{wire.Inverse, "insurance.USDT", "delta", "topic,type,ts,data{coin,symbols,balance,updateTime}"},

	{wire.Spot, "orderbook.1.BTCUSDT", "snapshot", "topic,ts,type,data{s,b,a,u,seq},cts"},
	{wire.Spot, "orderbook.50.BTCUSDT", "delta", "topic,ts,type,data{s,b,a,u,seq},cts"},
	{wire.Spot, "orderbook.rpi.BTCUSDT", "delta", "topic,ts,type,data{s,b,a,u,seq},cts"},
	{wire.Spot, "orderbook.full.BTCUSDT", "delta", "topic,ts,type,data{s,b,a,u,seq},cts"},
	{wire.Spot, "publicTrade.BTCUSDT", "snapshot", "topic,ts,type,data{i,T,p,v,S,seq,s,BT,RPI}"},
	{wire.Spot, "tickers.BTCUSDT", "snapshot", "topic,ts,type,cs,data{symbol,lastPrice,highPrice24h,lowPrice24h,prevPrice24h,volume24h,turnover24h,price24hPcnt,usdIndexPrice}"},
	{wire.Spot, "kline.1.BTCUSDT", "snapshot", "topic,data{start,end,interval,open,close,high,low,volume,turnover,confirm,timestamp},ts,type"},
	{wire.Spot, "priceLimit.BTCUSDT", "", "topic,data{symbol,buyLmt,sellLmt},ts"},

	{wire.Option, "orderbook.25.BTC-2JAN26-88000-C-USDT", "snapshot", "topic,ts,type,id,data{s,b,a,u,seq},cts"},
	{wire.Option, "orderbook.100.BTC-2JAN26-88000-C-USDT", "delta", "topic,ts,type,id,data{s,b,a,u,seq},cts"},
	{wire.Option, "publicTrade.BTC", "snapshot", "topic,ts,type,id,data{i,T,p,v,S,seq,s,BT,mP,iP,mIv,iv}"},
	{wire.Option, "tickers.BTC-2JAN26-88000-C-USDT", "snapshot", "id,topic,ts,data{symbol,bidPrice,bidSize,bidIv,askPrice,askSize,askIv,lastPrice,highPrice24h," +
		"lowPrice24h,markPrice,indexPrice,markPriceIv,underlyingPrice,openInterest,turnover24h,volume24h,totalVolume,totalTurnover,delta,gamma,vega,theta," +
		"predictedDeliveryPrice,change24h},type"},

	{wire.Spread, "orderbook.25.BTCUSDT_BTC/USDT", "delta", "topic,ts,type,data{s,b,a,u,seq},cts"},
	{wire.Spread, "publicTrade.BTCUSDT_BTC/USDT", "snapshot", "topic,ts,type,data{T,s,S,v,p,L,i,seq}"},
	{wire.Spread, "tickers.BTCUSDT_BTC/USDT", "snapshot", "topic,ts,type,data{symbol,bidPrice,bidSize,askPrice,askSize,lastPrice,highPrice24h,lowPrice24h,prevPrice24h,volume24h}"},

	{wire.RFQ, "rfq.open.public.trades", "", "topic,creationTime,data{rfqId,strategyType,legs{category,symbol,side,price,qty,markPrice},createdAt,updatedAt}"},
	{wire.Status, "system.status", "", "topic,ts,data{id,title,state,begin,end,href,serviceTypes,product,uidSuffix,maintainType,env}"},
}

// Each topic pushes messages with the documented keys in the documented order, and no other.
func TestKeysAreTheDocumentedOnes(t *testing.T) {
	v := newVenue(t, "BTCUSDT", "BTCUSD", "SOLUSDT", "BTCUSDT-27MAR26", "BTC-2JAN26-88000-C-USDT")
	type push struct {
		channel     wire.Channel
		topic, kind string
	}
	seen := make(map[push]string)
	v.every = func(topic *Topic, frame []byte) {
		m, ok := bybit.NewMessage(topic.msg)
		if !ok {
			t.Fatalf("no type for %s", topic.Name)
		}
		if err := m.Decode(frame); err != nil {
			t.Fatal(err)
		}
		if again := m.AppendJSON(nil, bybit.Channel(topic.Channel)); string(again) != string(frame) {
			t.Fatalf("decodes to another message:\n%s\n%s", frame, again)
		}
		var head struct{ Type string }
		if err := json.Unmarshal(frame, &head); err != nil {
			t.Fatal(err)
		}
		at := push{topic.Channel, topic.Name, head.Type}
		keys := keysOf(t, frame)
		if old, ok := seen[at]; ok && old != keys && (topic.Kind != wire.KindTickers || head.Type != "delta") {
			t.Errorf("%v has the keys %s and %s", at, old, keys)
		}
		seen[at] = keys
	}
	everythingHappens(v)
	for _, row := range documentedKeys {
		got, ok := seen[push{row.channel, row.topic, row.kind}]
		if !ok {
			t.Errorf("%s %s: no %q was pushed", row.channel, row.topic, row.kind)
		} else if got != row.keys {
			t.Errorf("%s %s %s:\ngot  %s\nwant %s", row.channel, row.topic, row.kind, got, row.keys)
		}
	}
}

// everythingHappens makes every kind of push happen.
func everythingHappens(v *venue) {
	for _, in := range v.cat.Live() {
		v.board.set(v, in.ID, func(q *quote) {
			q.mark, q.index, q.funding = fixed.FromInt(88_000), fixed.FromInt(88_010), f(1, 10_000)
			q.nextFunding = testStart + 8*hour
			q.limits = price.Limits{LowestSell: 700_000, HighestBuy: 990_000}
			q.option = price.OptionMark{Greeks: price.Greeks{Price: 300, Delta: f(1, 2), Gamma: f(1, 100), Vega: f(8, 1), Theta: f(-9, 1)}, Vol: f(1, 2), Underlying: f(88_020, 1)}
		})
	}
	var traders []*trader
	for _, in := range v.cat.Live() {
		mid := int64(880_000)
		switch in.Kind {
		case catalog.Option:
			mid = 300
		case catalog.Spread:
			mid = 0
		}
		tr := newTrader(v, in.ID, 1, mid, 100)
		tr.fill(30)
		traders = append(traders, tr)
	}
	v.wait(time.Second)
	for range 1200 {
		for _, tr := range traders {
			tr.step()
		}
		v.wait(5 * time.Millisecond)
	}
	sol := v.find(bybit.Linear, "SOLUSDT").ID // whose pool is not a shared one
	v.place(sol, engine.Order{Account: 9, Side: engine.Sell, Market: true, Qty: 10, Tag: engine.TagLiquidation})
	v.block("custom", []BlockLeg{{ID: sol, Side: engine.Buy, Price: 880_000, Lots: 5000}, {ID: 0, Side: engine.Sell, Price: 880_000, Lots: 100}})
	v.maintain(Notice{Title: "upgrade", State: "scheduled", Begin: v.now, End: v.now + hour, ServiceTypes: []int64{2}, Products: []int64{1}, MaintainType: 1, Env: 1})
	v.wait(time.Minute)
}
