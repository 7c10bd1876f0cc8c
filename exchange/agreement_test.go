package exchange

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/exchange/internal/core"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/past"
)

// minuteOf is what trades of one minute add up to.
type minuteOf struct {
	volume, turnover decimal.Decimal
	high, low, last  decimal.Decimal
	trades           int
}

func (m *minuteOf) add(t *testing.T, trade *bybit.Trade, inverse bool) {
	t.Helper()
	value := func() (decimal.Decimal, error) {
		if inverse { // contracts of a dollar: their value is in base coin, with 8 digits
			return trade.Size.Quo(trade.Price, 8, decimal.HalfEven)
		}
		return trade.Size.Mul(trade.Price)
	}
	v, err := value()
	if err != nil {
		t.Fatal(err)
	}
	if m.volume, err = m.volume.Add(trade.Size); err != nil {
		t.Fatal(err)
	}
	if m.turnover, err = m.turnover.Add(v); err != nil {
		t.Fatal(err)
	}
	if m.trades == 0 || trade.Price.Cmp(m.high) > 0 {
		m.high = trade.Price
	}
	if m.trades == 0 || trade.Price.Cmp(m.low) < 0 {
		m.low = trade.Price
	}
	m.last = trade.Price
	m.trades++
}

// Trades, candles and tickers tell of one market: a closed candle is the sum of the trades that its topic's neighbour
// published in that minute, and the volume of a ticker is the sum of the candles of 24 hours.
func TestTradesCandlesAndTickersAgree(t *testing.T) {
	markets := []struct {
		channel bybit.Channel
		symbol  string
	}{{bybit.Linear, "BTCUSDT"}, {bybit.Spot, "ETHUSDT"}, {bybit.Inverse, "BTCUSD"}}
	cfg := stepped("linear:BTCUSDT", "spot:ETHUSDT", "inverse:BTCUSD")
	inBubble(t, cfg, func(t *testing.T, b *bench) {
		for _, m := range markets {
			b.agree(m.channel, m.symbol)
		}
	})
}

