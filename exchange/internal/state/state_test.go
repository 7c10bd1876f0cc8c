package state

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"math"
	"reflect"
	"runtime"
	"strings"
	"testing"
)

// sample has a field of each kind.
type sample struct {
	i64  int64
	u64  uint64
	i    int
	i32  int32
	u32  uint32
	u8   uint8
	yes  bool
	name string
	raw  []byte
	kind kind
	wide wide
	rows []row
	next *sample
	sum  uint64 // derived from rows
}

type (
	kind uint8
	wide int16
	row  struct {
		price int64
		notes []string
		_     [64]int64 // an element is much larger than its least spelling
	}
)

var errUnsorted = errors.New("rows are not in order")

func (s *sample) Walk(w *Walker) {
	w.Tag("sample.1")
	w.Int64(&s.i64)
	w.Uint64(&s.u64)
	w.Int(&s.i)
	w.Int32(&s.i32)
	w.Uint32(&s.u32)
	w.Uint8(&s.u8)
	w.Bool(&s.yes)
	w.String(&s.name)
	w.Bytes(&s.raw)
	Integer(w, &s.kind)
	Integer(w, &s.wide)
	Slice(w, &s.rows, func(w *Walker, r *row) {
		w.Int64(&r.price)
		Slice(w, &r.notes, (*Walker).String)
	})
	Optional(w, &s.next, func(w *Walker, n *sample) { n.Walk(w) })
	if w.Reading() {
		s.sum = 0
		for i, r := range s.rows {
			s.sum += uint64(r.price)
			if i > 0 && r.price < s.rows[i-1].price {
				w.Fail(errUnsorted)
			}
		}
	}
}

func full() *sample {
	return &sample{
		i64: math.MinInt64, u64: math.MaxUint64, i: -5, i32: math.MinInt32, u32: math.MaxUint32, u8: 255, yes: true,
		name: "BTCUSDT", raw: []byte{0, 1, 2}, kind: 200, wide: math.MinInt16,
		rows: []row{{price: -7}, {price: 1 << 40, notes: []string{"a", ""}}}, sum: 1<<40 - 7,
		next: &sample{i64: 1},
	}
}

func TestWhatWasWrittenIsRestored(t *testing.T) {
	for _, tt := range []struct {
		name string
		want *sample
	}{{"all zero", &sample{}}, {"each field set", full()}} {
		t.Run(tt.name, func(t *testing.T) {
			snapshot := Bytes(tt.want)
			// The target has been used before: nothing of it may be left.
			got := &sample{raw: []byte("old"), rows: make([]row, 9), next: &sample{}, sum: 3, name: "old"}
			if err := Restore(got, snapshot); err != nil {
				t.Fatal(err)
			}
			if len(got.rows) == 0 {
				got.rows = nil
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("restored\n%+v, want\n%+v", got, tt.want)
			}
			if again := Bytes(got); !bytes.Equal(again, snapshot) {
				t.Errorf("the restored one is written as % x, the first as % x", again, snapshot)
			}
		})
	}
}

func TestHashIsOfTheBytes(t *testing.T) {
	long := full()
	for range 5000 { // several times what is gathered before it is hashed
		long.rows = append(long.rows, row{price: 1 << 41, notes: []string{strings.Repeat("x", 7)}})
	}
	wide := full()
	wide.raw = bytes.Repeat([]byte("wide"), hashRoom) // one field that is more than is gathered
	for _, s := range []*sample{{}, full(), long, wide} {
		snapshot := Bytes(s)
		if got, want := Hash(s), sha256.Sum256(snapshot); got != want {
			t.Errorf("Hash = %x, SHA-256 of Bytes = %x", got, want)
		}
		for _, room := range []int{0, 1, 9, 10, 11, len(snapshot) + 3, 2 * len(snapshot)} {
			dst := append(make([]byte, 0, 3+room), "abc"...)
			if got := Append(dst, s); !bytes.Equal(got, append([]byte("abc"), snapshot...)) {
				t.Errorf("with room for %d bytes the snapshot is another", room)
			}
		}
	}
	other := full()
	other.rows[1].notes[1] = "b"
	if Hash(other) == Hash(full()) {
		t.Error("two states have one hash")
	}
}

// only walks one field, so that a case can name its bytes.
type only func(w *Walker)

func (o only) Walk(w *Walker) { o(w) }

