package wsserver_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bywire/bywire/internal/memnet"
	"github.com/bywire/bywire/internal/wire"
	"github.com/bywire/bywire/internal/wsserver"
)

// bulk is a publication of about 10 kB that carries its number.
func bulk(n int) []byte { return fmt.Appendf(nil, "%06d%s", n, strings.Repeat("x", 10_000)) }

func number(t *testing.T, message string) (n int) {
	t.Helper()
	if len(message) < 6 {
		t.Fatalf("got %q", message)
	}
	if _, err := fmt.Sscanf(message[:6], "%d", &n); err != nil {
		t.Fatalf("got %.80q", message)
	}
	return n
}

// slowTest gives a feed of the policy one client that reads at once into a list and one that does not read.
type slowTest struct {
	f    *feed
	t    *testing.T
	fast *client
	slow *client
	got  chan string // what the fast one received
}

const slowQueue = 200 << 10

func slowServer(t *testing.T, policy wsserver.Slow) (s *slowTest, stop func()) {
	f := newFeed(&wsserver.Options{Slow: policy, QueueBytes: slowQueue, AckDelay: -1})
	ln, stopHTTP := serve(f.srv)
	s = &slowTest{f: f, t: t, got: make(chan string, 10_000)}
	s.fast, s.slow = subscribed(t, ln, "A"), subscribed(t, ln, "A")
	go func() {
		defer close(s.got)
		for {
			message := s.fast.next()
			s.got <- message
			if strings.HasPrefix(message, "end: ") {
				return
			}
		}
	}()
	return s, func() {
		s.fast.conn.Close()
		s.slow.conn.Close()
		ended(t, f.srv)
		stopHTTP()
		f.stop()
	}
}

func subscribed(t *testing.T, ln *memnet.Listener, topics ...string) *client {
	t.Helper()
	c := dial(t, ln, wire.Linear)
	c.send(string(wire.AppendRequest(nil, &wire.Request{Op: wire.OpSubscribe, Args: topics})))
	if reply, err := wire.ParseReply([]byte(c.next())); err != nil || !reply.Success {
		t.Fatalf("%+v %v", reply, err)
	}
	for range topics {
		c.next()
	}
	return c
}

func (s *slowTest) publish(ctx context.Context, n int, kind wsserver.Kind) (err error) {
	s.f.do(func() { err = s.f.srv.Topic(wire.Linear, "A").Publish(ctx, bulk(n), kind) })
	return err
}

func TestSlowConsumerIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, stop := slowServer(t, wsserver.Cut)
		defer stop()
		began := time.Now()
		for n := range 200 { // 2 MB, to a connection that holds 256 kB and a queue of 200 kB
			if err := s.publish(t.Context(), n, wsserver.Following); err != nil {
				t.Fatal(err)
			}
			if got := number(t, <-s.got); got != n {
				t.Fatalf("the fast one got %d, want %d", got, n)
			}
			synctest.Wait() // the slow one's writer does what it can
		}
		if time.Since(began) != 0 {
			t.Errorf("the slow one held the others up for %v", time.Since(began))
		}
		// The slow one gets what was under way when it was cut, in order, and is told.
		for n := 0; ; n++ {
			message := s.slow.next()
			if message == "close 1008 too slow" {
				if n < 25 {
					t.Errorf("cut after %d messages", n)
				}
				break
			}
			if got := number(t, message); got != n {
				t.Fatalf("the slow one got %d, want %d", got, n)
			}
		}
		s.slow.conn.Close()
		synctest.Wait()
		if n := s.f.srv.Sessions(); n != 1 {
			t.Errorf("%d sessions, want the fast one", n)
		}
	})
}

func TestSlowConsumerThatNeverReadsIsGoneAfterCloseWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, stop := slowServer(t, wsserver.Cut)
		defer stop()
		for n := range 100 {
			s.publish(t.Context(), n, wsserver.Following)
			<-s.got
		}
		time.Sleep(wsserver.DefaultCloseWait + time.Second)
		if n := s.f.srv.Sessions(); n != 1 {
			t.Errorf("%d sessions, want the fast one", n)
		}
		if n := s.f.srv.Topic(wire.Linear, "A").Subscribers(); n != 1 {
			t.Errorf("%d subscribers, want the fast one", n)
		}
	})
}

func TestSlowConsumerSetsThePace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, stop := slowServer(t, wsserver.Pause)
		defer stop()
		const messages = 300
		published := make(chan struct{})
		go func() {
			defer close(published)
			for n := range messages {
				if err := s.publish(t.Context(), n, wsserver.Following); err != nil {
					t.Errorf("publish %d: %v", n, err)
					return
				}
			}
		}()
		synctest.Wait()
		select {
		case <-published:
			t.Fatal("everything was published although the slow one did not read")
		default:
		}
		for n := range messages {
			if got := number(t, s.slow.next()); got != n {
				t.Fatalf("the slow one got %d, want %d", got, n)
			}
		}
		<-published
		for n := range messages {
			if got := number(t, <-s.got); got != n {
				t.Fatalf("the fast one got %d, want %d", got, n)
			}
		}
	})
}

