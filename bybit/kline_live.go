package bybit

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"
)

// KlinesThenLiveParams say which candles [MarketService.KlinesThenLive] yields.
type KlinesThenLiveParams struct {
	Category Category  // spot, linear or inverse
	Symbol   string    // such as BTCUSDT
	Interval Interval  // length of a candle
	Start    time.Time // not before this candle's start

	// Open adds the candle that is open, each time it changes, with Confirm false. Default:
	// closed candles only.
	Open bool

	// Stream is how the stream is opened. Default: as nil for [Client.Public].
	Stream *StreamOptions
}

const (
	// klineSettle is how long after its end a candle is taken over REST, which may lag
	// behind the stream, so that its last trades are missing until then.
	klineSettle = 2 * time.Second

	// klineLate is how long after its end the stream may bring a candle before it is asked
	// for over REST, and how long it takes until that is done again, twice as long each time
	// up to klineLatest.
	klineLate   = 5 * time.Second
	klineLatest = 5 * time.Minute
)

// KlinesThenLive yields the candles of a symbol from Start on without an end: those of the past
// over REST, then those that close, as the stream brings them. It subscribes before it asks for the past,
// so that nothing falls between the two.
//
// Candles come in order of their start, each closed one once, with Confirm set. None is
// missing that the exchange has: after a [GapEvent], when the stream skips a candle, and when one is
// late by 5 seconds, what is missing is asked for over REST, before anything newer is yielded. A candle
// of REST has no Time of its last trade. With Open, states of the open candle come between those:
// after the one before it was yielded, and never again once it is closed.
//
// An error comes once, last: ctx's, the first dial's, the exchange's refusal of the symbol, or
// [ErrClosed] with the client. Failures that may pass are waited out once a candle of the past has
// come, or none is there. The stream is the iterator's own, and is closed when it ends.
//
// V5 pages: [market/kline], [websocket/public/kline].
//
// [market/kline]: https://bybit-exchange.github.io/docs/v5/market/kline
// [websocket/public/kline]: https://bybit-exchange.github.io/docs/v5/websocket/public/kline
func (s *MarketService) KlinesThenLive(ctx context.Context, p *KlinesThenLiveParams) iter.Seq2[Kline, error] {
	params := deref(p)
	return func(yield func(Kline, error) bool) {
		f := &klineFeed{market: s, KlinesThenLiveParams: params, take: func(k *Kline) bool { return yield(*k, nil) }}
		if err := f.run(ctx); err != nil && !errors.Is(err, errTaken) {
			yield(Kline{}, fmt.Errorf("market.KlinesThenLive %s: %w", params.Symbol, err))
		}
	}
}

// errTaken is how a feed ends whose consumer has had enough.
var errTaken = errors.New("the loop has ended")

// klineFeed joins candles of REST and of a stream.
type klineFeed struct {
	KlinesThenLiveParams
	market *MarketService
	take   func(*Kline) bool

	begun bool          // a candle was yielded, or there was none
	next  time.Time     // start of the first candle that was not yielded; all before it were
	wake  time.Time     // when REST is asked for it
	late  time.Duration // and how long after that if it has it not
}

func (f *klineFeed) run(ctx context.Context) error {
	if f.Start.IsZero() {
		return errors.New("the span has no start")
	}
	first, known := f.Interval.floor(f.Start)
	if !known {
		return fmt.Errorf("the interval %q has no length that is known", string(f.Interval))
	}
	if first.Before(f.Start) {
		first = f.Interval.after(first)
	}
	topic := Klines(f.Interval, f.Symbol)
	stream, err := f.market.c.Public(ctx, Channel(f.Category), f.Stream, topic)
	if err != nil {
		return err
	}
	defer stream.Close()
	f.advance(first)
	if _, err := f.mend(ctx); err != nil {
		return err
	}
	f.begun = true
	for {
		ev, err := f.receive(ctx, stream)
		switch {
		case err != nil:
			return err
		case ev == nil: // the candle is late
			_, err = f.mend(ctx)
		default:
			err = f.event(ctx, ev, topic)
		}
		if err != nil {
			return err
		}
	}
}

