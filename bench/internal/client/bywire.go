package client

import (
	"context"
	"fmt"
	"time"

	"github.com/bywire/bywire/bybit"
)

// bywireEvents receives typed events through Events and keeps no books.
func bywireEvents(ctx context.Context, run *Run, m *Meter) error {
	return bywire(ctx, run, m, &bybit.StreamOptions{Books: bybit.BooksNone}, func(ev *bybit.BookEvent) error {
		m.use(len(ev.Bids) + len(ev.Asks))
		return nil
	})
}

// bywireBook keeps a verified book of each symbol, as a stream does by default.
func bywireBook(ctx context.Context, run *Run, m *Meter) error {
	var books int
	err := bywire(ctx, run, m, nil, func(ev *bybit.BookEvent) error {
		books++
		return ev.Book.Err()
	})
	if err == nil && books != run.Books {
		return fmt.Errorf("%d books, want %d", books, run.Books)
	}
	return err
}

// bywireBest reads the best bid and ask of the verified book after each change.
func bywireBest(ctx context.Context, run *Run, m *Meter) error { return bestOf(ctx, run, m, nil) }

func bestOf(ctx context.Context, run *Run, m *Meter, opts *bybit.StreamOptions) error {
	var books int
	err := bywire(ctx, run, m, opts, func(ev *bybit.BookEvent) error {
		bid, err := ev.Book.BestBid()
		if err != nil {
			return err
		}
		ask, err := ev.Book.BestAsk()
		if err != nil {
			return err
		}
		books++
		m.use(bid.Price.Cmp(ask.Price))
		return nil
	})
	if err == nil && books != run.Books {
		return fmt.Errorf("%d books, want %d", books, run.Books)
	}
	return err
}

// bywirePolling reads the best bid and ask too, on a stream whose reader polls.
func bywirePolling(ctx context.Context, run *Run, m *Meter) error {
	return bestOf(ctx, run, m, &bybit.StreamOptions{BusyPoll: time.Millisecond})
}

func bywire(ctx context.Context, run *Run, m *Meter, opts *bybit.StreamOptions, onBook func(*bybit.BookEvent) error) error {
	client, err := bybit.NewClient(&bybit.Options{Environment: bybit.CustomEnvironment("ws://"+run.Addr, "")})
	if err != nil {
		return err
	}
	defer client.Close()
	var topics []bybit.Topic
	for _, t := range run.Topics {
		topic, err := bybit.ParseTopic(t.Name)
		if err != nil {
			return err
		}
		topics = append(topics, topic)
	}
	// The feed comes as fast as it is taken, and the callbacks of the other
	// clients hold it back. So does this stream, instead of falling behind.
	var own bybit.StreamOptions
	if opts != nil {
		own = *opts
	}
	own.QueueBytes, own.Overflow = 16<<20, bybit.OverflowWait
	stream, err := client.Public(ctx, bybit.Linear, &own, topics...)
	if err != nil {
		return err
	}
	for ev, err := range stream.Events(ctx) {
		if err != nil {
			return fmt.Errorf("%w after %d of %d messages", err, m.seen, m.total)
		}
		switch ev := ev.(type) {
		case *bybit.BookEvent:
			if err := onBook(ev); err != nil {
				return err
			}
		case *bybit.TradesEvent:
			m.use(len(ev.Trades))
		case *bybit.TickerEvent:
			m.use(int(ev.Seq))
		case *bybit.KlineEvent:
		default:
			return fmt.Errorf("after %d messages: %T %+v", m.seen, ev, ev)
		}
		m.message()
		if m.seen == m.total {
			return nil
		}
	}
	return nil
}
