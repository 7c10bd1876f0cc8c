package exchange

import (
	"encoding/binary"
	"errors"
	"hash/maphash"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bywire/bywire/book"
	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/core"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/feed"
	"github.com/bywire/bywire/internal/wire"
)

// bookTopic is a topic whose books are judged.
type bookTopic struct {
	channel bybit.Channel
	name    string
	symbol  string
	levels  int // a side; 0 is all of them
	rpi     bool
}

// bookTopics are all order book topics of the instruments.
func bookTopics(instruments ...Symbol) []bookTopic {
	var list []bookTopic
	for _, in := range instruments {
		channel := bybit.Channel(in.Category)
		for _, d := range wire.Depths(wire.Channel(channel)) {
			if d.State == wire.DepthCurrent {
				list = append(list, bookTopic{channel, bybit.OrderBook(d.Levels, in.Symbol).String(), in.Symbol, d.Levels, false})
			}
		}
		if in.Category == bybit.Spot || in.Category == bybit.Linear || in.Category == bybit.Inverse {
			list = append(list, bookTopic{channel, bybit.RPIOrderBook(in.Symbol).String(), in.Symbol, 50, true},
				bookTopic{channel, bybit.FullOrderBook(in.Symbol).String(), in.Symbol, 0, false})
		}
	}
	return list
}

// push names a book that was pushed: its update id, and since those begin anew, when the engine was in that state.
type push struct{ u, matched int64 }

// truth is what the engine's books were at each update id: a second run of the same market, which nobody disturbs.
type truth struct {
	t      *testing.T
	core   *core.Core
	seed   maphash.Seed
	list   []bookTopic
	topics map[string]*bookTopic // by channel and name
	books  map[string]map[push]uint64
	last   map[string]push
	again  map[string]uint64 // while everything is published once more: what the books were when they were pushed
	msg    bybit.BookMessage
	levels []engine.Level
	top    []book.Level
}

func topicKey(channel, name string) string { return channel + " " + name }

func newTruth(t *testing.T, cfg core.Config, seed maphash.Seed, topics []bookTopic) *truth {
	v := &truth{t: t, seed: seed, list: topics, topics: map[string]*bookTopic{}, books: map[string]map[push]uint64{}, last: map[string]push{}}
	for i := range topics {
		key := topicKey(string(topics[i].channel), topics[i].name)
		v.topics[key], v.books[key] = &topics[i], map[push]uint64{}
	}
	cfg.Sink = v
	c, err := core.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	v.core = c
	c.Advance(c.Now())
	return v
}

// Wanted implements feed.Sink.
func (v *truth) Wanted(t *feed.Topic) bool {
	return v.topics[topicKey(string(t.Channel), t.Name)] != nil
}

// Publish notes what the engine's book is while its update is pushed.
func (v *truth) Publish(t *feed.Topic, frame []byte, _ bool) {
	if err := v.msg.Decode(frame); err != nil {
		v.t.Errorf("%s: %v", t.Name, err)
		return
	}
	key := topicKey(string(t.Channel), t.Name)
	at := push{v.msg.ID, v.msg.MatchTime.UnixMilli()}
	v.last[key] = at
	if v.again != nil {
		v.books[key][at] = v.again[key]
	} else {
		v.books[key][at] = v.engine(v.topics[key])
	}
}

// prints are the books that were pushed last.
func (v *truth) prints() map[string]uint64 {
	list := map[string]uint64{}
	for key, at := range v.last {
		list[key] = v.books[key][at]
	}
	return list
}

// instrument is what a topic is about.
func (v *truth) instrument(topic *bookTopic) *catalog.Instrument {
	in, ok := v.core.Catalog().Find(bybit.Category(topic.channel), topic.symbol)
	if !ok {
		v.t.Fatalf("no %s %s", topic.channel, topic.symbol)
	}
	return in
}

// fingerprint stands for a book; it grows level by level.
type fingerprint struct {
	h     maphash.Hash
	bytes []byte
}

func (p *fingerprint) add(numbers ...int64) {
	p.bytes = p.bytes[:0]
	for _, n := range numbers {
		p.bytes = binary.AppendVarint(p.bytes, n)
	}
	p.h.Write(p.bytes)
}