func (b *bench) agree(channel bybit.Channel, symbol string) {
	t := b.t
	b.advance(time.Minute - b.x.Now().Sub(b.x.Now().Truncate(time.Minute))) // to a full minute
	s := b.stream(channel, bybit.Trades(symbol), bybit.Klines(bybit.Interval1m, symbol), bybit.Tickers(symbol))
	defer s.Close()
	sums := map[int64]*minuteOf{}
	var ticker bybit.Ticker
	closed := 0
	var pushed []bybit.Kline // closed ones
	prior := decimal.Decimal{}
	from := b.x.Now()
	symbols := []Symbol{{bybit.Category(channel), symbol}}
	for i := range 4 * 60 {
		for at, do := range map[int]func(context.Context, ...Symbol) error{70: b.x.Halt, 95: b.x.Resume, 130: b.x.RestartBooks} {
			if i == at {
				if err := do(t.Context(), symbols...); err != nil {
					t.Fatal(err)
				}
			}
		}
		b.advance(time.Second)
		drain(t, s, func(ev bybit.Event) {
			switch ev := ev.(type) {
			case *bybit.TradesEvent:
				for i := range ev.Trades {
					trade := &ev.Trades[i]
					if trade.Block {
						continue // no book saw it, and no candle
					}
					minute := trade.Time.Truncate(time.Minute).Unix()
					if sums[minute] == nil {
						sums[minute] = &minuteOf{}
					}
					sums[minute].add(t, trade, channel == bybit.Inverse)
				}
			case *bybit.TickerEvent:
				ticker = ev.Ticker
			case *bybit.KlineEvent:
				for _, k := range ev.Klines {
					if !k.Confirm || k.Start.Before(from) {
						continue
					}
					closed++
					sum := sums[k.Start.Unix()]
					if sum == nil {
						t.Fatalf("%s %s: a candle of %v without trades", channel, symbol, k.Start)
					}
					if k.Volume.Cmp(sum.volume) != 0 || k.Turnover.Cmp(sum.turnover) != 0 || k.Close.Cmp(sum.last) != 0 {
						t.Errorf("%s %s %v: the candle has volume %v, turnover %v, close %v; its trades %v, %v, %v", channel, symbol,
							k.Start, k.Volume, k.Turnover, k.Close, sum.volume, sum.turnover, sum.last)
					}
					// A candle opens with the close of the one before, which may be its high or low.
					high, low := sum.high, sum.low
					if k.Open.Cmp(high) > 0 {
						high = k.Open
					}
					if k.Open.Cmp(low) < 0 {
						low = k.Open
					}
					if k.High.Cmp(high) != 0 || k.Low.Cmp(low) != 0 {
						t.Errorf("%s %s %v: the candle is from %v to %v, its trades from %v to %v", channel, symbol, k.Start, k.Low, k.High, low, high)
					}
					if !prior.IsZero() && k.Open.Cmp(prior) != 0 {
						t.Errorf("%s %s %v: opens at %v after a close at %v", channel, symbol, k.Start, k.Open, prior)
					}
					prior = k.Close
					pushed = append(pushed, k)
				}
			}
		})
	}
	if closed < 3 {
		t.Errorf("%s %s: %d candles closed", channel, symbol, closed)
	}
	reply, err := b.client().Market.Kline(t.Context(), &bybit.KlineParams{Category: bybit.Category(channel), Symbol: symbol, Interval: bybit.Interval1m, Limit: bybit.Some(closed + 1)})
	if err != nil {
		t.Fatal(err)
	}
	if len(reply.List) != closed+1 {
		t.Fatalf("%s %s: %d candles over REST, want %d", channel, symbol, len(reply.List), closed+1)
	}
	for i, k := range pushed { // newest first, and the newest is open
		got := reply.List[closed-i]
		if !got.StartTime.Equal(k.Start) || got.OpenPrice.Cmp(k.Open) != 0 || got.HighPrice.Cmp(k.High) != 0 || got.LowPrice.Cmp(k.Low) != 0 ||
			got.ClosePrice.Cmp(k.Close) != 0 || got.Volume.Cmp(k.Volume) != 0 || got.Turnover.Cmp(k.Turnover) != 0 {
			t.Errorf("%s %s: over REST %+v, the stream had %+v", channel, symbol, got, k)
		}
	}
	b.do(func(c *core.Core) {
		in, _ := c.Catalog().Find(bybit.Category(channel), symbol)
		now := c.Now()
		var volume, turnover decimal.Decimal
		for _, bar := range c.Bars().Bars(nil, in.ID, past.Trade, past.M1, now-24*int64(time.Hour)+int64(time.Minute), now, 0) {
			var err error
			if volume, err = volume.Add(in.Qty(bar.Volume)); err != nil {
				t.Fatal(err)
			}
			if turnover, err = turnover.Add(bar.Turnover.Value(in)); err != nil {
				t.Fatal(err)
			}
		}
		if ticker.Volume24h.Cmp(volume) != 0 || ticker.Turnover24h.Cmp(turnover.Round(ticker.Turnover24h.Scale(), decimal.HalfEven)) != 0 {
			t.Errorf("%s %s: volume24h %v and turnover24h %v, the candles of 24 hours %v and %v", channel, symbol,
				ticker.Volume24h, ticker.Turnover24h, volume, turnover)
		}
	})
}

