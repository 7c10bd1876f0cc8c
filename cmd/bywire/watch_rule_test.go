package main

import (
	"strings"
	"testing"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/decimal"
)

// ruleFacts are facts in which everything but the book's depth is known.
func ruleFacts() *facts {
	d := decimal.MustParse
	f := &facts{
		tickerKnown: true, tickerTime: time.UnixMilli(1_700_000_000_500),
		bestBid: d("100.5"), bestAsk: d("101.0"), bidSize: d("1"), askSize: d("3"),
		tradeKnown: true, trade: bybit.Trade{Price: d("100.10"), Size: d("0.1"), Side: bybit.Sell},
	}
	f.ticker = bybit.Ticker{
		Symbol: "BTCUSDT", LastPrice: d("0.3"), MarkPrice: d("109378.80"), IndexPrice: d("109378.8"),
		FundingRate: d("0.0005"), Basis: d("-1.5"), OpenInterest: d("1234567890123456789.012345"),
		TickDirection: bybit.PlusTick, NextFundingTime: time.UnixMilli(1_700_000_060_000),
	}
	return f
}

func TestRules(t *testing.T) {
	for _, tc := range []struct {
		rule string
		want judgement
	}{
		{"fundingRate > 0.0005", fails},
		{"fundingRate >= 0.0005", holds},
		{"fundingRate > 0.00049999999999999999", holds}, // the same float64
		{"fundingRate > .0004 && fundingRate < 5e-3", holds},
		{"fundingRate == 0.00050", holds},
		{"fundingRate > 0.0001 * 5", fails}, // as floats it differs
		{"lastPrice == 0.1 + 0.2", holds},   // as floats it does not
		{"lastPrice - 0.1 - 0.2 == 0", holds},
		{"markPrice == indexPrice", holds}, // 109378.80 and 109378.8
		{"markPrice != indexPrice", fails},
		{"openInterest > 1234567890123456789.012344", holds},
		{"openInterest > 1_234_567_890_123_456_789.012345", fails},
		{"-basis == 1.5 and basis == -1.5 and +basis < 0", holds},
		{"abs(basis) > 1 and min(bestBid, 100.6, lastPrice) == 0.3 and max(1, bidSize) == 1.0", holds},
		{"1 / 3 * 3 == 1 or lastPrice > 5", fails}, // 0.333333333333333333
		{"lastPrice / 3 == 0.1", holds},
		{"openInterest / 7 > 176366841446208112.7", holds}, // fewer places
		{"price * size == value and value == 10.01", holds},
		{"side == \"Sell\" and side != 'Buy' and side in [\"Sell\", \"Buy\"]", holds},
		{"tickDirection == \"PlusTick\"", holds},
		{"spread == 0.5 and mid == 100.75 and spreadBps > 49.627 and spreadBps < 49.628", holds},
		{"secondsToFunding == 59.5 and nextFundingTime == 1700000060000", holds},
		{"0 < lastPrice < 1", holds},
		{"0.3 < lastPrice < 1", fails},
		{"not (lastPrice > 1) ? true : lastPrice > 2", holds},
		{"(lastPrice > 1 ? 2 : 3) == 3", holds},
		{"0001 < bestBid", holds},

		// What is not known decides nothing, whatever stands beside it.
		{"bidDepth > 0 or lastPrice > 0", undecided},
		{"imbalance > -2", undecided},
		{"markPriceIv > 0", undecided},
		{"curPreListingPhase == \"\"", undecided},
	} {
		r, err := compileRule("", tc.rule)
		if err != nil {
			t.Errorf("%s: %v", tc.rule, err)
			continue
		}
		if got, err := r.eval(ruleFacts()); got != tc.want || err != nil {
			t.Errorf("%s: %d, %v; want %d", tc.rule, got, err, tc.want)
		}
	}
}

func TestRulesThatCannotBeComputed(t *testing.T) {
	for rule, want := range map[string]string{
		"lastPrice / (markPrice - indexPrice) > 1":                                "division by zero",
		"openInterest * openInterest > 1":                                         "out of range",
		"openInterest * 100000 + openInterest / 1000000000000000000000 + 0.1 > 1": "",
	} {
		r, err := compileRule("", rule)
		if want == "" {
			continue // compiles or not, it must not panic
		}
		if err != nil {
			t.Errorf("%s: %v", rule, err)
			continue
		}
		got, err := r.eval(ruleFacts())
		if got != undecided || err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %d, %v; want undecided, %s", rule, got, err, want)
		}
	}
}

