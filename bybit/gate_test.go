package bybit

import (
	"testing"
	"testing/synctest"
	"time"
)

// What counts against a limit: the category's, each order of a batch, except on option.
func TestRequestsCountByOrders(t *testing.T) {
	rows := []limit{{"linear", 10, time.Second}, {"option", 3, time.Second}, {"spot", 20, time.Second}}
	three := `"request":[{"symbol":"A","x":[1]},{},{"symbol":"C"}]`
	for _, c := range []struct {
		name  string
		e     endpoint
		query string
		body  string
		calls int
		n     int
	}{
		{"one limit", endpoint{method: "GET", limits: []limit{{"", 50, time.Second}}}, "category=spot", "", 50, 1},
		{"no limit", endpoint{method: "GET"}, "", "", 0, 1},
		{"by category", endpoint{method: "GET", limits: rows}, "symbol=X&category=spot", "", 20, 1},
		{"the category in a body", endpoint{method: "POST", limits: rows}, "", `{"symbol":"X","category":"linear"}`, 10, 1},
		{"no category", endpoint{method: "POST", limits: rows}, "", `{"symbol":"X"}`, 3, 1},
		{"a batch", endpoint{method: "POST", limits: rows, batch: true}, "", `{"category":"spot",` + three + `}`, 20, 3},
		{"a batch before its category", endpoint{method: "POST", limits: rows, batch: true}, "", `{` + three + `,"category":"spot"}`, 20, 3},
		{"a batch on option", endpoint{method: "POST", limits: rows, batch: true}, "", `{"category":"option",` + three + `}`, 3, 1},
		{"an empty batch", endpoint{method: "POST", limits: rows, batch: true}, "", `{"category":"spot","request":[]}`, 20, 1},
		{"no JSON", endpoint{method: "POST", limits: rows, batch: true}, "", `{"category":`, 3, 1},
	} {
		r := &request{endpoint: &c.e, query: []byte(c.query), body: []byte(c.body)}
		if l, n := r.limit(); l.calls != c.calls || n != c.n {
			t.Errorf("%s: counts %d of %d, want %d of %d", c.name, n, l.calls, c.n, c.calls)
		}
	}
}

// taken waits for a place and leaves with it.
func taken(g *gate, n int) *place {
	p, q, _ := g.enter(n, reads)
	if p == nil {
		<-q.ready
		p = q.place
	}
	p.left()
	return p
}

// A batch takes as many places as it has orders; one that is larger than the limit takes all.
func TestGateCountsPlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{size: 10, per: time.Second}
		begun := time.Now()
		for i, c := range []struct {
			n  int
			at time.Duration
		}{{4, 0}, {6, 0}, {1, time.Second}, {9, time.Second}, {25, 2 * time.Second}, {10, 3 * time.Second}} {
			p := taken(g, c.n)
			if at := time.Since(begun); at != c.at {
				t.Errorf("%d: %d are admitted at %v, want %v", i, c.n, at, c.at)
			}
			p.done(true)
		}
	})
}

// The span of a place begins with its reply, and a second after it was taken at the latest: no
// delay on the way makes the exchange count more than its limit in one span.
func TestGateCountsFromTheReply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{size: 1, per: 5 * time.Second}
		begun := time.Now()
		take := func(want time.Duration) *place {
			t.Helper()
			p := taken(g, 1)
			if at := time.Since(begun); at != want {
				t.Errorf("admitted at %v, want %v", at, want)
			}
			return p
		}
		p := take(0)
		time.Sleep(300 * time.Millisecond)
		p.done(true)
		slow := take(5300 * time.Millisecond)
		last := take(11300 * time.Millisecond) // the reply of slow is still to come
		slow.done(true)
		last.done(false)
		take(11300 * time.Millisecond)
	})
}

// A gate without a limit admits everything, and learns its limit while requests are under way.
func TestGateLearns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{per: time.Second}
		begun := time.Now()
		for range 100 {
			if taken(g, 1); time.Since(begun) != 0 {
				t.Fatal(time.Since(begun))
			}
		}
		g.learn(50, 10)
		if used, size, _ := g.state(); used != 100 || size != 50 {
			t.Errorf("%d of %d, want 100 of 50", used, size)
		}
		if taken(g, 1); time.Since(begun) != maxFlight+time.Second {
			t.Errorf("admitted after %v", time.Since(begun))
		}
		g.learn(50, 50)
		if used, _, _ := g.state(); used != 1 {
			t.Errorf("%d are used, want our own one", used)
		}
		g.learn(50, 20)
		g.learn(-1, 20)
		g.learn(-1, -1)
		if used, _, _ := g.state(); used != 30 {
			t.Errorf("%d are used, want 30 with those of others", used)
		}
	})
}