// Options and spreads have no candles and no past: what their tickers count are the trades since the start, and REST shows
// the trades that the stream had.
func TestTradesAndTickersOfOptionsAndSpreadsAgree(t *testing.T) {
	const option, spread = "BTC-27MAR26-90000-C-USDT", "BTCUSDT_BTC/USDT"
	cfg := stepped("spot:BTCUSDT", "linear:BTCUSDT", "spread:"+spread, "option:"+option)
	inBubble(t, cfg, func(t *testing.T, b *bench) {
		of := []Symbol{{bybit.Option, option}, {bybit.Spread, spread}}
		streams := []*bybit.Stream{
			b.stream(bybit.Option, bybit.Trades("BTC"), bybit.Tickers(option)), b.stream(bybit.Spread, bybit.Trades(spread), bybit.Tickers(spread)),
		}
		trades, tickers := make([][]bybit.Trade, len(of)), make([]bybit.Ticker, len(of))
		for round := range 60 {
			for _, symbol := range of {
				b.cross(symbol, round)
			}
			b.advance(time.Second)
			for i, s := range streams {
				drain(t, s, func(ev bybit.Event) {
					switch ev := ev.(type) {
					case *bybit.TradesEvent:
						trades[i] = append(trades[i], ev.Trades...)
					case *bybit.TickerEvent:
						tickers[i] = ev.Ticker
					}
				})
			}
		}
		options, err := b.client().Market.Trades(t.Context(), &bybit.TradesParams{Category: bybit.Option, Symbol: bybit.Some(option)})
		if err != nil {
			t.Fatal(err)
		}
		spreads, err := b.client().Spread.Trades(t.Context(), &bybit.SpreadTradesParams{Symbol: spread})
		if err != nil {
			t.Fatal(err)
		}
		rest := make([][]string, len(of))
		for i := range options.List {
			rest[0] = append(rest[0], options.List[i].ExecID)
		}
		for i := range spreads.List {
			rest[1] = append(rest[1], spreads.List[i].ExecID)
		}
		for i, list := range trades {
			sum := &minuteOf{}
			var streamed []string
			for k := range list {
				if !list[k].Block {
					sum.add(t, &list[k], false)
				}
				streamed = append(streamed, list[k].ID)
			}
			v := &tickers[i]
			if len(list) < 20 || v.Volume24h.Cmp(sum.volume) != 0 || v.LastPrice.Cmp(sum.last) != 0 || i == 0 && v.Turnover24h.Cmp(sum.turnover) != 0 {
				t.Errorf("%+v: %d trades of %v for %v, the last at %v; the ticker has %v for %v, %v", of[i], len(list), sum.volume, sum.turnover, sum.last,
					v.Volume24h, v.Turnover24h, v.LastPrice)
			}
			if slices.Reverse(streamed); !slices.Equal(streamed, rest[i]) {
				t.Errorf("%+v: %d trades over REST, %d on the stream, and they are not the same", of[i], len(rest[i]), len(streamed))
			}
		}
	})
}

// cross lets an account from outside take something of the best price, now on this side, now on that.
func (b *bench) cross(symbol Symbol, round int) {
	b.t.Helper()
	err := b.x.command(b.t.Context(), func(c *core.Core) (core.Command, error) {
		ids, err := numbers(c, []Symbol{symbol})
		if err != nil {
			return nil, err
		}
		o := engine.Order{Account: 1000, Side: engine.Side(round % 2), Market: true, Qty: c.Catalog().At(ids[0]).MinQty}
		return core.Place{Instrument: ids[0], Order: o}, nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// What is refused before it reaches the market says the exchange's time as well.
func TestRefusalsAreOfTheExchangesTime(t *testing.T) {
	inBubble(t, stepped("linear:BTCUSDT"), func(t *testing.T, b *bench) {
		b.advance(90 * time.Second)
		w := httptest.NewRecorder()
		b.x.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://localhost/v5/market/time", strings.NewReader("{}")))
		ms := strconv.FormatInt(b.x.Now().UnixMilli(), 10)
		if w.Code != http.StatusForbidden || w.Header().Get("Timenow") != ms || !strings.Contains(w.Body.String(), `"time":`+ms) {
			t.Errorf("%d %s with Timenow %s, want the time %s", w.Code, w.Body, w.Header().Get("Timenow"), ms)
		}
	})
}
