package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/internal/wire"
)

// watcher judges the rules about the symbols of one stream. It belongs to one
// goroutine.
type watcher struct {
	rules   []*watchRule
	channel bybit.Channel
	out     *firings
	say     func(format string, args ...any)
	deep    bool // a rule needs sums over the book
	symbols map[string]*watched
	holds   bool // --for is given: there are times to wake at
	told    map[string]bool
}

// watched is one symbol.
type watched struct {
	symbol   string
	facts    facts
	triggers []trigger // one per rule
}

func newWatcher(rules []*watchRule, symbols []string, ch bybit.Channel, opts *watchOptions, out *firings, say func(string, ...any)) *watcher {
	w := &watcher{
		rules: rules, channel: ch, out: out, say: say, holds: opts.hold > 0,
		symbols: make(map[string]*watched), told: make(map[string]bool),
	}
	for _, r := range rules {
		fields := r.fields
		if r.reset != nil {
			fields = slices.Concat(fields, r.reset.fields)
		}
		for _, f := range fields {
			switch f.name {
			case "bidDepth", "askDepth", "imbalance":
				w.deep = true
			}
		}
	}
	for _, symbol := range symbols {
		s := &watched{symbol: symbol, facts: facts{inverse: ch == bybit.Inverse}}
		for _, r := range rules {
			s.triggers = append(s.triggers, trigger{
				hold: opts.hold, cooldown: opts.cooldown, reset: r.reset != nil, moment: r.sources.has(fromTrade),
			})
		}
		w.symbols[symbol] = s
	}
	return w
}

// run takes events until the stream or ctx ends; then it returns no error.
func (w *watcher) run(ctx context.Context, s *bybit.Stream) (sum tally, err error) {
	var wake time.Time
	for {
		ev, ok, err := s.TryRecv()
		if err == nil && !ok {
			ev, err = recvUntil(ctx, s, wake)
		}
		now := time.Now()
		switch {
		case ctx.Err() != nil:
			return sum, nil
		case errors.Is(err, context.DeadlineExceeded):
		case err != nil:
			return sum, sum.end(err)
		default:
			sum.note(ev)
			w.take(now, ev)
		}
		if w.holds {
			wake = w.wakeUp(now, wake)
		}
	}
}

// recvUntil is Recv that ends at a time; the zero time is never.
func recvUntil(ctx context.Context, s *bybit.Stream, wake time.Time) (bybit.Event, error) {
	if wake.IsZero() {
		return s.Recv(ctx)
	}
	wait, cancel := context.WithDeadline(ctx, wake)
	defer cancel()
	return s.Recv(wait)
}

// wakeUp judges what is due, and returns when something is due next.
func (w *watcher) wakeUp(now, due time.Time) time.Time {
	late := !due.IsZero() && !now.Before(due)
	var next time.Time
	for _, s := range w.symbols {
		for i := range s.triggers {
			at := s.triggers[i].wake()
			if late && !at.IsZero() && !now.Before(at) {
				w.judge(now, s, i)
				at = s.triggers[i].wake()
			}
			if !at.IsZero() && (next.IsZero() || at.Before(next)) {
				next = at
			}
		}
	}
	return next
}

// take applies one event.
func (w *watcher) take(now time.Time, ev bybit.Event) {
	switch e := ev.(type) {
	case *bybit.TickerEvent:
		if s := w.symbols[e.Topic.Symbol()]; s != nil {
			s.facts.setTicker(e)
			w.judgeAll(now, s, fromTicker)
		}
	case *bybit.BookEvent:
		if s := w.symbols[e.Topic.Symbol()]; s != nil {
			s.facts.setBook(e.Book, w.deep)
			w.judgeAll(now, s, fromBook)
		}
	case *bybit.TradesEvent:
		for i := range e.Trades {
			s := w.symbols[e.Trades[i].Symbol]
			if s == nil {
				continue // another option of the same base coin
			}
			s.facts.trade, s.facts.tradeKnown = e.Trades[i], true
			w.judgeAll(now, s, fromTrade)
			s.facts.forget(fromTrade)
		}
	case *bybit.GapEvent:
		w.say("%s", noticeOf(ev))
		w.lose(now, e.Topic)
	case *bybit.DecodeErrorEvent:
		w.say("%s", noticeOf(ev))
		w.lose(now, e.Topic)
	case *bybit.SilentEvent:
		// What was said last may be old: the topic begins anew.
		w.say("%s", noticeOf(ev))
		w.lose(now, e.Topic)
	case *bybit.RejectedEvent:
		w.say("%s", noticeOf(ev))
	}
}

// lose forgets what a topic has said.
func (w *watcher) lose(now time.Time, topic bybit.Topic) {
	s := w.symbols[topic.Symbol()]
	if s == nil {
		return // of trades by base coin, which are not remembered
	}
	t, err := wire.ParseTopic(topic.String())
	if err != nil {
		return
	}
	from := fromTicker
	switch t.Kind {
	case wire.KindOrderBook:
		from = fromBook
	case wire.KindTrades:
		from = fromTrade
	}
	s.facts.forget(from)
	w.judgeAll(now, s, from)
}

