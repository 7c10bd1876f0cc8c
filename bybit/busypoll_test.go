//go:build unix

package bybit_test

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/internal/wire"
	"github.com/bywire/bywire/internal/wsframe"
)

// waitingConn counts the reads that may sleep.
type waitingConn struct {
	*net.TCPConn
	reads *atomic.Int64
}

func (c waitingConn) Read(p []byte) (int, error) {
	c.reads.Add(1)
	return c.TCPConn.Read(p)
}

// A stream that polls is served by a real socket: each frame is sent when the
// one before was received, and the reader never sleeps in between.
func TestBusyPollDoesNotSleep(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	next := make(chan int)
	go func() {
		nc, err := ln.Accept()
		if err != nil {
			return
		}
		defer nc.Close()
		if _, err := ws.Upgrade(nc); err != nil {
			return
		}
		frames := wsframe.NewReader(nc, 1024, 1<<20, true)
		_, payload, err := frames.Next()
		if err != nil {
			return
		}
		req, err := wire.ParseRequest(payload)
		if err != nil {
			return
		}
		ack := wire.AppendReply(nil, wire.FamilyFutures, &wire.Reply{Op: req.Op, ReqID: req.ReqID, Success: true})
		nc.Write(wsframe.AppendFrame(nil, ws.OpText, ack))
		for seq := range next {
			nc.Write(wsframe.AppendFrame(nil, ws.OpText, []byte(tradeFrame("BTCUSDT", seq))))
		}
	}()

	var reads atomic.Int64
	client, err := bybit.NewClient(&bybit.Options{
		Environment: bybit.CustomEnvironment("ws://"+ln.Addr().String(), ""),
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			nc, err := new(net.Dialer).DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return waitingConn{nc.(*net.TCPConn), &reads}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	s, err := client.Public(t.Context(), bybit.Linear, &bybit.StreamOptions{BusyPoll: time.Minute}, bybit.Trades("BTCUSDT"))
	if err != nil {
		t.Fatal(err)
	}
	before := reads.Load()
	for seq := range 100 {
		next <- seq
		ev, err := s.Recv(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := ev.(*bybit.TradesEvent); !ok || e.Trades[0].Seq != int64(seq) {
			t.Fatalf("event %d: %s", seq, describe(ev))
		}
	}
	if slept := reads.Load() - before; slept != 0 {
		t.Errorf("the reader slept %d times in 100 messages", slept)
	}
	close(next)
}
