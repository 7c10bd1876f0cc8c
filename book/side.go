package book

import "slices"

// blockCap is how many levels a block holds at most. A book of depth 50 is one
// flat block a side, which pays up to there; deeper ones are lists of blocks.
// Measured with BenchmarkBlocks, ns per delta of about eight levels near the
// best price | anywhere, caps of 32, 64, 128, 256:
//
//	depth    50   290|258   255|285   250|267   312|271
//	depth   200   324|347   274|312   300|328   326|345
//	depth 1,000   305|408   306|396   315|407   356|490
//	depth 10,000  370|1036  337|719   367|821   420|769
//
// The search within a block has become faster since. Measured again with it, on a
// noisy machine, 64 and 128 could not be told apart.
const blockCap = 64

// keyLimit bounds keys, so that two of them can be subtracted.
const keyLimit = 1 << 62

// side is one side of a book: prices as integer keys in ascending order, cut
// into blocks, the best price at the end of the last block. Keys of asks are
// negated, so that the larger key is the better price on both sides and one
// code serves both.
//
// Keys are kept apart from levels: a search reads keys only, and an insert or
// delete in a block moves 12 bytes a level instead of 48. A level stays in its
// slot from insert to delete.
type side struct {
	blocks []*block
	low    []int64 // blocks[i] holds keys >= low[i] and < low[i+1]; low[0] is -keyLimit
	levels []Level // slots; which are in use is known by the blocks' refs and free
	free   []int32 // slots of deleted levels, the last one is reused first
	spare  []*block
	n      int // levels
	hidden int // levels of them that have RPI size only
	cap    int // keys per block

	load []int64 // keys of a snapshot while it is read, best first
}

// block is a run of neighbouring levels, worst first.
type block struct {
	keys []int64
	refs []int32 // slots of side.levels, parallel to keys
}

// init gives an unused side its first block. A block need not be larger than
// the book: a book of depth 1 costs two small ones.
func (s *side) init(depth, limit int) {
	s.cap = limit
	if depth > 0 {
		s.cap = min(limit, max(depth+depth/4+3, 4))
	}
	s.low = append(s.low, -keyLimit)
	s.blocks = append(s.blocks, s.newBlock())
}

func (s *side) newBlock() *block {
	if n := len(s.spare); n > 0 {
		b := s.spare[n-1]
		s.spare = s.spare[:n-1]
		return b
	}
	return &block{keys: make([]int64, 0, s.cap), refs: make([]int32, 0, s.cap)}
}

// clear removes all levels and keeps the memory.
func (s *side) clear() {
	for _, b := range s.blocks[1:] {
		s.retire(b)
	}
	first := s.blocks[0]
	first.keys, first.refs = first.keys[:0], first.refs[:0]
	clear(s.blocks[1:])
	s.blocks, s.low = s.blocks[:1], s.low[:1]
	s.levels, s.free, s.n, s.hidden = s.levels[:0], s.free[:0], 0, 0
}

func (s *side) retire(b *block) {
	b.keys, b.refs = b.keys[:0], b.refs[:0]
	s.spare = append(s.spare, b)
}

// find returns the block that holds the key k or would, its place, and in it
// the index of the first key that is not below k.
//
// Which way a comparison goes cannot be predicted, so the search adds instead of
// branching: x>>63 is -1 if x is negative, else 0. Keys stay within keyLimit, so
// that a difference does not overflow. It looks at every eighth key and then at
// eight neighbours: more comparisons than halving needs, but none waits for
// another, which made deltas up to a tenth faster.
func (s *side) find(k int64) (b *block, at, i int, found bool) {
	at = len(s.low) - 1
	if at > 0 && k < s.low[at] {
		at = s.findBlock(k)
	}
	b = s.blocks[at]
	keys := b.keys
	for p := 7; p < len(keys); p += 8 {
		i += 8 & int((keys[p]-k)>>63)
	}
	if rest := keys[i:]; len(rest) >= 8 {
		// The eighth is not below k, or i would be behind it.
		e := (*[8]int64)(rest)
		i -= int((e[0]-k)>>63) + int((e[1]-k)>>63) + int((e[2]-k)>>63) + int((e[3]-k)>>63) +
			int((e[4]-k)>>63) + int((e[5]-k)>>63) + int((e[6]-k)>>63)
	} else {
		for _, x := range rest {
			i -= int((x - k) >> 63)
		}
	}
	return b, at, i, i < len(keys) && keys[i] == k
}

// findBlock is the search over blocks, for a key that is not in the last one.
func (s *side) findBlock(k int64) (at int) {
	for n := len(s.low) - 1; n > 1; {
		half := n >> 1
		at += half &^ int((k-s.low[at+half])>>63)
		n -= half
	}
	return at
}

// insert puts a level with the key k before index i of block at; find has
// found both.
func (s *side) insert(at, i int, k int64, lv *Level) {
	b := s.blocks[at]
	if len(b.keys) == cap(b.keys) {
		b, i = s.split(at, i)
	}
	var ref int32
	if n := len(s.free); n > 0 {
		ref = s.free[n-1]
		s.free = s.free[:n-1]
		s.levels[ref] = *lv
	} else {
		ref = int32(len(s.levels))
		s.levels = append(s.levels, *lv)
	}
	n := len(b.keys)
	keys, refs := b.keys[:n+1], b.refs[:n+1]
	copy(keys[i+1:], keys[i:n])
	copy(refs[i+1:], refs[i:n])
	keys[i], refs[i] = k, ref
	b.keys, b.refs = keys, refs
	s.n++
}

