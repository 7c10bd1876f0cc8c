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
