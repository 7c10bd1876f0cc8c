package bybit

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/bywire/bywire/internal/wire"
)

// Error is the exchange's refusal of a request: of one that changes something it says that
// this has not happened, else it is in an [*UnknownError]. [errors.AsType] finds it in what a
// call returns.
type Error struct {
	Op      string // method and path: "GET /v5/market/full_orderbook"
	Status  int    // of HTTP: 200 if only Code says that it failed, 403 from an address that asked too often
	Code    int    // retCode, such as 10006 for too many requests; of bots also status_code; 0 if the reply had none
	Message string // retMsg, or the beginning of a reply that has none
	TraceID string // to show the exchange's support, if there was one
	ExtInfo []byte // retExtInfo as it came: JSON with what some refusals add; nil if it is empty; the result where that says that it failed

	// Skew is how far the exchange's clock was ahead of this machine's when it was measured
	// last, if the refusal has to do with it: codes 10002 and 10004.
	Skew time.Duration

	forbidden wire.Forbidden // why the address is turned away
	says      testimony
}

// testimony is what a reply says beyond its code about whether something has happened.
type testimony uint8

const (
	saysNothing testimony = iota
	saysFailed            // the result says that it came to nothing
	saysOpen              // that something may have happened
)

// Error returns one line, such as
// "GET /v5/market/full_orderbook: too many visits (10006)".
func (e *Error) Error() string {
	text := e.Message
	switch {
	case e.Code != 0:
		text = fmt.Sprintf("%s (%d)", e.Message, e.Code)
	case e.Status == 0 || e.Status == http.StatusOK:
	case e.Message == "":
		text = fmt.Sprintf("HTTP %d %s", e.Status, http.StatusText(e.Status))
	default:
		text = fmt.Sprintf("HTTP %d: %s", e.Status, e.Message)
	}
	if reasonOf(refusals, e.Code) == idUsed {
		text += "; one with this id exists already"
	}
	switch skew := e.Skew.Round(time.Millisecond); {
	case skew > 0:
		text += fmt.Sprintf("; the exchange's clock is %s ahead of this one", skew)
	case skew < 0:
		text += fmt.Sprintf("; the exchange's clock is %s behind this one", -skew)
	}
	if e.Op == "" {
		return text
	}
	return e.Op + ": " + text
}

// Reply is a reply with what stands around its result, for who gives one to
// [Client.Call].
type Reply struct {
	Result  json.RawMessage // nil if there is none
	ExtInfo json.RawMessage // retExtInfo
	Message string          // retMsg
	Time    time.Time       // of the exchange's clock
	Body    json.RawMessage // all of it

	// Items say what became of each order of a batch, in the order of the request: nil if it was
	// taken, an [*Error] if it was refused, or an [*UnknownError]. Nil for other requests.
	Items []error
}

// reply is what came for a request.
type reply struct {
	body    []byte
	result  []byte // part of body; nil if there is none, or if it is null
	ext     []byte // part of body; nil if there is none, or if it is null or {}
	message string
	time    time.Time
	sentAt  time.Time // the request, on this machine's clock
}

// parseReply takes a reply out of its envelope, which is retCode, retMsg, result,
// retExtInfo and time; or ret_code, ret_msg, result, ext_info and time_now in
// older groups; and nothing at all for a bare endpoint. Whatever of it is missing
// but the code is absent. A reply with an HTTP status other than 200 is an error
// also if its envelope says success.
func parseReply(e *endpoint, status int, header http.Header, body []byte) (*reply, error) {
	r := &reply{body: body}
	c := wire.NewCursor(body)
	var o wire.Object
	var code int64
	hasCode := false
	for c.NextKey(&o) {
		switch string(o.Key) {
		case "retCode", "ret_code":
			value := skipped(&c, &o, body)
			number := wire.NewCursor(value)
			if n, ok := number.Integer(); ok {
				code, hasCode = cmp.Or(code, n), true
			} else if number.Err() != nil && !e.bare {
				c.Fail(c.Offset()-len(value), "retCode is no number")
			}
		case "retMsg", "ret_msg":
			r.message = lenientText(skipped(&c, &o, body))
		case "result":
			r.result = skipped(&c, &o, body)
		case "retExtInfo", "ext_info":
			if ext := skipped(&c, &o, body); string(ext) != "{}" {
				r.ext = ext
			}
		case "time":
			r.time = lenientTime(skipped(&c, &o, body), time.Millisecond)
		case "time_now":
			r.time = lenientTime(skipped(&c, &o, body), time.Second)
		default:
			c.Skip(&o)
		}
	}
	c.End()
	bad := c.Err()
	refusal := func() error {
		f := &Error{
			Op: e.op(), Status: status, Code: int(code), Message: r.message,
			TraceID: header.Get("Traceid"), ExtInfo: bytes.Clone(r.ext),
		}
		if bad != nil || !hasCode {
			f.Code, f.Message, f.ExtInfo = 0, beginning(body), nil
		}
		f.forbidden = forbiddenBy(f, body)
		if e.batch && tookSome(r.ext) {
			f.says = saysOpen
		}
		return f
	}
	switch {
	case bad == nil && hasCode && code != 0, status != http.StatusOK:
		return nil, refusal()
	case bad != nil && e.bare:
		// An array, perhaps: whoever decodes it will say.
		r.result = body
	case bad != nil:
		return nil, newDecodeError(nil, body, bad)
	case !hasCode && e.bare:
		r.result = body
	case !hasCode:
		return nil, newDecodeError(nil, body, &wire.SyntaxError{Reason: "no retCode in the reply"})
	}
	switch {
	case e.status:
		return r.checked(e, header)
	case len(e.failures) > 0:
		return r.judged(e, header)
	}
	return r, nil
}

