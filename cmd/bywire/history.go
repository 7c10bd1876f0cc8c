package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/internal/wire"
)

const historyLong = `Fetch the past of a symbol over REST, oldest row first, from --from to before --to: each
row once, none missing that the exchange has, however long the span.

With --file the rows go to a file. One that is there is continued behind its last row, so an
interrupted run is finished by the same command, and a finished file is brought up to date.
Parquet is written when all rows are there; until then they are in FILE.part.

Rows have these columns, in this order; times are UTC, numbers are exact:

  klines         category,symbol,interval,time,open,high,low,close,volume,turnover
  funding        category,symbol,time,rate
  open-interest  category,symbol,interval,time,openInterest
  trades         category,symbol,id,time,side,price,size,blockTrade,rpiTrade,seq

A candle is written 2 seconds after its end, when it no longer changes. --from and --to may be as
far apart as you like. How far back candles and funding rates go the exchange does not say; open interest goes
back to the launch of the symbol. Options have only trades; spot has neither funding nor open interest. A
number that the exchange has not is empty, in parquet null.

Of trades the exchange has the last 1000, of spot 60: if --from lies before those, or the file
ends before them, it says so with code 8. The exchange's files of older ones are read by
bywire capture import --from bybit-trades.

A file that begins behind --from is refused if the exchange has rows before it. While a run
writes to a file no other can.`

// formatCSV and formatParquet are formats of history only.
const (
	formatCSV     = "csv"
	formatParquet = "parquet"
)

// historyOptions are the flags of history.
type historyOptions struct {
	connection
	from, to, interval, format, file string
}

func (a *app) historyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "history",
		Short: "fetch candles, funding rates, open interest or trades of the past",
		Long:  historyLong,
		Example: `  bywire history klines BTCUSDT --interval 1m --from 2026-01-01 --to 2026-02-01 --file btc.parquet
  bywire history funding BTCUSDT --from 2020-01-01 -o csv`,
		Args: subcommandOf,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	for _, kind := range historyKinds() {
		cmd.AddCommand(a.historyOf(kind))
	}
	return cmd
}

// historyOf is the subcommand of one kind of rows.
func (a *app) historyOf(kind *historyKind) *cobra.Command {
	var opts historyOptions
	like := "bywire history " + kind.name + " BTCUSDT --from 2026-01-01"
	cmd := &cobra.Command{
		Use:     kind.name + " SYMBOL",
		Short:   kind.short,
		Long:    historyLong,
		Example: "  " + like + " --file btc.csv",
		Args:    oneArgument("symbol", like),

		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			env, err := opts.environment(cmd)
			if err != nil {
				return err
			}
			q, err := opts.query(kind, args[0])
			if err != nil {
				return err
			}
			if err := opts.target(); err != nil {
				return err
			}
			return a.history(cmd.Context(), &opts, env, q)
		},
	}
	opts.flags(cmd)
	cmd.Flags().StringVar(&opts.from, "from", "", "first `TIME`: 2026-01-31, 2026-01-31T12:00, with seconds or a zone too (else UTC), a Unix time in s or ms")
	cmd.Flags().StringVar(&opts.to, "to", "", "`TIME` to end before, written likewise, or +24h after --from (default: now)")
	cmd.Flags().StringVar(&opts.file, "file", "", "`FILE` to write or to continue (default: stdout)")
	if len(kind.intervals) > 0 {
		cmd.Flags().StringVar(&opts.interval, "interval", kind.intervals[0].name, "`INTERVAL`: "+strings.Join(kind.intervalNames(), ", "))
		completes(cmd, "interval", kind.intervalNames()...)
	}
	outputFlag(cmd, &opts.format, "", "`FORMAT`: csv, ndjson or parquet (default: as FILE ends, else ndjson)", formatCSV, formatNDJSON, formatParquet)
	return cmd
}

// historyQuery is what is asked for.
type historyQuery struct {
	kind             *historyKind
	category, symbol string
	interval         string    // as the venue writes it; "" if the kind has none
	from, to         time.Time // rows at or after from and before to; zero: no bound
}

// query checks the flags.
func (o *historyOptions) query(kind *historyKind, symbol string) (*historyQuery, error) {
	q := &historyQuery{kind: kind, category: o.category, symbol: strings.ToUpper(symbol)}
	if q.category == "" {
		ch, ok := wire.CategoryOf(q.symbol)
		if !ok {
			ch = wire.Linear
		}
		q.category = string(ch)
	}
	if !slices.Contains(kind.categories, q.category) {
		return nil, usageError("history %s: there are none on %s; --category is one of %s", kind.name, q.category, strings.Join(kind.categories, ", "))
	}
	if len(kind.intervals) > 0 {
		if q.interval = kind.interval(o.interval); q.interval == "" {
			return nil, usageError("--interval %s: no such interval; there are %s", o.interval, strings.Join(kind.intervalNames(), ", "))
		}
	}
	var err error
	if q.from, err = parseMoment("from", o.from, time.Time{}); err != nil {
		return nil, err
	}
	if q.from.IsZero() && kind.spans {
		return nil, usageError("history %s: --from missing, the first time, like: bywire history %s %s --from 2026-01-01", kind.name, kind.name, q.symbol)
	}
	if q.to, err = parseMoment("to", o.to, q.from); err != nil {
		return nil, err
	}
	if !q.to.IsZero() && !q.to.After(q.from) {
		return nil, usageError("--to %s: not after --from %s", o.to, o.from)
	}
	return q, nil
}

