package exchange

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/bywire/bywire/internal/wire"
	"github.com/bywire/bywire/internal/wsserver"
)

// FaultKind is a wrong thing that the exchange can do to its clients on purpose. The market does not notice: faults stand
// between the feed and the connections, the state's hash is the same with and without them, and no journal has them.
type FaultKind string

// The kinds. The first four happen to single messages, the next to connections and requests.
const (
	FaultSkip      FaultKind = "skip"      // a message is not sent: on an order book an update id is missing
	FaultDuplicate FaultKind = "duplicate" // a message is sent twice
	FaultDelay     FaultKind = "delay"     // a message is sent Fault.Delay late, and what follows on its topic not before it
	FaultReorder   FaultKind = "reorder"   // a message is sent after the next one of its topic
	FaultDrop      FaultKind = "drop"      // connections end at once, without a close frame or with Fault.Code
	FaultSilent    FaultKind = "silent"    // connections stay open, and nothing is sent: no message, reply or pong
	FaultNoPong    FaultKind = "no-pong"   // pings are not answered
	FaultRefuse    FaultKind = "refuse"    // subscribe requests are refused as if there were no such topic
	FaultSlow      FaultKind = "slow"      // connections get Fault.Rate bytes a second, until their queue is full
)

// FaultKinds lists the kinds.
func FaultKinds() []FaultKind {
	return []FaultKind{FaultSkip, FaultDuplicate, FaultDelay, FaultReorder, FaultDrop, FaultSilent, FaultNoPong, FaultRefuse, FaultSlow}
}

// Fault says what goes wrong, for whom, and for how long.
type Fault struct {
	Kind FaultKind
	// Topic is a pattern, such as "orderbook.50.BTCUSDT" or "orderbook.*": a star stands for any text. Of the kinds that
	// happen to connections it chooses those that are subscribed to such a topic. Default: all.
	Topic string
	// Channel is the name of a channel, such as "linear". Default: all.
	Channel string
	// Connection is a pattern for names of connections (conn_id). Default: all.
	Connection string
	// Count is how often it happens: to how many messages, pings or requests, whoever gets them; not with FaultSilent and
	// FaultSlow. Default: once, without a bound if For is set; drop: all connections; no-pong: without a bound.
	Count int
	// For is how long the fault lasts, in the exchange's time; not with FaultDrop. Default: until Count is used up, or else
	// until it is removed.
	For time.Duration
	// Delay is of FaultDelay: how late, in the exchange's time.
	Delay time.Duration
	// Rate is of FaultSlow: bytes a second.
	Rate int
	// Code and Reason are of FaultDrop: what the close frame says. Default: there is none.
	Code   int
	Reason string
}

// ActiveFault is a fault that is in force. Left and Hits of no-pong and refuse, and Hits of silent, count what comes from
// clients: in a run with several of them, whose ping or request comes first is up to the machine, and so with a Count is
// whom it happens to.
type ActiveFault struct {
	ID    int
	Fault Fault
	Left  int       // how often it will still happen; 0 is without a bound
	Until time.Time // in the exchange's time; zero is until it is removed
	Hits  int       // how often it has happened

	// From AddFault: how many topics with subscribers, and how many open connections it was about when it began. With none
	// the pattern may be misspelt, or the client still to come.
	Topics, Connections int
}

// Bounds of faults, so that a mistake in one is noticed.
const (
	maxFaults     = 1000
	maxFaultDelay = time.Hour
	maxHeld       = 1 << 20 // messages that wait, over all connections; beyond, they are sent at once
)

