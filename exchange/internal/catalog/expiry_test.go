package catalog

import (
	"strings"
	"testing"

	"github.com/bywire/bywire/exchange/internal/fixed"
)

// The last Fridays of 2026 are 30 January, 27 February, 27 March, 26 June, 25 September and 25 December.

func TestPeriodOfADelivery(t *testing.T) {
	for _, tt := range []struct {
		day  string
		want period
	}{
		{"2026-01-01", daily}, {"2026-01-02", weekly}, {"2026-01-23", weekly}, {"2026-01-30", monthly},
		{"2026-02-27", monthly}, {"2026-03-20", weekly}, {"2026-03-27", quarterly}, {"2026-12-25", quarterly}, {"2028-12-29", quarterly},
	} {
		if got := periodOf(at(tt.day + "T08:00")); got != tt.want {
			t.Errorf("%s is %d, want %d", tt.day, got, tt.want)
		}
	}
}

func dates(list []int64) string {
	var s []string
	for _, t := range list {
		s = append(s, dayMonthYear(t))
	}
	return strings.Join(s, " ")
}

func TestListedExpiries(t *testing.T) {
	chain := expiries{daily: 3, weekly: 3, monthly: 2, quarterly: 3}
	for _, tt := range []struct{ at, want string }{
		// Of the Thursday before: the weeklies up to 9 January, and 26 December as the first quarterly, which is over.
		{"2026-01-01T07:59", "1JAN26 2JAN26 3JAN26 9JAN26 30JAN26 27MAR26 26JUN26"},
		// Thursday, 08:00: everything moves on.
		{"2026-01-01T08:00", "2JAN26 3JAN26 4JAN26 9JAN26 16JAN26 30JAN26 27FEB26 27MAR26 26JUN26 25SEP26"},
		// Friday: the weekly of the day is delivered, a daily comes, no weekly before Thursday.
		{"2026-01-02T08:00", "3JAN26 4JAN26 5JAN26 9JAN26 16JAN26 30JAN26 27FEB26 27MAR26 26JUN26 25SEP26"},
		{"2026-01-08T08:00", "9JAN26 10JAN26 11JAN26 16JAN26 23JAN26 30JAN26 27FEB26 27MAR26 26JUN26 25SEP26"},
	} {
		if got := dates(chain.options(at(tt.at))); got != tt.want {
			t.Errorf("options at %s:\n got %s\nwant %s", tt.at, got, tt.want)
		}
	}
	futures := expiries{quarterly: 2}
	for _, tt := range []struct{ at, want string }{
		{"2026-03-27T07:59", "27MAR26 26JUN26"},
		{"2026-03-27T08:00", "26JUN26 25SEP26"},
		{"1969-12-31T23:00", "27MAR70 26JUN70"},
	} {
		if got := dates(futures.futures(at(tt.at))); got != tt.want {
			t.Errorf("futures at %s: %s, want %s", tt.at, got, tt.want)
		}
	}
}

func TestSymbolsOfFutures(t *testing.T) {
	for _, tt := range []struct{ symbol, day, want string }{
		{"BTCUSDT-", "2026-06-26", "BTCUSDT-26JUN26"},
		{"BTCUSDT-", "2026-01-02", "BTCUSDT-02JAN26"},
		{"BTCUSD", "2026-03-27", "BTCUSDH26"}, {"BTCUSD", "2026-06-26", "BTCUSDM26"},
		{"BTCUSD", "2026-09-25", "BTCUSDU26"}, {"BTCUSD", "2026-12-25", "BTCUSDZ26"},
	} {
		if got := (contractRow{symbol: tt.symbol}).futureSymbol(at(tt.day + "T08:00")); got != tt.want {
			t.Errorf("%s of %s is %s, want %s", tt.symbol, tt.day, got, tt.want)
		}
	}
}

func TestStrikes(t *testing.T) {
	for _, tt := range []struct {
		price string
		p     period
		step  int64 // 1, 2 and 5 divide at their geometric means: 1.414, 3.162, 7.071
		first int64 // of four on each side
		n     int
	}{
		{"88000", daily, 1000, 84000, 9},      // 1.2 % are 1056
		{"88000", weekly, 2000, 80000, 9},     // 2.3 % are 2024
		{"88000", monthly, 5000, 70000, 9},    // 5 % are 4400; 88000 lies next to 90000
		{"88000", quarterly, 10000, 50000, 9}, // 10 % are 8800
		{"2975", daily, 50, 2800, 9},          // 35.7
		{"2975", weekly, 50, 2800, 9},         // 68.4
		{"2975", monthly, 200, 2200, 9},       // 148.75
		{"2975", quarterly, 200, 2200, 9},     // 297.5
		{"3", daily, 1, 1, 7},                 // strikes below 1 are left out: -1, 0
		{"2000000", quarterly, 200000, 1200000, 9},
	} {
		step := strikeStep(number(tt.price), tt.p)
		list := strikes(number(tt.price), tt.p, 4)
		if step != tt.step || list[0] != tt.first || len(list) != tt.n {
			t.Errorf("%s, period %d: step %d, strikes %v, want step %d, %d strikes from %d", tt.price, tt.p, step, list, tt.step, tt.n, tt.first)
		}
	}
	if got := strikeStep(fixed.Max, quarterly); got != 200000000 {
		t.Errorf("the step of the highest price is %d", got)
	}
}
