package wsframe

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/gobwas/ws"
)

var mask = [4]byte{0x1f, 0xa2, 0x00, 0x7c}

// message is what Next returned, copied.
type message struct {
	op      ws.OpCode
	payload string
}

// readAll takes what is buffered through TryNext and the rest through Next, as a client does.
func readAll(r *Reader) (got []message, err error) {
	for {
		op, p, ok := r.TryNext()
		if !ok {
			op, p, err = r.Next()
		}
		if err != nil {
			return got, err
		}
		got = append(got, message{op, string(p)})
	}
}

// part builds one frame that need not be final.
func part(op ws.OpCode, fin bool, payload string) []byte {
	b := AppendFrame(nil, op, []byte(payload))
	if !fin {
		b[0] &= 0x7f
	}
	return b
}

func TestReader(t *testing.T) {
	long := strings.Repeat("0123456789", 7000)
	tests := []struct {
		name string
		in   [][]byte
		want []message
		err  error
	}{
		{"empty", nil, nil, io.EOF},
		{"text", [][]byte{part(ws.OpText, true, "hello")}, []message{{ws.OpText, "hello"}}, io.EOF},
		{"no payload", [][]byte{part(ws.OpText, true, "")}, []message{{ws.OpText, ""}}, io.EOF},
		{"lengths 125, 126, 65535, 65536", [][]byte{
			part(ws.OpText, true, long[:125]), part(ws.OpText, true, long[:126]),
			part(ws.OpBinary, true, long[:65535]), part(ws.OpBinary, true, long[:65536]),
		}, []message{{ws.OpText, long[:125]}, {ws.OpText, long[:126]}, {ws.OpBinary, long[:65535]}, {ws.OpBinary, long[:65536]}}, io.EOF},
		{"control frames between fragments", [][]byte{
			part(ws.OpText, false, "one "), part(ws.OpPing, true, "p"), part(ws.OpContinuation, false, "two "),
			part(ws.OpPong, true, ""), part(ws.OpContinuation, true, "three"), part(ws.OpText, true, "four"),
		}, []message{{ws.OpPing, "p"}, {ws.OpPong, ""}, {ws.OpText, "one two three"}, {ws.OpText, "four"}}, io.EOF},
		{"empty fragments", [][]byte{part(ws.OpBinary, false, ""), part(ws.OpContinuation, true, "")}, []message{{ws.OpBinary, ""}}, io.EOF},
		{"close", [][]byte{part(ws.OpClose, true, "\x03\xe8bye")}, []message{{ws.OpClose, "\x03\xe8bye"}}, io.EOF},
		{"end inside a header", [][]byte{part(ws.OpText, true, "a"), {0x81}}, []message{{ws.OpText, "a"}}, io.ErrUnexpectedEOF},
		{"end inside a payload", [][]byte{part(ws.OpText, true, "abcdef")[:5]}, nil, io.ErrUnexpectedEOF},
		{"end between fragments", [][]byte{part(ws.OpText, false, "abcdef")}, nil, io.ErrUnexpectedEOF},
		{"reserved bit", [][]byte{{0x81 | 0x40, 0}}, nil, ws.ErrProtocolNonZeroRsv},
		{"reserved op code", [][]byte{part(0x3, true, "")}, nil, ws.ErrProtocolOpCodeReserved},
		{"reserved control op code", [][]byte{part(0xb, true, "")}, nil, ws.ErrProtocolOpCodeReserved},
		{"long ping", [][]byte{part(ws.OpPing, true, long[:126])}, nil, ws.ErrProtocolControlPayloadOverflow},
		{"ping in fragments", [][]byte{part(ws.OpPing, false, "")}, nil, ws.ErrProtocolControlNotFinal},
		{"continuation of nothing", [][]byte{part(ws.OpContinuation, true, "x")}, nil, ws.ErrProtocolContinuationUnexpected},
		{"second start", [][]byte{part(ws.OpText, false, "x"), part(ws.OpText, true, "y")}, nil, ws.ErrProtocolContinuationExpected},
		{"length with the top bit set", [][]byte{{0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0}}, nil, ws.ErrHeaderLengthMSB},
		{"too big", [][]byte{{0x82, 127, 0, 0, 0, 0, 0x7f, 0, 0, 0}}, nil, ErrTooBig},
		{"fragments too big together", [][]byte{part(ws.OpBinary, false, long), part(ws.OpContinuation, true, long[:40000])}, nil, ErrTooBig},
	}
	sources := []struct {
		name string
		wrap func(io.Reader) io.Reader
	}{
		{"whole", func(r io.Reader) io.Reader { return r }},
		{"half", iotest.HalfReader},
		{"by byte", iotest.OneByteReader},
		{"error with data", iotest.DataErrReader},
	}
	for _, tt := range tests {
		for _, src := range sources {
			t.Run(tt.name+"/"+src.name, func(t *testing.T) {
				r := NewReader(src.wrap(bytes.NewReader(bytes.Join(tt.in, nil))), 300, 100_000, false)
				got, err := readAll(r)
				if !errors.Is(err, tt.err) {
					t.Errorf("ended with %v, want %v", err, tt.err)
				}
				if fmt.Sprint(got) != fmt.Sprint(tt.want) {
					t.Errorf("got %.200q, want %.200q", got, tt.want)
				}
				if _, _, again := r.Next(); !errors.Is(again, tt.err) {
					t.Errorf("the second time: %v, want %v", again, tt.err)
				}
			})
		}
	}
}

