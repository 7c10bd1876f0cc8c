//go:build recordings

package bybit

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bywire/bywire/internal/recordings"
)

// recorded is one frame of a recording and where it came from.
type recorded struct {
	name  string // file:line, or the label of a documented example
	ch    Channel
	frame []byte
}

// byMeaning names the recorded frames whose keys are not in the order that the
// venue has today or documents; they are compared by meaning. The key is a
// file, or a part of the frame.
var byMeaning = map[string]string{
	"testnet_linear_tickers_BTCUSDT_20250523.jsonl.gz":                   "the recorder sorted the keys",
	`"topic":"orderbook.1.BTCUSDT","type":"snapshot","ts":1758841134603`: "of September 2025, when futures still put the type before ts at depth 1",
	`"tickers.BTC-28JUN24-60000-P-6222585724-1715742949283"`:             "an option ticker with the id behind the type, unlike the documentation's",
}

// TestRecordedFrames decodes every recorded frame and encodes it to the same
// bytes.
func TestRecordedFrames(t *testing.T) {
	want := map[string]int{
		"frames_mixed_public.jsonl":                            38,
		"linear_kline_all-intervals_BTCUSDT_20240704.jsonl.gz": 549,
		"linear_orderbook500_XRPUSDT_20241201.jsonl.gz":        50,
		"spot_orderbook50_BTCUSDT_20260824.jsonl":              9,
		"testnet_linear_tickers_BTCUSDT_20250523.jsonl.gz":     102,
	}
	dir := recordings.Path(t, "testdata/real/ws_v5")
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, entry := range entries {
		frames := readRecording(t, filepath.Join(dir, entry.Name()))
		if len(frames) != want[entry.Name()] {
			t.Errorf("%s: %d frames, want %d", entry.Name(), len(frames), want[entry.Name()])
		}
		for _, f := range frames {
			roundTrip(t, f, used)
		}
	}
	for key, reason := range byMeaning {
		if !used[key] {
			t.Errorf("the exception %s (%s) met no frame", key, reason)
		}
	}
}

// TestDocumentedMessages does the same for the examples of the documentation.
func TestDocumentedMessages(t *testing.T) {
	file, err := os.ReadFile(recordings.Path(t, "spec/ws.json"))
	if err != nil {
		t.Fatal(err)
	}
	var spec struct {
		Topics []struct {
			Channel  json.RawMessage
			Topic    string
			Examples []struct {
				Label string
				JSON  json.RawMessage
			}
		}
	}
	if err := json.Unmarshal(file, &spec); err != nil {
		t.Fatal(err)
	}
	// The examples that lead with ts are spot's.
	spotExamples := map[string]bool{"orderbook.rpi.{symbol}": true, "orderbook.full.{symbol}": true}
	n := 0
	for _, topic := range spec.Topics {
		var channels []string
		if json.Unmarshal(topic.Channel, &channels) != nil {
			channels = []string{strings.Trim(string(topic.Channel), `"`)}
		}
		if !strings.HasPrefix(channels[0], "public-") {
			continue
		}
		ch := Channel(strings.TrimPrefix(channels[0], "public-"))
		for _, example := range topic.Examples {
			var frame bytes.Buffer
			if err := json.Compact(&frame, example.JSON); err != nil {
				t.Fatal(err)
			}
			if _, ok := FrameTopic(frame.Bytes()); !ok {
				continue // a subscription or its ack
			}
			on := ch
			switch {
			case strings.Contains(example.Label, "Option"):
				on = Option
			case strings.Contains(example.Label, "Spot"), spotExamples[topic.Topic]:
				on = Spot
			}
			n++
			roundTrip(t, recorded{topic.Topic + " " + example.Label, on, frame.Bytes()}, map[string]bool{})
		}
	}
	if n != 23 {
		t.Errorf("%d examples, want 23", n)
	}
}

// roundTrip decodes a frame and compares what it encodes to.
func roundTrip(t *testing.T, f recorded, used map[string]bool) {
	t.Helper()
	name, ok := FrameTopic(f.frame)
	if !ok {
		t.Errorf("%s: no topic in %s", f.name, f.frame)
		return
	}
	topic := Topic{name: string(name)}
	m, ok := NewMessage(topic)
	if !ok {
		t.Errorf("%s: no message for topic %s", f.name, topic)
		return
	}
	if err := m.Decode(f.frame); err != nil {
		t.Errorf("%s: %v", f.name, err)
		return
	}
	got := m.AppendJSON(nil, f.ch)
	meaning := false
	for key := range byMeaning {
		if strings.Contains(f.name, key) || bytes.Contains(f.frame, []byte(key)) {
			meaning, used[key] = true, true
		}
	}
	if !meaning && !bytes.Equal(got, f.frame) {
		t.Errorf("%s:\n got %s\nwant %s", f.name, got, f.frame)
	}
	if meaning && bytes.Equal(got, f.frame) {
		t.Errorf("%s is an exception without need", f.name)
	}
	if diff := meaningDiff(got, f.frame); diff != "" {
		t.Errorf("%s: %s", f.name, diff)
	}
}

// readRecording reads the data frames of a file under ws_v5.
func readRecording(t *testing.T, path string) (frames []recorded) {
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
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	base := filepath.Base(path)
	for lines.Scan() {
		f := recorded{name: base, ch: Linear, frame: bytes.Clone(lines.Bytes())}
		if strings.HasPrefix(base, "spot_") {
			f.ch = Spot
		}
		var wrapped struct {
			Category Channel
			Frame    json.RawMessage
		}
		if err := json.Unmarshal(f.frame, &wrapped); err != nil {
			t.Fatalf("%s: %v", base, err)
		}
		if wrapped.Frame != nil {
			f.frame = wrapped.Frame
			if wrapped.Category != "" {
				f.ch = wrapped.Category
			}
		}
		if bytes.HasPrefix(f.frame, []byte(`{"success":`)) {
			continue
		}
		frames = append(frames, f)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return frames
}
