// Package live finds where frames of the exchange differ from what this project
// takes them to be: fields that no type knows, keys in another order, update ids
// that skip, control frames of another shape.
//
//	frame ──▶ Check.Frame ──▶ decode, encode again, compare ──▶ Deviation, counted
//
// Decoding and encoding gives the venue's bytes again for every shape that is
// known, so any difference is news, and its place says what kind of news. A Check
// looks at the frames of one connection, in the order in which they came; it has
// no clock and no network. What it keeps of a frame names no person: connection
// ids and addresses are cut out.
package live

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/internal/wire"
)

// Kind says what is different.
type Kind string

// The kinds, the most interesting first.
const (
	Undecodable  Kind = "undecodable"   // no valid message of its topic
	UnknownTopic Kind = "unknown topic" // no type carries it
	UnknownField Kind = "unknown field" // a key that no type has
	KeyOrder     Kind = "key order"     // known keys in another order
	AbsentField  Kind = "absent field"  // a key that is written back although it was not there
	Value        Kind = "value"         // the same keys, and a value that is written differently
	UpdateGap    Kind = "update gap"    // u does not follow
	Control      Kind = "control frame" // an acknowledgement or pong of another shape
	Refusal      Kind = "refusal"       // a request refused in other words, or that should not be refused
)

// Deviation is one difference, with how often it was seen.
type Deviation struct {
	Kind    Kind   `json:"kind"`
	Topic   string `json:"topic,omitempty"` // with the symbol as {symbol}; "" for control frames
	Type    string `json:"type,omitempty"`  // snapshot or delta
	Path    string `json:"path,omitempty"`  // of the key, such as data.b[]
	Want    string `json:"want,omitempty"`  // what bywire would have written
	Got     string `json:"got,omitempty"`   // what came
	Count   int    `json:"count"`
	Example string `json:"example"` // the first frame, cut if it is long
}

// maxExample bounds an example, maxDeviations the list: an exchange that changes
// a value in every message shall not fill a disk.
const (
	maxExample    = 4 << 10
	maxDeviations = 500
)

// Check collects the deviations of one connection. It belongs to one goroutine.
type Check struct {
	ch         bybit.Channel
	deviations []*Deviation
	left       int              // deviations beyond maxDeviations
	messages   map[string]int   // data messages by topic
	last       map[string]int64 // u by topic of an order book
	encoded    []byte
}

// NewCheck returns a Check for the frames of a channel.
func NewCheck(ch bybit.Channel) *Check {
	return &Check{ch: ch, messages: make(map[string]int), last: make(map[string]int64)}
}

// Deviations returns what was found, in the order in which it was first seen, and
// how many there were beyond the bound of the list.
func (c *Check) Deviations() ([]*Deviation, int) { return c.deviations, c.left }

// Messages is how many data messages of a topic came.
func (c *Check) Messages(topic string) int { return c.messages[topic] }

// add counts a deviation.
func (c *Check) add(d Deviation, frame []byte) {
	for _, k := range c.deviations {
		if k.Kind == d.Kind && k.Topic == d.Topic && k.Type == d.Type && k.Path == d.Path && (d.Kind != KeyOrder && d.Kind != Control && d.Kind != Refusal || k.Got == d.Got) {
			k.Count++
			return
		}
	}
	if len(c.deviations) >= maxDeviations {
		c.left++
		return
	}
	d.Count = 1
	d.Example = cut(string(frame), maxExample)
	c.deviations = append(c.deviations, &d)
}

func cut(s string, most int) string {
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}

