package bybit

import (
	"net/http"
	"sort"
	"time"
)

// endpoint is what the client knows of one method and path. The table of them is
// generated; what is not in it can be called all the same.
type endpoint struct {
	method string
	path   string
	auth   auth
	read   bool // changes nothing, so that it may be repeated: every GET, and some POSTs
	bare   bool // replies without an envelope
	query  bool // a POST whose parameters stand in the query
	batch  bool // each order counts against the limit, except on option
	result bool // changes something, and success has a result
	status bool // a result has a status_code, which says more than retCode
	limits []limit

	failures []failure
}

// failure is a value of a result's field that says that a request failed, or that it may have,
// although retCode says success.
type failure struct {
	field, value string
	says         testimony
}

// auth says whether an endpoint takes a signature.
type auth uint8

const (
	authSigned   auth = iota // and is refused without
	authOptional             // signed if there are credentials
	authPublic               // never signed
)

// limit is how often an account may call an endpoint.
type limit struct {
	category Category // "": of every category
	calls    int
	per      time.Duration
}

// op names the endpoint in errors.
func (e *endpoint) op() string { return e.method + " " + e.path }

// endpointOf returns the endpoint of a method and path. One that the documentation
// does not have is signed if there are credentials.
func endpointOf(method, path string) *endpoint {
	// Not slices.BinarySearchFunc, which copies rows.
	i := sort.Search(len(endpoints), func(i int) bool {
		e := &endpoints[i]
		return e.path > path || e.path == path && e.method >= method
	})
	if i < len(endpoints) && endpoints[i].path == path && endpoints[i].method == method {
		return &endpoints[i]
	}
	return &endpoint{method: method, path: path, auth: authOptional, read: method == http.MethodGet}
}
