package bybit

import (
	"fmt"
	"testing"
)

// A state that comes again after the connection that brought it first was replaced is
// news, not a copy.
func TestRepeatedStateAfterARollIsNoCopy(t *testing.T) {
	frame := func(ts int, price string) []byte {
		return fmt.Appendf(nil, `{"topic":"priceLimit.BTCUSDT","ts":%d,"data":{"symbol":"BTCUSDT","buyLmt":"%s"}}`, ts, price)
	}
	p := newPrints()
	for i, price := range []string{"1", "2"} {
		if got := p.judge(frame(1000*i+1000, price), 0); got != deliver {
			t.Fatalf("message %d: %v", i, got)
		}
	}
	if got := p.judge(frame(60_000, "1"), 1); got != deliver {
		t.Errorf("what lane 1 brings a minute later is judged %v, want deliver", got)
	}
}
