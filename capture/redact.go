package capture

import (
	"bytes"
	"net/url"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Redacted stands where a secret stood.
const Redacted = "***"

// withheld replaces a frame that speaks of auth but is not JSON, so that no
// rule says which part of it is the secret.
const withheld = `{"op":"auth","args":["` + Redacted + `"]}`

// Redact returns the frame without the arguments of auth requests; a frame
// without any comes back as it is, not copied. See AppendRedacted.
func Redact(frame []byte) []byte {
	if !mayAuth(frame) {
		return frame
	}
	return AppendRedacted(nil, frame)
}

// AppendRedacted appends frame to dst, except that in every object whose "op"
// is "auth" each scalar becomes "***" (the shape stays: how many arguments
// there were can be seen), unless its key is one that cannot hold a secret: op,
// req_id and the fields of replies. Keys and values are compared without case
// and with escapes resolved; objects are found at any depth, because the
// retired V2 echoed requests in its answers. A frame that is not JSON but
// mentions auth is replaced as a whole. Everything else is copied byte for byte.
//
// The V5 request is {"op":"auth","args":[key,expires,signature]}:
// https://bybit-exchange.github.io/docs/v5/ws/connect
func AppendRedacted(dst, frame []byte) []byte {
	if !mayAuth(frame) {
		return append(dst, frame...)
	}
	start := len(dst)
	s := redactor{src: frame, dst: dst}
	for {
		s.space()
		if s.at == len(s.src) {
			return s.dst
		}
		if !s.value(false, 0) {
			if !mentionsAuth(frame) && !bytes.Contains(frame, []byte(`\u`)) {
				return append(s.dst[:start], frame...)
			}
			return append(s.dst[:start], withheld...)
		}
	}
}

// appendRedacted is what the writer does with a record's data. Data frames of
// the venue begin with their topic and are not searched: this is the path every
// push takes.
func appendRedacted(dst []byte, r *Record) []byte {
	if r.Kind != Frame || (r.Direction == In && bytes.HasPrefix(r.Data, []byte(`{"topic":"`))) {
		return append(dst, r.Data...)
	}
	return AppendRedacted(dst, r.Data)
}

// mayAuth is the cheap test in front: without the word and without an escape
// that could hide it, there is nothing to do.
func mayAuth(frame []byte) bool {
	return bytes.IndexByte(frame, '\\') >= 0 || mentionsAuth(frame)
}

// mentionsAuth looks for the word in any case.
func mentionsAuth(frame []byte) bool {
	for i := 0; i+4 <= len(frame); i++ {
		if frame[i]|0x20 == 'a' && frame[i+1]|0x20 == 'u' && frame[i+2]|0x20 == 't' && frame[i+3]|0x20 == 'h' {
			return true
		}
	}
	return false
}

// maxNesting bounds the recursion; deeper frames count as not JSON.
const maxNesting = 64

// redactor copies JSON from src to dst and masks as it goes. An object is read
// twice where needed: first for its op, then to copy it.
type redactor struct {
	src, dst []byte
	at       int
}

// value copies one value. With mask, scalars become Redacted. It returns false
// where the text is not JSON.
func (s *redactor) value(mask bool, depth int) bool {
	if s.at >= len(s.src) || depth > maxNesting {
		return false
	}
	switch s.src[s.at] {
	case '{':
		return s.object(mask, depth)
	case '[':
		return s.array(mask, depth)
	case '"':
		return s.text(mask)
	}
	from := s.at
	for s.at < len(s.src) && strings.IndexByte(" \t\r\n,]}[{:\"", s.src[s.at]) < 0 {
		s.at++
	}
	if !isScalar(s.src[from:s.at]) {
		return false
	}
	if mask {
		s.dst = append(s.dst, `"`+Redacted+`"`...)
	} else {
		s.dst = append(s.dst, s.src[from:s.at]...)
	}
	return true
}

// isScalar reports a JSON number (roughly), true, false or null.
func isScalar(b []byte) bool {
	switch string(b) {
	case "true", "false", "null":
		return true
	}
	for _, c := range b {
		if (c < '0' || c > '9') && strings.IndexByte("+-.eE", c) < 0 {
			return false
		}
	}
	return len(b) > 0
}

// text copies one string value.
func (s *redactor) text(mask bool) bool {
	from := s.at
	if !s.skipString() {
		return false
	}
	raw := s.src[from:s.at]
	if mask || hidesAuth(raw) {
		s.dst = append(s.dst, `"`+Redacted+`"`...)
	} else {
		s.dst = append(s.dst, raw...)
	}
	return true
}

// hidesAuth reports a string that holds JSON which itself mentions auth, as a
// log line or a proxy's envelope would.
func hidesAuth(raw []byte) bool {
	if !mayAuth(raw) {
		return false
	}
	inner := strings.ToLower(unquote(raw))
	if !strings.ContainsAny(inner, "{[") {
		return false
	}
	// One more level of escapes than could be resolved counts as hiding.
	return strings.Contains(inner, "auth") || strings.Contains(inner, `\u`)
}

func (s *redactor) array(mask bool, depth int) bool {
	s.copyByte()
	for first := true; ; first = false {
		s.space()
		if s.at < len(s.src) && s.src[s.at] == ']' {
			s.copyByte()
			return true
		}
		if !first && !s.comma() {
			return false
		}
		if !s.value(mask, depth+1) {
			return false
		}
	}
}

func (s *redactor) object(mask bool, depth int) bool {
	mask = mask || s.isAuth(depth)
	s.copyByte()
	for first := true; ; first = false {
		s.space()
		if s.at < len(s.src) && s.src[s.at] == '}' {
			s.copyByte()
			return true
		}
		if !first && !s.comma() {
			return false
		}
		from := s.at
		if !s.skipString() {
			return false
		}
		key := s.src[from:s.at]
		s.dst = append(s.dst, key...)
		s.space()
		if s.at >= len(s.src) || s.src[s.at] != ':' {
			return false
		}
		s.copyByte()
		s.space()
		if !s.value(mask && !harmless(key), depth+1) {
			return false
		}
	}
}

// isAuth looks ahead through the object that starts here: does a member "op"
// say "auth"? All members are looked at, since a key may come twice.
func (s *redactor) isAuth(depth int) bool {
	look := redactor{src: s.src, at: s.at + 1}
	for {
		look.skip(" \t\r\n,")
		from := look.at
		if !look.skipString() {
			return false
		}
		key := look.src[from:look.at]
		look.skip(" \t\r\n:")
		from = look.at
		if look.at < len(look.src) && look.src[look.at] == '"' {
			if !look.skipString() {
				return false
			}
			if plain(key) == "op" && strings.Contains(plain(look.src[from:look.at]), "auth") {
				return true
			}
			continue
		}
		if !look.skipValue() {
			return false
		}
	}
}

// skipValue passes over a value that is no string, without judging it.
func (s *redactor) skipValue() bool {
	depth := 0
	for s.at < len(s.src) {
		switch s.src[s.at] {
		case '"':
			if !s.skipString() {
				return false
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return false // the end of the object around it
			}
			depth--
			if depth == 0 {
				s.at++
				return true
			}
		case ',':
			if depth == 0 {
				return true
			}
		}
		s.at++
	}
	return false
}

func (s *redactor) skip(set string) {
	for s.at < len(s.src) && strings.IndexByte(set, s.src[s.at]) >= 0 {
		s.at++
	}
}

// skipString passes over a quoted string.
func (s *redactor) skipString() bool {
	if s.at >= len(s.src) || s.src[s.at] != '"' {
		return false
	}
	for i := s.at + 1; i < len(s.src); i++ {
		switch s.src[i] {
		case '\\':
			i++
		case '"':
			s.at = i + 1
			return true
		}
	}
	return false
}

// space copies white space.
func (s *redactor) space() {
	from := s.at
	s.skip(" \t\r\n")
	s.dst = append(s.dst, s.src[from:s.at]...)
}

// comma copies a comma and the space after it.
func (s *redactor) comma() bool {
	if s.at >= len(s.src) || s.src[s.at] != ',' {
		return false
	}
	s.copyByte()
	s.space()
	return true
}

func (s *redactor) copyByte() {
	s.dst = append(s.dst, s.src[s.at])
	s.at++
}

// harmless reports a key of auth requests and their replies whose value is
// kept.
func harmless(key []byte) bool {
	switch plain(key) {
	case "op", "req_id", "reqid", "success", "ret_msg", "retcode", "retmsg", "conn_id", "connid", "type":
		return true
	}
	return false
}

// plain returns a quoted string without quotes, escapes, case and outer space:
// what a lenient server may take it for.
func plain(raw []byte) string {
	return strings.ToLower(strings.TrimSpace(unquote(raw)))
}

// unquote resolves the escapes of a quoted string. What is no escape stays.
func unquote(raw []byte) string {
	raw = raw[1 : len(raw)-1]
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw)
	}
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' || i+1 == len(raw) {
			out = append(out, raw[i])
			continue
		}
		i++
		switch c := raw[i]; c {
		case 'n', 't', 'r', 'b', 'f':
			out = append(out, ' ')
		case 'u':
			r, n := escapedRune(raw[i+1:])
			out = utf8.AppendRune(out, r)
			i += n
		default:
			out = append(out, c)
		}
	}
	return string(out)
}

