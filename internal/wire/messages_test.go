package wire

import (
	"strings"
	"testing"
)

func TestRefusals(t *testing.T) {
	tests := []struct {
		message string
		why     Refusal
		topic   string
	}{
		{MessageNotFound("orderbook.30.BTCUSDT"), RefusalNotFound, "orderbook.30.BTCUSDT"},
		{MessageAlreadySubscribed("tickers.BTCUSDT"), RefusalSubscribed, "tickers.BTCUSDT"},
		{MessageInvalidSymbol("tickers.NOPEUSDT"), RefusalSymbol, "tickers.NOPEUSDT"},
		{MessageArgsSize(10), RefusalArgsSize, ""},
		{MessageArgsLength(21_000), RefusalArgsSize, ""},
		{MessageInvalidOp, RefusalOp, ""},
		{MessageMalformed([]byte("hello")), RefusalMalformed, ""},
		{"error:handler not found", RefusalNotFound, ""},
		{"error:already subscribed", RefusalSubscribed, ""},
		{MessageParams, RefusalParams, ""},
		{MessageUnauthorized, RefusalUnauthorized, ""},
		{MessageInvalidSign, RefusalSign, ""},
		{"no such words", RefusalOther, ""},
		{"", RefusalOther, ""},
	}
	for _, tt := range tests {
		if why, topic := RefusalOf(tt.message); why != tt.why || topic != tt.topic {
			t.Errorf("RefusalOf(%q) = %v, %q, want %v, %q", tt.message, why, topic, tt.why, tt.topic)
		}
		r := Reply{Op: OpSubscribe, Message: tt.message}
		if why, topic := r.Refused(); why != tt.why || topic != tt.topic {
			t.Errorf("Refused with %q = %v, %q, want %v, %q", tt.message, why, topic, tt.why, tt.topic)
		}
	}
	for _, tt := range []struct {
		reply Reply
		why   Refusal
		topic string
	}{
		{Reply{Op: OpSubscribe, Success: true}, RefusalNone, ""},
		{Reply{Op: OpCommand, Failed: []string{"a"}}, RefusalNotFound, "a"},
		{Reply{Op: OpCommand, Failed: []string{"a", "b"}}, RefusalOther, ""},
		{Reply{Op: OpCommand, Failed: []string{"a"}, Succeeded: []string{"b"}}, RefusalNone, ""},
		{Reply{Op: OpCommand, Message: MessageInvalidOp}, RefusalOp, ""},
		{Reply{Op: OpAuth, Code: CodeRepeatedAuth}, RefusalRepeated, ""},
		{Reply{Op: OpAuth, Code: CodeInvalidSign}, RefusalSign, ""},
		{Reply{Op: OpAuth, Code: CodeParamError, Message: MessageInvalidOp}, RefusalParams, ""},
		{Reply{Op: "order.x", Code: CodeOpNotFound}, RefusalOp, ""},
		{Reply{Op: "order.create", Code: 110001}, RefusalOther, ""},
	} {
		if why, topic := tt.reply.Refused(); why != tt.why || topic != tt.topic {
			t.Errorf("%+v.Refused() = %v, %q, want %v, %q", tt.reply, why, topic, tt.why, tt.topic)
		}
	}
}

func TestMessageTexts(t *testing.T) {
	tests := []struct{ got, want string }{
		{MessageNotFound("orderbook.30.BTCUSDT"), "error:handler not found,topic:orderbook.30.BTCUSDT"},
		{MessageAlreadySubscribed("kline.1.BTCUSDT"), "error:already subscribed,topic:kline.1.BTCUSDT"},
		{MessageInvalidSymbol("tickers.NOPEUSDT"), "Invalid symbol :[tickers.NOPEUSDT]"},
		{MessageNoTopic(Spot, "tickers.NOPEUSDT"), "Invalid symbol :[tickers.NOPEUSDT]"},
		{MessageNoTopic(Spot, "orderbook.30.BTCUSDT"), "error:handler not found,topic:orderbook.30.BTCUSDT"},
		{MessageNoTopic(Spot, "trade.BTCUSDT"), "error:handler not found,topic:trade.BTCUSDT"},
		{MessageNoTopic(Linear, "tickers.NOPEUSDT"), "error:handler not found,topic:tickers.NOPEUSDT"},
		{MessageArgsSize(10), "args size >10"},
		{MessageArgsLength(21_000), "args length >21000"},
		{MessageMalformed([]byte("hello")),
			"Failed to decode incoming data:readObjectStart: expect { or n, but found h, error found in #1 byte of ...|hello|..., bigger context ...|hello|..."},
		{MessageMalformed([]byte(`{"op":`)),
			"Failed to decode incoming data:unexpected end or value, error found in #6 byte of ...|{\"op\":|..., bigger context ...|{\"op\":|..."},
		{MessageMalformed(nil),
			"Failed to decode incoming data:unexpected end or value, error found in #0 byte of ...||..., bigger context ...||..."},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("got  %s\nwant %s", tt.got, tt.want)
		}
	}
	for _, code := range []int{0, CodeParamError, CodeInvalidSign, CodeIPRateLimit, CodeOpNotFound, CodeRepeatedAuth, CodeDuplicateID} {
		if MessageOfCode(code) == "" {
			t.Errorf("code %d has no text", code)
		}
	}
	if got := MessageOfCode(110001); got != "" {
		t.Errorf("a code of orders has text %q", got)
	}
	// A long frame is quoted in part, and never as broken UTF-8.
	if m := MessageMalformed([]byte(strings.Repeat("\xff", 100_000))); len(m) > 600 || !strings.Contains(m, "\uFFFD") {
		t.Errorf("%d bytes about a long frame: %q", len(m), m)
	}
}