// engine is a fingerprint of a topic's book in the engine.
func (v *truth) engine(topic *bookTopic) uint64 {
	in := v.instrument(topic)
	levels := topic.levels
	if levels == 0 {
		levels = 1 << 20
	}
	var p fingerprint
	p.h.SetSeed(v.seed)
	for _, side := range []engine.Side{engine.Buy, engine.Sell} {
		v.levels = v.core.Book(in.ID).Levels(v.levels[:0], side, levels, topic.rpi)
		p.add(int64(len(v.levels)))
		for _, l := range v.levels {
			p.add(l.Price, l.Qty)
			if topic.rpi {
				p.add(l.RPI)
			}
		}
	}
	return p.h.Sum64()
}

// client is a fingerprint of a client's book.
func (v *truth) client(b book.View, topic *bookTopic) (uint64, error) {
	in := v.instrument(topic)
	var p fingerprint
	p.h.SetSeed(v.seed)
	for _, side := range []book.Side{book.Bid, book.Ask} {
		var err error
		if v.top, err = b.AppendTop(v.top[:0], side, 1<<20); err != nil {
			return 0, err
		}
		p.add(int64(len(v.top)))
		for _, l := range v.top {
			ticks, inTicks := in.Ticks(l.Price)
			lots, inLots := in.Lots(l.Size)
			if l.Size.IsZero() { // all of it is RPI
				lots, inLots = 0, true
			}
			if !inTicks || !inLots {
				v.t.Fatalf("%s: a level of %v at %v", topic.name, l.Size, l.Price)
			}
			p.add(ticks, lots)
			if topic.rpi {
				rpi := int64(0)
				if !l.RPI.IsZero() {
					rpi, _ = in.Lots(l.RPI)
				}
				p.add(rpi)
			}
		}
	}
	return p.h.Sum64(), nil
}

// follower is one of the clients.
type follower struct {
	v       *truth
	channel bybit.Channel
	stream  *bybit.Stream
	state   map[string]*heldBook // by topic
	judged  map[string]int       // by what sort of topic
	gaps    int
}

// heldBook is where a client's book is.
type heldBook struct {
	at    push
	valid bool
}

// see takes what has arrived.
func (c *follower) see() {
	t := c.v.t
	for {
		ev, ok, err := c.stream.TryRecv()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return
		}
		switch ev := ev.(type) {
		case *bybit.GapEvent:
			c.gaps++
			for _, s := range c.state {
				s.valid = false
			}
		case *bybit.BookEvent:
			c.judge(ev)
		case *bybit.RejectedEvent, *bybit.DecodeErrorEvent:
			t.Fatalf("%s: %+v", c.channel, ev)
		}
	}
}

// judge wants the book of an event to be the engine's.
func (c *follower) judge(ev *bybit.BookEvent) {
	t := c.v.t
	name := ev.Topic.String()
	key := topicKey(string(c.channel), name)
	topic, s := c.v.topics[key], c.state[name]
	if s == nil {
		t.Fatalf("a book of %s, which was not asked for", key)
	}
	got, err := c.v.client(ev.Book, topic)
	if err != nil {
		if _, ok := errors.AsType[*book.Error](err); !ok {
			t.Fatalf("%s: %v", name, err)
		}
		s.valid = false
		return
	}
	s.at, s.valid = push{ev.ID, ev.MatchTime.UnixMilli()}, true
	want, ok := c.v.books[key][s.at]
	if !ok || got != want {
		t.Fatalf("%s: the book at u %d of %v is not the engine's (known: %v)", key, ev.ID, ev.MatchTime, ok)
	}
	c.judged[topic.sort()]++
}

// sort is the topic without its instrument.
func (b *bookTopic) sort() string {
	return topicKey(string(b.channel), strings.TrimSuffix(b.name, "."+b.symbol))
}

// disturbed is an exchange with its clients, and the truth beside it.
type disturbed struct {
	*bench
	v         *truth
	followers []*follower
	happens   map[string]int
	own       [2]uint64 // orders of stir
	kept      []byte    // a snapshot
	pushed    map[string]uint64
}

// both does a command in both runs, and returns the events of one.
func (d *disturbed) both(command core.Command) []engine.Event {
	d.t.Helper()
	told := d.x.command(d.t.Context(), func(*core.Core) (core.Command, error) { return command, nil })
	events, err := d.v.core.Do(command)
	if (told == nil) != (err == nil) {
		d.t.Fatalf("%+v: %v in the exchange, %v in the other run", command, told, err)
	}
	return events
}

