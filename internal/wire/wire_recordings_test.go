//go:build recordings

package wire

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/bywire/bywire/internal/recordings"
)

// spec is the part of ws.json that this package is held to.
type spec struct {
	Topics []struct {
		Channel  oneOrMore `json:"channel"`
		Topic    string    `json:"topic"`
		Topics   []string  `json:"topics"`
		Depths   map[string]map[string]string
		Examples []struct {
			JSON json.RawMessage `json:"json"`
		} `json:"examples"`
	} `json:"topics"`
	Control map[string]json.RawMessage `json:"control"`
	Trade   struct {
		Ops map[string]struct {
			Request  json.RawMessage `json:"example_request"`
			Response json.RawMessage `json:"example_response"`
		} `json:"ops"`
	} `json:"trade"`
	Hosts struct {
		Paths map[string]string `json:"paths"`
	} `json:"hosts"`
}

// oneOrMore is a string or an array of strings.
type oneOrMore []string

// UnmarshalJSON accepts both.
func (o *oneOrMore) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*o = []string{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(o))
}

// specChannels names the channels as ws.json does.
var specChannels = map[string]Channel{
	"public-spot": Spot, "public-linear": Linear, "public-inverse": Inverse, "public-option": Option,
	"public-spread": Spread, "public-rfq": RFQ, "public-misc": Status, "public-fp": Finance,
	"private": Private, "trade": Trade,
}

// loadSpec reads ws.json.
func loadSpec(t *testing.T) *spec {
	t.Helper()
	b, err := os.ReadFile(recordings.Path(t, "spec/ws.json"))
	if err != nil {
		t.Fatal(err)
	}
	var s spec
	if err := json.Unmarshal(b, &s); err != nil {
		t.Fatal(err)
	}
	return &s
}

// TestSpecPaths compares the paths of the channels.
func TestSpecPaths(t *testing.T) {
	s := loadSpec(t)
	for name, ch := range specChannels {
		if got, want := ch.Path(), s.Hosts.Paths[name]; got != want {
			t.Errorf("%s: path %q, want %q", ch, got, want)
		}
	}
}

// TestSpecTopics reads every topic name of ws.json, in its patterns and in its
// examples, on the channels it is listed for.
func TestSpecTopics(t *testing.T) {
	s := loadSpec(t)
	kinds := map[Kind]bool{}
	check := func(name string, channels []string) {
		topic, err := ParseTopic(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		kinds[topic.Kind] = true
		if topic.String() != name {
			t.Errorf("%s prints as %s", name, topic)
		}
		fits := false
		for _, ch := range channels {
			fits = fits || topic.CheckOn(specChannels[ch]) == nil
		}
		if !fits {
			t.Errorf("%s is on none of %v: %v", name, channels, topic.CheckOn(specChannels[channels[0]]))
		}
	}
	fill := strings.NewReplacer("{symbol}", "BTCUSDT", "{interval}", "5", "{group}", "USDC", "{product}", "option")
	examples := 0
	for _, row := range s.Topics {
		for _, ch := range row.Channel {
			for name := range row.Depths {
				if specChannels[ch] != Channel(name) {
					continue
				}
				for levels, push := range row.Depths[name] {
					pattern := strings.ReplaceAll(row.Topic, "{depth}", levels)
					topic, err := ParseTopic(fill.Replace(pattern))
					if err != nil {
						t.Errorf("%s: %v", pattern, err)
						continue
					}
					check(topic.String(), []string{ch})
					if got := topic.PushOn(specChannels[ch]).Max.String(); got != push {
						t.Errorf("%s on %s pushes every %s, want %s", topic, ch, got, push)
					}
				}
			}
			if !strings.Contains(row.Topic, "{depth}") {
				check(fill.Replace(row.Topic), []string{ch})
			}
		}
		for _, name := range row.Topics {
			check(name, row.Channel)
		}
		for _, e := range row.Examples {
			var m struct {
				Op    string   `json:"op"`
				Args  []string `json:"args"`
				Topic string   `json:"topic"`
			}
			if err := json.Unmarshal(e.JSON, &m); err != nil {
				t.Fatal(err)
			}
			for _, name := range append(m.Args, m.Topic) {
				if name != "" {
					check(name, row.Channel)
					examples++
				}
			}
			frame := compact(e.JSON)
			if m.Topic != "" {
				if IsControl(frame) {
					t.Errorf("IsControl(%.60s) = true", frame)
				}
				continue
			}
			if m.Op == OpSubscribe && m.Args != nil {
				checkRequest(t, e.JSON)
			} else {
				checkReply(t, FamilySpot, e.JSON)
			}
		}
	}
	for _, k := range Kinds() {
		if !kinds[k] {
			t.Errorf("ws.json has no topic of kind %s", k)
		}
	}
	t.Logf("%d kinds, %d names in examples", len(kinds), examples)
}

// TestSpecControl writes and reads every control frame of ws.json and demands
// the same bytes.
func TestSpecControl(t *testing.T) {
	s := loadSpec(t)
	frames := 0
	for name, raw := range s.Control {
		var family map[string]struct {
			Request  json.RawMessage `json:"request"`
			Response json.RawMessage `json:"response"`
		}
		if json.Unmarshal(raw, &family) != nil {
			continue // "same as" another, or not documented
		}
		for _, frame := range family {
			checkRequest(t, frame.Request)
			frames++
			if isObject(frame.Response) {
				checkReply(t, specChannels[name].Family(), frame.Response)
				frames++
			}
		}
	}
	for _, op := range s.Trade.Ops {
		checkRequest(t, op.Request)
		checkReply(t, FamilyTrade, op.Response)
		frames += 2
	}
	if frames < 30 {
		t.Errorf("only %d frames", frames)
	}
}

// checkRequest demands that a documented request keeps its meaning. Its keys are
// in no fixed order in the documentation.
func checkRequest(t *testing.T, raw json.RawMessage) {
	t.Helper()
	r, err := ParseRequest(raw)
	if err != nil {
		t.Errorf("%s: %v", raw, err)
		return
	}
	var want, got map[string]any
	out := AppendRequest(nil, &r)
	if json.Unmarshal(raw, &want) != nil || json.Unmarshal(out, &got) != nil {
		t.Fatalf("%s became %s", raw, out)
	}
	delete(want, "id") // on one spread page, in the place of req_id
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s became %s", raw, out)
	}
}

