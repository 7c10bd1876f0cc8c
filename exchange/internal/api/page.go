package api

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/catalog"
)

// Cursors look as the venue's do: a small query of its own, escaped once, so that it can be put into a URL as it is.
//
//	first%3DBTCUSDT%26last%3DETHUSDT         instruments-info, risk-limit: names (docs)
//	first%3D100008%26last%3D100010           spread/instrument: numbers (docs)
//	lastid%3D0%26lasttime%3D1696258800       open-interest, account-ratio: seconds (docs)
//
// Clients escape them once more, or not: both are understood.

// cursorFields reads a cursor; false if it is none of ours.
func cursorFields(cursor string) (url.Values, bool) {
	for range 3 {
		if !strings.Contains(cursor, "%") {
			break
		}
		plain, err := url.PathUnescape(cursor)
		if err != nil {
			return nil, false
		}
		cursor = plain
	}
	fields, err := url.ParseQuery(cursor)
	return fields, err == nil
}

func cursorOf(first, last string) string {
	return url.QueryEscape("first=" + first + "&last=" + last)
}

// cursorOfTime is the cursor of a list by time, newest first, whose last row on the page is of this moment.
func cursorOfTime(at int64) string {
	return url.QueryEscape("lastid=0&lasttime=" + strconv.FormatInt(at/int64(1e9), 10))
}

// before is the last moment of the rows that follow a cursor of time.
func before(cursor bybit.Opt[string]) (to int64, refused *Refusal) {
	text, ok := cursor.Get()
	if !ok || text == "" {
		return always.to, nil
	}
	fields, ok := cursorFields(text)
	if !ok {
		return 0, refuse(wrongCursor)
	}
	seconds, err := strconv.ParseInt(fields.Get("lasttime"), 10, 64)
	if err != nil || seconds <= 0 || seconds > always.to/int64(1e9) {
		return 0, refuse(wrongCursor)
	}
	return seconds*1e9 - 1, nil
}

// pageOf returns the page of instruments that begins behind the cursor, and the cursor of the next one. name is how the
// cursor calls an instrument.
func pageOf(list []*catalog.Instrument, cursor bybit.Opt[string], n int, name func(*catalog.Instrument) string) ([]*catalog.Instrument, string, *Refusal) {
	if text, ok := cursor.Get(); ok && text != "" {
		fields, ok := cursorFields(text)
		last := fields.Get("last")
		at := slices.IndexFunc(list, func(in *catalog.Instrument) bool { return name(in) == last })
		if !ok || at < 0 {
			return nil, "", refuse(wrongCursor)
		}
		list = list[at+1:]
	}
	if len(list) <= n {
		return list, "", nil
	}
	page := list[:n]
	return page, cursorOf(name(page[0]), name(page[n-1])), nil
}

// Names of instruments in cursors.
func symbolOf(in *catalog.Instrument) string { return in.Symbol }
func numberOf(in *catalog.Instrument) string { return strconv.Itoa(100_000 + int(in.ID)) }
