package engine_test

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/state"
)

// A picture is a snapshot in parts, so that a test can write one that no book would.
type picture struct {
	tag    string
	seq    int64
	closed bool
	sides  [2]struct {
		limit, version int64
		orders         []engine.Resting
	}
}

func (p *picture) Walk(w *state.Walker) {
	w.Tag(p.tag)
	w.Int64(&p.seq)
	w.Bool(&p.closed)
	for i := range p.sides {
		s := &p.sides[i]
		w.Int64(&s.limit)
		w.Int64(&s.version)
		for i := range s.orders {
			r := &s.orders[i]
			w.Uint64(&r.ID)
			w.Int64(&r.Price)
			w.Int64(&r.Qty)
			w.Int64(&r.Left)
			w.Uint32(&r.Account)
			w.Uint32(&r.Group)
			state.Integer(w, &r.TIF)
			state.Integer(w, &r.Prevent)
			state.Integer(w, &r.Tag)
			w.Bool(&r.SeesRPI)
			w.Bool(&r.Reprice)
		}
		var end uint64
		w.Uint64(&end)
	}
}

// sound is a picture of a book with two orders a side.
func sound() *picture {
	rest := func(id uint64, price int64, tif engine.TimeInForce) engine.Resting {
		return engine.Resting{Order: engine.Order{ID: id, Account: 7, TIF: tif, Price: price, Qty: 5}, Left: 3}
	}
	p := &picture{tag: "engine.Book.2", seq: 9}
	p.sides[engine.Buy].limit, p.sides[engine.Buy].version = 200, 9
	p.sides[engine.Buy].orders = []engine.Resting{rest(1, 100, engine.GTC), rest(2, 100, engine.RPI)}
	p.sides[engine.Sell].limit, p.sides[engine.Sell].version = 50, 0
	p.sides[engine.Sell].orders = []engine.Resting{rest(3, 101, engine.PostOnly), rest(4, 103, engine.GTC)}
	return p
}

func TestRestore(t *testing.T) {
	b := engine.New(engine.Config{})
	b.Place(&engine.Order{ID: 77, Price: 5, Qty: 5})
	snapshot := state.Bytes(sound())
	if err := state.Restore(b, snapshot); err != nil {
		t.Fatal(err)
	}
	if err := b.Check(); err != nil || b.Resting() != 4 || b.Seq() != 9 || b.Version(engine.Buy) != 9 || b.Version(engine.Sell) != 0 {
		t.Errorf("the book has %d orders, seq %d, versions %d and %d (%v)", b.Resting(), b.Seq(), b.Version(engine.Buy), b.Version(engine.Sell), err)
	}
	if got := state.Bytes(b); !bytes.Equal(got, snapshot) {
		t.Errorf("snapshot is\n%x, want\n%x", got, snapshot)
	}
}

// A snapshot that no book could have written is an error, and leaves an empty book.
func TestRestoreRefusesWhatNoBookHolds(t *testing.T) {
	bids := func(p *picture) []engine.Resting { return p.sides[engine.Buy].orders }
	for _, test := range []struct {
		name, why string
		spoil     func(p *picture)
	}{
		{"another layout", "want \"engine.Book.2\"", func(p *picture) { p.tag = "engine.Book.1" }},
		{"a negative seq", "at seq -1", func(p *picture) { p.seq = -1 }},
		{"a seq with no next", "at seq 9223372036854775807", func(p *picture) { p.seq = math.MaxInt64 }},
		{"a version to come", "version 10", func(p *picture) { p.sides[engine.Buy].version = 10 }},
		{"a negative version", "version -1", func(p *picture) { p.sides[engine.Sell].version = -1 }},
		{"a limit that is no price", "limit 140737488355327", func(p *picture) { p.sides[engine.Buy].limit = 1<<47 - 1 }},
		{"an id twice", "order 1 is there twice", func(p *picture) { bids(p)[1].ID = 1 }},
		{"an id on both sides", "order 1 is there twice", func(p *picture) { p.sides[engine.Sell].orders[1].ID = 1 }},
		{"nothing left", "of which 0 are left", func(p *picture) { bids(p)[0].Left = 0 }},
		{"more left than there was", "of which 6 are left", func(p *picture) { bids(p)[0].Left = 6 }},
		{"a price that is none", "at -140737488355327", func(p *picture) { bids(p)[1].Price = -1<<47 + 1 }},
		{"a value that overflows", "order 1 of 9223372036854775807", func(p *picture) { bids(p)[0].Qty = math.MaxInt64 }},
		{"a sum that overflows", "order 2 of 9223372036854775806", func(p *picture) {
			bids(p)[0].Price, bids(p)[1].Price = 0, -1
			bids(p)[1].Qty, bids(p)[1].Left = math.MaxInt64-1, math.MaxInt64-1
		}},
		{"no id", "a yes or no that is 100", func(p *picture) { bids(p)[1].ID = 0 }},
		{"a kind that does not rest", "order 1 does not rest", func(p *picture) { bids(p)[0].TIF = engine.IOC }},
		{"a prevention that is none", "order 2 does not rest", func(p *picture) { bids(p)[1].Prevent = 4 }},
		{"worse before better", "order 2 stands behind order 1", func(p *picture) { bids(p)[1].Price = 101 }},
		{"RPI before all others", "order 2 stands behind order 1", func(p *picture) { bids(p)[0].TIF, bids(p)[1].TIF = engine.RPI, engine.GTC }},
		{"a crossed book", "crosses", func(p *picture) { bids(p)[0].Price = 101 }},
	} {
		p := sound()
		test.spoil(p)
		b := engine.New(engine.Config{})
		b.Place(&engine.Order{ID: 77, Price: 5, Qty: 5})
		err := state.Restore(b, state.Bytes(p))
		if !errors.Is(err, state.ErrCorrupt) || !strings.Contains(err.Error(), test.why) {
			t.Errorf("%s: %v, want %q", test.name, err, test.why)
		}
		if err := b.Check(); err != nil || b.Resting() != 0 || b.Seq() != 0 {
			t.Errorf("%s: left a book with %d orders at seq %d (%v)", test.name, b.Resting(), b.Seq(), err)
		}
	}
}

// Any bytes are an error, or a book that writes the same bytes and goes on.
func FuzzRestore(f *testing.F) {
	f.Add(state.Bytes(sound()), []byte{0})
	for seed := range uint64(4) {
		b := engine.New(engine.Config{})
		s := &script{bytes: noise(seed, 1000), center: 1000, step: 1}
		for len(s.bytes) > 0 {
			_, run := s.command()
			run(b)
		}
		f.Add(state.Bytes(b), noise(seed, 100))
	}
	f.Fuzz(func(t *testing.T, snapshot, more []byte) {
		b := engine.New(engine.Config{})
		if err := state.Restore(b, snapshot); err != nil {
			if err := b.Check(); err != nil {
				t.Fatalf("a failed restore left a broken book: %v", err)
			}
			return
		}
		if !bytes.Equal(state.Bytes(b), snapshot) {
			t.Fatal("a restored book has another snapshot")
		}
		s := &script{bytes: more, center: 1000, step: 1}
		for len(s.bytes) > 0 {
			words, run := s.command()
			run(b)
			if err := b.Check(); err != nil {
				t.Fatalf("%s: %v", words, err)
			}
		}
	})
}
