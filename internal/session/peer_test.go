package session

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// dialect is how a peer answers.
type dialect int

const (
	names   dialect = iota // the id is echoed, a refusal names the bad topic
	unnamed                // the id is echoed, a refusal names nothing
	byTopic                // no id, an answer for each topic
	inOrder                // no id and nothing else
	dialects
)

// line is a connection as the peer sees it.
type line struct {
	state   State // Dialing, Open or Hanging: what the runner owes
	lane    int
	has     map[string]bool
	unread  []Send      // requests that the peer has not handled
	sentAt  []time.Time // of each
	carried map[string]bool
	asked   map[string]string // topic to id of the last subscribe
	inbound time.Time
	frames  int // sent on it
}

// world is a runner and a peer around a session: it performs the actions and
// checks them against a model of its own.
type world struct {
	t       *testing.T
	s       *Session
	cfg     Config
	rng     *rand.Rand
	dialect dialect
	now     time.Time

	lines     map[int]*line
	wanted    map[string]bool
	delivered map[string]bool
	open      map[int]bool // calls
	lastCall  int
	mask      map[string]uint8

	acts []Action // of the last event
	log  []string // shown if the test fails

	rejected, revived, silent, handovers, gaps, frames int
	quiet                                              bool // no books are checked and no log is kept, for long runs
}

func newWorld(t *testing.T, seed uint64, cfg Config, d dialect) *world {
	w := &world{
		t: t, rng: rand.New(rand.NewPCG(seed, 1)), dialect: d, now: t0,
		lines: map[int]*line{}, wanted: map[string]bool{}, delivered: map[string]bool{}, open: map[int]bool{}, mask: map[string]uint8{},
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log("what came before:\n" + strings.Join(w.log[max(0, len(w.log)-100):], "\n"))
		}
	})
	cfg.Rand = w.rng.Int64N
	w.s = New(cfg)
	w.cfg = w.s.cfg
	return w
}

// bad says whether the peer refuses a topic on a link.
func bad(link int, topic string) bool {
	return strings.HasPrefix(topic, "bad") || strings.HasPrefix(topic, "odd") && link%2 == 1
}

// feed gives the session an event and performs what comes out.
func (w *world) feed(ev Event) {
	w.t.Helper()
	w.acts = slices.Clone(w.s.Next(w.now, ev))
	if w.quiet {
		for _, a := range w.acts {
			w.perform(a)
		}
		return
	}
	w.log = append(w.log, fmt.Sprintf("%v %T%+v", w.now.Sub(t0), ev, ev))
	for _, a := range w.acts {
		w.log = append(w.log, "    "+describe(a))
	}
	checkBooks(w.t, w.s)
	for _, a := range w.acts {
		w.perform(a)
	}
}

func (w *world) perform(a Action) {
	w.t.Helper()
	switch a := a.(type) {
	case Dial:
		if l := w.lines[a.Link]; l != nil {
			w.t.Fatalf("link %d is dialed in state %v", a.Link, l.state)
		}
		w.lines[a.Link] = &line{state: Dialing, lane: a.Lane}
	case HangUp:
		if l := w.lines[a.Link]; l == nil || l.state != Open {
			w.t.Fatalf("link %d is hung up and not open", a.Link)
		}
		w.lines[a.Link].state = Hanging
	case Send:
		w.send(&a)
	case Reject:
		if !w.wanted[a.Topic] {
			w.t.Fatalf("%s is rejected and was not wanted", a.Topic)
		}
		w.rejected++
		delete(w.wanted, a.Topic)
		delete(w.delivered, a.Topic)
	case Done:
		if !w.open[a.Call] {
			w.t.Fatalf("call %d is answered and not open", a.Call)
		}
		delete(w.open, a.Call)
	case Revived:
		w.revived++
	case Silent:
		w.silent++
	case Handover:
		w.handovers++
	case Gap:
		w.gaps++
	case Lanes:
		for _, name := range a.Topics {
			w.mask[name] = a.Mask
		}
	case Failed:
		w.t.Fatalf("the session failed: %v", a.Err)
	}
}

// send takes a request of the client.
func (w *world) send(a *Send) {
	w.t.Helper()
	l := w.lines[a.Link]
	if l == nil || l.state != Open {
		w.t.Fatalf("%s is sent on link %d, which is not open", a.Op, a.Link)
	}
	w.frames++
	l.frames++
	if a.Op == "ping" {
		l.inbound = w.now
		return
	}
	if len(a.Topics) == 0 || len(a.Topics) > w.cfg.MaxArgs {
		w.t.Fatalf("a request of %d topics", len(a.Topics))
	}
	for _, name := range a.Topics {
		if a.Op == opSubscribe {
			l.asked[name] = a.ReqID
			continue
		}
		delete(l.asked, name)
		if !w.wanted[name] {
			delete(l.carried, name)
		}
	}
	l.unread = append(l.unread, *a)
	l.sentAt = append(l.sentAt, w.now)
}

