package wire

import (
	"testing"
	"time"
)

func TestChannelPaths(t *testing.T) {
	tests := []struct {
		ch     Channel
		path   string
		family Family
		public bool
	}{
		{Spot, "/v5/public/spot", FamilySpot, true},
		{Linear, "/v5/public/linear", FamilyFutures, true},
		{Inverse, "/v5/public/inverse", FamilyFutures, true},
		{Option, "/v5/public/option", FamilyOption, true},
		{Spread, "/v5/public/spread", FamilyOption, true},
		{RFQ, "/v5/public/rfq", FamilyFutures, true},
		{Status, "/v5/public/misc/status", FamilyFutures, true},
		{Finance, "/v5/public/fp", FamilyFutures, true},
		{Private, "/v5/private", FamilyPrivate, false},
		{Trade, "/v5/trade", FamilyTrade, false},
	}
	if len(tests) != len(Channels()) {
		t.Errorf("the table has %d channels, Channels %d", len(tests), len(Channels()))
	}
	for _, tt := range tests {
		if got := tt.ch.Path(); got != tt.path {
			t.Errorf("%s.Path() = %q, want %q", tt.ch, got, tt.path)
		}
		if got, ok := ChannelOfPath(tt.path); got != tt.ch || !ok {
			t.Errorf("ChannelOfPath(%q) = %q, %v, want %q", tt.path, got, ok, tt.ch)
		}
		if got := tt.ch.Family(); got != tt.family {
			t.Errorf("%s.Family() = %v, want %v", tt.ch, got, tt.family)
		}
		if got := tt.ch.IsPublic(); got != tt.public {
			t.Errorf("%s.IsPublic() = %v, want %v", tt.ch, got, tt.public)
		}
		if !tt.ch.IsKnown() || tt.ch.IsCustom() {
			t.Errorf("%s: IsKnown %v, IsCustom %v", tt.ch, tt.ch.IsKnown(), tt.ch.IsCustom())
		}
	}
}

func TestCustomChannel(t *testing.T) {
	ch, ok := ChannelOfPath("/desk/books")
	if ok || ch != "/desk/books" {
		t.Errorf("ChannelOfPath of a custom path = %q, %v", ch, ok)
	}
	if !ch.IsCustom() || ch.IsKnown() || ch.Path() != "/desk/books" || ch.Family() != FamilyFutures || !ch.IsPublic() {
		t.Errorf("custom channel: %v %v %q %v", ch.IsCustom(), ch.IsKnown(), ch.Path(), ch.Family())
	}
	if got := Channel("futures").Path(); got != "" {
		t.Errorf("an unknown name has path %q", got)
	}
}

func TestFamilyNames(t *testing.T) {
	for f, want := range [...]string{"futures", "spot", "option", "private", "trade", "unknown"} {
		if got := Family(f).String(); got != want {
			t.Errorf("Family(%d) = %q, want %q", f, got, want)
		}
	}
}

func TestLimits(t *testing.T) {
	tests := []struct {
		ch   Channel
		want Limits
	}{
		{Spot, Limits{ArgsPerRequest: 10, ArgsChars: 21000}},
		{Linear, Limits{ArgsChars: 21000}},
		{Inverse, Limits{ArgsChars: 21000}},
		{Option, Limits{ArgsPerConnection: 2000, ArgsChars: 21000}},
		{Spread, Limits{ArgsChars: 21000}},
		{Private, Limits{}},
		{Trade, Limits{}},
		{"/desk/books", Limits{ArgsChars: 21000}},
	}
	for _, tt := range tests {
		if got := tt.ch.Limits(); got != tt.want {
			t.Errorf("%s.Limits() = %+v, want %+v", tt.ch, got, tt.want)
		}
	}
}

func TestParseActiveTime(t *testing.T) {
	tests := []struct {
		in   string
		want time.Duration
		ok   bool
	}{
		{"30s", 30 * time.Second, true},
		{"600s", 600 * time.Second, true},
		{"1m", time.Minute, true},
		{"10m", 10 * time.Minute, true},
		{"29s", 29 * time.Second, false},
		{"601s", 601 * time.Second, false},
		{"11m", 11 * time.Minute, false},
		{"", 0, false},
		{"s", 0, false},
		{"60", 0, false},
		{"1h", 0, false},
		{"1.5m", 0, false},
		{"-60s", 0, false},
		{"999999s", 0, false},
	}
	for _, tt := range tests {
		if got, ok := ParseActiveTime(tt.in); got != tt.want || ok != tt.ok {
			t.Errorf("ParseActiveTime(%q) = %v, %v, want %v, %v", tt.in, got, ok, tt.want, tt.ok)
		}
	}
}
