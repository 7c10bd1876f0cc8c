package api

import (
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/feed"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/past"
	"github.com/bywire/bywire/exchange/internal/price"
)

// Market is what the API reads of the exchange. It is asked on the loop's goroutine only, between two commands, so that
// each reply is of one moment.
type Market interface {
	Now() int64 // virtual time: nanoseconds since 1970 UTC
	Catalog() *catalog.Catalog
	Board() *price.Board
	Feed() *feed.Feed
	Bars() *past.Store
	Past() *past.Past
}

// Options are the choices of an API.
type Options struct {
	// Unlimited lets an address ask as often as it likes. Default: 600 requests in 5 s, then nothing for 10 minutes.
	Unlimited bool

	// Time is the exchange's time, which may be asked on any goroutine. Default: the wall clock.
	Time func() int64

	// Now is the wall clock. Default: time.Now.
	Now func() time.Time
}

// API answers the requests of the REST API.
type API struct {
	market  Market
	time    func() int64
	limiter *limiter // nil: no limit
	served  uint64   // requests, for trace ids
	turned  atomic.Uint64
	out     []byte

	documented map[string]bool // method and path
}

// New returns the API of a market.
func New(m Market, o Options) *API {
	wall := o.Now
	if wall == nil {
		wall = time.Now
	}
	a := &API{market: m, time: o.Time, documented: documented()}
	if a.time == nil {
		a.time = func() int64 { return wall().UnixNano() }
	}
	if !o.Unlimited {
		a.limiter = newLimiter(wall, a.time)
	}
	return a
}

// Request is what the API reads of a request.
type Request struct {
	Method string // as it was sent
	Path   string
	Query  string // without its question mark
}

// Response is what is sent back.
type Response struct {
	Status int
	Header http.Header
	Body   []byte // valid until the next call of Serve
}

// Serve answers a request. It is called on the loop's goroutine, for one request at a time.
func (a *API) Serve(q *Request) Response {
	now := a.market.Now()
	a.served++
	a.out = a.out[:0]
	r, refused := a.answer(q, now)
	status := http.StatusOK
	code := 0
	if refused != nil {
		status, code = refused.status(), refused.Code
		a.out = refused.append(a.out, now)
	} else {
		a.out = r.append(a.out, now)
	}
	return Response{Status: status, Header: header(now, code, a.served), Body: a.out}
}

// Failed is the response to a request that Serve has panicked about.
func (a *API) Failed() Response {
	now := a.time()
	r := &Refusal{Code: codeServer, Message: "Server error."}
	return Response{Status: http.StatusOK, Header: header(now, r.Code, a.served), Body: r.append(nil, now)}
}

// answer finds the endpoint and lets it answer.
func (a *API) answer(q *Request, now int64) (reply, *Refusal) {
	e, refused := a.route(q.Method, q.Path)
	if refused != nil {
		return reply{}, refused
	}
	if len(q.Query) > maxQuery {
		return reply{}, &Refusal{Status: http.StatusRequestURITooLong, Code: codeParameter, Message: wrongRequest}
	}
	v := &view{Market: a.market, now: now, query: q.Query}
	result, refused := e.answer(v)
	if refused != nil {
		return reply{}, refused
	}
	return reply{result: result, message: e.message(v), whole: e.whole}, nil
}

// header returns the headers that a reply of the venue has (seen, in logs of other clients).
func header(now int64, code int, n uint64) http.Header {
	return http.Header{
		"Content-Type":  {"application/json; charset=utf-8"},
		"Server":        {"Openresty"},
		"Cache-Control": {"max-age=0, no-cache, no-store"},
		"Pragma":        {"no-cache"},
		"Expires":       {time.Unix(0, now).UTC().Format(http.TimeFormat)},
		"Ret_code":      {strconv.Itoa(code)},
		"Traceid":       {traceID(now, n)},
		"Timenow":       {strconv.FormatInt(milliseconds(now), 10)},
	}
}

// traceID is 32 hexadecimal digits that no other reply of the exchange has.
func traceID(now int64, n uint64) string {
	const hex = "0123456789abcdef"
	mixed := [2]uint64{fixed.Mix(uint64(now) ^ n<<32), fixed.Mix(n)} // n is never 0
	var id [32]byte
	for i := range id {
		id[i] = hex[mixed[i/16]>>(i%16*4)&15]
	}
	return string(id[:])
}

func milliseconds(now int64) int64 { return now / int64(time.Millisecond) }
