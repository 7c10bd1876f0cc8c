package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bywire/bywire/capture"
)

func TestMerge(t *testing.T) {
	frames := bookFrames("BTCUSDT", 8, 1000)
	a := captureOf(t, "linear", append(frames[:3:3], frames[6:]...))
	b := captureOf(t, "linear", append(frames[:1:1], frames[2:]...))
	to := filepath.Join(t.TempDir(), "day")
	o := bywire(t, "capture", "merge", "--to", to, a, b).want(t, exitOK)
	for _, want := range []string{"orderbook.50.BTCUSDT", "9 messages in " + to + ": 1 from A only, 3 from B only, 5 from both\n", "whole: nothing is missing"} {
		if !strings.Contains(o.stdout, want) {
			t.Errorf("merge prints\n%s\nwant %q in it", o.stdout, want)
		}
	}
	bywire(t, "capture", "verify", to).want(t, exitOK)
	if got := bywire(t, "capture", "cat", to, "--data").want(t, exitOK).stdout; got != strings.Join(frames, "\n")+"\n" {
		t.Errorf("the result holds\n%s\nwant\n%s", got, strings.Join(frames, "\n"))
	}

	// Without the frame that only A has, it is missing in the two of them.
	holed := captureOf(t, "linear", append(frames[:1:1], frames[2:4]...))
	to = filepath.Join(t.TempDir(), "holed")
	o = bywire(t, "capture", "merge", "--to", to, b, holed, "-o", "json").want(t, exitDamage)
	if o.stderr != "bywire: 1 place missing in both\n" {
		t.Errorf("merge says %q", o.stderr)
	}
	var said, written capture.Ledger
	if err := json.Unmarshal([]byte(o.stdout), &said); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(to, capture.LedgerFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &written); err != nil {
		t.Fatal(err)
	}
	for _, l := range []*capture.Ledger{&said, &written} {
		if l.Missing != 1 || l.OnlyA != 5 || l.Both != 3 || len(l.Topics) != 1 || l.Topics[0].Missing[0].FromU == 0 || l.Topics[0].Missing[0].FromU != l.Topics[0].Missing[0].ToU {
			t.Errorf("ledger %+v", l)
		}
	}
	bywire(t, "capture", "verify", to).want(t, exitDamage)
}

func TestMergeRefusals(t *testing.T) {
	dir := captureOf(t, "linear", bookFrames("BTCUSDT", 2, 1000))
	other := captureOf(t, "linear", bookFrames("BTCUSDT", 2, 1000))
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{dir, other}, "--to missing"},
		{[]string{"--to", "x", dir}, "two folders"},
		{[]string{"--to", "x", dir, dir}, "named twice"},
		{[]string{"--to", other, dir, other}, "holds something already"},
		{[]string{"--to", "x", dir, filepath.Join(dir, "none")}, "no such folder"},
		{[]string{"--to", "x", "--window", "0s", dir, other}, "--window 0s"},
		{[]string{"--to", "x", "--window-size", "0", dir, other}, "--window-size 0"},
		{[]string{"--to", "x", "-o", "yaml", dir, other}, "yaml"},
	} {
		o := bywire(t, append([]string{"capture", "merge"}, tc.args...)...).want(t, exitUsage)
		if !strings.Contains(o.stderr, tc.want) || strings.Count(o.stderr, "\n") != 1 {
			t.Errorf("merge %q says %q, want %q in one line", tc.args, o.stderr, tc.want)
		}
	}
}
