package main

import "fmt"

// A File is one file of spec/: a service of bybit.Client, or a package beside bybit.
type File struct {
	Path    string // such as "spec/market.api"
	Service string // such as "Market"; "" for a package
	Package string // such as "earn"; "" for a service
	Doc     []string
	Outcome string // "status_code": results have a code of their own; "" as a rule
	Imports []Import
	Enums   []*Enum
	Structs []*Struct
	Methods []*Method
	Orders  []*Order
	Example []string // lines of code for the comment of the package
	line    int
}

// An Import is a type that is used here and declared elsewhere.
type Import struct {
	Name string
	Int  bool // its values are numbers
	line int
}

// An Enum is a type with constants. Values that it does not list survive.
type Enum struct {
	Name   string
	Int    bool
	Text   string
	Values []EnumValue
	line   int
}

// An EnumValue is one constant.
type EnumValue struct {
	Wire, Name, Text string
	line             int
}

// A Struct is an object of the API, or a tuple.
type Struct struct {
	Name   string
	Text   string   // of what it is; "" if Doc says so
	Doc    []string // paragraphs
	Rows   []*Row
	Orders []*Order // by category; for others as the rows stand
	Tuple  bool
	whole  bool // a request or a result is one
	line   int
}

// A Row is a field.
type Row struct {
	Name                           string // on the wire
	Go                             string
	Type                           Type
	Opt                            bool // may be left out of a request
	Text                           string
	Omit, Null, Deprecated, Hidden bool // Hidden: in the examples only
	Zero                           bool // a time that is 0 when it is absent
	Lone                           bool // a list that also comes as its only element
	Rows                           []*Row
	line                           int
}

// A Type is what a row holds.
type Type struct {
	Kind   Kind
	Name   string // of a basic type, an enum or a struct
	Elem   *Type  // of List and Map
	Form   Form
	Unit   string // of a time: "" for milliseconds, "seconds", "micros", "nanos"; rfc3339 and others
	Either bool
	Reason string // why it is raw
	Inline bool   // its rows stand below
}

// Kind is the shape of a type.
type Kind int

// The shapes.
const (
	Basic  Kind = iota // string, int, an enum ...
	Object             // a struct
	Tuple              // a struct whose fields are the elements of an array
	List
	Map
)

// Form is how a basic value stands in JSON if not in the usual way.
type Form int

// The forms.
const (
	Usual Form = iota
	AsNumber
	AsString
)

// Units other than that of a time, in Type.Unit.
const (
	digit   = "digit"   // of a bool: 1 or 0
	percent = "percent" // of a decimal: a percent sign behind it
	rfc3339 = "rfc3339" // of a time: as text
)

// A Method is one method and path.
type Method struct {
	Name       string
	HTTP       string // GET or POST
	Path       string
	Auth       string // public, signed or optional
	Pages      []string
	Doc        []string // paragraphs
	Read       bool
	Deprecated string // why, and what to use instead
	Limits     []Limit
	Walk       *Walk
	Envelope   string // "", "envelope", "bare" or "ret_code"
	Batch      bool
	Query      bool // a POST whose parameters stand in the query
	ByHand     bool // the Go method and its parameters are written by hand
	Failures   []Failure
	Params     *Body
	Result     *Body
	line       int
}

// A Limit is how often an account may call; Category "" is every one.
type Limit struct {
	Category string
	Calls    int
	Per      string // s or min
}

// A Failure is a value of a result's field that says of a request that failed, or of which it is
// not known whether it did, although the reply says success.
type Failure struct {
	Field, Value string
	Open         bool
}

// A Walk says how an iterator goes through the pages.
type Walk struct {
	By   string // cursor or page
	Rows string // the list, by its name in the result; "" if it is the result
	Of   string // rows of a page, where the venue has no default
	Name string // of the iterator
	line int
}

// A Body is what a request sends or a reply brings: rows, or a struct by its name.
type Body struct {
	Name string // a struct, or the name to give to the rows
	List bool   // an array of it
	Rows []*Row
	line int
}

// Errors collects what is wrong with a file.
type Errors []error

func (e *Errors) add(path string, line int, format string, args ...any) {
	*e = append(*e, fmt.Errorf("%s:%d: %s", path, line, fmt.Sprintf(format, args...)))
}
