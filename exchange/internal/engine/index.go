package engine

// An index finds the slot of an order by its id: open addressing with linear probing, at most half full. An entry holds
// half of the id's hash, so that a probe seldom looks at an order that is not the one; deleting moves the entries behind
// back, so there are no graves to sweep.
type index struct {
	entries []entry // a power of two of them
	used    int
}

type entry struct {
	hash uint32
	slot int32 // 0: free
}

const leastEntries = 64

// hashOf spreads ids, also those that only count up.
func hashOf(id uint64) uint32 { return uint32(id * 0x9e3779b97f4a7c15 >> 32) }

// put adds an order that is not there.
func (x *index) put(id uint64, slot int32) {
	if 2*x.used >= len(x.entries) {
		x.grow()
	}
	x.used++
	x.place(entry{hashOf(id), slot})
}

func (x *index) place(e entry) {
	mask := uint32(len(x.entries) - 1)
	i := e.hash & mask
	for x.entries[i].slot != 0 {
		i = (i + 1) & mask
	}
	x.entries[i] = e
}

func (x *index) grow() {
	old := x.entries
	x.entries = make([]entry, max(leastEntries, 2*len(old)))
	for _, e := range old {
		if e.slot != 0 {
			x.place(e)
		}
	}
}

// delete removes the entry of an order that is there.
func (x *index) delete(id uint64, slot int32) {
	mask := uint32(len(x.entries) - 1)
	i := hashOf(id) & mask
	for x.entries[i].slot != slot {
		i = (i + 1) & mask
	}
	x.used--
	// An entry behind the hole moves into it, unless it would stand before its home then.
	for j := (i + 1) & mask; x.entries[j].slot != 0; j = (j + 1) & mask {
		if home := x.entries[j].hash & mask; (j-home)&mask >= (j-i)&mask {
			x.entries[i] = x.entries[j]
			i = j
		}
	}
	x.entries[i] = entry{}
}

// find returns the slot of the order id, 0 if it does not rest in the book.
func (b *Book) find(id uint64) int32 {
	mask := uint32(len(b.index.entries) - 1)
	h := hashOf(id)
	for i := h & mask; ; i = (i + 1) & mask {
		e := b.index.entries[i]
		if e.slot == 0 || e.hash == h && b.orders[e.slot].id == id {
			return e.slot
		}
	}
}
