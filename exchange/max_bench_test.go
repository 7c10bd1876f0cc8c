package exchange

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/bywire/bywire/internal/memnet"
	"github.com/bywire/bywire/internal/wsframe"
)

// readAll subscribes and throws away what comes.
func readAll(b *testing.B, ln *memnet.Listener, topics []string) net.Conn {
	b.Helper()
	conn, err := ln.Dial(b.Context(), "tcp", "localhost:80")
	if err != nil {
		b.Fatal(err)
	}
	fmt.Fprint(conn, "GET /v5/public/linear HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	request := `{"op":"subscribe","args":["` + strings.Join(topics, `","`) + `"]}`
	if _, err := conn.Write(wsframe.AppendMasked(nil, ws.OpText, [4]byte{1, 2, 3, 4}, []byte(request))); err != nil {
		b.Fatal(err)
	}
	go io.Copy(io.Discard, conn)
	return conn
}

// How many virtual seconds a Max clock makes in a second, of one symbol without and with a subscriber that reads all of its
// books and trades, and of all instruments. Of one symbol with nobody listening it must be 500.
func BenchmarkMaxClock(b *testing.B) {
	for _, tt := range []struct {
		name    string
		symbols []string
		topics  []string
	}{
		{"one symbol", []string{"linear:BTCUSDT"}, nil},
		{"one symbol, one subscriber", []string{"linear:BTCUSDT"}, []string{"orderbook.50.BTCUSDT", "publicTrade.BTCUSDT", "tickers.BTCUSDT"}},
		{"all", nil, nil},
	} {
		b.Run(tt.name, func(b *testing.B) {
			x, err := New(&Config{Seed: 1, Clock: Max, Symbols: tt.symbols, Limits: LimitsOff})
			if err != nil {
				b.Fatal(err)
			}
			defer x.Close()
			if tt.topics != nil {
				ln := memnet.Listen("exchange")
				srv := x.Server()
				go srv.Serve(ln)
				defer srv.Close()
				c := readAll(b, ln, tt.topics)
				defer c.Close()
			}
			look := time.NewTicker(50 * time.Microsecond)
			defer look.Stop()
			begun, from := time.Now(), x.Now()
			for b.Loop() {
				for until := x.Now().Add(time.Second); x.Now().Before(until); {
					<-look.C
				}
			}
			times := float64(x.Now().Sub(from)) / float64(time.Since(begun))
			b.ReportMetric(times, "x-real-time")
			if len(tt.symbols) == 1 && tt.topics == nil && times < 500 {
				b.Errorf("%.0f times real time, want 500 or more", times)
			}
		})
	}
}