func TestReaderSides(t *testing.T) {
	masked := AppendMasked(nil, ws.OpText, mask, []byte("hello, venue, this is longer than sixteen"))
	plain := AppendFrame(nil, ws.OpText, []byte("hello"))
	r := NewReader(bytes.NewReader(masked), 0, 100, true)
	if op, p, err := r.Next(); op != ws.OpText || string(p) != "hello, venue, this is longer than sixteen" || err != nil {
		t.Errorf("server reading masked: %v %q %v", op, p, err)
	}
	if _, _, err := NewReader(bytes.NewReader(plain), 0, 100, true).Next(); !errors.Is(err, ws.ErrProtocolMaskRequired) {
		t.Errorf("server reading plain: %v", err)
	}
	if _, _, err := NewReader(bytes.NewReader(masked), 0, 100, false).Next(); !errors.Is(err, ws.ErrProtocolMaskUnexpected) {
		t.Errorf("client reading masked: %v", err)
	}
}

// feeder returns one of its pieces per read, then the error.
type feeder struct {
	pieces [][]byte
	reads  int
}

func (f *feeder) Read(p []byte) (int, error) {
	f.reads++
	if len(f.pieces) == 0 {
		return 0, os.ErrDeadlineExceeded
	}
	n := copy(p, f.pieces[0])
	f.pieces[0] = f.pieces[0][n:]
	if len(f.pieces[0]) == 0 {
		f.pieces = f.pieces[1:]
	}
	return n, nil
}

func TestHasNextMeansNoRead(t *testing.T) {
	two := append(part(ws.OpText, true, "a"), part(ws.OpText, true, "b")...)
	tests := []struct {
		name string
		in   []byte
		want bool // after the first message
	}{
		{"nothing", nil, false},
		{"a frame", part(ws.OpText, true, "x"), true},
		{"half a header", part(ws.OpText, true, "x")[:1], false},
		{"half a payload", part(ws.OpText, true, "xyz")[:4], false},
		{"a first fragment", part(ws.OpText, false, "x"), false},
		{"all fragments", append(part(ws.OpText, false, "x"), part(ws.OpContinuation, true, "y")...), true},
		{"fragment and ping", append(part(ws.OpText, false, "x"), part(ws.OpPing, true, "y")...), true},
		{"a breach", []byte{0xc1, 0x00}, true},
		{"fragments too big together", append(part(ws.OpText, false, strings.Repeat("x", 90)), part(ws.OpContinuation, true, strings.Repeat("x", 90))[:3]...), true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			src := &feeder{pieces: [][]byte{append(bytes.Clone(two), tt.in...)}}
			r := NewReader(src, 0, 100, false)
			if r.hasNext() {
				t.Error("hasNext before the first read")
			}
			r.Next()
			if !r.hasNext() {
				t.Error("the second message is buffered but hasNext says no")
			}
			r.Next()
			if got := r.hasNext(); got != tt.want {
				t.Errorf("hasNext %v, want %v", got, tt.want)
			}
			reads := src.reads
			r.Next()
			if got := src.reads == reads; got != tt.want {
				t.Errorf("Next went without reading: %v, want %v", got, tt.want)
			}
		})
	}
}

