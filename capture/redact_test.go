package capture

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func TestRedact(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"request", `{"op":"auth","args":["KEY",1711010121452,"SIGN"]}`, `{"op":"auth","args":["***","***","***"]}`},
		{"with req_id", `{"req_id":"10001","op":"auth","args":["KEY",1711010121452,"SIGN"]}`, `{"req_id":"10001","op":"auth","args":["***","***","***"]}`},
		{"args first", `{"args":["KEY","1711010121452","SIGN"],"op":"auth"}`, `{"args":["***","***","***"],"op":"auth"}`},
		{"spaces", "{ \"op\" :\t\"auth\" ,\n \"args\" : [ \"KEY\" , 17 , \"SIGN\" ] }\n", "{ \"op\" :\t\"auth\" ,\n \"args\" : [ \"***\" , \"***\" , \"***\" ] }\n"},
		{"escaped key and word", `{"\u006fp":"\u0061uth","args":["KEY"]}`, `{"\u006fp":"\u0061uth","args":["***"]}`},
		{"other case", `{"OP":"Auth","Args":["KEY"]}`, `{"OP":"Auth","Args":["***"]}`},
		{"space in the word", `{"op":" auth ","args":["KEY"]}`, `{"op":" auth ","args":["***"]}`},
		{"op twice", `{"op":"subscribe","args":["KEY"],"op":"auth"}`, `{"op":"subscribe","args":["***"],"op":"auth"}`},
		{"args as object", `{"op":"auth","args":{"apiKey":"KEY","sign":"SIGN","n":[1,true,null]}}`, `{"op":"auth","args":{"apiKey":"***","sign":"***","n":["***","***","***"]}}`},
		{"args as string", `{"op":"auth","args":"KEY"}`, `{"op":"auth","args":"***"}`},
		{"no args, own fields", `{"op":"auth","apiKey":"KEY","sign":"SIGN"}`, `{"op":"auth","apiKey":"***","sign":"***"}`},
		{"nested args", `{"op":"auth","args":[["KEY",["SIGN"]],{}]}`, `{"op":"auth","args":[["***",["***"]],{}]}`},
		{"empty args", `{"op":"auth","args":[]}`, `{"op":"auth","args":[]}`},
		{"V2 echo in an answer", `{"success":true,"ret_msg":"","conn_id":"c","request":{"op":"auth","args":["KEY",1,"SIGN"]}}`,
			`{"success":true,"ret_msg":"","conn_id":"c","request":{"op":"auth","args":["***","***","***"]}}`},
		{"in an array", `[{"op":"ping"},{"op":"auth","args":["KEY"]}]`, `[{"op":"ping"},{"op":"auth","args":["***"]}]`},
		{"two values", `{"op":"ping"}{"op":"auth","args":["KEY"]}`, `{"op":"ping"}{"op":"auth","args":["***"]}`},
		{"JSON in a string", `{"send":"{\"op\":\"auth\",\"args\":[\"KEY\"]}"}`, `{"send":"***"}`},
		{"JSON in a string, escaped", `{"send":"{\"op\":\"\\u0061uth\",\"args\":[\"KEY\"]}"}`, `{"send":"***"}`},
		{"truncated", `{"op":"auth","args":["KEY",17,"SIG`, withheld},
		{"truncated before op", `{"args":["KEY",17,"SIGN"],"op":"au`, `{"args":["KEY",17,"SIGN"],"op":"au`},
		{"single quotes", `{'op':'auth','args':['KEY']}`, withheld},
		{"words", `auth KEY SIGN`, withheld},
		{"too deep", strings.Repeat("[", 100) + `{"op":"auth","args":["KEY"]}` + strings.Repeat("]", 100), withheld},
		{"reply", `{"success":true,"ret_msg":"","op":"auth","conn_id":"cejreaspqfh"}`, `{"success":true,"ret_msg":"","op":"auth","conn_id":"cejreaspqfh"}`},
		{"trade reply", `{"retCode":0,"retMsg":"OK","op":"auth","connId":"cnt5le"}`, `{"retCode":0,"retMsg":"OK","op":"auth","connId":"cnt5le"}`},
		{"subscribe", `{"op":"subscribe","args":["orderbook.50.BTCUSDT"]}`, `{"op":"subscribe","args":["orderbook.50.BTCUSDT"]}`},
		{"order", `{"op":"order.create","header":{"X-BAPI-TIMESTAMP":"1"},"args":[{"orderLinkId":"author-7"}]}`, `{"op":"order.create","header":{"X-BAPI-TIMESTAMP":"1"},"args":[{"orderLinkId":"author-7"}]}`},
		{"escapes elsewhere", `{"op":"note","args":["a\"b\\c"]}`, `{"op":"note","args":["a\"b\\c"]}`},
		{"no JSON, no auth", `C:\x`, `C:\x`},
		{"empty", ``, ``},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(Redact([]byte(tt.in))); got != tt.want {
				t.Errorf("Redact(%s)\n got %s\nwant %s", tt.in, got, tt.want)
			}
			if again := string(Redact([]byte(tt.want))); again != tt.want {
				t.Errorf("redacting twice changes %s to %s", tt.want, again)
			}
		})
	}
}

