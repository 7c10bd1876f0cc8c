package bybit

import (
	"bytes"
	"hash/maphash"
	"slices"
)

// maxApart is how far the times of two copies, in milliseconds, may lie apart: each is
// when a server made the frame. The same content later than that is the same state
// anew, which a connection that took over from another may bring.
const maxApart = 10_000

// maxPrints is how many messages of a topic are remembered.
const maxPrints = 512

// prints tells by their content whether messages are copies of one another. A
// message that a lane brings twice is two messages, of which another lane brings
// two copies.
//
// Recordings are compared by [wire.Identify], which is another notion of the same. That
// one knows of a message what it is, trade by trade, whatever the order of its keys, because a
// recording may have come from anywhere, long ago, and through another program. Here the
// copies come from servers of one exchange within seconds, with the same bytes but for two
// numbers, each frame of each lane is asked about before anything is decoded, and a walk
// over its JSON takes twice as long, see BenchmarkSum. Where bytes differ all the same, a
// message comes twice: what cannot be told to be a copy is not taken for one.
type prints struct {
	seed    maphash.Seed
	several bool // more than one lane carries the topic now

	// A ring, of which next is to be overwritten: the sum of a message, the lanes
	// that have brought it, and its time.
	sums  []uint64
	lanes []uint8
	times []int64
	next  int
	floor int64 // the latest time of what was overwritten

	latest [maxLanes]int64 // by lane, the time of its last message
}

func newPrints() *prints { return &prints{seed: maphash.MakeSeed()} }

// judge decides about a message.
func (p *prints) judge(frame []byte, lane uint8) verdict {
	sum, at := p.sum(frame)
	bit := uint8(1) << lane
	n := len(p.sums)
	// The oldest first: what a lane brings comes in its order, so that of messages
	// that are alike the oldest is the one that it has not brought.
	from := 0
	if n == maxPrints {
		from = p.next
	}
	for i := range n {
		j := from + i
		if j >= n {
			j -= n
		}
		if p.sums[j] == sum && p.lanes[j]&bit == 0 && !apart(p.times[j], at) {
			p.lanes[j] |= bit
			return duplicate
		}
	}
	before := p.latest[lane]
	p.latest[lane] = at
	switch {
	case at < before:
		// Time has gone back, as in a replay that begins anew: it says nothing
		// about what was before.
		p.floor = 0
		clear(p.times)
	case p.several && at != 0 && at <= p.floor && p.floor < slices.Max(p.latest[:]):
		return duplicate // older than what is remembered: of a lane that lags
	}
	if n < maxPrints {
		p.sums = append(p.sums, sum)
		p.lanes = append(p.lanes, bit)
		p.times = append(p.times, at)
		p.next = (n + 1) % maxPrints
		return deliver
	}
	p.floor = max(p.floor, p.times[p.next])
	p.sums[p.next], p.lanes[p.next], p.times[p.next] = sum, bit, at
	p.next = (p.next + 1) % maxPrints
	return deliver
}

// apart reports whether frames of these times, 0 if not known, are no copies.
func apart(a, b int64) bool {
	return a != 0 && b != 0 && max(a-b, b-a) > maxApart
}

var (
	dataMark = []byte(`"data":`)
	timeMark = []byte(`"ts":`)
	idMark   = []byte(`"id":"`)
)

// sum returns a hash of a frame without what may differ between two copies of a
// message: ts, which is when the frame was made, and the id of the push. It returns
// ts as well, 0 if there is none.
//
// The envelope has both before data, or ts behind it; data may have keys of the same
// names. V5 pages: websocket/public/*.
func (p *prints) sum(frame []byte) (uint64, int64) {
	var h maphash.Hash
	h.SetSeed(p.seed)
	head, tail := frame, []byte(nil)
	if i := bytes.Index(frame, dataMark); i >= 0 {
		head, tail = frame[:i], frame[i:]
	}
	if i := bytes.Index(head, idMark); i >= 0 {
		h.Write(head[:i])
		head = head[i+len(idMark):]
		head = head[bytes.IndexByte(head, '"')+1:]
	}
	if i := bytes.Index(head, timeMark); i >= 0 {
		at, n := number(head[i+len(timeMark):])
		h.Write(head[:i])
		h.Write(head[i+len(timeMark)+n:])
		h.Write(tail)
		return h.Sum64(), at
	}
	h.Write(head)
	if i := bytes.LastIndex(tail, timeMark); i >= 0 {
		at, n := number(tail[i+len(timeMark):])
		h.Write(tail[:i])
		h.Write(tail[i+len(timeMark)+n:])
		return h.Sum64(), at
	}
	h.Write(tail)
	return h.Sum64(), 0
}

// number reads digits, and returns how many there are.
func number(b []byte) (v int64, n int) {
	for n < len(b) && n < 18 && '0' <= b[n] && b[n] <= '9' {
		v = v*10 + int64(b[n]-'0')
		n++
	}
	return v, n
}
