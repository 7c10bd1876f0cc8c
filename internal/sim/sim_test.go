package sim_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/internal/sim"
)

// party is a stream with its consumer and its judge.
type party struct {
	channel bybit.Channel
	options *bybit.StreamOptions
	rules   sim.Rules
	topics  []bybit.Topic

	stream *bybit.Stream
	judge  *sim.Judge
	pause  atomic.Int64 // nanoseconds that the consumer is to sleep next
	tamper func(bybit.Event) []bybit.Event
	drowsy bool        // sleeps a minute after every 300 events
	calm   atomic.Bool // until this
}

// topicsOf returns one topic of each sort.
func topicsOf(symbol string) []bybit.Topic {
	return []bybit.Topic{
		bybit.OrderBook(50, symbol), bybit.OrderBook(1, symbol), bybit.OrderBook(200, symbol),
		bybit.RPIOrderBook(symbol), bybit.Trades(symbol), bybit.Tickers(symbol), bybit.FullOrderBook(symbol),
	}
}

// consume gives every event to the judge, and subscribes again what was
// rejected.
func (p *party) consume(ctx context.Context, t *testing.T, calls *sync.WaitGroup) {
	events := 0
	for ev, err := range p.stream.Events(ctx) {
		if err != nil {
			if !errors.Is(err, bybit.ErrClosed) {
				t.Errorf("the stream ended with %v", err)
			}
			return
		}
		seen := []bybit.Event{ev}
		if p.tamper != nil {
			seen = p.tamper(ev)
		}
		for _, ev := range seen {
			p.judge.See(ev)
		}
		if rejected, ok := ev.(*bybit.RejectedEvent); ok {
			calls.Go(func() {
				// An answer may be a rejection again: that is another event.
				p.stream.Subscribe(ctx, rejected.Topic)
			})
		}
		if events++; p.drowsy && events%300 == 0 && !p.calm.Load() {
			p.pause.Store(int64(time.Minute))
		}
		if d := p.pause.Swap(0); d > 0 {
			busy := time.NewTimer(time.Duration(d))
			<-busy.C
		}
	}
}

// play runs the parties against a server with faults. It returns when everything
// has settled and all have ended.
func play(t *testing.T, seed uint64, faults []sim.Fault, parties []*party) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		srv := sim.New(sim.Config{Seed: seed, Streams: len(parties), Sleep: func(i int, d time.Duration) { parties[i].pause.Store(int64(d)) }})
		defer srv.Close()
		var consumers, calls sync.WaitGroup
		for i, p := range parties {
			client, err := bybit.NewClient(&bybit.Options{Environment: srv.Environment(), DialContext: srv.Dial(i)})
			if err != nil {
				t.Fatal(err)
			}
			if p.stream, err = client.Public(t.Context(), p.channel, p.options, p.topics...); err != nil {
				t.Fatal(err)
			}
			p.judge = srv.Judge(i, p.rules)
			consumers.Go(func() { p.consume(t.Context(), t, &calls) })
		}
		for _, f := range faults {
			pause := time.NewTimer(f.After)
			<-pause.C
			srv.Inject(f)
		}
		srv.Calm()
		for _, p := range parties {
			p.calm.Store(true)
		}
		rest := time.NewTimer(6 * time.Minute) // dead peers 30 s, delays 30 s, resynchronisations a minute, silence two
		<-rest.C
		srv.Freeze()
		synctest.Wait()
		last := time.NewTimer(10 * time.Second)
		<-last.C
		synctest.Wait()
		for _, p := range parties {
			p.stream.Close()
		}
		consumers.Wait()
		calls.Wait()
		for _, p := range parties {
			p.judge.Settled(p.topics)
		}
		for _, b := range srv.Breaches() {
			t.Errorf("the client breaks the venue's rules: %s", b)
		}
	})
}

func TestNothingWrongWithoutFaults(t *testing.T) {
	p := &party{channel: bybit.Linear, topics: topicsOf("BTCUSDT")}
	play(t, 1, nil, []*party{p})
	for _, c := range p.judge.Complaints() {
		t.Error(c)
	}
	if n := p.judge.Counts(); n.Gaps+n.Rejected+n.Damaged+n.Others > 0 || n.Books < 1000 || n.Trades < 300 || n.Tickers < 300 {
		t.Errorf("counts %+v", n)
	}
}

// Whatever happens to the snapshots of a full book, it is the server's when it can be read,
// and comes back.
func TestSnapshotFaults(t *testing.T) {
	kinds := []sim.Kind{sim.LateSnapshot, sim.OldSnapshot, sim.RefuseSnapshot, sim.CutSnapshot}
	for i, kind := range append(kinds, sim.Restart, sim.Skip) {
		t.Run(kind.String(), func(t *testing.T) {
			p := &party{channel: bybit.Linear, topics: []bybit.Topic{bybit.FullOrderBook("BTCUSDT")}}
			faults := sim.Draw(uint64(i), 40, 1, 30*time.Second)
			for i := range faults {
				faults[i].Kind = kind
				faults[i].For = time.Duration(i%25+1) * time.Second
			}
			play(t, uint64(i), faults, []*party{p})
			for _, c := range p.judge.Complaints() {
				t.Error(c)
			}
			n := p.judge.Counts()
			t.Logf("counts %+v", n)
			if n.Full < 20 || n.Gaps < 20 || n.Books < 500 {
				t.Errorf("counts %+v, want a book that begins anew at least twenty times", n)
			}
		})
	}
}

func TestFaults(t *testing.T) {
	p := &party{channel: bybit.Linear, topics: topicsOf("BTCUSDT")}
	play(t, 1, sim.Draw(1, 300, 1, 2*time.Second), []*party{p})
	for _, c := range p.judge.Complaints() {
		t.Error(c)
	}
	t.Logf("counts %+v", p.judge.Counts())
}
