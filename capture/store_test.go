package capture

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// start is the receive time of the first record in tests.
var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// testRecord returns the i-th record of an endless, reproducible recording: a
// reader can tell by number alone what it must say.
func testRecord(i uint64) Record {
	r := Record{Kind: Frame, Conn: 1 + i%3, Received: start.Add(time.Duration(i) * 1_234_567)}
	r.Channel = []string{"linear", "spot", "inverse"}[i%3]
	r.URL = "wss://stream.example.com/v5/public/" + r.Channel
	switch i % 97 {
	case 1:
		r.Kind = Connect
	case 50:
		r = NewClockOffset(time.Duration(i)*time.Microsecond-time.Millisecond, r.Received)
	case 60:
		r.Kind, r.Data = Gap, []byte("slow consumer")
	case 70:
		r.Direction, r.Data = Out, []byte(`{"op":"subscribe","args":["orderbook.50.BTCUSDT"]}`)
	case 96:
		r.Kind, r.Data = Disconnect, []byte("1006")
	default:
		r.Data = testFrame(i)
	}
	return r
}

// testFrame returns a depth-50 delta of about 285 bytes.
func testFrame(i uint64) []byte {
	rng := rand.New(rand.NewPCG(i, 7))
	b := fmt.Appendf(nil, `{"topic":"orderbook.50.%sUSDT","type":"delta","ts":%d,"data":{"s":"%[1]sUSDT"`,
		[]string{"BTC", "ETH", "SOL"}[i%3], start.UnixMilli()+int64(i))
	for _, side := range []string{"b", "a"} {
		b = fmt.Appendf(b, `,"%s":[`, side)
		for k := range 3 {
			if k > 0 {
				b = append(b, ',')
			}
			b = fmt.Appendf(b, `["%d.%d0","%d.%03d"]`, 67000+rng.IntN(40), rng.IntN(10), rng.IntN(9), rng.IntN(1000))
		}
		b = append(b, ']')
	}
	return fmt.Appendf(b, `,"u":%d,"seq":%d},"cts":%d}`, i+1, 461_000_000_000+i*17, start.UnixMilli()+int64(i)-3)
}

// same reports what differs between a record read and the i-th record written.
func same(got *Record, i uint64) error {
	want := testRecord(i)
	switch {
	case got.Seq != i+1:
		return fmt.Errorf("record %d has number %d", i, got.Seq)
	case got.Kind != want.Kind || got.Direction != want.Direction:
		return fmt.Errorf("record %d is %s %s, want %s %s", i, got.Direction, got.Kind, want.Direction, want.Kind)
	case got.Conn != want.Conn && want.Kind != ClockOffset:
		return fmt.Errorf("record %d is of connection %d, want %d", i, got.Conn, want.Conn)
	case got.Channel != want.Channel || got.URL != want.URL:
		return fmt.Errorf("record %d is of %q %q, want %q %q", i, got.Channel, got.URL, want.Channel, want.URL)
	case !got.Received.Equal(want.Received):
		return fmt.Errorf("record %d received %s, want %s", i, got.Received, want.Received)
	case !bytes.Equal(got.Data, want.Data):
		return fmt.Errorf("record %d holds %q, want %q", i, got.Data, want.Data)
	}
	return nil
}

func openWriter(tb testing.TB, dir string, opts *WriterOptions) *Writer {
	tb.Helper()
	w, err := OpenWriter(dir, opts)
	if err != nil {
		tb.Fatal(err)
	}
	return w
}

// writeRange writes records from <= i < to.
func writeRange(tb testing.TB, w *Writer, from, to uint64) {
	tb.Helper()
	for i := from; i < to; i++ {
		r := testRecord(i)
		if err := w.Write(&r); err != nil {
			tb.Fatal(err)
		}
	}
}

