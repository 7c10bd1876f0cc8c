package capture

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// MaxData is the largest Data of one record: 16 MiB. The venue's largest
// frames, snapshots of a thousand levels, stay under 100 KiB.
const MaxData = 16 << 20

// maxName bounds a channel's name and a URL, so that the definition of a
// connection can never outgrow a block.
const maxName = 4096

// Kind says what a record is about. Kinds are an open set: a reader that
// meets a kind it does not know skips the record.
type Kind uint8

// The kinds of records. Data is described per kind.
const (
	// Frame is one WebSocket message. Data holds its payload, byte for byte
	// as it was on the wire (auth arguments excepted, see Redact).
	Frame Kind = 1
	// Connect says that Conn was established. Data may hold the venue's name
	// for the connection, or nothing.
	Connect Kind = 2
	// Disconnect says that Conn ended. Data is the reason as text.
	Disconnect Kind = 3
	// Gap says that something was not recorded: on Conn, or on the whole
	// capture when Conn is 0. Data is the reason as text.
	Gap Kind = 4
	// ClockOffset is one measurement of the venue's clock against ours. Data
	// is venue minus ours in nanoseconds as decimal text; see Record.Offset.
	ClockOffset Kind = 5
	// Note is free text about the capture: where an import came from, which
	// program recorded.
	Note Kind = 6

	maxKind = Note
)

// String returns the kind's name as info and cat print it.
func (k Kind) String() string {
	switch k {
	case Frame:
		return "frame"
	case Connect:
		return "connect"
	case Disconnect:
		return "disconnect"
	case Gap:
		return "gap"
	case ClockOffset:
		return "clock_offset"
	case Note:
		return "note"
	}
	return "kind " + strconv.Itoa(int(k))
}

// Direction says which way a frame travelled, seen from the recorder.
type Direction uint8

// Directions. In is the zero value: market data is received.
const (
	In  Direction = 0
	Out Direction = 1
)

// String returns "in" or "out".
func (d Direction) String() string {
	if d == Out {
		return "out"
	}
	return "in"
}

// Record is one thing that was recorded.
//
// A Record from a Reader is valid until the iterator's next step: Data points
// into a buffer that is used again. Channel and URL may be kept.
type Record struct {
	// Seq is the record's number in its capture: 1 for the first, then one
	// more each, over all segments and kinds. The Writer assigns it and
	// ignores what the caller set.
	Seq       uint64
	Kind      Kind
	Direction Direction
	// Conn numbers the connection within the capture, from 1; 0 is none. See
	// Writer.NextConn.
	Conn uint64
	// Channel is the path the connection serves, such as "linear"; URL is
	// where it was dialled. Both are properties of the connection, stored
	// once per block, and given on each of its records.
	Channel string
	URL     string
	// Received is our clock when the frame was read (or written), in
	// nanoseconds. It may step backwards: it is not the order; Seq is.
	Received time.Time
	Data     []byte
}

// ErrKind is returned by Record.Offset for a record of another kind.
var ErrKind = errors.New("record is of another kind")

// Offset returns what a ClockOffset record measured: the venue's clock minus
// ours. The error is ErrKind for other kinds, or says that Data is no number.
func (r *Record) Offset() (time.Duration, error) {
	if r.Kind != ClockOffset {
		return 0, fmt.Errorf("capture.offset of a %s: %w", r.Kind, ErrKind)
	}
	ns, err := strconv.ParseInt(string(r.Data), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("capture.offset: %w", err)
	}
	return time.Duration(ns), nil
}

// NewClockOffset returns the record of one clock measurement: offset is the
// venue's clock minus ours, received when the answer arrived.
func NewClockOffset(offset time.Duration, received time.Time) Record {
	return Record{Kind: ClockOffset, Received: received, Data: strconv.AppendInt(nil, int64(offset), 10)}
}

// check reports why a record cannot be stored.
func (r *Record) check() error {
	switch {
	case r.Kind == 0 || r.Kind > maxKind:
		return fmt.Errorf("capture.write: %s is not a kind of this version", r.Kind)
	case r.Direction > Out:
		return fmt.Errorf("capture.write: direction %d is neither in nor out", r.Direction)
	case len(r.Data) > MaxData:
		return fmt.Errorf("capture.write: %d bytes of data, the limit is %d", len(r.Data), MaxData)
	case len(r.Channel) > maxName || len(r.URL) > maxName:
		return fmt.Errorf("capture.write: channel or URL longer than %d bytes", maxName)
	case r.Conn == 0 && (r.Channel != "" || r.URL != ""):
		return errors.New("capture.write: a record with a channel or URL needs a connection number")
	}
	if y := r.Received.Year(); y < 1678 || y > 2261 {
		return fmt.Errorf("capture.write: receive time %s does not fit nanoseconds since 1970", r.Received.Format(time.RFC3339))
	}
	return nil
}

// DamageError says that bytes of a capture cannot be trusted. What they held
// is skipped; records after them are whole again. Readers yield it in place of
// the lost records.
type DamageError struct {
	Segment uint32 // number of the segment
	Offset  int64  // first damaged byte in the segment's file
	Bytes   int64  // how many bytes were skipped
	Records int64  // how many records are lost; -1 if that cannot be known
	Reason  string
}

// Error names the place, the loss and the reason.
func (e *DamageError) Error() string {
	lost := "an unknown number of records"
	if e.Records >= 0 {
		lost = strconv.FormatInt(e.Records, 10) + " records"
	}
	return fmt.Sprintf("capture segment %d, offset %d: %s; %d bytes with %s skipped", e.Segment, e.Offset, e.Reason, e.Bytes, lost)
}

// NoticeKind classifies a Notice.
type NoticeKind string

// What readers and writers notice without stopping.
const (
	// NoticeTorn: the open segment ends in part of a block, as a crash or a
	// write in progress leaves it. The part was cut (writer) or left out
	// (reader).
	NoticeTorn NoticeKind = "torn tail"
	// NoticeDamage: see Notice.Err, a *DamageError.
	NoticeDamage NoticeKind = "damage"
	// NoticeIndex: a sealed segment's index or header was unreadable and was
	// rebuilt from its blocks or its copy; no record is lost.
	NoticeIndex NoticeKind = "index rebuilt"
	// NoticeLeftover: a file of an interrupted sealing was removed or passed
	// over; the segment's records are whole in the other one.
	NoticeLeftover NoticeKind = "leftover"
	// NoticeUnsealed: a full segment stays uncompressed; Err says why.
	NoticeUnsealed NoticeKind = "not sealed"
)

// Notice is something a person should know about a capture.
type Notice struct {
	Kind    NoticeKind
	Segment uint32
	Offset  int64 // where in the segment's file
	Bytes   int64 // how many bytes it is about
	Err     error // *DamageError for NoticeDamage, the cause for NoticeUnsealed, else nil
}

// String is one line for a log.
func (n Notice) String() string {
	if n.Kind == NoticeDamage && n.Err != nil {
		return n.Err.Error()
	}
	s := fmt.Sprintf("capture segment %d, offset %d: %s (%d bytes)", n.Segment, n.Offset, n.Kind, n.Bytes)
	if n.Err != nil {
		s += ": " + n.Err.Error()
	}
	return s
}
