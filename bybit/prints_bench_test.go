package bybit

import (
	"testing"

	"github.com/bywire/bywire/internal/wire"
)

// BenchmarkSum compares what tells copies apart while they come with what does so in
// recordings: docs of prints say why there are two.
func BenchmarkSum(b *testing.B) {
	frames := map[string]string{
		"trade":  `{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1767225600123,"data":[{"T":1767225600121,"s":"BTCUSDT","S":"Buy","v":"0.5","p":"100.5","L":"PlusTick","i":"00000000-0000-0000-0000-000000000001","BT":false,"RPI":false,"seq":123456789}]}`,
		"ticker": `{"topic":"tickers.BTCUSDT","type":"delta","data":{"symbol":"BTCUSDT","tickDirection":"PlusTick","price24hPcnt":"0.017103","lastPrice":"87216.00","turnover24h":"4912345678.9012","volume24h":"56789.012","bid1Price":"87216.00","bid1Size":"1.234","ask1Price":"87216.10","ask1Size":"0.567"},"cs":24987956059,"ts":1767225600123}`,
	}
	p := newPrints()
	for _, name := range []string{"trade", "ticker"} {
		frame := []byte(frames[name])
		b.Run(name+"/prints", func(b *testing.B) {
			b.SetBytes(int64(len(frame)))
			for b.Loop() {
				p.sum(frame)
			}
		})
		b.Run(name+"/Identify", func(b *testing.B) {
			b.SetBytes(int64(len(frame)))
			for b.Loop() {
				wire.Identify(frame)
			}
		})
	}
}
