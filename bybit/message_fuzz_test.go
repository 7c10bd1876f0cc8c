package bybit

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// variants returns frames that mean the same as the given one: with keys turned
// around at every level, with white space, with unknown keys.
func variants(frame []byte) map[string][]byte {
	var indented bytes.Buffer
	if json.Indent(&indented, frame, " ", "\t") != nil {
		return nil
	}
	unknown := append([]byte(`{"unknown":{"a":[1,"\"",null]},"more":"x",`), bytes.TrimLeft(frame, " \t\r\n{")...)
	return map[string][]byte{
		"indented": indented.Bytes(),
		"reversed": reverseKeys(frame),
		"unknown":  unknown,
		"spaced":   spaced(string(bytes.TrimLeft(frame, " \t\r\n"))),
	}
}

// reverseKeys rewrites a value with the keys of each object in reverse order.
func reverseKeys(value []byte) []byte {
	d := json.NewDecoder(bytes.NewReader(value))
	first, err := d.Token()
	if err != nil {
		return value
	}
	switch first {
	case json.Delim('{'):
		var parts [][]byte
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return value
			}
			var v json.RawMessage
			if d.Decode(&v) != nil {
				return value
			}
			name, _ := json.Marshal(key)
			parts = append(parts, append(append(name, ':'), reverseKeys(v)...))
		}
		for i, j := 0, len(parts)-1; i < j; i, j = i+1, j-1 {
			parts[i], parts[j] = parts[j], parts[i]
		}
		return append(append([]byte("{"), bytes.Join(parts, []byte(","))...), '}')
	case json.Delim('['):
		var parts [][]byte
		for d.More() {
			var v json.RawMessage
			if d.Decode(&v) != nil {
				return value
			}
			parts = append(parts, reverseKeys(v))
		}
		return append(append([]byte("["), bytes.Join(parts, []byte(","))...), ']')
	}
	return bytes.TrimSpace(value)
}

// fuzzChannels are the channels that a message is encoded for.
var fuzzChannels = []Channel{Linear, Spot, Option, Spread}

// checkFrame is what every decoder must hold to, for any bytes:
// it does not panic; what it accepts is JSON; what it encodes, on any channel,
// decodes to the same message and means what the frame meant; and the tolerant
// path reads the same from the frame in other spellings.
func checkFrame(t *testing.T, newMessage func() Message, frame []byte) {
	m := newMessage()
	if err := m.Decode(frame); err != nil {
		return
	}
	if !utf8.Valid(frame) {
		return // encoding/json replaces such bytes, and so does AppendString
	}
	if !json.Valid(frame) {
		t.Fatalf("decodes what is no JSON: %q", frame)
	}
	known := onlyKnown(frame)
	for _, ch := range fuzzChannels {
		encoded := m.AppendJSON(nil, ch)
		again := newMessage()
		if err := again.Decode(encoded); err != nil {
			t.Fatalf("%s encoded on %s does not decode: %v", frame, ch, err)
		}
		if twice := again.AppendJSON(nil, ch); !bytes.Equal(encoded, twice) {
			t.Fatalf("%s\nencodes on %s to\n%s\nand that to\n%s", frame, ch, encoded, twice)
		}
		if known {
			if diff := meaningDiff(renamed(encoded), renamed(frame)); diff != "" {
				t.Fatalf("%s\nencodes on %s to\n%s\n%s", frame, ch, encoded, diff)
			}
		}
	}
	for name, variant := range variants(frame) {
		other := newMessage()
		if err := other.Decode(variant); err != nil {
			if name == "unknown" && (bytes.Contains(frame, []byte(`"unknown"`)) || bytes.Contains(frame, []byte(`"more"`)) || !bytes.HasPrefix(frame, []byte(`{"`))) {
				continue
			}
			t.Fatalf("%s decodes, but not %s: %v\n%s", frame, name, err, variant)
		}
		if a, b := m.AppendJSON(nil, Linear), other.AppendJSON(nil, Linear); !bytes.Equal(a, b) {
			t.Fatalf("%s: the frame means\n%s\nand the %s one\n%s", frame, a, name, b)
		}
	}
}