func TestReadAgainAfterDeadline(t *testing.T) {
	whole := part(ws.OpText, true, "patience")
	src := &feeder{pieces: [][]byte{whole[:4]}}
	r := NewReader(src, 0, 100, false)
	for range 3 {
		if _, _, err := r.Next(); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("got %v, want the deadline", err)
		}
	}
	src.pieces = [][]byte{whole[4:]}
	if _, p, err := r.Next(); string(p) != "patience" || err != nil {
		t.Errorf("after the deadline: %q %v", p, err)
	}
}

func TestPreload(t *testing.T) {
	frames := append(part(ws.OpText, true, strings.Repeat("h", 900)), part(ws.OpText, true, "later")...)
	r := NewReader(bytes.NewReader(frames[700:]), 256, 1000, false)
	r.Preload(frames[:700])
	got, err := readAll(r)
	if len(got) != 2 || got[0].payload != strings.Repeat("h", 900) || got[1].payload != "later" || err != io.EOF {
		t.Errorf("got %q %v", got, err)
	}
}

func TestBufferReturnsToItsSize(t *testing.T) {
	var in []byte
	in = append(in, part(ws.OpText, true, strings.Repeat("x", 20_000))...)
	for range 40 {
		in = append(in, part(ws.OpText, true, strings.Repeat("y", 100))...)
	}
	r := NewReader(iotest.OneByteReader(bytes.NewReader(in)), 1024, 1<<20, false)
	r.Next()
	if len(r.buf) < 20_000 {
		t.Fatalf("buffer of %d bytes after a message of 20,000", len(r.buf))
	}
	if _, err := readAll(r); err != io.EOF {
		t.Fatal(err)
	}
	if len(r.buf) != 1024 {
		t.Errorf("buffer of %d bytes after 40 small messages, want 1024", len(r.buf))
	}
}

func TestDeclaredLengthIsNotTrusted(t *testing.T) {
	in := []byte{0x82, 127, 0, 0, 0, 0, 0x3f, 0, 0, 0, 'x'}
	r := NewReader(bytes.NewReader(in), 1024, 1<<31-1, false)
	if _, _, err := r.Next(); err != io.ErrUnexpectedEOF {
		t.Fatal(err)
	}
	if len(r.buf) > trusted {
		t.Errorf("a claim of 1 GiB and one byte took %d bytes", len(r.buf))
	}
}

// endless repeats its bytes for ever, as many as fit.
type endless struct {
	p  []byte
	at int
}

func (e *endless) Read(p []byte) (n int, err error) {
	for n < len(p) {
		c := copy(p[n:], e.p[e.at:])
		n += c
		e.at = (e.at + c) % len(e.p)
	}
	return n, nil
}

func TestNoAllocationPerFrame(t *testing.T) {
	in := append(part(ws.OpText, true, strings.Repeat("x", 285)), part(ws.OpPing, true, "hb")...)
	in = append(in, part(ws.OpText, false, "abc")...)
	in = append(in, part(ws.OpContinuation, true, "def")...)
	r := NewReader(&endless{p: in}, 64<<10, 1<<20, false)
	if n := testing.AllocsPerRun(10_000, func() {
		if _, _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
		r.hasNext()
	}); n != 0 {
		t.Errorf("%v allocations per message", n)
	}
	buf := make([]byte, 0, 1024)
	payload := in[:300]
	if n := testing.AllocsPerRun(1000, func() {
		buf = AppendMasked(AppendFrame(buf[:0], ws.OpText, payload), ws.OpText, mask, payload)
	}); n != 0 {
		t.Errorf("%v allocations per append", n)
	}
}

func TestClose(t *testing.T) {
	p := AppendClose(nil, ws.StatusNormalClosure, "end of capture")
	if code, reason, err := ParseClose(p); code != 1000 || reason != "end of capture" || err != nil {
		t.Errorf("%v %q %v", code, reason, err)
	}
	p = AppendClose(nil, ws.StatusPolicyViolation, strings.Repeat("ü", 100))
	if code, reason, err := ParseClose(p); code != 1008 || reason != strings.Repeat("ü", 61) || err != nil {
		t.Errorf("%v %q %v", code, reason, err)
	}
	if p := AppendClose(nil, ws.StatusNoStatusRcvd, "x"); len(p) != 0 {
		t.Errorf("no status: %q", p)
	}
	if code, _, err := ParseClose([]byte("\x03\xf4restart")); code != 1012 || err != nil {
		t.Errorf("restart: %v %v", code, err)
	}
	if code, _, err := ParseClose(nil); code != ws.StatusNoStatusRcvd || err != nil {
		t.Errorf("empty: %v %v", code, err)
	}
	for _, bad := range []string{"\x03", "\x00\x00", "\x03\xed", "\x03\xee", "\x03\xe8\xff"} {
		if _, _, err := ParseClose([]byte(bad)); err == nil {
			t.Errorf("%q accepted", bad)
		}
	}
}

