package engine

// A side holds the levels of bids or asks. Its tree is ordered from the best price to the worst on either side: the key
// of an ask is its price, that of a bid its price negated, both moved above 0.
type side struct {
	sign    int64 // 1: asks, -1: bids
	tree    tree
	levels  []level // levels[0] is none, and stays zero
	free    int32   // first of the levels to use again, chained by the head of the first queue
	best    int32   // the first level with an order that all may take; 0: none
	total   int64   // sum of the quantities of its orders
	version int64   // Seq of the last change

	recent [1 << recentBits]int32 // levels that were asked for last, by a hash of their keys; one may be gone
}

const recentBits = 8

// A level holds the orders at one price.
type level struct {
	price int64
	key   uint64   // 0: nothing rests at it
	queue [2]queue // orders for all, and RPI orders
}

// A queue holds orders from the oldest to the newest.
type queue struct {
	qty        int64 // sum of what is left of them
	head, tail int32
	n          int32
}

// A resting is an order in the book.
type resting struct {
	id         uint64
	left       int64 // what may still trade
	done       int64 // what has traded
	account    uint32
	group      uint32
	level      int32
	prev, next int32 // in its queue; next chains free slots, too
	side       Side
	tif        TimeInForce
	tag        Tag
	flags      flags
}

// flags are the rest of what an order was placed with and still matters when it is amended.
type flags uint8

const (
	prevention flags = 1<<2 - 1 // the Prevention
	seesRPI    flags = 1 << 2
	reprice    flags = 1 << 3
)

func flagsOf(o *Order) flags {
	f := flags(o.Prevent)
	if o.SeesRPI {
		f |= seesRPI
	}
	if o.Reprice {
		f |= reprice
	}
	return f
}

func (f flags) prevent() Prevention { return Prevention(f & prevention) }

// The queues of a level.
const (
	forAll  = 0
	rpiOnly = 1
)

func queueOf(t TimeInForce) int {
	if t == RPI {
		return rpiOnly
	}
	return forAll
}

// maxPrice bounds prices on both sides of zero, so that keys, and a key more, fit the tree.
const maxPrice = 1<<(keyBits-1) - 2

func inRange(price int64) bool { return -maxPrice <= price && price <= maxPrice }

func newSide(sign int64) side {
	return side{sign: sign, tree: newTree(), levels: make([]level, 1, 64)}
}

func (s *side) key(price int64) uint64 { return uint64(s.sign*price + 1<<(keyBits-1)) }

// at returns the level of a price, which it makes if there is none.
func (s *side) at(price int64) int32 {
	key := s.key(price)
	recent := &s.recent[key*0x9e3779b97f4a7c15>>(64-recentBits)]
	if s.levels[*recent].key == key {
		return *recent
	}
	leaf, i := s.tree.leaf(key), key&fan
	if leaf.used>>i&1 != 0 {
		*recent = leaf.child[i]
		return *recent
	}
	l := s.free
	if l == 0 {
		l = int32(len(s.levels))
		s.levels = append(s.levels, level{})
	} else {
		s.free = s.levels[l].queue[0].head
	}
	s.levels[l] = level{price: price, key: key}
	leaf.used |= 1 << i
	leaf.child[i], *recent = l, l
	return l
}

// after returns the next worse level: with an order that all may take, or with any. 0: there is none.
func (s *side) after(l int32, rpi bool) int32 {
	for {
		l = s.tree.ceiling(s.levels[l].key + 1)
		if l == 0 || rpi || s.levels[l].queue[forAll].n > 0 {
			return l
		}
	}
}

// emptied tells the side that a queue of the level has run empty: the best may be another level, and a level without
// orders goes.
func (s *side) emptied(l int32) {
	if l == s.best && s.levels[l].queue[forAll].n == 0 {
		s.best = s.after(l, false)
	}
	v := &s.levels[l]
	if v.queue[forAll].n == 0 && v.queue[rpiOnly].n == 0 {
		s.tree.delete(v.key)
		v.key = 0
		v.queue[0].head, s.free = s.free, l
	}
}
