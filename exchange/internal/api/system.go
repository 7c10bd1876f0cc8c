package api

import (
	"time"

	"github.com/bywire/bywire/bybit"
)

// serverTime answers /v5/market/time, and /v3/public/time, which old clients still ask.
func serverTime(v *view) (result, *Refusal) {
	now := time.Unix(0, v.now)
	return &bybit.ServerTimeResult{TimeSecond: now.Truncate(time.Second), TimeNano: now}, nil
}

// systemStatus answers system/status.
func systemStatus(v *view) (result, *Refusal) {
	var p bybit.PlatformSystemStatusParams
	if refused := v.decode(&p); refused != nil {
		return nil, refused
	}
	switch p.State {
	case "", bybit.MaintenanceScheduled, bybit.MaintenanceOngoing, bybit.MaintenanceCompleted, bybit.MaintenanceCancelled:
	default:
		return nil, refuse(wrongRequest)
	}
	r := &bybit.PlatformSystemStatusResult{List: []bybit.MaintenanceNotice{}}
	for _, n := range v.Feed().Maintenance() {
		if p.ID.Or(n.ID) == n.ID && (p.State == "" || p.State == n.State) {
			r.List = append(r.List, n)
		}
	}
	return r, nil
}
