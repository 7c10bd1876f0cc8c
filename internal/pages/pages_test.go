package pages_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"

	"github.com/bywire/bywire/internal/pages"
)

type params struct {
	cursor string
	page   int64
}

type result struct {
	rows []int
	next string
}

// collect returns rows and the error, and fails if anything follows an error.
func collect(t *testing.T, seq iter.Seq2[int, error]) (rows []int, err error) {
	t.Helper()
	for row, e := range seq {
		if err != nil {
			t.Fatal("something follows the error")
		}
		if e != nil {
			err = e
			continue
		}
		rows = append(rows, row)
	}
	return rows, err
}

func byCursor(t *testing.T, p *params, answers map[string]*result) (iter.Seq2[int, error], *[]string) {
	var asked []string
	return pages.ByCursor(t.Context(), p,
		func(_ context.Context, p *params) (*result, error) {
			asked = append(asked, p.cursor)
			if r := answers[p.cursor]; r != nil {
				return r, nil
			}
			return nil, fmt.Errorf("no page %q", p.cursor)
		},
		func(p *params, cursor string) { p.cursor = cursor },
		func(r *result) ([]int, string) { return r.rows, r.next },
	), &asked
}

func TestByCursor(t *testing.T) {
	for _, c := range []struct {
		name    string
		p       *params
		answers map[string]*result
		rows    []int
		asked   []string
		err     string
	}{
		{"one page", nil, map[string]*result{"": {[]int{1, 2}, ""}}, []int{1, 2}, []string{""}, ""},
		{"three, one of them empty", &params{}, map[string]*result{"": {[]int{1}, "a%3A1"}, "a%3A1": {nil, "b"}, "b": {[]int{2}, ""}}, []int{1, 2}, []string{"", "a%3A1", "b"}, ""},
		{"from a cursor on", &params{cursor: "b"}, map[string]*result{"b": {[]int{2}, ""}}, []int{2}, []string{"b"}, ""},
		{"until 0", nil, map[string]*result{"": {[]int{1}, "7"}, "7": {[]int{2}, "0"}}, []int{1, 2}, []string{"", "7"}, ""},
		{"the last page repeats the cursor", nil, map[string]*result{"": {[]int{1, 2}, "a"}, "a": {[]int{3}, "a"}}, []int{1, 2, 3}, []string{"", "a"}, ""},
		{"an empty page repeats it", nil, map[string]*result{"": {nil, "a"}, "a": {nil, "a"}}, nil, []string{"", "a"}, ""},
		{"a full page repeats it", nil, map[string]*result{"": {[]int{1, 2}, "a"}, "a": {[]int{3, 4}, "a"}}, []int{1, 2, 3, 4}, []string{"", "a"}, `the cursor "a" comes again after a full page: there may be more rows`},
		{"a circle", nil, map[string]*result{"": {[]int{1}, "a"}, "a": {[]int{2}, "b"}, "b": {[]int{3}, "a"}}, []int{1, 2, 3}, []string{"", "a", "b"}, `the cursor "a" comes again after a full page: there may be more rows`},
		{"an error", nil, map[string]*result{"": {[]int{1}, "a"}}, []int{1}, []string{"", "a"}, `no page "a"`},
	} {
		seq, asked := byCursor(t, c.p, c.answers)
		rows, err := collect(t, seq)
		text := ""
		if err != nil {
			text = err.Error()
		}
		if !slices.Equal(rows, c.rows) || !slices.Equal(*asked, c.asked) || text != c.err {
			t.Errorf("%s: rows %v, asked %q, error %q\nwant %v, %q, %q", c.name, rows, *asked, text, c.rows, c.asked, c.err)
		}
		if c.p != nil && c.p.cursor != c.asked[0] {
			t.Errorf("%s: the caller's params have the cursor %q", c.name, c.p.cursor)
		}
		// A sequence can be walked again, from the beginning.
		again, _ := collect(t, seq)
		if !slices.Equal(again, c.rows) {
			t.Errorf("%s: the second walk yields %v", c.name, again)
		}
	}
}

func TestByCursorStopsWithTheLoop(t *testing.T) {
	seq, asked := byCursor(t, nil, map[string]*result{"": {[]int{1, 2}, "a"}, "a": {[]int{3}, ""}})
	for row := range seq {
		if row == 2 {
			break
		}
	}
	if !slices.Equal(*asked, []string{""}) {
		t.Errorf("asked %q, want the first page only", *asked)
	}
}

func TestByPage(t *testing.T) {
	full := [][]int{{1, 2}, {3, 4}, {5}}
	for _, c := range []struct {
		name   string
		page   int64 // of the caller's params
		beyond []int // what pages beyond the last have
		rows   []int
		asked  []int64
	}{
		{"until an empty page", 0, nil, []int{1, 2, 3, 4, 5}, []int64{1, 2, 3, 4}},
		{"from the second on", 2, nil, []int{3, 4, 5}, []int64{2, 3, 4}},
		{"the last page is repeated", 1, []int{5}, []int{1, 2, 3, 4, 5}, []int64{1, 2, 3, 4}},
	} {
		p := &params{page: c.page}
		var asked []int64
		rows, err := collect(t, pages.ByPage(t.Context(), p,
			func(_ context.Context, p *params) (*result, error) {
				asked = append(asked, p.page)
				if int(p.page) > len(full) {
					return &result{rows: c.beyond}, nil
				}
				return &result{rows: full[p.page-1]}, nil
			},
			func(p *params) int64 { return p.page },
			func(p *params, n int64) { p.page = n },
			func(r *result) []int { return r.rows },
		))
		if err != nil || !slices.Equal(rows, c.rows) || !slices.Equal(asked, c.asked) || p.page != c.page {
			t.Errorf("%s: rows %v, asked %v, error %v, the caller's page %d", c.name, rows, asked, err, p.page)
		}
	}
	down := errors.New("down")
	_, err := collect(t, pages.ByPage(t.Context(), nil,
		func(context.Context, *params) (*result, error) { return nil, down },
		func(*params) int64 { return 0 }, func(*params, int64) {}, func(*result) []int { return nil }))
	if !errors.Is(err, down) {
		t.Errorf("the error is %v", err)
	}
}
