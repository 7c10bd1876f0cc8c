package wsframe

import (
	"encoding/binary"
	"errors"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

// MaxHeader is the length in bytes of the longest frame header.
const MaxHeader = ws.MaxHeaderSize

// AppendFrame appends one unmasked, final frame, as a server sends it.
func AppendFrame(dst []byte, op ws.OpCode, payload []byte) []byte {
	return append(appendHeader(dst, op, len(payload), 0), payload...)
}

// AppendMasked appends one masked, final frame, as a client sends it. The payload itself is left as it is.
func AppendMasked(dst []byte, op ws.OpCode, mask [4]byte, payload []byte) []byte {
	dst = appendHeader(dst, op, len(payload), 0x80)
	dst = append(dst, mask[:]...)
	dst = append(dst, payload...)
	ws.Cipher(dst[len(dst)-len(payload):], mask, 0)
	return dst
}

func appendHeader(dst []byte, op ws.OpCode, n int, mask byte) []byte {
	dst = append(dst, 0x80|byte(op))
	switch {
	case n < 126:
		return append(dst, mask|byte(n))
	case n <= 0xffff:
		return binary.BigEndian.AppendUint16(append(dst, mask|126), uint16(n))
	default:
		return binary.BigEndian.AppendUint64(append(dst, mask|127), uint64(n))
	}
}

// AppendClose appends the payload of a close frame. The reason is cut, at a character, to what a control frame holds
// (123 bytes). Code 0 or 1005 (no status) gives an empty payload.
func AppendClose(dst []byte, code ws.StatusCode, reason string) []byte {
	if code == 0 || code == ws.StatusNoStatusRcvd {
		return dst
	}
	if n := ws.MaxControlFramePayloadSize - 2; len(reason) > n {
		for n > 0 && !utf8.RuneStart(reason[n]) {
			n--
		}
		reason = reason[:n]
	}
	return append(binary.BigEndian.AppendUint16(dst, uint16(code)), reason...)
}

// ParseClose takes apart the payload of a close frame. An empty payload is code 1005 (no status received); a code or
// reason that RFC 6455 forbids on the wire is an error.
func ParseClose(payload []byte) (ws.StatusCode, string, error) {
	switch len(payload) {
	case 0:
		return ws.StatusNoStatusRcvd, "", nil
	case 1:
		return 0, "", ws.ErrProtocolStatusCodeUnknown
	}
	code, reason := ws.ParseCloseFrameData(payload)
	if code >= 1012 && code <= 1014 && utf8.ValidString(reason) {
		// Registered after RFC 6455, and what proxies send: service restart, try again later, bad gateway.
		return code, reason, nil
	}
	return code, reason, ws.CheckCloseFrameData(code, reason)
}

// CloseCode names the close code a reader's error deserves: 1009 for a message that is too long, 1002 for a breach of
// the protocol, and 0 when the connection itself failed or ended, so that there is nobody to tell.
func CloseCode(err error) ws.StatusCode {
	if errors.Is(err, ErrTooBig) {
		return ws.StatusMessageTooBig
	}
	if _, ok := errors.AsType[ws.ProtocolError](err); ok || errors.Is(err, ws.ErrHeaderLengthMSB) {
		return ws.StatusProtocolError
	}
	return 0
}
