package bybit

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"time"
)

// walk goes through the rows of an endpoint that answers with the newest of a span, oldest
// row first. Spans are told with both ends. That the last one is part of them the V5 pages show
// for candles only, so nothing depends on it but a row at the very end of what is asked for. Rows
// have a time each, no two the same.
type walk[T any] struct {
	op       string
	from, to time.Time     // to zero: the present
	limit    int           // rows of a page
	length   time.Duration // of a window that should bring a page
	at       func(*T) time.Time
	next     func(time.Time) time.Time        // where the row behind one stands, for rows on a grid; nil: they may stand anywhere
	closed   func(row *T, now time.Time) bool // nil: every row is
	get      func(ctx context.Context, from, to time.Time) (rows []T, now time.Time, err error)
}

// longestWindow is how far windows grow: an answer for longer ones is recorded nowhere.
const longestWindow = 366 * 24 * time.Hour

var errBounds = errors.New("the reply has rows outside of the times that were asked for")

// rows yields them. It asks for a window of time after the other, and within a window for
// page after page, from its newest row back. A window that brings few rows is doubled, so that years
// without any take a few requests; one that has grown and then brings more than a page is given up
// for one of the first length. So what is held is what a window of the first length has.
func (w *walk[T]) rows(ctx context.Context) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		if err := w.each(ctx, func(row T) bool { return yield(row, nil) }); err != nil {
			var none T
			yield(none, err)
		}
	}
}

// each hands the rows to take, until it returns false.
func (w *walk[T]) each(ctx context.Context, take func(T) bool) error {
	from, to, err := w.span()
	if err != nil {
		return err
	}
	first := max(w.length.Truncate(time.Millisecond), time.Millisecond) // as all times here
	length := first
	var last time.Time // of the rows that were taken
	present := time.Now()
	for {
		end := from.Add(length)
		// Not far into the future. The day is room for a clock of this machine that is wrong.
		if ahead := present.Add(24 * time.Hour).Truncate(time.Millisecond); end.After(ahead) && ahead.After(from) {
			end = ahead
		}
		if !to.IsZero() && end.After(to) {
			end = to
		}
		rows, more, now, err := w.page(ctx, from, end)
		if err != nil {
			return err
		}
		if more && length > first {
			length = first
			continue
		}
		for more || w.lacks(rows, from, last) {
			var older []T
			if older, more, _, err = w.page(ctx, from, w.at(&rows[0]).Add(-time.Millisecond)); err != nil {
				return err
			}
			if len(older) == 0 {
				break
			}
			rows = append(older, rows...)
		}
		for i := range rows {
			at := w.at(&rows[i])
			if !last.IsZero() && !at.After(last) {
				continue
			}
			if w.closed != nil && !w.closed(&rows[i], now) {
				return nil // nothing that is closed can follow
			}
			last = at
			if !take(rows[i]) {
				return nil
			}
		}
		if end.After(now) || end.Equal(to) {
			return nil
		}
		present = now
		if 2*len(rows) < w.limit {
			length = max(length, min(2*length, longestWindow))
		}
		from = end // again, in case that ends do not count: a row that was there is known
	}
}

// lacks reports whether rows on a grid begin later than they might. A page may be shorter
// than was asked for although there are older rows, if the venue's longest page is; and if there are
// none, because trading stood still or had not begun, that costs a request.
func (w *walk[T]) lacks(rows []T, from, last time.Time) bool {
	if w.next == nil || len(rows) == 0 {
		return false
	}
	if last.Before(from) {
		last = from.Add(-time.Millisecond)
	}
	return w.at(&rows[0]).After(w.next(last))
}

// span checks the span. The venue counts in milliseconds.
func (w *walk[T]) span() (from, to time.Time, err error) {
	if w.from.IsZero() {
		return from, to, fmt.Errorf("%s: the span has no start", w.op)
	}
	if !w.to.IsZero() && w.to.Before(w.from) {
		return from, to, fmt.Errorf("%s: the span ends (%s) before it starts (%s)", w.op, w.to.Format(time.RFC3339), w.from.Format(time.RFC3339))
	}
	from = w.from.Truncate(time.Millisecond)
	if from.Before(w.from) {
		from = from.Add(time.Millisecond)
	}
	return from, w.to.Truncate(time.Millisecond), nil
}

// page asks for the rows of a window. full says that older ones may have been left out;
// there is a row then.
func (w *walk[T]) page(ctx context.Context, from, to time.Time) (rows []T, full bool, now time.Time, err error) {
	rows, now, err = w.get(ctx, from, to)
	if err != nil {
		return nil, false, now, err
	}
	full = len(rows) >= w.limit
	rows = slices.DeleteFunc(rows, func(row T) bool {
		at := w.at(&row)
		return at.Before(from) || at.After(to)
	})
	slices.SortStableFunc(rows, func(a, b T) int { return w.at(&a).Compare(w.at(&b)) })
	rows = slices.CompactFunc(rows, func(a, b T) bool { return w.at(&a).Equal(w.at(&b)) })
	if full && len(rows) == 0 {
		return nil, false, now, fmt.Errorf("%s: %w", w.op, errBounds)
	}
	return rows, full && w.at(&rows[0]).After(from), now, nil
}

// historyPage makes a call and returns the venue's time with the result, which says up to
// when it is true. A reply that does not tell is as of the call's begin, by what the client knows of
// the venue's clock.
func historyPage[R any, P interface {
	*R
	jsonDecoder
}](ctx context.Context, c *Client, path string, params any) (result R, now time.Time, err error) {
	began := time.Now()
	var reply Reply
	if err := c.Call(ctx, http.MethodGet, path, params, &reply); err != nil {
		return result, now, err
	}
	if now = reply.Time; now.IsZero() {
		c.rest.clock.start(ctx, time.Time{})
		now = began.Add(c.rest.clock.state().Offset)
	}
	if len(reply.Result) > 0 {
		if err := P(&result).Decode(reply.Result); err != nil {
			return result, now, named(endpointOf(http.MethodGet, path), err)
		}
	}
	return result, now, nil
}
