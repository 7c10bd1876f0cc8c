package sim

import (
	"slices"
	"time"
)

// entry is a message as it was put on a wire.
type entry struct {
	key      int64
	snapshot bool
	damaged  bool // the client cannot read it
}

// place is an entry's: which connection, and where on it.
type place struct{ conn, index int }

func (p place) before(q place) bool { return p.conn < q.conn || p.conn == q.conn && p.index < q.index }

// tape is what was put on the wires of one topic of a stream, in order on each
// connection.
type tape struct {
	conns map[int][]entry
	index map[entry][]place // of what is not damaged
	times map[int64]int     // how often the busiest connection carried the message
	sent  map[int64]time.Time
	holes map[int64]bool // a connection did not carry the message whole, though it carried those around it
}

// tape returns the topic's.
func (n *network) tape(name string) *tape {
	t := n.wires[name]
	if t == nil {
		t = &tape{conns: make(map[int][]entry), index: make(map[entry][]place), times: make(map[int64]int), sent: make(map[int64]time.Time), holes: make(map[int64]bool)}
		n.wires[name] = t
	}
	return t
}

func (t *tape) add(conn int, e entry) {
	p := place{conn, len(t.conns[conn])}
	t.conns[conn] = append(t.conns[conn], e)
	if e.damaged {
		t.holes[e.key] = true
		return
	}
	t.index[e] = append(t.index[e], p)
	if t.sent[e.key].IsZero() {
		t.sent[e.key] = time.Now()
	}
	times := 0
	for _, q := range t.index[e] {
		if q.conn == conn {
			times++
		}
	}
	t.times[e.key] = max(t.times[e.key], times)
}

// find returns where any of the entries stands behind a place, in order.
func (t *tape) find(behind place, entries ...entry) []place {
	var found []place
	for _, e := range entries {
		for _, p := range t.index[e] {
			if behind.before(p) {
				found = append(found, p)
			}
		}
	}
	slices.SortFunc(found, func(a, b place) int {
		if a.before(b) {
			return -1
		}
		return 1
	})
	return found
}

// followNewer returns the place of e, if it is at most n messages behind p on its connection,
// passing over what is damaged and what is not newer than the messages before.
func (t *tape) followNewer(p place, n int, e entry) (place, bool) {
	list := t.conns[p.conn]
	newest := list[p.index].key
	for i := p.index + 1; i < len(list) && n > 0; i++ {
		if list[i].damaged || list[i].key <= newest {
			continue
		}
		newest = list[i].key
		n--
		if list[i] == e {
			return place{p.conn, i}, true
		}
	}
	return place{}, false
}

// follow returns the place n messages behind p on its connection, passing over
// what is damaged, if that is e.
func (t *tape) follow(p place, n int, e entry) (place, bool) {
	list := t.conns[p.conn]
	for i := p.index + 1; i < len(list); i++ {
		if list[i].damaged {
			continue
		}
		if n--; n == 0 {
			return place{p.conn, i}, list[i] == e
		}
	}
	return place{}, false
}
