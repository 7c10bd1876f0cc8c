package exchange

import (
	"bytes"
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
				failed = fmt.Errorf("exchange: leg %d: %w", i+1, failed)
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
	in, ok := c.Catalog().Find(l.Category, l.Symbol)
	if !ok {
		return feed.BlockLeg{}, fmt.Errorf("%.20s %.40s: %w", l.Category, l.Symbol, ErrNoSymbol)
	}
	leg := feed.BlockLeg{ID: in.ID, Side: engine.Buy}
	switch l.Side {
	case bybit.Buy:
	case bybit.Sell:
		leg.Side = engine.Sell
	default:
		return leg, fmt.Errorf("%w: side %.20q is not Buy or Sell", feed.ErrBlock, l.Side)
	}
	switch {
	case l.Price.IsSet():
		leg.Price, ok = in.Ticks(l.Price)
	case in.Kind == catalog.Spot:
		leg.Price = in.TicksOf(c.Board().IndexOf(in.ID))
	default:
		leg.Price = in.TicksOf(c.Board().Mark(in.ID))
	}
	if !ok {
		return leg, fmt.Errorf("%w: price %s of %s is no multiple of its tick of %s", feed.ErrBlock, l.Price, l.Symbol, in.Tick)
	}
	if leg.Lots, ok = in.Lots(l.Qty); !ok {
		return leg, fmt.Errorf("%w: qty %s of %s is no multiple of its step of %s", feed.ErrBlock, l.Qty, l.Symbol, in.Lot)
	}
	return leg, nil
}

// legText is a leg in a body.
type legText struct {
	Category bybit.Category
	Symbol   string
	Side     bybit.Side
	Price    decimal.Decimal
	Qty      decimal.Decimal
}

// UnmarshalJSON implements json.Unmarshaler. A field that is misspelt is an error, as it is of the body.
func (l *legText) UnmarshalJSON(b []byte) error {
	type plain legText
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if d.Decode((*plain)(l)) != nil {
		return &fieldError{legWords + ", not " + shortened(string(b))}
	}
	return nil
}

const legWords = `each is such as {"category":"linear","symbol":"BTCUSDT","side":"Buy","qty":"10","price":"90000"}, where price may be left out`

// controlBlock makes a block trade.
func controlBlock(x *Exchange, r *http.Request, body []byte) (any, error) {
	q := struct {
		Strategy string
		Legs     []legText
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
	if reply.ID, err = x.BlockTrade(r.Context(), q.Strategy, legs); errors.Is(err, feed.ErrBlock) || errors.Is(err, ErrNoSymbol) {
		err = wrong("%s", strings.Replace(err.Error(), "core: ", "", 1))
	}
	reply.moment = x.moment()
	return reply, err
}
