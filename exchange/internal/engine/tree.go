package engine

import "math/bits"

// A tree is an ordered map from keys of keyBits bits to small numbers above 0. It is a trie of fan-out 64: each node
// has a bitmap of its children, so the next larger key is a few bit operations per tier away, however many there are.
//
// Commands come in clusters of prices. The tree remembers the path to the key it went to last; the next descent begins at
// the lowest node that both keys share, mostly the leaf or its parent.
type tree struct {
	nodes []node       // nodes[0] is the root
	free  int32        // first of the nodes to use again, chained by child[0]; 0: none
	path  [tiers]int32 // path[t] is the node of tier t on the way to at, for t >= valid
	at    uint64
	valid int
}

type node struct {
	used  uint64    // bit i: child[i] is set
	child [64]int32 // at tier 0 the values, above the nodes of the tier below
}

const (
	fanBits = 6
	fan     = 1<<fanBits - 1
	tiers   = 8
	keyBits = fanBits * tiers
)

func newTree() tree { return tree{nodes: make([]node, 1, 16), valid: tiers - 1} }

// descend follows key as far as there are nodes, and returns the tier it reached.
func (t *tree) descend(key uint64) int {
	tier := max(t.valid, (bits.Len64((t.at^key)>>fanBits)+fanBits-1)/fanBits)
	t.at = key
	for ; tier > 0; tier-- {
		n := &t.nodes[t.path[tier]]
		i := key >> (fanBits * tier) & fan
		if n.used>>i&1 == 0 {
			break
		}
		t.path[tier-1] = n.child[i]
	}
	t.valid = tier
	return tier
}

// leaf returns the leaf of key, which it makes if there is none.
func (t *tree) leaf(key uint64) *node {
	for tier := t.descend(key); tier > 0; tier-- {
		child := t.newNode()
		n := &t.nodes[t.path[tier]]
		i := key >> (fanBits * tier) & fan
		n.used |= 1 << i
		n.child[i] = child
		t.path[tier-1] = child
	}
	t.valid = 0
	return &t.nodes[t.path[0]]
}

func (t *tree) newNode() int32 {
	n := t.free
	if n == 0 {
		t.nodes = append(t.nodes, node{})
		return int32(len(t.nodes) - 1)
	}
	t.free = t.nodes[n].child[0]
	t.nodes[n].used = 0
	return n
}

// delete removes a key that is there, and the nodes that it leaves empty.
func (t *tree) delete(key uint64) {
	t.descend(key)
	for tier := 0; ; tier++ {
		at := t.path[tier]
		n := &t.nodes[at]
		n.used &^= 1 << (key >> (fanBits * tier) & fan)
		if n.used != 0 || tier == tiers-1 {
			t.valid = tier
			return
		}
		n.child[0], t.free = t.free, at
	}
}

// ceiling returns the value of the smallest key that is at least key; 0: there is none.
func (t *tree) ceiling(key uint64) int32 {
	tier := t.descend(key)
	n := &t.nodes[t.path[tier]]
	more := n.used & (^uint64(0) << (key >> (fanBits * tier) & fan))
	for more == 0 {
		if tier++; tier == tiers {
			return 0
		}
		n = &t.nodes[t.path[tier]]
		more = n.used & (^uint64(1) << (key >> (fanBits * tier) & fan))
	}
	// Down along the smallest children.
	for ; ; tier-- {
		i := bits.TrailingZeros64(more)
		shift := fanBits * tier
		t.at = t.at>>(shift+fanBits)<<(shift+fanBits) | uint64(i)<<shift
		if tier == 0 {
			t.valid = 0
			return n.child[i]
		}
		t.path[tier-1] = n.child[i]
		n = &t.nodes[n.child[i]]
		more = n.used
	}
}
