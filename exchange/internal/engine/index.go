package engine

import "math/bits"

// An index finds the slot of an order by its id. It is a hash table of small buckets: each has six slots, and a byte of the
// hash of each, its tag, and all tags of a bucket are compared at once; so a search seldom looks at an order that is not the
// one, and the processor seldom guesses wrong. An order whose bucket is full goes to the next, and the bucket counts how
// many it sent on: a search knows where to end, and deleting moves nothing and leaves no grave.
type index struct {
	buckets []bucket // a power of two of them
	used    int
}

// A bucket is half a line of the processor's cache.
type bucket struct {
	tags  uint64 // byte i is the tag of slots[i], 0: free; the two above are how many orders were sent on
	slots [inBucket]int32
}

const (
	inBucket     = 6
	leastBuckets = 16

	eachTag = 0x0000_0101_0101_0101 // times a byte: that byte as each tag
	highest = 0x80 * eachTag
	sentOn  = 1 << 48   // one order
	maxSent = 1<<16 - 1 // a count that gets here stays
)

// hashOf spreads ids, also those that only count up.
func hashOf(id uint64) uint32 { return uint32(id * 0x9e3779b97f4a7c15 >> 32) }

// tagOf returns what a bucket keeps of a hash, never 0; the lower bits choose the bucket.
func tagOf(hash uint32) uint64 { return uint64(hash>>24 | 1) }

// tagged returns the places with a tag, as the highest bits of their bytes.
func (k *bucket) tagged(tag uint64) uint64 {
	other := k.tags ^ tag*eachTag
	return ^(other&^highest + (highest - eachTag) | other) & highest // the bytes of other that are 0
}

// first returns the first of some places.
func first(places uint64) int { return bits.TrailingZeros64(places) / 8 }

// find returns the slot of the order id, 0 if it is not there.
func (x *index) find(orders []resting, id uint64) int32 {
	mask := uint32(len(x.buckets) - 1)
	hash := hashOf(id)
	i := hash & mask
	for range x.buckets { // all of them may have sent orders on
		k := &x.buckets[i]
		for at := k.tagged(tagOf(hash)); at != 0; at &= at - 1 {
			if slot := k.slots[first(at)]; orders[slot].id == id {
				return slot
			}
		}
		if k.tags < sentOn {
			return 0
		}
		i = (i + 1) & mask
	}
	return 0
}

// put adds the order in a slot, which is not there.
func (x *index) put(orders []resting, slot int32) {
	if 2*x.used >= inBucket*len(x.buckets) {
		x.grow(orders)
	}
	x.used++
	x.place(orders, slot)
}

func (x *index) place(orders []resting, slot int32) {
	mask := uint32(len(x.buckets) - 1)
	hash := hashOf(orders[slot].id)
	for i := hash & mask; ; i = (i + 1) & mask {
		k := &x.buckets[i]
		if free := k.tagged(0); free != 0 {
			at := first(free)
			k.tags |= tagOf(hash) << (8 * at)
			k.slots[at] = slot
			return
		}
		if k.tags/sentOn < maxSent {
			k.tags += sentOn
		}
	}
}

func (x *index) grow(orders []resting) {
	old := x.buckets
	x.buckets = make([]bucket, max(leastBuckets, 2*len(old)))
	for i := range old {
		for at := old[i].tagged(0) ^ highest; at != 0; at &= at - 1 {
			x.place(orders, old[i].slots[first(at)])
		}
	}
}

// delete removes the order in a slot, which is there.
func (x *index) delete(orders []resting, slot int32) {
	mask := uint32(len(x.buckets) - 1)
	hash := hashOf(orders[slot].id)
	x.used--
	for i := hash & mask; ; i = (i + 1) & mask {
		k := &x.buckets[i]
		for at := k.tagged(tagOf(hash)); at != 0; at &= at - 1 {
			if n := first(at); k.slots[n] == slot {
				k.tags &^= 0xff << (8 * n)
				return
			}
		}
		if k.tags/sentOn < maxSent {
			k.tags -= sentOn
		}
	}
}

// find returns the slot of the order id, 0 if it does not rest in the book.
func (b *Book) find(id uint64) int32 { return b.index.find(b.orders, id) }
