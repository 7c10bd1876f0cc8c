package bybit

import (
	"strconv"
	"time"
)

// Candles begin on a grid in UTC: those of minutes at midnight and every so many minutes
// from there, those of weeks on Monday, those of months on the first.

// floor returns the start of the candle that t lies in; false for an interval whose length
// is not known.
func (i Interval) floor(t time.Time) (time.Time, bool) {
	t = t.UTC()
	year, month, day := t.Date()
	midnight := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	switch i {
	case Interval1d:
		return midnight, true
	case Interval1w:
		return midnight.AddDate(0, 0, -int(t.Weekday()+6)%7), true
	case Interval1M:
		return time.Date(year, month, 1, 0, 0, 0, 0, time.UTC), true
	}
	minutes, err := strconv.Atoi(string(i))
	if err != nil || minutes <= 0 || minutes > 24*60 {
		return time.Time{}, false
	}
	length := time.Duration(minutes) * time.Minute
	return midnight.Add(t.Sub(midnight).Truncate(length)), true
}

// after returns the start of the candle that follows the one beginning at start, for an
// interval of which floor knows the length.
func (i Interval) after(start time.Time) time.Time {
	switch i {
	case Interval1d:
		return start.AddDate(0, 0, 1)
	case Interval1w:
		return start.AddDate(0, 0, 7)
	case Interval1M:
		return start.AddDate(0, 1, 0)
	}
	minutes, _ := strconv.Atoi(string(i)) // floor has looked
	return start.Add(time.Duration(minutes) * time.Minute)
}

// length returns how long a statistic's period is; false if it is not known.
func (p Period) length() (time.Duration, bool) {
	switch p {
	case Period5m:
		return 5 * time.Minute, true
	case Period15m:
		return 15 * time.Minute, true
	case Period30m:
		return 30 * time.Minute, true
	case Period1h:
		return time.Hour, true
	case Period4h:
		return 4 * time.Hour, true
	case Period1d:
		return 24 * time.Hour, true
	}
	return 0, false
}