func TestPauseEnds(t *testing.T) {
	ends := map[string]func(s *slowTest, cancel func()){
		"when its context ends":        func(s *slowTest, cancel func()) { cancel() },
		"when the consumer goes":       func(s *slowTest, cancel func()) { s.slow.conn.Close() },
		"when the consumer is dead":    func(s *slowTest, cancel func()) { s.slow.conn.(*memnet.Conn).Cut() },
		"when the sessions are closed": func(s *slowTest, cancel func()) { go s.f.srv.CloseSessions(s.t.Context(), 1000, "") },
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, stop := slowServer(t, wsserver.Pause)
				defer stop()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				result := make(chan error, 1)
				go func() {
					for n := range 300 {
						if err := s.publish(ctx, n, wsserver.Following); err != nil {
							result <- err
							return
						}
					}
					result <- nil
				}()
				synctest.Wait()
				if len(result) != 0 {
					t.Fatal("Publish did not wait")
				}
				end(s, cancel)
				err := <-result
				if name == "when its context ends" != errors.Is(err, context.Canceled) {
					t.Errorf("ended with %v", err)
				}
			})
		})
	}
}

func TestSlowConsumerIsConflated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, stop := slowServer(t, wsserver.Conflate)
		defer stop()
		const messages = 500
		for n := range messages {
			s.publish(t.Context(), n, wsserver.Replacing)
			if got := number(t, <-s.got); got != n {
				t.Fatalf("the fast one got %d, want %d", got, n)
			}
		}
		// The slow one misses some, never goes back, and ends with the newest.
		last, received := -1, 0
		for last < messages-1 {
			n := number(t, s.slow.next())
			if n <= last {
				t.Fatalf("%d after %d", n, last)
			}
			last = n
			received++
		}
		if received > 100 {
			t.Errorf("the slow one got %d of %d messages: more than the connection and the queue hold", received, messages)
		}
	})
}

func TestConflateCutsWhatCannotBeReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, stop := slowServer(t, wsserver.Conflate)
		defer stop()
		for n := range 200 {
			s.publish(t.Context(), n, wsserver.Following)
			<-s.got
		}
		for n := 0; ; n++ {
			message := s.slow.next()
			if message == "close 1008 too slow" {
				break
			}
			if got := number(t, message); got != n {
				t.Fatalf("got %d, want %d", got, n)
			}
		}
	})
}

// A replacing frame takes the place of its own topic's frames only, and of none after it.
func TestConflateKeepsTheOtherTopics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(&wsserver.Options{Slow: wsserver.Conflate, QueueBytes: slowQueue, AckDelay: -1})
		ln, stop := serve(f.srv)
		defer func() { ended(t, f.srv); stop(); f.stop() }()
		c := subscribed(t, ln, "A", "B")
		defer c.conn.Close()
		publish := func(topic string, payload []byte, kind wsserver.Kind) {
			f.do(func() { f.srv.Topic(wire.Linear, topic).Publish(t.Context(), payload, kind) })
		}
		fill := 0
		for ; fill < 40; fill++ { // what the connection takes, and the write after it
			publish("A", bulk(fill), wsserver.Replacing)
		}
		synctest.Wait()
		publish("B", []byte("B1"), wsserver.Following)
		for n := fill; n < 200; n++ {
			publish("A", bulk(n), wsserver.Replacing)
		}
		publish("B", []byte("B2"), wsserver.Following)
		publish("A", []byte("A-after"), wsserver.Following)
		var bs []string
		last := ""
		for last != "A-after" {
			last = c.next()
			if last[0] == 'B' {
				bs = append(bs, last)
			}
		}
		if fmt.Sprint(bs) != "[B1 B2]" {
			t.Errorf("of B arrived %v", bs)
		}
	})
}

// A client that asks and asks and does not read its answers is not read from any more.
func TestRepliesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(&wsserver.Options{QueueBytes: 10_000, AckDelay: -1})
		ln, stop := serve(f.srv)
		defer func() { ended(t, f.srv); stop(); f.stop() }()
		c := dial(t, ln, wire.Linear)
		defer c.conn.Close()
		sent := make(chan int)
		go func() {
			for range 20_000 {
				c.send(`{"op":"ping"}`)
			}
			close(sent)
		}()
		synctest.Wait()
		select {
		case <-sent:
			t.Error("20,000 pings were taken although nobody reads the pongs")
		default:
		}
		for range 20_000 {
			if reply, err := wire.ParseReply([]byte(c.next())); err != nil || reply.Op != wire.OpPong {
				t.Fatalf("%+v %v", reply, err)
			}
		}
		<-sent
	})
}
