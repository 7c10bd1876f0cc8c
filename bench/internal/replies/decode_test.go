// Package replies compares how long REST replies take to decode, ours and those of
// the client that others are measured by. Both start from the body and end with the
// rows; both look at the envelope first. The numbers stay text there and become exact
// decimals here.
//
//	go test -v ./internal/replies
package replies

import (
	"bytes"
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	peer "github.com/hirokisan/bybit/v2"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/internal/wire"
)

const (
	bars        = 1000
	instruments = 500
)

// klines is a reply of 1,000 bars, newest first.
func klines() []byte {
	var b bytes.Buffer
	b.WriteString(`{"retCode":0,"retMsg":"OK","result":{"symbol":"BTCUSDT","category":"spot","list":[`)
	for i := range bars {
		if i > 0 {
			b.WriteByte(',')
		}
		price := 6000000 + i*137%50000
		fmt.Fprintf(&b, `["%d","%d.%02d","%d.%02d","%d.%02d","%d.%02d","%d.%06d","%d.%08d"]`, 1713744000000-int64(i)*60000,
			price/100, price%100, price/100+31, i%100, price/100-22, i%97, price/100+1, i%89, i%3000, i*7919%1000000, i*52711, i*104729%100000000)
	}
	b.WriteString(`]},"retExtInfo":{},"time":1713744012345}`)
	return b.Bytes()
}

// instrumentPage is a reply of 500 linear instruments, with the fields of the documentation.
func instrumentPage() []byte {
	var b bytes.Buffer
	b.WriteString(`{"retCode":0,"retMsg":"OK","result":{"category":"linear","list":[`)
	for i := range instruments {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"symbol":"COIN%dUSDT","symbolId":%d,"contractType":"LinearPerpetual","status":"Trading","baseCoin":"COIN%d","quoteCoin":"USDT","launchTime":"1585526400000","deliveryTime":"0","deliveryFeeRate":"","priceScale":"2",`+
			`"leverageFilter":{"minLeverage":"1","maxLeverage":"100.00","leverageStep":"0.01"},"priceFilter":{"minPrice":"0.%02d","maxPrice":"1999999.80","tickSize":"0.10"},`+
			`"lotSizeFilter":{"maxOrderQty":"1190.000","minOrderQty":"0.001","qtyStep":"0.001","postOnlyMaxOrderQty":"1190.000","maxMktOrderQty":"500.000","minNotionalValue":"5"},`+
			`"unifiedMarginTrade":true,"fundingInterval":480,"settleCoin":"USDT","copyTrading":"both","upperFundingRate":"0.00375","lowerFundingRate":"-0.00375","isPreListing":false,"preListingInfo":null,`+
			`"riskParameters":{"priceLimitRatioX":"0.01","priceLimitRatioY":"0.02"},"displayName":"","symbolType":""}`, i, i+1, i, i%90+10)
	}
	b.WriteString(`],"nextPageCursor":""},"retExtInfo":{},"time":1707186451514}`)
	return b.Bytes()
}

// ours decodes a reply as Client.Call does: the envelope, then the result.
func ours(body []byte, r interface{ Decode([]byte) error }) error {
	c := wire.NewCursor(body)
	var o wire.Object
	var result []byte
	for c.NextKey(&o) {
		from := c.Offset()
		c.Skip(&o)
		if string(o.Key) == "result" {
			result = body[from:c.Offset()]
		}
	}
	if err := c.Err(); err != nil {
		return err
	}
	return r.Decode(result)
}

// theirs decodes a reply as the peer's client does: the envelope, then everything.
func theirs(body []byte, r any) error {
	var common struct {
		RetCode int    `json:"retCode"`
		RetMsg  string `json:"retMsg"`
	}
	if err := json.Unmarshal(body, &common); err != nil {
		return err
	}
	return json.Unmarshal(body, r)
}

func TestBothReadAll(t *testing.T) {
	var k bybit.KlineResult
	var pk peer.V5GetKlineResponse
	if err := ours(klines(), &k); err != nil || len(k.List) != bars || k.List[999].Volume.String() == "" {
		t.Errorf("ours: %v, %d bars", err, len(k.List))
	}
	if err := theirs(klines(), &pk); err != nil || len(pk.Result.List) != bars {
		t.Errorf("theirs: %v, %d bars", err, len(pk.Result.List))
	}
	var i bybit.InstrumentsResult
	var pi peer.V5GetInstrumentsInfoResponse
	if err := ours(instrumentPage(), &i); err != nil || len(i.List) != instruments || i.List[499].LotSizeFilter.QtyStep.String() != "0.001" {
		t.Errorf("ours: %v, %d instruments", err, len(i.List))
	}
	if err := theirs(instrumentPage(), &pi); err != nil || len(pi.Result.LinearInverse.List) != instruments {
		t.Errorf("theirs: %v", err)
	}
}

// reply is a body, and what both sides make of it.
type reply struct {
	name         string
	body         []byte
	ours, theirs func(body []byte) error
}

func replies() []reply {
	return []reply{
		{
			"1,000 candles", klines(),
			func(body []byte) error { return ours(body, new(bybit.KlineResult)) },
			func(body []byte) error { return theirs(body, new(peer.V5GetKlineResponse)) },
		},
		{
			"500 instruments", instrumentPage(),
			func(body []byte) error { return ours(body, new(bybit.InstrumentsResult)) },
			func(body []byte) error { return theirs(body, new(peer.V5GetInstrumentsInfoResponse)) },
		},
	}
}

// TestDecodesThreeTimesFaster measures both sides in turns; the ratio is the median of the
// rounds' ratios.
func TestDecodesThreeTimesFaster(t *testing.T) {
	const rounds, times = 15, 8
	for _, r := range replies() {
		var ratios []float64
		var us, them time.Duration
		for range rounds {
			mine := spent(t, r.ours, r.body, times)
			other := spent(t, r.theirs, r.body, times)
			ratios = append(ratios, float64(other)/float64(mine))
			us, them = us+mine, them+other
		}
		slices.Sort(ratios)
		ratio := ratios[rounds/2]
		t.Logf("%s, %d KB: %.1f times faster than hirokisan/bybit (%.2f to %.2f ms)", r.name, len(r.body)>>10, ratio,
			us.Seconds()*1000/rounds/times, them.Seconds()*1000/rounds/times)
		if ratio < 3 {
			t.Errorf("%s: %.1f times faster, want 3 at least", r.name, ratio)
		}
	}
}

// spent is how long it takes to decode a body so many times, with the garbage of it.
func spent(t *testing.T, decode func([]byte) error, body []byte, times int) time.Duration {
	t.Helper()
	runtime.GC()
	began := time.Now()
	for range times {
		if err := decode(body); err != nil {
			t.Fatal(err)
		}
	}
	return time.Since(began)
}

func BenchmarkReplies(b *testing.B) {
	for _, r := range replies() {
		b.Run(r.name+"/bywire", func(b *testing.B) { run(b, r.body, r.ours) })
		b.Run(r.name+"/hirokisan", func(b *testing.B) { run(b, r.body, r.theirs) })
	}
}

func run(b *testing.B, body []byte, decode func([]byte) error) {
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if err := decode(body); err != nil {
			b.Fatal(err)
		}
	}
}
