package capture

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bywire/bywire/bybit"
)

// member is a file for an archive.
type member struct{ name, text string }

func zipped(t *testing.T, name string, members ...member) string {
	t.Helper()
	var packed bytes.Buffer
	z := zip.NewWriter(&packed)
	for _, m := range members {
		out, err := z.Create(m.name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := out.Write([]byte(m.text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return writeRaw(t, name, packed.String())
}

func writeRaw(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func gzipped(t *testing.T, text string) string {
	t.Helper()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.String()
}

// importError imports what cannot be read to its end, and returns the report,
// the error and what the capture holds.
func importError(t *testing.T, opts *ImportOptions, file string) (*ImportReport, []string, error) {
	t.Helper()
	dir := t.TempDir()
	w := openWriter(t, dir, nil)
	reports, err := Import(context.Background(), w, opts, file)
	if err == nil {
		t.Error("imported without an error")
	}
	closeWriter(t, w)
	if reports[0].Frames == 0 {
		return reports[0], nil, err
	}
	return reports[0], dump(t, dir), err
}

func refusals(r *ImportReport) []string {
	var out []string
	for _, refusal := range r.Refusals {
		out = append(out, refusal.String())
	}
	return out
}

// tradesOf returns "symbol price" of every trade in the capture.
func tradesOf(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	for rec, err := range openReader(t, dir).Records(time.Time{}, time.Time{}) {
		if err != nil {
			t.Fatal(err)
		}
		var m bybit.TradesMessage
		if rec.Kind != Frame {
			continue
		}
		if err := m.Decode(rec.Data); err != nil {
			t.Fatal(err)
		}
		for _, trade := range m.Trades {
			out = append(out, trade.Symbol+" "+trade.Price.String())
		}
	}
	return out
}

const tradeHeader = "timestamp,symbol,side,size,price\n"

// TestImportTradeOrder checks the order of trades in files that list them oldest
// or newest first, with neighbours out of order.
func TestImportTradeOrder(t *testing.T) {
	for _, test := range []struct{ name, times, want string }{
		{"oldest first", "1 2 2 3", "1 2 2b 3"},
		{"newest first", "3 2 2 1", "1 2b 2 3"},
		{"one time", "5 5 5", "5 5b 5c"},
		{"oldest first, first rows inverted", "2 1 3 4 5", "2 1 3 4 5"},
		{"newest first, first rows inverted", "4 5 3 2 1", "1 2 3 4 5"},
		{"newest first, rows inverted inside", "6 5 3 4 2 1", "1 2 3 4 5 6"},
		{"two steps that tell nothing", "1 2 1", "1 2 1b"},
	} {
		t.Run(test.name, func(t *testing.T) {
			text := tradeHeader
			seen := map[string]int{}
			names := map[string]string{} // price to time with the letter of its turn
			for i, at := range strings.Fields(test.times) {
				text += fmt.Sprintf("%s,ABCUSDT,Buy,1,%d\n", at, i+1)
				names[fmt.Sprint(i+1)] = at + strings.Repeat(string(rune('a'+seen[at])), min(seen[at], 1))
				seen[at]++
			}
			dir := t.TempDir()
			importInto(t, dir, &ImportOptions{Format: FormatBybitTrades}, write(t, "x.csv", text))
			var got []string
			for _, trade := range tradesOf(t, dir) {
				_, price, _ := strings.Cut(trade, " ")
				got = append(got, names[price])
			}
			wantLines(t, got, strings.Fields(test.want))
		})
	}
}

// TestImportTradeArchives checks that each member of an archive is read by its
// own header and, on spot, under its own name.
func TestImportTradeArchives(t *testing.T) {
	dir := t.TempDir()
	r := importInto(t, dir, &ImportOptions{Format: FormatBybitTrades}, zipped(t, "all.zip",
		member{"days/", ""},
		member{"days/a.csv", "\ufeff" + tradeHeader + "1,ABCUSDT,Buy,7,10\n2,ABCUSDT,Hold,7,11\n"},
		member{"__MACOSX/days/._a.csv", "\x00\x05\x16\x07"},
		member{"days/b.csv", "\ufeffprice,size,timestamp,symbol,side\r\n20,8,3,XYZUSDT,Sell\r\n"},
	))[0]
	wantLines(t, tradesOf(t, dir), []string{"ABCUSDT 10", "XYZUSDT 20"})
	wantLines(t, refusals(r), []string{`line 3: days/a.csv: side "Hold" is neither Buy nor Sell`})

	const spot = "id,timestamp,price,volume,side\n"
	dir = t.TempDir()
	importInto(t, dir, &ImportOptions{Format: FormatBybitTrades}, zipped(t, "QQQUSDT-2022-11.zip",
		member{"ABCUSDT-2022-11.csv", spot + "1,1667260800001,0.5,1,buy\n"},
		member{"XYZUSDT-2022-11.csv", spot + "1,1667260800002,0.6,1,buy"}))
	wantLines(t, tradesOf(t, dir), []string{"ABCUSDT 0.5", "XYZUSDT 0.6"})

	dir = t.TempDir()
	importInto(t, dir, &ImportOptions{Format: FormatBybitTrades}, zipped(t, "ABCUSDT-2022-11.zip",
		member{"trades.csv", spot + "1,1667260800001,0.5,1,buy\n"}))
	wantLines(t, tradesOf(t, dir), []string{"ABCUSDT 0.5"})

	for _, members := range [][]member{
		{{"trades.csv", spot}, {"others.csv", spot}},
		{{"2024-12-01_ABCUSDT.csv", spot}},
	} {
		_, _, err := importError(t, &ImportOptions{Format: FormatBybitTrades}, zipped(t, "x.zip", members...))
		if !strings.Contains(err.Error(), "spot trades have no symbol column and the file name \""+members[0].name) {
			t.Errorf("%s: %v", members[0].name, err)
		}
	}

	// Files that were joined have a header each, in members of a gzip file too.
	dir = t.TempDir()
	joined := gzipped(t, tradeHeader+"1,ABCUSDT,Buy,7,10\n") + gzipped(t, "side,symbol,price,size,timestamp\nBuy,ABCUSDT,11,7,2\n")
	r = importInto(t, dir, &ImportOptions{Format: FormatBybitTrades}, write(t, "joined.csv", joined))[0]
	wantLines(t, tradesOf(t, dir), []string{"ABCUSDT 10", "ABCUSDT 11"})
	if r.Rows != 2 || r.Refused != 0 {
		t.Errorf("%+v", r)
	}
}

func TestImportTradeRows(t *testing.T) {
	text := "\"timestamp\",\"symbol\",\"side\",\"size\",\"price\",\"rpi\"\r\n" +
		"\"1.569945599996137e9\",\"ABCUSDT\",\"Buy\",1e-05,8391.0,0\r\n" + // as programs print small numbers
		"1569945600, ABCUSDT,Buy,1,8391.0,0\r\n" +
		"1569945600,ABCUSDT,Buy,-1,8391.0,0\r\n" +
		"1569945600,ABCUSDT,Buy,1,0,0\r\n" +
		"1569945600,ABCUSDT,Buy,1,8391.0,perhaps\r\n" +
		"1569945600,ABCUSDT,Buy,\"1,8391.0,0\r\n" +
		"9999999999.5,ABCUSDT,Buy,1,8391.0,0\r\n" +
		"1569945600,ABCUSDT,Buy,1,8391.5,true"
	dir := t.TempDir()
	r := importInto(t, dir, &ImportOptions{Format: FormatBybitTrades}, write(t, "x.csv", text))[0]
	wantLines(t, dump(t, dir), []string{
		"15:59:59.996137 linear connect",
		`15:59:59.996137 linear frame {"topic":"publicTrade.ABCUSDT","type":"snapshot","ts":1569945599996,"data":[{"T":1569945599996,"s":"ABCUSDT","S":"Buy","v":"0.00001","p":"8391.0","BT":false,"RPI":false}]}`,
		`16:00:00.000000 linear frame {"topic":"publicTrade.ABCUSDT","type":"snapshot","ts":1569945600000,"data":[{"T":1569945600000,"s":"ABCUSDT","S":"Buy","v":"1","p":"8391.5","BT":false,"RPI":true}]}`,
	})
	wantLines(t, refusals(r), []string{
		`line 3: symbol " ABCUSDT" does not tell its category: name one for the import`,
		`line 4: price 8391.0 and size -1 are not both above zero`,
		`line 5: price 0 and size 1 are not both above zero`,
		`line 6: rpi "perhaps" is neither 0 nor 1`,
		"line 7: parse error on line 1, column 35: extraneous or missing \" in quoted-field",
		`line 8: time "9999999999.5" is out of range`,
	})
	_, _, err := importError(t, &ImportOptions{Format: FormatBybitTrades}, write(t, "x.csv", "timestamp,symbol,side,size,price,price\n"))
	if !strings.Contains(err.Error(), `two columns "price"`) {
		t.Error(err)
	}
}

// TestImportCutOff checks that a file that cannot be read to its end gives what
// was whole and nothing else, with an error that says so.
func TestImportCutOff(t *testing.T) {
	// The line that is cut would pass for a trade at a price of 1.
	text := tradeHeader + "1,ABCUSDT,Buy,7,10\n1,ABCUSDT,Buy,7,11\n2,ABCUSDT,Buy,7,1"
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Flush(); err != nil {
		t.Fatal(err)
	}
	r, lines, err := importError(t, &ImportOptions{Format: FormatBybitTrades}, write(t, "x.csv", packed.String()))
	if !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), "import x.csv: line 4: ") {
		t.Error(err)
	}
	if r.Rows != 2 || r.Trades != 2 || r.Data != 1 || len(lines) != 2 {
		t.Errorf("%+v\n%q", r, lines)
	}
	// An acknowledgement that waits for a time is not lost either: it is refused.
	r, _, err = importError(t, &ImportOptions{Format: FormatV5JSONL, Category: bybit.Linear},
		writeRaw(t, "x.jsonl", gzipped(t, `{"op":"ping"}`+"\n")+strings.Repeat("rest", 10)))
	if !errors.Is(err, gzip.ErrHeader) {
		t.Error(err)
	}
	if r.Rows != 1 || r.Refused != 1 {
		t.Errorf("%+v", r)
	}
}

func TestImportArchives(t *testing.T) {
	v5 := &ImportOptions{Format: FormatV5JSONL, Category: bybit.Linear}
	locked := zipped(t, "x.zip", member{"a.data", bookFrames})
	raw, err := os.ReadFile(locked)
	if err != nil {
		t.Fatal(err)
	}
	raw[6] |= 1                                        // in the member's header
	raw[bytes.Index(raw, []byte("PK\x01\x02"))+8] |= 1 // and in the list
	if err := os.WriteFile(locked, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ file, want string }{
		{locked, "a.data: encrypted"},
		{zipped(t, "x.zip", member{"a.data.gz", gzipped(t, bookFrames)}), "a.data.gz is packed once more"},
	} {
		if _, _, err := importError(t, v5, test.file); !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v, want %s", err, test.want)
		}
	}
	// The bound is the file's, not each member's.
	small := *v5
	small.MaxBytes = int64(len(bookFrames)) + 10
	if _, _, err := importError(t, &small, zipped(t, "x.zip", member{"a", bookFrames}, member{"b", bookFrames})); !strings.Contains(err.Error(), "unpacks to more than") {
		t.Error(err)
	}
	dir := t.TempDir()
	r := importInto(t, dir, v5, zipped(t, "x.zip", member{"a", "no\n" + bookFrames}, member{"b", "\ufeff" + bookFrames + "no"}, member{"c", ""}))[0]
	if r.Data != 4 || r.Rows != 6 {
		t.Errorf("%+v", r)
	}
	wantLines(t, refusals(r), []string{"line 1: a: no JSON object", "line 3: b: no JSON object"})
	if r := importInto(t, t.TempDir(), v5, zipped(t, "x.zip"))[0]; r.Rows != 0 || r.Refused != 0 {
		t.Errorf("empty archive: %+v", r)
	}
}

// TestImportNoFrames checks that JSON that is no frame is refused, that
// directions are told by more than a verdict, and that a time no capture can
// hold costs its row alone.
func TestImportNoFrames(t *testing.T) {
	dir := t.TempDir()
	text := bookFrames + `{}
{"level":"info","msg":"connected"}
{"retries":1,"data":{"op":"subscribe"}}
{"success":false,"op":"subscribe"}
{"args":["1"],"op":"pong"}
{"op":"subscribe","args":["tickers.ABCUSDT"]}
{"recv":"2300-01-01T00:00:00Z","frame":{"op":"ping"}}
{"recv":9999999999,"frame":{"op":"ping"}}
{"topic":"publicTrade.ABCUSDT","ts":99999999999999,"type":"snapshot","data":[]}
{"frame" : " {\"op\" : \"pong\"} "}
{"recv":"","frame":{"op":"ping"}}
`
	r := importInto(t, dir, &ImportOptions{Format: FormatV5JSONL, Category: bybit.Linear}, write(t, "x.jsonl", text))[0]
	wantLines(t, dump(t, dir)[3:], []string{
		`00:00:02.000000 linear frame {"success":false,"op":"subscribe"}`,
		`00:00:02.000000 linear frame {"args":["1"],"op":"pong"}`,
		`00:00:02.000000 linear frame out {"op":"subscribe","args":["tickers.ABCUSDT"]}`,
		`00:00:02.000000 linear frame  {"op" : "pong"} `,
	})
	const neither = "neither a message nor a request or its answer"
	wantLines(t, refusals(r), []string{
		"line 3: " + neither, "line 4: " + neither, "line 5: " + neither,
		"line 9: recv: time 2300-01-01T00:00:00Z is out of range",
		"line 10: recv: time \"9999999999\" is out of range",
		"line 11: time 5138-11-16T09:46:39Z is out of range",
		"line 13: recv: time \"\": decimal.parse \"\": not a decimal number",
	})
	if r.Rows != r.Data+r.Control+r.Refused || r.TimesFrom != "ts" {
		t.Errorf("%+v", r)
	}
	r = importInto(t, t.TempDir(), &ImportOptions{Format: FormatBybitBooks, Category: bybit.Linear}, write(t, "x.data",
		bookFrames+`{"topic":"publicTrade.ABCUSDT","ts":3001,"type":"snapshot","data":[]}`))[0]
	wantLines(t, refusals(r), []string{"line 3: no message of an order book"})
}

func TestImportLongLastLine(t *testing.T) {
	text := bookFrames + `{"op":"` + strings.Repeat("x", maxLine) // no line end
	r := importInto(t, t.TempDir(), &ImportOptions{Format: FormatV5JSONL, Category: bybit.Linear}, write(t, "x.jsonl", text))[0]
	wantLines(t, refusals(r), []string{"line 3: line is longer than 16777216 bytes"})
}

const (
	v2Snapshot10 = `{"topic":"orderBookL2_25.ABCUSD","type":"snapshot","data":[{"price":"9","symbol":"ABCUSD","id":1,"side":"Buy","size":1e3}],"cross_seq":10,"timestamp_e6":"1900001"}`
	v2Delta11    = `{"topic":"orderBookL2_25.ABCUSD","type":"delta","data":{"delete":[],"update":[{"price":"9","symbol":"ABCUSD","id":1,"side":"Buy","size":2}],"insert":[]},"cross_seq":11,"timestamp_e6":2900001}`
)

// TestImportV2Reconnect checks that a book begins anew on a new connection, and
// that a message of a book that is refused shows as a gap.
func TestImportV2Reconnect(t *testing.T) {
	text := "wss://example.com/realtime <-> 1\n2: " + v2Snapshot10 + "\n3: " + v2Delta11 +
		"\n4: " + strings.Replace(v2Delta11, `"size":2`, `"size":-2`, 1) +
		"\n5: " + v2Delta11[:100] +
		"\n6: " + v2Delta11 +
		"\nwss://example.com/realtime <-> 7\n8: " + v2Delta11 + "\n9: " + v2Snapshot10 + "\n10: " + v2Delta11 + "\n"
	dir := t.TempDir()
	r := importInto(t, dir, &ImportOptions{Format: FormatV2Log}, write(t, "log.txt", text))[0]
	var ids []int64
	var conns []uint64
	for rec, err := range openReader(t, dir).Records(time.Time{}, time.Time{}) {
		if err != nil {
			t.Fatal(err)
		}
		var m bybit.BookMessage
		if rec.Kind != Frame {
			continue
		}
		if err := m.Decode(rec.Data); err != nil {
			t.Fatal(err)
		}
		ids, conns = append(ids, m.ID), append(conns, rec.Conn)
	}
	if !slices.Equal(ids, []int64{1, 2, 5, 6, 7}) || !slices.Equal(conns, []uint64{1, 1, 1, 2, 2}) {
		t.Errorf("ids %v on connections %v", ids, conns)
	}
	wantLines(t, refusals(r), []string{
		"line 4: level with price 9 and size -2", "line 5: unexpected end of JSON input",
		"line 8: delta of orderBookL2_25.ABCUSD before its first snapshot",
	})
	if v := verifyDir(t, dir); v.Topics[0].Gaps != 1 || v.Topics[0].Snapshots != 2 {
		t.Errorf("%+v", v.Topics)
	}
}

// TestImportV2Connections checks that in a log of several connections the symbol
// tells which one a message came on, and that the rest is refused.
func TestImportV2Connections(t *testing.T) {
	text := "wss://example.com/realtime <-> 1\nwss://example.com/realtime_public <-> 2\n" +
		`wss://example.com/realtime <- 3: {"op":"subscribe"}` + "\n" +
		`4: {"success":true,"ret_msg":"","conn_id":"c","request":{}}` + "\n5: " + v2Snapshot10 +
		"\n6: " + strings.ReplaceAll(v2Snapshot10, "ABCUSD", "ABCUSDT") + "\n"
	dir := t.TempDir()
	r := importInto(t, dir, &ImportOptions{Format: FormatV2Log}, write(t, "log.txt", text))[0]
	var got []string
	for rec, err := range openReader(t, dir).Records(time.Time{}, time.Time{}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%d %s %s %s", rec.Conn, rec.URL, rec.Channel, rec.Kind))
	}
	wantLines(t, got, []string{
		"1 wss://example.com/realtime inverse connect", "2 wss://example.com/realtime_public linear connect",
		"1 wss://example.com/realtime inverse frame", "1 wss://example.com/realtime inverse frame", "2 wss://example.com/realtime_public linear frame",
	})
	wantLines(t, refusals(r), []string{"line 4: several connections are open, and nothing tells which one received this"})
	r = importInto(t, t.TempDir(), &ImportOptions{Format: FormatV2Log, Category: bybit.Linear}, write(t, "log.jsonl", `{"success":true,"ret_msg":"pong"}`))[0]
	wantLines(t, refusals(r), []string{"line 1: no frame up to here has a time"})
}

// TestImportStops checks that a cancelled import ends while it reads, also where
// nothing is to be written, and that the writer's error ends it.
func TestImportStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, test := range []struct {
		format Format
		text   string
	}{
		{FormatV5JSONL, strings.Repeat("no\n", 3000)},
		{FormatBybitTrades, tradeHeader + "2,ABCUSDT,Buy,1,1\n1,ABCUSDT,Buy,1,1\n"},
	} {
		w := openWriter(t, t.TempDir(), nil)
		if _, err := Import(ctx, w, &ImportOptions{Format: test.format}, write(t, "x", test.text)); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", test.format, err)
		}
		closeWriter(t, w)
	}
	dir := t.TempDir()
	w := openWriter(t, dir, nil)
	closeWriter(t, w)
	if _, err := Import(context.Background(), w, &ImportOptions{Format: FormatBybitBooks, Category: bybit.Linear}, write(t, "x", bookFrames)); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

// TestImportManyFiles checks the merge of more files than two, with equal times.
func TestImportManyFiles(t *testing.T) {
	var files []string
	for i, times := range []string{"5 6 9", "1 2 9", "", "1 9", "3 4 4 9"} {
		text := ""
		for j, at := range strings.Fields(times) {
			text += fmt.Sprintf(`{"recv":%s,"frame":{"topic":"future.%d","n":%d}}`+"\n", at, i, j)
		}
		files = append(files, write(t, "x.jsonl", text))
	}
	dir := t.TempDir()
	importInto(t, dir, &ImportOptions{Format: FormatV5JSONL, Category: bybit.Linear}, files...)
	var got []string
	for rec, err := range openReader(t, dir).Records(time.Time{}, time.Time{}) {
		if err != nil {
			t.Fatal(err)
		}
		if rec.Kind == Frame {
			got = append(got, fmt.Sprintf("%d %s", rec.Received.Unix(), rec.Data))
		}
	}
	var want []string
	for _, text := range strings.Fields("1/1/0 1/3/0 2/1/1 3/4/0 4/4/1 4/4/2 5/0/0 6/0/1 9/0/2 9/1/2 9/3/1 9/4/3") {
		var at, file, n int
		if _, err := fmt.Sscanf(text, "%d/%d/%d", &at, &file, &n); err != nil {
			t.Fatal(err)
		}
		want = append(want, fmt.Sprintf(`%d {"topic":"future.%d","n":%d}`, at, file, n))
	}
	wantLines(t, got, want)
}

func TestImportProgress(t *testing.T) {
	line := `{"op":"` + strings.Repeat("x", 1<<20) + `"}` + "\n"
	path := filepath.Join(t.TempDir(), "x.zip")
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(out)
	content, err := z.CreateHeader(&zip.FileHeader{Name: "x", Method: zip.Store})
	if err != nil {
		t.Fatal(err)
	}
	for range 12 {
		if _, err := io.WriteString(content, line); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(z.Close(), out.Close()); err != nil {
		t.Fatal(err)
	}
	var told []int64
	importInto(t, t.TempDir(), &ImportOptions{Format: FormatV5JSONL, Category: bybit.Linear, Progress: func(read, total int64) {
		if read > total {
			t.Errorf("%d of %d", read, total)
		}
		told = append(told, read)
	}}, path)
	if len(told) < 2 || !slices.IsSorted(told) {
		t.Errorf("one member of 12 MiB: told %v", told)
	}
}
