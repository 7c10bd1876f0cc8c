package past

import (
	"time"

	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/fixed"
)

// Interval is a length of bars.
type Interval uint8

// The intervals, shortest first; MN1 is a calendar month.
const (
	M1 Interval = iota
	M3
	M5
	M15
	M30
	H1
	H2
	H4
	H6
	H12
	D1
	W1
	MN1
	Intervals = int(iota) // how many there are
)

const (
	minute = catalog.Minute
	hour   = catalog.Hour
	day    = catalog.Day
	week   = 7 * day
)

// lengths are those of all intervals but the month.
var lengths = [Intervals]int64{
	minute, 3 * minute, 5 * minute, 15 * minute, 30 * minute, hour, 2 * hour, 4 * hour, 6 * hour, 12 * hour, day, week, 0,
}

// names are as the interface spells them: minutes, or D, W, M.
var names = [Intervals]string{"1", "3", "5", "15", "30", "60", "120", "240", "360", "720", "D", "W", "M"}

// ParseInterval returns the interval that a request names; false if there is none of that name.
func ParseInterval[T ~string](name T) (Interval, bool) {
	for i, n := range names {
		if string(name) == n {
			return Interval(i), true
		}
	}
	return 0, false
}

// String returns the name that requests use.
func (i Interval) String() string { return names[i] }

// Start returns when the bar began that at falls into. Weeks begin on Mondays, months on the first, all at midnight UTC.
func (i Interval) Start(at int64) int64 {
	switch i {
	case MN1:
		t := time.Unix(0, at).UTC()
		return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC).UnixNano()
	case W1:
		return fixed.Floor(at+3*day, week) - 3*day // 1970 began on a Thursday
	}
	return fixed.Floor(at, lengths[i])
}

// End returns when the bar ends that began at start.
func (i Interval) End(start int64) int64 {
	if i == MN1 {
		return i.Start(start + 32*day)
	}
	return start + lengths[i]
}

// ceil returns the smallest multiple of step that is not below at.
func ceil(at, step int64) int64 { return -fixed.Floor(-at, step) }

// level is what the bars of an interval are sums of.
type level uint8

const (
	minutes level = iota
	hours
	days
	levels = iota
)

// of says which level's bars make up those of an interval.
func (i Interval) of() level {
	switch {
	case i >= D1:
		return days
	case i >= H1:
		return hours
	}
	return minutes
}

// base is the interval of a level's own bars.
func (l level) base() Interval { return [levels]Interval{M1, H1, D1}[l] }
