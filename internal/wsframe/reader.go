// Package wsframe reads and writes WebSocket frames without allocating.
//
// It is the lowest layer of both ends of the wire: the client's read loop and the server's sessions stand on one
// Reader each, and everything either side sends is built by AppendFrame or AppendMasked. The rules of RFC 6455 (reserved
// bits and op codes, masking by side, length and fragmentation of control frames) are those of github.com/gobwas/ws,
// whose types appear here; what this package adds is one buffer that is read into in large pieces and sliced in place:
//
//	src ──Read──▶ [ consumed │ frame │ frame │ half a fra… ]──▶ Next() op, payload (a slice of the buffer)
//	                           ▲ hasNext: true while a whole message needs no further Read
//
// The reason is measured: with many messages per read the cost of a message is the cost of finding its end, and a
// copy, an allocation or a second buffered reader is what dominates then.
//
// What a caller may rely on:
//   - A payload is valid until the next call of Next; nothing is copied unless the message came in fragments.
//   - Control frames (ping, pong, close) are returned as they come, also between the fragments of a message.
//   - No allocation per frame. The buffer starts at the size given, doubles for a message that does not fit (up to the
//     limit) and returns to its first size after a few small messages.
//   - A declared length is never trusted: memory follows the bytes that arrived.
//   - An error of the source leaves the state intact, so that a read whose deadline passed can be tried again. A
//     protocol error repeats for ever: the stream behind it has no known frame boundary.
//
// What it does not do: answer pings or closes, negotiate extensions, check that text is UTF-8 (both ends parse the
// JSON inside and refuse what is none), or start goroutines. A Reader belongs to one goroutine.
package wsframe

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/gobwas/ws"
)

// ErrTooBig says that a message, or the sum of its fragments, is longer than the reader's limit.
var ErrTooBig = errors.New("wsframe: message exceeds the limit")

const (
	// minBuffer holds the longest control frame (125 bytes and a masked header) with room to spare.
	minBuffer = 256
	// trusted is how much memory a declared length may claim before its bytes arrive.
	trusted = 64 << 10
	// calmFrames is how many messages in a row must fit the first buffer before a grown one is given up. More than
	// one, so that a feed with a large message now and then does not allocate each time.
	calmFrames = 4
	// maxEmptyReads ends a source that keeps returning neither bytes nor an error.
	maxEmptyReads = 100
)

// Reader takes WebSocket messages from a byte stream. Create it with NewReader.
type Reader struct {
	src io.Reader

	buf        []byte // buf[start:end] is read and not yet returned
	start, end int

	small      int // size of buf when nothing large is on its way
	calm       int // messages in a row that fitted small, since buf grew
	maxPayload int

	side   ws.State // which side reads: decides whether frames must be masked
	joined []byte   // fragments so far of the message under way
	joinOp ws.OpCode
	inJoin bool // a first fragment has arrived and the last one has not
	stale  bool // joined was returned by the last Next and belongs to nobody now
}

// NewReader reads frames from src. bufSize is the size in bytes of the buffer while messages are small (at least 256;
// a client takes 64 KiB to get many messages out of one read, a server 1 KiB per connection). maxPayload is the
// longest message in bytes, all fragments together. masked says that frames must be masked, which is so on the
// server's side; on the client's side a masked frame is a protocol error.
func NewReader(src io.Reader, bufSize, maxPayload int, masked bool) *Reader {
	bufSize = max(bufSize, minBuffer)
	side := ws.StateClientSide
	if masked {
		side = ws.StateServerSide
	}
	return &Reader{src: src, buf: make([]byte, bufSize), small: bufSize, maxPayload: maxPayload, side: side}
}

// Preload puts bytes before those of the source: what a handshake's buffered reader had already taken. It is to be
// called before the first Next.
func (r *Reader) Preload(p []byte) {
	for len(r.buf)-r.end < len(p) {
		r.grow(0)
	}
	r.end += copy(r.buf[r.end:], p)
}

// Buffered is the number of bytes that were read and not yet returned.
func (r *Reader) Buffered() int { return r.end - r.start }

// Next returns the next message: a text or binary message with its fragments joined, or a control frame. The payload
// is unmasked and valid until the next call.
//
// Errors: io.EOF at the end of the stream between messages, io.ErrUnexpectedEOF inside one, ErrTooBig, a wrapped
// ws.ProtocolError or ws.ErrHeaderLengthMSB, and whatever the source returns. CloseCode names the close code for each.
func (r *Reader) Next() (ws.OpCode, []byte, error) {
	if r.stale {
		r.stale = false
		if cap(r.joined) > r.small {
			r.joined = nil
		} else {
			r.joined = r.joined[:0]
		}
	}
	for {
		h, payload, err := r.frame()
		if err != nil {
			return 0, nil, err
		}
		switch {
		case h.OpCode.IsControl():
			return h.OpCode, payload, nil
		case h.Fin && !r.inJoin:
			return h.OpCode, payload, nil
		case !r.inJoin:
			r.inJoin, r.joinOp = true, h.OpCode
			r.joined = append(r.joined[:0], payload...)
		default:
			r.joined = append(r.joined, payload...)
			if h.Fin {
				r.inJoin, r.stale = false, true
				return r.joinOp, r.joined, nil
			}
		}
	}
}