// check says what is wrong with a fault, in words for whoever typed it.
func (f *Fault) check() error {
	lasting := f.Kind == FaultSilent || f.Kind == FaultSlow
	switch {
	case !slices.Contains(FaultKinds(), f.Kind):
		return fmt.Errorf("kind %.40q: one of %s", string(f.Kind), joined(FaultKinds()))
	case f.Channel != "" && !simulated(wire.Channel(f.Channel)):
		return fmt.Errorf("channel %.40q: one of %s", f.Channel, joined(channels()))
	case f.Count < 0:
		return fmt.Errorf("count %d: 1 or more", f.Count)
	case f.Count > 0 && lasting:
		return fmt.Errorf("count: not with %s, which lasts; give for, such as 10s", f.Kind)
	case f.For < 0:
		return fmt.Errorf("for %s: a duration above 0, such as 10s", f.For)
	case f.For > 0 && f.Kind == FaultDrop:
		return errors.New("for: not with drop, which happens at once")
	case f.Kind == FaultDelay && (f.Delay <= 0 || f.Delay > maxFaultDelay):
		return fmt.Errorf("delay %s: of a fault of kind delay, from 1ns to %s, such as 250ms", f.Delay, maxFaultDelay)
	case f.Kind != FaultDelay && f.Delay != 0:
		return fmt.Errorf("delay: only with kind delay, not %s", f.Kind)
	case f.Kind == FaultSlow && f.Rate <= 0:
		return fmt.Errorf("rate %d: of a fault of kind slow, bytes a second, 1 or more", f.Rate)
	case f.Kind != FaultSlow && f.Rate != 0:
		return fmt.Errorf("rate: only with kind slow, not %s", f.Kind)
	case f.Kind != FaultDrop && (f.Code != 0 || f.Reason != ""):
		return fmt.Errorf("code and reason: only with kind drop, not %s", f.Kind)
	case f.Code != 0 && (f.Code < 1000 || f.Code > 4999 || f.Code == 1004 || f.Code == 1005 || f.Code == 1006 || f.Code == 1015):
		return fmt.Errorf("code %d: a code that a close frame can have, such as 1001, 1012 or 4000; without one there is no close frame", f.Code)
	case f.Code == 0 && f.Reason != "":
		return errors.New("reason: only with a code, since there is no close frame without one")
	case len(f.Reason) > 123:
		return fmt.Errorf("reason: %d bytes, and a close frame has room for 123", len(f.Reason))
	}
	return nil
}

// joined lists words for a person.
func joined[S ~[]T, T ~string](list S) string {
	words := make([]string, len(list))
	for i, w := range list {
		words[i] = string(w)
	}
	return strings.Join(words, ", ")
}

// matches reports whether a text is of a pattern, in which a star stands for any text. The empty pattern is of all.
func matches(pattern, text string) bool {
	if pattern == "" {
		return true
	}
	first, rest, star := strings.Cut(pattern, "*")
	text, ok := strings.CutPrefix(text, first)
	if !ok || !star {
		return ok && text == ""
	}
	for {
		part, more, star := strings.Cut(rest, "*")
		if !star {
			return strings.HasSuffix(text, part)
		}
		i := strings.Index(text, part)
		if i < 0 {
			return false
		}
		text, rest = text[i+len(part):], more
	}
}

// rule is a fault in force.
type rule struct {
	ActiveFault
	bounded bool  // Left counts
	until   int64 // in virtual time; never for one without an end

	throttled []*wsserver.Session // by FaultSlow
}

const never = math.MaxInt64

// of reports whether the rule is about a session.
func (r *rule) of(s *wsserver.Session) bool {
	return (r.Fault.Channel == "" || r.Fault.Channel == string(s.Channel())) && matches(r.Fault.Connection, s.ID())
}

// about reports whether the rule is about a topic.
func (r *rule) about(topic string) bool { return matches(r.Fault.Topic, topic) }

// holds reports whether the rule is in force at a time.
func (r *rule) holds(now int64) bool { return now < r.until && (!r.bounded || r.Left > 0) }

// hit counts that it has happened.
func (r *rule) hit() {
	r.Hits++
	if r.bounded {
		r.Left--
	}
}

// lift undoes what a rule has done to connections. It is called with the lock held.
func (f *faults) lift(r *rule) {
	throttled := r.throttled
	r.throttled = nil
	for _, s := range throttled {
		f.throttle(s)
	}
}

// throttle gives a session the rate of the slowest rule that is about it. It is called with the lock held.
func (f *faults) throttle(s *wsserver.Session) {
	rate := 0
	for _, r := range f.rules {
		if slices.Contains(r.throttled, s) && (rate == 0 || r.Fault.Rate < rate) {
			rate = r.Fault.Rate
		}
	}
	s.Throttle(rate)
}