func TestCloseCode(t *testing.T) {
	for err, want := range map[error]ws.StatusCode{
		ErrTooBig:                                     ws.StatusMessageTooBig,
		fmt.Errorf("x: %w", ErrTooBig):                ws.StatusMessageTooBig,
		error(ws.ErrProtocolMaskRequired):             ws.StatusProtocolError,
		fmt.Errorf("x: %w", ws.ErrProtocolNonZeroRsv): ws.StatusProtocolError,
		ws.ErrHeaderLengthMSB:                         ws.StatusProtocolError,
		io.EOF:                                        0,
		os.ErrDeadlineExceeded:                        0,
	} {
		if got := CloseCode(err); got != want {
			t.Errorf("%v: %v, want %v", err, got, want)
		}
	}
}

// FuzzReader holds the reader against gobwas' own frame reader: however the bytes are cut into reads, the same
// messages come out, and hasNext never lies.
func FuzzReader(f *testing.F) {
	f.Add(part(ws.OpText, true, "hello"), uint8(3), false)
	f.Add(AppendMasked(nil, ws.OpText, mask, []byte(`{"op":"ping"}`)), uint8(1), true)
	f.Add(append(part(ws.OpText, false, "x"), part(ws.OpContinuation, true, "y")...), uint8(2), false)
	f.Add(append(part(ws.OpPing, true, "x"), part(ws.OpText, true, strings.Repeat("z", 400))...), uint8(200), false)
	f.Add([]byte{0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0}, uint8(9), false)
	f.Fuzz(func(t *testing.T, in []byte, cut uint8, masked bool) {
		const limit = 2000
		src := &feeder{}
		for rest := bytes.Clone(in); len(rest) > 0; {
			n := min(len(rest), int(cut)+1)
			src.pieces = append(src.pieces, rest[:n:n])
			rest = rest[n:]
		}
		var got []message
		r := NewReader(src, 0, limit, masked)
		for {
			ready, reads := r.hasNext(), src.reads
			op, p, ok := r.TryNext()
			if ok && !ready || src.reads != reads {
				t.Fatal("TryNext had to read")
			}
			var err error
			if !ok {
				op, p, err = r.Next()
			}
			if ready && src.reads != reads {
				t.Fatal("hasNext, but Next had to read")
			}
			if ready && !ok && err == nil {
				t.Fatal("hasNext, but not for TryNext")
			}
			if err != nil {
				if ready && CloseCode(err) == 0 {
					t.Fatalf("hasNext, but Next: %v", err)
				}
				break
			}
			got = append(got, message{op, string(p)})
			if len(got) > len(in) {
				t.Fatal("more messages than bytes")
			}
		}
		if want := reference(in, limit, masked); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("got %q, want %q", got, want)
		}
	})
}

// reference reads the same messages frame by frame, with a copy of each.
func reference(in []byte, limit int, masked bool) (got []message) {
	src := bytes.NewReader(in)
	side := ws.StateClientSide
	if masked {
		side = ws.StateServerSide
	}
	var joined []byte
	var joinOp ws.OpCode
	for {
		h, err := ws.ReadHeader(src)
		if err != nil || ws.CheckHeader(h, side) != nil {
			return got
		}
		if h.OpCode.IsData() && h.Length+int64(len(joined)) > int64(limit) {
			return got
		}
		p := make([]byte, h.Length)
		if _, err := io.ReadFull(src, p); err != nil {
			return got
		}
		if h.Masked {
			ws.Cipher(p, h.Mask, 0)
		}
		if h.OpCode.IsControl() {
			got = append(got, message{h.OpCode, string(p)})
			continue
		}
		joined = append(joined, p...)
		if h.OpCode != ws.OpContinuation {
			joinOp = h.OpCode
		}
		side = side.Set(ws.StateFragmented)
		if h.Fin {
			got = append(got, message{joinOp, string(joined)})
			joined = joined[:0]
			side = side.Clear(ws.StateFragmented)
		}
	}
}

func BenchmarkNext(b *testing.B) {
	r := NewReader(&endless{p: part(ws.OpText, true, strings.Repeat("x", 285))}, 64<<10, 1<<20, false)
	b.SetBytes(285)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := r.Next(); err != nil {
			b.Fatal(err)
		}
	}
}
