//go:build linux || darwin

package wsserver_test

import (
	"context"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/bywire/bywire/internal/wire"
	"github.com/bywire/bywire/internal/wsframe"
	"github.com/bywire/bywire/internal/wsserver"
)

const (
	fanReaders   = 1000
	fanTopic     = "orderbook.50.BTCUSDT"
	fanMessages  = 2000 // through the server, to each reader
	baseMessages = 100  // one library write each, to each reader

	brief = 10 * time.Millisecond // the readers only count bytes and do not answer a close frame
)

// fanMessage is as long as a usual delta of a book, 282 bytes.
var fanMessage = []byte(`{"topic":"` + fanTopic + `","type":"delta","data":"` + strings.Repeat("x", 282-55) + `"}`)

// onLoopback serves h on a port of its own.
func onLoopback(tb testing.TB, h http.HandlerFunc) string {
	tb.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	hs := &http.Server{Handler: h}
	go hs.Serve(ln)
	tb.Cleanup(func() { hs.Close() })
	return ln.Addr().String()
}

// BenchmarkFanOut publishes to 1,000 readers in another process as fast as it goes and reports the server's CPU time
// per delivered message, beside that of one library write per message and connection, in the same run.
//
//	go test ./internal/wsserver -run '^$' -bench FanOut -benchtime 1x -count 3
func BenchmarkFanOut(b *testing.B) {
	for b.Loop() {
		base := baseline(b)
		fan, wall := fanOut(b)
		b.ReportMetric(float64(fan), "cpu-ns/delivery")
		b.ReportMetric(float64(base), "cpu-ns/library-write")
		b.ReportMetric(float64(fan)/float64(base), "ratio")
		b.ReportMetric(float64(fanReaders*fanMessages)/wall.Seconds(), "deliveries/s")
		if 4*fan > base {
			b.Errorf("a delivery takes %d ns, more than a quarter of a library write's %d ns", fan, base)
		}
	}
}

// fanOut returns CPU nanoseconds per delivery, and how long all of them took.
func fanOut(b *testing.B) (int64, time.Duration) {
	srv := wsserver.New(openSource{}, &wsserver.Options{Slow: wsserver.Pause, CloseWait: brief, AckDelay: -1})
	addr := onLoopback(b, func(w http.ResponseWriter, r *http.Request) { srv.Serve(w, r, wire.Linear) })
	other := startReaders(b, addr, wire.Linear.Path(), fanReaders)
	topic := srv.Topic(wire.Linear, fanTopic)
	runtime.GC()
	used, began := cpu(b), time.Now()
	for range fanMessages {
		if err := topic.Publish(context.Background(), fanMessage, wsserver.Following); err != nil {
			b.Fatal(err)
		}
	}
	if err := srv.Close(context.Background(), ws.StatusNormalClosure, ""); err != nil {
		b.Fatal(err)
	}
	used, wall := cpu(b)-used, time.Since(began)
	frame := wsframe.AppendFrame(nil, ws.OpText, fanMessage)
	if got, want := other.total(b), int64(fanReaders*(fanMessages*len(frame)+4)); got != want {
		b.Fatalf("the readers got %d bytes, want %d", got, want)
	}
	return int64(used) / (fanReaders * fanMessages), wall
}

// baseline returns CPU nanoseconds per delivery of one library write each. The library's own ws.WriteFrame writes header
// and payload apart, which costs nearly twice as much; here it encodes the frame, and one call writes it.
func baseline(b *testing.B) int64 {
	conns := make(chan net.Conn, fanReaders)
	addr := onLoopback(b, func(w http.ResponseWriter, r *http.Request) {
		conn, _, _, err := ws.UpgradeHTTP(r, w)
		if err != nil {
			b.Error(err)
			return
		}
		conns <- conn
	})
	other := startReaders(b, addr, "/plain", fanReaders)
	all := make([]net.Conn, fanReaders)
	for i := range all {
		all[i] = <-conns
	}
	runtime.GC()
	used := cpu(b)
	for range baseMessages {
		for _, conn := range all {
			frame, err := ws.CompileFrame(ws.NewTextFrame(fanMessage))
			if err != nil {
				b.Fatal(err)
			}
			if _, err := conn.Write(frame); err != nil {
				b.Fatal(err)
			}
		}
	}
	used = cpu(b) - used
	for _, conn := range all {
		conn.Close()
	}
	frame := wsframe.AppendFrame(nil, ws.OpText, fanMessage)
	if got, want := other.total(b), int64(fanReaders*baseMessages*len(frame)); got != want {
		b.Fatalf("the readers got %d bytes, want %d", got, want)
	}
	return int64(used) / (fanReaders * baseMessages)
}

// maxIdle is what an idle connection may take of heap and stack, in bytes.
const maxIdle = 16 << 10

// TestIdleConnectionIsSmall holds idle, subscribed connections to the limit. BenchmarkIdle is the full size.
func TestIdleConnectionIsSmall(t *testing.T) {
	const conns = 500
	per := idleBytes(t, conns)
	t.Logf("%d connections: %d bytes of heap and stack each", conns, per)
	if per > maxIdle {
		t.Errorf("an idle connection takes %d bytes, at most %d", per, maxIdle)
	}
}

// BenchmarkIdle reports bytes of heap and stack per idle connection at 5,000.
//
//	go test ./internal/wsserver -run '^$' -bench Idle -benchtime 1x
func BenchmarkIdle(b *testing.B) {
	for b.Loop() {
		per := idleBytes(b, 5000)
		b.ReportMetric(float64(per), "B/conn")
		if per > maxIdle {
			b.Errorf("an idle connection takes %d bytes, at most %d", per, maxIdle)
		}
	}
}

func idleBytes(tb testing.TB, n int) int64 {
	srv := wsserver.New(openSource{}, &wsserver.Options{CloseWait: brief, AckDelay: -1})
	addr := onLoopback(tb, func(w http.ResponseWriter, r *http.Request) { srv.Serve(w, r, wire.Linear) })
	before := inUse()
	other := startReaders(tb, addr, wire.Linear.Path(), n)
	// A message to each, so that what sending leaves behind counts too.
	if err := srv.Topic(wire.Linear, fanTopic).Publish(context.Background(), fanMessage, wsserver.Following); err != nil {
		tb.Fatal(err)
	}
	after := inUse()
	if got := srv.Sessions(); got != n {
		tb.Fatalf("%d sessions, want %d", got, n)
	}
	if err := srv.Close(context.Background(), ws.StatusNormalClosure, ""); err != nil {
		tb.Fatal(err)
	}
	frame := wsframe.AppendFrame(nil, ws.OpText, fanMessage)
	if got, want := other.total(tb), int64(n*(len(frame)+4)); got != want {
		tb.Fatalf("the readers got %d bytes, want %d", got, want)
	}
	return (after - before) / int64(n)
}

// inUse is the heap and stack in use after a collection. Two collections: the first one shrinks stacks and empties
// pools, the second frees what that let go.
func inUse() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}
