package wire

import (
	"slices"
	"testing"
	"time"
)

func TestDepths(t *testing.T) {
	current := func(ch Channel) (levels []int) {
		for _, d := range Depths(ch) {
			if d.State == DepthCurrent {
				levels = append(levels, d.Levels)
			}
		}
		return levels
	}
	tests := []struct {
		ch   Channel
		want []int
	}{
		{Spot, []int{1, 50, 200, 1000}},
		{Linear, []int{1, 50, 200, 1000}},
		{Inverse, []int{1, 50, 200, 1000}},
		{Option, []int{25, 100}},
		{Spread, []int{25}},
		{RFQ, nil},
		{Private, nil},
		{"/desk", []int{1, 25, 40, 50, 100, 200, 500, 1000}},
	}
	for _, tt := range tests {
		if got := current(tt.ch); !slices.Equal(got, tt.want) {
			t.Errorf("%s: current depths %v, want %v", tt.ch, got, tt.want)
		}
	}
}

func TestFindDepth(t *testing.T) {
	tests := []struct {
		ch         Channel
		levels     int
		state      DepthState
		push       time.Duration
		successors []int
	}{
		{Linear, 1, DepthCurrent, 10 * time.Millisecond, nil},
		{Spot, 50, DepthCurrent, 20 * time.Millisecond, nil},
		{Inverse, 200, DepthCurrent, 100 * time.Millisecond, nil},
		{Linear, 1000, DepthCurrent, 200 * time.Millisecond, nil},
		{Option, 25, DepthCurrent, 20 * time.Millisecond, nil},
		{Option, 100, DepthCurrent, 100 * time.Millisecond, nil},
		{Spread, 25, DepthCurrent, 20 * time.Millisecond, nil},
		{Linear, 500, DepthRetired, 0, []int{1000, 200}},
		{Inverse, 500, DepthRetired, 0, []int{1000, 200}},
		{Inverse, 25, DepthRetired, 0, []int{50}},
		{Spot, 40, DepthRetired, 0, []int{50}},
		{Spot, 500, DepthUnknown, 0, nil},
		{Linear, 30, DepthUnknown, 0, nil},
		{Option, 50, DepthUnknown, 0, nil},
		{Finance, 50, DepthUnknown, 0, nil},
		{"/desk", 500, DepthCurrent, 100 * time.Millisecond, nil},
	}
	for _, tt := range tests {
		d, ok := findDepth(tt.ch, tt.levels)
		if ok != (tt.state != DepthUnknown) || ok && d.Levels != tt.levels || d.State != tt.state || d.Push != tt.push || !slices.Equal(d.Successors, tt.successors) {
			t.Errorf("findDepth(%s, %d) = %+v, want %v %v %v", tt.ch, tt.levels, d, tt.state, tt.push, tt.successors)
		}
	}
	if got := DepthCurrent.String() + DepthRetired.String() + DepthUnknown.String(); got != "currentretiredunknown" {
		t.Errorf("names of states: %s", got)
	}
}

// TestDepthTablesAreCopied guards the tables: a caller that writes into what it
// got must not change what the next one gets.
func TestDepthTablesAreCopied(t *testing.T) {
	first := Depths(Linear)
	for i := range first {
		first[i].Levels = 0
		for j := range first[i].Successors {
			first[i].Successors[j] = 0
		}
	}
	if d, _ := findDepth(Linear, 500); d.State != DepthRetired || d.Successors[0] != 1000 {
		t.Errorf("the table changed: %+v", d)
	}
}

func TestPushOn(t *testing.T) {
	ms := func(n int) Push { return every(time.Duration(n) * time.Millisecond) }
	tests := []struct {
		topic string
		ch    Channel
		want  Push
	}{
		{"orderbook.1.BTCUSDT", Linear, ms(10)},
		{"orderbook.50.BTCUSDT", Spot, ms(20)},
		{"orderbook.1000.BTCUSDT", Inverse, ms(200)},
		{"orderbook.100.BTC-26JUN26-70000-C", Option, ms(100)},
		{"orderbook.500.BTCUSDT", Linear, Push{}},
		{"orderbook.rpi.BTCUSDT", Spot, ms(100)},
		{"orderbook.full.BTCUSDT", Spot, ms(200)},
		{"tickers.BTCUSDT", Spot, ms(50)},
		{"tickers.BTCUSDT", Linear, ms(100)},
		{"kline.1.BTCUSDT", Linear, Push{Min: time.Second, Max: time.Minute}},
		{"allLiquidation.BTCUSDT", Linear, ms(500)},
		{"insurance.USDT", Linear, ms(1000)},
		{"adlAlert.USDT", Linear, ms(1000)},
		{"priceLimit.BTCUSDT", Spot, ms(300)},
		{"publicTrade.BTCUSDT", Spot, Push{RealTime: true}},
		{"earn.smartleverage.offers", Finance, Push{RealTime: true, Max: 30 * time.Second}},
		{"wallet", Private, Push{RealTime: true}},
		{"system.status", Status, Push{}},
		{"orderbook.50.BTCUSDT", Private, Push{}},
		{"tickers.BTCUSDT", Private, Push{}},
	}
	for _, tt := range tests {
		topic, err := ParseTopic(tt.topic)
		if err != nil {
			t.Fatal(err)
		}
		if got := topic.PushOn(tt.ch); got != tt.want {
			t.Errorf("%s on %s: %+v, want %+v", tt.topic, tt.ch, got, tt.want)
		}
	}
}

func TestRepeatOn(t *testing.T) {
	for _, tt := range []struct {
		topic string
		ch    Channel
		want  time.Duration
	}{
		{"orderbook.1.BTCUSDT", Linear, 3 * time.Second},
		{"orderbook.1.BTCUSDT", Spot, 3 * time.Second},
		{"orderbook.1.BTCUSD", Inverse, 3 * time.Second},
		{"orderbook.1.BTCUSDT", Option, 0}, // has no such depth
		{"orderbook.50.BTCUSDT", Linear, 0},
		{"publicTrade.BTCUSDT", Linear, 0},
		{"kline.1.BTCUSDT", Linear, 0},
		{"earn.smartleverage.offers", Finance, 30 * time.Second},
	} {
		topic, err := ParseTopic(tt.topic)
		if err != nil {
			t.Fatal(err)
		}
		if got := topic.RepeatOn(tt.ch); got != tt.want {
			t.Errorf("%s on %s repeats after %v, want %v", tt.topic, tt.ch, got, tt.want)
		}
	}
}
