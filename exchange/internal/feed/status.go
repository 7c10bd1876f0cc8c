package feed

import (
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/state"
)

// maxNotices is how many maintenances and incidents are remembered; of more the oldest go.
const maxNotices = 100

// Notice is a maintenance or an incident that somebody has announced. Its numbers are the venue's codes, see
// bybit.Maintenance.
type Notice struct {
	ID           string // that of an earlier notice changes it; "" makes a new one
	Title        string
	State        string // "scheduled", "ongoing", "completed", "canceled"
	Begin, End   int64
	Href         string
	ServiceTypes []int64
	Products     []int64
	UIDSuffixes  []int64
	MaintainType int64
	Env          int64
}

// The bounds of a notice, so that those kept have one too (choice).
const (
	maxNoticeText  = 1000 // bytes of each of its texts
	maxNoticeCodes = 100  // of each of its lists
)

// ErrNotice is in the error of a notice that says nothing.
var ErrNotice = errors.New("no maintenance")

// check says what is wrong with a notice.
func (n *Notice) check() error {
	switch bybit.MaintenanceState(n.State) {
	case bybit.MaintenanceScheduled, bybit.MaintenanceOngoing, bybit.MaintenanceCompleted, bybit.MaintenanceCancelled:
	default:
		return fmt.Errorf("%w: its state is one of scheduled, ongoing, completed, canceled, not %.40q", ErrNotice, n.State)
	}
	for _, text := range []string{n.ID, n.Title, n.Href} {
		if len(text) > maxNoticeText || !utf8.ValidString(text) {
			return fmt.Errorf("%w: a text of more than %d bytes, or not UTF-8", ErrNotice, maxNoticeText)
		}
	}
	if n.Title == "" {
		return fmt.Errorf("%w: it has no title", ErrNotice)
	}
	for _, list := range [][]int64{n.ServiceTypes, n.Products, n.UIDSuffixes} {
		if len(list) > maxNoticeCodes {
			return fmt.Errorf("%w: %d codes, at most %d", ErrNotice, len(list), maxNoticeCodes)
		}
	}
	if n.MaintainType < 0 || n.MaintainType > int64(bybit.MaintenanceIncident) {
		return fmt.Errorf("%w: its maintainType is one of 1, 2, 3, or 0 for none, not %d", ErrNotice, n.MaintainType)
	}
	if n.Env < 0 || n.Env > int64(bybit.ServiceDemo) {
		return fmt.Errorf("%w: its env is one of 1, 2, or 0 for none, not %d", ErrNotice, n.Env)
	}
	if n.Begin < 0 || n.End < 0 {
		return fmt.Errorf("%w: it begins or ends before 1970", ErrNotice)
	}
	if n.End != 0 && n.End < n.Begin {
		return fmt.Errorf("%w: it ends before it begins", ErrNotice)
	}
	return nil
}

// Maintain announces a maintenance, or changes one, and pushes it. It returns its id. There are none but those:
// nothing in the generated market needs maintenance. An error says that nothing has happened.
func (f *Feed) Maintain(now int64, n Notice) (id string, err error) {
	f.now = now
	if err := n.check(); err != nil {
		return "", err
	}
	for _, list := range []*[]int64{&n.ServiceTypes, &n.Products, &n.UIDSuffixes} {
		*list = slices.Clone(*list)
	}
	if n.ID == "" {
		f.noticed++
		t := trade{n: f.noticed}
		n.ID = string(execID(nil, &t, false))
	}
	if i := slices.IndexFunc(f.notices, func(old Notice) bool { return old.ID == n.ID }); i >= 0 {
		f.notices[i] = n
	} else {
		if len(f.notices) == maxNotices {
			f.notices = slices.Delete(f.notices, 0, 1)
		}
		f.notices = append(f.notices, n)
	}
	if f.sink.Wanted(f.status) {
		f.publish(f.status, &bybit.SystemStatusMessage{
			Topic: f.status.msg, Time: clock(now), Maintenances: []bybit.Maintenance{n.message()},
		}, false)
	}
	return n.ID, nil
}

// message is a notice as it is pushed.
func (n *Notice) message() bybit.Maintenance {
	return bybit.Maintenance{
		ID: n.ID, Title: n.Title, State: n.State, Href: n.Href, MaintainType: n.MaintainType, Env: n.Env,
		Begin: clockOrNone(n.Begin), End: clockOrNone(n.End),
		ServiceTypes: n.ServiceTypes, Products: n.Products, UIDSuffixes: n.UIDSuffixes,
	}
}

// notice is a notice as REST shows it.
func (n *Notice) notice() bybit.MaintenanceNotice {
	v := bybit.MaintenanceNotice{
		ID: n.ID, Title: n.Title, State: bybit.MaintenanceState(n.State), Href: n.Href,
		Begin: clockOrNone(n.Begin), End: clockOrNone(n.End),
	}
	for _, t := range n.ServiceTypes {
		v.ServiceTypes = append(v.ServiceTypes, bybit.ServiceType(t))
	}
	for _, p := range n.Products {
		v.Products = append(v.Products, bybit.ServiceProduct(p))
	}
	v.UIDSuffixes = append(v.UIDSuffixes, n.UIDSuffixes...)
	v.MaintainType, v.Env = bybit.MaintenanceType(n.MaintainType), bybit.ServiceEnv(n.Env)
	return v
}

// clockOrNone is a time, the zero time for 0.
func clockOrNone(at int64) time.Time {
	if at == 0 {
		return time.Time{}
	}
	return clock(at)
}

func (n *Notice) walk(w *state.Walker) {
	w.String(&n.ID)
	w.String(&n.Title)
	w.String(&n.State)
	w.Int64(&n.Begin)
	w.Int64(&n.End)
	w.String(&n.Href)
	for _, list := range []*[]int64{&n.ServiceTypes, &n.Products, &n.UIDSuffixes} {
		state.Slice(w, list, (*state.Walker).Int64)
	}
	w.Int64(&n.MaintainType)
	w.Int64(&n.Env)
}