// settle carries out a request on the peer's side and returns the answer.
func (w *world) settle(num int, l *line) Ack {
	w.t.Helper()
	req := l.unread[0]
	l.unread, l.sentAt = l.unread[1:], l.sentAt[1:]
	ack := Ack{Link: num, Op: req.Op, ReqID: req.ReqID, Success: true}
	if w.dialect == byTopic || w.dialect == inOrder {
		ack.ReqID = ""
	}
	if w.dialect == byTopic {
		ack.Op = ""
	}
	if req.Op == opUnsubscribe {
		for _, name := range req.Topics {
			delete(l.has, name)
		}
		if w.dialect == byTopic {
			ack.Succeeded = req.Topics
		}
		return ack
	}
	refusedAll := false
	for _, name := range req.Topics {
		if l.has[name] {
			w.t.Fatalf("link %d is asked for %s, which it has", num, name)
		}
		if bad(num, name) {
			ack.Failed = append(ack.Failed, name)
			if w.dialect != byTopic && !refusedAll {
				refusedAll = true
				ack.Success = false
				if w.dialect == names {
					ack.Message = "error:handler not found,topic:" + name
				}
			}
		} else {
			ack.Succeeded = append(ack.Succeeded, name)
		}
	}
	if !refusedAll {
		for _, name := range ack.Succeeded {
			w.checkAlone(num, name)
			l.has[name] = true
			if l.asked[name] == req.ReqID {
				w.carry(l, name)
			}
		}
		for _, name := range ack.Failed {
			if l.asked[name] == req.ReqID {
				delete(l.carried, name)
			}
		}
		chars := 0
		for name := range l.has {
			chars += len(name) + argOverhead
		}
		if w.cfg.MaxTotal > 0 && len(l.has) > w.cfg.MaxTotal || w.cfg.MaxChars > 0 && chars > w.cfg.MaxChars {
			w.t.Fatalf("link %d has %d topics of %d characters", num, len(l.has), chars)
		}
	} else if w.dialect != names && len(req.Topics) == 1 || w.dialect == names {
		for _, name := range ack.Failed[:1] {
			if l.asked[name] == req.ReqID {
				delete(l.carried, name)
			}
		}
	}
	if w.dialect != byTopic {
		ack.Failed, ack.Succeeded = nil, nil
	}
	return ack
}

// checkAlone checks that no connection of another shard has the topic, unless it did not
// answer in time, or answers so that a late answer is taken for another.
func (w *world) checkAlone(num int, name string) {
	w.t.Helper()
	if w.dialect == byTopic || w.dialect == inOrder {
		return
	}
	own := w.s.byNum[num]
	for other, o := range w.lines {
		l := w.s.byNum[other]
		if !o.has[name] || own == nil || l == nil || l.shard == own.shard {
			continue
		}
		if len(o.sentAt) == 0 || w.now.Sub(o.sentAt[0]) < w.cfg.AckTimeout {
			w.t.Fatalf("link %d gets %s, which link %d of another shard still has", num, name, other)
		}
	}
}

func (w *world) carry(l *line, name string) {
	l.carried[name] = true
	if w.wanted[name] {
		w.delivered[name] = true
	}
}

// carriers counts the links that carry a topic.
func (w *world) carriers(name string) int {
	n := 0
	for _, l := range w.lines {
		if l.carried[name] {
			n++
		}
	}
	return n
}

func (w *world) subscribe(topics ...string) {
	w.t.Helper()
	w.lastCall++
	w.open[w.lastCall] = true
	revives := map[string]bool{}
	for _, name := range topics {
		if !w.wanted[name] {
			w.wanted[name] = true
			if w.carriers(name) > 0 {
				w.delivered[name] = true
				revives[name] = true
			}
		}
	}
	w.feed(Subscribe{Call: w.lastCall, Topics: topics})
	for _, a := range w.acts {
		if r, ok := a.(Revived); ok {
			delete(revives, r.Topic)
		}
	}
	if len(revives) > 0 {
		w.t.Fatalf("nobody was told that these were revived: %v", revives)
	}
}

func (w *world) unsubscribe(topics ...string) {
	w.t.Helper()
	w.lastCall++
	w.open[w.lastCall] = true
	for _, name := range topics {
		if !w.wanted[name] {
			continue
		}
		delete(w.wanted, name)
		delete(w.delivered, name)
		for _, l := range w.lines {
			if l.state != Open {
				delete(l.carried, name) // it ends with the connection
			}
		}
	}
	w.feed(Unsubscribe{Call: w.lastCall, Topics: topics})
}

func (w *world) dialed(num int) {
	w.t.Helper()
	l := w.lines[num]
	l.state = Open
	l.inbound = w.now
	l.has, l.carried, l.asked = map[string]bool{}, map[string]bool{}, map[string]string{}
	w.feed(Dialed{Link: num})
}

