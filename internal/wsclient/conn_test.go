package wsclient_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"

	"github.com/bywire/bywire/internal/memnet"
	"github.com/bywire/bywire/internal/wsclient"
	"github.com/bywire/bywire/internal/wsframe"
)

// peer is the server's end of one connection.
type peer struct {
	net.Conn
	frames *wsframe.Reader
}

// connect dials a server that upgrades and sends greeting with its answer.
func connect(t *testing.T, greeting []byte) (*wsclient.Conn, *peer) {
	t.Helper()
	return connectOver(t, greeting, func(nc net.Conn) net.Conn { return nc })
}

// connectOver is connect, with the client's end of the network as over says.
func connectOver(t *testing.T, greeting []byte, over func(net.Conn) net.Conn) (*wsclient.Conn, *peer) {
	t.Helper()
	ln := memnet.Listen("venue")
	accepted := make(chan net.Conn, 1)
	go func() {
		nc, err := ln.Accept()
		if err != nil {
			return
		}
		// The greeting must be in the buffer before the client reads the
		// answer, as when both are in one segment.
		if _, err := ws.Upgrade(&together{Conn: nc, tail: greeting}); err != nil {
			t.Error(err)
		}
		accepted <- nc
	}()
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		nc, err := ln.Dial(ctx, network, addr)
		return over(nc), err
	}
	c, err := wsclient.Dial(t.Context(), &wsclient.Config{URL: "ws://venue/v5/public/linear", DialContext: dial})
	if err != nil {
		t.Fatal(err)
	}
	nc := <-accepted
	return c, &peer{nc, wsframe.NewReader(nc, 1024, 1<<20, true)}
}

// together appends tail to the first write.
type together struct {
	net.Conn
	tail []byte
}

func (c *together) Write(p []byte) (int, error) {
	n := len(p)
	p = append(append([]byte(nil), p...), c.tail...)
	c.tail = nil
	_, err := c.Conn.Write(p)
	return n, err
}

func (p *peer) send(op ws.OpCode, payload string) {
	p.Write(wsframe.AppendFrame(nil, op, []byte(payload)))
}

func TestFramesThatComeWithTheHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		greeting := wsframe.AppendFrame(nil, ws.OpText, []byte("first"))
		greeting = wsframe.AppendFrame(greeting, ws.OpText, []byte("second"))
		c, p := connect(t, greeting)
		p.send(ws.OpText, "third")
		for _, want := range []string{"first", "second", "third"} {
			if got, err := c.Next(); err != nil || string(got) != want {
				t.Fatalf("Next = %q, %v, want %q", got, err, want)
			}
		}
		c.Abort(io.ErrUnexpectedEOF)
		if _, err := c.Next(); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("Next after Abort = %v, want its reason", err)
		}
		c.Wait()
		p.Close()
	})
}

// slowWriter takes its time in the middle of each write, so that two at once would mix.
type slowWriter struct{ net.Conn }

func (w slowWriter) Write(p []byte) (int, error) {
	half := len(p) / 2
	n, err := w.Conn.Write(p[:half])
	if err != nil {
		return n, err
	}
	time.Sleep(time.Millisecond)
	m, err := w.Conn.Write(p[half:])
	return n + m, err
}

// What callers send and the answers to the peer's pings go out whole, in the order of
// each sender.
func TestFailureClass15_OneWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := connectOver(t, nil, func(nc net.Conn) net.Conn { return slowWriter{nc} })
		const senders, each = 20, 50
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := c.Next(); !errors.Is(err, io.EOF) {
				t.Errorf("Next = %v, want that nothing came but pings", err)
			}
		})
		wg.Go(func() {
			for range each {
				p.send(ws.OpPing, "are you there")
				time.Sleep(time.Millisecond)
			}
		})
		for s := range senders {
			wg.Go(func() {
				for i := range each {
					if i%10 == s%10 {
						time.Sleep(time.Millisecond)
					}
					if err := c.Send(fmt.Appendf(nil, "%d:%d:%s", s, i, strings.Repeat("x", 200))); err != nil {
						t.Error(err)
					}
				}
			})
		}
		next := make([]int, senders)
		for range (senders + 1) * each {
			op, payload, err := p.frames.Next()
			if err == nil && op == ws.OpPong && string(payload) == "are you there" {
				continue
			}
			if err != nil || op != ws.OpText {
				t.Fatal(op, err)
			}
			var s, i int
			if _, err := fmt.Sscanf(string(payload), "%d:%d:", &s, &i); err != nil || next[s] != i {
				t.Fatalf("frame %.20q, want number %d of its sender", payload, next[s])
			}
			next[s]++
		}
		c.Abort(io.EOF)
		wg.Wait()
		c.Wait()
		p.Close()
	})
}

func TestPingIsAnsweredAndTimeIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := connect(t, nil)
		time.AfterFunc(time.Minute, func() {
			p.send(ws.OpPing, "are you there")
			p.send(ws.OpText, "data")
		})
		start := time.Now()
		if got, err := c.Next(); err != nil || string(got) != "data" {
			t.Fatal(string(got), err)
		}
		if at := c.ReadAt().Sub(start); at != time.Minute || c.Inbound().Sub(start) != time.Minute {
			t.Errorf("ReadAt and Inbound are %v and %v after the start, want a minute", at, c.Inbound().Sub(start))
		}
		if op, payload, err := p.frames.Next(); op != ws.OpPong || string(payload) != "are you there" || err != nil {
			t.Errorf("the answer is %v %q %v, want the pong", op, payload, err)
		}
		c.Abort(nil)
		c.Wait()
		p.Close()
	})
}

func TestOrderlyClose(t *testing.T) {
	t.Run("ours", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, p := connect(t, nil)
			if err := c.Send([]byte("last words")); err != nil {
				t.Fatal(err)
			}
			c.Close()
			if err := c.Send(nil); !errors.Is(err, wsclient.ErrClosed) {
				t.Errorf("Send after Close = %v", err)
			}
			if _, payload, _ := p.frames.Next(); string(payload) != "last words" {
				t.Errorf("got %q before the close", payload)
			}
			op, payload, err := p.frames.Next()
			if code, _, _ := wsframe.ParseClose(payload); op != ws.OpClose || code != 1000 || err != nil {
				t.Errorf("got %v %q %v, want a close", op, payload, err)
			}
			p.Write(wsframe.AppendFrame(nil, ws.OpClose, payload))
			var closed *wsclient.CloseError
			if _, err := c.Next(); !errors.As(err, &closed) || closed.Code != 1000 {
				t.Errorf("Next = %v, want the peer's close", err)
			}
			c.Wait()
			p.Close()
		})
	})
	t.Run("ours, without an answer", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, p := connect(t, nil)
			start := time.Now()
			c.Close()
			if _, err := c.Next(); err == nil || time.Since(start) != time.Second {
				t.Errorf("Next = %v after %v, want an error after a second", err, time.Since(start))
			}
			c.Wait()
			p.Close()
		})
	})
	t.Run("theirs", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, p := connect(t, nil)
			p.Write(wsframe.AppendFrame(nil, ws.OpClose, wsframe.AppendClose(nil, 1000, "end of capture")))
			_, err := c.Next()
			if err == nil || err.Error() != "closed by the peer: end of capture (1000)" {
				t.Errorf("Next = %v", err)
			}
			if op, _, err := p.frames.Next(); op != ws.OpClose || err != nil {
				t.Errorf("the answer is %v %v, want a close", op, err)
			}
			c.Wait()
			p.Close()
		})
	})
	t.Run("a masked frame is a breach", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c, p := connect(t, nil)
			p.Write(wsframe.AppendMasked(nil, ws.OpText, [4]byte{1}, []byte("x")))
			if _, err := c.Next(); err == nil {
				t.Error("Next took a masked frame")
			}
			op, payload, err := p.frames.Next()
			if code, _, _ := wsframe.ParseClose(payload); op != ws.OpClose || code != 1002 {
				t.Errorf("the peer is told %v %d %v, want close 1002", op, code, err)
			}
			c.Wait()
			p.Close()
		})
	})
}

func TestPeerThatDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, p := connect(t, nil)
		big := make([]byte, 300<<10)
		var err error
		for range 10 {
			if err = c.Send(big); err != nil {
				break
			}
			synctest.Wait()
		}
		if !errors.Is(err, wsclient.ErrQueueFull) {
			t.Fatalf("Send = %v, want a full queue", err)
		}
		start := time.Now()
		_, err = c.Next()
		var timeout net.Error
		if !errors.As(err, &timeout) || !timeout.Timeout() || time.Since(start) != 10*time.Second {
			t.Errorf("Next = %v after %v, want the write's timeout after 10s", err, time.Since(start))
		}
		c.Wait()
		p.Close()
	})
}

func TestHandshakeRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := memnet.Listen("venue")
		srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "no access from your region", http.StatusForbidden)
		})}
		done := make(chan struct{})
		go func() { defer close(done); srv.Serve(ln) }()
		_, err := wsclient.Dial(t.Context(), &wsclient.Config{URL: "ws://venue/x", DialContext: ln.Dial})
		var refused *wsclient.HandshakeError
		if !errors.As(err, &refused) || refused.Status != 403 || refused.Body != "no access from your region" {
			t.Errorf("Dial = %v, want HTTP 403 and its text", err)
		}
		srv.Close()
		<-done
	})
}

func TestDialIsBoundedByContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := memnet.Listen("venue") // accepts nothing: the handshake hangs
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		start := time.Now()
		_, err := wsclient.Dial(ctx, &wsclient.Config{URL: "ws://venue/x", DialContext: ln.Dial})
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 3*time.Second {
			t.Errorf("Dial = %v after %v, want the deadline after 3s", err, time.Since(start))
		}
	})
}
