package exchange

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/core"
	"github.com/bywire/bywire/exchange/internal/feed"
)

// Maintain announces a maintenance or an incident, or changes the one with its ID, and returns the ID; "" is given one.
// The topic system.status and GET /v5/system/status show it, and nothing else comes of it: the market goes on.
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
	usualType        = 1 // planned
	usualEnv         = 1 // production
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
		"serviceTypes": codes, "products": codes, "maintainType": "1 (planned), 2 (temporary) or 3 (incident)", "env": "1 (production) or 2 (demo)",
	}); err != nil {
		return nil, err
	}
	if q.For.set && q.For.Duration <= 0 {
		return nil, wrong("for %s: a duration above 0", q.For)
	}
	reply := struct {
		moment
		ID string `json:"id"`
	}{}
	var err error
	reply.ID, err = x.maintain(r.Context(), func(c *core.Core) (*bybit.Maintenance, error) {
		m := &bybit.Maintenance{
			State: string(bybit.MaintenanceScheduled), Begin: time.Unix(0, c.Now()).UTC(), MaintainType: usualType, Env: usualEnv,
		}
		lasts := usualMaintenance
		if q.ID != nil {
			m.ID = *q.ID
			if old, ok := announced(c, m.ID); ok {
				m, lasts = old, old.End.Sub(old.Begin)
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
			m.Begin = *q.Begin
		}
		if q.For.set {
			lasts = q.For.Duration
		}
		m.End = m.Begin.Add(lasts)
		return m, nil
	})
	if errors.Is(err, feed.ErrNotice) {
		err = wrong("%v", err)
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