func TestWhatIsNotASnapshotIsRefused(t *testing.T) {
	var (
		i32  int32
		u8   uint8
		yes  bool
		name string
		w16  wide
		u64  uint64
		rows []row
	)
	for _, tt := range []struct {
		name  string
		walk  only
		bytes []byte
		want  string // in the error
	}{
		{"nothing", func(w *Walker) { w.Uint64(&u64) }, nil, "ends within a number"},
		{"half a number", func(w *Walker) { w.Uint64(&u64) }, []byte{0x80}, "ends within a number"},
		{"a number of eleven bytes", func(w *Walker) { w.Uint64(&u64) }, bytes.Repeat([]byte{0xff}, 11), "more bytes than it needs"},
		{"zero in two bytes", func(w *Walker) { w.Uint64(&u64) }, []byte{0x80, 0}, "more bytes than it needs"},
		{"too large for 32 bits", func(w *Walker) { w.Int32(&i32) }, []byte{0x80, 0x80, 0x80, 0x80, 0x10}, "does not fit"},
		{"too large for 16 bits", func(w *Walker) { Integer(w, &w16) }, []byte{0x80, 0x80, 0x04}, "does not fit"},
		{"no byte", func(w *Walker) { w.Uint8(&u8) }, nil, "ends early"},
		{"a bool of 2", func(w *Walker) { w.Bool(&yes) }, []byte{2}, "yes or no"},
		{"a text longer than the rest", func(w *Walker) { w.String(&name) }, []byte{3, 'a', 'b'}, "3 elements where 2 bytes"},
		{"a slice longer than the rest", func(w *Walker) { Slice(w, &rows, func(w *Walker, r *row) { w.Int64(&r.price) }) }, []byte{2, 0}, "2 elements where 1 bytes"},
		{"another tag", func(w *Walker) { w.Tag("a.2") }, []byte{3, 'a', '.', '1'}, `found "a.1", want "a.2"`},
		{"a byte too many", func(w *Walker) { w.Uint8(&u8) }, []byte{1, 1}, "1 bytes are left over"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := Restore(tt.walk, tt.bytes)
			if !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Restore = %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestEachPrefixOfASnapshotIsRefused(t *testing.T) {
	snapshot := Bytes(full())
	for n := range snapshot {
		if err := Restore(new(sample), snapshot[:n]); err == nil {
			t.Errorf("the first %d of %d bytes were taken for a snapshot", n, len(snapshot))
		}
	}
}

func TestTheFirstErrorStands(t *testing.T) {
	bad := full()
	bad.rows[0].price = 1 << 50 // out of order
	if err := Restore(new(sample), append(Bytes(bad), 9)); err != errUnsorted {
		t.Errorf("Restore = %v, want the part's own error", err)
	}
	var after int64
	err := Restore(only(func(w *Walker) {
		w.Fail(errUnsorted)
		w.Int64(&after)
		w.Fail(errors.New("second"))
		if w.Err() != errUnsorted {
			t.Errorf("Err = %v", w.Err())
		}
	}), []byte{4})
	if err != errUnsorted || after != 0 {
		t.Errorf("Restore = %v and read %d after it, want the first error and nothing read", err, after)
	}
}

func TestWritingWhatCannotBeRestoredPanics(t *testing.T) {
	for name, walk := range map[string]only{
		"Fail":                  func(w *Walker) { w.Fail(errUnsorted) },
		"elements of no length": func(w *Walker) { s := make([]row, 3); Slice(w, &s, func(*Walker, *row) {}) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("written without a word")
				}
			}()
			Bytes(walk)
		})
	}
}

// allocated returns the bytes that f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestAClaimedLengthIsNotAllocated(t *testing.T) {
	// A million elements of half a kilobyte are claimed, the first of them is damaged: 512 MB if it were believed.
	b := append([]byte{0xc0, 0x84, 0x3d}, bytes.Repeat([]byte{0x80}, 1_000_000)...)
	var rows []row
	var err error
	got := allocated(func() {
		err = Restore(only(func(w *Walker) { Slice(w, &rows, func(w *Walker, r *row) { w.Int64(&r.price) }) }), b)
	})
	if err == nil || got > 1<<20 {
		t.Errorf("error %v, allocated %d bytes", err, got)
	}
}

func FuzzRestore(f *testing.F) {
	f.Add(Bytes(&sample{}))
	f.Add(Bytes(full()))
	f.Add([]byte("\x08sample.1\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\x7f"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var s sample
		if err := Restore(&s, b); err != nil {
			return
		}
		if again := Bytes(&s); !bytes.Equal(again, b) {
			t.Errorf("restored from % x, written as % x", b, again)
		}
	})
}

func BenchmarkBytes(b *testing.B) {
	s := full()
	for range 1000 {
		s.rows = append(s.rows, row{price: 1 << 41})
	}
	b.ReportAllocs()
	for b.Loop() {
		Bytes(s)
	}
}

func BenchmarkHash(b *testing.B) {
	s := full()
	for range 1000 {
		s.rows = append(s.rows, row{price: 1 << 41})
	}
	b.ReportAllocs()
	for b.Loop() {
		Hash(s)
	}
}
