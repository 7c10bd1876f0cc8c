package sim_test

import (
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/internal/sim"
)

// crowd returns twenty streams that differ in channel and options.
func crowd() []*party {
	linear := func(i int, o *bybit.StreamOptions, r sim.Rules) *party {
		symbols := [...]string{"BTCUSDT", "ETHUSDT", "SOLUSDT"}
		return &party{channel: bybit.Linear, options: o, rules: r, topics: topicsOf(symbols[i%len(symbols)])}
	}
	var all []*party
	for i := range 2 {
		all = append(all,
			linear(i, nil, sim.Rules{}),
			linear(i, &bybit.StreamOptions{Duplicates: 2}, sim.Rules{Lanes: true}),
			linear(i, &bybit.StreamOptions{RollAfter: 40 * time.Second}, sim.Rules{Lanes: true}),
			linear(i, &bybit.StreamOptions{QueueBytes: 1, Overflow: bybit.OverflowConflate}, sim.Rules{}),
			&party{channel: bybit.Option, topics: []bybit.Topic{
				bybit.OrderBook(25, fmt.Sprintf("BTC-30JAN26-%d-C", 90000+1000*i)), bybit.Trades([]string{"BTC", "ETH"}[i])}})
		symbol := [...]string{"BTCUSDC", "ETHUSDC"}[i]
		all = append(all, &party{channel: bybit.Spot, topics: append(topicsOf(symbol), topicsOf(symbol+"X")...)})
	}
	return append(all,
		&party{channel: bybit.Inverse, topics: topicsOf("BTCUSD"), options: &bybit.StreamOptions{RawFrames: true}},
		linear(2, &bybit.StreamOptions{Books: bybit.BooksLenient}, sim.Rules{Lenient: true}),
		linear(0, &bybit.StreamOptions{Books: bybit.BooksNone}, sim.Rules{NoBooks: true}),
		linear(1, &bybit.StreamOptions{Books: bybit.BooksNone, Duplicates: 2}, sim.Rules{NoBooks: true, Lanes: true}),
		linear(2, &bybit.StreamOptions{QueueBytes: 1}, sim.Rules{}),
		linear(0, &bybit.StreamOptions{QueueBytes: 1, Duplicates: 2, RollAfter: time.Minute}, sim.Rules{Lanes: true}),
		linear(1, &bybit.StreamOptions{QueueBytes: 1, Duplicates: 2, Overflow: bybit.OverflowConflate}, sim.Rules{Lanes: true}),
		linear(2, &bybit.StreamOptions{Overflow: bybit.OverflowWait}, sim.Rules{}))
}

// TestTruthUnderFaults lets a thousand things go wrong for twenty streams. Every
// book that a user reads is the server's at that update id, every gap is
// announced, what was sent and is not in a gap came once, and when the faults
// cease everything stands where the server stands.
//
// BYWIRE_SEED is the first seed, a number or any text, such as the hash of a
// commit. BYWIRE_SIM is how long to go on with further seeds; by default one is
// tried.
func TestTruthUnderFaults(t *testing.T) {
	seed, limit := uint64(1), time.Duration(0)
	if text := os.Getenv("BYWIRE_SEED"); text != "" {
		seed = sim.Seed(text)
	}
	if text := os.Getenv("BYWIRE_SIM"); text != "" {
		var err error
		if limit, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	first := uint64(0)
	for rounds := 1; ; rounds++ {
		truth(t, seed)
		heap := liveHeap()
		if rounds == 1 {
			first = heap
		}
		if more := int64(heap - first); more > 4<<20 {
			t.Errorf("%d rounds left %d bytes on the heap", rounds, more)
		}
		if t.Failed() {
			t.Fatalf("replay: BYWIRE_SEED=%d go test ./internal/sim -run TestTruthUnderFaults -count 1", seed)
		}
		if spent := time.Since(began); spent >= limit {
			t.Logf("%d seeds from %s, %v each", rounds, os.Getenv("BYWIRE_SEED"), spent/time.Duration(rounds))
			return
		}
		seed++
	}
}

// truth is one round.
func truth(t *testing.T, seed uint64) {
	parties := crowd()
	for _, p := range parties {
		p.drowsy = p.options != nil && p.options.QueueBytes > 0
	}
	if len(parties) != 20 {
		t.Fatalf("%d streams, want 20", len(parties))
	}
	play(t, seed, sim.Draw(seed, 1000, len(parties), 600*time.Millisecond), parties)
	var sum sim.Counts
	for i, p := range parties {
		for _, c := range p.judge.Complaints() {
			t.Errorf("stream %d: %s", i, c)
		}
		sum = sum.Plus(p.judge.Counts())
	}
	if sum.Books < 50_000 || sum.Full < 100 || sum.Trades < 10_000 || sum.Tickers < 10_000 || sum.Gaps < 500 || sum.Rejected < 10 || sum.Damaged < 5 || sum.Conflated < 10 {
		t.Errorf("seed %d shows little: %+v", seed, sum)
	}
}

// liveHeap returns the bytes in use after a collection.
func liveHeap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
