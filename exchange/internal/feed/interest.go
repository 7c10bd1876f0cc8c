package feed

import (
	"cmp"
	"slices"

	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/past"
	"github.com/bywire/bywire/exchange/internal/state"
)

// interest is what is open in a contract: positions follow from trades, and what was open before the start belongs
// to holders that never trade. It has nothing to do with money, and will be the ledger's as soon as there is one.
type interest struct {
	base    int64 // lots open on one side since before the start
	open    int64 // lots that accounts are long: as many as they are short
	holders []holder
	longs   int64 // how many accounts are long
	shorts  int64
}

// holder is one account's position.
type holder struct {
	account uint32
	lots    int64 // negative: short
}

// newInterest is what is open in a contract when it is listed: of those that the exchange starts with, what their
// past ended with.
func (f *Feed) newInterest(in *catalog.Instrument) *interest {
	if f.started {
		return &interest{}
	}
	return &interest{base: past.OpenLots(f.cat, in)}
}

// single is what is open on one side.
func (v *interest) single() int64 { return v.base + v.open }

// trade moves lots from the seller to the buyer.
func (v *interest) trade(ev *engine.Event) {
	lots := ev.Qty
	if ev.Side == engine.Sell {
		lots = -lots
	}
	v.move(ev.Account, lots)
	v.move(ev.MakerAccount, -lots)
}

// move changes one position.
func (v *interest) move(account uint32, lots int64) {
	i, ok := slices.BinarySearchFunc(v.holders, account, func(h holder, a uint32) int { return cmp.Compare(h.account, a) })
	if !ok {
		v.holders = slices.Insert(v.holders, i, holder{account: account})
	}
	h := &v.holders[i]
	v.count(h, -1)
	h.lots += lots
	v.count(h, 1)
}

// count adds a position to the sums, or takes it out.
func (v *interest) count(h *holder, by int64) {
	switch {
	case h.lots > 0:
		v.open += by * h.lots
		v.longs += by
	case h.lots < 0:
		v.shorts += by
	}
}

func (v *interest) walk(w *state.Walker) {
	w.Int64(&v.base)
	state.Slice(w, &v.holders, func(w *state.Walker, h *holder) {
		w.Uint32(&h.account)
		w.Int64(&h.lots)
	})
	if !w.Reading() {
		return
	}
	v.open, v.longs, v.shorts = 0, 0, 0
	for i := range v.holders {
		if i > 0 && v.holders[i-1].account >= v.holders[i].account {
			w.Fail(errState)
			return
		}
		v.count(&v.holders[i], 1)
	}
}
