package wsserver_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bywire/bywire/internal/memnet"
	"github.com/bywire/bywire/internal/wire"
	"github.com/bywire/bywire/internal/wsserver"
)

// idleOp makes bywire.idle known, with an optional count.
func idleOp(s *wsserver.Session, r *wire.Request) bool {
	if r.Op != "test.idle" {
		return false
	}
	n := int64(-1)
	if len(r.Args) == 1 {
		fmt.Sscan(r.Args[0], &n)
	}
	s.Idle(n)
	return true
}

func subscribedTo(t *testing.T, ln *memnet.Listener, topic string) *client {
	t.Helper()
	c := dial(t, ln, wire.Linear)
	c.send(`{"op":"subscribe","args":["` + topic + `"]}`)
	for range 2 { // the acknowledgement and the snapshot
		if m := c.next(); strings.HasPrefix(m, "end") {
			t.Fatal(m)
		}
	}
	return c
}

// WaitSent returns at once when everything was taken, waits for a client that reads late, and names one that does not.
func TestWaitSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(&wsserver.Options{QueueBytes: 8 << 20, AckDelay: 3 * time.Millisecond})
		ln, stop := serve(f.srv)
		defer f.stop()
		defer stop()
		c := subscribedTo(t, ln, "A")
		publish := func() {
			f.do(func() {
				for n := range 100 {
					f.srv.Topic(wire.Linear, "A").Publish(t.Context(), bulk(n), wsserver.Following)
				}
			})
		}
		wait := func(size int) (late []*wsserver.Session, took time.Duration) {
			begun := time.Now()
			late = f.srv.WaitSent(t.Context(), size, time.Second)
			return late, time.Since(begun)
		}
		if late, took := wait(0); len(late) != 0 || took != 0 {
			t.Fatalf("nothing queued: late %d after %v", len(late), took)
		}
		publish() // a megabyte: more than the network takes
		if late, took := wait(0); len(late) != 1 || took != time.Second || late[0].ID() == "" {
			t.Fatalf("a stopped reader: late %d after %v", len(late), took)
		}
		if late, took := wait(0); len(late) != 1 || took != 0 {
			t.Fatalf("a stopped reader that is known: late %d after %v", len(late), took)
		}
		if f.srv.Behind(1000) {
			t.Fatal("Behind counts a session that was given up")
		}
		if late, took := wait(2 << 20); len(late) != 0 || took != 0 {
			t.Fatalf("within the size: late %d after %v", len(late), took)
		}
		for range 100 {
			c.next()
		}
		synctest.Wait()
		publish()
		synctest.Wait()
		if !f.srv.Behind(1000) || f.srv.Behind(2<<20) {
			t.Fatal("Behind(1000) of a megabyte is false, or Behind(2 MiB) true")
		}
		go func() {
			time.Sleep(300 * time.Millisecond)
			for range 100 {
				c.next()
			}
		}()
		if late, took := wait(0); len(late) != 0 || took != 300*time.Millisecond {
			t.Fatalf("a late reader: late %d after %v", len(late), took)
		}
		publish()
		go func() {
			time.Sleep(200 * time.Millisecond)
			c.conn.Close()
		}()
		if late, took := wait(0); len(late) != 0 || took != 200*time.Millisecond {
			t.Fatalf("a reader that went: late %d after %v", len(late), took)
		}
		ended(t, f.srv)
	})
}

// An acknowledgement that is held counts as unsent until its time.
func TestWaitSentWaitsForHeldAcknowledgements(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(&wsserver.Options{AckDelay: 50 * time.Millisecond})
		ln, stop := serve(f.srv)
		defer f.stop()
		defer stop()
		c := dial(t, ln, wire.Linear)
		c.send(`{"op":"subscribe","args":["A"]}`)
		synctest.Wait()
		begun := time.Now()
		if late := f.srv.WaitSent(t.Context(), 0, time.Second); len(late) != 0 || time.Since(begun) != 50*time.Millisecond {
			t.Fatalf("late %d after %v", len(late), time.Since(begun))
		}
		c.conn.Close()
		ended(t, f.srv)
	})
}

// A client that reads slowly sets the pace: what counts is the time since it last took something. One that is throttled
// does not.
func TestWaitSentOfASlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(&wsserver.Options{QueueBytes: 8 << 20, AckDelay: -1})
		ln, stop := serve(f.srv)
		defer f.stop()
		defer stop()
		c := subscribedTo(t, ln, "A")
		publish := func() {
			f.do(func() {
				for n := range 100 {
					f.srv.Topic(wire.Linear, "A").Publish(t.Context(), bulk(n), wsserver.Following)
				}
			})
		}
		slowly := func(done chan<- string) {
			for range 100 {
				time.Sleep(100 * time.Millisecond) // 100 KB/s
				c.next()
			}
			close(done)
		}
		done := make(chan string)
		publish()
		go slowly(done)
		begun := time.Now()
		late := f.srv.WaitSent(t.Context(), 0, time.Second)
		// The network holds a quarter of a megabyte, which the server counts as taken.
		if took := time.Since(begun); len(late) != 0 || took < 6*time.Second || took > 10*time.Second {
			t.Fatalf("a slow reader: late %d after %v", len(late), took)
		}
		<-done

		publish()
		if late := f.srv.WaitSent(t.Context(), 0, time.Second); len(late) != 1 {
			t.Fatalf("a stopped reader: late %d", len(late))
		}
		done = make(chan string)
		go slowly(done)
		time.Sleep(2 * time.Second)
		if late := f.srv.WaitSent(t.Context(), 0, time.Second); len(late) != 0 {
			t.Fatal("a reader that goes on is not waited for")
		}
		<-done

		f.srv.Each(func(s *wsserver.Session) { s.Throttle(20_000) })
		publish()
		for range 2 {
			begun = time.Now()
			if late := f.srv.WaitSent(t.Context(), 0, time.Second); len(late) != 1 || time.Since(begun) > time.Second {
				t.Fatalf("a throttled session: late %d after %v", len(late), time.Since(begun))
			}
		}
		c.conn.Close()
		ended(t, f.srv)
	})
}