func openReader(tb testing.TB, dir string) *Reader {
	tb.Helper()
	r, err := OpenReader(dir)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// readAll expects records from <= i < to and nothing else.
func readAll(tb testing.TB, r *Reader, from, to uint64) {
	tb.Helper()
	i := from
	for rec, err := range r.Records(time.Time{}, time.Time{}) {
		if err != nil {
			tb.Fatal(err)
		}
		if err := same(&rec, i); err != nil {
			tb.Fatal(err)
		}
		i++
	}
	if i != to {
		tb.Fatalf("read up to record %d, want %d", i, to)
	}
}

func closeWriter(tb testing.TB, w *Writer) {
	tb.Helper()
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	for _, n := range w.Notices() {
		tb.Errorf("notice: %s", n)
	}
}

func TestWriteAndRead(t *testing.T) {
	const n = 5000
	dir := t.TempDir()
	w := openWriter(t, dir, &WriterOptions{SegmentBytes: 300 << 10, BlockBytes: 16 << 10})
	writeRange(t, w, 0, n)
	if err := w.Sync(); err != nil {
		t.Fatal(err)
	}
	if s := w.Stats(); s.Records != n || s.Saved != n {
		t.Errorf("stats after Sync: %+v, want %d records, all saved", s, n)
	}
	readAll(t, openReader(t, dir), 0, n) // being written
	closeWriter(t, w)
	r := openReader(t, dir)
	readAll(t, r, 0, n) // sealed
	readAll(t, r, 0, n) // and again, from the same Reader
	if len(r.Notices()) > 0 {
		t.Errorf("notices: %v", r.Notices())
	}
	info, err := r.Info()
	if err != nil {
		t.Fatal(err)
	}
	if len(info.Segments) < 4 || !info.Total.Sealed || info.Total.Records != n {
		t.Errorf("info: %d segments, sealed %t, %d records", len(info.Segments), info.Total.Sealed, info.Total.Records)
	}
	if got := fmt.Sprint(info.Total.Channels()); got != "[linear spot inverse]" {
		t.Errorf("channels %s", got)
	}
	if !info.Total.First.Equal(testRecord(0).Received) || !info.Total.Last.Equal(testRecord(n-1).Received) {
		t.Errorf("span %s to %s", info.Total.First, info.Total.Last)
	}
}

// The figures of a capture are the same whether they are counted or indexed.
func TestInfoOpenAndSealed(t *testing.T) {
	dir := t.TempDir()
	w := openWriter(t, dir, nil)
	writeRange(t, w, 0, 1000)
	if err := w.Sync(); err != nil {
		t.Fatal(err)
	}
	open, err := openReader(t, dir).Info()
	if err != nil {
		t.Fatal(err)
	}
	closeWriter(t, w)
	sealed, err := openReader(t, dir).Info()
	if err != nil {
		t.Fatal(err)
	}
	a, b := open.Total, sealed.Total
	if a.Sealed || !b.Sealed {
		t.Errorf("sealed: %t, then %t", a.Sealed, b.Sealed)
	}
	a.StoredBytes, a.Sealed, a.Blocks = b.StoredBytes, b.Sealed, b.Blocks
	if fmt.Sprint(a) != fmt.Sprint(b) {
		t.Errorf("counted\n%+v\nindexed\n%+v", a, b)
	}
}

func TestSeek(t *testing.T) {
	const n = 4000
	dir := t.TempDir()
	w := openWriter(t, dir, &WriterOptions{SegmentBytes: 300 << 10, BlockBytes: 16 << 10})
	writeRange(t, w, 0, n)
	closeWriter(t, w)
	r := openReader(t, dir)
	at := func(i uint64) time.Time { return testRecord(i).Received }
	for _, tt := range []struct {
		from, to  time.Time
		want, end uint64
	}{
		{time.Time{}, time.Time{}, 0, n},
		{at(0), at(n), 0, n},
		{at(1777), time.Time{}, 1777, n},
		{time.Time{}, at(1777), 0, 1777},
		{at(1777), at(1778), 1777, 1778},
		{at(1777).Add(1), at(2222).Add(1), 1778, 2223},
		{at(n), time.Time{}, n, n},
		{at(20), at(10), 20, 20},
	} {
		i := tt.want
		for rec, err := range r.Records(tt.from, tt.to) {
			if err == nil {
				err = same(&rec, i)
			}
			if err != nil {
				t.Fatalf("from %s: %v", tt.from, err)
			}
			i++
		}
		if i != tt.end {
			t.Errorf("from %s to %s: read up to %d, want %d", tt.from, tt.to, i, tt.end)
		}
	}
}

func TestResume(t *testing.T) {
	dir := t.TempDir()
	n := uint64(0)
	for range 4 {
		w := openWriter(t, dir, nil)
		if got := w.Stats().Records; got != n {
			t.Fatalf("resumed at record %d, want %d", got, n)
		}
		if n > 0 {
			if c := w.NextConn(); c <= 3 {
				t.Errorf("connection %d was used before", c)
			}
		}
		writeRange(t, w, n, n+500)
		n += 500
		closeWriter(t, w)
	}
	readAll(t, openReader(t, dir), 0, n)
}

func TestEmptyCapture(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	w := openWriter(t, dir, nil)
	closeWriter(t, w)
	if _, err := OpenReader(dir); !errors.Is(err, ErrNoCapture) {
		t.Errorf("reading an empty directory: %v", err)
	}
	if err := w.Close(); !errors.Is(err, ErrClosed) {
		t.Errorf("second Close: %v", err)
	}
	r := testRecord(0)
	if err := w.Write(&r); !errors.Is(err, ErrClosed) {
		t.Errorf("Write after Close: %v", err)
	}
	if err := w.Sync(); !errors.Is(err, ErrClosed) {
		t.Errorf("Sync after Close: %v", err)
	}
}

func TestTwoWriters(t *testing.T) {
	dir := t.TempDir()
	w := openWriter(t, dir, nil)
	if _, err := OpenWriter(dir, nil); !errors.Is(err, ErrLocked) {
		t.Errorf("second writer: %v", err)
	}
	closeWriter(t, w)
	closeWriter(t, openWriter(t, dir, nil))
}

func TestRefusedRecords(t *testing.T) {
	w := openWriter(t, t.TempDir(), nil)
	defer closeWriter(t, w)
	for name, r := range map[string]Record{
		"no kind":          {Received: start},
		"unknown kind":     {Kind: 99, Received: start},
		"no time":          {Kind: Frame},
		"direction":        {Kind: Frame, Direction: 2, Received: start},
		"no connection":    {Kind: Frame, Channel: "spot", Received: start},
		"too much":         {Kind: Frame, Received: start, Data: make([]byte, MaxData+1)},
		"channel too long": {Kind: Frame, Conn: 1, Channel: strings.Repeat("x", maxName+1), Received: start},
	} {
		if err := w.Write(&r); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if n := w.Stats().Records; n != 0 {
		t.Errorf("%d records after refusals", n)
	}
}

func TestOddRecords(t *testing.T) {
	dir := t.TempDir()
	records := []Record{
		{Kind: Frame, Conn: 1, Received: start},                                                           // empty
		{Kind: Frame, Conn: 1, Received: start.Add(-time.Hour), Data: bytes.Repeat([]byte("x"), MaxData)}, // largest, clock went back
		{Kind: Note, Received: time.Unix(0, -1).UTC(), Data: []byte("before 1970")},
		{Kind: Frame, Conn: 1, Channel: "linear", Received: start, Data: []byte{0, 255, '\n'}}, // the same connection says more
		{Kind: Frame, Conn: 1, Received: start, Data: []byte(blockMagic + fileMagic)},
	}
	w := openWriter(t, dir, nil)
	for i := range records {
		if err := w.Write(&records[i]); err != nil {
			t.Fatal(err)
		}
	}
	for _, sealed := range []bool{false, true} {
		if sealed {
			closeWriter(t, w)
		} else if err := w.Sync(); err != nil {
			t.Fatal(err)
		}
		i := 0
		for rec, err := range openReader(t, dir).Records(time.Time{}, time.Time{}) {
			if err != nil {
				t.Fatal(err)
			}
			want := records[i]
			if !bytes.Equal(rec.Data, want.Data) || !rec.Received.Equal(want.Received) || rec.Channel != want.Channel || rec.Kind != want.Kind {
				t.Errorf("sealed %t: record %d differs", sealed, i)
			}
			i++
		}
		if i != len(records) {
			t.Errorf("sealed %t: %d records", sealed, i)
		}
	}
}

// No secret may reach a file, not even for the time between writing and
// sealing.
func TestSecretsStayOut(t *testing.T) {
	dir := t.TempDir()
	w := openWriter(t, dir, nil)
	url := "wss://user:SECRETpass@h/realtime?api_key=SECRETkey&signature=SECRETsig"
	for i, frame := range []string{
		`{"op":"auth","args":["SECRETkey",1711010121452,"SECRETsig"]}`,
		` { "args" : [ "SECRETkey" ] , "op" : "\u0061uth" } `,
	} {
		out := Record{Kind: Frame, Direction: Out, Conn: 1, URL: url, Received: start.Add(time.Duration(i)), Data: []byte(frame)}
		in := Record{Kind: Frame, Conn: 1, URL: url, Received: start.Add(time.Duration(i)), Data: []byte(`{"success":true,"request":` + frame + `}`)}
		if err := errors.Join(w.Write(&out), w.Write(&in)); err != nil {
			t.Fatal(err)
		}
	}
	w.mu.Lock()
	if bytes.Contains(w.cur.groups[0], []byte("SECRET")) {
		t.Error("a secret is in the writer's buffer")
	}
	w.mu.Unlock()
	closeWriter(t, w)
	n := 0
	for rec, err := range openReader(t, dir).Records(time.Time{}, time.Time{}) {
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(rec.Data, []byte("SECRET")) || strings.Contains(rec.URL, "SECRET") {
			t.Errorf("%s %s", rec.URL, rec.Data)
		}
		n++
	}
	if n != 4 {
		t.Errorf("%d records", n)
	}
}

func TestClockOffset(t *testing.T) {
	r := NewClockOffset(-1500*time.Microsecond, start)
	if got, err := r.Offset(); err != nil || got != -1500*time.Microsecond {
		t.Errorf("Offset() = %s, %v", got, err)
	}
	if _, err := (&Record{Kind: Frame}).Offset(); !errors.Is(err, ErrKind) {
		t.Errorf("Offset of a frame: %v", err)
	}
	if _, err := (&Record{Kind: ClockOffset, Data: []byte("x")}).Offset(); !errors.Is(err, strconv.ErrSyntax) {
		t.Errorf("Offset of nonsense: %v", err)
	}
}

// copyDir copies the files of a capture.
func copyDir(tb testing.TB, from, to string) {
	tb.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		tb.Fatal(err)
	}
}
