package exchange

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/core"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/feed"
)

// BlockTrade makes a trade of all legs that two parties have agreed on by request for quote: no book sees it, and it moves no
// price. It is published on the topic rfq.open.public.trades, and each leg as a public trade with the mark of a block trade. A leg
// without a price has the mark price, on spot the index price; what mark price the leg says is not looked at. It returns the
// rfqId.
func (x *Exchange) BlockTrade(ctx context.Context, strategy string, legs []bybit.RFQLeg) (id string, err error) {
	var failed error
	err = x.do(ctx, func(c *core.Core) {
		block := core.Block{Strategy: strategy}
		for i := range legs {
			var leg feed.BlockLeg
			if leg, failed = legOf(c, &legs[i]); failed != nil {
				failed = fmt.Errorf("exchange: %w: leg %d: %w", feed.ErrBlock, i+1, failed)
				return
			}
			block.Legs = append(block.Legs, leg)
		}
		if _, failed = c.Do(block); failed == nil {
			id = c.Feed().Blocks(1)[0].RFQID
		}
	})
	return id, errors.Join(err, failed)
}

// legOf is a leg as the market has it.
func legOf(c *core.Core, l *bybit.RFQLeg) (feed.BlockLeg, error) {
	switch {
	case l.Category == "" && l.Symbol == "":
		return feed.BlockLeg{}, errors.New("category and symbol are missing")
	case l.Category == "":
		return feed.BlockLeg{}, errors.New("category is missing")
	case l.Symbol == "":
		return feed.BlockLeg{}, errors.New("symbol is missing")
	}
	in, ok := c.Catalog().Find(l.Category, l.Symbol)
	if !ok {
		return feed.BlockLeg{}, fmt.Errorf("%.20s %.40s: %w", l.Category, l.Symbol, ErrNoSymbol)
	}
	leg := feed.BlockLeg{ID: in.ID, Side: engine.Buy}
	if in.Kind == catalog.Spread {
		return leg, fmt.Errorf("%s is a combination itself", l.Symbol)
	}
	switch l.Side {
	case bybit.Buy:
	case bybit.Sell:
		leg.Side = engine.Sell
	default:
		return leg, fmt.Errorf("side %.20q is not Buy or Sell", l.Side)
	}
	switch {
	case l.Price.IsSet():
		if err := bounded("price", l.Symbol, l.Price, in.Price(in.MinPrice), in.Price(in.MaxPrice)); err != nil {
			return leg, err
		}
		leg.Price, ok = in.Ticks(l.Price)
	case in.Kind == catalog.Spot:
		leg.Price = in.TicksOf(c.Board().IndexOf(in.ID))
	default:
		leg.Price = in.TicksOf(c.Board().Mark(in.ID))
	}
	if !ok {
		return leg, fmt.Errorf("price %s of %s is no multiple of its tick of %s", l.Price, l.Symbol, in.Tick)
	}
	if !l.Qty.IsSet() {
		return leg, errors.New("qty is missing")
	}
	if err := bounded("qty", l.Symbol, l.Qty, in.Qty(in.MinQty), in.Qty(in.MaxQty)); err != nil {
		return leg, err
	}
	if leg.Lots, ok = in.Lots(l.Qty); !ok {
		return leg, fmt.Errorf("qty %s of %s is no multiple of its step of %s", l.Qty, l.Symbol, in.Lot)
	}
	return leg, nil
}

// bounded says that a number of a leg is not above 0, or less or more than an order can have.
func bounded(name, symbol string, v, least, most decimal.Decimal) error {
	switch {
	case v.Sign() <= 0:
		return fmt.Errorf("%s %s of %s is not above 0", name, v, symbol)
	case v.Cmp(least) < 0 || v.Cmp(most) > 0:
		return fmt.Errorf("%s %s of %s is not from %s to %s", name, v, symbol, least, most)
	}
	return nil
}

// legText is a leg in a body.
type legText struct {
	Category bybit.Category
	Symbol   string
	Side     bybit.Side
	Price    decimal.Decimal
	Qty      decimal.Decimal
}

// legTexts are the legs in a body.
type legTexts []legText

// UnmarshalJSON implements json.Unmarshaler. A field that is misspelt is an error, as it is of the body.
func (l *legTexts) UnmarshalJSON(b []byte) error {
	var texts []json.RawMessage
	if err := json.Unmarshal(b, &texts); err != nil {
		return err
	}
	*l = make(legTexts, len(texts))
	for i, text := range texts {
		if err := (*l)[i].read(i+1, text); err != nil {
			return err
		}
	}
	return nil
}

// read reads the leg of a number.
func (l *legText) read(n int, b []byte) error {
	var fields map[string]json.RawMessage
	err := json.Unmarshal(b, &fields)
	into := map[string]any{"category": &l.Category, "symbol": &l.Symbol, "side": &l.Side, "price": &l.Price, "qty": &l.Qty}
	for name := range fields {
		if into[name] == nil {
			err = errors.ErrUnsupported
		}
	}
	if err != nil {
		return &fieldError{legWords + ", not " + shortened(string(b))}
	}
	for _, name := range sortedKeys(fields) {
		if json.Unmarshal(fields[name], into[name]) == nil {
			continue
		}
		want := "a text"
		if name == "price" || name == "qty" {
			want = `a number, such as "10"`
		}
		return &fieldError{fmt.Sprintf("leg %d: %s: %s, not %s", n, name, want, shortened(string(fields[name])))}
	}
	return nil
}

const legWords = `each is such as {"category":"linear","symbol":"BTCUSDT","side":"Buy","qty":"10","price":"90000"}, where price may be left out`

// controlBlock makes a block trade.
func controlBlock(x *Exchange, r *http.Request, body []byte) (any, error) {
	q := struct {
		Strategy string
		Legs     legTexts
	}{Strategy: "custom"}
	if err := fill(body, &q, map[string]string{"strategy": "a text, such as custom", "legs": "a list; " + legWords}); err != nil {
		return nil, err
	}
	legs := make([]bybit.RFQLeg, 0, len(q.Legs))
	for _, l := range q.Legs {
		legs = append(legs, bybit.RFQLeg{Category: l.Category, Symbol: l.Symbol, Side: l.Side, Price: l.Price, Qty: l.Qty})
	}
	reply := struct {
		moment
		ID string `json:"rfqId"`
	}{}
	var err error
	if reply.ID, err = x.BlockTrade(r.Context(), q.Strategy, legs); errors.Is(err, feed.ErrBlock) {
		err = wrong("%s", strings.Replace(err.Error(), "core: ", "", 1))
	}
	reply.moment = x.moment()
	return reply, err
}
