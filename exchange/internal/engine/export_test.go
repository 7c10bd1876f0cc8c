package engine

import "fmt"

var HashOf = hashOf

// Check finds contradictions between the parts of a book.
func (b *Book) Check() error {
	orders := 0
	for i := range b.sides {
		s := &b.sides[i]
		var total int64
		var last uint64
		best, levels := int32(0), 0
		for l := s.tree.ceiling(0); l != 0; l = s.tree.ceiling(s.levels[l].key + 1) {
			v := &s.levels[l]
			levels++
			if v.key <= last || v.key != s.key(v.price) {
				return fmt.Errorf("level %d at %d has key %d behind key %d", l, v.price, v.key, last)
			}
			last = v.key
			if best == 0 && v.queue[forAll].n > 0 {
				best = l
			}
			if v.queue[forAll].n+v.queue[rpiOnly].n == 0 {
				return fmt.Errorf("level %d at %d is empty", l, v.price)
			}
			for kind, q := range v.queue {
				var sum int64
				var n, prev int32
				for slot := q.head; slot != 0; slot = b.orders[slot].next {
					r := &b.orders[slot]
					if r.level != l || r.prev != prev || queueOf(r.tif) != kind || r.side != Side(i) || r.left <= 0 || b.find(r.id) != slot {
						return fmt.Errorf("order %+v stands in level %d, queue %d, behind %d", *r, l, kind, prev)
					}
					prev = slot
					n++
					sum += r.left
				}
				if n != q.n || sum != q.qty || prev != q.tail {
					return fmt.Errorf("queue %d of level %d at %d is %+v, and holds %d orders of %d", kind, l, v.price, q, n, sum)
				}
				orders += int(n)
				total += sum
			}
		}
		if total != s.total || best != s.best {
			return fmt.Errorf("side %v has total %d and best %d, want %d and %d", Side(i), s.total, s.best, total, best)
		}
		if s.levels[0] != (level{}) {
			return fmt.Errorf("side %v: the level that is none is %+v", Side(i), s.levels[0])
		}
		freed := 0
		for l := s.free; l != 0; l = s.levels[l].queue[0].head {
			if s.levels[l].key != 0 {
				return fmt.Errorf("side %v: level %d is free and has key %d", Side(i), l, s.levels[l].key)
			}
			freed++
		}
		if levels+freed+1 != len(s.levels) {
			return fmt.Errorf("side %v: %d levels in use and %d free of %d", Side(i), levels, freed, len(s.levels))
		}
		if err := s.tree.check(levels); err != nil {
			return fmt.Errorf("side %v: %w", Side(i), err)
		}
	}
	bid, _, bids := b.Best(Buy)
	ask, _, asks := b.Best(Sell)
	if bids && asks && bid >= ask {
		return fmt.Errorf("best bid %d, best ask %d", bid, ask)
	}
	freed := 0
	for slot := b.free; slot != 0; slot = b.orders[slot].next {
		freed++
	}
	if orders+freed+1 != len(b.orders) || orders != b.index.used {
		return fmt.Errorf("%d orders in the levels, %d in the index, %d free slots of %d", orders, b.index.used, freed, len(b.orders))
	}
	return b.index.check(b.orders)
}

// check looks for each order from where its search begins, and counts those that a bucket sent on.
func (x *index) check(orders []resting) error {
	mask := uint32(len(x.buckets) - 1)
	sent, used := make([]uint64, len(x.buckets)), 0
	for i := range x.buckets {
		for at := x.buckets[i].tagged(0) ^ highest; at != 0; at &= at - 1 {
			used++
			hash := hashOf(orders[x.buckets[i].slots[first(at)]].id)
			if tag := x.buckets[i].tags >> (8 * first(at)) & 0xff; tag != tagOf(hash) {
				return fmt.Errorf("an order of tag %d under tag %d", tagOf(hash), tag)
			}
			for j := hash & mask; j != uint32(i); j = (j + 1) & mask {
				sent[j]++
			}
		}
	}
	if used != x.used {
		return fmt.Errorf("the index holds %d orders, and says %d", used, x.used)
	}
	for i, n := range sent {
		if count := x.buckets[i].tags / sentOn; count != n {
			return fmt.Errorf("bucket %d says that it sent on %d orders, and %d went on", i, count, n)
		}
	}
	return nil
}

// check counts the nodes from the root on.
func (t *tree) check(values int) error {
	var walk func(n int32, tier int) (nodes, leaves int)
	walk = func(n int32, tier int) (nodes, leaves int) {
		for i, child := range t.nodes[n].child {
			if t.nodes[n].used>>i&1 == 0 {
				continue
			}
			if tier == 0 {
				leaves++
				continue
			}
			below, values := walk(child, tier-1)
			nodes += below
			leaves += values
		}
		return nodes + 1, leaves
	}
	nodes, leaves := walk(0, tiers-1)
	freed := 0
	for n := t.free; n != 0; n = t.nodes[n].child[0] {
		freed++
	}
	if nodes+freed != len(t.nodes) || leaves != values {
		return fmt.Errorf("a tree with %d values in %d nodes, and %d free; want %d values, %d nodes", leaves, nodes, freed, values, len(t.nodes))
	}
	return nil
}
