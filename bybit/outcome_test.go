package bybit

import (
	"slices"
	"testing"
)

func TestOutcomesAreSorted(t *testing.T) {
	if !slices.IsSortedFunc(outcomes[:], func(a, b codeOutcome) int { return a.code - b.code }) {
		t.Error("not sorted: the search would miss rows")
	}
	for i, row := range outcomes {
		if row.reason == "" || i > 0 && row.code == outcomes[i-1].code {
			t.Errorf("row %+v has no reason, or stands twice", row)
		}
	}
}

// The codes that leave an order open are the ones that cost money when they are
// taken for a refusal.
func TestOutcomes(t *testing.T) {
	for outcome, codes := range map[outcome][]int{
		outcomeUnknown: {170007, 170146, 170147, 170310, 170035, 10000, 10016, 20006, 429, 10014, 170001, 170032, 170212, 170234, 40004, 1, 999999, -999},
		outcomeRefused: {110001, 110007, 110072, 170131, 170141, 170210, 170213, 110094},
		outcomeNotSent: {10001, 10002, 10003, 10004, 10005, 10006, 10010, 10018, 10019, 10429, -2015},
	} {
		for _, code := range codes {
			if got := outcomeOf(code); got != outcome {
				t.Errorf("%d is %d, want %d", code, got, outcome)
			}
			if opensAnyWrite(code) && outcome != outcomeUnknown {
				t.Errorf("%d leaves any write open, but not an order", code)
			}
		}
	}
}

// However often a call is repeated, there is a wait before the next time.
func TestBackoffIsBounded(t *testing.T) {
	for n := 1; n < 200; n++ {
		if wait := backoff(n); wait <= 0 || wait > retryMost {
			t.Errorf("before repetition %d it waits %v", n, wait)
		}
	}
}
