package wire

import (
	"bytes"
	"strconv"
)

// Fields walks over the fields of a message, to read them from JSON or to write them
// as JSON or as a query. A type describes itself once, one line a field, in the
// order of the wire:
//
//	func (o *OrderRef) fields(f *wire.Fields) {
//		f.Text("symbol", &o.Symbol)
//		f.Decimal("price", &o.Price)
//		wire.Structs(f, "legs", &o.Legs, (*Leg).fields)
//	}
//
// Writing calls it once. Reading calls it until the object ends: each line takes
// its value if its key is next and does nothing otherwise. A message in the order of the
// description is read in one pass, which is the prediction that makes it fast; any
// other order is read in more. A pass that takes nothing skips one unknown key.
//
// Reading is strict: what is not JSON, a value of another kind and a key twice are
// errors. It tolerates what the venue does: a number as a number or as a string, true
// as "true", null and "" for whatever is absent.
type Fields struct {
	cursor Cursor
	key    []byte // begins with the key that is next; nil where there is none
	keyEnd int    // where a key with escapes ends in the frame, 0 for others
	level  level

	out   []byte
	start int // of what is ours in out

	mode   mode
	absent absence
	needed string // in Go, the name of the field that is next if it must not be absent
	lone   bool   // the list that is next also comes as its only element
	exact  bool   // the value that is next is an Opt's: no time 0 stands for an absent one
	texts  *[textSlots]string

	category string // in whose order things are written

	refused *RefusedError // the first value that cannot be sent as it is
	path    string        // of the first error
}

// level is what Fields knows of the object or array that it is in.
type level struct {
	kind    kind
	depth   uint8
	took    bool // this pass took a value
	ordinal uint8
	seen    [4]uint64 // by ordinal
}

type mode uint8

const (
	reading mode = iota
	readingQuery
	writing
	writingQuery
)

type kind uint8

const (
	inObject kind = iota
	inTuple       // an array whose elements are fields by their place
	inValue       // one value without a key
)

// absence says what becomes of a field without a value when it is written.
type absence uint8

const (
	writeEmpty absence = iota // "", or null for a number without quotes
	writeNothing
	writeNull
	writeZero // 0 or "0"
)

// FieldError is an error with the field that it was found in.
type FieldError struct {
	Path string // such as "list[3].price"; "" if it is not in a field
	Err  *SyntaxError
}

// Error puts the field in front of the reason.
func (e *FieldError) Error() string {
	if e.Path == "" {
		return e.Err.Error()
	}
	return e.Path + ": " + e.Err.Error()
}

// Unwrap returns the error without the field.
func (e *FieldError) Unwrap() error { return e.Err }

// RefusedError is a value of a request that would be sent as another.
type RefusedError struct {
	Path   string // of the field, such as "request[3].orderLinkId"
	Reason string
}

// Error puts the field in front of the reason.
func (e *RefusedError) Error() string { return e.Path + ": " + e.Reason }

func (e *RefusedError) within(path string) {
	if e.Path != "" {
		path += "."
	}
	e.Path = path + e.Path
}

// refuse notes why a value cannot be sent.
func (f *Fields) refuse(name, reason string) {
	if f.refused == nil {
		f.refused = &RefusedError{Path: name, Reason: reason}
	}
}

// set refuses an optional field that is set to an absent value, which would be sent as "": it is the
// result of a computation that was forgotten, or of one without a result.
func (f *Fields) set(name string, is bool) {
	if f.exact && !is {
		f.refuse(name, "set to an absent value; leave it unset instead")
	}
}

// Decode reads the JSON of one object.
func Decode[T any](json []byte, v *T, fields func(*T, *Fields)) *FieldError {
	return decode(json, v, fields, reading, readObject[T])
}

// DecodeTuple is Decode for an array whose elements are fields by their place.
func DecodeTuple[T any](json []byte, v *T, fields func(*T, *Fields)) *FieldError {
	return decode(json, v, fields, reading, readTuple[T])
}

// DecodeValue is Decode for JSON that is the value of the only field.
func DecodeValue[T any](json []byte, v *T, fields func(*T, *Fields)) *FieldError {
	return decode(json, v, fields, reading, func(f *Fields, v *T, fields func(*T, *Fields)) {
		f.level.kind = inValue
		fields(v, f)
	})
}

func decode[T any](json []byte, v *T, fields func(*T, *Fields), m mode, read func(*Fields, *T, func(*T, *Fields))) *FieldError {
	f := &Fields{cursor: NewCursor(json), mode: m, texts: new([textSlots]string)}
	read(f, v, fields)
	f.cursor.End()
	if err := f.cursor.Err(); err != nil {
		return &FieldError{Path: f.path, Err: err}
	}
	return nil
}