// judged returns the reply of an endpoint whose result can say that the request failed, if it does
// not.
func (r *reply) judged(e *endpoint, header http.Header) (*reply, error) {
	c := wire.NewCursor(r.result)
	var o wire.Object
	for len(r.result) > 0 && c.NextKey(&o) {
		field := string(o.Key)
		value := lenientText(skipped(&c, &o, r.result))
		for _, f := range e.failures {
			if f.field == field && f.value == value {
				return nil, &Error{
					Op: e.op(), Status: http.StatusOK, Message: field + " is " + value,
					TraceID: header.Get("Traceid"), ExtInfo: bytes.Clone(r.result), says: f.says,
				}
			}
		}
	}
	return r, nil
}

// checked returns the reply of an endpoint with a status_code, if that says success: 0 or 200.
// Where there is no retCode it has to be there.
func (r *reply) checked(e *endpoint, header http.Header) (*reply, error) {
	var code int64
	var said bool
	var debug, ban string
	result := r.result
	if e.bare {
		result = r.body
	}
	c := wire.NewCursor(result)
	var o wire.Object
	for len(result) > 0 && c.NextKey(&o) {
		switch string(o.Key) {
		case "status_code":
			code, said = c.Integer()
		case "debug_msg":
			debug = lenientText(skipped(&c, &o, result))
		case "ban_reason_text":
			ban = lenientText(skipped(&c, &o, result))
		default:
			c.Skip(&o)
		}
	}
	switch {
	case c.Err() != nil:
		return nil, newDecodeError(nil, r.body, c.Err())
	case e.bare && !said:
		return nil, newDecodeError(nil, r.body, &wire.SyntaxError{Reason: "no status_code in the reply"})
	case code == 0, code == http.StatusOK:
		return r, nil
	}
	return nil, &Error{
		Op: e.op(), Status: http.StatusOK, Code: int(code), Message: cmp.Or(ban, debug, http.StatusText(int(code)), "refused"),
		TraceID: header.Get("Traceid"), ExtInfo: bytes.Clone(result),
	}
}

// skipped passes over a value and returns it, or nil if it is null.
func skipped(c *wire.Cursor, o *wire.Object, body []byte) []byte {
	from := c.Offset()
	c.Skip(o)
	value := bytes.TrimSpace(body[from:c.Offset()])
	if string(value) == "null" {
		return nil
	}
	return value
}

// lenientText reads a message, which is worth no error: what is no string stands as it is.
func lenientText(value []byte) string {
	if len(value) == 0 || value[0] != '"' {
		return string(value)
	}
	c := wire.NewCursor(value)
	return string(c.Text())
}

// lenientTime reads the time of an envelope, which is worth no error: milliseconds, or
// seconds with a fraction, perhaps in quotes.
func lenientTime(text []byte, unit time.Duration) time.Time {
	whole, fraction, _ := strings.Cut(strings.Trim(string(text), `"`), ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || n <= 0 || n > maxUnix {
		return time.Time{}
	}
	if unit == time.Millisecond {
		return time.UnixMilli(n).UTC()
	}
	nanos, err := strconv.ParseInt((fraction + "000000000")[:9], 10, 64)
	if err != nil || nanos < 0 {
		return time.Time{}
	}
	return time.Unix(n, nanos).UTC()
}

// maxUnix is a number of milliseconds that is in the year 10889: what is larger is
// no time.
const maxUnix = 1 << 48

// beginning returns what a person needs of a page that is no reply of the API.
func beginning(body []byte) string {
	const enough = 120
	text := strings.Join(strings.Fields(strings.ToValidUTF8(string(body[:min(len(body), 4*enough)]), "?")), " ")
	if len(text) > enough {
		text = strings.ToValidUTF8(text[:enough], "") + "..."
	}
	return text
}
