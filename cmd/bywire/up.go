package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange"
	"github.com/bywire/bywire/internal/wire"
)

// upOptions are the flags of up.
type upOptions struct {
	book   bookOptions // what is watched
	listen string
	seed   uint64

	guessed bool // the category: there is a spot instrument of that name too
}

func (a *app) upCommand() *cobra.Command {
	var opts upOptions
	cmd := &cobra.Command{
		Use:   "up [SYMBOL]",
		Short: "start a local exchange and watch its market: the place to begin",
		Long: `Start a Bybit of your own on this machine and show the order book, the trades and the
rates of a symbol in it. Above stands how to connect to it: from Go, with curl, with bywire
stream, or with any program that speaks the V5 protocol. Nothing leaves this machine.

Without a terminal it prints one line a second. bywire exchange serves the same, with all
its choices. Its market data is complete; accounts, API keys and orders do not exist yet.`,
		Example:           "  bywire up\n  bywire up ETHUSDT --category spot\n  bywire up --listen 127.0.0.1:0 --seed 7",
		Args:              oneArgumentAtMost("symbol"),
		ValidArgsFunction: words("BTCUSDT", "ETHUSDT", "BTCUSD", "BTCPERP"),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case opts.book.rows < 0 || cmd.Flags().Changed("rows") && opts.book.rows == 0:
				return usageError("--rows %d: give a number above 0", opts.book.rows)
			case opts.book.length < 0 || cmd.Flags().Changed("for") && opts.book.length == 0:
				return usageError("--for %s: give a duration above 0, such as 10s", opts.book.length)
			}
			symbol := "BTCUSDT"
			if len(args) > 0 {
				symbol = args[0]
			}
			return a.up(cmd.Context(), &opts, symbol)
		},
	}
	cmd.Flags().StringVar(&opts.listen, "listen", "127.0.0.1:8787", "`ADDR` of this machine to listen on")
	cmd.Flags().Uint64Var(&opts.seed, "seed", 0, "`N` that the market follows from")
	cmd.Flags().StringVar(&opts.book.category, "category", "", "`CATEGORY` of the symbol: linear, spot, inverse, option (default: by its name)")
	cmd.Flags().IntVar(&opts.book.rows, "rows", 0, "`N` levels of each side to show (default: what fits)")
	cmd.Flags().DurationVar(&opts.book.length, "for", 0, "end after this `DURATION`")
	completes(cmd, "category", "linear", "spot", "inverse", "option")
	return cmd
}

func (a *app) up(ctx context.Context, opts *upOptions, symbol string) error {
	if opts.book.category == "" {
		name := symbol
		if t, err := wire.ParseTopic(symbol); err == nil {
			name = t.Symbol // a topic will do as well
		}
		ch, _ := wire.CategoryOf(name)
		opts.book.category = string(ch) // what else it may mean is said with the rest
		opts.guessed = ch == wire.Linear
	}
	sel, err := a.selectBook(&opts.book, symbol)
	if err != nil {
		return err
	}
	symbol = sel.topics[0].Symbol()
	sel.topics = append(sel.topics, bybit.Tickers(symbol))
	addr, err := localAddress("--listen", opts.listen)
	if err != nil {
		return err
	}
	serving := exchangeOptions{listen: opts.listen, clock: "live", limits: "real", seed: opts.seed, ackDelay: 3 * time.Millisecond, quantum: exchange.DefaultQuantum}
	cfg, err := serving.translate(addr, "")
	if err != nil {
		return err
	}
	listener, err := listen("--listen", addr)
	if err != nil {
		return err
	}
	defer listener.Close()
	x, err := exchange.New(cfg)
	if err != nil {
		return usageError("%w", err)
	}
	symbols, err := x.Symbols(ctx)
	if err == nil {
		err = wanted(symbols, bybit.Category(sel.channel), symbol)
		opts.guessed = opts.guessed && slices.Contains(symbols, exchange.Symbol{Category: bybit.Spot, Symbol: symbol})
	}
	if err != nil {
		return errors.Join(err, x.Close())
	}
	return a.serve(ctx, listener, service{
		server: x.Server(), silent: a.terminal, close: x.Close,
		run: func(ctx context.Context, addr string) error { return a.watchOwn(ctx, opts, sel, addr) },
	})
}

