package core

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/feed"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/flow"
)

// The commands' form in a journal. Prices are ticks and quantities lots of the instrument, times nanoseconds; what is not
// set is left out.

// orderText is an engine.Order as text.
type orderText struct {
	ID           uint64      `json:"id,omitempty"`
	Account      uint32      `json:"account"`
	Group        uint32      `json:"group,omitempty"`
	Side         side        `json:"side"`
	Market       bool        `json:"market,omitempty"`
	TIF          timeInForce `json:"tif,omitempty"`
	Prevent      prevention  `json:"prevent,omitempty"`
	SeesRPI      bool        `json:"seesRPI,omitempty"`
	Reprice      bool        `json:"reprice,omitempty"`
	Bounded      bool        `json:"bounded,omitempty"`
	Tag          tag         `json:"tag,omitempty"`
	Price        int64       `json:"price,omitempty"`
	Qty          int64       `json:"qty,omitempty"`
	Value        int64       `json:"value,omitempty"`
	Worst        int64       `json:"worst,omitempty"`
	Best         uint8       `json:"best,omitempty"`
	BestOpposite bool        `json:"bestOpposite,omitempty"`
}

// The enumerations with a text form.
type (
	side        engine.Side
	timeInForce engine.TimeInForce
	prevention  engine.Prevention
	tag         engine.Tag
	reason      engine.Reason
	regime      flow.Regime
)

// MarshalText implements encoding.TextMarshaler.
func (v side) MarshalText() ([]byte, error) { return word(engine.Side(v)) }

// MarshalText implements encoding.TextMarshaler.
func (v timeInForce) MarshalText() ([]byte, error) { return word(engine.TimeInForce(v)) }

// MarshalText implements encoding.TextMarshaler.
func (v prevention) MarshalText() ([]byte, error) { return word(engine.Prevention(v)) }

// MarshalText implements encoding.TextMarshaler.
func (v tag) MarshalText() ([]byte, error) { return word(engine.Tag(v)) }

// MarshalText implements encoding.TextMarshaler.
func (v reason) MarshalText() ([]byte, error) { return word(engine.Reason(v)) }

// MarshalText implements encoding.TextMarshaler.
func (v regime) MarshalText() ([]byte, error) { return word(flow.Regime(v)) }

// UnmarshalText implements encoding.TextUnmarshaler.
func (v *side) UnmarshalText(b []byte) error { return unword(b, (*engine.Side)(v)) }

// UnmarshalText implements encoding.TextUnmarshaler.
func (v *timeInForce) UnmarshalText(b []byte) error { return unword(b, (*engine.TimeInForce)(v)) }

// UnmarshalText implements encoding.TextUnmarshaler.
func (v *prevention) UnmarshalText(b []byte) error { return unword(b, (*engine.Prevention)(v)) }

// UnmarshalText implements encoding.TextUnmarshaler.
func (v *tag) UnmarshalText(b []byte) error { return unword(b, (*engine.Tag)(v)) }

// UnmarshalText implements encoding.TextUnmarshaler.
func (v *reason) UnmarshalText(b []byte) error { return unword(b, (*engine.Reason)(v)) }

// UnmarshalText implements encoding.TextUnmarshaler.
func (v *regime) UnmarshalText(b []byte) error { return unword(b, (*flow.Regime)(v)) }

// enumeration is a type whose values have names; those without one are called unknownWord.
type enumeration interface {
	~uint8
	fmt.Stringer
}

const unknownWord = "unknown"

// word is the name of a value. One without a name is an error: what it was would be lost.
func word[T enumeration](v T) ([]byte, error) {
	name := v.String()
	if name == unknownWord {
		return nil, fmt.Errorf("core: %T %d has no name", v, uint8(v))
	}
	return []byte(name), nil
}

// unword finds the value of a name.
func unword[T enumeration](name []byte, v *T) error {
	for i := range 256 {
		if s := T(i).String(); s == string(name) && s != unknownWord {
			*v = T(i)
			return nil
		}
	}
	return fmt.Errorf("%w: no %T is called %.40q", errEntry, *v, name)
}

type placeText struct {
	Instrument catalog.ID `json:"instrument"`
	Order      orderText  `json:"order"`
}

