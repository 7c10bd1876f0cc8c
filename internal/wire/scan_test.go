package wire

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bywire/bywire/decimal"
)

func TestScanInt(t *testing.T) {
	for _, c := range []struct {
		text string
		want int64
		next int
	}{
		{"0,", 0, 1},
		{"7}", 7, 1},
		{"12345678", 12345678, 8},
		{"123456789,", 123456789, 9},
		{"1758845431663,", 1758845431663, 13},
		{"99999999", 99999999, 8},
		{"100000000000000000,", 100000000000000000, 18},
		{"999999999999999999,\"a\"", 999999999999999999, 18},
		{"1000000000000000000,", 0, -1}, // 19 digits are left to the cursor
		{"00", 0, -1},
		{"0123456789", 0, -1},
		{"-1", 0, -1},
		{"", 0, -1},
		{"x2345678", 0, -1},
		{"1234567:", 1234567, 7},
		{"1234567/", 1234567, 7},
		{"1234567\xb0", 1234567, 7},
		{"12\xff45678", 12, 2},
		{"1.5", 1, 1}, // the caller refuses what follows
	} {
		v, next := ScanInt([]byte(c.text), 0)
		if next != c.next || v != c.want {
			t.Errorf("ScanInt(%q) = %d, %d; want %d, %d", c.text, v, next, c.want, c.next)
		}
	}
	for i := range uint64(100_000) {
		n := int64(i * 2_654_435_761 % 1_000_000_000_000_000)
		text := strconv.FormatInt(n, 10) + "}"
		if v, next := ScanInt([]byte(text), 0); v != n || next != len(text)-1 {
			t.Fatalf("ScanInt(%q) = %d, %d", text, v, next)
		}
	}
}

func TestScanDecimal(t *testing.T) {
	for _, c := range []struct {
		text string
		next int // -1: not the venue's way
	}{
		{`109378.80"`, 10}, {`0"`, 2}, {`0.020"`, 6}, {`"`, 1}, {`5823"`, 5},
		{`-0.009772"`, 10}, {`1.5e-7"`, 7}, {`123456789012345678"`, 19},
		{`1234567890123456789012345678"`, 29}, {`0.0000000000000000001"`, 22},
		{`12345678901234567890.5"`, 23},
		{`007"`, -1}, {`.5"`, -1}, {`5."`, -1}, {`+1"`, -1}, {`1 "`, -1}, {`1.2.3"`, -1}, {`NaN"`, -1},
		{`1.5`, -1}, {`15`, -1}, {``, -1}, {`1\u0030"`, -1}, {`12345678901234567890123456789"`, -1},
	} {
		d, next := ScanDecimal([]byte(c.text), 0)
		if next != c.next {
			t.Errorf("ScanDecimal(%q) ends at %d, want %d", c.text, next, c.next)
			continue
		}
		if next < 0 {
			continue
		}
		var want decimal.Decimal
		if text := c.text[:next-1]; text != "" {
			want = decimal.MustParse(text)
		}
		if d != want {
			t.Errorf("ScanDecimal(%q) = %v, want %v", c.text, d, want)
		}
	}
}

