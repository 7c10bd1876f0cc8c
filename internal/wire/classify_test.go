package wire

import (
	"strings"
	"testing"
)

func TestIsControl(t *testing.T) {
	tests := []struct {
		frame string
		want  bool
	}{
		// Data frames, by where their topic is.
		{`{"topic":"orderbook.50.BTCUSDT","type":"delta","ts":1,"data":{}}`, false},
		{`{"id":"1_2","topic":"order","creationTime":1,"data":[]}`, false},
		{`{"cs":1,"data":{"op":"x","success":true},"topic":"tickers.BTCUSDT","ts":1,"type":"delta"}`, false},
		{"{ \"data\" : [ \"]}\\\"\" , {} ] ,\n\t\"topic\" : \"kline.1.BTCUSDT\" }", false},
		{`{"op":"x","success":true,"topic":"tickers.BTCUSDT"}`, false},
		{`{"\u0074opic":"tickers.BTCUSDT"}`, false},
		{`{"id":"1","to\u0070ic":"order"}`, false},
		// Control frames.
		{`{"\u006fp":"pong"}`, true},
		{`{"op":"pong","args":["\"topic\":"]}`, true},
		{`{"success":true,"ret_msg":"","conn_id":"c","req_id":"","op":"subscribe"}`, true},
		{`{"retCode":0,"retMsg":"OK","op":"auth","connId":"c"}`, true},
		{`{"req_id":"topic","op":"pong","args":["1"],"conn_id":"c"}`, true},
		{`{"reqId":"1","retCode":0,"op":"order.create","data":{"topic":"x"}}`, true},
		{`{"args":["1"],"op":"pong"}`, true},
		{`{"op":"pong"}`, true},
		{` { "conn_id" : "c" , "success" : true }`, true},
		{`{"data":{"failTopics":["topic"]},"type":"COMMAND_RESP"}`, true},
		{`{"type":"AUTH_RESP"}`, true},
		{`{}`, true},
		{"{ \n}", true},
		// Neither.
		{``, false}, {` `, false}, {`[]`, false}, {`null`, false}, {`hello`, false},
		{`{`, false}, {`{"`, false}, {`{"a`, false}, {`{"a"`, false}, {`{"a" 1}`, false},
		{`{"a":`, false}, {`{"a":1`, false}, {`{"a":"`, false}, {`{"a":[1`, false}, {`{"a":1,`, false},
		{`{"a":1,b:2}`, false}, {`{"op":"pong"`, false}, {`{"op":"pong"}}`, false}, {`{"op":nil}`, false}, {`{"a":"\`, false}, {`{"a\`, false},
	}
	for _, tt := range tests {
		if got := IsControl([]byte(tt.frame)); got != tt.want {
			t.Errorf("IsControl(%s) = %v, want %v", tt.frame, got, tt.want)
		}
	}
}

// The frames that benchmarks and allocation tests classify: a hot one, private
// ones whose second key decides, and one whose topic comes last.
var classified = [][]byte{
	[]byte(`{"topic":"orderbook.50.BTCUSDT","type":"delta","ts":1767225600000,"data":{"s":"BTCUSDT","b":[["86723.40","0.194"]],"a":[],"u":2,"seq":3},"cts":1767225599998}`),
	[]byte(`{"id":"1_2","topic":"order","creationTime":1767225600000,"data":[]}`),
	[]byte(`{"req_id":"1","op":"pong","args":["1767225600000"],"conn_id":"c"}`),
	[]byte(`{"success":true,"ret_msg":"","conn_id":"c","req_id":"","op":"subscribe"}`),
	[]byte(`{"cs":1,"data":{"symbol":"BTCUSDT","markPrice":"86716.30","list":[1,2,"}"]},"topic":"tickers.BTCUSDT"}`),
}

func TestHotPathsDoNotAllocate(t *testing.T) {
	topics := strings.Fields("orderbook.50.BTCUSDT orderbook.rpi.BTCUSDT publicTrade.BTCUSDT tickers.BTC-26JUN26-70000-C kline.240.BTCUSDT execution.fast.linear earn.discountbuy.offers")
	frame := make([]byte, 0, 256)
	reply := Reply{Op: OpPong, Success: true, ConnID: "d9avrao7pl3bpiuoku0g-7tmms", ReqID: "1", TimeMs: 1767225600123}
	tests := []struct {
		name string
		f    func()
	}{
		{"ParseTopic and CheckOn", func() {
			for _, s := range topics {
				topic, err := ParseTopic(s)
				if err != nil {
					t.Fatal(err)
				}
				if (topic.Kind == KindOrderBook || topic.Kind == KindRPIOrderBook) && topic.CheckOn(Linear) != nil {
					t.Fatal(s)
				}
			}
		}},
		{"Topic.AppendTo", func() {
			frame = Topic{Kind: KindOrderBook, Depth: 50, Symbol: "BTCUSDT"}.AppendTo(frame[:0])
		}},
		{"IsControl", func() {
			for _, f := range classified {
				IsControl(f)
			}
		}},
		{"AppendReply", func() {
			for f := FamilyFutures; f <= FamilyTrade; f++ {
				frame = AppendReply(frame[:0], f, &reply)
			}
		}},
	}
	for _, tt := range tests {
		if n := testing.AllocsPerRun(100, tt.f); n != 0 {
			t.Errorf("%s: %v allocations", tt.name, n)
		}
	}
}

func BenchmarkIsControl(b *testing.B) {
	for i, name := range []string{"topic first", "id first", "req_id first", "success first", "topic last"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				IsControl(classified[i])
			}
		})
	}
}

func BenchmarkParseTopic(b *testing.B) {
	for _, s := range []string{"orderbook.50.BTCUSDT", "publicTrade.BTCUSDT", "kline.240.BTCUSDT", "earn.discountbuy.offers"} {
		b.Run(s, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ParseTopic(s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAppendReply(b *testing.B) {
	reply := Reply{Op: OpSubscribe, Success: true, ConnID: "d9avrao7pl3bpiuoku0g-7tmms", ReqID: "1"}
	frame := make([]byte, 0, 256)
	b.ReportAllocs()
	for b.Loop() {
		frame = AppendReply(frame[:0], FamilyFutures, &reply)
	}
}
