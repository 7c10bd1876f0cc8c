package sim

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strconv"
	"time"
)

// Kind is what goes wrong.
type Kind uint8

// The faults. Those about a message take the next one of a topic on a
// connection.
const (
	Drop             Kind = iota // a message is not written
	Duplicate                    // a message is written twice
	Swap                         // a message is written after the one that follows it
	Skip                         // the venue leaves out an update id
	Restart                      // the venue starts a topic anew, with update id 1
	Truncate                     // a message ends in the middle of its JSON
	Garbage                      // a frame is no JSON
	Huge                         // a message carries 600 KB that nobody knows
	Silence                      // a topic brings nothing on one connection
	Stall                        // a connection brings nothing, not even pongs, and then all of it
	HalfOpen                     // a connection brings nothing any more, and does not end
	Cut                          // a connection ends with an error, and what is in flight is lost
	End                          // a connection ends without a close frame
	CloseCode                    // a connection is closed with a code
	CloseBare                    // a connection is closed without a code
	RefuseDials                  // no connection is made
	RefuseHandshakes             // HTTP 503
	HangHandshakes               // a handshake is not answered
	Reject                       // one topic of the next subscribe request is refused by name
	RefuseRequest                // the next subscribe request is refused without a word about why
	DelayAck                     // the next subscribe request is served late
	LateAck                      // the next subscribe request is acknowledged after its data
	LoseAck                      // the next subscribe request is served and never answered
	Sleep                        // the consumer of a stream is busy elsewhere
	LateSnapshot                 // the next snapshot over REST arrives late, or not in time
	OldSnapshot                  // snapshots over REST are those of a while ago
	RefuseSnapshot               // they are refused, by the API or by HTTP
	CutSnapshot                  // they end in the middle
	kinds
)

// String names the fault.
func (k Kind) String() string {
	names := [kinds]string{"drop", "duplicate", "swap", "skip", "restart", "truncate", "garbage", "huge", "silence", "stall",
		"half-open", "cut", "end", "close with a code", "close without a code", "refuse dials", "refuse handshakes", "hang handshakes", "reject", "refuse request", "delay ack",
		"late ack", "lose ack", "sleep", "late snapshot", "old snapshot", "refuse snapshot", "cut snapshot"}
	if k < kinds {
		return names[k]
	}
	return "fault " + strconv.Itoa(int(k))
}

// Fault is one thing that goes wrong.
type Fault struct {
	After  time.Duration // since the one before
	Kind   Kind
	Stream int           // whose
	Pick   int           // chooses among its connections and topics
	For    time.Duration // of those that last
}

// String writes the fault as a line.
func (f Fault) String() string {
	return fmt.Sprintf("+%v %v stream %d pick %d for %v", f.After, f.Kind, f.Stream, f.Pick, f.For)
}

// lasts returns bounds of how long a kind of fault lasts.
func (k Kind) lasts() (least, most time.Duration) {
	switch k {
	case Silence:
		return time.Second, 100 * time.Second
	case Stall:
		return time.Second, 40 * time.Second
	case RefuseDials, RefuseHandshakes, HangHandshakes:
		return time.Second, 20 * time.Second
	case DelayAck, LateAck:
		return 10 * time.Millisecond, 12 * time.Second
	case LateSnapshot:
		return 10 * time.Millisecond, 25 * time.Second // who asks waits 20 s
	case OldSnapshot, RefuseSnapshot, CutSnapshot:
		return time.Second, 20 * time.Second
	case Sleep:
		return 10 * time.Second, 120 * time.Second
	}
	return 0, 0
}

// Draw returns n faults for a number of streams, spread over n times the mean
// pause between two.
func Draw(seed uint64, n, streams int, mean time.Duration) []Fault {
	r := rand.New(rand.NewPCG(seed, 0xfa17))
	faults := make([]Fault, n)
	for i := range faults {
		f := &faults[i]
		f.After = time.Duration(r.Int64N(int64(2 * mean)))
		f.Kind = Kind(r.IntN(int(kinds) + 1))
		if f.Kind == kinds {
			f.Kind = Sleep // it takes a while to fill a queue: twice as often as others
		}
		f.Stream = r.IntN(streams)
		f.Pick = r.IntN(1 << 16)
		if least, most := f.Kind.lasts(); most > 0 {
			f.For = least + time.Duration(r.Int64N(int64(most-least)))
		}
	}
	return faults
}

// Seed makes a seed of a text: a number stands for itself, anything else, such
// as the hash of a commit, for its own hash.
func Seed(text string) uint64 {
	if n, err := strconv.ParseUint(text, 10, 64); err == nil {
		return n
	}
	h := fnv.New64a()
	h.Write([]byte(text))
	return h.Sum64()
}
