package capture

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bywire/bywire/bybit"
)

func categoryOf(name string) bybit.Category { return bybit.Category(name) }

func importInto(t *testing.T, dir string, opts *ImportOptions, files ...string) []*ImportReport {
	t.Helper()
	w, err := OpenWriter(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	reports, err := Import(context.Background(), w, opts, files...)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return reports
}

func verifyDir(t *testing.T, dir string) *Verification {
	t.Helper()
	r, err := OpenReader(dir)
	if err != nil {
		t.Fatal(err)
	}
	v, err := Verify(context.Background(), r, nil)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// write makes a file with the text, packed as its name says.
func write(t *testing.T, name, text string) string {
	t.Helper()
	var packed bytes.Buffer
	switch filepath.Ext(name) {
	case ".gz":
		z := gzip.NewWriter(&packed)
		if _, err := z.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
	case ".zip":
		z := zip.NewWriter(&packed)
		member, err := z.Create("inside.data")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := member.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
	default:
		packed.WriteString(text)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, packed.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// dump returns the records as "TIME CHANNEL KIND DATA".
func dump(t *testing.T, dir string) []string {
	t.Helper()
	r, err := OpenReader(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for rec, err := range r.Records(time.Time{}, time.Time{}) {
		if err != nil {
			t.Fatal(err)
		}
		line := fmt.Sprintf("%s %s %s", rec.Received.Format("15:04:05.000000"), rec.Channel, rec.Kind)
		if rec.Direction == Out {
			line += " out"
		}
		if len(rec.Data) > 0 {
			line += " " + string(rec.Data)
		}
		out = append(out, line)
	}
	return out
}

func wantLines(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

const bookFrames = `{"topic":"orderbook.50.ABCUSDT","type":"snapshot","ts":1000,"data":{"s":"ABCUSDT","b":[["9","1"],["8","2"]],"a":[["10","3"]],"u":7,"seq":70},"cts":999}
{"topic":"orderbook.50.ABCUSDT","type":"delta","ts":2000,"data":{"s":"ABCUSDT","b":[["9","0"]],"a":[],"u":8,"seq":71},"cts":1999}
`

func TestImportV5(t *testing.T) {
	text := `{"success":true,"ret_msg":"subscribe","conn_id":"c","op":"subscribe"}` + "\n\n" + bookFrames +
		`{"recv":"1970-01-01T00:00:03.5Z","category":"spot","frame":{"topic":"publicTrade.ABCUSDT","ts":3001,"type":"snapshot","data":[{"i":"1","T":3000,"p":"9.5","v":"2","S":"Buy","s":"ABCUSDT","BT":false}]}}
{"recv":1700000000123456789,"frame":"{\"op\":\"ping\"}"}
{"topic":"orderbook.50.ABCUSDT","type":"delta","ts":3000,"data":{"s":"ABCUSDT","b":[["9","x"]],"a":[],"u":9,"seq":72}}
{"topic":"orderBookL2_25.ABCUSDT","type":"delta","data":{},"cross_seq":1,"timestamp_e6":1}
not json
{"topic":"future.topic","ts":1700000000200,"data":{}}
{"topic":"future.topic",
`
	dir := t.TempDir()
	reports := importInto(t, dir, &ImportOptions{Format: FormatV5JSONL, Category: bybit.Linear}, write(t, "frames.jsonl", text))
	frames := strings.Split(strings.TrimSpace(bookFrames), "\n")
	wantLines(t, dump(t, dir), []string{
		"00:00:01.000000 linear connect",
		`00:00:01.000000 linear frame {"success":true,"ret_msg":"subscribe","conn_id":"c","op":"subscribe"}`,
		"00:00:01.000000 linear frame " + frames[0],
		"00:00:02.000000 linear frame " + frames[1],
		"00:00:03.500000 spot connect",
		`00:00:03.500000 spot frame {"topic":"publicTrade.ABCUSDT","ts":3001,"type":"snapshot","data":[{"i":"1","T":3000,"p":"9.5","v":"2","S":"Buy","s":"ABCUSDT","BT":false}]}`,
		`22:13:20.123456 linear frame out {"op":"ping"}`,
		`22:13:20.200000 linear frame {"topic":"future.topic","ts":1700000000200,"data":{}}`,
	})
	var refused []string
	for _, r := range reports[0].Refusals {
		refused = append(refused, r.String())
	}
	if len(refused) != 4 || reports[0].Refused != 4 {
		t.Fatalf("refused %q", refused)
	}
	for i, want := range []string{
		"line 7: decode orderbook.50.ABCUSDT: not a decimal number at offset 90",
		"line 8: orderBookL2_25.ABCUSDT is a topic of V2, orderbook.50.ABCUSDT today; import it as v2-log",
		"line 9: no JSON object",
		"line 11: ",
	} {
		if !strings.HasPrefix(refused[i], want) {
			t.Errorf("refused %q, want %q", refused[i], want)
		}
	}
	v := verifyDir(t, dir)
	if v.Frames != 6 || v.Data != 4 || v.Control != 2 || len(v.Topics) != 3 || !v.Clean() {
		t.Errorf("verify: %+v", v)
	}
}

func TestImportRefusesWithoutCategory(t *testing.T) {
	dir := t.TempDir()
	r := importInto(t, dir, &ImportOptions{Format: FormatV5JSONL}, write(t, "frames.jsonl", bookFrames))[0]
	if r.Refused != 2 || !strings.Contains(r.Refusals[0].Reason, "no category") {
		t.Errorf("%+v", r)
	}
}

// TestImportMerges checks that files of one import are merged by time, in the
// order of the files where times are equal, packed in any way.
func TestImportMerges(t *testing.T) {
	trades := "timestamp,symbol,side,size,price,tickDirection,trdMatchID\n" +
		"2.5,ABCUSDT,Sell,2,9.5,MinusTick,c\n1.5,ABCUSDT,Buy,2,9.50,PlusTick,b\n1.5,ABCUSDT,Buy,1,9.50,ZeroPlusTick,a\n"
	for _, ext := range []string{"", ".gz", ".zip"} {
		dir := t.TempDir()
		w, err := OpenWriter(dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		books := write(t, "ABCUSDT_ob500.data"+ext, bookFrames)
		if _, err := Import(context.Background(), w, &ImportOptions{Format: FormatBybitBooks, Category: bybit.Linear}, books, books); err != nil {
			t.Fatal(err)
		}
		_, err = Import(context.Background(), w, &ImportOptions{Format: FormatBybitBooks, Category: bybit.Linear}, books)
		if !errors.Is(err, ErrNotEmpty) {
			t.Errorf("second import: %v, want ErrNotEmpty", err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		frames := strings.Split(strings.TrimSpace(bookFrames), "\n")
		wantLines(t, dump(t, dir), []string{
			"00:00:01.000000 linear connect", "00:00:01.000000 linear frame " + frames[0],
			"00:00:01.000000 linear connect", "00:00:01.000000 linear frame " + frames[0],
			"00:00:02.000000 linear frame " + frames[1], "00:00:02.000000 linear frame " + frames[1],
		})
		dir = t.TempDir()
		r := importInto(t, dir, &ImportOptions{Format: FormatBybitTrades}, write(t, "ABCUSDT1970-01-01.csv"+ext, trades))[0]
		if r.Rows != 3 || r.Trades != 3 || r.Data != 2 {
			t.Errorf("%+v", r)
		}
		wantLines(t, dump(t, dir), []string{
			"00:00:01.500000 linear connect",
			`00:00:01.500000 linear frame {"topic":"publicTrade.ABCUSDT","type":"snapshot","ts":1500,"data":[{"T":1500,"s":"ABCUSDT","S":"Buy","v":"1","p":"9.50","L":"ZeroPlusTick","i":"a","BT":false},{"T":1500,"s":"ABCUSDT","S":"Buy","v":"2","p":"9.50","L":"PlusTick","i":"b","BT":false}]}`,
			`00:00:02.500000 linear frame {"topic":"publicTrade.ABCUSDT","type":"snapshot","ts":2500,"data":[{"T":2500,"s":"ABCUSDT","S":"Sell","v":"2","p":"9.5","L":"MinusTick","i":"c","BT":false}]}`,
		})
	}
}

func TestImportSpotTrades(t *testing.T) {
	dir := t.TempDir()
	text := "id,timestamp,price,volume,side,rpi\n1,1700000000001,0.5,10,buy,0\n2,1700000000002,0.5,,sell,1\n3,1700000000002,0.6,2,sell,1\n4,17000000,0.6,2\n"
	r := importInto(t, dir, &ImportOptions{Format: FormatBybitTrades}, write(t, "ABCUSDT_2023-11-14.csv.gz", text))[0]
	wantLines(t, dump(t, dir), []string{
		"22:13:20.001000 spot connect",
		`22:13:20.001000 spot frame {"topic":"publicTrade.ABCUSDT","ts":1700000000001,"type":"snapshot","data":[{"i":"1","T":1700000000001,"p":"0.5","v":"10","S":"Buy","s":"ABCUSDT","BT":false,"RPI":false}]}`,
		`22:13:20.002000 spot frame {"topic":"publicTrade.ABCUSDT","ts":1700000000002,"type":"snapshot","data":[{"i":"3","T":1700000000002,"p":"0.6","v":"2","S":"Sell","s":"ABCUSDT","BT":false,"RPI":true}]}`,
	})
	if r.Refused != 2 || r.Refusals[0].Line != 3 || r.Refusals[1].Line != 5 {
		t.Errorf("%+v", r.Refusals)
	}
}

func TestImportV2(t *testing.T) {
	text := `wss://stream.example.com/realtime <-> 1.5
wss://stream.example.com/realtime <- 1.6: {"op":"subscribe","args":["trade.ABCUSD"]}
1.7: {"success":true,"ret_msg":"","conn_id":"c","request":{}}
1.8: {"topic":"orderBookL2_25.ABCUSD","type":"delta","data":{"delete":[],"update":[],"insert":[]},"cross_seq":1,"timestamp_e6":1700001}
2: {"topic":"orderBookL2_25.ABCUSD","type":"snapshot","data":[{"price":"8.0","symbol":"ABCUSD","id":1,"side":"Buy","size":5},{"price":"9.0","symbol":"ABCUSD","id":2,"side":"Buy","size":6},{"price":"9.5","symbol":"ABCUSD","id":3,"side":"Sell","size":7}],"cross_seq":10,"timestamp_e6":1900001}
3: {"topic":"orderBookL2_25.ABCUSD","type":"delta","data":{"delete":[{"price":"8.0","symbol":"ABCUSD","id":1,"side":"Buy"}],"update":[{"price":"9.0","symbol":"ABCUSD","id":2,"side":"Buy","size":1}],"insert":[{"price":"9.6","symbol":"ABCUSD","id":4,"side":"Sell","size":2}]},"cross_seq":11,"timestamp_e6":2900001}
4: {"topic":"trade.ABCUSD","data":[{"symbol":"ABCUSD","tick_direction":"PlusTick","price":9.5,"size":3,"timestamp":"1970-01-01T00:00:03.000Z","trade_time_ms":3900,"side":"Buy","trade_id":"t"}]}
5: {"topic":"orderBookL2_25.ABCUSD","type":"delta","data":{"delete":[{"price":"8.0","symbol":"XYZUSD","id":1,"side":"Buy"}],"update":[],"insert":[]},"cross_seq":12,"timestamp_e6":4900001}
`
	dir := t.TempDir()
	r := importInto(t, dir, &ImportOptions{Format: FormatV2Log}, write(t, "log.txt", text))[0]
	wantLines(t, dump(t, dir), []string{
		"00:00:01.500000 inverse connect",
		`00:00:01.600000 inverse frame out {"op":"subscribe","args":["trade.ABCUSD"]}`,
		`00:00:01.700000 inverse frame {"success":true,"ret_msg":"","conn_id":"c","request":{}}`,
		`00:00:02.000000 inverse frame {"topic":"orderbook.50.ABCUSD","type":"snapshot","ts":1900,"data":{"s":"ABCUSD","b":[["9.0","6"],["8.0","5"]],"a":[["9.5","7"]],"u":1,"seq":10},"cts":1900}`,
		`00:00:03.000000 inverse frame {"topic":"orderbook.50.ABCUSD","type":"delta","ts":2900,"data":{"s":"ABCUSD","b":[["8.0","0"],["9.0","1"]],"a":[["9.6","2"]],"u":2,"seq":11},"cts":2900}`,
		`00:00:04.000000 inverse frame {"topic":"publicTrade.ABCUSD","type":"snapshot","ts":3900,"data":[{"T":3900,"s":"ABCUSD","S":"Buy","v":"3","p":"9.5","L":"PlusTick","i":"t","BT":false}]}`,
	})
	wantLines(t, []string{r.Refusals[0].String(), r.Refusals[1].String()}, []string{
		"line 4: delta of orderBookL2_25.ABCUSD before its first snapshot",
		`line 8: level of "XYZUSD" in the book of ABCUSD`,
	})
}

// TestImportBounds checks that an archive that unpacks to too much ends the
// import with an error that says so.
func TestImportBounds(t *testing.T) {
	bomb := strings.Repeat(" ", 8<<20) + "\n"
	for _, ext := range []string{".gz", ".zip"} {
		w, err := OpenWriter(t.TempDir(), nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = Import(context.Background(), w, &ImportOptions{Format: FormatV5JSONL}, write(t, "bomb"+ext, bomb))
		if err == nil || !strings.Contains(err.Error(), "500 times its size") {
			t.Errorf("%s: %v", ext, err)
		}
		_, err = Import(context.Background(), w, &ImportOptions{Format: FormatV5JSONL, MaxBytes: 100}, write(t, "big"+ext, bookFrames))
		if err == nil || !strings.Contains(err.Error(), "unpacks to more than 100 bytes") {
			t.Errorf("%s: %v", ext, err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestImportLongLine(t *testing.T) {
	dir := t.TempDir()
	text := strings.Repeat("x", maxLine+10) + "\n" + bookFrames
	r := importInto(t, dir, &ImportOptions{Format: FormatV5JSONL, Category: bybit.Linear}, write(t, "long.jsonl", text))[0]
	if r.Data != 2 || r.Refused != 1 || r.Refusals[0].String() != "line 1: line is longer than 16777216 bytes" {
		t.Errorf("%+v", r)
	}
}

func TestImportErrors(t *testing.T) {
	w, err := OpenWriter(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for _, test := range []struct {
		name, text, format, want string
	}{
		{"a.csv", "time,price\n1,2\n", "bybit-trades", `no column "timestamp"`},
		{"lower.csv", "timestamp,price,volume,side\n1,2,3,buy\n", "bybit-trades", "spot trades have no symbol column"},
		{"a.gz", "", "what", "no format named; there are [v5-jsonl v2-log bybit-ob bybit-trades]"},
	} {
		_, err := Import(context.Background(), w, &ImportOptions{Format: Format(test.format)}, write(t, test.name, test.text))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", test.name, err, test.want)
		}
	}
	if _, err := Import(context.Background(), w, &ImportOptions{Format: FormatV2Log}, filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
}

func TestParseTime(t *testing.T) {
	for text, want := range map[string]string{
		"1700000000":                "2023-11-14T22:13:20Z",
		"1700000000.25":             "2023-11-14T22:13:20.25Z",
		"1569945599.996137":         "2019-10-01T15:59:59.996137Z",
		"1700000000123":             "2023-11-14T22:13:20.123Z",
		"1700000000123456":          "2023-11-14T22:13:20.123456Z",
		"1700000000123456789":       "2023-11-14T22:13:20.123456789Z",
		"2024-07-04T06:57:37.4498Z": "2024-07-04T06:57:37.4498Z",
	} {
		got, err := parseTime(text)
		if err != nil || got.Format(time.RFC3339Nano) != want {
			t.Errorf("%s: %s %v, want %s", text, got.Format(time.RFC3339Nano), err, want)
		}
	}
	for _, text := range []string{"", "x", "-5", "99999999999999999999999"} {
		if got, err := parseTime(text); err == nil {
			t.Errorf("%q: %s, want an error", text, got)
		}
	}
}
