package main

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestImportVerifyInfoCat(t *testing.T) {
	frames := append(bookFrames("BTCUSDT", 5, 1000), tradeFrame("BTCUSDT", 1, 1700000006000))
	ack := `{"success":true,"ret_msg":"","conn_id":"c","req_id":"","op":"subscribe"}`
	text := ack + "\n" + strings.Join(frames, "\n") + "\nnot a frame\n"
	dir := filepath.Join(t.TempDir(), "rec")

	o := bywire(t, "capture", "import", "--from", "v5-jsonl", "--category", "linear", "--to", dir, "-o", "json", file(t, "day.jsonl", text)).want(t, exitOK)
	var report importSummary
	if err := json.Unmarshal([]byte(o.stdout), &report); err != nil {
		t.Fatal(err)
	}
	if report.Frames != 8 || report.Refused != 1 || report.Files[0].DataFrames != 7 || report.Files[0].Refusals[0].Line != 9 {
		t.Errorf("import says %+v", report)
	}
	if !strings.Contains(o.stderr, "day.jsonl, line 9: refused: ") {
		t.Errorf("import says on stderr %q", o.stderr)
	}

	o = bywire(t, "capture", "verify", dir, "-o", "json").want(t, exitOK)
	var v struct {
		Frames int
		Topics []map[string]any
	}
	if err := json.Unmarshal([]byte(o.stdout), &v); err != nil {
		t.Fatal(err)
	}
	if v.Frames != 8 || len(v.Topics) != 2 {
		t.Fatalf("verify says %+v", v)
	}
	book := v.Topics[0]
	for key, want := range map[string]any{"topic": "orderbook.50.BTCUSDT", "channel": "linear", "updates": 6.0, "gaps": 0.0, "crossed": 0.0, "snapshots": 1.0, "longestSilenceMs": 1000.0, "first": "2023-11-14T22:13:20Z"} {
		if book[key] != want {
			t.Errorf("verify: %s is %v, want %v", key, book[key], want)
		}
	}
	if o := bywire(t, "capture", "verify", dir).want(t, exitOK); !strings.Contains(o.stdout, "clean: ") || !strings.Contains(o.stdout, "orderbook.50.BTCUSDT") {
		t.Errorf("verify prints\n%s", o.stdout)
	}

	var info captureInfo
	if err := json.Unmarshal([]byte(bywire(t, "capture", "info", dir, "-o", "json").want(t, exitOK).stdout), &info); err != nil {
		t.Fatal(err)
	}
	if info.Frames != 8 || info.Records != 9 || len(info.Segments) == 0 || info.Channels[0] != "linear" || info.Connections[0].Frames != 8 {
		t.Errorf("info says %+v", info)
	}
	if o := bywire(t, "capture", "info", dir).want(t, exitOK); !strings.Contains(o.stdout, "9, 8 of them frames") {
		t.Errorf("info prints\n%s", o.stdout)
	}

	for _, tc := range []struct {
		args []string
		want []string
	}{
		{nil, append([]string{ack}, frames...)},
		{[]string{"--data"}, frames},
		{[]string{"--topic", "publicTrade.*"}, frames[6:]},
		{[]string{"--topic", "orderbook.50.BTCUSDT", "--from", "+2s", "--to", "+4s"}, frames[2:4]},
		{[]string{"--data", "--from", "2023-11-14T22:13:24"}, frames[4:]},
		{[]string{"--data", "--from", "1700000005000", "--to", "1700000006"}, frames[5:6]},
		{[]string{"--channel", "spot"}, nil},
	} {
		o := bywire(t, append([]string{"capture", "cat", dir}, tc.args...)...).want(t, exitOK)
		want := strings.Join(tc.want, "\n")
		if strings.TrimSuffix(o.stdout, "\n") != want {
			t.Errorf("cat %q prints\n%s\nwant\n%s", tc.args, o.stdout, want)
		}
	}
}

// What cat -o ndjson prints is an import again, with the same frames and times.
func TestCatCanBeImported(t *testing.T) {
	dir := captureOf(t, "spot", bookFrames("BTCUSDT", 3, 250))
	lines := bywire(t, "capture", "cat", dir, "-o", "ndjson", "--data").want(t, exitOK).stdout
	again := filepath.Join(t.TempDir(), "again")
	bywire(t, "capture", "import", "--from", "v5-jsonl", "--to", again, file(t, "again.jsonl", lines)).want(t, exitOK)
	if got := bywire(t, "capture", "cat", again, "-o", "ndjson", "--data").stdout; got != lines {
		t.Errorf("imported again:\n%s\nfirst:\n%s", got, lines)
	}
	all := bywire(t, "capture", "cat", dir, "-o", "ndjson").stdout
	first, _, _ := strings.Cut(all, "\n")
	if first != `{"recv":"2023-11-14T22:13:20.000000000Z","category":"spot","kind":"connect","conn":1,"seq":1,"text":""}` {
		t.Errorf("first record: %s", first)
	}
}