// judgeAll judges the rules that something new has come for.
func (w *watcher) judgeAll(now time.Time, s *watched, from source) {
	for i, r := range w.rules {
		if r.uses().has(from) {
			w.judge(now, s, i)
		}
	}
}

// judge lets one trigger step.
func (w *watcher) judge(now time.Time, s *watched, i int) {
	r := w.rules[i]
	said := w.eval(r.rule, s)
	rearm := undecided
	if r.reset != nil {
		rearm = w.eval(r.reset, s)
	}
	t := &s.triggers[i]
	if t.step(now, said, rearm) {
		w.out.fire(w.firing(now, s, r, t.muted))
		t.muted = 0
	}
}

// eval asks a rule. What cannot be computed is told once.
func (w *watcher) eval(r *rule, s *watched) judgement {
	j, err := r.eval(&s.facts)
	if err != nil {
		text := s.symbol + ": " + errorText(err)
		if !w.told[text] {
			w.told[text] = true
			w.say("%s; the rule is undecided meanwhile", text)
		}
	}
	return j
}

// firing is what is printed and handed to commands.
type firing struct {
	Time    time.Time       `json:"time"`
	Symbol  string          `json:"symbol"`
	Channel string          `json:"channel"`
	Name    string          `json:"name,omitempty"`
	Rule    string          `json:"rule"`
	Fields  json.RawMessage `json:"fields"`          // name to text, in the order of the rule
	Muted   int             `json:"muted,omitempty"` // firings before it that --cooldown left out

	words string // the fields for people
}

func (w *watcher) firing(now time.Time, s *watched, r *watchRule, muted int) *firing {
	f := &firing{Time: now.UTC(), Symbol: s.symbol, Channel: string(w.channel), Name: r.name, Rule: r.text, Muted: muted}
	fields := []byte{'{'}
	var words strings.Builder
	for i, field := range r.fields {
		text := ""
		switch v, _ := s.facts.value(field); v := v.(type) {
		case decimal.Decimal:
			text = v.String()
		case string:
			text = v
		}
		if i > 0 {
			fields = append(fields, ',')
			words.WriteString(", ")
		}
		fields = append(wire.AppendString(fields, field.name), ':')
		fields = wire.AppendString(fields, text)
		words.WriteString(field.name + " " + text)
	}
	f.Fields, f.words = append(fields, '}'), words.String()
	return f
}

// json is the firing in one line.
func (f *firing) json() []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(f); err != nil { // of texts and numbers: there is none
		return []byte("{}\n")
	}
	return b.Bytes()
}

// line is the firing for people.
func (f *firing) line() string {
	s := f.Time.Format("2006-01-02T15:04:05.000Z") + " " + f.Symbol + " "
	if f.Name != "" {
		s += f.Name + ": "
	}
	s += oneLine(f.Rule) + " (" + f.words
	if f.Muted > 0 {
		s += "; " + counted(f.Muted, "firing") + " left out before"
	}
	return s + ")\n"
}

// environment is what a command gets beside our own environment.
func (f *firing) environment() []string {
	return []string{
		"BYWIRE_SYMBOL=" + f.Symbol, "BYWIRE_CHANNEL=" + f.Channel, "BYWIRE_NAME=" + f.Name, "BYWIRE_RULE=" + f.Rule,
		"BYWIRE_TIME=" + f.Time.Format(time.RFC3339Nano), "BYWIRE_FIELDS=" + string(f.Fields),
	}
}

// errFired ends a watch with --once.
var errFired = errors.New("fired")

// firings prints what fires and hands it to commands, from any goroutine.
type firings struct {
	a      *app
	format string
	once   bool
	hooks  *hooks
	end    context.CancelCauseFunc

	mu    sync.Mutex // guards stdout and the rest
	total int
	lost  int // firings that had no command because too many were waiting
}

func (o *firings) fire(f *firing) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.once && o.total > 0 {
		return
	}
	o.total++
	if o.format == formatNDJSON {
		_, _ = o.a.out.Write(f.json()) // the error sticks
	} else {
		_, _ = o.a.out.WriteString(f.line())
	}
	if err := o.a.flush(); err != nil {
		o.end(err)
		return
	}
	if o.hooks != nil {
		if o.hooks.offer(f) {
			o.lost = 0
		} else if o.lost++; o.lost == 1 {
			o.a.say("--exec: %d commands run and %d wait; firings from %s on are without", execAtOnce, execWaiting, f.Time.Format("15:04:05.000"))
		}
	}
	if o.once {
		o.end(errFired)
	}
}

// count is how many have fired.
func (o *firings) count() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.total
}
