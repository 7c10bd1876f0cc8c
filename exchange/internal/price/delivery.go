package price

import (
	"slices"

	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/fixed"
)

// Delivery is a contract that was delivered, and at which price.
type Delivery struct {
	ID    catalog.ID
	At    int64
	Price fixed.F
}

// average adds the index to the averages of the deliveries that are near: samples at each second from 30 minutes before the
// delivery to a second before it.
func (b *Board) average(now int64) {
	for i := range b.pairs {
		p := &b.pairs[i]
		// Those whose contracts the catalogue has rolled are kept until Delivered has asked for them.
		p.averages = slices.DeleteFunc(p.averages, func(a deliveryAverage) bool { return now >= a.delivery+deliveryWindow })
	}
	for _, in := range b.cat.Live() {
		if in.Delivery == 0 || in.Kind == catalog.Spread || now < in.Delivery-deliveryWindow || now >= in.Delivery {
			continue
		}
		p := &b.pairs[b.pairOf[in.ID]]
		if !slices.ContainsFunc(p.averages, func(a deliveryAverage) bool { return a.delivery == in.Delivery }) {
			p.averages = append(p.averages, deliveryAverage{delivery: in.Delivery})
		}
	}
	for i := range b.pairs {
		p := &b.pairs[i]
		for j := range p.averages {
			if now < p.averages[j].delivery {
				p.averages[j].add(p.index)
			}
		}
	}
}

// expected returns the average of an instrument's index so far, and whether there is one.
func (b *Board) expected(in *catalog.Instrument) (fixed.F, bool) {
	if in == nil || in.Delivery == 0 || in.Kind == catalog.Spread || int(in.ID) >= len(b.pairOf) || b.pairOf[in.ID] < 0 {
		return 0, false
	}
	for _, a := range b.pairs[b.pairOf[in.ID]].averages {
		if a.delivery == in.Delivery {
			return a.mean()
		}
	}
	return 0, false
}

// Predicted returns the expected delivery price of a future or option: the average so far, in the last 30 minutes; false
// earlier.
func (b *Board) Predicted(id catalog.ID) (fixed.F, bool) { return b.expected(b.cat.At(id)) }

// Delivered takes a contract that the catalogue's Roll has delivered off the board and returns the price at which that
// happens: the average of the index over the 30 minutes before, or the index where the clock jumped over them.
func (b *Board) Delivered(id catalog.ID) fixed.F {
	in := b.cat.At(id)
	if in == nil || in.Kind == catalog.Spread {
		return 0
	}
	price, ok := b.expected(in)
	if !ok {
		price = b.IndexOf(id)
	}
	if int(id) < len(b.rows) {
		b.rows[id], b.options[id], b.pairOf[id] = nil, nil, -1
	}
	for len(b.delivered) > 0 && b.delivered[0].At < in.Delivery-keepDelivered {
		b.delivered = b.delivered[1:]
	}
	b.delivered = append(b.delivered, Delivery{ID: id, At: in.Delivery, Price: price})
	return price
}

// Deliveries returns what was delivered in the last 31 days, the oldest first. The slice is the board's.
func (b *Board) Deliveries() []Delivery { return b.delivered }