// receive returns the next event, or none if the next candle is late.
func (f *klineFeed) receive(ctx context.Context, stream *Stream) (Event, error) {
	if !time.Now().Before(f.wake) {
		return nil, ctx.Err()
	}
	wait, cancel := context.WithDeadline(ctx, f.wake)
	defer cancel()
	ev, err := stream.Recv(wait)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return nil, nil
	}
	return ev, err
}

// event does what an event asks for.
func (f *klineFeed) event(ctx context.Context, ev Event, topic Topic) error {
	switch ev := ev.(type) {
	case *KlineEvent:
		for i := range ev.Klines {
			if err := f.push(ctx, &ev.Klines[i]); err != nil {
				return err
			}
		}
	case *GapEvent:
		_, err := f.mend(ctx)
		return err
	case *DecodeErrorEvent:
		_, err := f.mend(ctx)
		return err
	case *RejectedEvent:
		if ev.Topic == topic {
			return ev.Err
		}
	}
	return nil
}

// push takes a candle of the stream. One that is ahead shows that those between are
// missing: REST has them, or nobody. If REST cannot be asked now it is left to REST too. The open
// one waits for those before it, which REST is asked for when they are late.
func (f *klineFeed) push(ctx context.Context, k *Kline) error {
	if !k.Confirm {
		if f.Open && k.Start.Equal(f.next) && !f.take(k) {
			return errTaken
		}
		return nil
	}
	if k.Start.After(f.next) {
		mended, err := f.mend(ctx)
		if err != nil || !mended {
			return err
		}
	}
	if k.Start.Before(f.next) {
		return nil
	}
	return f.yield(k)
}

// yield hands out a closed candle.
func (f *klineFeed) yield(k *Kline) error {
	f.begun = true
	f.advance(f.Interval.after(k.Start))
	if !f.take(k) {
		return errTaken
	}
	return nil
}

// advance waits for another candle.
func (f *klineFeed) advance(next time.Time) {
	f.next, f.late = next, klineLate
	f.wake = f.Interval.after(next).Add(klineLate)
}

// mend is fill that waits failures out which may pass: false says that there was one. Only a
// candle that REST should have had when it was asked is asked for later and later.
func (f *klineFeed) mend(ctx context.Context) (bool, error) {
	asked := time.Now()
	err := f.fill(ctx)
	if err != nil && (!f.begun || ctx.Err() != nil || !mayPass(err)) {
		return false, err
	}
	if due := f.Interval.after(f.next).Add(klineSettle); !asked.Before(due) {
		f.wake = time.Now().Add(f.late)
		f.late = min(2*f.late, klineLatest)
	}
	return err == nil, nil
}

// mayPass reports whether a failure of fill is worth another try.
func mayPass(err error) bool {
	for _, final := range []error{errTaken, ErrClosed, errBounds} {
		if errors.Is(err, final) {
			return false
		}
	}
	return passes(err)
}

// fill yields the candles that REST has.
func (f *klineFeed) fill(ctx context.Context) error {
	p := &KlineParams{Category: f.Category, Symbol: f.Symbol, Interval: f.Interval, Start: Some(f.next)}
	for c, err := range f.market.AllKlines(ctx, p) {
		if err != nil {
			return err
		}
		if c.StartTime.Before(f.next) {
			continue
		}
		k := &Kline{
			Start: c.StartTime, End: f.Interval.after(c.StartTime).Add(-time.Millisecond), Interval: f.Interval,
			Open: c.OpenPrice, Close: c.ClosePrice, High: c.HighPrice, Low: c.LowPrice,
			Volume: c.Volume, Turnover: c.Turnover, Confirm: true,
		}
		if err := f.yield(k); err != nil {
			return err
		}
	}
	return nil
}
