package wire

import "time"

// Limits is what one channel accepts in subscribe requests; zero means that the
// venue states no limit. V5 page ws/connect, "Public channel - Args limits".
type Limits struct {
	ArgsPerRequest    int // topics in one request
	ArgsPerConnection int // topics subscribed on one connection
	ArgsChars         int // characters of all topics subscribed on one connection
}

// Limits returns the channel's limits. Private and trade state none. A custom
// path gets those of the futures channels.
func (c Channel) Limits() Limits {
	switch c {
	case Private, Trade:
		return Limits{}
	case Spot:
		return Limits{ArgsPerRequest: 10, ArgsChars: maxArgsChars}
	case Option:
		return Limits{ArgsPerConnection: 2000, ArgsChars: maxArgsChars}
	}
	return Limits{ArgsChars: maxArgsChars}
}

// maxArgsChars is the venue's bound on the length of a connection's args. It is
// not said whether quotes and commas count; we count the topics' bytes alone.
const maxArgsChars = 21_000

// Times that the venue states for a connection.
const (
	PingInterval      = 20 * time.Second  // recommended spacing of pings
	IdleTimeout       = 10 * time.Minute  // a connection without ping and without stream data ends
	IdleCheckInterval = 30 * time.Second  // how often the venue looks for idle connections
	MinActiveTime     = 30 * time.Second  // least value of max_active_time
	MaxActiveTime     = 600 * time.Second // greatest value of max_active_time
)

// MaxReqIDLength bounds the reqId of the trade channel. The other channels state
// no bound.
const MaxReqIDLength = 36

// ParseActiveTime reads the value of the query parameter max_active_time of the
// private and trade channels: whole seconds or minutes such as "30s" or "1m",
// from MinActiveTime to MaxActiveTime. The second result is false for anything
// else.
func ParseActiveTime(s string) (time.Duration, bool) {
	if len(s) < 2 || len(s) > 5 {
		return 0, false
	}
	n := 0
	for i := range len(s) - 1 {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	var d time.Duration
	switch s[len(s)-1] {
	case 's':
		d = time.Duration(n) * time.Second
	case 'm':
		d = time.Duration(n) * time.Minute
	default:
		return 0, false
	}
	return d, d >= MinActiveTime && d <= MaxActiveTime
}
