// Package pages iterates over the rows of a method that answers in pages.
//
// The iterator owns the cursor: it puts what came with one page into the params of
// the next, unchanged, until there is none, or one that was there before. The caller's
// params are copied. An error is yielded once, last, with the zero row.
package pages

import (
	"context"
	"iter"
	"reflect"
)

// ByCursor returns the rows of pages that are linked by cursors. get is the
// method; turn puts a cursor into the params, and page returns the rows of a result with the
// cursor of what follows. Params that have a cursor already begin there. A page
// without rows is not the end: a filter may have left none of it.
func ByCursor[P, R, T any](ctx context.Context, params *P, get func(context.Context, *P) (*R, error), turn func(*P, string), page func(*R) ([]T, string)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		p := copyOf(params)
		seen := make(map[string]bool)
		for {
			r, err := get(ctx, p)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			rows, next := page(r)
			for i := range rows {
				if !yield(rows[i], nil) {
					return
				}
			}
			if next == "" || seen[next] {
				return
			}
			seen[next] = true
			turn(p, next)
		}
	}
}

// ByPage returns the rows of pages that are numbered, from the page first on until one
// has no rows, or the same as the one before it: there are servers that repeat the last.
func ByPage[P, R, T any](ctx context.Context, params *P, first int64, get func(context.Context, *P) (*R, error), turn func(*P, int64), page func(*R) []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		p := copyOf(params)
		var last []T
		for n := first; ; n++ {
			turn(p, n)
			r, err := get(ctx, p)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			rows := page(r)
			if len(rows) == 0 || reflect.DeepEqual(rows, last) {
				return
			}
			for i := range rows {
				if !yield(rows[i], nil) {
					return
				}
			}
			last = rows
		}
	}
}

// copyOf returns params that the iterator may change.
func copyOf[P any](params *P) *P {
	p := new(P)
	if params != nil {
		*p = *params
	}
	return p
}
