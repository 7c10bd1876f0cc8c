package exchange

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/core"
	"github.com/bywire/bywire/exchange/internal/feed"
)

// Maintain announces a maintenance or an incident, or changes the one with its ID, and returns the ID; "" is given one.
// The topic system.status and GET /v5/system/status show it, and nothing else comes of it: the market goes on. Its times are from 2000 to 2200, or zero.
func (x *Exchange) Maintain(ctx context.Context, m *bybit.Maintenance) (id string, err error) {
	return x.maintain(ctx, func(*core.Core) (*bybit.Maintenance, error) { return m, nil })
}

// maintain announces what build makes, on the loop, of what was announced.
func (x *Exchange) maintain(ctx context.Context, build func(c *core.Core) (*bybit.Maintenance, error)) (id string, err error) {
	var failed error
	err = x.do(ctx, func(c *core.Core) {
		var m *bybit.Maintenance
		if m, failed = build(c); failed != nil {
			return
		}
		if failed = errors.Join(within("Maintenance.Begin", m.Begin), within("Maintenance.End", m.End)); failed != nil {
			return
		}
		n := feed.Notice{
			ID: m.ID, Title: m.Title, State: m.State, Begin: nanoseconds(m.Begin), End: nanoseconds(m.End), Href: m.Href,
			ServiceTypes: m.ServiceTypes, Products: m.Products, UIDSuffixes: m.UIDSuffixes, MaintainType: m.MaintainType, Env: m.Env,
		}
		if _, failed = c.Do(core.Maintain{Notice: n}); failed == nil {
			if id = n.ID; id == "" {
				id = c.Feed().Maintenance()[0].ID // the newest
			}
		}
	})
	return id, errors.Join(err, failed)
}

// Between these is each time that is given from outside: in nanoseconds an int64 holds the years 1678 to 2262.
var (
	firstTime = earliest
	lastTime  = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
)

// within says that a time is too early or too late. None is neither.
func within(name string, t time.Time) error {
	if t.IsZero() || !t.Before(firstTime) && !t.After(lastTime) {
		return nil
	}
	return fmt.Errorf("exchange: %s %s is not from %s to %s", name, t.UTC().Format(time.RFC3339),
		firstTime.Format(time.DateOnly), lastTime.Format(time.DateOnly))
}

// nanoseconds is a time as the market has it; 0 is none.
func nanoseconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

// What a new maintenance is when the body does not say.
const (
	usualMaintenance = time.Hour
	usualType        = int64(bybit.MaintenancePlanned)
	usualEnv         = int64(bybit.ServiceProduction)
)

// The codes that a maintenance can have.
const (
	typeWords = "1 (planned), 2 (temporary) or 3 (incident)"
	envWords  = "1 (production) or 2 (demo)"
)

func maintenanceFields() []string {
	return []string{"id", "title", "state", "begin", "for", "href", "serviceTypes", "products", "maintainType", "env"}
}

// controlMaintenance announces a maintenance, or changes in the one that the body names what the body names.
func controlMaintenance(x *Exchange, r *http.Request, body []byte) (any, error) {
	var q struct {
		ID, Title, State, Href *string
		Begin                  *time.Time
		For                    span
		ServiceTypes, Products *[]int64
		MaintainType, Env      *int64
	}
	codes := "a list of the venue's codes, such as [1,2]"
	if err := fill(body, &q, map[string]string{
		"id": "a text", "title": "a text", "state": "scheduled, ongoing, completed or canceled", "href": "a text", "begin": `a time, such as "2026-01-01T08:00:00Z"`,
		"serviceTypes": codes, "products": codes, "maintainType": typeWords, "env": envWords,
	}); err != nil {
		return nil, err
	}
	if q.For.set && q.For.Duration <= 0 {
		return nil, wrong("for %s: a duration above 0", q.For)
	}
	if q.Begin != nil {
		if q.Begin.IsZero() || within("begin", *q.Begin) != nil {
			return nil, wrong("begin %s is not from %s to %s", q.Begin.UTC().Format(time.RFC3339), firstTime.Format(time.DateOnly), lastTime.Format(time.DateOnly))
		}
	}
	if n := q.MaintainType; n != nil && (*n < 1 || *n > int64(bybit.MaintenanceIncident)) {
		return nil, wrong("maintainType: %s, not %d", typeWords, *n)
	}
	if n := q.Env; n != nil && (*n < 1 || *n > int64(bybit.ServiceDemo)) {
		return nil, wrong("env: %s, not %d", envWords, *n)
	}
	reply := struct {
		moment
		ID string `json:"id"`
	}{}
	var err error
	reply.ID, err = x.maintain(r.Context(), func(c *core.Core) (*bybit.Maintenance, error) {
		now := time.Unix(0, c.Now()).UTC()
		m := &bybit.Maintenance{Begin: now, End: now.Add(usualMaintenance), MaintainType: usualType, Env: usualEnv}
		fresh := true
		if q.ID != nil {
			m.ID = *q.ID
			if old, ok := announced(c, m.ID); ok {
				m, fresh = old, false
			}
		}
		for field, value := range map[*string]*string{&m.Title: q.Title, &m.State: q.State, &m.Href: q.Href} {
			if value != nil {
				*field = *value
			}
		}
		for field, value := range map[*int64]*int64{&m.MaintainType: q.MaintainType, &m.Env: q.Env} {
			if value != nil {
				*field = *value
			}
		}
		for field, value := range map[*[]int64]*[]int64{&m.ServiceTypes: q.ServiceTypes, &m.Products: q.Products} {
			if value != nil {
				*field = *value
			}
		}
		if q.Begin != nil {
			if !m.Begin.IsZero() && !m.End.IsZero() { // it takes as long as before
				m.End = q.Begin.Add(m.End.Sub(m.Begin))
			}
			m.Begin = *q.Begin
		}
		if q.For.set {
			if m.Begin.IsZero() {
				m.Begin = now
			}
			m.End = m.Begin.Add(q.For.Duration)
		}
		if within("for", m.End) != nil {
			return nil, wrong("for %s: it would end at %s, after %s", m.End.Sub(m.Begin), m.End.UTC().Format(time.RFC3339), lastTime.Format(time.DateOnly))
		}
		if fresh && q.State == nil {
			m.State = string(bybit.MaintenanceScheduled)
			if !m.Begin.After(now) && m.End.After(now) {
				m.State = string(bybit.MaintenanceOngoing)
			}
		}
		return m, nil
	})
	if errors.Is(err, feed.ErrNotice) {
		err = wrong("%s", strings.TrimPrefix(err.Error(), "core: "))
	}
	reply.moment = x.moment()
	return reply, err
}

// announced finds what was announced under an id.
func announced(c *core.Core, id string) (*bybit.Maintenance, bool) {
	list := c.Feed().Maintenance()
	i := slices.IndexFunc(list, func(n bybit.MaintenanceNotice) bool { return n.ID == id })
	if i < 0 {
		return nil, false
	}
	n := &list[i]
	m := &bybit.Maintenance{
		ID: n.ID, Title: n.Title, State: string(n.State), Begin: n.Begin, End: n.End, Href: n.Href,
		MaintainType: int64(n.MaintainType), Env: int64(n.Env),
	}
	for _, t := range n.ServiceTypes {
		m.ServiceTypes = append(m.ServiceTypes, int64(t))
	}
	for _, p := range n.Products {
		m.Products = append(m.Products, int64(p))
	}
	return m, true
}
