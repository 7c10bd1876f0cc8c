package bybit

import "testing"

// Several connections bring the changes of a ticker, or one is left that lags.
func TestTickersOfALaneThatLags(t *testing.T) {
	type push struct {
		at        int64
		snapshot  bool
		conflated bool
		several   bool
		want      verdict
	}
	tests := []struct {
		name   string
		pushes []push
	}{
		{"in order", []push{{5, true, false, true, deliver}, {7, false, false, true, deliver}, {7, false, false, true, deliver}, {9, false, false, false, deliver}}},
		{"a change that a snapshot includes", []push{{5, true, false, true, deliver}, {9, true, false, true, deliver}, {7, false, false, true, duplicate}}},
		{"a change that comes late", []push{{5, true, false, true, deliver}, {9, false, false, true, deliver}, {7, false, false, true, misplaced}}},
		{"a snapshot that comes late", []push{{5, true, false, true, deliver}, {9, false, false, true, deliver}, {7, true, false, true, duplicate}}},
		{"the connection that is left lags", []push{{5, true, false, true, deliver}, {9, false, false, true, deliver}, {7, false, false, false, misplaced}}},
		{"and begins anew", []push{{5, true, false, true, deliver}, {9, false, false, true, deliver}, {7, true, false, false, misplaced}}},
		{"one for several, before a late copy of theirs", []push{{5, true, false, true, deliver}, {9, false, true, true, deliver}, {7, false, false, true, duplicate}}},
		{"one for several that comes late", []push{{5, true, false, true, deliver}, {9, false, false, true, deliver}, {8, false, true, true, duplicate}}},
		{"and is of the lane that is left", []push{{5, true, false, true, deliver}, {9, false, false, true, deliver}, {8, false, true, false, misplaced}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var o order
			for i, p := range tt.pushes {
				if got := o.judge(&orderKey{at: p.at, sent: p.at, snapshot: p.snapshot, conflated: p.conflated}, p.several); got != p.want {
					t.Errorf("push %d: %v, want %v", i, got, p.want)
				}
			}
		})
	}
}

// After a gap a snapshot that is older than what was there before does not begin the state: the
// changes between the two were yielded already. A newer one is asked for, once.
func TestTickersBeginBehindAGap(t *testing.T) {
	var o order
	for i, p := range []struct {
		lane     uint8
		at, sent int64
		snapshot bool
		want     verdict
		gap      bool // is announced behind it
	}{
		{0, 5, 50, true, deliver, false},
		{0, 9, 90, false, deliver, true},
		{1, 7, 70, true, misplaced, true},
		{1, 8, 80, true, duplicate, false},
		{1, 8, 85, false, duplicate, false},
		{0, 11, 110, false, deliver, false},
		{1, 11, 115, true, deliver, true},
		{1, 2, 200, true, deliver, false}, // later, so another count
	} {
		if got := o.judge(&orderKey{at: p.at, sent: p.sent, snapshot: p.snapshot, lane: p.lane}, true); got != p.want {
			t.Errorf("push %d: %v, want %v", i, got, p.want)
		}
		if p.gap {
			o.reset()
		}
	}
}

// A service that restarts counts anew: a lane says so by a number that falls while the time
// rises. Without that, all that it brought from there on would be taken for old.
func TestTickersOfAServiceThatRestarts(t *testing.T) {
	type push struct {
		lane     uint8
		at, sent int64
		snapshot bool
		want     verdict
		mask     uint8 // of a notice instead
	}
	tests := []struct {
		name   string
		pushes []push
	}{
		{"with a snapshot", []push{
			{0, 900, 1000, true, deliver, 0}, {1, 901, 1100, false, deliver, 0}, {0, 902, 1200, false, deliver, 0},
			{0, 5, 1300, true, deliver, 0}, {0, 6, 1400, false, deliver, 0}, {1, 7, 1500, false, deliver, 0}, {0, 8, 1600, false, deliver, 0},
		}},
		{"and a lane that lags", []push{
			{0, 900, 1000, true, deliver, 0}, {1, 901, 1100, false, deliver, 0}, {0, 5, 1300, true, deliver, 0},
			{1, 902, 1200, false, duplicate, 0}, {1, 903, 1310, false, duplicate, 0}, {0, 6, 1400, false, deliver, 0},
			{1, 5, 1320, true, duplicate, 0}, {1, 7, 1500, false, deliver, 0},
		}},
		{"and a lane that lags and was not heard before", []push{
			{0, 900, 1000, true, deliver, 0}, {0, 5, 1300, true, deliver, 0}, {1, 902, 1200, false, duplicate, 0},
			{1, 6, 1400, false, deliver, 0},
		}},
		{"without its snapshot", []push{
			{0, 900, 1000, true, deliver, 0}, {1, 901, 1100, false, deliver, 0}, {0, 6, 1400, false, misplaced, 0},
			{1, 902, 1150, false, duplicate, 0}, {0, 7, 1500, true, deliver, 0}, {1, 8, 1600, false, deliver, 0},
		}},
		{"on one lane, and not on the other", []push{
			{0, 900, 1000, true, deliver, 0}, {1, 901, 1100, false, deliver, 0}, {0, 5, 1300, true, deliver, 0},
			{1, 902, 11_300, false, duplicate, 0}, {1, 903, 11_400, false, misplaced, 0}, {1, 904, 11_500, true, deliver, 0},
		}},
		{"and the lane that says so is lost", []push{
			{0, 900, 1000, true, deliver, 0}, {1, 901, 1100, false, deliver, 0}, {0, 5, 1300, true, deliver, 0},
			{mask: 2}, {1, 902, 1200, false, misplaced, 0}, {1, 7, 1500, true, deliver, 0},
		}},
		{"on a connection that is new", []push{
			{0, 900, 1000, true, deliver, 0}, {1, 901, 1100, false, deliver, 0}, {mask: 2}, {mask: 3},
			{0, 899, 1200, true, duplicate, 0}, // nothing else is known of it
			{0, 5, 1300, true, deliver, 0},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var o order
			several := true
			for i, p := range tt.pushes {
				if p.mask != 0 {
					o.carried(p.mask)
					several = p.mask == 3
					continue
				}
				got := o.judge(&orderKey{at: p.at, sent: p.sent, snapshot: p.snapshot, lane: p.lane}, several)
				if got != p.want {
					t.Fatalf("push %d: verdict %d, want %d", i, got, p.want)
				}
				if got == misplaced {
					o.reset()
				}
			}
		})
	}
}