// split makes two blocks of a full one and returns where index i is now.
func (s *side) split(at, i int) (*block, int) {
	worse, better := s.blocks[at], s.newBlock()
	half := len(worse.keys) / 2
	better.keys = append(better.keys, worse.keys[half:]...)
	better.refs = append(better.refs, worse.refs[half:]...)
	worse.keys, worse.refs = worse.keys[:half], worse.refs[:half]
	s.blocks = slices.Insert(s.blocks, at+1, better)
	s.low = slices.Insert(s.low, at+1, better.keys[0])
	// At i == half the key lies below better.keys[0] and so belongs to the
	// worse half, as low says.
	if i > half {
		return better, i - half
	}
	return worse, i
}

// remove deletes index i of block at.
func (s *side) remove(at, i int) {
	b := s.blocks[at]
	s.free = append(s.free, b.refs[i])
	n := len(b.keys) - 1
	copy(b.keys[i:], b.keys[i+1:])
	copy(b.refs[i:], b.refs[i+1:])
	b.keys, b.refs = b.keys[:n], b.refs[:n]
	s.n--
	if n < s.cap/4 && len(s.blocks) > 1 {
		s.merge(at)
	}
}

// merge joins a block that has become small with a neighbour, if both together
// leave room, so that a book which drifts does not fall apart into many nearly
// empty blocks.
func (s *side) merge(at int) {
	if at+1 == len(s.blocks) || at > 0 && len(s.blocks[at-1].keys) < len(s.blocks[at+1].keys) {
		at--
	}
	worse, better := s.blocks[at], s.blocks[at+1]
	if sum := len(worse.keys) + len(better.keys); sum > s.cap*3/4 && len(worse.keys) > 0 && len(better.keys) > 0 {
		return // an empty block always goes: the best level is in the last block
	}
	worse.keys = append(worse.keys, better.keys...)
	worse.refs = append(worse.refs, better.refs...)
	s.blocks = slices.Delete(s.blocks, at+1, at+2)
	s.low = slices.Delete(s.low, at+1, at+2)
	s.retire(better)
}

// build makes the blocks for the keys in s.load, best first, whose levels lie
// in the same order in s.levels. The side is empty before.
func (s *side) build() {
	s.n = len(s.load)
	// Blocks start three quarters full: room to insert without a split at once.
	fill := s.cap
	if s.n > s.cap {
		fill = s.cap * 3 / 4
	}
	b := s.blocks[0]
	for j := s.n - 1; j >= 0; j-- {
		if len(b.keys) == fill {
			b = s.newBlock()
			s.blocks = append(s.blocks, b)
			s.low = append(s.low, s.load[j])
		}
		b.keys = append(b.keys, s.load[j])
		b.refs = append(b.refs, int32(j))
	}
}

// best returns the best key whose level can be met by every order; ok is false
// if there is none.
func (s *side) best() (k int64, lv *Level, ok bool) {
	if s.hidden == 0 {
		b := s.blocks[len(s.blocks)-1]
		n := len(b.keys)
		if n == 0 {
			return 0, nil, false
		}
		return b.keys[n-1], &s.levels[b.refs[n-1]], true
	}
	for c := s.top(); c.next(); {
		if !c.level().Size.IsZero() {
			return c.block.keys[c.i], c.level(), true
		}
	}
	return 0, nil, false
}

// rescale gives all keys one more digit after the point and reports whether
// all still fit.
func (s *side) rescale() bool {
	for at, b := range s.blocks {
		for i, k := range b.keys {
			if k > (keyLimit-1)/10 || k < -(keyLimit-1)/10 {
				return false
			}
			b.keys[i] = k * 10
		}
		if at > 0 {
			s.low[at] = b.keys[0]
		}
	}
	return true
}

// copyFrom makes s an independent copy of from.
func (s *side) copyFrom(from *side) {
	*s = side{
		blocks: make([]*block, len(from.blocks), cap(from.blocks)),
		low:    slices.Clone(from.low),
		levels: slices.Clone(from.levels),
		free:   slices.Clone(from.free),
		n:      from.n,
		hidden: from.hidden,
		cap:    from.cap,
	}
	for i, b := range from.blocks {
		s.blocks[i] = &block{
			keys: append(make([]int64, 0, s.cap), b.keys...),
			refs: append(make([]int32, 0, s.cap), b.refs...),
		}
	}
}

// cursor walks a side from the best level to the worst.
type cursor struct {
	s     *side
	block *block
	at, i int
}

// top returns a cursor before the best level.
func (s *side) top() cursor {
	at := len(s.blocks) - 1
	b := s.blocks[at]
	return cursor{s: s, block: b, at: at, i: len(b.keys)}
}

// next moves to the next worse level and reports whether there is one.
func (c *cursor) next() bool {
	for c.i == 0 {
		if c.at == 0 {
			return false
		}
		c.at--
		c.block = c.s.blocks[c.at]
		c.i = len(c.block.keys)
	}
	c.i--
	return true
}

func (c *cursor) level() *Level { return &c.s.levels[c.block.refs[c.i]] }