// A steady client that says how far it has come is waited for, however long it takes; one that only pings is not.
func TestWaitIdleOfASlowClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(&wsserver.Options{AckDelay: -1, Op: idleOp})
		ln, stop := serve(f.srv)
		defer f.stop()
		defer stop()
		c := subscribedTo(t, ln, "A")
		c.send(`{"op":"test.idle"}`)
		synctest.Wait()
		every := func(text func(n int) string) {
			go func() {
				for n := range 10 {
					time.Sleep(700 * time.Millisecond)
					c.send(text(n))
				}
			}()
		}
		publish := func() {
			f.do(func() {
				for range 10 {
					f.publish(t.Context(), wire.Linear, "A")
				}
			})
			synctest.Wait()
		}
		publish()
		begun := time.Now()
		every(func(n int) string { return fmt.Sprintf(`{"op":"test.idle","args":["%d"]}`, 3+n) })
		if late, took := f.srv.WaitIdle(t.Context(), 0, time.Second), time.Since(begun); len(late) != 0 || took != 7*time.Second {
			t.Fatalf("one after the other: late %d after %v", len(late), took)
		}
		publish()
		begun = time.Now()
		every(func(int) string { return `{"op":"ping"}` })
		if late, took := f.srv.WaitIdle(t.Context(), 0, time.Second), time.Since(begun); len(late) != 1 || took != time.Second {
			t.Fatalf("pings: late %d after %v", len(late), took)
		}
		time.Sleep(10 * time.Second)
		c.conn.Close()
		ended(t, f.srv)
	})
}

// WaitIdle waits for what steady clients say, and by a span of silence for the others.
func TestWaitIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(&wsserver.Options{AckDelay: -1, Op: idleOp})
		ln, stop := serve(f.srv)
		defer f.stop()
		defer stop()
		steady, quiet := subscribedTo(t, ln, "A"), subscribedTo(t, ln, "A")
		publish := func() {
			f.do(func() { f.publish(t.Context(), wire.Linear, "A") })
			synctest.Wait()
		}
		wait := func(silence time.Duration) (late int, took time.Duration) {
			begun := time.Now()
			late = len(f.srv.WaitIdle(t.Context(), silence, time.Second))
			return late, time.Since(begun)
		}
		after := func(d time.Duration, do func()) {
			go func() {
				time.Sleep(d)
				do()
			}()
		}
		want := func(what string, silence time.Duration, wantLate int, wantTook time.Duration) {
			t.Helper()
			if late, took := wait(silence); late != wantLate || took != wantTook {
				t.Fatalf("%s: late %d after %v, want %d after %v", what, late, took, wantLate, wantTook)
			}
		}
		publish()
		want("nobody is steady", 0, 0, 0)
		want("silence", 20*time.Millisecond, 0, 20*time.Millisecond)
		steady.send(`{"op":"test.idle"}`)
		synctest.Wait()
		publish()
		want("a steady client that says nothing", 0, 1, time.Second)
		want("a steady client that is known to say nothing", 0, 1, 0)
		steady.send(`{"op":"ping"}`)
		synctest.Wait()
		want("a ping is no word about what it got", 0, 1, 0)
		steady.send(`{"op":"test.idle","args":["2"]}`)
		synctest.Wait()
		after(70*time.Millisecond, func() { steady.send(`{"op":"test.idle"}`) })
		want("a steady client", 0, 0, 70*time.Millisecond)
		want("a steady client that has nothing new", 0, 0, 0)

		publish()
		publish() // the sixth and seventh message: acknowledgement, snapshot, two publications, pong
		after(10*time.Millisecond, func() { steady.send(`{"op":"test.idle","args":["6"]}`) })
		after(90*time.Millisecond, func() { steady.send(`{"op":"test.idle","args":["7"]}`) })
		want("a client that counts", 0, 0, 90*time.Millisecond)

		publish()
		after(15*time.Millisecond, func() { quiet.send(`{"op":"ping"}`) })
		want("silence begins anew with a request", 20*time.Millisecond, 0, 35*time.Millisecond)

		steady.conn.Close()
		quiet.conn.Close()
		ended(t, f.srv)
	})
}

// Who subscribes makes a topic wanted, who leaves or goes ends it.
func TestWanted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(&wsserver.Options{AckDelay: -1})
		ln, stop := serve(f.srv)
		defer f.stop()
		defer stop()
		a := f.srv.Topic(wire.Linear, "A")
		var got []bool
		look := func() {
			synctest.Wait()
			got = append(got, a.Wanted())
		}
		look()
		c, d := subscribedTo(t, ln, "A"), subscribedTo(t, ln, "A")
		look()
		c.send(`{"op":"unsubscribe","args":["A"]}`)
		look()
		d.conn.Close()
		look()
		if want := []bool{false, true, true, false}; !slices.Equal(got, want) {
			t.Errorf("wanted %v, want %v", got, want)
		}
		c.conn.Close()
		ended(t, f.srv)
	})
}
