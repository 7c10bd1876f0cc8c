package live

import (
	"fmt"
	"strings"
	"testing"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/internal/wire"
)

// found lists deviations as "kind topic type path want got x count".
func found(c *Check) string {
	var lines []string
	list, left := c.Deviations()
	for _, d := range list {
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s|%s|%s|%s|%s|%s|%d", d.Kind, d.Topic, d.Type, d.Path, d.Want, d.Got, d.Count)))
	}
	if left > 0 {
		lines = append(lines, fmt.Sprint("left ", left))
	}
	return strings.Join(lines, "\n")
}

func book(u int, more string) string {
	return fmt.Sprintf(`{"topic":"orderbook.50.BTCUSDT","type":"delta","ts":1700000000000,"data":{"s":"BTCUSDT","b":[["1","2"]],"a":[],"u":%d,"seq":9%s},"cts":1699999999999}`, u, more)
}

func TestFramesThatDeviate(t *testing.T) {
	for _, tc := range []struct {
		name   string
		ch     bybit.Channel
		frames []string
		want   string
	}{
		{"as known", bybit.Linear, []string{book(7, ""), book(8, ""), book(9, "")}, ""},
		{"a new field", bybit.Linear, []string{book(7, `,"x":{"y":1}`), book(8, `,"x":{"y":2}`)}, `unknown field|orderbook.50.{symbol}|delta|data.x||{"y":1}|2`},
		{"a new key of the envelope", bybit.Linear, []string{`{"v":2,` + book(7, "")[1:]}, "unknown field|orderbook.50.{symbol}|delta|v||2|1"},
		{"another order", bybit.Linear,
			[]string{`{"topic":"orderbook.50.BTCUSDT","ts":1700000000000,"type":"delta","data":{"s":"BTCUSDT","b":[],"a":[],"seq":9,"u":7},"cts":1699999999999}`},
			"key order|orderbook.50.{symbol}|delta|data|u before seq|seq before u|1\n" +
				"key order|orderbook.50.{symbol}|delta||type before ts|ts before type|1"},
		{"u skips", bybit.Linear, []string{book(7, ""), book(9, ""), book(10, ""), book(12, "")}, "update gap|orderbook.50.{symbol}||data.u|8|9|2"},
		{"u restarts, and a snapshot", bybit.Linear, []string{book(7, ""), book(1, ""), book(2, ""), strings.Replace(book(77, ""), "delta", "snapshot", 1), book(78, "")}, ""},
		{"a number that is none", bybit.Linear, []string{strings.Replace(book(7, ""), `"1","2"`, `"1","x"`, 1)}, "undecodable|orderbook.50.{symbol}|||"},
		{"numbers in place of texts", bybit.Linear,
			[]string{`{"topic":"tickers.BTCUSDT","type":"delta","data":{"symbol":"BTCUSDT","lastPrice":1.50},"cs":5,"ts":1700000000000}`},
			`value|tickers.{symbol}|delta|data.lastPrice|"1.50"|1.50|1`},
		{"an element of an array", bybit.Linear,
			[]string{`{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1700000000000,"data":[{"T":1700000000000,"s":"BTCUSDT","S":"Buy","v":"1","p":"2","L":"PlusTick","i":"a","BT":false},{"T":1700000000000,"s":"BTCUSDT","S":"Buy","v":"1","p":"2","L":"PlusTick","i":"b","BT":false,"new":"x"}]}`},
			`unknown field|publicTrade.{symbol}|snapshot|data[].new||"x"|1`},
		{"white space", bybit.Linear, []string{strings.Replace(book(7, ""), `"u":`, `"u": `, 1)},
			"value|orderbook.50.{symbol}|delta||" + book(7, "") + "|the same values in other text: white space, escapes or digits|1"},
		{"a topic of tomorrow", bybit.Linear, []string{`{"topic":"brand.new","data":{}}`}, "unknown topic|brand.new|||||1"},
		{"no topic", bybit.Linear, []string{`[1]`}, "unknown topic||||"},
	} {
		c := NewCheck(tc.ch)
		for _, f := range tc.frames {
			c.Frame([]byte(f))
		}
		got := found(c)
		if tc.want == "" && got != "" || !strings.HasPrefix(got, tc.want) || strings.Count(got, "\n") != strings.Count(tc.want, "\n") {
			t.Errorf("%s:\n got %s\nwant %s", tc.name, got, tc.want)
		}
	}
}

