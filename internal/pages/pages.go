// Package pages iterates over the rows of a method that answers in pages.
//
// The iterator owns the cursor: it puts what came with one page into the params of
// the next, unchanged, until there is none. The caller's params are copied. An error is yielded
// once, last, with the zero row.
package pages

import (
	"context"
	"fmt"
	"iter"
	"reflect"
)

// ByCursor returns the rows of pages that are linked by cursors. get is the
// method; turn puts a cursor into the params, and page returns the rows of a result with the
// cursor of what follows: "" or, as some endpoints write it, "0" if nothing does. Params that have a
// cursor already begin there. A page without rows is not the end: a filter may have left none of it.
//
// The last page may repeat a cursor. Where a page that is as long as the longest does, rows may
// follow that nobody gets to: that is an error.
func ByCursor[P, R, T any](ctx context.Context, params *P, get func(context.Context, *P) (*R, error), turn func(*P, string), page func(*R) ([]T, string)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		p := Copy(params)
		seen := make(map[string]bool)
		longest := 1
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
			if next == "" || next == "0" {
				return
			}
			if seen[next] {
				if len(rows) >= longest {
					var none T
					yield(none, fmt.Errorf("the cursor %q comes again after a full page: there may be more rows", next))
				}
				return
			}
			seen[next] = true
			longest = max(longest, len(rows))
			turn(p, next)
		}
	}
}

// ByPage returns the rows of pages that are numbered from 1, until one has no rows, or the
// same as the one before it: there are servers that repeat the last. first returns the number that
// is in the params, which is where it begins if that is 1 or more.
func ByPage[P, R, T any, N int | int64](ctx context.Context, params *P, get func(context.Context, *P) (*R, error), first func(*P) N, turn func(*P, N), page func(*R) []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		p := Copy(params)
		var last []T
		for n := max(first(p), 1); ; n++ {
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

// Copy returns params that may be changed; nil is empty ones.
func Copy[P any](params *P) *P {
	p := new(P)
	if params != nil {
		*p = *params
	}
	return p
}