// watchOwn shows the market of an exchange of one's own, as any client sees it.
func (a *app) watchOwn(ctx context.Context, opts *upOptions, sel selection, addr string) error {
	l := newLadder(sel, "ws://"+addr)
	l.live = true
	env := bybit.CustomEnvironment("ws://"+addr, "http://"+addr)
	client, s, err := a.open(ctx, env, sel, nil)
	if err != nil {
		return err
	}
	defer client.Close()
	if l.volumeCoin, err = volumeCoin(ctx, client, bybit.Category(sel.channel), l.symbol); err != nil {
		return err
	}
	if opts.book.length > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, opts.book.length)
		defer cancel()
	}
	lines := upLines(opts, sel, l.symbol, addr)
	var sum tally
	if a.terminal {
		l.above = append(lines[:len(lines):len(lines)], "")
		sum, err = a.bookLive(ctx, s, l, &opts.book)
		a.leave(lines)
	} else {
		for _, line := range lines {
			a.say("%s", line)
		}
		sum, err = a.bookLines(ctx, s, l)
	}
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return sum.verdict()
}

// upLines say what there is and how to connect to it.
func upLines(opts *upOptions, sel selection, symbol, addr string) []string {
	channel := string(sel.channel)
	lines := append([]string{
		"A Bybit of your own, seed " + fmt.Sprint(opts.seed) + ": ws://" + addr + "/v5/public/" + channel + " and http://" + addr + "/v5/market/...",
	}, door{addr: addr}.pasteLines(channel, symbol)...)
	if opts.guessed {
		lines = append(lines, "  This is the linear "+symbol+"; --category spot shows the other.")
	}
	return append(lines, "  Market data only so far: no accounts, keys or orders."+upEnds)
}

// upEnds is the last sentence while it runs.
const upEnds = " Ctrl-C ends it."

// leave puts the lines on the screen that a picture was taken from, so that the addresses can still be copied: the next run
// has the same.
func (a *app) leave(lines []string) {
	for _, line := range lines {
		_, _ = a.out.WriteString(strings.TrimSuffix(line, upEnds) + "\n") // the error sticks
	}
	_, _ = a.out.WriteString("It has ended; bywire up starts it again.\n")
}

// wanted says which instruments there are if the one that is to be watched is not.
func wanted(symbols []exchange.Symbol, category bybit.Category, symbol string) error {
	var names []string
	for _, s := range symbols {
		switch {
		case s.Category != category:
		case s.Symbol == symbol:
			return nil
		default:
			names = append(names, s.Symbol)
		}
	}
	return usageError("%s: there is no such instrument of %s, but %s", symbol, category, shortList(names, 12))
}

// volumeCoin is the coin in which the volume of an instrument is given; "" where that is no coin.
func volumeCoin(ctx context.Context, client *bybit.Client, category bybit.Category, symbol string) (string, error) {
	switch category {
	case bybit.Inverse:
		return "USD", nil
	case bybit.Spread:
		return "", nil
	}
	list, err := client.Market.Instruments(ctx, &bybit.InstrumentsParams{Category: category, Symbol: bybit.Some(symbol)})
	if err != nil || len(list.List) == 0 {
		return "", err
	}
	return list.List[0].BaseCoin, nil
}

// bookLines prints a line a second until the end.
func (a *app) bookLines(ctx context.Context, s *bybit.Stream, l *ladder) (sum tally, err error) {
	l.tick(time.Now())
	for due := time.Now().Add(time.Second); ; due = due.Add(time.Second) {
		period, cancel := context.WithDeadline(ctx, due)
		for err = nil; err == nil; {
			var ev bybit.Event
			if ev, err = s.Recv(period); err == nil {
				sum.note(ev)
				l.apply(ev, 1)
			}
		}
		cancel()
		if ctx.Err() != nil {
			return sum, ctx.Err()
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			return sum, sum.end(err)
		}
		l.tick(time.Now())
		fmt.Fprintln(a.out, l.line())
		if err := a.flush(); err != nil {
			return sum, err
		}
	}
}
