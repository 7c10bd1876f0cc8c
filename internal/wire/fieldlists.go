package wire

import (
	"maps"
	"slices"
	"strconv"
)

// Struct is a field that is an object, written even if nothing in it is set.
func Struct[T any](f *Fields, name string, p *T, fields func(*T, *Fields)) {
	if f.mode >= writing {
		f.writeKey(name)
		writeObject(f, p, fields)
	} else if f.at(name) {
		readObject(f, p, fields)
		f.next(name)
	}
}

// Pointer is a field that is an object, absent if it is nil.
func Pointer[T any](f *Fields, name string, p **T, fields func(*T, *Fields)) {
	if f.mode >= writing {
		if !f.gone(name, *p == nil) {
			f.writeKey(name)
			writeObject(f, *p, fields)
		}
	} else if f.at(name) {
		if !f.null() {
			*p = new(T)
			readObject(f, *p, fields)
		}
		f.next(name)
	}
}

// Tuple is a field that is an array whose elements are fields by their place.
func Tuple[T any](f *Fields, name string, p *T, fields func(*T, *Fields)) {
	if f.mode >= writing {
		f.writeKey(name)
		writeTuple(f, p, fields)
	} else if f.at(name) {
		if !f.null() {
			readTuple(f, p, fields)
		}
		f.next(name)
	}
}

// Structs is a field that is an array of objects; null is a nil slice.
func Structs[T any](f *Fields, name string, p *[]T, fields func(*T, *Fields)) {
	list(f, name, p, func(f *Fields, v *T) {
		switch {
		case f.mode >= writing:
			writeObject(f, v, fields)
		case f.cursor.peek() == 'n':
			f.cursor.expected("an object expected, not null")
		default:
			readObject(f, v, fields)
		}
	})
}

// Slots is Structs where a place of the array counts although it may be null: such an object
// is empty.
func Slots[T any](f *Fields, name string, p *[]T, fields func(*T, *Fields)) {
	Values(f, name, p, func(f *Fields, _ string, v *T) { Struct(f, "", v, fields) })
}

// Tuples is a field that is an array of tuples.
func Tuples[T any](f *Fields, name string, p *[]T, fields func(*T, *Fields)) {
	list(f, name, p, func(f *Fields, v *T) {
		if f.mode >= writing {
			writeTuple(f, v, fields)
		} else {
			readTuple(f, v, fields)
		}
	})
}

// Values is a field that is an array; value is the method for one element.
func Values[T any](f *Fields, name string, p *[]T, value func(*Fields, string, *T)) {
	list(f, name, p, func(f *Fields, v *T) {
		saved := f.level
		f.level = level{kind: inValue, depth: saved.depth + 1}
		value(f, "", v)
		f.level = saved
	})
}

// Rows is a field that is an array of arrays.
func Rows[T any](f *Fields, name string, p *[][]T, value func(*Fields, string, *T)) {
	Values(f, name, p, func(f *Fields, name string, p *[]T) { Values(f, name, p, value) })
}

// list is a field that is an array. In a query its elements are separated by commas.
func list[T any](f *Fields, name string, p *[]T, element func(*Fields, *T)) {
	lone := f.lone
	f.lone = false
	switch {
	case f.mode >= writing:
		if !f.gone(name, *p == nil) {
			f.writeKey(name)
			writeList(f, name, *p, element)
		}
	case f.at(name):
		if !f.null() {
			if f.mode == readingQuery {
				f.splitQuery()
			}
			if lone && f.cursor.peek() != '[' {
				*p = make([]T, 1)
				element(f, &(*p)[0])
			} else {
				*p = readList(f, element)
			}
		}
		f.next(name)
	}
}

func writeList[T any](f *Fields, name string, list []T, element func(*Fields, *T)) {
	if f.mode == writing {
		f.out = append(f.out, '[')
	}
	for i := range list {
		if i > 0 {
			f.out = append(f.out, ',')
		}
		refused := f.refused
		if element(f, &list[i]); refused == nil && f.refused != nil {
			f.refused.within(name + "[" + strconv.Itoa(i) + "]")
		}
	}
	if f.mode == writing {
		f.out = append(f.out, ']')
	}
}

