package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bywire/bywire/book"
	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/internal/wire"
)

// bookOptions are the flags of book.
type bookOptions struct {
	connection
	depth, rows int
	once        bool
	length      time.Duration
}

func (a *app) bookCommand() *cobra.Command {
	var opts bookOptions
	cmd := &cobra.Command{
		Use:   "book SYMBOL",
		Short: "show a live order book: ladder, trades, rates",
		Long: `Show the order book of a symbol as a ladder, with the last trades beside it. Every
update is checked; while the book is not certain the last line says why. Ctrl-C ends it.

With --once it prints one ladder and ends, also on a pipe. The topic may stand in place of
the symbol; orderbook.full needs REST as well, for the snapshot that its book begins with.`,
		Example: `  bywire book BTCUSDT
  bywire book BTCUSDT --category spot --depth 200
  bywire book BTCUSDT --once --rows 5
  bywire book orderbook.full.BTCUSDT --category spot
  bywire book BTCUSD --ws ws://127.0.0.1:8787`,
		Args:              oneArgument("symbol", "bywire book BTCUSDT"),
		ValidArgsFunction: words("BTCUSDT", "ETHUSDT", "BTCUSD", "BTCPERP"),
		RunE: func(cmd *cobra.Command, args []string) error {
			env, err := opts.environment(cmd)
			if err != nil {
				return err
			}
			switch {
			case opts.rows < 0 || cmd.Flags().Changed("rows") && opts.rows == 0:
				return usageError("--rows %d: give a number above 0", opts.rows)
			case opts.length < 0 || cmd.Flags().Changed("for") && opts.length == 0:
				return usageError("--for %s: give a duration above 0, such as 10s", opts.length)
			}
			sel, err := a.selectBook(&opts, args[0])
			if err != nil {
				return err
			}
			if !opts.once && !a.terminal {
				return usageError("book: draws on a terminal; on a pipe use: bywire book %s --once, or: bywire stream %s", args[0], sel.topics[0])
			}
			return a.book(cmd.Context(), &opts, env, sel)
		},
	}
	opts.flags(cmd)
	cmd.Flags().IntVar(&opts.depth, "depth", 0, "`LEVELS` of the topic (default 50; 25 on option and spread)")
	cmd.Flags().IntVar(&opts.rows, "rows", 0, "`N` levels of each side to show (default: what fits, 10 with --once)")
	cmd.Flags().BoolVar(&opts.once, "once", false, "print one ladder and end")
	cmd.Flags().DurationVar(&opts.length, "for", 0, "end after this `DURATION`")
	return cmd
}

// selectBook returns the topics of a book: its own, and that of the trades.
func (a *app) selectBook(opts *bookOptions, symbol string) (selection, error) {
	t, err := wire.ParseTopic(symbol)
	full := err == nil && t.Kind == wire.KindFullOrderBook
	if full && opts.depth != 0 {
		return selection{}, usageError("--depth %d: %s has every level", opts.depth, symbol)
	}
	if err == nil && (t.Kind == wire.KindOrderBook || full) {
		symbol = t.Symbol // a topic will do as well
		if opts.depth == 0 {
			opts.depth = t.Depth
		}
	}
	ch := wire.Channel(opts.category)
	if ch == "" {
		ch, _ = wire.CategoryOf(symbol)
	}
	depth := opts.depth
	if depth == 0 {
		depth = 50
		if ch == wire.Option || ch == wire.Spread {
			depth = 25
		}
	}
	if up := strings.ToUpper(symbol); up != symbol {
		return selection{}, usageError("%s: symbols are upper case; meant %s?", symbol, up)
	}
	name := fmt.Sprintf("orderbook.%d.%s", depth, symbol)
	if full {
		name = "orderbook.full." + symbol
	}
	if depth < 0 {
		return selection{}, usageError("--depth %d: no depth; bywire topics lists them", depth)
	}
	sel, err := a.selectTopics([]string{name}, opts.category, opts.own())
	if err != nil || opts.once {
		return sel, err
	}
	traded := symbol
	if sel.channel == bybit.Option {
		traded, _, _ = strings.Cut(symbol, "-") // option trades come by base coin
	}
	sel.topics = append(sel.topics, bybit.Trades(traded))
	return sel, nil
}

// redraw is the least time between two drawings.
const redraw = 100 * time.Millisecond

// What the terminal is told: another screen without a cursor, and back.
const (
	screenOn  = "\x1b[?1049h\x1b[?25l"
	screenOff = "\x1b[?25h\x1b[?1049l"
)