// TryNext is Next without reading from the source: false where what is buffered is no whole message. An error is
// left for Next to return.
//
// Bursts are taken through here, so the frames that they are made of, whole text messages of less than 64 KiB from a
// server, have a path of their own.
func (r *Reader) TryNext() (ws.OpCode, []byte, bool) {
	b := r.buf[r.start:r.end]
	if len(b) >= 4 && b[0] == wholeText && b[1] <= length16 && !r.inJoin && !r.stale && r.side.ClientSide() {
		head, n := 2, int(b[1])
		if n == length16 {
			head, n = 4, int(binary.BigEndian.Uint16(b[2:]))
		}
		if n <= r.maxPayload {
			if n > len(b)-head {
				return 0, nil, false
			}
			r.start += head + n
			if r.calm++; head+n > r.small {
				r.calm = 0
			}
			return ws.OpText, b[head : head+n : head+n], true
		}
	}
	if !r.hasNext() {
		return 0, nil, false
	}
	op, payload, err := r.Next()
	return op, payload, err == nil
}

// The first byte of a frame that is a whole text message, and the length byte that announces a length of 16 bits.
const (
	wholeText = 0x81
	length16  = 126
)

// hasNext reports whether Next will return without reading from the source: a whole message or control frame is
// buffered, or a frame that is in error.
func (r *Reader) hasNext() bool {
	inJoin, held := r.held()
	for at := r.start; ; {
		h, size, err := parseHeader(r.buf[at:r.end])
		if err != nil {
			return true
		}
		if size == 0 {
			return false
		}
		if r.check(h, inJoin, held) != nil {
			return true
		}
		if int64(r.end-at-size) < h.Length {
			return false
		}
		if h.Fin {
			return true
		}
		inJoin = true
		held += int(h.Length)
		at += size + int(h.Length)
	}
}

// held reports whether a message is under way in fragments, and how many bytes of it have arrived.
func (r *Reader) held() (bool, int) {
	if !r.inJoin {
		return false, 0
	}
	return true, len(r.joined)
}

// frame returns the next frame, reading as long as it is not whole.
func (r *Reader) frame() (ws.Header, []byte, error) {
	for {
		h, size, err := parseHeader(r.buf[r.start:r.end])
		if err != nil {
			return h, nil, fmt.Errorf("wsframe: %w", err)
		}
		need := 2
		if size > 0 {
			inJoin, held := r.held()
			if err := r.check(h, inJoin, held); err != nil {
				return h, nil, err
			}
			need = size + int(h.Length)
		}
		if size > 0 && r.end-r.start >= need {
			payload := r.buf[r.start+size : r.start+need : r.start+need]
			if h.Masked {
				ws.Cipher(payload, h.Mask, 0)
			}
			r.start += need
			if need > r.small {
				r.calm = 0
			} else {
				r.calm++
			}
			return h, payload, nil
		}
		if err := r.fill(need); err != nil {
			return h, nil, err
		}
	}
}

// check applies the rules that need no payload; held is the length of the fragments before this frame.
func (r *Reader) check(h ws.Header, inJoin bool, held int) error {
	side := r.side
	if inJoin {
		side = side.Set(ws.StateFragmented)
	}
	if err := ws.CheckHeader(h, side); err != nil {
		return fmt.Errorf("wsframe: %w", err)
	}
	if h.OpCode.IsData() && h.Length > int64(r.maxPayload-held) {
		return ErrTooBig
	}
	return nil
}

// fill reads once, after making room for a frame of need bytes that starts at r.start.
func (r *Reader) fill(need int) error {
	// What is left is at most one unfinished frame: moving it to the front is cheap and makes room for a large read.
	if r.start > 0 {
		copy(r.buf, r.buf[r.start:r.end])
		r.start, r.end = 0, r.end-r.start
	}
	if len(r.buf) > r.small && r.calm >= calmFrames && r.end <= r.small && need <= r.small {
		shrunk := make([]byte, r.small)
		copy(shrunk, r.buf[:r.end])
		r.buf = shrunk
	}
	if r.end == len(r.buf) {
		r.grow(need)
	}
	for range maxEmptyReads {
		n, err := r.src.Read(r.buf[r.end:])
		r.end += n
		switch {
		case n > 0:
			return nil // an error that came with bytes comes again
		case errors.Is(err, io.EOF) && (r.end > r.start || r.inJoin):
			return io.ErrUnexpectedEOF
		case err != nil:
			return err
		}
	}
	return io.ErrNoProgress
}

// grow enlarges the buffer: to twice its size, or at once to what a frame of need bytes takes if that is little.
func (r *Reader) grow(need int) {
	grown := make([]byte, max(2*len(r.buf), min(need, trusted)))
	copy(grown, r.buf[:r.end])
	r.buf = grown
	r.calm = 0
}

// parseHeader decodes the frame header at the start of b; size is its length in bytes, 0 while it is incomplete.
func parseHeader(b []byte) (h ws.Header, size int, err error) {
	if len(b) < 2 {
		return h, 0, nil
	}
	h.Fin = b[0]&0x80 != 0
	h.Rsv = b[0] & 0x70 >> 4
	h.OpCode = ws.OpCode(b[0] & 0x0f)
	h.Masked = b[1]&0x80 != 0
	size = 2
	switch length := b[1] & 0x7f; length {
	case 126:
		if len(b) < 4 {
			return h, 0, nil
		}
		h.Length = int64(binary.BigEndian.Uint16(b[2:]))
		size = 4
	case 127:
		if len(b) < 10 {
			return h, 0, nil
		}
		v := binary.BigEndian.Uint64(b[2:])
		if v>>63 != 0 {
			return h, 0, ws.ErrHeaderLengthMSB
		}
		h.Length = int64(v)
		size = 10
	default:
		h.Length = int64(length)
	}
	if h.Masked {
		if len(b) < size+4 {
			return h, 0, nil
		}
		copy(h.Mask[:], b[size:])
		size += 4
	}
	return h, size, nil
}