const (
	// firstRows bounds what is allocated for the rows of a list before they are seen.
	firstRows = 1024
	// listDepth is the depth of the lists that are most of a reply.
	listDepth = 1
)

func readList[T any](f *Fields, element func(*Fields, *T)) []T {
	c := &f.cursor
	if c.peek() != '[' {
		c.expected("an array expected")
		return nil
	}
	c.pos++
	rows := []T{}
	if c.peek() == ']' {
		c.pos++
		return rows
	}
	from := c.pos
	for {
		rows = append(rows, *new(T))
		element(f, &rows[len(rows)-1])
		if c.err != nil {
			f.fail("[" + strconv.Itoa(len(rows)-1) + "]")
			return nil
		}
		switch c.peek() {
		case ',':
			c.pos++
		case ']':
			c.pos++
			return rows
		default:
			c.expected("a comma or a closing bracket expected")
			return nil
		}
		if len(rows) == 1 && f.level.depth <= listDepth {
			// The rows of a page are about as long as the first one.
			more := (len(c.buf) - c.pos) / (c.pos - from)
			rows = slices.Grow(rows, min(more, firstRows))
		}
	}
}

// Map is a field that is an object whose keys are data; value is the method for one
// value. It is written in the order of its keys.
func Map[T any](f *Fields, name string, p *map[string]T, value func(*Fields, string, *T)) {
	each(f, name, p, func(f *Fields, v *T) { value(f, "", v) })
}

// StructMap is a Map of objects.
func StructMap[T any](f *Fields, name string, p *map[string]T, fields func(*T, *Fields)) {
	each(f, name, p, func(f *Fields, v *T) {
		if f.mode >= writing {
			writeObject(f, v, fields)
		} else {
			readObject(f, v, fields)
		}
	})
}

func each[T any](f *Fields, name string, p *map[string]T, element func(*Fields, *T)) {
	if f.mode < writing {
		if f.at(name) {
			if !f.null() {
				*p = readMap(f, element)
			}
			f.next(name)
		}
		return
	}
	if f.gone(name, *p == nil) {
		return
	}
	f.writeKey(name)
	saved := f.level
	f.out = append(f.out, '{')
	for i, key := range slices.Sorted(maps.Keys(*p)) {
		if i > 0 {
			f.out = append(f.out, ',')
		}
		f.out = append(AppendString(f.out, key), ':')
		f.level = level{kind: inValue}
		v := (*p)[key]
		element(f, &v)
	}
	f.out = append(f.out, '}')
	f.level = saved
}

func readMap[T any](f *Fields, element func(*Fields, *T)) map[string]T {
	c := &f.cursor
	saved := f.level
	m := make(map[string]T)
	var o Object
	for c.NextKey(&o) {
		key := string(o.Key)
		if _, twice := m[key]; twice {
			c.Fail(o.start, "the key "+strconv.Quote(key)+" stands twice")
			break
		}
		f.level = level{kind: inValue, depth: saved.depth + 1}
		f.key = nil
		var v T
		if element(f, &v); c.err != nil {
			f.fail(key)
		}
		m[key] = v
	}
	f.level = saved
	return m
}

// Optional is a field of a request that may be unset; *bybit.Opt is one.
type Optional[T any] interface {
	Get() (T, bool)
	Set(T)
}

// Opt is a field that is not written if it is unset; value is the method for its
// value. null is unset.
func Opt[T any](f *Fields, name string, o Optional[T], value func(*Fields, string, *T)) {
	if f.mode >= writing {
		v, ok := o.Get()
		f.missing(name, !ok)
		if ok {
			f.exact = true
			value(f, name, &v)
			f.exact = false
		}
		return
	}
	if !f.at(name) {
		return
	}
	if f.null() {
		f.next(name)
		return
	}
	// The value is read without its key, since at has passed over that.
	saved := f.level
	f.level = level{kind: inValue, depth: saved.depth}
	f.exact = true
	var v T
	value(f, "", &v)
	f.level, f.exact = saved, false
	o.Set(v)
	f.next(name)
}
