package wire

import (
	"encoding/binary"
	"math/bits"
)

// Hash is 128 bits of a hash: two values that differ have two that differ, but
// for a chance nobody needs to count with. It guards against accidents, not
// against who wants a collision.
type Hash struct{ Hi, Lo uint64 }

// IdentityKind says what tells a message from the others of its topic.
type IdentityKind uint8

// The kinds of identities.
const (
	// IdentityData: the message's data, with cs or cts. Two messages that say
	// the same at two times, such as a price limit that has not changed, have
	// one identity; Ms tells them apart.
	IdentityData IdentityKind = iota
	// IdentityBook: type, u, seq and cts of an order book message. An order
	// book of depth 1 repeats a message after three seconds with another ts.
	IdentityBook
	// IdentityTrades: the ids of the message's trades, in their order.
	IdentityTrades
	// IdentityRaw: the bytes as they are, of a frame that is no JSON object.
	IdentityRaw
)

// Identity says which message a frame is, so that what two connections received
// can be told to be one message or two.
//
// Key is which message it is, by what Kind says; the topic is part of it, the
// channel is not. Content is all that the message says, without the time at which it
// was sent: equal keys with different contents mean that two servers told two
// things about one event. Where Kind is IdentityData or IdentityRaw the two are
// equal.
//
// Neither depends on the order of keys, on white space between tokens, on the
// outermost "ts", or on the outermost "id", which repeats the ts on public
// topics. Messages with a "creationTime", which private ones and RFQs have, are the
// exception: there the id is what tells two of them apart, and counts. Numbers and
// texts count as they are written: 1.0 is not 1.
//
// Connections that are compared while they bring their messages, as a stream's duplicates
// are, go by a hash of the bytes instead, which is faster and knows less: see prints in
// package bybit.
//
// The other fields are the numbers that the message was found to have, 0 for
// none: they put the messages of one topic in order.
type Identity struct {
	Key, Content Hash
	Kind         IdentityKind
	Snapshot     bool
	Update       int64 // u of an order book message
	Seq          int64 // seq of an order book message or of the last trade; cs of a ticker
	CrossMs      int64 // cts
	Ms           int64 // ts, or creationTime
}

// Identify returns a frame's identity in one pass and without allocating. It
// checks no more JSON than it needs to find its way; a frame in which it cannot
// is identified by its bytes.
func Identify(frame []byte) Identity {
	s := identifier{frame: frame}
	id, ok := s.message()
	if !ok {
		h := state{seedRaw, seedRaw}.text(frame, tagString).hash()
		return Identity{Key: h, Content: h, Kind: IdentityRaw}
	}
	return id
}

// AppendTradeIDs appends a hash of each trade id of a publicTrade message to
// dst; for telling messages that have some of their trades in common.
func AppendTradeIDs(dst []Hash, frame []byte) []Hash {
	s := identifier{frame: frame, ids: dst, wantIDs: true}
	if _, ok := s.message(); !ok {
		return dst
	}
	return s.ids
}

// identifier walks over one frame.
type identifier struct {
	frame   []byte
	at      int
	ids     []Hash
	wantIDs bool

	// Of the message's data.
	update, seq int64
	trades      state // the trades' ids, one after the other
	traded      int
}