// Append appends one object as JSON.
func Append[T any](dst []byte, v *T, fields func(*T, *Fields)) []byte {
	f := &Fields{out: dst, mode: writing}
	writeObject(f, v, fields)
	return f.out
}

// Marshal is Append for what is sent: it refuses a value that would be sent as another.
func Marshal[T any](v *T, fields func(*T, *Fields)) ([]byte, error) {
	f := &Fields{mode: writing}
	writeObject(f, v, fields)
	if f.refused != nil {
		return nil, f.refused
	}
	return f.out, nil
}

// AppendTuple appends an array whose elements are fields by their place.
func AppendTuple[T any](dst []byte, v *T, fields func(*T, *Fields)) []byte {
	f := &Fields{out: dst, mode: writing}
	writeTuple(f, v, fields)
	return f.out
}

// AppendValue appends the value of the only field, without its key.
func AppendValue[T any](dst []byte, v *T, fields func(*T, *Fields)) []byte {
	f := &Fields{out: dst, mode: writing, level: level{kind: inValue}}
	fields(v, f)
	return f.out
}

// readObject reads an object; null leaves v as it is.
func readObject[T any](f *Fields, v *T, fields func(*T, *Fields)) {
	c := &f.cursor
	switch b := c.peek(); {
	case b == 'n':
		c.word("null")
		return
	case b != '{':
		c.expected("an object expected")
		return
	}
	c.pos++
	saved := f.level
	f.level = level{depth: saved.depth + 1}
	if c.peek() == '}' {
		c.pos++
	} else {
		f.readKey()
		for len(f.key) > 0 {
			f.level.ordinal, f.level.took = 0, false
			if fields(v, f); !f.level.took {
				f.skip()
			}
		}
	}
	f.level = saved
	f.key, f.keyEnd = nil, 0
}

// readTuple reads an array whose elements are fields by their place. Elements that are
// missing leave v as it is; those beyond the last field are skipped.
func readTuple[T any](f *Fields, v *T, fields func(*T, *Fields)) {
	c := &f.cursor
	if c.peek() != '[' {
		c.expected("an array expected")
		return
	}
	c.pos++
	saved := f.level
	f.level = level{kind: inTuple, depth: saved.depth + 1}
	f.key = nil
	if c.peek() == ']' {
		c.pos++
	} else {
		f.level.took = true // there is an element
		for fields(v, f); f.level.took && c.err == nil; {
			c.skipValue(0)
			f.next("")
		}
	}
	f.level = saved
}

// readKey finds the key that the cursor stands at.
func (f *Fields) readKey() {
	c := &f.cursor
	f.key, f.keyEnd = nil, 0
	if c.peek() != '"' {
		c.expected("a key expected")
		return
	}
	f.key = c.buf[c.pos+1:]
	if len(f.key) == 0 {
		c.Fail(len(c.buf), "the message ends inside a string")
	}
}

// skip passes over the key that is next and its value. A key with escapes is
// unescaped instead, once, so that the next pass can compare it.
func (f *Fields) skip() {
	c := &f.cursor
	from := c.pos
	if f.keyEnd > 0 {
		c.pos = f.keyEnd
	} else {
		key := c.quoted()
		if c.err == nil && c.pos-from != len(key)+2 && bytes.IndexByte(key, '"') < 0 {
			f.key, f.keyEnd = append(key, '"'), c.pos
			c.pos = from
			return
		}
	}
	if c.peek() != ':' {
		c.expected("a colon expected")
	} else {
		c.pos++
		c.skipValue(0)
	}
	f.next("")
}

// at reports whether the value of a field is next, and moves to it.
func (f *Fields) at(name string) bool {
	n := f.level.ordinal
	f.level.ordinal++
	key := f.key
	if len(key) <= len(name) || key[len(name)] != '"' || string(key[:len(name)]) != name {
		return f.level.kind != inObject && f.atElement()
	}
	c := &f.cursor
	if f.level.seen[n>>6]&(1<<(n&63)) != 0 {
		c.Fail(c.pos, "the key "+strconv.Quote(name)+" stands twice")
		f.next(name)
		return false
	}
	f.level.seen[n>>6] |= 1 << (n & 63)
	f.level.took = true
	if f.keyEnd > 0 {
		c.pos = f.keyEnd
	} else {
		c.pos += len(name) + 2
	}
	if c.pos < len(c.buf) && c.buf[c.pos] == ':' || c.peek() == ':' {
		c.pos++
	} else {
		c.expected("a colon expected")
		f.next(name)
		return false
	}
	return true
}

// atElement is at for values without a key.
func (f *Fields) atElement() bool {
	return f.cursor.err == nil && (f.level.kind == inValue || f.level.took)
}