func (a *app) book(ctx context.Context, opts *bookOptions, env bybit.Environment, sel selection) error {
	client, s, err := a.open(ctx, env, sel, &bybit.StreamOptions{Overflow: opts.overflow()})
	if err != nil {
		return err
	}
	defer client.Close()
	life := ctx
	if opts.length > 0 {
		var cancel context.CancelFunc
		life, cancel = context.WithTimeout(ctx, opts.length)
		defer cancel()
	}
	l := newLadder(sel, env.Name)
	l.live = !opts.once
	var sum tally
	if opts.once {
		sum, err = a.bookOnce(life, s, l, opts)
	} else {
		sum, err = a.bookLive(life, s, l, opts)
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, context.DeadlineExceeded) && opts.once:
		return &codeError{exitNetwork, fmt.Errorf("%s: no book within %s", sel.topics[0], opts.length)}
	case err != nil && !errors.Is(err, context.DeadlineExceeded):
		return err
	case sum.ended:
		a.say("end of capture after %s", counted(sum.messages, "message"))
	}
	return sum.verdict()
}

// bookOnce prints the first ladder there is.
func (a *app) bookOnce(ctx context.Context, s *bybit.Stream, l *ladder, opts *bookOptions) (tally, error) {
	var sum tally
	rows := opts.rows
	if rows == 0 {
		rows = 10
	}
	for {
		ev, err := s.Recv(ctx)
		if err = sum.end(err); sum.ended {
			return sum, damageError("%s: the capture ended before there was a book", l.topic)
		}
		if err != nil {
			return sum, err
		}
		sum.note(ev)
		l.apply(ev, rows)
		if !l.valid {
			continue
		}
		width, _ := a.size()
		for _, line := range l.render(width, 2*max(len(l.bids), len(l.asks))+ladderFrame, a.colour) {
			fmt.Fprintln(a.out, strings.TrimRight(line, " "))
		}
		return sum, a.flush()
	}
}

// bookLive draws until the end.
func (a *app) bookLive(ctx context.Context, s *bybit.Stream, l *ladder, opts *bookOptions) (sum tally, err error) {
	_, _ = a.out.WriteString(screenOn) // the error sticks
	defer func() {
		_, _ = a.out.WriteString(screenOff)
		if e := a.flush(); err == nil {
			err = e
		}
	}()
	for {
		// One period: take what comes until the next drawing is due.
		period, cancel := context.WithTimeout(ctx, redraw)
		for err = nil; err == nil; {
			var ev bybit.Event
			if ev, err = s.Recv(period); err != nil {
				break
			}
			sum.note(ev)
			width, height := a.size()
			l.apply(ev, ladderRows(height-l.aboveRows(width), opts.rows))
		}
		cancel()
		if ctx.Err() != nil {
			return sum, ctx.Err()
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			return sum, sum.end(err)
		}
		if err := a.draw(l, opts.rows, time.Now()); err != nil {
			return sum, err
		}
	}
}

// draw writes one picture over the last one.
func (a *app) draw(l *ladder, rows int, now time.Time) error {
	width, height := a.size()
	l.tick(now)
	height -= l.aboveRows(width)
	if rows > 0 {
		height = min(height, 2*rows+ladderFrame)
	}
	lines := append(slices.Clone(l.above), l.render(width, height, a.colour)...)
	_, _ = a.out.WriteString("\x1b[H")
	for i, line := range lines {
		if i > 0 {
			_, _ = a.out.WriteString("\r\n")
		}
		_, _ = a.out.WriteString(line + "\x1b[K")
	}
	_, _ = a.out.WriteString("\x1b[J")
	return a.flush()
}

// ladderRows is how many levels of a side fit.
func ladderRows(height, wanted int) int {
	n := max((height-ladderFrame)/2, 1)
	if wanted > 0 {
		n = min(n, wanted)
	}
	return n
}

// apply brings the picture up to an event. n is how many levels are shown.
func (l *ladder) apply(ev bybit.Event, n int) {
	switch e := ev.(type) {
	case *bybit.BookEvent:
		l.bookEvents++
		l.at, l.id = e.Time, e.ID
		l.bids, _ = e.Book.AppendTop(l.bids[:0], book.Bid, n)
		l.asks, _ = e.Book.AppendTop(l.asks[:0], book.Ask, n)
		l.valid = e.Book.Err() == nil
		l.problem = errorText(e.Book.Err())
	case *bybit.TradesEvent:
		for i := range e.Trades {
			if e.Trades[i].Symbol != l.symbol {
				continue // another option of the same base coin
			}
			l.tradeEvents++
			l.tape = slices.Insert(l.tape, 0, e.Trades[i])
			l.tape = l.tape[:min(len(l.tape), maxTape)]
		}
	case *bybit.TickerEvent:
		l.ticker = ratesLine(&e.Ticker, l.volumeCoin)
	case *bybit.GapEvent:
		l.gaps++
		if e.Topic.String() == l.topic {
			l.valid = false
			l.problem = noticeOf(e)
		}
	case *bybit.RejectedEvent, *bybit.DecodeErrorEvent:
		l.problem = noticeOf(ev)
	}
}