// message walks over the outermost object.
func (s *identifier) message() (id Identity, ok bool) {
	if s.peek() != '{' {
		return id, false
	}
	s.at++
	s.trades = state{seedTrades, seedTrades}
	var sum, messageID, topic, kind state
	var isBook, isTrades, private bool
	var cs int64
	for first := true; ; first = false {
		key, more, ok := s.key(first)
		if !ok {
			return id, false
		}
		if !more {
			break
		}
		s.peek()
		from := s.at
		name := string(key) // compared only: not allocated
		begin := state{seedMember, seedMember}.text(key, tagKey)
		var end state
		if name == "data" {
			end, ok = s.data(begin)
		} else {
			end, ok = s.value(begin, 0)
		}
		if !ok {
			return id, false
		}
		text := s.frame[from:s.at]
		switch name {
		case "ts":
			id.Ms = wholeNumber(text)
			continue
		case "id":
			messageID = end
			continue
		case "creationTime":
			private = true
			if id.Ms == 0 {
				id.Ms = wholeNumber(text)
			}
		case "topic":
			topic = end
			isBook = Literal(text, 0, `"orderbook.`) > 0
			isTrades = Literal(text, 0, `"publicTrade.`) > 0
		case "type":
			kind = end
			id.Snapshot = string(text) == `"snapshot"`
		case "cts":
			id.CrossMs = wholeNumber(text)
		case "cs":
			cs = wholeNumber(text)
		}
		sum = sum.plus(end)
	}
	if s.peek() != 0 || s.at < len(s.frame) {
		return id, false
	}
	if private {
		sum = sum.plus(messageID)
	}
	id.Content = state{seedMember, seedMember}.sum(sum).hash()
	named := state{seedMember, seedMember}.sum(topic).sum(kind)
	switch {
	case isBook:
		id.Kind, id.Update, id.Seq = IdentityBook, s.update, s.seq
		id.Key = named.word(uint64(s.update)).word(uint64(s.seq)).word(uint64(id.CrossMs)).hash()
	case isTrades && s.traded > 0:
		id.Kind, id.Seq = IdentityTrades, s.seq
		id.Key = named.sum(s.trades).hash()
	default:
		id.Seq = cs
		id.Key = id.Content
	}
	return id, true
}

// data walks over the message's data, an object or an array of them, and keeps
// what books and trades are known by.
func (s *identifier) data(h state) (state, bool) {
	switch s.peek() {
	case '{':
		return s.dataObject(h, false)
	case '[':
	default:
		return s.value(h, 0)
	}
	s.at++
	h = h.mark(markArray)
	for first := true; ; first = false {
		more, ok := s.element(first)
		if !ok {
			return h, false
		}
		if !more {
			return h.mark(markEnd), true
		}
		if s.peek() == '{' {
			h, ok = s.dataObject(h, true)
		} else {
			h, ok = s.value(h, 1)
		}
		if !ok {
			return h, false
		}
	}
}

// dataObject is object, with an eye on the keys that books and trades have.
func (s *identifier) dataObject(h state, element bool) (state, bool) {
	s.at++
	var sum state
	for first := true; ; first = false {
		key, more, ok := s.key(first)
		if !ok {
			return h, false
		}
		if !more {
			return h.sum(sum), true
		}
		s.peek()
		from := s.at
		end, ok := s.value(state{seedMember, seedMember}.text(key, tagKey), 1)
		if !ok {
			return h, false
		}
		sum = sum.plus(end)
		switch {
		case string(key) == "seq":
			s.seq = wholeNumber(s.frame[from:s.at])
		case !element && string(key) == "u":
			s.update = wholeNumber(s.frame[from:s.at])
		case element && string(key) == "i":
			s.traded++
			s.trades = s.trades.sum(end)
			if s.wantIDs {
				s.ids = append(s.ids, end.hash())
			}
		}
	}
}

// value walks over any value and returns the hash with it taken in.
func (s *identifier) value(h state, depth int) (state, bool) {
	if depth > maxNesting {
		return h, false
	}
	switch s.peek() {
	case '"':
		text, ok := s.text()
		return h.text(text, tagString), ok
	case '{':
		s.at++
		var sum state
		for first := true; ; first = false {
			key, more, ok := s.key(first)
			if !ok {
				return h, false
			}
			if !more {
				return h.sum(sum), true
			}
			end, ok := s.value(state{seedMember, seedMember}.text(key, tagKey), depth+1)
			if !ok {
				return h, false
			}
			sum = sum.plus(end)
		}
	case '[':
		s.at++
		h = h.mark(markArray)
		for first := true; ; first = false {
			more, ok := s.element(first)
			if !ok {
				return h, false
			}
			if !more {
				return h.mark(markEnd), true
			}
			if h, ok = s.value(h, depth+1); !ok {
				return h, false
			}
		}
	}
	from := s.at
	for s.at < len(s.frame) && isBare(s.frame[s.at]) {
		s.at++
	}
	return h.text(s.frame[from:s.at], tagBare), s.at > from
}

// key moves behind the colon of the next member; more is false behind the
// closing brace.
func (s *identifier) key(first bool) (key []byte, more, ok bool) {
	b := s.peek()
	if b == '}' {
		s.at++
		return nil, false, true
	}
	if !first {
		if b != ',' {
			return nil, false, false
		}
		s.at++
		b = s.peek()
	}
	if b != '"' {
		return nil, false, false
	}
	if key, ok = s.text(); !ok || s.peek() != ':' {
		return nil, false, false
	}
	s.at++
	return key, true, true
}

