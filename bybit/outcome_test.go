package bybit

import "testing"

// No code stands in two groups.
func TestOutcomesAreDecidedOnce(t *testing.T) {
	decided := make(map[int]bool)
	for _, groups := range [][]codeGroup{openCodes, notTaken, refusals, seen} {
		for _, g := range groups {
			if g.reason == "" || len(g.codes) == 0 {
				t.Errorf("%+v has no reason, or no code", g)
			}
			for _, code := range g.codes {
				if decided[code] || code == 0 {
					t.Errorf("%d is decided twice, or success", code)
				}
				decided[code] = true
			}
		}
	}
}

// The codes that leave a write open are the ones that cost money when they are taken for a
// refusal, whatever the write is.
func TestFailureClass03_CodesThatLeaveItOpen(t *testing.T) {
	open := []int{
		170007, 170146, 170147, 170310, 170035, 10000, 10016, 20006, 429, -1, 10014, 170001, 170032, 170195, 170196, 170212, 170234, 40004,
		131001, 131003, 131082, 131200, 131201, 131230, 148019, 176014, 176021, 177002, 177018, 180000, 180018, 180031,
		34022001, 34022003, 34022038, 500000, 500001, 60071, 60073, 790000,
		1, 131999, 999999, -999, // in no table
	}
	refused := []int{
		110001, 110007, 110072, 170131, 170141, 170210, 170213, 110094, 131212, 131214, 148029, 176015, 180016, 34022049,
		10001, 10002, 10003, 10004, 10005, 10006, 10010, 10018, 10019, 10429, -2015,
	}
	for _, path := range []string{"/v5/order/create", "/v5/asset/withdraw/create", "/v5/position/trading-stop", "/v5/none"} {
		e := endpointOf("POST", path)
		check := func(codes []int, status int, want bool) {
			for _, code := range codes {
				if got := e.leavesOpen(&Error{Status: status, Code: code}); got != want {
					t.Errorf("%s: code %d with HTTP %d leaves it open: %v", path, code, status, got)
				}
			}
		}
		check(open, 200, true)
		check(refused, 200, false)
		for status, want := range map[int]bool{200: true, 302: true, 401: false, 403: false, 404: false, 408: true, 429: false, 500: true, 502: true, 504: true} {
			check([]int{0, 999999}, status, want)
		}
	}
}

// Who is told that an id was used is told what that means.
func TestDuplicateIDsSayThatTheFirstExists(t *testing.T) {
	err := &Error{Op: "POST /v5/order/create", Status: 200, Code: 110072, Message: "OrderLinkedID is duplicate"}
	if want := "POST /v5/order/create: OrderLinkedID is duplicate (110072); one with this id exists already"; err.Error() != want {
		t.Errorf("says %q, want %q", err, want)
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

// What may be signed and sent again was not even looked at.
func TestOutcomesOfWhatWasNotTaken(t *testing.T) {
	for code, want := range map[int]bool{
		codeTimestamp: true, codeSignature: true, codeTooMany: true, codeTooManyAddress: true, 10003: true, 10010: true, 403: true,
		10001: false, 10008: false, 110001: false, 110072: false, 170005: false, codeServerError: false, 429: false, 0: false,
	} {
		if got := reasonOf(notTaken, code) != ""; got != want {
			t.Errorf("%d was not taken: %v, want %v", code, got, want)
		}
	}
}