// rule makes a rule of a fault.
func (f *Fault) rule(now int64) *rule {
	r := &rule{ActiveFault: ActiveFault{Fault: *f, Left: f.Count}, bounded: f.Count > 0, until: never}
	if f.For > 0 {
		r.until = now + int64(f.For)
		r.Until = time.Unix(0, r.until).UTC()
	}
	switch f.Kind {
	case FaultSilent, FaultSlow, FaultNoPong, FaultDrop:
	default:
		if f.Count == 0 && f.For == 0 {
			r.Left, r.bounded = 1, true
		}
	}
	return r
}

// deaf reports whether an operation of a session is to be missed. It is called on the session's reader.
func (f *faults) deaf(s *wsserver.Session, op string, now int64) bool {
	if !f.on.Load() {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.rules {
		switch {
		case !r.holds(now) || !r.of(s):
		case r.Fault.Kind == FaultSilent && r.Fault.Topic == "":
			r.hit()
			return true
		case r.Fault.Kind == FaultNoPong && op == wire.OpPing && (r.Fault.Topic == "" || s.HasTopic(r.about)):
			r.hit()
			return true
		}
	}
	return false
}

// refused says which topics of a request are to be refused, nil for none.
func (f *faults) refused(s *wsserver.Session, topics []string, now int64) []bool {
	if !f.on.Load() {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var refused []bool
	for _, r := range f.rules {
		if r.Fault.Kind != FaultRefuse || !r.holds(now) || !r.of(s) {
			continue
		}
		hit := false
		for i, topic := range topics {
			if r.about(topic) {
				if refused == nil {
					refused = make([]bool, len(topics))
				}
				refused[i], hit = true, true
			}
		}
		if hit {
			r.hit()
		}
	}
	return refused
}

// joins tells that a session has subscribed to topics: it may be one that is to be slow.
func (f *faults) joins(s *wsserver.Session, topics []string, now int64) {
	if !f.on.Load() {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.rules {
		if r.Fault.Kind == FaultSlow && r.holds(now) && r.of(s) &&
			slices.ContainsFunc(topics, r.about) {
			f.slow(r, s)
		}
	}
}

// slow throttles a session. It is called with the lock held.
func (f *faults) slow(r *rule, s *wsserver.Session) {
	if !slices.Contains(r.throttled, s) {
		r.hit()
		r.throttled = append(r.throttled, s)
		f.throttle(s)
	}
}

// add puts a fault in force. open are the sessions that it is about now, of so many topics.
func (f *faults) add(fault *Fault, now int64, open []*wsserver.Session, topics int) (ActiveFault, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.rules) >= maxFaults {
		return ActiveFault{}, fmt.Errorf("%d faults are in force; remove some", len(f.rules))
	}
	r := fault.rule(now)
	f.ids++
	r.ID = f.ids
	if fault.Kind != FaultDrop {
		f.rules = append(f.rules, r)
		f.on.Store(true)
	}
	for _, s := range open {
		if !r.holds(now) {
			break
		}
		switch fault.Kind {
		case FaultSlow:
			f.slow(r, s)
		case FaultDrop:
			r.hit()
			if fault.Code == 0 {
				s.Cut()
			} else {
				s.Close(wsserver.CloseCode(fault.Code), fault.Reason)
			}
		}
	}
	added := r.ActiveFault
	added.Topics, added.Connections = topics, len(open)
	return added, nil
}

// list returns the faults in force.
func (f *faults) list(now int64) []ActiveFault {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := []ActiveFault{}
	for _, r := range f.rules {
		if r.holds(now) {
			list = append(list, r.ActiveFault)
		}
	}
	return list
}

// remove ends a fault, or all of them with id 0. What is held back is sent when it is due. It reports how many there were.
func (f *faults) remove(id int) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	f.rules = slices.DeleteFunc(f.rules, func(r *rule) bool {
		if id != 0 && r.ID != id {
			return false
		}
		n++
		f.lift(r)
		return true
	})
	return n
}
