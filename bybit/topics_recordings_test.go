//go:build recordings

package bybit_test

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/internal/recordings"
	"github.com/bywire/bywire/internal/wire"
)

// specTopic is a topic in the tables made of the documentation.
type specTopic struct {
	Channel   oneOrMore
	Topic     string
	Depths    map[string]map[string]string
	Intervals []string
	Group     []string
	Fields    []struct{ Name string }
	Examples  []struct{ JSON json.RawMessage }
	Variants  map[string][]struct{ Name string } `json:"field_variants"`
}

// oneOrMore is a string or a list of them.
type oneOrMore []string

func (o *oneOrMore) UnmarshalJSON(data []byte) error {
	if json.Unmarshal(data, (*[]string)(o)) == nil {
		return nil
	}
	*o = oneOrMore{""}
	return json.Unmarshal(data, &(*o)[0])
}

// notFields are names in a table of fields that are no key of a frame.
var notFields = map[string]string{
	"adlAlert.{group} list": "the table's word for the elements of data",
}

// variantChannels are the channels of the tables that a page has one for each.
var variantChannels = map[string][]bybit.Channel{
	"Linear/Inverse": futures, "Option": option, "Spot": spot,
}

// TestEveryDocumentedTopicIsListed compares the table of topics with the
// documentation: no public topic, channel, depth, interval, group or field of it may
// be missing, and every field of an example decodes into something.
func TestEveryDocumentedTopicIsListed(t *testing.T) {
	file, err := os.ReadFile(recordings.Path(t, "spec/ws.json"))
	if err != nil {
		t.Fatal(err)
	}
	var spec struct {
		Hosts  struct{ Paths map[string]string }
		Topics []specTopic
	}
	if err := json.Unmarshal(file, &spec); err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	public := 0
	for i := range spec.Topics {
		topic := &spec.Topics[i]
		if !strings.HasPrefix(topic.Channel[0], "public-") {
			continue
		}
		public++
		var channels []bybit.Channel
		for _, name := range topic.Channel {
			ch, known := wire.ChannelOfPath(spec.Hosts.Paths[name])
			if !known {
				t.Errorf("%s: the path %q of %s is no channel", topic.Topic, spec.Hosts.Paths[name], name)
			}
			channels = append(channels, bybit.Channel(ch))
		}
		for _, ch := range channels {
			compareForms(t, topic, ch)
		}
		compareFields(t, topic, channels, used)
	}
	if public != 19 {
		t.Errorf("%d public topics in the documentation, want 19", public)
	}
	for key := range notFields {
		if !used[key] {
			t.Errorf("the exception %s met no field", key)
		}
	}
}

// rowsOf returns the rows of a documented topic on a channel.
func rowsOf(pattern string, ch bybit.Channel) (rows []*topicRow) {
	for i := range topicRows {
		if topicRows[i].pattern == pattern && slices.Contains(topicRows[i].on, ch) {
			rows = append(rows, &topicRows[i])
		}
	}
	return rows
}

// compareForms wants the documented depths, intervals and groups among the topics.
func compareForms(t *testing.T, topic *specTopic, ch bybit.Channel) {
	t.Helper()
	rows := rowsOf(topic.Topic, ch)
	if len(rows) != 1 {
		t.Errorf("%s on %s stands in %d rows of the table, want 1", topic.Topic, ch, len(rows))
		return
	}
	middles := slices.Concat(topic.Intervals, topic.Group)
	if strings.Contains(topic.Topic, "{depth}") {
		middles = slices.Collect(maps.Keys(topic.Depths[string(ch)]))
		if len(middles) == 0 {
			t.Errorf("%s on %s: no depths in the documentation", topic.Topic, ch)
		}
	}
	for _, middle := range middles {
		if !slices.ContainsFunc(rows[0].topics, func(listed bybit.Topic) bool {
			return slices.Contains(strings.Split(listed.String(), "."), middle)
		}) {
			t.Errorf("%s on %s: no topic with %s in the table", topic.Topic, ch, middle)
		}
	}
	if len(middles) > 0 && len(middles) != len(rows[0].topics) {
		t.Errorf("%s on %s: %d topics in the table, %d in the documentation: %q", topic.Topic, ch, len(rows[0].topics), len(middles), middles)
	}
}

// compareFields wants the documented fields, and those of the examples, in the rows.
func compareFields(t *testing.T, topic *specTopic, channels []bybit.Channel, used map[string]bool) {
	t.Helper()
	wanted := map[string]bool{}
	for _, field := range topic.Fields {
		wanted[field.Name] = true
	}
	for _, example := range topic.Examples {
		var tree map[string]any
		if json.Unmarshal(example.JSON, &tree) == nil && tree["topic"] != nil && tree["data"] != nil {
			collectKeys(tree, wanted)
		}
	}
	wantFields(t, topic.Topic, channels, wanted, used)
	for name, fields := range topic.Variants {
		variant := map[string]bool{}
		for _, field := range fields {
			variant[field.Name] = true
		}
		if variantChannels[name] == nil {
			t.Errorf("%s: the variant %s is of no channel that is known here", topic.Topic, name)
		}
		for _, ch := range variantChannels[name] {
			wantFields(t, topic.Topic, []bybit.Channel{ch}, variant, used)
		}
	}
}

// wantFields wants names among the fields of the topic's rows on any of the channels.
func wantFields(t *testing.T, pattern string, channels []bybit.Channel, names, used map[string]bool) {
	t.Helper()
	listed := map[string]bool{}
	for _, ch := range channels {
		for _, row := range rowsOf(pattern, ch) {
			for _, field := range strings.Fields(row.fields) {
				listed[field] = true
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if at := strings.IndexByte(name, '['); at >= 0 {
			checkPlace(t, pattern, channels, name[:at], name[at:])
			continue
		}
		key := pattern + " " + name
		if notFields[key] != "" {
			used[key] = true
		} else if !listed[name] {
			t.Errorf("%s on %v: the documented field %s is not in the table", pattern, channels, name)
		}
	}
}

// checkPlace wants an example in which the array has the documented place, such as
// the third of b[2].
func checkPlace(t *testing.T, pattern string, channels []bybit.Channel, key, place string) {
	t.Helper()
	n, err := strconv.Atoi(strings.Trim(place, "[]"))
	if err != nil {
		t.Errorf("%s: the field %s%s is no place in an array", pattern, key, place)
		return
	}
	for _, ch := range channels {
		found := false
		for _, row := range rowsOf(pattern, ch) {
			for _, frame := range row.frames {
				var m struct {
					Data map[string]json.RawMessage
				}
				var levels [][]string
				if json.Unmarshal([]byte(frame), &m) == nil && json.Unmarshal(m.Data[key], &levels) == nil {
					found = found || slices.ContainsFunc(levels, func(l []string) bool { return len(l) > n })
				}
			}
		}
		if !found {
			t.Errorf("%s on %s: no example has %s%s", pattern, ch, key, place)
		}
	}
}
