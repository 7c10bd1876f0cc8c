package wire

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
)

// FuzzParseTopic checks that a topic that parses prints as it came, that its
// checks do not panic, and that an error's suggestion parses.
func FuzzParseTopic(f *testing.F) {
	for _, k := range Kinds() {
		f.Add(k.Example())
	}
	for _, s := range []string{
		"", ".", "orderbook", "orderbook.500.XRPUSDT", "orderbook.25.SOLUSDT_SOL/USDT", "kline.1h.BTCUSDT",
		"orderBookL2_25.BTCUSD", "tickers.btcusdt", "order.linear", "orderbook.rpI.", "publicTrade.\u5e01USDT", "tickers.\xff",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		topic, err := ParseTopic(s)
		if err != nil {
			te, ok := err.(*TopicError)
			if !ok || te.Error() == "" {
				t.Fatalf("%q: %T %v", s, err, err)
			}
			if te.Suggest != "" {
				if _, err := ParseTopic(te.Suggest); err != nil {
					t.Fatalf("%q: suggestion %q: %v", s, te.Suggest, err)
				}
			}
			return
		}
		if got := topic.String(); got != s {
			t.Fatalf("%q prints as %q", s, got)
		}
		if again, err := ParseTopic(topic.String()); err != nil || again != topic {
			t.Fatalf("%q: %+v again %+v, %v", s, topic, again, err)
		}
		for _, ch := range Channels() {
			if err := topic.CheckOn(ch); err == nil && !topic.hasChannel(ch) {
				t.Fatalf("%q passes on %s", s, ch)
			}
			topic.PushOn(ch)
		}
		CategoryOf(topic.Symbol)
	})
}

// FuzzParseRequest checks that a request that parses means the same after being
// written and read again.
func FuzzParseRequest(f *testing.F) {
	for _, s := range []string{
		`{"req_id":"1","op":"subscribe","args":["orderbook.50.BTCUSDT"]}`,
		`{"op":"auth","args":["key",1767225600000,"sign"]}`,
		`{"reqId":"1","header":{"X-BAPI-TIMESTAMP":"1"},"op":"order.create","args":[{"qty":"1"}]}`,
		`{"op":"ping","req_id":7,"args":null}`, `{"args":["\ud800",1e5,true,null,[1],{"a":"\"}"}]}`, `hello`, ``,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		r, err := ParseRequest(frame)
		if err != nil {
			MessageMalformed(frame)
			return
		}
		out := AppendRequest(nil, &r)
		again, err := ParseRequest(out)
		if err != nil || !reflect.DeepEqual(again, r) {
			t.Fatalf("%q\nparsed   %+v\nwritten  %s\nparsed   %+v, %v", frame, r, out, again, err)
		}
	})
}

// FuzzParseReply checks that a reply that parses means the same after being
// written by its family and read again, and that a frame that parses as a reply
// is one that IsControl lets through.
func FuzzParseReply(f *testing.F) {
	for _, s := range []string{
		`{"success":true,"ret_msg":"subscribe","conn_id":"c","req_id":"1","op":"subscribe"}`,
		`{"success":false,"ret_msg":"error:handler not found,topic:x","conn_id":"c","req_id":"","op":"subscribe"}`,
		`{"success":true,"conn_id":"c","data":{"failTopics":[],"successTopics":["a"]},"type":"COMMAND_RESP"}`,
		`{"args":["1767225600123"],"op":"pong"}`,
		`{"req_id":"1","op":"pong","args":["1767225600123"],"conn_id":"c"}`,
		`{"retCode":0,"retMsg":"OK","op":"pong","data":["1767225600123"],"connId":"c"}`,
		`{"reqId":"1","retCode":110001,"retMsg":"no","op":"order.create","data":{},"retExtInfo":{},"header":{"a":"b"},"connId":"c"}`,
		`{"topic":"tickers.BTCUSDT"}`, `{"op":"ping","ret_msg":"pong"}`, `{}`, ``,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		control := IsControl(frame)
		r, err := ParseReply(frame)
		if err != nil {
			return
		}
		if !control && !nestsDeep(frame) {
			t.Fatalf("%q parses as %+v and IsControl says it is data", frame, r)
		}
		families := []Family{FamilyFutures, FamilySpot, FamilyPrivate}
		var keys map[string]json.RawMessage
		if json.Unmarshal(frame, &keys) != nil {
			t.Fatalf("%q parses as %+v and is no JSON", frame, r)
		}
		if _, ok := keys["retCode"]; ok {
			families = []Family{FamilyTrade}
		} else if r.Op == OpCommand {
			families = []Family{FamilyOption}
		} else if r.Failed != nil || r.Succeeded != nil {
			return // COMMAND_RESP with an op of its own: no family writes it
		}
		for _, family := range families {
			want := carried(r, family)
			out := AppendReply(nil, family, &want)
			got, err := ParseReply(out)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Fatalf("%q as %v\nparsed   %+v\nwritten  %s\nparsed   %+v, %v", frame, family, want, out, got, err)
			}
			if !IsControl(out) {
				t.Fatalf("IsControl(%s) = false", out)
			}
		}
	})
}

// carried returns the part of a reply that a family's frames can hold.
func carried(r Reply, family Family) Reply {
	switch family {
	case FamilyOption:
		r.ReqID = ""
	case FamilyFutures, FamilySpot:
		r.TimeMs = 0
	case FamilyTrade:
		if r.Op == OpPong && !r.Success {
			r.TimeMs = max(r.TimeMs, 0)
		}
	}
	return r
}

// FuzzIsControl checks the quick look against the slow one.
func FuzzIsControl(f *testing.F) {
	for _, frame := range classified {
		f.Add(frame)
	}
	f.Add([]byte(`{"op":"x","\u0074opic":"tickers.BTCUSDT"}`))
	f.Fuzz(func(t *testing.T, frame []byte) {
		got := IsControl(frame)
		if _, ok := FrameTopic(frame); ok && got {
			t.Fatalf("%q has a topic and is control", frame)
		}
		var keys map[string]json.RawMessage
		if json.Unmarshal(frame, &keys) != nil || keys == nil {
			if got {
				t.Fatalf("%q is no object and is control", frame)
			}
			return
		}
		if _, data := keys["topic"]; got == data && !nestsDeep(frame) {
			t.Fatalf("IsControl(%q) = %v", frame, got)
		}
	})
}

// nestsDeep reports whether a frame may nest deeper than a Cursor follows.
func nestsDeep(frame []byte) bool {
	return bytes.Count(frame, []byte("["))+bytes.Count(frame, []byte("{")) > maxNesting
}