// Frame looks at a data frame. It does not keep it.
func (c *Check) Frame(frame []byte) {
	name, ok := wire.FrameTopic(frame)
	if !ok {
		c.add(Deviation{Kind: UnknownTopic, Got: "no topic"}, frame)
		return
	}
	c.messages[string(name)]++
	form := formOf(string(name))
	topic, err := bybit.ParseTopic(string(name))
	m, known := bybit.NewMessage(topic)
	if err != nil || !known {
		c.add(Deviation{Kind: UnknownTopic, Topic: form}, frame)
		return
	}
	if err := m.Decode(frame); err != nil {
		c.add(Deviation{Kind: Undecodable, Topic: form, Got: cut(err.Error(), 300)}, frame)
		return
	}
	if b, isBook := m.(*bybit.BookMessage); isBook {
		c.follow(string(name), form, b, frame)
	}
	c.encoded = m.AppendJSON(c.encoded[:0], c.ch)
	if bytes.Equal(c.encoded, frame) {
		return
	}
	kind := typeOf(frame)
	for _, d := range differences(frame, c.encoded) {
		d.Topic, d.Type = form, kind
		c.add(d, frame)
	}
}

// follow checks that update ids rise by one, except where a message replaces the
// book.
func (c *Check) follow(name, form string, m *bybit.BookMessage, frame []byte) {
	last, seen := c.last[name]
	c.last[name] = m.ID
	// An option book without levels has had 0 for its update id.
	if !seen || m.Snapshot || m.ID == 1 || last == 0 || m.ID == last+1 {
		return
	}
	c.add(Deviation{Kind: UpdateGap, Topic: form, Path: "data.u", Want: fmt.Sprint(last + 1), Got: fmt.Sprint(m.ID)}, frame)
}

// Reply looks at a control frame. want is the text that a refusal should have,
// or "" if the request should succeed; any pong is as good as another.
func (c *Check) Reply(frame []byte, want string) (wire.Reply, bool) {
	r, err := wire.ParseReply(frame)
	if err != nil {
		c.add(Deviation{Kind: Control, Got: cut(err.Error(), 300)}, Scrub(frame, ""))
		return r, false
	}
	shown := Scrub(frame, r.ConnID)
	family := wire.Channel(c.ch).Family()
	if ours := wire.AppendReply(nil, family, &r); !bytes.Equal(ours, frame) {
		for _, d := range differences(frame, ours) {
			d.Got = d.Path + ": " + string(d.Kind) + ": " + d.Got
			d.Path, d.Kind = r.Op, Control
			d.Got, d.Want = string(Scrub([]byte(d.Got), r.ConnID)), string(Scrub([]byte(d.Want), r.ConnID))
			c.add(d, shown)
		}
	}
	if r.Op == wire.OpPong || family == wire.FamilyOption && r.Message == "" {
		return r, true
	}
	got := r.Message
	if r.Success {
		got = ""
	} else if got == "" {
		got = "refused without a text"
	}
	if got != want {
		c.add(Deviation{Kind: Refusal, Path: r.Op, Want: orSuccess(want), Got: orSuccess(got)}, shown)
	}
	return r, true
}

// Unanswered notes a request that got no reply.
func (c *Check) Unanswered(op string, request []byte) {
	c.add(Deviation{Kind: Control, Path: op, Want: "a reply", Got: "none"}, request)
}

func orSuccess(message string) string {
	if message == "" {
		return "success"
	}
	return message
}

var addresses = regexp.MustCompile(`\b\d{1,3}(\.\d{1,3}){3}\b|\b[0-9a-fA-F]{1,4}(:[0-9a-fA-F]{0,4}){3,}`)

// Scrub returns a copy of a text without the connection's id and without network
// addresses.
func Scrub(text []byte, connID string) []byte {
	if connID != "" {
		text = bytes.ReplaceAll(text, []byte(connID), []byte("..."))
	}
	return addresses.ReplaceAll(slices.Clone(text), []byte("..."))
}

// formOf is a topic with its symbol replaced, so that what is true of many
// symbols is said once.
func formOf(name string) string {
	t, err := wire.ParseTopic(name)
	if err != nil || t.Symbol == "" {
		return name
	}
	return strings.TrimSuffix(name, t.Symbol) + "{symbol}"
}

// typeOf is the type of a frame.
func typeOf(frame []byte) string {
	var head struct{ Type string }
	if json.Unmarshal(frame, &head) != nil {
		return ""
	}
	return head.Type
}
