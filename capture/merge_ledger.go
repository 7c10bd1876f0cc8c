package capture

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/bywire/bywire/internal/wire"
)

// Ledger says what a merge of two captures took from where, and what is in
// neither. Its JSON is described in docs/capture-format.md.
type Ledger struct {
	A SourceReport `json:"a"`
	B SourceReport `json:"b"`
	// ShiftB is what was added to the receive times of B, in nanoseconds.
	ShiftB time.Duration `json:"shiftB"`
	// Difference is how much later B received what both have, after the shift:
	// the median of a sample, in nanoseconds. It is the clocks' difference and
	// that of the two ways from the venue. 0 if nothing is in both.
	Difference time.Duration `json:"difference"`

	Messages  int64         `json:"messages"` // data messages in the result
	OnlyA     int64         `json:"onlyA"`
	OnlyB     int64         `json:"onlyB"`
	Both      int64         `json:"both"`
	Gaps      int64         `json:"gaps"`    // places that either recording marks as not recorded, by topic
	Filled    int64         `json:"filled"`  // of these, that the other one fills
	Missing   int64         `json:"missing"` // places where something is in neither
	Late      int64         `json:"late"`
	Conflicts int64         `json:"conflicts"`
	Topics    []TopicLedger `json:"topics"`
}

// Whole reports whether nothing is missing, nothing came too late to be put in its
// place, and the recordings do not contradict each other.
func (l *Ledger) Whole() bool { return l.Missing == 0 && l.Late == 0 && l.Conflicts == 0 }

// SourceReport is what one recording of a merge holds.
type SourceReport struct {
	Dir      string `json:"dir"`
	Records  int64  `json:"records"`
	Frames   int64  `json:"frames"`
	Connects int64  `json:"connects"`
	Gaps     int64  `json:"gaps"`        // gap records
	Damaged  int64  `json:"damaged"`     // places of its files that cannot be trusted
	Lost     int64  `json:"lostRecords"` // in those places, as far as known
}

// TopicLedger is what a merge found on one topic of one channel.
type TopicLedger struct {
	Channel string `json:"channel"`
	Topic   string `json:"topic"`
	// Where the messages of the result are from.
	OnlyA int64 `json:"onlyA"`
	OnlyB int64 `json:"onlyB"`
	Both  int64 `json:"both"`
	// Repeats counts messages that one recording has twice.
	Repeats int64 `json:"repeats"`
	// Partly counts messages of trades that were kept though some of their trades
	// are in other messages; Contained those that were not, all being in others.
	Partly    int64 `json:"partly"`
	Contained int64 `json:"contained"`
	// Late counts messages that are not in the result: what comes after them was
	// written when they were read, which was beyond the window.
	Late int64 `json:"late"`
	// Places that A or B marks as not recorded, and how many of them lack
	// nothing in the result.
	GapsA   int64 `json:"gapsA"`
	GapsB   int64 `json:"gapsB"`
	FilledA int64 `json:"filledA"`
	FilledB int64 `json:"filledB"`
	// MissingPlaces and ConflictCount count what Missing and Conflicts list, which
	// end after 1,000 each.
	MissingPlaces int64      `json:"missingPlaces"`
	Missing       []Missing  `json:"missing"`
	ConflictCount int64      `json:"conflictCount"`
	Conflicts     []Conflict `json:"conflicts"`
	PartlyKnown   []Place    `json:"partlyKnown"` // ends after 1,000
	First         *time.Time `json:"first"`       // receive times in the result; nil without messages
	Last          *time.Time `json:"last"`
}

// maxListed bounds the lists of a topic's ledger.
const maxListed = 1000

// Missing is a place of a topic where both recordings lack something, or may.
type Missing struct {
	// FromU and ToU are the first and last update id of an order book that are
	// missing; ToU is 0 where the book began anew meanwhile, and both are on
	// topics without update ids.
	FromU int64 `json:"fromU,omitempty"`
	ToU   int64 `json:"toU,omitempty"`
	// From and To are the receive times of the messages before and behind; To is nil
	// where none came behind.
	From time.Time  `json:"from"`
	To   *time.Time `json:"to"`
}

// String says what is missing, as the gap record of the result does.
func (m *Missing) String() string {
	switch {
	case m.ToU != 0 && m.FromU == m.ToU:
		return fmt.Sprintf("u %d", m.FromU)
	case m.ToU != 0:
		return fmt.Sprintf("u %d to %d", m.FromU, m.ToU)
	case m.FromU != 0:
		return fmt.Sprintf("u %d to a restart", m.FromU)
	}
	text := "after " + m.From.UTC().Format(time.RFC3339Nano)
	if m.To != nil {
		text += " until " + m.To.UTC().Format(time.RFC3339Nano)
	}
	return text
}

// Place is where a message is in the recordings: the number of its record, 0 for
// none.
type Place struct {
	RecordA  uint64    `json:"recordA,omitempty"`
	RecordB  uint64    `json:"recordB,omitempty"`
	Received time.Time `json:"received"`
}

// Conflict is a message of which there are two versions. The result has the one
// that was received first, and a note behind it with the other.
type Conflict struct {
	Kept  Place `json:"kept"`
	Other Place `json:"other"`
	U     int64 `json:"u,omitempty"`
}

// gapTopic returns the topic that the text of a gap record begins with; "" if it
// begins with none.
func gapTopic(text []byte) string {
	name, _, ok := bytes.Cut(text, []byte(": "))
	if !ok {
		return ""
	}
	if _, err := wire.ParseTopic(string(name)); err != nil {
		return ""
	}
	return string(name)
}

// finish adds up the topics.
func (l *Ledger) finish(m *merging) {
	l.Difference = m.apart.median()
	l.Topics = []TopicLedger{}
	for _, t := range m.order {
		r := &t.report
		if r.First == nil && r.GapsA+r.GapsB == 0 {
			continue
		}
		l.OnlyA += r.OnlyA
		l.OnlyB += r.OnlyB
		l.Both += r.Both
		l.Gaps += r.GapsA + r.GapsB
		l.Filled += r.FilledA + r.FilledB
		l.Missing += r.MissingPlaces
		l.Late += r.Late
		l.Conflicts += r.ConflictCount
		l.Topics = append(l.Topics, *r)
	}
	l.Messages = l.OnlyA + l.OnlyB + l.Both
	slices.SortFunc(l.Topics, func(a, b TopicLedger) int {
		return cmp.Or(cmp.Compare(a.Channel, b.Channel), cmp.Compare(a.Topic, b.Topic))
	})
}

// differences samples how far apart the recorders received the same messages:
// when the sample is full, every second of it goes, and half as many come in.
type differences struct {
	sample []time.Duration
	every  int
	skip   int
}

const maxDifferences = 4096

func (d *differences) add(x time.Duration) {
	if d.skip > 0 {
		d.skip--
		return
	}
	if len(d.sample) == maxDifferences {
		for i := range maxDifferences / 2 {
			d.sample[i] = d.sample[2*i]
		}
		d.sample = d.sample[:maxDifferences/2]
		d.every = 2*d.every + 1
	}
	d.sample = append(d.sample, x)
	d.skip = d.every
}

func (d *differences) median() time.Duration {
	if len(d.sample) == 0 {
		return 0
	}
	slices.Sort(d.sample)
	return d.sample[len(d.sample)/2]
}
