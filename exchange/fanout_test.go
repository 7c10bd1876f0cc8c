package exchange

import (
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bywire/bywire/exchange/internal/core"
	"github.com/bywire/bywire/internal/memnet"
	"github.com/bywire/bywire/internal/wire"
	"github.com/bywire/bywire/internal/wsserver"
)

// A reader counts what comes, and checks that the update ids of its book of 50 levels rise by one.
type reader struct {
	*socket
	bytes  int
	last   int64
	faults int
	ended  bool
}

const fanTopic = "orderbook.50.BTCUSDT"

func (r *reader) read() {
	for text := r.next(); text != ""; text = r.next() {
		r.bytes += len(text)
		if !strings.HasPrefix(text, `{"topic":"`+fanTopic+`"`) {
			continue
		}
		_, rest, _ := strings.Cut(text, `"u":`)
		digits, _, _ := strings.Cut(rest, ",")
		u, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || r.last != 0 && u != r.last+1 {
			r.faults++
		}
		r.last = u
	}
	r.ended = true
}

// readers connects n clients that read on their own.
func (b *bench) readers(n int, topics ...string) []*reader {
	all := make([]*reader, n)
	for i := range all {
		all[i] = &reader{socket: b.socket(wire.Linear, topics...)}
		go all[i].read()
	}
	return all
}

// A thousand clients of one book, a hundred of every topic of linear, and ten of those that stopped reading: each of the
// first two kinds has each message, time never waits for the third kind twice, and those are cut and cost no more than
// their bound.
func TestAThousandClients(t *testing.T) {
	const quantum, steps = 50 * time.Millisecond, 40
	cfg := stepped()
	cfg.QueueBytes = 128 << 10
	inBubble(t, cfg, func(t *testing.T, b *bench) {
		var every []string
		b.do(func(c *core.Core) {
			for _, in := range c.Catalog().Live() {
				if wire.Channel(in.Category) != wire.Linear {
					continue
				}
				for _, family := range []string{"orderbook.1.", "orderbook.50.", "orderbook.200.", "orderbook.1000.", "orderbook.rpi.", "orderbook.full.",
					"publicTrade.", "tickers.", "kline.1.", "kline.60.", "kline.D.", "allLiquidation.", "priceLimit."} {
					every = append(every, family+in.Symbol)
				}
			}
		})
		before := inUse()
		some := b.readers(1000, fanTopic)
		all := b.readers(100, every...)
		synctest.Wait()
		per := (inUse() - before) / int64(len(some)+len(all))

		var stopped []*socket
		for range 10 {
			stopped = append(stopped, b.socket(wire.Linear, every...))
		}
		before = inUse()
		waited := 0
		for range steps {
			began := time.Now()
			if _, err := b.x.Advance(t.Context(), quantum); err != nil {
				t.Fatal(err)
			}
			if time.Since(began) > 0 {
				waited++
			}
			synctest.Wait()
		}
		grown := (inUse() - before) / int64(len(stopped))
		t.Logf("%d topics; a client that reads takes %d KB, its own buffers in; one that stopped %d KB; each of all got %d messages, %d KB",
			len(every), per>>10, grown>>10, all[0].got, all[0].bytes>>10)

		for _, kind := range [][]*reader{some, all} {
			for i, r := range kind {
				if r.faults > 0 || r.ended || r.got != kind[0].got || r.bytes != kind[0].bytes || r.last != some[0].last {
					t.Fatalf("reader %d: %d messages, %d bytes to u %d, %d faults, ended %t; the first has %d, %d and u %d",
						i, r.got, r.bytes, r.last, r.faults, r.ended, kind[0].got, kind[0].bytes, some[0].last)
				}
			}
		}
		if some[0].got < steps {
			t.Errorf("%d messages of the book in %v", some[0].got, steps*quantum)
		}
		if waited > 1 {
			t.Errorf("time waited %d times for those that stopped", waited)
		}
		time.Sleep(wsserver.DefaultCloseWait) // for their part of the closing handshake
		synctest.Wait()
		if got := b.x.ws.Sessions(); got != len(some)+len(all) {
			t.Errorf("%d connections are left, want %d: without those that stopped", got, len(some)+len(all))
		}
		// The client's half is in it: two buffers of 4 KiB, and a goroutine that reads.
		if limit := int64(cfg.QueueBytes + memnet.BufferSize); per > 64<<10 || grown > limit {
			t.Errorf("a client takes %d bytes, one that stopped %d, of %d", per, grown, limit)
		}
		for _, s := range stopped {
			s.conn.Close()
		}
	})
}

// inUse is what the heap and stacks take once what nobody uses is gone.
func inUse() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}