// stir changes books that change seldom, with orders from outside: one is placed somewhere behind the best price, and the
// one before it is cancelled.
func (d *disturbed) stir(r *rand.Rand, symbols ...Symbol) {
	d.t.Helper()
	for i, symbol := range symbols {
		in, ok := d.v.core.Catalog().Find(symbol.Category, symbol.Symbol)
		if !ok {
			d.t.Fatalf("no %+v", symbol)
		}
		side, away := engine.Side(r.IntN(2)), int64(r.IntN(20))
		price, _, ok := d.v.core.Book(in.ID).Best(side)
		if !ok {
			continue
		}
		if side == engine.Buy {
			away = -away
		}
		if d.own[i] != 0 {
			d.both(core.Cancel{Instrument: in.ID, ID: d.own[i], Reason: engine.ByUser})
		}
		o := engine.Order{Account: 1000, Side: side, Price: max(price+away, 1), Qty: in.MinQty * int64(1+r.IntN(9))}
		if in.Kind == catalog.Spread {
			o.Price = price + away
		}
		if events := d.both(core.Place{Instrument: in.ID, Order: o}); len(events) > 0 {
			d.own[i] = events[0].ID
		}
	}
}

// begins lets the other run be in the state of a snapshot, which the exchange has restored, and in which those books were
// pushed last.
func (d *disturbed) begins(snapshot []byte, pushed map[string]uint64) {
	d.t.Helper()
	if err := d.v.core.Restore(snapshot); err != nil {
		d.t.Fatal(err)
	}
	d.v.again = pushed
	d.v.core.Republish()
	d.v.again = nil
}

// step lets time pass in both runs, and the clients take what there is.
func (d *disturbed) step(by time.Duration) {
	d.t.Helper()
	d.v.core.Advance(d.v.core.Now() + int64(by))
	if _, err := d.x.Advance(d.t.Context(), by); err != nil {
		d.t.Fatal(err)
	}
	time.Sleep(by) // what clients wait for is their own clock
	synctest.Wait()
	for _, c := range d.followers {
		c.see()
	}
}

// join makes a client of some topics of one channel.
func (d *disturbed) join(topics ...bookTopic) {
	d.t.Helper()
	c := &follower{v: d.v, channel: topics[0].channel, state: map[string]*heldBook{}, judged: map[string]int{}}
	var list []bybit.Topic
	for i := range topics {
		topic, err := bybit.ParseTopic(topics[i].name)
		if err != nil {
			d.t.Fatal(err)
		}
		list = append(list, topic)
		c.state[topics[i].name] = &heldBook{}
	}
	c.stream = d.stream(c.channel, list...)
	d.followers = append(d.followers, c)
}

// message lets something go wrong with messages or connections.
func (d *disturbed) message(r *rand.Rand, topic *bookTopic) {
	d.t.Helper()
	kinds := []FaultKind{FaultSkip, FaultDuplicate, FaultDelay, FaultReorder, FaultDrop, FaultSilent}
	f := Fault{Kind: kinds[r.IntN(len(kinds))], Topic: topic.name, Channel: string(topic.channel)}
	switch f.Kind {
	case FaultDelay:
		f.Delay, f.For = time.Duration(1+r.IntN(300))*time.Millisecond, time.Second
	case FaultSilent:
		f.For = time.Duration(1+r.IntN(3)) * time.Second
	case FaultSkip, FaultDuplicate, FaultReorder:
		f.Count = 1 + r.IntN(3)
	}
	if _, err := d.x.AddFault(d.t.Context(), f); err != nil {
		d.t.Fatal(err)
	}
	d.happens[string(f.Kind)]++
}

// market lets something happen to the market of an instrument, or to all of it.
func (d *disturbed) market(what string, in *catalog.Instrument) {
	d.t.Helper()
	ctx, ids := d.t.Context(), []catalog.ID{in.ID}
	d.happens[what]++
	switch what {
	case "halt":
		d.both(core.Halt{Instruments: ids})
	case "resume":
		d.both(core.Resume{})
	case "restart":
		d.both(core.Restart{Instruments: ids})
	case "keep":
		var err error
		if d.kept, err = d.x.Snapshot(ctx); err != nil {
			d.t.Fatal(err)
		}
		d.pushed = d.v.prints()
	case "restore":
		if err := d.x.Restore(ctx, d.kept); err != nil {
			d.t.Fatal(err)
		}
		d.begins(d.kept, d.pushed)
	case "reset":
		if err := d.x.Reset(ctx); err != nil {
			d.t.Fatal(err)
		}
		fresh := newTruth(d.t, d.config(), d.v.seed, d.v.list)
		d.begins(fresh.core.Snapshot(), fresh.prints())
	}
}

