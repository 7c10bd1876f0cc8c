package wire

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/bywire/bywire/decimal"
)

func TestAppend(t *testing.T) {
	at := time.UnixMilli(1758845431663)
	for _, c := range []struct{ got, want string }{
		{string(AppendString(nil, "BTCUSDT")), `"BTCUSDT"`},
		{string(AppendString(nil, "a\"b\\c\n\r\t\x01<&>\u00e9\u2028\xff")), "\"a\\\"b\\\\c\\n\\r\\t\\u0001<&>\u00e9\u2028\ufffd\""},
		{string(AppendDecimal(nil, decimal.MustParse("1.50"))), `"1.50"`},
		{string(AppendDecimal(nil, decimal.Decimal{})), `""`},
		{string(AppendNumber(nil, decimal.MustParse("-0.25"))), `-0.25`},
		{string(AppendNumber(nil, decimal.Decimal{})), `null`},
		{string(AppendInt(nil, -7)), `-7`},
		{string(AppendMillis(nil, at)), `1758845431663`},
		{string(AppendMillisString(nil, at)), `"1758845431663"`},
		{string(AppendMillisString(nil, time.Time{})), `""`},
		{string(AppendBool(nil, true)), `true`},
	} {
		if c.got != c.want {
			t.Errorf("got %s, want %s", c.got, c.want)
		}
	}
}

func FuzzAppendString(f *testing.F) {
	f.Add("plain")
	f.Add("a\"\\\x00\u00e9\xff")
	f.Fuzz(func(t *testing.T, s string) {
		var got string
		if err := json.Unmarshal(AppendString(nil, s), &got); err != nil {
			t.Fatal(err)
		}
		want, _ := json.Marshal(s)
		var back string
		if err := json.Unmarshal(want, &back); err != nil || got != back {
			t.Fatalf("%q comes back as %q, want %q", s, got, back)
		}
	})
}
