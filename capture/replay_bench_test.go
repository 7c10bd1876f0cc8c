package capture

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bywire/bywire/internal/wsclient"
)

// BenchmarkReplay serves frames of about 285 bytes at full speed over loopback to
// one subscriber in the same process, who reads and does nothing else.
func BenchmarkReplay(b *testing.B) {
	const frames = 100_000
	dir := b.TempDir()
	w := openWriter(b, dir, nil)
	const topic = "orderbook.50.ABCUSDT"
	var bytes int
	for i := range frames {
		data := benchBook(topic, i)
		bytes += len(data)
		if err := w.Write(&Record{Kind: Frame, Conn: 1, Channel: "linear", Received: begun.Add(time.Duration(i) * time.Millisecond), Data: data}); err != nil {
			b.Fatal(err)
		}
	}
	closeWriter(b, w)
	replay, err := NewReplay(openReader(b, dir), &ReplayOptions{Max: true, Loop: true, AckDelay: -1})
	if err != nil {
		b.Fatal(err)
	}
	server := httptest.NewServer(replay)
	defer server.Close()
	defer replay.Close()
	conn, err := wsclient.Dial(context.Background(), &wsclient.Config{URL: strings.Replace(server.URL, "http", "ws", 1) + "/v5/public/linear"})
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Wait()
	defer conn.Close()
	if err := conn.Send([]byte(`{"op":"subscribe","args":["` + topic + `"]}`)); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(bytes / frames))
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		if _, err := conn.Next(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "frames/s")
}

// benchBook is a snapshot and then deltas that change three levels near the best
// price of each side.
func benchBook(topic string, i int) []byte {
	_, symbol, _ := strings.Cut(strings.TrimPrefix(topic, "orderbook."), ".")
	kind, levels := "delta", 3
	if i == 0 {
		kind, levels = "snapshot", 50
	}
	b := fmt.Appendf(nil, `{"topic":"%s","type":"%s","ts":%d,"data":{"s":"%s"`, topic, kind, begun.UnixMilli()+int64(i), symbol)
	for _, side := range []struct {
		name string
		step int
	}{{"b", -1}, {"a", 1}} {
		b = fmt.Appendf(b, `,"%s":[`, side.name)
		for k := range levels {
			if k > 0 {
				b = append(b, ',')
			}
			place := k
			if i > 0 {
				place = (i + 7*k) % 50
			}
			b = fmt.Appendf(b, `["%d.50","%d.%03d"]`, 67000+side.step*(1+place), 1+i%9, i%1000)
		}
		b = append(b, ']')
	}
	return fmt.Appendf(b, `,"u":%d,"seq":%d},"cts":%d}`, 1000+i, 461_000_000_000+17*i, begun.UnixMilli()+int64(i)-3)
}
