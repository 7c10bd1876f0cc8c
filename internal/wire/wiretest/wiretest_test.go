package wiretest

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"github.com/bywire/bywire/internal/wire"
)

// TestConversations holds the files themselves to package wire: every client
// frame but the broken ones is a request, every server frame is what its family
// writes, byte for byte, and the topics exist where the file says.
func TestConversations(t *testing.T) {
	seen := map[wire.Channel]bool{}
	for _, c := range LoadAll(t) {
		t.Run(c.Name, func(t *testing.T) {
			seen[c.Channel] = true
			for _, name := range c.Topics {
				topic, err := wire.ParseTopic(name)
				if err == nil {
					err = topic.CheckOn(c.Channel)
				}
				if err != nil {
					t.Error(err)
				}
			}
			vars := map[string]string{
				"CONN": "d9avrao7pl3bpiuoku0g-7tmms", "MS": "1767225600123", "EXPIRES": "1767225610000",
			}
			frames := map[string]bool{}
			for _, part := range c.Parts {
				for _, frame := range part.Frames {
					text, err := Expand(frame, vars)
					if err != nil {
						t.Fatal(err)
					}
					if part.From == Client {
						_, err := wire.ParseRequest(text)
						if broken := !json.Valid(text); broken != (err != nil) {
							t.Errorf("%s: %s: %v", part.Name, text, err)
						}
						continue
					}
					reply, err := wire.ParseReply(text)
					if err != nil {
						t.Errorf("%s: %s: %v", part.Name, text, err)
						continue
					}
					why, _ := reply.Refused()
					frames[reply.Op] = true
					if why == wire.RefusalOther {
						t.Errorf("%s: %s is no refusal that a client knows", part.Name, text)
					}
					if got := wire.AppendReply(nil, c.Channel.Family(), &reply); string(got) != string(text) {
						t.Errorf("%s:\n got %s\nwant %s", part.Name, got, text)
					}
					if err := Match([]byte(frame), text, maps.Clone(vars)); err != nil {
						t.Errorf("%s: %v", part.Name, err)
					}
				}
			}
			if !frames[wire.OpPong] {
				t.Error("no pong")
			}
		})
	}
	for _, ch := range wire.Channels() {
		if !seen[ch] {
			t.Errorf("no conversation on %s", ch)
		}
	}
}

func TestParse(t *testing.T) {
	question := "channel: spot\ntopics: tickers.BTCUSDT tickers.ETHUSDT\nA rule\nin two lines.\n-- 01-client --\n{\"op\":\"ping\"}\nhello\n"
	good := question + "-- 02-server --\n{}\n"
	c, err := Parse([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	if c.Channel != wire.Spot || c.Rule != "A rule\nin two lines." || len(c.Topics) != 2 || len(c.Parts) != 2 {
		t.Errorf("%+v", c)
	}
	if p := c.Parts[0]; p.From != Client || p.Name != "01-client" || len(p.Frames) != 2 || p.Frames[1] != "hello" {
		t.Errorf("%+v", p)
	}
	for name, text := range map[string]string{
		"no channel":       strings.Replace(good, "channel: spot", "", 1),
		"unknown channel":  strings.Replace(good, "spot", "moon", 1),
		"no rule":          strings.Replace(good, "A rule\nin two lines.\n", "", 1),
		"no section":       "channel: spot\nA rule\n",
		"server first":     strings.Replace(good, "01-client", "01-server", 1),
		"wrong number":     strings.Replace(good, "02-server", "03-server", 1),
		"twice the client": strings.Replace(good, "02-server", "02-client", 1),
		"no answer":        question,
		"empty section":    strings.Replace(good, "{}\n", "", 1),
		"empty frame":      strings.Replace(good, "{}", "", 1),
	} {
		if c, err := Parse([]byte(text)); err == nil {
			t.Errorf("%s: %+v", name, c)
		}
	}
}

func TestMatch(t *testing.T) {
	tests := []struct {
		name, want, got string
		vars            map[string]string
		after           map[string]string // nil: no match
	}{
		{"equal", `{"op":"ping"}`, `{"op":"ping"}`, nil, map[string]string{}},
		{"capture", `{"c":"$CONN","r":"$REQ1"}`, `{"c":"ab-c","r":"7"}`, nil, map[string]string{"CONN": "ab-c", "REQ1": "7"}},
		{"known", `["$CONN"]`, `["x"]`, map[string]string{"CONN": "x"}, map[string]string{"CONN": "x"}},
		{"known and other", `["$CONN"]`, `["y"]`, map[string]string{"CONN": "x"}, nil},
		{"known and longer", `["$CONN"]`, `["xy"]`, map[string]string{"CONN": "x"}, nil},
		{"twice", `["$CONN","$CONN"]`, `["x","x"]`, nil, map[string]string{"CONN": "x"}},
		{"twice and other", `["$CONN","$CONN"]`, `["x","y"]`, nil, nil},
		{"time", `["$MS","$MS"]`, `["1767225600123","1767225600124"]`, nil, map[string]string{}},
		{"time despite a variable", `["$MS"]`, `["1767225600123"]`, map[string]string{"MS": "1"}, map[string]string{"MS": "1"}},
		{"no time", `["$MS"]`, `["soon"]`, nil, nil},
		{"short time", `["$MS"]`, `["1767225600"]`, nil, nil},
		{"number", `[$EXPIRES]`, `[1767225600123]`, nil, map[string]string{"EXPIRES": "1767225600123"}},
		{"empty", `["$CONN"]`, `[""]`, nil, nil},
		{"no end", `$CONN`, `x`, nil, nil},
		{"space", `{"a":1}`, `{"a": 1}`, nil, nil},
		{"shorter", `{"a":1}`, `{"a":`, nil, nil},
		{"longer", `{"a":1}`, `{"a":1}}`, nil, nil},
		{"a dollar alone", `["$","$a"]`, `["$","$a"]`, nil, map[string]string{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			vars := map[string]string{}
			maps.Copy(vars, tt.vars)
			err := Match([]byte(tt.want), []byte(tt.got), vars)
			if (err == nil) != (tt.after != nil) {
				t.Fatalf("err = %v", err)
			}
			if err == nil && !maps.Equal(vars, tt.after) {
				t.Errorf("variables %v, want %v", vars, tt.after)
			}
		})
	}
}

func TestExpand(t *testing.T) {
	vars := map[string]string{"KEY": "k", "EXPIRES": "9"}
	got, err := Expand(`{"req_id":"$REQ1","args":["$KEY",$EXPIRES,"$SIGN"]}`, vars)
	if want := `{"req_id":"req1","args":["k",9,"sign"]}`; err != nil || string(got) != want {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
	if vars["REQ1"] != "req1" {
		t.Errorf("variables: %v", vars)
	}
	if got, err := Expand(`["$MS"]`, vars); err == nil {
		t.Errorf("a time from nowhere: %s", got)
	}
}
