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
				if got := o.judge(p.at, p.snapshot, p.conflated, p.several); got != p.want {
					t.Errorf("push %d: %v, want %v", i, got, p.want)
				}
			}
		})
	}
}
