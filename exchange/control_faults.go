package exchange

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bywire/bywire/exchange/internal/core"
	"github.com/bywire/bywire/internal/wsserver"
)

// AddFault puts a fault in force and returns it with the id that RemoveFault takes.
func (x *Exchange) AddFault(ctx context.Context, f Fault) (ActiveFault, error) {
	if err := f.check(); err != nil {
		return ActiveFault{}, fmt.Errorf("exchange: fault: %w", err)
	}
	var added ActiveFault
	var failed error
	err := x.do(ctx, func(c *core.Core) {
		open, topics := x.concerned(&f)
		added, failed = x.faults.add(&f, c.Now(), open, topics)
	})
	if err == nil && failed != nil {
		err = fmt.Errorf("exchange: fault: %w", failed)
	}
	return added, err
}

// concerned are the open sessions that a fault is about, by name, and how many of the topics that somebody has subscribed
// to. It runs on the loop.
func (x *Exchange) concerned(f *Fault) (open []*wsserver.Session, topics int) {
	r := f.rule(0)
	seen := map[*wsserver.Session]bool{}
	see := func(s *wsserver.Session) {
		if !seen[s] && r.of(s) {
			seen[s] = true
			open = append(open, s)
		}
	}
	for _, t := range x.topics {
		if t == nil || !r.about(t.Name()) {
			continue
		}
		wanted := false
		t.Each(func(s *wsserver.Session) {
			wanted = wanted || r.of(s)
			see(s)
		})
		if wanted {
			topics++
		}
	}
	if f.Topic == "" {
		x.ws.Each(see)
	}
	// The registry has no order, and with a Count the first so many are to be the same whoever asks.
	slices.SortFunc(open, func(a, b *wsserver.Session) int { return strings.Compare(a.ID(), b.ID()) })
	return open, topics
}

// RemoveFault ends a fault before its time; id 0 ends all. Messages that are held back are sent when they are due.
func (x *Exchange) RemoveFault(ctx context.Context, id int) error {
	var n int
	if err := x.do(ctx, func(*core.Core) { n = x.faults.remove(id) }); err != nil {
		return err
	}
	if n == 0 && id != 0 {
		return fmt.Errorf("exchange: fault %d: %w", id, ErrNoFault)
	}
	return nil
}

// ErrNoFault is in the error of a call that names a fault that is not in force, or not any more.
var ErrNoFault = errors.New("no such fault is in force")

// Faults returns the faults in force.
func (x *Exchange) Faults(ctx context.Context) ([]ActiveFault, error) {
	var list []ActiveFault
	err := x.do(ctx, func(c *core.Core) { list = x.faults.list(c.Now()) })
	return list, err
}

// faultText is a fault as the control API takes and shows it.
type faultText struct {
	ID         int        `json:"id,omitempty"`
	Kind       FaultKind  `json:"kind"`
	Topic      string     `json:"topic,omitempty"`
	Channel    string     `json:"channel,omitempty"`
	Connection string     `json:"connection,omitempty"`
	Count      int        `json:"count,omitempty"`
	For        string     `json:"for,omitempty"`
	Delay      string     `json:"delay,omitempty"`
	Rate       int        `json:"rate,omitempty"`
	Code       int        `json:"code,omitempty"`
	Reason     string     `json:"reason,omitempty"`
	Left       int        `json:"left,omitempty"`
	Until      *time.Time `json:"until,omitempty"`
	Hits       int        `json:"hits"`
	Matches    *reached   `json:"matches,omitempty"` // of a new one
}

// reached is how much a new fault is about.
type reached struct {
	Topics      int `json:"topics"`
	Connections int `json:"connections"`
}

func faultFields() []string {
	return []string{"kind", "topic", "channel", "connection", "count", "for", "delay", "rate", "code", "reason"}
}

func textOf(a *ActiveFault) faultText {
	f := &a.Fault
	t := faultText{
		ID: a.ID, Kind: f.Kind, Topic: f.Topic, Channel: f.Channel, Connection: f.Connection, Count: f.Count, Rate: f.Rate,
		Code: f.Code, Reason: f.Reason, Left: a.Left, Hits: a.Hits,
	}
	if f.For > 0 {
		t.For = f.For.String()
	}
	if f.Delay > 0 {
		t.Delay = f.Delay.String()
	}
	if !a.Until.IsZero() {
		t.Until = &a.Until
	}
	return t
}

// faultList is what the calls about faults answer.
type faultList struct {
	Faults []faultText `json:"faults"`
}

func (x *Exchange) faultList(ctx context.Context) (any, error) {
	active, err := x.Faults(ctx)
	if err != nil {
		return nil, err
	}
	list := faultList{[]faultText{}}
	for i := range active {
		list.Faults = append(list.Faults, textOf(&active[i]))
	}
	return list, nil
}

// controlFaults lists the faults in force.
func controlFaults(x *Exchange, r *http.Request, _ []byte) (any, error) {
	return x.faultList(r.Context())
}

// controlAddFault puts a fault in force.
func controlAddFault(x *Exchange, r *http.Request, body []byte) (any, error) {
	var q struct {
		Kind                               FaultKind
		Topic, Channel, Connection, Reason string
		Count, Rate, Code                  int
		For, Delay                         span
	}
	if err := fill(body, &q, map[string]string{
		"kind": "one of " + joined(FaultKinds()), "topic": "a pattern, such as orderbook.*", "channel": "one of " + joined(channels()),
		"connection": "a pattern for conn_id", "reason": "a text", "count": "a whole number", "rate": "bytes a second", "code": "a close code, such as 1012",
	}); err != nil {
		return nil, err
	}
	added, err := x.AddFault(r.Context(), Fault{
		Kind: q.Kind, Topic: q.Topic, Channel: q.Channel, Connection: q.Connection, Count: q.Count, For: q.For.Duration,
		Delay: q.Delay.Duration, Rate: q.Rate, Code: q.Code, Reason: q.Reason,
	})
	if err != nil {
		return nil, err
	}
	text := textOf(&added)
	text.Matches = &reached{added.Topics, added.Connections}
	return text, nil
}

// controlRemoveFaults ends the fault that the query names, or all.
func controlRemoveFaults(x *Exchange, r *http.Request, _ []byte) (any, error) {
	id := 0
	for name, values := range r.URL.Query() {
		n, err := strconv.Atoi(values[0])
		if name != "id" || err != nil || n < 1 || len(values) > 1 {
			return nil, wrong("faults: end one with ?id=1, or all without a query")
		}
		id = n
	}
	if err := x.RemoveFault(r.Context(), id); err != nil {
		if errors.Is(err, ErrNoFault) {
			err = &controlError{http.StatusNotFound, err.Error()}
		}
		return nil, err
	}
	return x.faultList(r.Context())
}
