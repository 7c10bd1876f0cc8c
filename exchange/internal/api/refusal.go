package api

import (
	"cmp"
	"net/http"
	"strconv"

	"github.com/bywire/bywire/internal/wire"
)

// Codes that the market endpoints answer with. V5 page: error.
const (
	codeParameter = 10001 // request parameter error
	codeServer    = 10016 // server error
	codeRoute     = 10017 // route not found
)

// Messages of refusals. Those marked seen were recorded of the venue by others, with the endpoint named; their use
// on other endpoints is a choice.
const (
	// wrongRequest is what a parameter gets that cannot be read at all: text for a number (seen: period=7d of
	// historical-volatility).
	wrongRequest = "Request parameter error."
	// illegalCategory: seen on funding/history, and on private endpoints.
	illegalCategory = "Illegal category"
	// wrongCategory: seen on kline and mark-price-kline for option.
	wrongCategory = "params error: Category is invalid"
	// wrongSymbol: seen on kline, orderbook, tickers and instruments-info of linear, with an unknown symbol or none.
	wrongSymbol = "params error: symbol invalid"
	// wrongSpotSymbol: seen on kline, tickers and orderbook of spot.
	wrongSpotSymbol = "Not supported symbols"
	// wrongDeliverySymbol: seen on delivery-price for a perpetual.
	wrongDeliverySymbol = "params error: Symbol Invalid"
	// wrongInterval: seen on kline and premium-index-price-kline of linear.
	wrongInterval = "params error: intervalTime is invalid"
	// wrongSpotInterval: seen on kline of spot.
	wrongSpotInterval = "Invalid period!"
	// wrongPeriod: seen on account-ratio without a period.
	wrongPeriod = "params error: param period err"
	// wrongTime: seen on funding/history with startTime alone.
	wrongTime = "Time is invalid"
	// wrongCursor: a choice, in the manner of the others.
	wrongCursor = "params error: cursor invalid"
	// wrongLimit: a choice, in the manner of the others.
	wrongLimit = "params error: limit invalid"
)

// Refusal is the answer to a request that is not served. Nothing has happened.
type Refusal struct {
	Status  int    // of HTTP; 0 is 200, which the venue answers to wrong parameters
	Code    int    // retCode
	Message string // retMsg
	Result  result // what stands as the result; nil for {}
}

// refuse is a refusal of parameters.
func refuse(message string) *Refusal { return &Refusal{Code: codeParameter, Message: message} }

func (r *Refusal) status() int { return cmp.Or(r.Status, http.StatusOK) }

// append appends the envelope of the refusal.
func (r *Refusal) append(dst []byte, now int64) []byte {
	dst = appendHead(dst, r.Code, r.Message)
	dst = append(dst, `,"result":`...)
	if r.Result != nil {
		dst = r.Result.AppendJSON(dst)
	} else {
		dst = append(dst, "{}"...)
	}
	return appendTail(dst, now)
}

// result is a generated result of package bybit.
type result interface {
	AppendJSON(dst []byte) []byte
}

// reply is a result with what its envelope says.
type reply struct {
	result  result
	message string
	whole   bool // the result stands beside retCode, and there is no retExtInfo and no time
}

// append appends the envelope of the reply.
func (r reply) append(dst []byte, now int64) []byte {
	dst = appendHead(dst, 0, r.message)
	if r.whole {
		from := len(dst)
		dst = r.result.AppendJSON(dst)
		dst[from] = ',' // in place of the brace that opens the result
		return dst
	}
	dst = append(dst, `,"result":`...)
	dst = r.result.AppendJSON(dst)
	return appendTail(dst, now)
}

func appendHead(dst []byte, code int, message string) []byte {
	dst = append(dst, `{"retCode":`...)
	dst = strconv.AppendInt(dst, int64(code), 10)
	dst = append(dst, `,"retMsg":`...)
	return wire.AppendString(dst, message)
}

func appendTail(dst []byte, now int64) []byte {
	dst = append(dst, `,"retExtInfo":{},"time":`...)
	dst = strconv.AppendInt(dst, milliseconds(now), 10)
	return append(dst, '}')
}