func TestRedactURL(t *testing.T) {
	tests := []struct{ in, want string }{
		{"wss://stream.bybit.com/v5/public/linear", "wss://stream.bybit.com/v5/public/linear"},
		{"wss://stream.bybit.com/v5/private?max_active_time=1m", "wss://stream.bybit.com/v5/private?max_active_time=1m"},
		{"wss://h/realtime?api_key=KEY&expires=17&signature=SIGN", "wss://h/realtime?api_key=***&expires=***&signature=***"},
		{"wss://user:pass@h/p", "wss://h/p"},
		{"wss://h/p?token#frag", "wss://h/p?token=***"},
		{"wss://user:pa%ss@h/p?k=KEY", "h/p"},
	}
	for _, tt := range tests {
		if got := RedactURL(tt.in); got != tt.want {
			t.Errorf("RedactURL(%s) = %s, want %s", tt.in, got, tt.want)
		}
	}
}

// FuzzRedact builds an auth request of arbitrary shape around a secret and
// expects it gone, and valid JSON to stay valid JSON of the same shape.
func FuzzRedact(f *testing.F) {
	f.Add(`{"op":"auth","args":[`, `]}`, true)
	f.Add(`{"args":{"k":[{"x":`, `}]},"op":"auth"}`, true)
	f.Add(`{"\u006fp":"AUTH", "sign" :`, "\n}", false)
	f.Add(`[[{"request":{"op":"auth"},"op":"auth","a":`, `}]]`, true)
	f.Add(`{"op":"x","a":"\\","b":`, `,"op":"\u0061\u0075th"}`, true)
	f.Fuzz(func(t *testing.T, head, tail string, quoted bool) {
		const secret = "7319820465173" // digits, so that it may stand as a number too
		value := secret
		if quoted {
			value = `"` + secret + `"`
		}
		if strings.Contains(head+tail, secret) {
			return
		}
		frame := []byte(head + value + tail)
		before := bytes.Clone(frame)
		out := Redact(frame)
		if !bytes.Equal(frame, before) {
			t.Fatal("the frame itself was changed")
		}
		if again := Redact(out); !bytes.Equal(again, out) {
			t.Fatalf("not idempotent: %q, then %q", out, again)
		}
		var tree any
		if json.Unmarshal(frame, &tree) != nil {
			return
		}
		if !json.Valid(out) {
			t.Fatalf("valid %q became %q", frame, out)
		}
		if leaks(tree, secret, false) && bytes.Contains(out, []byte(secret)) {
			t.Fatalf("secret left in %q", out)
		}
	})
}

// leaks is the naive twin: does the secret stand under an object whose op is
// auth, in a member that is not known to be harmless?
func leaks(v any, secret string, in bool) bool {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			if op, ok := x.(string); ok && strings.EqualFold(k, "op") && strings.EqualFold(op, "auth") {
				in = true
			}
		}
		for k, x := range v {
			if leaks(x, secret, in && !harmless([]byte(`"`+k+`"`))) {
				return true
			}
		}
	case []any:
		for _, x := range v {
			if leaks(x, secret, in) {
				return true
			}
		}
	case string:
		return in && v == secret
	case float64:
		return in && v == 7319820465173
	}
	return false
}
