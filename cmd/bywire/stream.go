package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/internal/wire"
)

const streamLong = `Print public topics as they come. On a terminal it is a table, on a pipe one JSON
object a line. "bywire topics" lists the topics there are.

Names of V2 and V3 are translated, with a notice, and so is a whole subscribe frame
pasted from an old program, as an argument or on stdin with "-". The category follows
from the symbol where only one has it; BTCUSDT is taken for the linear perpetual, with
a notice, unless --category spot says otherwise.

Objects of -o ndjson (and of -o json, which makes them one array) have in this order:

  type      book, trades, ticker, kline, liquidations, insurance, adl, priceLimit, ...
  topic     as subscribed, such as orderbook.50.BTCUSDT
  channel   linear, spot, ...
  received  when we read it, RFC 3339 with nanoseconds
  time      the venue's ts, or null
  bestBid, bestAsk   books only: [price, size] after this update, or null
  ticker             tickers only: the whole state as of this update
  data      what the venue sent, unchanged

What goes wrong is an object of its own, in its place: "gap" with topic, reason, dropped,
error (what follows is consistent again: a book starts with a snapshot), "rejected" with
topic, message, and "decodeError" with topic, error, frame. "silent" with topic, since,
expectedMs says that a topic was quiet for longer than usual and was subscribed anew.

-o raw prints frames exactly as received, one a line, and checks nothing.

It ends with code 0 after --count or --for, and when a replay is over; with 8 if there was
a gap or a frame that could not be decoded; with 4 if the exchange refused a topic; with 6 if
there is no connection at the start. Later losses are mended: a gap tells.`

// streamOptions are the flags of stream.
type streamOptions struct {
	connection
	format  string
	count   int64
	length  time.Duration
	queueMB int
	metrics string
}

func (a *app) streamCommand() *cobra.Command {
	var opts streamOptions
	cmd := &cobra.Command{
		Use:   "stream TOPIC...",
		Short: "print public topics as they come",
		Long:  streamLong,
		Example: `  bywire stream orderbook.50.BTCUSDT publicTrade.BTCUSDT
  bywire stream tickers.BTCUSD --for 10s -o ndjson | jq .ticker.lastPrice
  bywire stream '{"op":"subscribe","args":["orderBookL2_25.BTCUSD","trade.BTCUSD"]}'
  bywire stream --ws ws://127.0.0.1:8787 --category linear publicTrade.BTCUSDT -o raw`,
		ValidArgsFunction: completeTopics,
		RunE: func(cmd *cobra.Command, args []string) error {
			env, err := opts.prepare(cmd, a.terminal)
			if err != nil {
				return err
			}
			sel, err := a.selectTopics(args, opts.category, opts.own())
			if err != nil {
				return err
			}
			return a.stream(cmd.Context(), &opts, env, sel)
		},
	}
	opts.flags(cmd)
	cmd.Flags().Int64Var(&opts.count, "count", 0, "end after `N` messages")
	cmd.Flags().DurationVar(&opts.length, "for", 0, "end after this `DURATION`, such as 10s or 5m")
	cmd.Flags().IntVar(&opts.queueMB, "queue", 64, "`MB` that may wait while stdout is slow; beyond that a gap tells what was discarded, but a --ws server is made to wait")
	metricsFlag(cmd, &opts.metrics)
	outputFlag(cmd, &opts.format, "", "`FORMAT`: table, json, ndjson or raw (default: table on a terminal, ndjson elsewhere)",
		formatTable, formatJSON, formatNDJSON, formatRaw)
	return cmd
}

// prepare checks the flags and returns what to connect to.
func (o *streamOptions) prepare(cmd *cobra.Command, terminal bool) (bybit.Environment, error) {
	if o.format == "" {
		o.format = formatNDJSON
		if terminal {
			o.format = formatTable
		}
	}
	if err := checkFormat(o.format, formatTable, formatJSON, formatNDJSON, formatRaw); err != nil {
		return bybit.Environment{}, err
	}
	switch {
	case o.count < 0 || cmd.Flags().Changed("count") && o.count == 0:
		return bybit.Environment{}, usageError("--count %d: give a number above 0", o.count)
	case o.length < 0 || cmd.Flags().Changed("for") && o.length == 0:
		return bybit.Environment{}, usageError("--for %s: give a duration above 0, such as 10s", o.length)
	case o.queueMB < 1 || o.queueMB > 1<<20:
		return bybit.Environment{}, usageError("--queue %d: give a number of MB from 1 on", o.queueMB)
	}
	return o.environment(cmd)
}

