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
		{MessageInvalidOp, RefusalOp, ""},
		{MessageMalformed([]byte("hello")), RefusalMalformed, ""},
		{"error:handler not found", RefusalNotFound, ""},
		{"error:already subscribed", RefusalSubscribed, ""},
		{"Params Error", RefusalOther, ""},
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
		{MessageArgsSize(10), "args size >10"},
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
	// A long frame is quoted in part, and never as broken UTF-8.
	if m := MessageMalformed([]byte(strings.Repeat("\xff", 100_000))); len(m) > 600 || !strings.Contains(m, "\uFFFD") {
		t.Errorf("%d bytes about a long frame: %q", len(m), m)
	}
}
