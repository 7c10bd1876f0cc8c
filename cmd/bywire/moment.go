package main

import (
	"strconv"
	"strings"
	"time"
)

// momentForms says how times are written on the command line, momentHelp how where there is a recording.
const (
	momentForms = "2026-01-31, 2026-01-31T12:00, with seconds or a zone too (else UTC), a Unix time in s or ms"
	momentHelp  = momentForms + ", or +90s after the first record"
)

// parseMoment reads a time as people write it. first is what "+90s" counts from.
// Empty is the zero time.
func parseMoment(flag, s string, first time.Time) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if offset, ok := strings.CutPrefix(s, "+"); ok {
		if d, err := time.ParseDuration(offset); err == nil && d >= 0 {
			return first.Add(d), nil
		}
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04", "2006-01-02 15:04:05.999999999", "2006-01-02 15:04", "2006-01-02T15:04Z07:00", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && n >= 0 {
		if n < 1e11 {
			return time.Unix(n, 0).UTC(), nil
		}
		if n < 1e14 {
			return time.UnixMilli(n).UTC(), nil
		}
	}
	return time.Time{}, usageError("--%s %s: no time; write %s", flag, s, momentHelp)
}

// stamp is a time for people to read and programs to sort: RFC 3339 in UTC with
// milliseconds; "-" for none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

// appendTime appends a time as RFC 3339 in UTC with nanoseconds, quoted; null
// for the zero time. It is written out because a stream prints one or two of
// them per event.
func appendTime(dst []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(dst, "null"...)
	}
	t = t.UTC()
	year, month, day := t.Date()
	if year < 1000 || year > 9999 {
		return append(t.AppendFormat(append(dst, '"'), time.RFC3339Nano), '"')
	}
	hour, minute, second := t.Clock()
	dst = append(dst, '"')
	dst = appendDigits(dst, year, 4)
	dst = appendDigits(append(dst, '-'), int(month), 2)
	dst = appendDigits(append(dst, '-'), day, 2)
	dst = appendDigits(append(dst, 'T'), hour, 2)
	dst = appendDigits(append(dst, ':'), minute, 2)
	dst = appendDigits(append(dst, ':'), second, 2)
	dst = appendDigits(append(dst, '.'), t.Nanosecond(), 9)
	return append(dst, 'Z', '"')
}

// appendDigits appends a number with zeros in front.
func appendDigits(dst []byte, n, width int) []byte {
	at := len(dst)
	for range width {
		dst = append(dst, '0')
	}
	for i := at + width - 1; i >= at; i-- {
		dst[i] = byte('0' + n%10)
		n /= 10
	}
	return dst
}

// appendClock appends the time of day in UTC with milliseconds: 12:04:05.678.
func appendClock(dst []byte, t time.Time) []byte {
	t = t.UTC()
	hour, minute, second := t.Clock()
	dst = appendDigits(dst, hour, 2)
	dst = appendDigits(append(dst, ':'), minute, 2)
	dst = appendDigits(append(dst, ':'), second, 2)
	return appendDigits(append(dst, '.'), t.Nanosecond()/1e6, 3)
}