// dialWait bounds how long a stream may take until its topics are answered.
const dialWait = 30 * time.Second

// open connects and subscribes. The client is to be closed by the caller.
func (a *app) open(ctx context.Context, env bybit.Environment, sel selection, opts *bybit.StreamOptions) (*bybit.Client, *bybit.Stream, error) {
	client, err := bybit.NewClient(&bybit.Options{Environment: env})
	if err != nil {
		return nil, nil, err
	}
	wait, cancel := context.WithTimeout(ctx, dialWait)
	defer cancel()
	s, err := client.Public(wait, sel.channel, opts, sel.topics...)
	if err == nil {
		return client, s, nil
	}
	err = errors.Join(err, client.Close())
	if ctx.Err() != nil {
		return nil, nil, ctx.Err()
	}
	return nil, nil, connectError(env, sel.channel, err)
}

// connectError says in one line why there is no stream.
func connectError(env bybit.Environment, ch bybit.Channel, err error) error {
	where := hostOf(&env, ch) + ch.Path()
	_, lacks := errors.AsType[*bybit.UnsupportedError](err)
	if lacks || errors.Is(err, wire.ErrTopic) {
		return usageError("%w", err)
	}
	if rejected, ok := errors.AsType[*bybit.RejectedError](err); ok {
		return &codeError{exitRefused, errors.New(refusal(rejected, where))}
	}
	if shake, ok := errors.AsType[*bybit.HandshakeError](err); ok {
		code := exitRefused
		switch {
		case shake.Status == 429:
			code = exitRateLimited
		case shake.Status >= 500:
			code = exitNetwork
		}
		text := fmt.Sprintf("%s: refused with HTTP %d", where, shake.Status)
		if shake.Body != "" {
			text += ": " + shake.Body
		}
		return &codeError{code, errors.New(text)}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &codeError{exitNetwork, fmt.Errorf("%s: no answer within %s", where, dialWait)}
	}
	reason := err
	if op, ok := errors.AsType[*net.OpError](err); ok {
		reason = op.Err
	}
	if call, ok := errors.AsType[*os.SyscallError](reason); ok {
		reason = call.Err
	}
	if name, ok := errors.AsType[*net.DNSError](err); ok {
		return &codeError{exitNetwork, fmt.Errorf("%s: the name %s does not resolve: %s", where, name.Name, name.Err)}
	}
	return &codeError{exitNetwork, fmt.Errorf("%s: no connection: %w", where, reason)}
}

// refusal says what the exchange refused.
func refusal(e *bybit.RejectedError, where string) string {
	switch why, _ := wire.RefusalOf(e.Message); why {
	case wire.RefusalNotFound:
		return fmt.Sprintf("%s: refused, %s has no such topic (%s)", e.Topic, where, e.Message)
	case wire.RefusalSymbol:
		return fmt.Sprintf("%s: refused, %s has no such symbol (%s)", e.Topic, where, e.Message)
	}
	if e.Message == "" {
		return fmt.Sprintf("%s: refused by %s", e.Topic, where)
	}
	return fmt.Sprintf("%s: refused by %s: %s", e.Topic, where, e.Message)
}

// tally is what a stream has come to: it makes the exit code.
type tally struct {
	messages  int64
	gaps      int
	undecoded int
	rejected  int
	ended     bool // the server said that the capture is over
}

// note counts an event.
func (t *tally) note(ev bybit.Event) {
	switch ev.(type) {
	case *bybit.GapEvent:
		t.gaps++
	case *bybit.DecodeErrorEvent:
		t.undecoded++
	case *bybit.RejectedEvent:
		t.rejected++
	case *bybit.SilentEvent: // nothing need be wrong
	default:
		t.messages++
	}
}

