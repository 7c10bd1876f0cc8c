package api

import (
	"math"
	"slices"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/catalog"
)

// This file has the checks that endpoints share. Each is made once; the text of its refusal differs by endpoint, since
// several services stand behind the venue's paths.

// rules say which texts the service behind an endpoint has.
type rules struct {
	category string // refusal of a missing or unknown category, or one that the endpoint does not take
	symbol   string // refusal of a missing or unknown symbol; on spot always wrongSpotSymbol
}

// The services. A text that is used beyond the endpoints where it was seen is a choice.
var (
	candleRules = rules{category: wrongCategory, symbol: wrongSymbol}
	marketRules = rules{category: illegalCategory, symbol: wrongSymbol}
)

// inCategory returns the category, or what stands for a missing one, if it is one of those allowed. Without a default
// the endpoint requires it.
func (r rules) inCategory(c, otherwise bybit.Category, allowed ...bybit.Category) (bybit.Category, *Refusal) {
	if c == "" {
		c = otherwise
	}
	if !slices.Contains(allowed, c) {
		return "", refuse(r.category)
	}
	return c, nil
}

// instrument finds a listed instrument by its name, which is required.
func (v *view) instrument(r rules, c bybit.Category, symbol string) (*catalog.Instrument, *Refusal) {
	in, ok := v.Catalog().Find(c, symbol)
	switch {
	case ok:
		return in, nil
	case c == bybit.Spot:
		return nil, refuse(wrongSpotSymbol)
	}
	return nil, refuse(r.symbol)
}

// inLimit returns how many rows are asked for. More than the most is the most (seen on lists of 200); less than one is
// refused (choice).
func inLimit(asked bybit.Opt[int], otherwise, most int) (int, *Refusal) {
	n := asked.Or(otherwise)
	if n < 1 {
		return 0, refuse(wrongLimit)
	}
	return min(n, most), nil
}

// span is a span of time in nanoseconds, both ends included.
type span struct{ from, to int64 }

// always is the span without ends.
var always = span{from: math.MinInt64, to: math.MaxInt64}

// inSpan returns the span between two parameters, either of which may be missing. One that ends before it begins is
// refused (choice; the text was seen for another mistake with these parameters).
func inSpan(from, to bybit.Opt[time.Time]) (span, *Refusal) {
	s := always
	if t, ok := from.Get(); ok {
		s.from = nanoseconds(t)
	}
	if t, ok := to.Get(); ok {
		s.to = nanoseconds(t)
	}
	if s.from > s.to {
		return span{}, refuse(wrongTime)
	}
	return s, nil
}

// nanoseconds is a time since 1970, or the end of the scale that it lies beyond.
func nanoseconds(t time.Time) int64 {
	switch ms := t.UnixMilli(); {
	case ms > math.MaxInt64/int64(time.Millisecond):
		return math.MaxInt64
	case ms < math.MinInt64/int64(time.Millisecond):
		return math.MinInt64
	}
	return t.UnixNano()
}

// timeOf is the moment of a virtual time as a result has it: absent for 0.
func timeOf(at int64) time.Time {
	if at == 0 {
		return time.Time{}
	}
	return time.Unix(0, at).UTC()
}