func TestWrongRulesSayWhere(t *testing.T) {
	for rule, want := range map[string]string{
		"":                                  "an empty rule; one looks like 'fundingRate > 0.0005'",
		"fundngRate > 0.0005":               "column 1: no field fundngRate; meant fundingRate?",
		"lastPrice > 1 and FUNDINGRATE > 1": "column 19: no field FUNDINGRATE; meant fundingRate?",
		"x > 1":                             "column 1: no field x; " + fieldsHelp(),
		"lastPrice":                         "the rule is a number and must be true or false, like 'fundingRate > 0.0005'",
		"1 < 2":                             "names no field, so it never changes; " + fieldsHelp(),
		"lastPrice > \"1\"":                 "column 11: > between a number and a text",
		"side > \"Buy\"":                    "column 6: > is for numbers, and here is a text",
		"side == Buy":                       "column 9: no field Buy; " + fieldsHelp(),
		"lastPrice % 2 == 0":                "column 11: no operator %; there are " + operatorsHelp,
		"lastPrice ** 2 > 0":                "column 11: no operator **; there are " + operatorsHelp,
		"lastPrice > 1 and markPrice":       "column 19: a number; and joins what is true or false",
		"lastPrice > 0x10":                  "column 13: 0x10 is no decimal number",
		"lastPrice in [1, 2]":               "column 15: a number; a list has texts only, as in side in [\"Buy\"]",
		"lastPrice > 12345678901234567.123456789012345": "column 13: 12345678901234567.123456789012345 has more than 28 digits",
		"len(side) > 1":                                  "column 1: no field len; " + fieldsHelp(),
		"lastPrice > 9999999999999999999999":             "holds a number that is out of range",
		"lastPrice > 1e400":                              "holds a number that is out of range",
		"lastPrice" + strings.Repeat("+1", 400) + " > 1": "more than 500 parts",
		"abs() > 1":                                      "column 1: abs takes numbers, as in abs(basisRate) and max(bestBid, lastPrice)",
		"abs(side) > 1":                                  "column 5: a text, and abs takes numbers",
		"lastPrice >":                                    "column 11: the rule ends too early",
		"lastPrice > 1)":                                 "column 14: unexpected token (\")\")",
		"lastPrice > 1 = 2":                              "column 15: unexpected token (\"=\")",
	} {
		_, err := compileRule("", rule)
		if err == nil {
			t.Errorf("%s: compiles, want %s", rule, want)
			continue
		}
		if got := err.Error(); got != want {
			t.Errorf("%s:\n got %s\nwant %s", rule, got, want)
		}
	}
}

// The topics follow from the fields.
func TestRuleKnowsItsSources(t *testing.T) {
	for rule, want := range map[string]sourceSet{
		"fundingRate > 0":                   fromTicker.set(),
		"bestBid > 0":                       fromBook.set(),
		"size > 1":                          fromTrade.set(),
		"price > bestAsk and fundingRate>0": fromTicker.set() | fromBook.set() | fromTrade.set(),
	} {
		r, err := compileRule("", rule)
		if err != nil {
			t.Fatal(err)
		}
		if r.sources != want {
			t.Errorf("%s: sources %b, want %b", rule, r.sources, want)
		}
	}
}

// Each field can stand in a rule, and those of a full state are known.
func TestEveryFieldIsReadable(t *testing.T) {
	for _, f := range watchFields() {
		rule := f.name + " != 1"
		if f.kind == kindText {
			rule = f.name + " != \"\""
		}
		r, err := compileRule("", rule)
		if err != nil {
			t.Errorf("%s: %v", f.name, err)
			continue
		}
		if _, err := r.eval(&facts{}); err != nil {
			t.Errorf("%s of nothing: %v", f.name, err)
		}
		if _, err := r.eval(ruleFacts()); err != nil {
			t.Errorf("%s: %v", f.name, err)
		}
	}
}

func TestDerivedFields(t *testing.T) {
	d := decimal.MustParse
	f := ruleFacts()
	f.bidDepth, f.askDepth = d("3"), d("4")
	for name, want := range map[string]string{
		"imbalance": "-0.14285714", "mid": "100.75", "spread": "0.5", "spreadBps": "49.62779156", "value": "10.010",
	} {
		field, _ := fieldNamed(name)
		if got, ok := f.value(field); !ok || got.(decimal.Decimal).String() != want {
			t.Errorf("%s is %v, want %s", name, got, want)
		}
	}
	f.inverse = true
	if field, _ := fieldNamed("value"); f.number(field).String() != "0.1" {
		t.Errorf("value on inverse is %s, want 0.1", f.number(field))
	}
	f.forget(fromBook)
	f.forget(fromTicker)
	f.forget(fromTrade)
	for _, field := range watchFields() {
		if v, ok := f.value(field); ok {
			t.Errorf("%s is still %v", field.name, v)
		}
	}
}

func FuzzRule(f *testing.F) {
	for _, s := range []string{
		"fundingRate > 0.0005", "0 < lastPrice < 1", "abs(markPrice / indexPrice - 1) > 2e-3", "side in [\"Buy\"] ? true : size > 1_000",
		"let x = 1; x > lastPrice", "[1,2] | map(# > 1)", "$env[\"lastPrice\"]", "lastPrice?.x ?? 1 > 2", "`", "not", "-(-basis) == +basis", "b'x' == side",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := compileRule("", text)
		if err != nil {
			if s := err.Error(); s == "" || strings.ContainsAny(oneLine(s), "\r\n") {
				t.Errorf("%q: the error is %q", text, s)
			}
			return
		}
		if len(r.fields) == 0 || r.sources == 0 {
			t.Errorf("%q compiles and needs nothing", text)
		}
		for _, facts := range []*facts{ruleFacts(), {}} {
			got, err := r.eval(facts)
			if err != nil && got != undecided {
				t.Errorf("%q: %d with the error %v", text, got, err)
			}
		}
	})
}
