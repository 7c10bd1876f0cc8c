package wire

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"
)

func TestRequests(t *testing.T) {
	tests := []struct {
		name  string
		req   Request
		frame string
	}{
		{"ping", Request{Op: OpPing}, `{"op":"ping"}`},
		{"ping with id", Request{Op: OpPing, ReqID: "7001"}, `{"req_id":"7001","op":"ping"}`},
		{"subscribe", Request{Op: OpSubscribe, ReqID: "a", Args: []string{"orderbook.50.BTCUSDT", "tickers.BTCUSDT"}},
			`{"req_id":"a","op":"subscribe","args":["orderbook.50.BTCUSDT","tickers.BTCUSDT"]}`},
		{"unsubscribe", Request{Op: OpUnsubscribe, Args: []string{"tickers.SOLUSDT_SOL/USDT"}},
			`{"op":"unsubscribe","args":["tickers.SOLUSDT_SOL/USDT"]}`},
		{"auth has a number", Request{Op: OpAuth, ReqID: "10", Args: []string{"key", "1767225600000", "0a1b"}},
			`{"req_id":"10","op":"auth","args":["key",1767225600000,"0a1b"]}`},
		{"digits are a string elsewhere", Request{Op: OpAuth, Args: []string{"12345", "0123", "99"}},
			`{"op":"auth","args":["12345","0123","99"]}`},
		{"trade auth", Request{Op: OpAuth, ReqID: "x", Trade: true, Args: []string{"key", "1767225600000", "0a1b"}},
			`{"reqId":"x","op":"auth","args":["key",1767225600000,"0a1b"]}`},
		{"order", Request{Op: "order.create", ReqID: "o-1", Trade: true,
			Header: json.RawMessage(`{"X-BAPI-TIMESTAMP":"1767225600000"}`),
			Args:   []string{`{"symbol":"ETHUSDT","qty":"0.2"}`}},
			`{"reqId":"o-1","header":{"X-BAPI-TIMESTAMP":"1767225600000"},"op":"order.create","args":[{"symbol":"ETHUSDT","qty":"0.2"}]}`},
		{"escapes", Request{Op: OpSubscribe, ReqID: "\"\\\n<é", Args: []string{"a\tb"}},
			`{"req_id":"\"\\\n<é","op":"subscribe","args":["a\tb"]}`},
		{"an object is text in a subscription", Request{Op: OpSubscribe, Args: []string{`{"a":1}`}},
			`{"op":"subscribe","args":["{\"a\":1}"]}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(AppendRequest(nil, &tt.req)); got != tt.frame {
				t.Errorf("append:\n got %s\nwant %s", got, tt.frame)
			}
			got, err := ParseRequest([]byte(tt.frame))
			if err != nil || !reflect.DeepEqual(got, tt.req) {
				t.Errorf("parse:\n got %+v, %v\nwant %+v", got, err, tt.req)
			}
		})
	}
}

// TestRequestTolerance is what clients in the wild send.
func TestRequestTolerance(t *testing.T) {
	tests := []struct {
		name, frame string
		want        Request
	}{
		{"numeric req_id", `{"op":"ping","req_id":100001}`, Request{Op: OpPing, ReqID: "100001"}},
		{"null req_id", `{"op":"ping","req_id":null}`, Request{Op: OpPing}},
		{"empty reqId beside req_id", `{"reqId":"","req_id":"7","op":"ping"}`, Request{Op: OpPing, ReqID: "7"}},
		{"expires as string", `{"op":"auth","args":["key","1767225600000","0a"]}`,
			Request{Op: OpAuth, Args: []string{"key", "1767225600000", "0a"}}},
		{"any order and space", " {\n \"args\" : [ \"tickers.BTCUSDT\" ] , \"req_id\":\"1\",\"op\" :\"subscribe\"}\n",
			Request{Op: OpSubscribe, ReqID: "1", Args: []string{"tickers.BTCUSDT"}}},
		{"null args", `{"op":"ping","args":null}`, Request{Op: OpPing}},
		{"empty args", `{"op":"subscribe","args":[]}`, Request{Op: OpSubscribe}},
		{"ping with a time", `{"op":"ping","args":[1767225600000]}`, Request{Op: OpPing, Args: []string{"1767225600000"}}},
		{"unknown keys", `{"op":"subscribe","id":"test-001-perp","args":["tickers.X"],"more":{"a":[1]}}`,
			Request{Op: OpSubscribe, Args: []string{"tickers.X"}}},
		{"order with space", `{"op":"order.create","header":{ "Referer" : "me" },"args":[{ "qty" : "1" }]}`,
			Request{Op: "order.create", Trade: true, Header: json.RawMessage(`{"Referer":"me"}`), Args: []string{`{"qty":"1"}`}}},
		{"no op", `{}`, Request{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseRequest([]byte(tt.frame))
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, %v\nwant %+v", got, err, tt.want)
			}
		})
	}
}

func TestRequestErrors(t *testing.T) {
	syntax := func(err error) bool { _, ok := errors.AsType[*json.SyntaxError](err); return ok }
	wrongType := func(err error) bool { _, ok := errors.AsType[*json.UnmarshalTypeError](err); return ok }
	notControl := func(err error) bool { return errors.Is(err, ErrNotControl) }
	tests := []struct {
		frame string
		is    func(error) bool
	}{
		{``, syntax},
		{`hello`, syntax},
		{`{"op":"ping"`, syntax},
		{`{"op":"ping"}{}`, syntax},
		{`[]`, notControl},
		{`null`, notControl},
		{`"ping"`, notControl},
		{`{"op":{}}`, wrongType},
		{`{"op":"ping","req_id":[1]}`, wrongType},
		{`{"op":"ping","reqId":{}}`, wrongType},
		{`{"op":"subscribe","args":"tickers.BTCUSDT"}`, wrongType},
		{`{"op":"subscribe","args":{"0":"tickers.BTCUSDT"}}`, wrongType},
	}
	for _, tt := range tests {
		if got, err := ParseRequest([]byte(tt.frame)); err == nil || !tt.is(err) {
			t.Errorf("ParseRequest(%s) = %+v, %v", tt.frame, got, err)
		}
	}
}

// TestReplies holds each family's frames, byte for byte, both ways. V5 pages
// ws/connect, "How to Send the Heartbeat Packet" and "Understanding the
// Subscription Response", and websocket/trade/guideline.
func TestReplies(t *testing.T) {
	const conn = "d9avrao7pl3bpiuoku0g-7tmms"
	tests := []struct {
		name   string
		family Family
		reply  Reply
		frame  string
	}{
		{"spot ack", FamilySpot, Reply{Op: OpSubscribe, Success: true, ConnID: conn, ReqID: "10001"},
			`{"success":true,"ret_msg":"subscribe","conn_id":"` + conn + `","req_id":"10001","op":"subscribe"}`},
		{"spot ack without id", FamilySpot, Reply{Op: OpSubscribe, Success: true, ConnID: conn},
			`{"success":true,"ret_msg":"subscribe","conn_id":"` + conn + `","op":"subscribe"}`},
		{"spot unsubscribe", FamilySpot, Reply{Op: OpUnsubscribe, Success: true, ConnID: conn},
			`{"success":true,"ret_msg":"unsubscribe","conn_id":"` + conn + `","op":"unsubscribe"}`},
		{"spot pong", FamilySpot, Reply{Op: OpPong, Success: true, ConnID: conn},
			`{"success":true,"ret_msg":"pong","conn_id":"` + conn + `","op":"ping"}`},
		{"spot pong with id", FamilySpot, Reply{Op: OpPong, Success: true, ConnID: conn, ReqID: "9"},
			`{"success":true,"ret_msg":"pong","conn_id":"` + conn + `","req_id":"9","op":"ping"}`},
		{"spot too many args", FamilySpot, Reply{Op: OpSubscribe, Message: MessageArgsSize(10), ConnID: conn},
			`{"success":false,"ret_msg":"args size >10","conn_id":"` + conn + `","op":"subscribe"}`},

		{"linear ack", FamilyFutures, Reply{Op: OpSubscribe, Success: true, ConnID: conn},
			`{"success":true,"ret_msg":"","conn_id":"` + conn + `","req_id":"","op":"subscribe"}`},
		{"linear ack with id", FamilyFutures, Reply{Op: OpSubscribe, Success: true, ConnID: conn, ReqID: "s1"},
			`{"success":true,"ret_msg":"","conn_id":"` + conn + `","req_id":"s1","op":"subscribe"}`},
		{"linear unsubscribe", FamilyFutures, Reply{Op: OpUnsubscribe, Success: true, ConnID: conn},
			`{"success":true,"ret_msg":"","conn_id":"` + conn + `","req_id":"","op":"unsubscribe"}`},
		{"linear pong", FamilyFutures, Reply{Op: OpPong, Success: true, ConnID: conn},
			`{"success":true,"ret_msg":"pong","conn_id":"` + conn + `","req_id":"","op":"ping"}`},
		{"linear bad topic", FamilyFutures, Reply{Op: OpSubscribe, Message: MessageNotFound("orderbook.30.BTCUSDT"), ConnID: conn, ReqID: "e1"},
			`{"success":false,"ret_msg":"error:handler not found,topic:orderbook.30.BTCUSDT","conn_id":"` + conn + `","req_id":"e1","op":"subscribe"}`},

		{"option ack", FamilyOption, Reply{Op: OpCommand, Success: true, ConnID: conn, Succeeded: []string{"orderbook.100.BTC-6JAN23-18000-C"}},
			`{"success":true,"conn_id":"` + conn + `","data":{"failTopics":[],"successTopics":["orderbook.100.BTC-6JAN23-18000-C"]},"type":"COMMAND_RESP"}`},
		{"option failed topic", FamilyOption, Reply{Op: OpCommand, ConnID: conn, Failed: []string{"a", "b"}, Succeeded: []string{"c"}},
			`{"success":false,"conn_id":"` + conn + `","data":{"failTopics":["a","b"],"successTopics":["c"]},"type":"COMMAND_RESP"}`},
		{"option error", FamilyOption, Reply{Op: OpCommand, Message: MessageInvalidOp, ConnID: conn},
			`{"success":false,"ret_msg":"error:invalid op","conn_id":"` + conn + `","data":{"failTopics":[],"successTopics":[]},"type":"COMMAND_RESP"}`},
		{"option pong", FamilyOption, Reply{Op: OpPong, Success: true, TimeMs: 1767225600123},
			`{"args":["1767225600123"],"op":"pong"}`},

		{"private auth", FamilyPrivate, Reply{Op: OpAuth, Success: true, ConnID: conn},
			`{"success":true,"ret_msg":"","op":"auth","conn_id":"` + conn + `"}`},
		{"private ack with id", FamilyPrivate, Reply{Op: OpSubscribe, Success: true, ConnID: conn, ReqID: "p1"},
			`{"req_id":"p1","success":true,"ret_msg":"","op":"subscribe","conn_id":"` + conn + `"}`},
		{"private pong", FamilyPrivate, Reply{Op: OpPong, Success: true, ConnID: conn, TimeMs: 1767225600123},
			`{"op":"pong","args":["1767225600123"],"conn_id":"` + conn + `"}`},
		{"private pong with id", FamilyPrivate, Reply{Op: OpPong, Success: true, ConnID: conn, ReqID: "test", TimeMs: 1767225600123},
			`{"req_id":"test","op":"pong","args":["1767225600123"],"conn_id":"` + conn + `"}`},
		{"private refusal", FamilyPrivate, Reply{Op: OpAuth, Message: "no", ConnID: conn},
			`{"success":false,"ret_msg":"no","op":"auth","conn_id":"` + conn + `"}`},

		{"trade auth", FamilyTrade, Reply{Op: OpAuth, Success: true, ConnID: conn},
			`{"retCode":0,"retMsg":"OK","op":"auth","connId":"` + conn + `"}`},
		{"trade repeated auth", FamilyTrade, Reply{Op: OpAuth, Code: CodeRepeatedAuth, Message: "repeat auth", ReqID: "2", ConnID: conn},
			`{"reqId":"2","retCode":20001,"retMsg":"repeat auth","op":"auth","connId":"` + conn + `"}`},
		{"trade pong", FamilyTrade, Reply{Op: OpPong, Success: true, ConnID: conn, TimeMs: 1767225600123},
			`{"retCode":0,"retMsg":"OK","op":"pong","data":["1767225600123"],"connId":"` + conn + `"}`},
		{"trade order", FamilyTrade, Reply{Op: "order.create", Success: true, ReqID: "o-1", ConnID: conn,
			Data: json.RawMessage(`{"orderId":"1","orderLinkId":""}`), ExtInfo: json.RawMessage(`{}`),
			Header: json.RawMessage(`{"X-Bapi-Limit":"10"}`)},
			`{"reqId":"o-1","retCode":0,"retMsg":"OK","op":"order.create","data":{"orderId":"1","orderLinkId":""},"retExtInfo":{},"header":{"X-Bapi-Limit":"10"},"connId":"` + conn + `"}`},
		{"trade order refused", FamilyTrade, Reply{Op: "order.amend", Code: 110001, Message: "order not exists or too late to replace", ConnID: conn,
			Data: json.RawMessage(`{}`)},
			`{"retCode":110001,"retMsg":"order not exists or too late to replace","op":"order.amend","data":{},"connId":"` + conn + `"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(AppendReply(nil, tt.family, &tt.reply)); got != tt.frame {
				t.Errorf("append:\n got %s\nwant %s", got, tt.frame)
			}
			got, err := ParseReply([]byte(tt.frame))
			if err != nil || !reflect.DeepEqual(got, tt.reply) {
				t.Errorf("parse:\n got %+v, %v\nwant %+v", got, err, tt.reply)
			}
			if !IsControl([]byte(tt.frame)) {
				t.Error("IsControl says it is data")
			}
		})
	}
}

// TestFailureClass06_OnlyPositiveAuthIsSuccess guards against taking a reply for
// a success because it does not say otherwise.
func TestFailureClass06_OnlyPositiveAuthIsSuccess(t *testing.T) {
	tests := []struct {
		frame   string
		success bool
	}{
		{`{"success":true,"ret_msg":"","op":"auth","conn_id":"c"}`, true},
		{`{"req_id":"1","success":true,"ret_msg":"","op":"auth","conn_id":"c"}`, true},
		{`{"retCode":0,"retMsg":"OK","op":"auth","connId":"c"}`, true},
		{`{"retCode":"0","retMsg":"OK","op":"auth","connId":"c"}`, true},
		{`{"success":false,"ret_msg":"","op":"auth","conn_id":"c"}`, false},
		{`{"ret_msg":"","op":"auth","conn_id":"c"}`, false},
		{`{"success":null,"op":"auth"}`, false},
		{`{"retCode":10004,"retMsg":"invalid sign","op":"auth","connId":"c"}`, false},
		{`{"success":true,"retCode":20001,"retMsg":"repeat auth","op":"auth"}`, false},
		{`{"op":"auth","connId":"c"}`, false},
	}
	for _, tt := range tests {
		r, err := ParseReply([]byte(tt.frame))
		if err != nil || r.Op != OpAuth || r.Success != tt.success {
			t.Errorf("%s: success %v, op %q, %v; want %v", tt.frame, r.Success, r.Op, err, tt.success)
		}
	}
	// What is no verdict at all is an error.
	for _, frame := range []string{
		`{"success":"true","op":"auth"}`, `{"success":1,"op":"auth"}`,
		`{"retCode":null,"op":"auth"}`, `{"retCode":"","op":"auth"}`, `{"retCode":0.5,"op":"auth"}`,
	} {
		if r, err := ParseReply([]byte(frame)); err == nil {
			t.Errorf("%s: %+v, want an error", frame, r)
		}
	}
	// A reply that was never given its verdict cannot be written as a success.
	if got, want := string(AppendReply(nil, FamilyTrade, &Reply{Op: OpAuth})), `{"retCode":10001,"retMsg":"","op":"auth","connId":""}`; got != want {
		t.Errorf("the zero verdict on trade: %s, want %s", got, want)
	}
}

func TestReplyErrors(t *testing.T) {
	for _, frame := range []string{
		`{"topic":"tickers.BTCUSDT","ts":1,"data":{}}`,
		`{"data":[],"topic":"order"}`,
		`{}`, `{"type":"AUTH_RESP"}`, `[]`, `null`, `7`,
	} {
		if r, err := ParseReply([]byte(frame)); !errors.Is(err, ErrNotControl) {
			t.Errorf("ParseReply(%s) = %+v, %v, want ErrNotControl", frame, r, err)
		}
	}
	for _, frame := range []string{
		``, `{`, `{"success":true`, `{"op":[]}`, `{"op":"x","type":{}}`,
		`{"success":true,"op":"a","conn_id":{}}`, `{"success":true,"op":"a","req_id":[]}`,
		`{"success":true,"op":"a","ret_msg":{}}`,
		`{"success":[],"type":"COMMAND_RESP"}`, `{"type":"COMMAND_RESP","conn_id":[]}`,
		`{"type":"COMMAND_RESP","ret_msg":[]}`, `{"type":"COMMAND_RESP","req_id":[]}`,
		`{"type":"COMMAND_RESP","data":{"failTopics":"x"}}`,
		`{"retCode":0,"retMsg":{}}`, `{"retCode":0,"reqId":{}}`, `{"retCode":0,"connId":{}}`,
	} {
		if r, err := ParseReply([]byte(frame)); err == nil || errors.Is(err, ErrNotControl) {
			t.Errorf("ParseReply(%s) = %+v, %v, want an error about its form", frame, r, err)
		}
	}
}

// TestPongShapes are the pongs that were seen, some on channels where the
// documentation shows another.
func TestPongShapes(t *testing.T) {
	for _, frame := range []string{
		`{"success":true,"ret_msg":"pong","conn_id":"c","op":"ping"}`,
		`{"success":true,"ret_msg":"pong","conn_id":"c","req_id":"","op":"ping"}`,
		`{"success":true,"ret_msg":"pong","op":"ping"}`,
		`{"args":["1767225600123"],"op":"pong"}`,
		`{"op":"pong"}`,
		`{"op":"pong","args":[1767225600123]}`,
		`{"op":"pong","args":["soon"]}`,
		`{"op":"pong","args":"soon"}`,
		`{"op":"pong","args":["1767225600123"],"conn_id":"c"}`,
		`{"req_id":"1","op":"pong","args":["1767225600123"],"conn_id":"c"}`,
		`{"retCode":0,"retMsg":"OK","op":"pong","data":["1767225600123"],"connId":"c"}`,
		`{"success":true,"ret_msg":"pong","conn_id":"c","req_id":null,"op":"pong"}`,
	} {
		r, err := ParseReply([]byte(frame))
		if err != nil || r.Op != OpPong || !r.Success || r.Message != "" {
			t.Errorf("%s: %+v, %v", frame, r, err)
		}
		if !IsControl([]byte(frame)) {
			t.Errorf("%s: IsControl says it is data", frame)
		}
	}
}