func TestRepliesThatDeviate(t *testing.T) {
	for _, tc := range []struct {
		name  string
		ch    bybit.Channel
		frame string
		text  string
		want  string
	}{
		{"linear", bybit.Linear, `{"success":true,"ret_msg":"","conn_id":"abc","req_id":"1","op":"subscribe"}`, "", ""},
		{"spot", bybit.Spot, `{"success":true,"ret_msg":"subscribe","conn_id":"abc","req_id":"1","op":"subscribe"}`, "", ""},
		{"spot without the word", bybit.Spot, `{"success":true,"ret_msg":"","conn_id":"abc","req_id":"1","op":"subscribe"}`, "",
			`control frame|||subscribe|"subscribe"|ret_msg: value: ""|1`},
		{"pong", bybit.Linear, `{"success":true,"ret_msg":"pong","conn_id":"abc","req_id":"","op":"ping"}`, "", ""},
		{"option", bybit.Option, `{"success":true,"conn_id":"abc","data":{"failTopics":[],"successTopics":["tickers.X"]},"type":"COMMAND_RESP"}`, "", ""},
		{"a new key", bybit.Linear, `{"success":true,"ret_msg":"","conn_id":"abc","req_id":"1","op":"subscribe","node":"abc 10.1.2.3"}`, "",
			"control frame|||subscribe||node: unknown field: \"... ...\"|1"},
		{"another order", bybit.Linear, `{"op":"subscribe","success":true,"ret_msg":"","conn_id":"abc","req_id":"1"}`, "",
			"control frame|||subscribe|success before op|: key order: op before success|1"},
		{"refused as expected", bybit.Linear, `{"success":false,"ret_msg":"error:handler not found,topic:x","conn_id":"abc","req_id":"","op":"subscribe"}`, wire.MessageNotFound("x"), ""},
		{"refused in other words", bybit.Linear, `{"success":false,"ret_msg":"no x","conn_id":"abc","req_id":"","op":"subscribe"}`, wire.MessageNotFound("x"),
			"refusal|||subscribe|error:handler not found,topic:x|no x|1"},
		{"refused and should not be", bybit.Linear, `{"success":false,"ret_msg":"no","conn_id":"abc","req_id":"","op":"subscribe"}`, "", "refusal|||subscribe|success|no|1"},
		{"accepted and should not be", bybit.Linear, `{"success":true,"ret_msg":"","conn_id":"abc","req_id":"","op":"subscribe"}`, "no", "refusal|||subscribe|no|success|1"},
		{"unreadable", bybit.Linear, `{"success":"maybe"`, "", "control frame|||"},
	} {
		c := NewCheck(tc.ch)
		c.Reply([]byte(tc.frame), tc.text)
		got := found(c)
		if tc.want == "" && got != "" || !strings.HasPrefix(got, tc.want) {
			t.Errorf("%s:\n got %s\nwant %s", tc.name, got, tc.want)
		}
		list, _ := c.Deviations()
		for _, d := range list {
			if strings.Contains(d.Example+d.Got+d.Want, "abc") || strings.Contains(d.Example, "10.1.2.3") {
				t.Errorf("%s: keeps an id or address: %+v", tc.name, d)
			}
		}
	}
}

func TestScrub(t *testing.T) {
	for text, want := range map[string]string{
		"read tcp 192.168.1.5:1234->13.35.1.2:443: reset": "read tcp ...:1234->...:443: reset",
		"dial [2001:db8::1]:443":                          "dial [...]:443",
		"lookup x on 127.0.0.53:53":                       "lookup x on ...:53",
		"at 12:30:05, price 1.5":                          "at 12:30:05, price 1.5",
		"id id-7":                                         "id ...",
	} {
		if got := string(Scrub([]byte(text), "id-7")); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

// The list and its examples have bounds.
func TestListIsBounded(t *testing.T) {
	c := NewCheck(bybit.Linear)
	for i := range maxDeviations + 5 {
		c.Frame([]byte(book(i, fmt.Sprintf(`,"x%d":"%s"`, i, strings.Repeat("y", maxExample)))))
	}
	list, left := c.Deviations()
	if len(list) != maxDeviations || left != 5 || len(list[0].Example) > maxExample+3 {
		t.Errorf("%d deviations and %d left, the first example of %d bytes", len(list), left, len(list[0].Example))
	}
}

func FuzzFrame(f *testing.F) {
	f.Add([]byte(book(7, "")))
	f.Add([]byte(`{"topic":"tickers.BTCUSDT","type":"delta","data":{"symbol":"BTCUSDT","lastPrice":1.50,"x":[{}]},"cs":5,"ts":1}`))
	f.Add([]byte(`{"success":true,"op":"subscribe"}`))
	f.Fuzz(func(t *testing.T, frame []byte) {
		for _, ch := range []bybit.Channel{bybit.Linear, bybit.Spot, bybit.Option} {
			c := NewCheck(ch)
			c.Frame(frame)
			c.Reply(frame, "")
			for _, d := range c.deviations {
				if d.Kind == "" || d.Count == 0 {
					t.Errorf("%+v", d)
				}
			}
		}
	})
}