func TestVerifyFindsGapsAndCrossedBooks(t *testing.T) {
	frames := bookFrames("BTCUSDT", 4, 1000)
	gap := captureOf(t, "linear", append(frames[:2:2], frames[3:]...))
	o := bywire(t, "capture", "verify", gap).want(t, exitDamage)
	if o.stderr != "bywire: 1 gap; first in orderbook.50.BTCUSDT on linear\n" {
		t.Errorf("verify says %q", o.stderr)
	}
	var v verification
	if err := json.Unmarshal([]byte(bywire(t, "capture", "verify", gap, "-o", "json").want(t, exitDamage).stdout), &v); err != nil {
		t.Fatal(err)
	}
	if v.Clean || v.Topics[0].Gaps != 1 {
		t.Errorf("verify says %+v", v)
	}
	crossed := captureOf(t, "linear", append(frames[:1:1], strings.Replace(frames[1], `["100.0","1"]`, `["101.2","1"]`, 1)))
	if o := bywire(t, "capture", "verify", crossed).want(t, exitDamage); o.stderr != "bywire: 1 crossed book; first in orderbook.50.BTCUSDT on linear\n" {
		t.Errorf("verify says %q", o.stderr)
	}
}

func TestDamagedCapture(t *testing.T) {
	dir := captureOf(t, "linear", bookFrames("BTCUSDT", 200, 10))
	segments, err := filepath.Glob(filepath.Join(dir, "*.seg"))
	if err != nil || len(segments) == 0 {
		t.Fatalf("segments %q, %v", segments, err)
	}
	raw, err := os.ReadFile(segments[0])
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)/2] ^= 0x55
	if err := os.WriteFile(segments[0], raw, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, sub := range []string{"verify", "cat"} {
		o := bywire(t, "capture", sub, dir).want(t, exitDamage)
		if !strings.Contains(o.stderr, "damaged") {
			t.Errorf("%s says %q", sub, o.stderr)
		}
	}
}

func TestImportRefusals(t *testing.T) {
	frames := strings.Join(bookFrames("BTCUSDT", 1, 1), "\n")
	to := filepath.Join(t.TempDir(), "rec")
	frame := file(t, "frames.jsonl", frames)
	o := bywire(t, "capture", "import", "--from", "v5-jsonl", "--to", to, frame).want(t, exitUsage)
	if o.stderr != "bywire: "+frame+", line 1: the rows name no category; add --category linear, spot, inverse or option\n" {
		t.Errorf("without a category: %q", o.stderr)
	}
	junk := file(t, "junk.jsonl", "one\ntwo\n")
	o = bywire(t, "capture", "import", "--from", "v5-jsonl", "--to", to, "--category", "spot", junk).want(t, exitDamage)
	if !strings.HasPrefix(o.stderr, "bywire: nothing imported: "+junk+", line 1: ") || strings.Count(o.stderr, "\n") != 1 {
		t.Errorf("junk: %q", o.stderr)
	}
	cutShort := file(t, "cut.jsonl.gz", "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03abc")
	o = bywire(t, "capture", "import", "--from", "v5-jsonl", "--to", to, "--category", "spot", cutShort).want(t, exitDamage)
	if !strings.Contains(o.stderr, "cut.jsonl.gz") || strings.Count(o.stderr, "\n") != 1 {
		t.Errorf("cut archive: %q", o.stderr)
	}
	if _, err := os.Stat(to); err == nil {
		t.Error("imports of nothing left a folder behind")
	}
}

// brokenPipe is a reader of stdout that goes away after some bytes, as head
// does.
type brokenPipe struct{ left int }

func (w *brokenPipe) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		return 0, io.ErrClosedPipe
	}
	return len(p), nil
}

func TestBrokenPipeEndsQuietly(t *testing.T) {
	dir := captureOf(t, "linear", bookFrames("BTCUSDT", 2000, 1))
	var stderr strings.Builder
	if code := run(t.Context(), []string{"capture", "cat", dir}, strings.NewReader(""), &brokenPipe{left: 100_000}, &stderr); code != exitOK || stderr.Len() > 0 {
		t.Errorf("cat: exit code %d, %s", code, &stderr)
	}
	if code := run(t.Context(), []string{"topics"}, strings.NewReader(""), &brokenPipe{}, &stderr); code != exitOK || stderr.Len() > 0 {
		t.Errorf("topics: exit code %d, %s", code, &stderr)
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestOtherWriteErrorsAreTold(t *testing.T) {
	var stderr strings.Builder
	code := run(t.Context(), []string{"topics"}, strings.NewReader(""), fullDisk{}, &stderr)
	if code != exitOther || stderr.String() != "bywire: stdout: short write\n" {
		t.Errorf("exit code %d, %q", code, &stderr)
	}
}
