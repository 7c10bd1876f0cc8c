package bybit

// order tells whether messages that change a state come in their order.
type order struct {
	last     int64 // cross sequence or time of the last message; 0: none
	sent     int64 // ts of it
	snapshot int64 // of the last snapshot

	// After a gap the state begins anew, and not before what was there already: what lies
	// between an older snapshot and the gap will not come again.
	floor, floorSent int64
	asked            bool // whether a snapshot was asked for because of an older one

	// The service may restart, and count anew. A lane says so by a number that falls
	// while the time rises; what the others bring is of the count before until they
	// have said so too.
	count int   // the newest of lanes
	since int64 // ts of the first message of that count
	lanes [maxLanes]laneCount
}

// laneCount is what is known of a lane's last message.
type laneCount struct {
	at, sent int64 // 0: none
	count    int   // restarts
}

// orderKey is what decides about a message that changes a state.
type orderKey struct {
	at        int64 // cross sequence, or time
	sent      int64 // ts in milliseconds
	snapshot  bool
	conflated bool // stands for several
	lane      uint8
}

// carried notes which lanes carry the topic.
func (o *order) carried(mask uint8) {
	for lane := range o.lanes {
		if mask&(1<<lane) == 0 {
			o.lanes[lane] = laneCount{}
		}
	}
}

// reset forgets the state, and keeps what is known of the lanes: they go on.
func (o *order) reset() {
	if o.last > o.floor {
		o.floor, o.floorSent = o.last, o.sent
	}
	o.last, o.snapshot = 0, 0
}

// past reports whether a message is from before the gap that the state begins behind.
func (o *order) past(k *orderKey) bool { return k.at < o.floor && k.sent <= o.floorSent }

// judge decides about a message that is no copy. One that is older than the last is of
// a lane that lags, and the state has what came after it. Where that lane is the only one
// left, what it brings from there on cannot be told from copies: the state begins anew.
//
// A change that stands for several says the same as a snapshot of what they change, as
// long as it is in order.
func (o *order) judge(k *orderKey, several bool) verdict {
	own := &o.lanes[k.lane]
	switch {
	case own.at != 0 && k.at < own.at && k.sent > own.sent:
		own.count++
	case own.at == 0 && k.sent >= o.since:
		own.count = o.count
	}
	own.at, own.sent = k.at, k.sent
	switch {
	case own.count < o.count && several && k.sent <= o.since+maxApart:
		return duplicate // another lane has seen the end of that count
	case own.count < o.count:
		*o = order{} // it goes on: what looked like a restart was none, or not for all
		return misplaced
	case own.count > o.count:
		o.count, o.since = own.count, k.sent
		o.reset()
		o.floor, o.asked = 0, false
		if !k.snapshot {
			return misplaced
		}
	case o.past(k) && k.snapshot && !o.asked:
		o.asked = true
		return misplaced
	case o.past(k):
		return duplicate
	case k.at >= o.last:
	case several && (k.snapshot || k.conflated || k.at <= o.snapshot):
		return duplicate // what is known includes it
	default:
		o.asked = true
		return misplaced
	}
	o.last, o.sent, o.asked = k.at, k.sent, false
	if k.snapshot || k.conflated {
		o.snapshot = k.at
	}
	return deliver
}
