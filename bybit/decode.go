package bybit

import (
	"fmt"
)

// DecodeError is what Decode returns for a frame that is no valid message of
// its topic: damaged JSON, a number that is none, a key twice, an array where
// an object belongs.
type DecodeError struct {
	Topic  string // as far as it was read, may be ""
	Offset int    // in Frame, where reading stopped
	Frame  []byte // a copy of the whole frame
	Err    error  // what is wrong
}

// Error names the topic, the offset, the reason and the bytes at the offset.
func (e *DecodeError) Error() string {
	from := max(0, min(e.Offset, len(e.Frame)))
	to := min(len(e.Frame), from+24)
	name := e.Topic
	if name == "" {
		name = "message"
	}
	return fmt.Sprintf("decode %s: offset %d: %v, at %q", name, e.Offset, e.Err, e.Frame[from:to])
}

// Unwrap returns the reason.
func (e *DecodeError) Unwrap() error { return e.Err }