// escapedRune reads the digits after \u, and a second half if it belongs to
// them. It returns how many bytes it took.
func escapedRune(b []byte) (rune, int) {
	r, ok := hex4(b)
	if !ok {
		return utf8.RuneError, 0
	}
	if utf16.IsSurrogate(r) && len(b) >= 10 && b[4] == '\\' && b[5] == 'u' {
		if low, ok := hex4(b[6:]); ok {
			return utf16.DecodeRune(r, low), 10
		}
	}
	return r, 4
}

func hex4(b []byte) (r rune, ok bool) {
	if len(b) < 4 {
		return 0, false
	}
	for _, c := range b[:4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// RedactURL returns the URL of a connection without user information and
// without the values of query parameters, except those that are known to be
// settings: the retired V2 took api_key, expires and signature this way. A text
// that is no URL loses everything from the first '?'.
func RedactURL(raw string) string {
	if !strings.ContainsAny(raw, "?@#") {
		return raw
	}
	u, err := url.Parse(raw)
	if err != nil {
		head, _, _ := strings.Cut(raw, "?")
		if i := strings.LastIndexByte(head, '@'); i >= 0 {
			head = head[i+1:]
		}
		return head
	}
	u.User = nil
	u.Fragment, u.RawFragment = "", ""
	pairs := strings.FieldsFunc(u.RawQuery, func(r rune) bool { return r == '&' || r == ';' })
	for i, pair := range pairs {
		key, _, _ := strings.Cut(pair, "=")
		if key != "max_active_time" && key != "max_alive_time" && key != "compression" {
			pairs[i] = key + "=" + Redacted
		}
	}
	u.RawQuery = strings.Join(pairs, "&")
	return u.String()
}
