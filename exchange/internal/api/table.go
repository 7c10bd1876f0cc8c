package api

import (
	"net/http"
	"slices"

	"github.com/bywire/bywire/internal/endpoints"
)

// endpoint is one row of the table: a path that is served.
type endpoint struct {
	path    string
	answer  func(v *view) (result, *Refusal)
	says    string               // retMsg of a success; "" is OK
	saysFor func(v *view) string // where it depends on the request
	silent  bool                 // retMsg is ""
	whole   bool                 // see reply
	missing string               // what of it is not simulated; "" if all of it is
}

// message is the retMsg of a success. V5 pages of the endpoints: their examples differ.
func (e *endpoint) message(v *view) string {
	switch {
	case e.silent:
		return ""
	case e.saysFor != nil:
		return e.saysFor(v)
	case e.says != "":
		return e.says
	}
	return "OK"
}

// served is the table: what there is, and nothing else is.
var served = []endpoint{
	{path: "/v3/public/time", answer: serverTime},
	{path: "/v5/market/time", answer: serverTime},
	{path: "/v5/market/kline", answer: kline},
	{path: "/v5/market/mark-price-kline", answer: markPriceKline, missing: "the past of an option has two days of minutes"},
	{path: "/v5/market/index-price-kline", answer: indexPriceKline},
	{path: "/v5/market/premium-index-price-kline", answer: premiumIndexKline},
	{path: "/v5/market/funding/history", answer: fundingHistory},
	{path: "/v5/market/open-interest", answer: openInterest},
	{path: "/v5/market/account-ratio", answer: longShortRatio, missing: "values since the start know only who holds a contract now"},
	{path: "/v5/market/historical-volatility", answer: historicalVolatility, says: "SUCCESS", whole: true},
	{path: "/v5/market/orderbook", answer: orderBook},
	{path: "/v5/market/full_orderbook", answer: fullOrderBook},
	{path: "/v5/market/rpi_orderbook", answer: rpiOrderBook},
	{path: "/v5/market/tickers", answer: tickers},
	{path: "/v5/market/recent-trade", answer: recentTrades},
	{path: "/v5/market/price-limit", answer: priceLimit, silent: true},
	{path: "/v5/market/delivery-price", answer: deliveryPrices, saysFor: deliverySays, missing: "deliveries of the last 31 days of the run, none from before its start"},
	{path: "/v5/market/new-delivery-price", answer: optionDeliveryPrices, silent: true},
	{path: "/v5/market/index-price-components", answer: indexComponents, silent: true, missing: "an index has one component, the generated price"},
	{path: "/v5/market/insurance", answer: insurance},
	{path: "/v5/market/adlAlert", answer: adlAlerts},
	{path: "/v5/market/instruments-info", answer: instruments},
	{path: "/v5/market/risk-limit", answer: riskLimits},
	{path: "/v5/market/fee-group-info", answer: feeGroups},
	{path: "/v5/spread/orderbook", answer: spreadOrderBook, says: "Success"},
	{path: "/v5/spread/tickers", answer: spreadTickers, says: "Success"},
	{path: "/v5/spread/recent-trade", answer: spreadTrades, says: "Success"},
	{path: "/v5/system/status", answer: systemStatus, silent: true},
	{path: "/v5/announcements/index", answer: announcements, missing: "only listings and deliveries of the exchange's own contracts, in English whatever the locale"},
	{path: "/v5/spread/instrument", answer: spreadInstruments},
}

// documented returns the paths of the documentation, each with its method in front.
func documented() map[string]bool {
	paths := make(map[string]bool)
	for _, e := range endpoints.All() {
		paths[e.Method+" "+e.Path] = true
	}
	return paths
}

// route finds the endpoint of a request.
func (a *API) route(method, path string) (*endpoint, *Refusal) {
	if method != http.MethodGet && method != http.MethodPost {
		// V5 page: error. "GET / POST (must be capitalized)".
		return nil, &Refusal{Status: http.StatusBadRequest, Code: http.StatusBadRequest, Message: "Bad request. Need to send the request with GET / POST (must be capitalized)"}
	}
	if i := slices.IndexFunc(served, func(e endpoint) bool { return e.path == path }); i >= 0 && method == http.MethodGet {
		return &served[i], nil
	}
	if a.documented[method+" "+path] {
		return nil, notSimulated(method, path)
	}
	// V5 page: error, which has both the status and the code; that they come together is a choice, and so is that a
	// method which a path does not take is the same as no path.
	return nil, &Refusal{Status: http.StatusNotFound, Code: codeRoute, Message: "Route not found."}
}

// notSimulated is the answer of all documented endpoints that are not in the table.
func notSimulated(method, path string) *Refusal {
	return &Refusal{
		Status:  http.StatusNotFound,
		Code:    codeRoute,
		Message: "bywire does not simulate " + method + " " + path,
	}
}