func TestScanText(t *testing.T) {
	for _, c := range []struct {
		text string
		want int
	}{
		{`"`, 0}, {`abc"`, 3}, {`abcdefgh"`, 8}, {`20f43950-d8dd-5b31-9112-a178eb6023af","x"`, 36},
		{`abc\"`, -1}, {"ab\x1fc\"", -1}, {"abcdefghi\n\"", -1}, {`abcdefgh\n"`, -1}, {`abc`, -1}, {``, -1},
		{"caf\u00e9 \u4e2d\u6587 0\"", 14}, {"\x7f!#[]\x80\xff\"", 7}, {`a"\` + "\x00", 1}, {"\x00\"", -1},
	} {
		if got := ScanText([]byte(c.text), 0); got != c.want {
			t.Errorf("ScanText(%q) = %d, want %d", c.text, got, c.want)
		}
	}
	// Each byte in each place of a word.
	for b := range 256 {
		for at := range 9 {
			text := []byte("abcdefghijkl\"")
			text[at] = byte(b)
			want := 12
			switch {
			case b == '"':
				want = at
			case b == '\\' || b < ' ':
				want = -1
			}
			if got := ScanText(text, 0); got != want {
				t.Errorf("ScanText(%q) = %d, want %d", text, got, want)
			}
		}
	}
}

func TestFrameTopic(t *testing.T) {
	for _, c := range []struct {
		frame, want string
		ok          bool
	}{
		{`{"topic":"orderbook.50.BTCUSDT","type":"delta"}`, "orderbook.50.BTCUSDT", true},
		{`{"id":"a-1","topic":"tickers.BTC-1","ts":1}`, "tickers.BTC-1", true},
		{`{"data":[{"topic":"no"}],"ts":5, "topic" : "kline.1.X"}`, "kline.1.X", true},
		{` { "topic":"a\u0062" }`, "ab", true},
		{`{"cs":1,"data":{"a":[1,2.5e3,null,true,false,"x\"y"]},"topic":"t"}`, "t", true},
		{`{"success":true,"ret_msg":"","op":"subscribe"}`, "", false},
		{`{"topic":""}`, "", false},
		{`{"topic":null}`, "", false},
		{`{"topic":5}`, "", false},
		{`{"topic":"cut`, "", false},
		{`{"a":}`, "", false},
		{`[]`, "", false},
		{``, "", false},
	} {
		got, ok := FrameTopic([]byte(c.frame))
		if string(got) != c.want || ok != c.ok {
			t.Errorf("FrameTopic(%s) = %q, %v; want %q, %v", c.frame, got, ok, c.want, c.ok)
		}
	}
	frame := []byte(`{"topic":"orderbook.50.BTCUSDT","type":"delta"}`)
	if n := testing.AllocsPerRun(100, func() { FrameTopic(frame) }); n != 0 {
		t.Errorf("FrameTopic allocates %v times", n)
	}
}

// readAll walks over a value and returns it as encoding/json does, but for
// numbers, which stay text.
func readAll(c *Cursor) any {
	switch b := c.peek(); {
	case b == '{':
		m := map[string]any{}
		var o Object
		for c.NextKey(&o) {
			key := string(o.Key)
			if c.unknownTwice(&o) {
				c.Fail(o.start, "twice")
				break
			}
			m[key] = readAll(c)
		}
		return m
	case b == '[':
		list := []any{}
		var a Array
		for c.NextElement(&a) {
			list = append(list, readAll(c))
		}
		return list
	case b == '"':
		return string(c.Text())
	case b == 't', b == 'f':
		return c.Bool()
	case b == 'n':
		c.word("null")
		return nil
	}
	text, _, ok := c.numeral()
	if !ok {
		return nil
	}
	return json.Number(text)
}

func TestCursorReadsWhatJSONIs(t *testing.T) {
	for _, frame := range []string{
		`{}`, `[]`, `""`, `0`, `-0.5e+10`, `true`, `false`, `null`, ` [ 1 , 2 ] `,
		`{"a":{"b":[{"c":null}]},"d":"\u00e9\ud83d\ude00\ud83d\"\\\/\b\f\n\r\t","e":[[],{}]}`,
		"{\n\t\"a\" : 1\r\n}", `{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6}`, `"\uD800\u0041"`,
	} {
		c := NewCursor([]byte(frame))
		got := readAll(&c)
		c.End()
		if c.Err() != nil {
			t.Errorf("%s: %v", frame, c.Err())
			continue
		}
		d := json.NewDecoder(strings.NewReader(frame))
		d.UseNumber()
		var want any
		if err := d.Decode(&want); err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %v, want %v", frame, got, want)
		}
	}
}

func TestCursorRefuses(t *testing.T) {
	deep := strings.Repeat("[", 1000)
	for _, c := range []struct {
		frame  string
		offset int
		reason string
	}{
		{``, 0, "the message ends early"},
		{`{`, 1, "the message ends early"},
		{`{"a"`, 4, "the message ends early"},
		{`{"a":1`, 6, "the message ends early"},
		{`{"a":1,}`, 7, "a key expected"},
		{`{,}`, 1, "a key expected"},
		{`{a:1}`, 1, "a key expected"},
		{`{"a" 1}`, 5, "a colon expected"},
		{`{"a":1 "b":2}`, 7, "a comma or a closing brace expected"},
		{`{"a":1}}`, 7, "more bytes"},
		{`{"a":1} x`, 8, "more bytes"},
		{`{"a":[1,]}`, 8, "a value expected"},
		{`{"a":[1 2]}`, 8, "a comma or a closing bracket expected"},
		{`{"a":01}`, 5, "not a number"},
		{`{"a":1.}`, 5, "not a number"},
		{`{"a":-}`, 5, "not a number"},
		{`{"a":1e}`, 5, "not a number"},
		{`{"a":+1}`, 5, "a value expected"},
		{`{"a":nul}`, 5, "null expected"},
		{`{"a":truth}`, 5, "true expected"},
		{`{"a":"x`, 7, "the message ends inside a string"},
		{`{"a":"x\`, 8, "the message ends inside a string"},
		{`{"a":"\x"}`, 6, "a bad escape"},
		{`{"a":"\u12g4"}`, 6, "a bad escape"},
		{"{\"a\":\"x\ny\"}", 7, "a control character"},
		{"{\"a\":\"\\n\x01\"}", 8, "a control character"},
		{`{"a":1,"a":2}`, 7, `the key "a" stands twice`},
		{`{"a":1,"\u0061":2}`, 7, `the key "a" stands twice`},
		{`{"\u0061":1,"a":2}`, 12, `the key "a" stands twice`},
		{`{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"e":2}`, 37, `the key "e" stands twice`},
		{`{"a":` + deep, 134, "nested too deep"},
		{`[]`, 0, "an object expected"},
	} {
		cur := NewCursor([]byte(c.frame))
		var o Object
		for cur.NextKey(&o) {
			cur.Skip(&o)
		}
		cur.End()
		err := cur.Err()
		if err == nil || err.Offset != c.offset || !strings.Contains(err.Reason, c.reason) {
			t.Errorf("%.40s: %v, want %q at %d", c.frame, err, c.reason, c.offset)
		}
	}
}

func TestCursorNumbers(t *testing.T) {
	for _, c := range []struct {
		text    string
		integer string // "error", "absent" or the number
		decimal string
	}{
		{`5`, "5", "5"}, {`"5"`, "5", "5"}, {`-5`, "-5", "-5"}, {`"-0"`, "0", "-0"},
		{`null`, "absent", "absent"}, {`""`, "absent", "absent"},
		{`1.50`, "error", "1.50"}, {`"1e3"`, "error", "1000"},
		{`"5 "`, "error", "error"}, {`"+5"`, "error", "error"}, {`"05"`, "error", "error"},
		{`{}`, "error", "error"}, {`[]`, "error", "error"}, {`true`, "error", "error"}, {`"x"`, "error", "error"},
		{`9223372036854775807`, "9223372036854775807", "9223372036854775807"},
		{`9223372036854775808`, "error", "9223372036854775808"},
		{`99999999999999999999999999999`, "error", "error"},
	} {
		cur := NewCursor([]byte(c.text))
		v, present := cur.Integer()
		got := strconv.FormatInt(v, 10)
		if !present {
			got = "absent"
		}
		if cur.Err() != nil {
			got = "error"
		}
		if got != c.integer {
			t.Errorf("Integer of %s: %s (%v), want %s", c.text, got, cur.Err(), c.integer)
		}
		cur = NewCursor([]byte(c.text))
		d := cur.Decimal()
		got = d.String()
		if !d.IsSet() {
			got = "absent"
		}
		if cur.Err() != nil {
			got = "error"
		}
		if got != c.decimal {
			t.Errorf("Decimal of %s: %s (%v), want %s", c.text, got, cur.Err(), c.decimal)
		}
	}
	cur := NewCursor([]byte(`"1758845431663"`))
	if got := cur.Millis(); !got.Equal(time.UnixMilli(1758845431663)) || got.Location() != time.UTC {
		t.Errorf("Millis: %v", got)
	}
	cur = NewCursor([]byte(`-1`))
	if cur.Millis(); cur.Err() == nil {
		t.Error("Millis accepts a time before 1970")
	}
}

func FuzzCursor(f *testing.F) {
	f.Add([]byte(`{"a":[1,-2.5e3,"x\u00e9",null,true,{"b":{}}],"c":"\ud83d\ude00"}`))
	f.Add([]byte(`{"a":1,"a":2}`))
	f.Fuzz(func(t *testing.T, frame []byte) {
		c := NewCursor(frame)
		c.skipValue(0)
		c.End()
		// What the cursor accepts is JSON; what it refuses is none, or nested
		// too deep.
		if valid := json.Valid(frame); valid != (c.Err() == nil) && (!valid || c.Err().Reason != "nested too deep") {
			t.Fatalf("%q: cursor says %v, encoding/json says %v", frame, c.Err(), valid)
		}
	})
}
