package main

import (
	"fmt"
	"strings"
)

// walk writes an iterator over the rows of all pages.
func (g *generator) walk(b *strings.Builder, u *unit) {
	m, w := u.method, u.method.Walk
	rows := find(u.result.Rows, w.Rows)
	row := g.p.typeName(rows.Type.Elem)
	comment(b, "", w.Name+" yields the rows of "+g.methodLink(u)+", page after page. An error ends it."+saySize(w), saySpan(u))
	fmt.Fprintf(b, "func (s *%s) %s(ctx context.Context, p *%s) iter.Seq2[%s, error] {\n", g.receiver(), w.Name, u.params.Name, row)
	if size := sizeRow(u.params.Rows); size != nil {
		fmt.Fprintf(b, "p = pages.Copy(p)\nif p.%[1]s == 0 {\np.%[1]s = %[2]s\n}\n", size.Go, w.Of)
	}
	if w.By == "page" {
		page := pageRow(u.params.Rows)
		number, now := g.p.typeName(&page.Type), "p."+page.Go
		if page.Opt {
			number, now = map[bool]string{true: "int", false: number}[page.Type.Name == "int"], now+".Or(1)"
		}
		fmt.Fprintf(b, "return pages.ByPage(ctx, p, s.%s,\nfunc(p *%s) %s { return %s },\n", m.Name, u.params.Name, number, now)
		fmt.Fprintf(b, "func(p *%s, n %s) { %s },\n", u.params.Name, number, fieldSetter(page, "n"))
		fmt.Fprintf(b, "func(r *%s) []%s { return r.%s })\n}\n\n", u.result.Name, row, rows.Go)
		return
	}
	turn := fieldSetter(cursorRow(u.params.Rows), "cursor")
	fmt.Fprintf(b, "return pages.ByCursor(ctx, p, s.%s,\nfunc(p *%s, cursor string) { %s },\n", m.Name, u.params.Name, turn)
	fmt.Fprintf(b, "func(r *%s) ([]%s, string) { return r.%s, r.%s })\n}\n\n", u.result.Name, row, rows.Go, nextCursor(u.result.Rows).Go)
}

// saySize tells how long pages are where that is not the venue's default.
func saySize(w *Walk) string {
	if w.Of == "" {
		return ""
	}
	return " A page has " + w.Of + " rows unless the parameters say otherwise."
}

// saySpan warns that all pages are of what one request asks for.
func saySpan(u *unit) string {
	for _, r := range u.params.Rows {
		if r.Type.Name == "time" && r.Type.Kind == Basic {
			return "All pages are of one span of time, which is no longer than a request may ask for and, where no times are given, what a request gets by default. " +
				"For a longer time, range over one span after the other."
		}
	}
	return ""
}

// fieldSetter is the statement that sets a parameter.
func fieldSetter(r *Row, value string) string {
	if r.Opt {
		return "p." + r.Go + ".Set(" + value + ")"
	}
	return "p." + r.Go + " = " + value
}
