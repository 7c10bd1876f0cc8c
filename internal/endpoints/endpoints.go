// Package endpoints lists the endpoints of the REST API with their parameters, for the
// command: what it checks arguments against, completes and explains. The tables are
// generated from spec/; programs that import bybit do not link them.
package endpoints

import (
	"cmp"
	"slices"
)

// Endpoint is one method and path.
type Endpoint struct {
	Method string // GET or POST
	Path   string
	Group  string // the service or package that has it, such as "spotmargin"
	Auth   string // public, signed or optional
	Read   bool   // changes nothing
	Page   string // of the documentation, such as "market/kline"
	Go     string // the method that makes the request, such as "bybit.Client.Market.Kline"
	Text   string
	Params []Param
}

// Param is one parameter. The fields of an object follow it, with its name and a point in
// front; those of the elements of an array, with "[]." in between: request[].symbol.
type Param struct {
	Name     string
	Type     string // string, int, decimal, bool, ms for a time, object, file, [] in front of an array's; behind it "digit" of a bool that is 1 or 0, and "number" or "string" if JSON has it otherwise
	Required bool
	Values   []string // the known ones; there may be others
	Text     string
}

// All returns every endpoint, sorted by path and method.
func All() []Endpoint {
	all := slices.Concat(tables()...)
	slices.SortFunc(all, func(a, b Endpoint) int { return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Method, b.Method)) })
	return all
}

// Find returns the endpoint of a method and path.
func Find(method, path string) (Endpoint, bool) {
	for _, table := range tables() {
		for _, e := range table {
			if e.Method == method && e.Path == path {
				return e, true
			}
		}
	}
	return Endpoint{}, false
}