// target checks where the rows go.
func (o *historyOptions) target() error {
	if o.format == "" {
		o.format = formatNDJSON
		switch strings.ToLower(filepath.Ext(o.file)) {
		case ".csv":
			o.format = formatCSV
		case ".parquet":
			o.format = formatParquet
		}
	}
	if err := checkFormat(o.format, formatCSV, formatNDJSON, formatParquet); err != nil {
		return err
	}
	if o.format == formatParquet && o.file == "" {
		return usageError("-o parquet: needs --file FILE: it cannot be written piece by piece")
	}
	return nil
}

// history fetches the rows.
func (a *app) history(ctx context.Context, opts *historyOptions, env bybit.Environment, q *historyQuery) error {
	client, err := bybit.NewClient(&bybit.Options{Environment: env})
	if err != nil {
		return err
	}
	defer client.Close()
	if opts.file == "" {
		text := newRowText(opts.format, q)
		_, _ = a.out.Write(text.head(nil)) // the error sticks
		_, err := a.fetchHistory(ctx, client, q, nil, func(row *historyRow) error {
			_, err := a.out.Write(text.append(nil, row))
			if err != nil {
				return &outputError{err}
			}
			return nil
		})
		return errors.Join(err, a.flush())
	}
	f, err := openHistory(opts.file, opts.format, q)
	if err != nil {
		return err
	}
	defer f.close()
	if f.last != nil {
		if err := beginsAt(ctx, client, q, f); err != nil {
			return err
		}
		a.say("%s: continued behind %s", f.name, stamp(f.last.at))
	}
	n, err := a.fetchHistory(ctx, client, q, f.last, f.write)
	if e := f.flush(); e != nil {
		return &diskError{e}
	}
	if _, gap := errors.AsType[*historyGap](err); err != nil && !gap {
		a.say("%s: %s written; the same command goes on there", f.name, counted(n, "row"))
		return err
	}
	if e := f.finish(opts.file); e != nil {
		return &diskError{e}
	}
	a.say("%s: %s written", opts.file, counted(n, "row"))
	return err
}

// beginsAt checks that a file which begins behind --from lacks nothing that the exchange has.
func beginsAt(ctx context.Context, client *bybit.Client, q *historyQuery, f *historyFile) error {
	if !q.kind.spans || !f.first.at.After(q.from) {
		return nil
	}
	before := *q
	before.to = f.first.at
	for row, err := range q.kind.rows(ctx, client, &before, nil) {
		if err != nil {
			return historyError(err)
		}
		return usageError("%s: begins at %s, but --from is %s and the exchange has a row of %s: name another file, or --from %s",
			f.name, stamp(f.first.at), stamp(q.from), stamp(row.at), stamp(f.first.at))
	}
	return nil
}

// historyGap says that the exchange no longer has rows that were asked for.
type historyGap struct{ text string }

func (e *historyGap) Error() string { return e.text }

// fetchHistory hands the rows to write, and returns how many there were. Rows up to last were
// written before.
func (a *app) fetchHistory(ctx context.Context, client *bybit.Client, q *historyQuery, last *historyRow, write func(*historyRow) error) (int64, error) {
	todo := *q
	if last != nil && q.kind.spans && !last.at.Before(q.from) {
		todo.from = last.at.Add(time.Millisecond)
	}
	end := q.to
	if now := time.Now(); end.IsZero() || end.After(now) {
		end = now
	}
	if !todo.to.IsZero() && !todo.to.After(todo.from) {
		return 0, nil // all of it was written before
	}
	whole := int64(end.Sub(todo.from) / time.Second)
	p := a.progress("history", func(seconds int64) string {
		return (time.Duration(seconds) * time.Second).Round(time.Minute).String()
	})
	defer p.end()
	n := int64(0)
	for row, err := range q.kind.rows(ctx, client, &todo, last) {
		if err == nil {
			err = write(&row)
		}
		if err != nil {
			return n, historyError(err)
		}
		n++
		if n%256 == 0 {
			p.tell(int64(row.at.Sub(todo.from)/time.Second), whole)
		}
	}
	return n, nil
}

// historyError gives an error of a call its exit code.
func historyError(err error) error {
	if _, gap := errors.AsType[*historyGap](err); gap {
		return damageError("%w", err)
	}
	if _, lacks := errors.AsType[*bybit.UnsupportedError](err); lacks {
		return usageError("%w", err)
	}
	if limit, ok := errors.AsType[*bybit.LimitError](err); ok {
		return &codeError{exitRateLimited, limit}
	}
	if refused, ok := errors.AsType[*bybit.Error](err); ok {
		if refused.Status >= 500 {
			return &codeError{exitNetwork, err}
		}
		if code, _ := callCode(err); code == exitRateLimited {
			return &codeError{code, err}
		}
		return &codeError{exitRefused, fmt.Errorf("refused by the exchange: %w", err)}
	}
	return err
}
