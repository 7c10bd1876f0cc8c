// Package codecs pairs the endpoints of the REST API with the types of bybit and of the
// packages beside it that they take and return, for what speaks of all of them: tests over
// the documented examples, and servers. The tables are generated from spec/.
package codecs

import "slices"

// Endpoint is a method and path with its types.
type Endpoint struct {
	Method, Path string
	Params       func() Codec // nil if it takes none; of a GET it is a [Query]
	Result       func() Codec // nil if it returns none
	Whole        bool         // Result is the whole reply, not its result
}

// Codec decodes and encodes itself.
type Codec interface {
	Decode(json []byte) error
	AppendJSON(dst []byte) []byte
}

// Query is a Codec that stands in a URL.
type Query interface {
	Codec
	DecodeQuery(query string) error
	AppendQuery(dst []byte) ([]byte, error)
}

// All returns the endpoints of all packages.
func All() []Endpoint { return slices.Concat(tables()...) }