// config is what the exchange's core was made of.
func (d *disturbed) config() core.Config {
	h := d.x.header()
	return h.config()
}

// 20 clients join all sorts of books at random times, while messages are skipped, doubled, late and out of order,
// connections drop and fall silent, books begin anew, trading stops and goes on, and the market is restored and reset.
// Whenever a client's stream says that a book is good, it is the engine's at that update id; and when all is over, every
// client has the last one.
func TestTruthUnderFaults(t *testing.T) {
	const clients = 20
	const option = "BTC-27MAR26-90000-C-USDT"
	slow := []Symbol{{bybit.Option, option}, {bybit.Spread, "BTCUSDT_BTC/USDT"}}
	cfg := stepped("spot:BTCUSDT", "linear:BTCUSDT", "inverse:BTCUSD", "spread:BTCUSDT_BTC/USDT", "option:"+option)
	topics := bookTopics(append(slow, Symbol{bybit.Spot, "BTCUSDT"}, Symbol{bybit.Linear, "BTCUSDT"}, Symbol{bybit.Inverse, "BTCUSD"})...)
	inBubble(t, cfg, func(t *testing.T, b *bench) {
		d := &disturbed{bench: b, happens: map[string]int{}}
		d.v = newTruth(t, d.config(), maphash.MakeSeed(), topics)
		r := rand.New(rand.NewPCG(11, 12))
		// Every topic has a client, most have two.
		deck := r.Perm(len(topics))
		deal := func(k int) {
			first := topics[deck[k%len(deck)]]
			for i := range deck {
				if second := topics[deck[(k+clients+i)%len(deck)]]; second.channel == first.channel && second.name != first.name {
					d.join(first, second)
					return
				}
			}
			d.join(first)
		}
		script := map[int]string{
			20: "halt", 26: "resume", 34: "restart", 40: "keep", 46: "restart", 52: "halt", 58: "restore", 66: "halt", 70: "resume",
			76: "reset", 84: "restart", 90: "keep", 96: "restart", 102: "restore", 110: "restart",
		}
		for round := range 130 {
			if len(d.followers) < clients && round%3 == 0 {
				deal(len(d.followers))
			}
			topic := &topics[r.IntN(len(topics))]
			if what := script[round]; what != "" {
				d.market(what, d.v.instrument(topic))
			}
			if round%2 == 1 && round < 120 {
				d.message(r, topic)
			}
			d.stir(r, slow...)
			d.step(time.Duration(20+r.IntN(200)) * time.Millisecond)
		}
		for range 60 { // backoffs end, books are asked for anew
			d.stir(r, slow...)
			d.step(time.Second)
		}
		d.judge(topics)
	})
}

// judge looks back at a run.
func (d *disturbed) judge(topics []bookTopic) {
	t := d.t
	total, gaps := map[string]int{}, 0
	for _, c := range d.followers {
		gaps += c.gaps
		for sort, n := range c.judged {
			total[sort] += n
		}
		for name, s := range c.state {
			if last := d.v.last[topicKey(string(c.channel), name)]; !s.valid || s.at != last {
				t.Errorf("%s %s: at the end the client is at %+v (good: %v), the exchange at %+v", c.channel, name, s.at, s.valid, last)
			}
		}
	}
	t.Logf("books judged %v, %d gaps, what happened %v", total, gaps, d.happens)
	for i := range topics {
		if n := total[topics[i].sort()]; n < 50 {
			t.Errorf("%s: %d books judged", topics[i].sort(), n)
		}
	}
	if gaps < 20 || len(d.happens) < 12 {
		t.Errorf("%d gaps, what happened %v: too little for a test", gaps, d.happens)
	}
	d.do(func(c *core.Core) {
		if c.Hash() != d.v.core.Hash() {
			t.Error("the run with clients and faults led to another state")
		}
	})
}