// element moves to the next element; more is false behind the closing bracket.
func (s *identifier) element(first bool) (more, ok bool) {
	switch b := s.peek(); {
	case b == ']':
		s.at++
		return false, true
	case first:
		return true, true
	case b == ',':
		s.at++
		return true, true
	}
	return false, false
}

// text moves behind a string and returns what stands between its quotes,
// escapes as they are.
func (s *identifier) text() ([]byte, bool) {
	from := s.at + 1
	if end := ScanText(s.frame, from); end >= 0 {
		s.at = end + 1
		return s.frame[from:end], true
	}
	for i := from; i < len(s.frame); i++ {
		switch s.frame[i] {
		case '\\':
			i++
		case '"':
			s.at = i + 1
			return s.frame[from:i], true
		}
	}
	return nil, false
}

// peek moves over white space and returns the next byte, 0 at the end.
func (s *identifier) peek() byte {
	for s.at < len(s.frame) {
		b := s.frame[s.at]
		if b != ' ' && b != '\t' && b != '\n' && b != '\r' {
			return b
		}
		s.at++
	}
	return 0
}

// isBare reports whether a byte can be part of a number, true, false or null.
func isBare(b byte) bool {
	return b-'0' <= 9 || b-'a' <= 25 || b == '-' || b == '+' || b == '.' || b == 'E'
}

// wholeNumber reads a number, also inside a string; 0 for what is none.
func wholeNumber(text []byte) int64 {
	if n := len(text); n >= 2 && text[0] == '"' {
		text = text[1 : n-1]
	}
	if v, next := ScanInt(text, 0); next == len(text) {
		return v
	}
	return 0
}

// state is a hash under way: two lanes that each take in words by a multiplication
// whose halves are folded onto each other. Members of an object are hashed one by
// one and added up, which makes their order not matter.
type state struct{ a, b uint64 }

// Odd numbers without a pattern: the first digits of pi, in hexadecimal.
const (
	wordA = 0x243f6a8885a308d3
	wordB = 0x13198a2e03707345
	lastA = 0xa4093822299f31d1
	lastB = 0x082efa98ec4e6c89

	seedMember = 0x452821e638d01377
	seedTrades = 0xbe5466cf34e90c6d
	seedRaw    = 0xc0ac29b7c97c50dd

	// Tags stand in the highest byte of a text's last word, with the number of
	// its bytes in the lowest three bits.
	tagString = 0x10
	tagBare   = 0x20
	tagKey    = 0x30
	markArray = 0x40
	markEnd   = 0x50
)

func fold(x, y uint64) uint64 {
	hi, lo := bits.Mul64(x, y)
	return hi ^ lo
}

// word takes in eight bytes that are not the last.
func (h state) word(w uint64) state {
	return state{fold(h.a^w, wordA), fold(h.b^bits.RotateLeft64(w, 32), wordB)}
}

// last takes in what ends a token. Its constants differ from those of word, so
// that no token can be taken for the middle of another.
func (h state) last(w uint64) state {
	return state{fold(h.a^w, lastA), fold(h.b^bits.RotateLeft64(w, 32), lastB)}
}

func (h state) mark(tag uint64) state { return h.last(tag << 56) }

// text takes in a token.
func (h state) text(t []byte, tag uint64) state {
	for len(t) >= 8 {
		h = h.word(binary.LittleEndian.Uint64(t))
		t = t[8:]
	}
	w := (tag | uint64(len(t))) << 56
	switch {
	case len(t) >= 4:
		w |= uint64(binary.LittleEndian.Uint32(t))
		for i := 4; i < len(t); i++ {
			w |= uint64(t[i]) << (8 * i)
		}
	default:
		for i, b := range t {
			w |= uint64(b) << (8 * i)
		}
	}
	return h.last(w)
}

// plus adds up the members of an object.
func (h state) plus(o state) state { return state{h.a + o.a, h.b + o.b} }

// sum takes in an object's members, lane by lane.
func (h state) sum(o state) state {
	return state{fold(h.a^o.a, lastA), fold(h.b^o.b, lastB)}
}

func (h state) hash() Hash { return Hash{fold(h.a, wordB), fold(h.b, wordA)} }