// next moves behind a value of the field: to the next key, or out of the object.
func (f *Fields) next(name string) {
	c := &f.cursor
	if c.err != nil {
		f.fail(name)
		return
	}
	if f.level.kind == inValue {
		return
	}
	b := c.peek()
	switch {
	case b == ',' && f.level.kind == inObject:
		c.pos++
		f.readKey()
		if c.err == nil {
			return
		}
	case b == ',':
		c.pos++
		return
	case b == '}' && f.level.kind == inObject, b == ']' && f.level.kind == inTuple:
		c.pos++
		f.key, f.level.took = nil, f.level.kind == inObject
		return
	case f.level.kind == inObject:
		c.expected("a comma or a closing brace expected")
	default:
		c.expected("a comma or a closing bracket expected")
	}
	f.fail(name)
}

// fail ends the walk and puts the field in front of the path. The fields around it do
// the same on their way out.
func (f *Fields) fail(name string) {
	f.key = nil
	f.level.took = f.level.kind == inObject
	switch {
	case name == "":
	case f.path == "" || f.path[0] == '[':
		f.path = name + f.path
	default:
		f.path = name + "." + f.path
	}
}

// null reports whether null is next, and passes over it.
func (f *Fields) null() bool {
	if f.cursor.peek() != 'n' {
		return false
	}
	f.cursor.word("null")
	return true
}

// writeKey appends what stands in front of a value.
func (f *Fields) writeKey(name string) {
	switch f.level.kind {
	case inValue:
		return
	case inTuple:
		if f.out[len(f.out)-1] != '[' {
			f.out = append(f.out, ',')
		}
		return
	}
	if f.mode == writingQuery {
		if len(f.out) > f.start {
			f.out = append(f.out, '&')
		}
		f.out = append(f.out, name...)
		f.out = append(f.out, '=')
		return
	}
	if f.out[len(f.out)-1] != '{' {
		f.out = append(f.out, ',')
	}
	f.out = append(f.out, '"')
	f.out = append(f.out, name...)
	f.out = append(f.out, '"', ':')
}

// For says of which category the message is that is written: the fields and their order may depend on it.
func (f *Fields) For(category string) {
	if f.mode == writing {
		f.category = category
	}
}

// Category returns what For said; "" while something is read, where all fields of all categories are welcome.
func (f *Fields) Category() string { return f.category }

// Omit lets the next field be left out when it is absent.
func (f *Fields) Omit() *Fields {
	f.absent = writeNothing
	return f
}

// Null lets the next field be null when it is absent.
func (f *Fields) Null() *Fields {
	f.absent = writeNull
	return f
}

// Zero lets the next field, a time or a Numeral, be 0 when it is absent.
func (f *Fields) Zero() *Fields {
	f.absent = writeZero
	return f
}

// Needed refuses to send the next field, an Opt or one with Omit, when it is absent. goName is
// what the user has to set.
func (f *Fields) Needed(goName string) *Fields {
	f.needed = goName
	return f
}

// missing notes that the field is absent, or is not, and refuses that if it is needed.
func (f *Fields) missing(name string, absent bool) {
	if absent && f.needed != "" {
		f.refuse(name, "required: set "+f.needed)
	}
	f.needed = ""
}

// Lone lets the next field, a list, be its only element without the array around it. It is
// written as an array.
func (f *Fields) Lone() *Fields {
	f.lone = true
	return f
}

// gone reports whether the field is absent and has been dealt with.
func (f *Fields) gone(name string, absent bool) bool {
	how := f.absent
	f.absent = writeEmpty
	f.missing(name, absent)
	if !absent || how == writeEmpty || how == writeZero {
		return false
	}
	if how == writeNull {
		f.writeKey(name)
		f.out = append(f.out, "null"...)
	}
	return true
}

func writeObject[T any](f *Fields, v *T, fields func(*T, *Fields)) {
	saved := f.level
	f.level = level{}
	f.out = append(f.out, '{')
	if v != nil {
		fields(v, f)
	}
	f.out = append(f.out, '}')
	f.level = saved
}

func writeTuple[T any](f *Fields, v *T, fields func(*T, *Fields)) {
	saved := f.level
	f.level = level{kind: inTuple}
	f.out = append(f.out, '[')
	fields(v, f)
	f.out = append(f.out, ']')
	f.level = saved
}

// textSlots is how many short texts a message remembers; a power of two.
const textSlots = 32

// text returns text as a string. Short ones that a message repeats, such as symbols,
// coins and sides, share their memory.
func (f *Fields) text(text []byte) string {
	if len(text) == 0 {
		return ""
	}
	if len(text) > 24 || f.texts == nil {
		return string(text)
	}
	h := uint32(len(text))
	for _, b := range text {
		h = h*31 + uint32(b)
	}
	slot := &f.texts[h*0x9E3779B1>>27]
	if *slot != string(text) {
		*slot = string(text)
	}
	return *slot
}
