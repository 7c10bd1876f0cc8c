package past

import (
	"testing"
	"time"

	"github.com/bywire/bywire/exchange/internal/fixed"
)

func TestIntervalsBeginAndEndAsTheVenues(t *testing.T) {
	for _, tt := range []struct{ interval, at, start, end string }{
		{"1", "2026-03-04 05:06:07", "2026-03-04 05:06:00", "2026-03-04 05:07:00"},
		{"3", "2026-03-04 05:08:59", "2026-03-04 05:06:00", "2026-03-04 05:09:00"},
		{"5", "2026-03-04 05:06:07", "2026-03-04 05:05:00", "2026-03-04 05:10:00"},
		{"15", "2026-03-04 05:06:07", "2026-03-04 05:00:00", "2026-03-04 05:15:00"},
		{"30", "2026-03-04 05:30:00", "2026-03-04 05:30:00", "2026-03-04 06:00:00"},
		{"60", "2026-03-04 05:06:07", "2026-03-04 05:00:00", "2026-03-04 06:00:00"},
		{"120", "2026-03-04 05:06:07", "2026-03-04 04:00:00", "2026-03-04 06:00:00"},
		{"240", "2026-03-04 05:06:07", "2026-03-04 04:00:00", "2026-03-04 08:00:00"},
		{"360", "2026-03-04 05:06:07", "2026-03-04 00:00:00", "2026-03-04 06:00:00"},
		{"720", "2026-03-04 15:06:07", "2026-03-04 12:00:00", "2026-03-05 00:00:00"},
		{"D", "2026-03-04 15:06:07", "2026-03-04 00:00:00", "2026-03-05 00:00:00"},
		{"W", "2026-03-04 15:06:07", "2026-03-02 00:00:00", "2026-03-09 00:00:00"}, // a Wednesday
		{"W", "2026-03-02 00:00:00", "2026-03-02 00:00:00", "2026-03-09 00:00:00"}, // a Monday
		{"W", "2026-03-01 23:59:59", "2026-02-23 00:00:00", "2026-03-02 00:00:00"}, // a Sunday
		{"M", "2026-03-31 23:59:59", "2026-03-01 00:00:00", "2026-04-01 00:00:00"},
		{"M", "2024-02-29 12:00:00", "2024-02-01 00:00:00", "2024-03-01 00:00:00"},
		{"M", "2025-12-01 00:00:00", "2025-12-01 00:00:00", "2026-01-01 00:00:00"},
	} {
		i, ok := ParseInterval(tt.interval)
		if !ok || i.String() != tt.interval {
			t.Fatalf("ParseInterval(%q) = %v, %v", tt.interval, i, ok)
		}
		at := func(s string) int64 {
			v, err := time.Parse(time.DateTime, s)
			if err != nil {
				t.Fatal(err)
			}
			return v.UnixNano()
		}
		start := i.Start(at(tt.at))
		if start != at(tt.start) || i.End(start) != at(tt.end) {
			t.Errorf("%s at %s: %s to %s, want %s to %s", tt.interval, tt.at,
				time.Unix(0, start).UTC(), time.Unix(0, i.End(start)).UTC(), tt.start, tt.end)
		}
	}
	for _, name := range []string{"", "2", "d", "1m", "61"} {
		if i, ok := ParseInterval(name); ok {
			t.Errorf("ParseInterval(%q) = %v", name, i)
		}
	}
}

func TestRoundingDownAndUp(t *testing.T) {
	for _, tt := range []struct{ at, down, up int64 }{{0, 0, 0}, {1, 0, 10}, {10, 10, 10}, {-1, -10, 0}, {-10, -10, -10}} {
		if fixed.Floor(tt.at, 10) != tt.down || ceil(tt.at, 10) != tt.up {
			t.Errorf("%d: %d and %d, want %d and %d", tt.at, fixed.Floor(tt.at, 10), ceil(tt.at, 10), tt.down, tt.up)
		}
	}
}
