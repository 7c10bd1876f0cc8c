package exchange

import (
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/bywire/bywire/exchange/internal/core"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/internal/wsserver"
)

// stateText is the state as the control API shows it.
type stateText struct {
	Time        time.Time        `json:"time"`
	TimeMs      int64            `json:"timeMs"`
	Started     time.Time        `json:"started"`
	Seed        uint64           `json:"seed"`
	Hash        string           `json:"hash,omitempty"`
	HashTime    *time.Time       `json:"hashTime,omitempty"` // what hash and invariants are of
	Commands    uint64           `json:"commands"`
	Clock       clockText        `json:"clock"`
	Rates       ratesText        `json:"rates"`
	Invariants  []invariantText  `json:"invariants,omitempty"`
	Instruments int              `json:"instruments"`
	Skipped     []string         `json:"skipped"` // instruments that are not simulated, and why
	Connections []connectionText `json:"connections"`
	Faults      []faultText      `json:"faults"`
	Snapshots   []snapshotText   `json:"snapshots"`
	Forks       []forkText       `json:"forks"`
	Journal     string           `json:"journal"` // "ok", "none", or what went wrong
}

// connectionText is a connection as the control API shows it.
type connectionText struct {
	ID      string `json:"id"` // conn_id
	Channel string `json:"channel"`
	Remote  string `json:"remote"`
	Topics  int    `json:"topics"`
}

// invariantText is something that always holds, and whether it does.
type invariantText struct {
	Name   string   `json:"name"`
	Holds  bool     `json:"holds"`
	Broken []string `json:"broken,omitempty"` // where it does not, the first few

	// Compared is how many of what there is, Of, could be looked at in this moment. Both are left out where it is all.
	Compared *int `json:"compared,omitempty"`
	Of       *int `json:"of,omitempty"`
}

// staleLook is how old, in real time, hash and invariants of a running clock may be in the state: who asks more often
// does not stop the market.
const staleLook = time.Second

// controlState tells what the exchange is like.
func controlState(x *Exchange, r *http.Request, _ []byte) (any, error) {
	brief := false
	if query := r.URL.Query(); len(query) > 0 {
		if brief = query.Get("brief") == "true"; !brief || len(query) > 1 {
			return nil, wrong("state: without hash and invariants with ?brief=true, whole without a query")
		}
	}
	s := stateText{
		Skipped: append([]string{}, x.Skipped()...), Connections: []connectionText{}, Faults: []faultText{}, Snapshots: []snapshotText{},
		Forks: []forkText{}, Journal: "none",
	}
	var seen look
	if err := x.do(r.Context(), func(c *core.Core) {
		s.Time, s.TimeMs, s.Started = time.Unix(0, c.Now()).UTC(), time.Unix(0, c.Now()).UnixMilli(), time.Unix(0, c.Started()).UTC()
		s.Seed, s.Commands = c.Seed(), c.Commands()
		s.Clock = x.clockText()
		s.Rates = x.rates.last
		s.Instruments = len(c.Catalog().Live())
		s.Connections = x.connections()
		if x.cfg.Journal != nil {
			s.Journal = "ok"
		}
		if x.journal.err != nil {
			s.Journal = x.journal.err.Error()
		}
		for _, f := range x.faults.list(c.Now()) {
			s.Faults = append(s.Faults, textOf(&f))
		}
		if !brief {
			seen = x.look(c, staleLook)
		}
	}); err != nil {
		return nil, err
	}
	if !brief {
		seen = x.looked.keep(seen)
		at := time.Unix(0, seen.key.now).UTC()
		s.Hash, s.HashTime, s.Invariants = hex.EncodeToString(seen.hash[:]), &at, seen.checks
	}
	x.shelf.mu.Lock()
	defer x.shelf.mu.Unlock()
	for i := range x.shelf.snapshots {
		s.Snapshots = append(s.Snapshots, x.shelf.snapshots[i].text())
	}
	for _, f := range x.shelf.forks {
		s.Forks = append(s.Forks, f.text())
	}
	return s, nil
}

