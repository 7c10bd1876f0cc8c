package bybit

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// What differs between two copies of a message is when they were made, and the id
// of the push; whatever else differs makes it another message.
func TestPrintsSeeTheMessage(t *testing.T) {
	const (
		trade  = `{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":%d,"data":[{"T":5,"i":"%s","ts":9}]}`
		spot   = `{"topic":"tickers.BTCUSDT","ts":%d,"type":"snapshot","cs":7,"data":{"symbol":"%s"}}`
		ticker = `{"topic":"tickers.BTCUSDT","type":"delta","data":{"symbol":"%[2]s"},"cs":24987956059,"ts":%[1]d}`
		option = `{"id":"tickers.BTC-%d-7","topic":"tickers.BTC-7","ts":%[1]d,"data":{"symbol":"%[2]s","id":"4"},"type":"snapshot"}`
		kline  = `{"topic":"kline.1.BTCUSDT","data":[{"start":1,"close":"%[2]s","timestamp":3}],"ts":%[1]d,"type":"snapshot"}`
	)
	p := newPrints()
	for _, form := range []string{trade, spot, ticker, option, kline} {
		one, at := p.sum(fmt.Appendf(nil, form, 1_700_000_000_001, "x"))
		two, later := p.sum(fmt.Appendf(nil, form, 1_700_000_000_345, "x"))
		other, _ := p.sum(fmt.Appendf(nil, form, 1_700_000_000_001, "y"))
		if one != two || one == other || at != 1_700_000_000_001 || later != 1_700_000_000_345 {
			t.Errorf("%s: sums %x and %x of copies, %x of another, times %d, %d", form, one, two, other, at, later)
		}
	}
	a, _ := p.sum([]byte(`{"topic":"tickers.X","type":"delta","data":{},"cs":1,"ts":5}`))
	b, _ := p.sum([]byte(`{"topic":"tickers.X","type":"delta","data":{},"cs":2,"ts":5}`))
	c, _ := p.sum([]byte(`{"topic":"tickers.X","type":"snapshot","data":{},"cs":1,"ts":5}`))
	if a == b || a == c {
		t.Errorf("sums %x, %x, %x of messages that differ in cs and type", a, b, c)
	}
	for _, odd := range []string{"", "{}", `{"ts":`, `{"id":"`, `{"data":`, `"ts":99999999999999999999`} {
		if one, _ := p.sum([]byte(odd)); one != func() uint64 { s, _ := p.sum([]byte(odd)); return s }() {
			t.Errorf("%q has two sums", odd)
		}
	}
}

// Messages of which many are alike, over two lanes that lose some and lag by up to 400:
// of each there come out at least as many as the lane brought that brought more, and no
// more than were made. Without losses they come in order.
func TestPrintsAgainstAModel(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 9))
		kinds := []int{1, 5, 100, 100_000}[r.IntN(4)]
		loss := []float64{0, 0.02, 0.2}[r.IntN(3)]
		lag := r.IntN(400)
		p := newPrints()
		type brought struct {
			content, at int
			lane        uint8
		}
		var all []brought
		counts := [2]map[int]int{{}, {}}
		made := map[int]int{}
		var order []int
		for i := range 3000 {
			content := r.IntN(kinds)
			order = append(order, content)
			made[content]++
			for lane := range uint8(2) {
				if r.Float64() >= loss {
					counts[lane][content]++
					all = append(all, brought{content, i + int(lane)*lag, lane})
				}
			}
		}
		slices.SortStableFunc(all, func(a, b brought) int { return a.at - b.at })
		got := map[int]int{}
		var sequence []int
		for i, m := range all {
			frame := fmt.Appendf(nil, `{"topic":"publicTrade.X","type":"snapshot","ts":%d,"data":[{"i":"%d"}]}`, i, m.content)
			if p.judge(frame, m.lane) == deliver {
				got[m.content]++
				sequence = append(sequence, m.content)
			}
		}
		for content := range kinds {
			least, most := max(counts[0][content], counts[1][content]), made[content]
			if most == 1 && counts[0][content]+counts[1][content] == 0 {
				most = 0
			}
			if got[content] < least || got[content] > most {
				t.Fatalf("seed %d: message %d came out %d times, want %d to %d", seed, content, got[content], least, most)
			}
		}
		if loss == 0 && !slices.Equal(sequence, order) {
			t.Fatalf("seed %d: without losses the order is another", seed)
		}
	}
}

// A lane that lags by more than is remembered brings nothing that is older than
// what is; alone, it brings everything.
func TestPrintsOfALaneThatLags(t *testing.T) {
	p := newPrints()
	p.several = true
	frame := func(i int) []byte {
		return fmt.Appendf(nil, `{"topic":"publicTrade.X","type":"snapshot","ts":%d,"data":[{"i":"%d"}]}`, 1000+i, i)
	}
	const n = 3 * maxPrints
	for i := range n {
		if p.judge(frame(i), 0) != deliver {
			t.Fatalf("message %d is taken for a copy", i)
		}
	}
	for i := range n {
		if p.judge(frame(i), 1) == deliver {
			t.Fatalf("message %d comes out twice", i)
		}
	}
	p = newPrints()
	for i := range n {
		p.judge(frame(i), 0)
	}
	if p.judge(frame(3), 1) != deliver {
		t.Error("an old message of the only lane is lost")
	}
}

// What is new comes out whatever its time says: one time for all, or a time that goes
// back, as in a replay that begins anew.
func TestPrintsDoNotTrustTime(t *testing.T) {
	p := newPrints()
	p.several = true
	for i := range 10 * maxPrints {
		at := 5
		if i > 5*maxPrints {
			at = 1 + i%700
		}
		frame := fmt.Appendf(nil, `{"topic":"publicTrade.X","type":"snapshot","ts":%d,"data":[{"i":"%d"}]}`, at, i)
		if p.judge(frame, 0) != deliver {
			t.Fatalf("message %d is taken for a copy", i)
		}
		if p.judge(frame, 1) != duplicate {
			t.Fatalf("message %d comes out twice", i)
		}
	}
}

func TestOrderOfTickers(t *testing.T) {
	var o order
	for i, st := range []struct {
		at       int64
		snapshot bool
		several  bool
		want     verdict
	}{
		{10, true, true, deliver}, {12, false, true, deliver}, {12, false, true, deliver},
		{11, false, true, misplaced}, {11, true, true, duplicate}, {9, false, true, duplicate},
		{15, true, true, deliver}, {14, false, true, duplicate}, {16, false, true, deliver},
		{3, false, false, misplaced}, {3, true, false, misplaced}, {17, false, true, deliver},
	} {
		if got := o.judge(&orderKey{at: st.at, sent: st.at, snapshot: st.snapshot}, st.several); got != st.want {
			t.Errorf("message %d %+v: verdict %d, want %d", i, st, got, st.want)
		}
	}
}
