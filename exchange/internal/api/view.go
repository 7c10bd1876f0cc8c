package api

import "strings"

// view is the market at the moment of a request, with the request's query.
type view struct {
	Market
	now   int64
	query string
}

// queryDecoder is the generated parameters of an endpoint.
type queryDecoder interface {
	DecodeQuery(query string) error
}

// decode reads the parameters. Unknown ones are skipped, and one without a value is as if it were not there (choice, as
// clients send them); what cannot be read, and one that stands twice, is refused.
func (v *view) decode(p queryDecoder) *Refusal {
	if err := p.DecodeQuery(valued(v.query)); err != nil {
		return refuse(wrongRequest)
	}
	return nil
}

// valued is a query without the parameters that have no value.
func valued(query string) string {
	var kept []string
	for pair := range strings.SplitSeq(query, "&") {
		if _, value, _ := strings.Cut(pair, "="); value != "" {
			kept = append(kept, pair)
		}
	}
	return strings.Join(kept, "&")
}