// lost ends a connection and checks that the gap names what no other link
// carries, and only that.
func (w *world) lost(num int) {
	w.t.Helper()
	l := w.lines[num]
	delete(w.lines, num)
	var want []string
	for name := range l.carried {
		if w.delivered[name] && w.carriers(name) == 0 {
			want = append(want, name)
			delete(w.delivered, name)
		}
	}
	slices.Sort(want)
	w.feed(Lost{Link: num, Err: errLink})
	var got []string
	for _, a := range w.acts {
		if g, ok := a.(Gap); ok {
			got = append(got, g.Topics...)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		w.t.Fatalf("link %d is lost:\n got a gap for %v\nwant %v", num, got, want)
	}
}

// answer lets the peer handle the oldest request of a link.
func (w *world) answer(num int) {
	w.t.Helper()
	l := w.lines[num]
	if l == nil || len(l.unread) == 0 || l.state == Dialing {
		return
	}
	l.inbound = w.now
	ack := w.settle(num, l)
	// A gap without a loss: a link that carried the topic was refused it.
	want := 0
	for name := range w.delivered {
		if w.carriers(name) == 0 {
			delete(w.delivered, name)
			want++
		}
	}
	w.feed(ack)
	for _, a := range w.acts {
		switch a := a.(type) {
		case Gap:
			want -= len(a.Topics)
		case Reject:
			want--
		}
	}
	if want > 0 {
		w.t.Fatalf("%d topics are carried by nobody any more, and nobody was told", want)
	}
}

// answerAll answers until nothing is owed.
func (w *world) answerAll() {
	w.t.Helper()
	for again := true; again; {
		again = false
		for _, num := range w.nums() {
			l := w.lines[num]
			switch {
			case l.state == Dialing:
				w.dialed(num)
				again = true
			case l.state == Hanging:
				w.lost(num)
				again = true
			case len(l.unread) > 0:
				w.answer(num)
				again = true
			}
		}
	}
}

func (w *world) nums() []int { return slices.Sorted(maps.Keys(w.lines)) }

func (w *world) tick() {
	w.t.Helper()
	var ev Tick
	for _, num := range w.nums() {
		if l := w.lines[num]; l.state != Dialing {
			ev.Links = append(ev.Links, LinkTick{Link: num, Inbound: l.inbound})
		}
	}
	w.feed(ev)
}

// until lets time pass with everything answered at once.
func (w *world) until(end time.Time) {
	w.t.Helper()
	w.answerAll()
	for stuck := 0; ; {
		wake := w.s.Wake()
		if wake.IsZero() || wake.After(end) {
			break
		}
		if wake.After(w.now) {
			w.now = wake
			stuck = 0
		} else if stuck++; stuck > 5 {
			w.t.Fatalf("a tick was due at %v, it is %v, and ticks change nothing", wake.Sub(t0), w.now.Sub(t0))
		}
		w.tick()
		w.answerAll()
	}
	w.now = end
}

// rest lets everything settle and checks that the peer has what is wanted.
func (w *world) rest() {
	w.t.Helper()
	w.until(w.now.Add(5 * time.Minute))
	if len(w.open) > 0 {
		w.t.Fatalf("%d calls are open, the first is %d", len(w.open), slices.Sorted(maps.Keys(w.open))[0])
	}
	if wanted, liveNow := w.s.Counts(); wanted != len(w.wanted) || liveNow != wanted {
		w.t.Fatalf("%d topics are wanted and %d live, want %d", wanted, liveNow, len(w.wanted))
	}
	seen := map[string]int{}
	for num, l := range w.lines {
		for name := range l.has {
			seen[name]++
			if !w.wanted[name] {
				w.t.Fatalf("link %d still has %s", num, name)
			}
		}
	}
	for name := range w.wanted {
		refusing := 0
		for _, e := range w.s.topics[name].sides {
			if bad(e.link.num, name) {
				refusing++
			}
		}
		if n := len(w.s.topics[name].sides); seen[name] != n-refusing || n < w.cfg.Lanes {
			w.t.Fatalf("%s is on %d links, want it on %d of %d", name, seen[name], n-refusing, n)
		}
		var mask uint8
		for _, l := range w.lines {
			if l.has[name] {
				mask |= 1 << l.lane
			}
		}
		if (w.cfg.Lanes > 1 || w.cfg.RollAfter > 0) && w.mask[name] != mask {
			w.t.Fatalf("%s is on lanes %04b, the user was told %04b", name, mask, w.mask[name])
		}
	}
}

func (d dialect) String() string {
	return [...]string{"names", "unnamed", "by topic", "in order"}[d]
}

func start(w *world) {
	w.t.Helper()
	w.feed(Start{})
	w.dialed(1)
	w.answerAll()
}

// topicsNamed returns prefix0, prefix1 and so on.
func topicsNamed(prefix string, n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("%s%d", prefix, i)
	}
	return list
}
