// Package state describes the state of the exchange's parts once, for three uses: a snapshot, its restore, and a hash
// that says whether two exchanges are in the same state. Each part has a method Walk, which names its fields in a fixed
// order; a Walker comes by and either writes them down or fills them in.
//
//	             Bytes  ┌────────┐ fields in Walk's order   ┌──────────┐
//	Walk(w) ──────────▶ │ Walker │ ───────────────────────▶ │ []byte   │
//	             Hash   │        │ the same bytes ────────▶ │ SHA-256  │
//	             Restore│        │ ◀─────────────────────── │ []byte   │
//	                    └────────┘                          └──────────┘
//
// A part looks like this:
//
//	func (b *Book) Walk(w *state.Walker) {
//		w.Tag("engine.Book.1")
//		w.Int64(&b.seq)
//		state.Integer(w, &b.side)
//		state.Slice(w, &b.orders, func(w *state.Walker, o *Order) { o.Walk(w) })
//		if w.Reading() {
//			b.index() // what can be derived is not written down
//		}
//	}
//
// What it guarantees:
//   - Hash is SHA-256 of Bytes: equal hashes mean equal snapshots.
//   - There is one spelling of each state. Restore takes nothing else, so Bytes of what was restored are the bytes it was
//     restored from: numbers are varints of least length, a Bool is 0 or 1, nothing is left over at the end.
//   - Restore of any bytes ends in an error or a value, never in a panic, and allocates no more than a fixed multiple of
//     the bytes given: a length is believed only as far as bytes follow that could fill it.
//
// What it does not do: check what the numbers mean. A part that relies on more than the types say (an index within
// a slice, an order of elements) checks it while Reading and calls Fail. There is nothing for maps: their order is not
// fixed, so a part keeps a slice and rebuilds the map.
package state