// end notes the error that a stream ended with. The end of a replay is none.
func (t *tally) end(err error) error {
	if t.ended = errors.Is(err, bybit.ErrEndOfCapture); t.ended {
		return nil
	}
	return err
}

// verdict is the error that a stream ends with.
func (t *tally) verdict() error {
	var parts []string
	if t.gaps > 0 {
		parts = append(parts, counted(t.gaps, "gap"))
	}
	if t.undecoded > 0 {
		parts = append(parts, counted(t.undecoded, "undecodable frame"))
	}
	switch {
	case len(parts) > 0:
		return damageError("%s in %s", strings.Join(parts, " and "), counted(t.messages, "message"))
	case t.rejected > 0:
		return &codeError{exitRefused, fmt.Errorf("%s refused by the exchange", counted(t.rejected, "topic"))}
	}
	return nil
}

// stream prints events until one of its ends.
func (a *app) stream(ctx context.Context, opts *streamOptions, env bybit.Environment, sel selection) error {
	if opts.format == formatRaw {
		// Undecoded and unchecked: every frame is printed, also a delta that
		// meets no book.
		for i, t := range sel.topics {
			sel.topics[i] = bybit.RawTopic(t.String())
		}
	}
	m, err := a.startMeter(opts.metrics, len(sel.topics), nil)
	if err != nil {
		return err
	}
	defer m.close()
	books := bybit.BooksVerified
	if opts.format != formatRaw && slices.ContainsFunc(sel.topics, isFullBook) {
		// A message is what is printed here, and a replay has no snapshot to give.
		a.say("orderbook.full: printing its messages as they come; no book of this stream is checked beyond its update ids")
		books = bybit.BooksNone
	}
	client, s, err := a.open(ctx, env, sel, &bybit.StreamOptions{
		Books:      books,
		QueueBytes: opts.queueMB << 20,
		Overflow:   opts.overflow(),
		RawFrames:  opts.format == formatNDJSON || opts.format == formatJSON,
	})
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
	p := a.printer(opts.format, sel)
	sum, err := a.pump(life, s, p, m.stream(sel, s), opts.count)
	if e := p.end(); err == nil {
		err = e
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil && !errors.Is(err, context.DeadlineExceeded):
		return err
	case sum.ended:
		a.say("end of capture after %s", counted(sum.messages, "message"))
	}
	return sum.verdict()
}

// isFullBook reports whether the topic is orderbook.full, of which the book begins with
// a snapshot over REST.
func isFullBook(t bybit.Topic) bool { return strings.HasPrefix(t.String(), "orderbook.full.") }

// pump moves events from the stream to the printer. What is printed is flushed
// when no event is waiting: at once when there are few, and in large writes when
// there are many.
func (a *app) pump(ctx context.Context, s *bybit.Stream, p printer, m *streamMeter, count int64) (tally, error) {
	var sum tally
	for {
		ev, ok, err := s.TryRecv()
		if err == nil && !ok {
			if err := p.flush(); err != nil {
				return sum, err
			}
			ev, err = s.Recv(ctx)
		}
		if err != nil {
			return sum, sum.end(err)
		}
		sum.note(ev)
		if m != nil {
			h := headOf(ev)
			m.note(ev, &h)
		}
		if err := p.print(ev); err != nil {
			return sum, err
		}
		if count > 0 && sum.messages >= count {
			return sum, nil
		}
		if sum.messages%256 == 0 && ctx.Err() != nil {
			return sum, ctx.Err()
		}
	}
}

// completeTopics completes the beginnings of topics.
func completeTopics(_ *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var found []cobra.Completion
	for _, r := range topicRows("", false) {
		if r.Retired != "" {
			continue
		}
		start := r.Form
		if r.Depth > 0 {
			start = fmt.Sprintf("orderbook.%d.{symbol}", r.Depth)
		}
		start, _, _ = strings.Cut(start, "{")
		if strings.HasPrefix(start, typed) || strings.HasPrefix(r.Example, typed) {
			for _, word := range []string{start, r.Example} {
				if strings.HasPrefix(word, typed) {
					found = append(found, cobra.CompletionWithDesc(word, r.Channel+", "+r.push))
				}
			}
		}
	}
	return found, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}
