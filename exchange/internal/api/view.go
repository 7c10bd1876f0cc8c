package api

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

// decode reads the parameters. Unknown ones are skipped; what cannot be read, and one that stands twice, is refused.
func (v *view) decode(p queryDecoder) *Refusal {
	if err := p.DecodeQuery(v.query); err != nil {
		return refuse(wrongRequest)
	}
	return nil
}