// renamed gives best bid and ask one spelling.
func renamed(frame []byte) []byte {
	for _, name := range []string{"Price", "Size"} {
		frame = bytes.ReplaceAll(frame, []byte(`"bid`+name+`"`), []byte(`"bid1`+name+`"`))
		frame = bytes.ReplaceAll(frame, []byte(`"ask`+name+`"`), []byte(`"ask1`+name+`"`))
	}
	return frame
}

// knownKeys are the keys of every message by family and place. Frames with other
// keys are not compared in meaning: unknown keys are dropped.
var knownKeys = func() map[string]bool {
	keys := map[string]bool{}
	for _, c := range venueFrames {
		collectKeys([]byte(c.frame), func(path string) { keys[path] = true })
	}
	for _, key := range tickerKeys {
		keys["tickers.data."+key] = true
	}
	return keys
}()

// onlyKnown reports whether each key of the frame stands where the venue has
// one.
func onlyKnown(frame []byte) bool {
	ok := !bytes.Contains(frame, []byte(`\`))
	collectKeys(frame, func(path string) { ok = ok && knownKeys[path] })
	return ok
}

// collectKeys calls found for each key with its family and place.
func collectKeys(frame []byte, found func(path string)) {
	v, err := decodeAny(frame)
	if err != nil {
		return
	}
	name, _ := FrameTopic(frame)
	family, _, _ := strings.Cut(string(name), ".")
	if family == "earn" {
		family = string(name)
	}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, value := range v {
				found(path + "." + key)
				walk(path+"."+key, value)
			}
		case []any:
			for _, value := range v {
				walk(path+"[]", value)
			}
		}
	}
	walk(family, v)
}

// addFrames seeds the corpus with the frames of a family.
func addFrames(f *testing.F, families ...string) {
	for _, c := range venueFrames {
		name, _ := FrameTopic([]byte(c.frame))
		for _, family := range families {
			if strings.HasPrefix(string(name), family) {
				f.Add([]byte(c.frame))
				f.Add(reverseKeys([]byte(c.frame)))
			}
		}
	}
}

func FuzzDecodeBook(f *testing.F) {
	addFrames(f, "orderbook.")
	f.Fuzz(func(t *testing.T, frame []byte) {
		checkFrame(t, func() Message { return new(BookMessage) }, frame)
	})
}

func FuzzDecodeTrades(f *testing.F) {
	addFrames(f, "publicTrade.")
	f.Fuzz(func(t *testing.T, frame []byte) {
		checkFrame(t, func() Message { return new(TradesMessage) }, frame)
	})
}

func FuzzDecodeTicker(f *testing.F) {
	addFrames(f, "tickers.")
	f.Add([]byte(`{"topic":"tickers.X","type":"delta","data":{"bid":"","bid1Price":"1","bidSize":""}}`))
	f.Fuzz(func(t *testing.T, frame []byte) {
		checkFrame(t, func() Message { return new(TickerMessage) }, frame)
	})
}

func FuzzDecodeKline(f *testing.F) {
	addFrames(f, "kline.")
	f.Fuzz(func(t *testing.T, frame []byte) {
		checkFrame(t, func() Message { return new(KlineMessage) }, frame)
	})
}

// FuzzDecodeOther decodes what is left by the topic that the frame names.
func FuzzDecodeOther(f *testing.F) {
	addFrames(f, "allLiquidation.", "liquidation.", "insurance.", "adlAlert.", "priceLimit.", "system.", "rfq.", "earn.")
	f.Fuzz(func(t *testing.T, frame []byte) {
		name, ok := FrameTopic(frame)
		if !ok {
			return
		}
		topic := Topic{name: string(name)}
		if _, ok := NewMessage(topic); !ok {
			return
		}
		checkFrame(t, func() Message {
			m, _ := NewMessage(topic)
			return m
		}, frame)
	})
}