// connections lists the open ones by channel and name. It runs on the loop.
func (x *Exchange) connections() []connectionText {
	topics := map[*wsserver.Session]int{}
	for _, t := range x.topics {
		if t != nil {
			t.Each(func(s *wsserver.Session) { topics[s]++ })
		}
	}
	list := []connectionText{}
	x.ws.Each(func(s *wsserver.Session) {
		list = append(list, connectionText{s.ID(), string(s.Channel()), s.Remote(), topics[s]})
	})
	slices.SortFunc(list, func(a, b connectionText) int {
		return strings.Compare(a.Channel+" "+a.ID, b.Channel+" "+b.ID)
	})
	return list
}

// maxBroken is how many places are named where an invariant does not hold.
const maxBroken = 10

// invariants checks what always holds of the market.
func invariants(c *core.Core) []invariantText {
	crossed := invariantText{Name: "no book is crossed"}
	sorted := invariantText{Name: "levels are sorted and not empty"}
	pushed := invariantText{Name: "no published book is crossed"}
	var levels [2][]engine.Level
	for _, in := range c.Catalog().Live() {
		where := string(in.Category) + " " + in.Symbol
		b := c.Book(in.ID)
		if b == nil {
			continue
		}
		for side := range levels {
			levels[side] = b.Levels(levels[side][:0], engine.Side(side), 1<<30, false)
			for i, l := range levels[side] {
				better := i > 0 && (l.Price >= levels[side][i-1].Price) == (engine.Side(side) == engine.Buy)
				if l.Qty <= 0 || better {
					sorted.fails("%s level %d", where, i+1)
					break
				}
			}
		}
		if isCrossed(levels[engine.Buy], levels[engine.Sell]) {
			crossed.fails("%s", where)
		}
		if v, ok := c.Feed().Book(in.ID); ok && isCrossed(v.Bids, v.Asks) {
			pushed.fails("%s", where)
		}
	}
	same := invariantText{Name: "a published book is the engine's"}
	compared, topics, broken := c.Feed().Check()
	same.Compared, same.Of = &compared, &topics
	for _, err := range broken {
		same.fails("%v", err)
	}
	list := []invariantText{crossed, sorted, pushed, same}
	for i := range list {
		list[i].Holds = len(list[i].Broken) == 0
	}
	return list
}

func isCrossed(bids, asks []engine.Level) bool {
	return len(bids) > 0 && len(asks) > 0 && bids[0].Price >= asks[0].Price
}

func (v *invariantText) fails(format string, args ...any) {
	if len(v.Broken) < maxBroken {
		v.Broken = append(v.Broken, fmt.Sprintf(format, args...))
	}
}

// counts are what has happened since the beginning.
type counts struct{ orders, trades, frames, bytes, requests int64 }

// count counts. It runs on the loop.
func (x *Exchange) count() counts {
	n := counts{requests: x.requested.Load()}
	n.orders, n.trades = happened(x.core)
	n.frames, n.bytes = x.ws.Published()
	return n
}

// ratesText is how much happens in a second of the exchange's time, as it was over the last whole one.
type ratesText struct {
	Orders   int64 `json:"orders"`   // orders placed, amended and cancelled
	Trades   int64 `json:"trades"`   // matches
	Frames   int64 `json:"frames"`   // messages sent, once for each subscriber
	Bytes    int64 `json:"bytes"`    // of these
	Requests int64 `json:"requests"` // over REST
}

// rates measure what happens. They belong to the loop.
type rates struct {
	began  int64 // of the span that is being measured, in virtual time
	before counts
	last   ratesText
}

// note is called whenever the time has moved.
func (m *rates) note(now int64, count func() counts) {
	const second = int64(time.Second)
	passed := now - m.began
	if passed >= 0 && passed < second {
		return
	}
	n := count()
	if passed > 0 {
		rate := func(after, before int64) int64 {
			return int64(float64(max(after-before, 0)) * float64(second) / float64(passed)) // a core that went back counts from there
		}
		m.last = ratesText{
			rate(n.orders, m.before.orders), rate(n.trades, m.before.trades), rate(n.frames, m.before.frames),
			rate(n.bytes, m.before.bytes), rate(n.requests, m.before.requests),
		}
	}
	m.began, m.before = now, n
}
