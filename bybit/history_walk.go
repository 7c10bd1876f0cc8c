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
// row first. Spans are told with both ends, which count as part of it; rows have a time each,
// no two the same.
type walk[T any] struct {
	op       string
	from, to time.Time     // to zero: the present
	limit    int64         // rows of a page
	length   time.Duration // of the first window: what should bring a page
	at       func(*T) time.Time
	closed   func(row *T, now time.Time) bool // nil: every row is
	get      func(ctx context.Context, from, to time.Time) (rows []T, now time.Time, err error)
}

// longestWindow bounds how much of a span without rows is asked for at once.
const longestWindow = 50 * 365 * 24 * time.Hour

var errBounds = errors.New("the reply has rows outside of the times that were asked for")

// rows yields them. It asks for a window of time after the other. A window that was too
// long, so that the reply left out its oldest rows, is halved; one that brings few rows is
// doubled, so that years without any take a few requests. At most two pages are held.
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
	length := max(w.length.Truncate(time.Millisecond), time.Millisecond) // as all times here
	// Since the last row: rows are near, longer windows would only be halved again.
	halved := false
	for to.IsZero() || !from.After(to) {
		end := from.Add(length)
		if !to.IsZero() && end.After(to) {
			end = to
		}
		pages, now, complete, err := w.window(ctx, from, end)
		if err != nil {
			return err
		}
		if !complete {
			if length = (end.Sub(from) / 2).Truncate(time.Millisecond); length == 0 {
				return fmt.Errorf("%s: %w", w.op, errBounds)
			}
			halved = true
			continue
		}
		n := int64(0)
		for _, page := range pages {
			for i := range page {
				if w.closed != nil && !w.closed(&page[i], now) {
					return nil // nothing that is closed can follow
				}
				n++
				if !take(page[i]) {
					return nil
				}
			}
		}
		if n > 0 {
			halved = false
		}
		if 2*n < w.limit && !halved {
			length = min(2*length, longestWindow)
		}
		if end.After(now) {
			return nil
		}
		from = end.Add(time.Millisecond)
	}
	return nil
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

// window returns the rows of a window in one or two pages, oldest first; complete is false
// if there are more than that. now is the venue's time before which there was nothing else.
func (w *walk[T]) window(ctx context.Context, from, to time.Time) (pages [2][]T, now time.Time, complete bool, err error) {
	newer, full, now, err := w.page(ctx, from, to)
	if err != nil {
		return pages, now, false, err
	}
	pages[1] = newer
	if !full {
		return pages, now, true, nil
	}
	older, full, _, err := w.page(ctx, from, w.at(&newer[0]).Add(-time.Millisecond))
	pages[0] = older
	return pages, now, !full, err
}

// page asks for the rows of a window. full says that older ones may have been left out;
// there is a row then.
func (w *walk[T]) page(ctx context.Context, from, to time.Time) (rows []T, full bool, now time.Time, err error) {
	rows, now, err = w.get(ctx, from, to)
	if err != nil {
		return nil, false, now, err
	}
	if now.IsZero() {
		now = time.Now()
	}
	full = int64(len(rows)) >= w.limit
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
// when it is true.
func historyPage[R any, P interface {
	*R
	jsonDecoder
}](ctx context.Context, c *Client, path string, params any) (*R, time.Time, error) {
	var reply Reply
	if err := c.Call(ctx, http.MethodGet, path, params, &reply); err != nil {
		return nil, time.Time{}, err
	}
	r := new(R)
	if len(reply.Result) > 0 {
		if err := P(r).Decode(reply.Result); err != nil {
			return nil, time.Time{}, named(endpointOf(http.MethodGet, path), err)
		}
	}
	return r, reply.Time, nil
}
