package decimal

import (
	"errors"
	"strconv"
)

// What can go wrong; each arrives inside an [*Error] that names the operation.
var (
	// ErrSyntax means that the text is not a decimal number.
	ErrSyntax = errors.New("not a decimal number")
	// ErrRange means that the exact result needs more than 28 digits, or more
	// than 28 of them after the point (for a Text: more than 128 characters).
	ErrRange = errors.New("out of range")
	// ErrDivisionByZero means that the divisor or the tick is zero or absent.
	ErrDivisionByZero = errors.New("division by zero")
)

// Error says which operation was refused, and why.
type Error struct {
	// Op is the operation: "parse", "add", "sub", "mul", "quo", "quantize".
	Op string
	// Input is the text that was parsed, cut after 64 bytes; otherwise empty.
	Input string
	// Err is ErrSyntax, ErrRange or ErrDivisionByZero.
	Err error
}

// Error returns, for example, `decimal.parse "1.2.3": not a decimal number`.
func (e *Error) Error() string {
	if e.Op == opParse {
		return "decimal." + e.Op + " " + strconv.Quote(e.Input) + ": " + e.Err.Error()
	}
	return "decimal." + e.Op + ": " + e.Err.Error()
}

// Unwrap returns the cause, so that errors.Is(err, ErrRange) works.
func (e *Error) Unwrap() error { return e.Err }

const (
	opParse    = "parse"
	opAdd      = "add"
	opSub      = "sub"
	opMul      = "mul"
	opQuo      = "quo"
	opQuantize = "quantize"

	// maxInput bounds how much of a bad input an error carries: it may be a
	// whole frame.
	maxInput = 64
)

// opError is the error of an arithmetic operation.
func opError(op string, cause error) error { return &Error{Op: op, Err: cause} }

// parseError is the error of a conversion from text. It copies its input, which
// may be a slice of a buffer that is about to be reused.
func parseError[T ~string | ~[]byte](s T, cause error) error {
	if len(s) > maxInput {
		return &Error{Op: opParse, Input: string(s[:maxInput]) + "...", Err: cause}
	}
	return &Error{Op: opParse, Input: string(s), Err: cause}
}
