// Package wiretest reads the conversations in testdata/wire: what a client says
// and what a server of a family answers, byte for byte. One file serves two
// tests: the server is played against its client parts, the client against its
// server parts.
//
// A file is a txtar archive. Its comment, before the first section, is a header:
//
//	channel: linear
//	topics: orderbook.50.BTCUSDT publicTrade.BTCUSDT
//	What the conversation shows, in words, with the documentation's page.
//
// topics lists what the server must have so that the answers come out; it has
// nothing else, and it need not send any data. The sections follow in the order
// of the conversation, named by number and side, one frame a line:
//
//	-- 01-client --
//	{"req_id":"$REQ1","op":"ping"}
//	-- 02-server --
//	{"success":true,"ret_msg":"pong","conn_id":"$CONN","req_id":"$REQ1","op":"ping"}
//
// A frame may hold placeholders, a dollar and capitals. $MS is a time in Unix
// milliseconds and may differ each time. Any other, such as $CONN and $REQ1,
// stands for one text throughout the conversation: Match takes it from the first
// frame that has it, Expand writes it. A player sets those that it decides on,
// such as $KEY, $EXPIRES and $SIGN of an authentication, before it begins; times
// in Expand come from the variable MS.
//
// All of one client section may be sent at once. The answers to it come in their
// order, before the next client section; data frames between them are the
// player's to skip (wire.IsControl tells).
package wiretest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bywire/bywire/internal/wire"
)

// Conversation is one file.
type Conversation struct {
	Name    string       // the file's name without .txtar
	Channel wire.Channel // where it takes place
	Topics  []string     // what the server has
	Rule    string       // what it shows, in words
	Parts   []Part       // in order
}

// Side is who speaks.
type Side string

// The two sides.
const (
	Client Side = "client"
	Server Side = "server"
)

// Part is a run of frames from one side.
type Part struct {
	Name   string // the section's name, for messages: "01-client"
	From   Side
	Frames []string // with placeholders
}

// Load reads the conversation of a path; a bare name such as "spot.txtar" is
// looked for in the repository's testdata/wire. It ends the test on any error.
func Load(tb testing.TB, path string) Conversation {
	tb.Helper()
	if filepath.Base(path) == path {
		path = filepath.Join(Dir(tb), path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		tb.Fatalf("wiretest: %v", err)
	}
	c, err := Parse(text)
	if err != nil {
		tb.Fatalf("wiretest: %s: %v", path, err)
	}
	c.Name = strings.TrimSuffix(filepath.Base(path), ".txtar")
	return c
}

// LoadAll reads every conversation of testdata/wire, in the order of names.
func LoadAll(tb testing.TB) []Conversation {
	tb.Helper()
	paths, err := filepath.Glob(filepath.Join(Dir(tb), "*.txtar"))
	if err != nil || len(paths) == 0 {
		tb.Fatalf("wiretest: no conversations in %s: %v", Dir(tb), err)
	}
	all := make([]Conversation, len(paths))
	for i, path := range paths {
		all[i] = Load(tb, path)
	}
	return all
}

// Dir returns the repository's testdata/wire, found above the test's folder.
func Dir(tb testing.TB) string {
	tb.Helper()
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatalf("wiretest: %v", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, "testdata", "wire")
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			tb.Fatal("wiretest: no go.mod above the working directory")
		}
		dir = parent
	}
}

// Parse reads a conversation's text. The sides must take turns, the client
// first.
func Parse(text []byte) (Conversation, error) {
	var c Conversation
	var rule []string
	for n, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		if name, ok := section(line); ok {
			_, side, _ := strings.Cut(name, "-")
			want := Client
			if len(c.Parts)%2 == 1 {
				want = Server
			}
			if side != string(want) || name != fmt.Sprintf("%02d-%s", len(c.Parts)+1, want) {
				return c, fmt.Errorf("line %d: section %q, want %02d-%s", n+1, name, len(c.Parts)+1, want)
			}
			c.Parts = append(c.Parts, Part{Name: name, From: want})
			continue
		}
		switch {
		case len(c.Parts) > 0:
			p := &c.Parts[len(c.Parts)-1]
			if line == "" {
				return c, fmt.Errorf("line %d: an empty frame", n+1)
			}
			p.Frames = append(p.Frames, line)
		case strings.HasPrefix(line, "channel:"):
			c.Channel = wire.Channel(strings.TrimSpace(strings.TrimPrefix(line, "channel:")))
		case strings.HasPrefix(line, "topics:"):
			c.Topics = append(c.Topics, strings.Fields(strings.TrimPrefix(line, "topics:"))...)
		default:
			rule = append(rule, line)
		}
	}
	c.Rule = strings.TrimSpace(strings.Join(rule, "\n"))
	switch {
	case !c.Channel.IsKnown():
		return c, fmt.Errorf("channel %q does not exist", c.Channel)
	case c.Rule == "":
		return c, errors.New("the header says no rule")
	case len(c.Parts) == 0 || len(c.Parts)%2 == 1:
		return c, fmt.Errorf("%d sections, want pairs of client and server", len(c.Parts))
	}
	for _, p := range c.Parts {
		if len(p.Frames) == 0 {
			return c, fmt.Errorf("section %s has no frame", p.Name)
		}
	}
	return c, nil
}