// checkReply demands that a documented reply comes back byte for byte.
func checkReply(t *testing.T, family Family, raw json.RawMessage) {
	t.Helper()
	frame := compact(raw)
	r, err := ParseReply(frame)
	if err != nil {
		t.Errorf("%s: %v", frame, err)
		return
	}
	if out := AppendReply(nil, family, &r); !bytes.Equal(out, frame) {
		t.Errorf("%v:\n got %s\nwant %s", family, out, frame)
	}
	if !r.Success && r.Code == 0 {
		t.Errorf("%s reads as a refusal", frame)
	}
	if !IsControl(frame) {
		t.Errorf("IsControl(%s) = false", frame)
	}
}

// TestRecordedFrames classifies every frame of the V5 recordings, reads the
// topic of each data frame, and demands control frames back byte for byte.
func TestRecordedFrames(t *testing.T) {
	control, data := 0, 0
	for _, folder := range []string{"testdata/real/ws_v5", "testdata/real/private_v5"} {
		dir := recordings.Path(t, folder)
		family := FamilySpot
		if strings.HasSuffix(folder, "private_v5") {
			family = FamilyPrivate
		}
		paths, err := filepath.Glob(filepath.Join(dir, "*.jsonl*"))
		if err != nil || len(paths) == 0 {
			t.Fatalf("%s: %v, %d files", dir, err, len(paths))
		}
		for _, path := range paths {
			for _, frame := range recordedFrames(t, path) {
				if IsControl(frame) {
					control++
					checkReply(t, family, frame)
					continue
				}
				data++
				var m struct {
					Topic string `json:"topic"`
				}
				if err := json.Unmarshal(frame, &m); err != nil || m.Topic == "" {
					t.Errorf("%s: %.80s: %v", path, frame, err)
					continue
				}
				if topic, err := ParseTopic(m.Topic); err == nil {
					if topic.String() != m.Topic {
						t.Errorf("%s prints as %s", m.Topic, topic)
					}
				} else if _, _, ok := Translate(m.Topic); !ok {
					t.Errorf("%s: %v", m.Topic, err)
				}
			}
		}
	}
	if control < 3 || data < 700 {
		t.Errorf("%d control and %d data frames", control, data)
	}
}

// TestRecordedV2Topics translates every name of the V2 recordings that carries
// its symbol.
func TestRecordedV2Topics(t *testing.T) {
	translated := 0
	for _, frame := range recordedFrames(t, recordings.Path(t, "testdata/real/legacy_v2/frames_mixed_v2.jsonl.gz")) {
		var m struct {
			Topic string `json:"topic"`
		}
		if err := json.Unmarshal(frame, &m); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(m.Topic, ".") {
			continue // spot V1 has the symbol beside the topic
		}
		name, ch, ok := Translate(m.Topic)
		if !ok {
			t.Errorf("%s has no successor", m.Topic)
			continue
		}
		topic, err := ParseTopic(name)
		if err == nil {
			err = topic.CheckOn(ch)
		}
		if err != nil {
			t.Errorf("%s: %v", m.Topic, err)
		}
		translated++
	}
	if translated < 30 {
		t.Errorf("only %d names", translated)
	}
}

// recordedFrames returns the frames of a file: one a line, or in the field
// "frame" of each line, as an object or as text.
func recordedFrames(t *testing.T, path string) [][]byte {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var r io.Reader = file
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(file); err != nil {
			t.Fatal(err)
		}
	}
	var frames [][]byte
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<22)
	for lines.Scan() {
		line := bytes.Clone(lines.Bytes())
		var wrapped struct {
			Frame json.RawMessage `json:"frame"`
		}
		if json.Unmarshal(line, &wrapped) == nil && wrapped.Frame != nil {
			line = wrapped.Frame
			var text string
			if json.Unmarshal(line, &text) == nil {
				line = []byte(text)
			}
		}
		frames = append(frames, line)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return frames
}