// MarshalJSON implements json.Marshaler.
func (p Place) MarshalJSON() ([]byte, error) {
	o := &p.Order
	return json.Marshal(placeText{p.Instrument, orderText{
		ID: o.ID, Account: o.Account, Group: o.Group, Side: side(o.Side), Market: o.Market, TIF: timeInForce(o.TIF),
		Prevent: prevention(o.Prevent), SeesRPI: o.SeesRPI, Reprice: o.Reprice, Bounded: o.Bounded, Tag: tag(o.Tag),
		Price: o.Price, Qty: o.Qty, Value: o.Value, Worst: o.Worst, Best: o.Best, BestOpposite: o.BestOpposite,
	}})
}

// UnmarshalJSON implements json.Unmarshaler.
func (p *Place) UnmarshalJSON(b []byte) error {
	var text placeText
	if err := strictly(b, &text); err != nil {
		return err
	}
	o := &text.Order
	*p = Place{text.Instrument, engine.Order{
		ID: o.ID, Account: o.Account, Group: o.Group, Side: engine.Side(o.Side), Market: o.Market,
		TIF: engine.TimeInForce(o.TIF), Prevent: engine.Prevention(o.Prevent), SeesRPI: o.SeesRPI, Reprice: o.Reprice,
		Bounded: o.Bounded, Tag: engine.Tag(o.Tag), Price: o.Price, Qty: o.Qty, Value: o.Value, Worst: o.Worst,
		Best: o.Best, BestOpposite: o.BestOpposite,
	}}
	return nil
}

type amendText struct {
	Instrument catalog.ID `json:"instrument"`
	ID         uint64     `json:"id"`
	Price      int64      `json:"price"`
	Qty        int64      `json:"qty"`
}

// MarshalJSON implements json.Marshaler.
func (a Amend) MarshalJSON() ([]byte, error) { return json.Marshal(amendText(a)) }

// UnmarshalJSON implements json.Unmarshaler.
func (a *Amend) UnmarshalJSON(b []byte) error { return strictly(b, (*amendText)(a)) }

type cancelText struct {
	Instrument catalog.ID `json:"instrument"`
	ID         uint64     `json:"id"`
	Reason     reason     `json:"reason"`
}

// MarshalJSON implements json.Marshaler.
func (a Cancel) MarshalJSON() ([]byte, error) {
	return json.Marshal(cancelText{a.Instrument, a.ID, reason(a.Reason)})
}

// UnmarshalJSON implements json.Unmarshaler.
func (a *Cancel) UnmarshalJSON(b []byte) error {
	var text cancelText
	if err := strictly(b, &text); err != nil {
		return err
	}
	*a = Cancel{text.Instrument, text.ID, engine.Reason(text.Reason)}
	return nil
}

// booksText is of Halt, Resume and Restart.
type booksText struct {
	Instruments []catalog.ID `json:"instruments,omitempty"`
}

// MarshalJSON implements json.Marshaler.
func (h Halt) MarshalJSON() ([]byte, error) { return json.Marshal(booksText(h)) }

// MarshalJSON implements json.Marshaler.
func (r Resume) MarshalJSON() ([]byte, error) { return json.Marshal(booksText(r)) }

// MarshalJSON implements json.Marshaler.
func (r Restart) MarshalJSON() ([]byte, error) { return json.Marshal(booksText(r)) }

// read reads what was written.
func (t *booksText) read(b []byte) error {
	err := strictly(b, t)
	if len(t.Instruments) == 0 {
		t.Instruments = nil // as what is left out
	}
	return err
}

// UnmarshalJSON implements json.Unmarshaler.
func (h *Halt) UnmarshalJSON(b []byte) error { return (*booksText)(h).read(b) }

// UnmarshalJSON implements json.Unmarshaler.
func (r *Resume) UnmarshalJSON(b []byte) error { return (*booksText)(r).read(b) }

// UnmarshalJSON implements json.Unmarshaler.
func (r *Restart) UnmarshalJSON(b []byte) error { return (*booksText)(r).read(b) }