// section returns the name in a line such as "-- 01-client --".
func section(line string) (name string, ok bool) {
	if name, ok = strings.CutPrefix(line, "-- "); !ok {
		return "", false
	}
	return strings.CutSuffix(name, " --")
}

// Match compares a frame with what the conversation wants, byte for byte. A
// placeholder that vars knows must have that text; a new one takes what stands
// there, up to a quote or another mark of JSON, and vars remembers it. $MS takes
// any 13 digits and is not remembered.
func Match(want, got []byte, vars map[string]string) error {
	rest := got
	for pattern := want; ; {
		literal, name, after := cutPlaceholder(pattern)
		if !bytes.HasPrefix(rest, literal) {
			return mismatch(want, got, "differs from "+string(pattern))
		}
		rest = rest[len(literal):]
		if name == "" {
			if len(rest) > 0 {
				return mismatch(want, got, "goes on after the end")
			}
			return nil
		}
		pattern = after
		known, ok := vars[name]
		ok = ok && name != ms
		switch n := bytes.IndexAny(rest, "\",[]{}: \t\\"); {
		case ok && !bytes.HasPrefix(rest, []byte(known)):
			return mismatch(want, got, "$"+name+" is "+known+" before")
		case ok:
			rest = rest[len(known):]
		case n < 0:
			return mismatch(want, got, "$"+name+" does not end")
		case n == 0:
			return mismatch(want, got, "$"+name+" is empty")
		case name == ms && (n != 13 || len(bytes.Trim(rest[:n], "0123456789")) > 0):
			return mismatch(want, got, "$MS is no time in milliseconds")
		default:
			if name != ms && vars != nil {
				vars[name] = string(rest[:n])
			}
			rest = rest[n:]
		}
	}
}

// ms is the placeholder that may differ each time.
const ms = "MS"

// mismatch words an error of Match.
func mismatch(want, got []byte, why string) error {
	return fmt.Errorf("%s\n got %s\nwant %s", why, got, want)
}

// Expand writes the placeholders of a frame. One that vars does not have is made
// up and remembered: its name in small letters, such as "req1". $MS and $EXPIRES
// must be in vars, since they have to fit the other side's clock.
func Expand(frame string, vars map[string]string) ([]byte, error) {
	var out []byte
	for pattern := []byte(frame); ; {
		literal, name, after := cutPlaceholder(pattern)
		out = append(out, literal...)
		if name == "" {
			return out, nil
		}
		pattern = after
		value, ok := vars[name]
		if !ok {
			if name == ms || name == "EXPIRES" {
				return nil, fmt.Errorf("wiretest: $%s is not set for %s", name, frame)
			}
			value = strings.ToLower(name)
			vars[name] = value
		}
		out = append(out, value...)
	}
}

// cutPlaceholder splits at the first placeholder: what comes before, its name
// without the dollar, what comes after. Without one the name is empty.
func cutPlaceholder(pattern []byte) (literal []byte, name string, after []byte) {
	for i, b := range pattern {
		if b != '$' {
			continue
		}
		end := i + 1
		for end < len(pattern) && ('A' <= pattern[end] && pattern[end] <= 'Z' || end > i+1 && '0' <= pattern[end] && pattern[end] <= '9') {
			end++
		}
		if end > i+1 {
			return pattern[:i], string(pattern[i+1 : end]), pattern[end:]
		}
	}
	return pattern, "", nil
}
