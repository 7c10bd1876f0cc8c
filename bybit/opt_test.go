package bybit_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/decimal"
)

func TestOpt(t *testing.T) {
	var unset bybit.Opt[decimal.Decimal]
	zero := bybit.Some(decimal.MustParse("0"))
	if v, ok := unset.Get(); ok || v.IsSet() || unset.IsSet() {
		t.Errorf("the zero Opt has the value %v", v)
	}
	if v, ok := zero.Get(); !ok || v.String() != "0" || !zero.IsSet() {
		t.Errorf("Some(0) has %v, %v", v, ok)
	}
	seven := decimal.MustParse("7")
	if unset.Or(seven).String() != "7" || zero.Or(seven).String() != "0" {
		t.Errorf("Or gives %v and %v, want 7 and 0", unset.Or(seven), zero.Or(seven))
	}
}

func TestOptJSON(t *testing.T) {
	type params struct {
		TakeProfit bybit.Opt[decimal.Decimal] `json:"takeProfit,omitzero"`
		Reduce     bybit.Opt[bool]            `json:"reduce,omitzero"`
		Kept       bybit.Opt[int]             `json:"kept"`
	}
	for _, c := range []struct {
		p    params
		text string
	}{
		{params{}, `{"kept":null}`},
		{
			params{TakeProfit: bybit.Some(decimal.MustParse("0")), Reduce: bybit.Some(false), Kept: bybit.Some(0)},
			`{"takeProfit":"0","reduce":false,"kept":0}`,
		},
	} {
		text, err := json.Marshal(c.p)
		if err != nil || string(text) != c.text {
			t.Errorf("%+v encodes to %s, %v, want %s", c.p, text, err, c.text)
		}
		back := params{Kept: bybit.Some(9)}
		if err := json.Unmarshal([]byte(c.text), &back); err != nil || fmt.Sprint(back) != fmt.Sprint(c.p) {
			t.Errorf("%s decodes to %+v, %v, want %+v", c.text, back, err, c.p)
		}
	}
	o := bybit.Some(1)
	if err := json.Unmarshal([]byte(`"x"`), &o); err == nil || o.Or(0) != 1 {
		t.Errorf("a string for a number gives %v and the error %v, want the old value and an error", o.Or(0), err)
	}
}