type regimeText struct {
	Coin   string `json:"coin,omitempty"`
	Regime regime `json:"regime"`
	Over   int64  `json:"over,omitempty"`
}

// MarshalJSON implements json.Marshaler.
func (r Regime) MarshalJSON() ([]byte, error) {
	return json.Marshal(regimeText{r.Coin, regime(r.Regime), r.Over})
}

// UnmarshalJSON implements json.Unmarshaler.
func (r *Regime) UnmarshalJSON(b []byte) error {
	var text regimeText
	if err := strictly(b, &text); err != nil {
		return err
	}
	*r = Regime{text.Coin, flow.Regime(text.Regime), text.Over}
	return nil
}

// percentScale is how many decimals a percentage has in a journal: enough to tell the values of fixed.F apart.
const percentScale = 12

type shockText struct {
	Coin    string          `json:"coin,omitempty"`
	Percent decimal.Decimal `json:"percent"`
	Over    int64           `json:"over,omitempty"`
}

// MarshalJSON implements json.Marshaler.
func (s Shock) MarshalJSON() ([]byte, error) {
	return json.Marshal(shockText{s.Coin, s.Percent.Decimal(percentScale), s.Over})
}

// UnmarshalJSON implements json.Unmarshaler.
func (s *Shock) UnmarshalJSON(b []byte) error {
	var text shockText
	if err := strictly(b, &text); err != nil {
		return err
	}
	percent, ok := fixed.FromDecimal(text.Percent)
	if !ok {
		return fmt.Errorf("%w: a shock by %v", errEntry, text.Percent)
	}
	*s = Shock{text.Coin, percent, text.Over}
	return nil
}

type maintainText struct {
	ID           string  `json:"id,omitempty"`
	Title        string  `json:"title"`
	State        string  `json:"state"`
	Begin        int64   `json:"begin,omitempty"`
	End          int64   `json:"end,omitempty"`
	Href         string  `json:"href,omitempty"`
	ServiceTypes []int64 `json:"serviceTypes,omitempty"`
	Products     []int64 `json:"products,omitempty"`
	UIDSuffixes  []int64 `json:"uidSuffixes,omitempty"`
	MaintainType int64   `json:"maintainType,omitempty"`
	Env          int64   `json:"env,omitempty"`
}

// MarshalJSON implements json.Marshaler.
func (m Maintain) MarshalJSON() ([]byte, error) { return json.Marshal(maintainText(m.Notice)) }

// UnmarshalJSON implements json.Unmarshaler.
func (m *Maintain) UnmarshalJSON(b []byte) error {
	if err := strictly(b, (*maintainText)(&m.Notice)); err != nil {
		return err
	}
	for _, list := range []*[]int64{&m.Notice.ServiceTypes, &m.Notice.Products, &m.Notice.UIDSuffixes} {
		if len(*list) == 0 {
			*list = nil // as what is left out
		}
	}
	return nil
}

type legText struct {
	Instrument catalog.ID `json:"instrument"`
	Side       side       `json:"side"`
	Price      int64      `json:"price"`
	Qty        int64      `json:"qty"`
}

type blockText struct {
	Strategy string    `json:"strategy"`
	Legs     []legText `json:"legs"`
}

// MarshalJSON implements json.Marshaler.
func (b Block) MarshalJSON() ([]byte, error) {
	text := blockText{Strategy: b.Strategy}
	for _, l := range b.Legs {
		text.Legs = append(text.Legs, legText{l.ID, side(l.Side), l.Price, l.Lots})
	}
	return json.Marshal(text)
}

// UnmarshalJSON implements json.Unmarshaler.
func (b *Block) UnmarshalJSON(line []byte) error {
	var text blockText
	if err := strictly(line, &text); err != nil {
		return err
	}
	*b = Block{Strategy: text.Strategy}
	for _, l := range text.Legs {
		b.Legs = append(b.Legs, feed.BlockLeg{ID: l.Instrument, Side: engine.Side(l.Side), Price: l.Price, Lots: l.Qty})
	}
	return nil
}

// strictly decodes JSON that has no fields that v lacks, and nothing behind it.
func strictly(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("%w: %w", errEntry, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("%w: something follows it", errEntry)
	}
	return nil
}
