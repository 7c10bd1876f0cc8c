package wire

import "strings"

// DecodeQuery reads a query, without its question mark.
func DecodeQuery[T any](query string, v *T, fields func(*T, *Fields)) *FieldError {
	// A query is an object of strings, which stand for numbers as well. Texts are unescaped
	// when they are read.
	json := []byte{'{'}
	for pair := range strings.SplitSeq(query, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		if len(json) > 1 {
			json = append(json, ',')
		}
		json = append(AppendString(json, unescape(name)), ':')
		json = AppendString(json, value)
	}
	return decode(append(json, '}'), v, fields, readingQuery, readObject[T])
}

// AppendQuery appends a query, without a question mark. Nil has none. It refuses a value that would be
// sent as another.
func AppendQuery[T any](dst []byte, v *T, fields func(*T, *Fields)) ([]byte, error) {
	if v == nil {
		return dst, nil
	}
	f := &Fields{out: dst, start: len(dst), mode: writingQuery}
	fields(v, f)
	if f.refused != nil {
		return dst, f.refused
	}
	return f.out, nil
}

// splitQuery turns the text that is next, a list in a query, into an array.
func (f *Fields) splitQuery() {
	c := &f.cursor
	text := c.Text()
	if c.err != nil {
		return
	}
	array := []byte{'['}
	for part := range strings.SplitSeq(string(text), ",") {
		if len(text) == 0 {
			break
		}
		if len(array) > 1 {
			array = append(array, ',')
		}
		array = AppendString(array, part)
	}
	array = append(array, ']')
	c.buf = append(array, c.buf[c.pos:]...)
	c.pos = 0
}

// Token is a text that the venue hands out ready for a URL, such as the cursor
// "0%2C500": in a query it stands as it is, but for what would end it.
func (f *Fields) Token(name string, p *string) {
	switch {
	case f.mode == writingQuery:
		f.writeKey(name)
		f.out = AppendToken(f.out, *p)
	case f.mode == readingQuery:
		if f.at(name) {
			*p = string(f.cursor.Text())
			f.next(name)
		}
	default:
		f.Text(name, p)
	}
}

// AppendToken appends a text that is ready for a URL. A plus in one is a plus, as in base64, and no
// space: that is escaped as well, and a percent sign that escapes nothing.
func AppendToken(dst []byte, s string) []byte {
	for i := range len(s) {
		switch b := s[i]; {
		case b <= ' ' || b >= 0x7f || b == '&' || b == '#' || b == '+',
			b == '%' && !(i+2 < len(s) && hexDigit(s[i+1]) < 16 && hexDigit(s[i+2]) < 16):
			dst = appendQueryText(dst, s[i:i+1])
		default:
			dst = append(dst, b)
		}
	}
	return dst
}

// unescape undoes the escapes of a query. What is no escape stays as it is.
func unescape(s string) string {
	if !strings.ContainsAny(s, "%+") {
		return s
	}
	text := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '+':
			text = append(text, ' ')
		case s[i] == '%' && i+2 < len(s) && hexDigit(s[i+1]) < 16 && hexDigit(s[i+2]) < 16:
			text = append(text, hexDigit(s[i+1])<<4|hexDigit(s[i+2]))
			i += 2
		default:
			text = append(text, s[i])
		}
	}
	return string(text)
}

// hexDigit is the value of a digit, 16 for what is none.
func hexDigit(b byte) byte {
	switch {
	case b-'0' <= 9:
		return b - '0'
	case b-'a' <= 5:
		return b - 'a' + 10
	case b-'A' <= 5:
		return b - 'A' + 10
	}
	return 16
}

// appendQueryText appends a value, escaped where a query needs it. A slash, a colon, a comma
// and an at sign mean nothing there and stay, as the venue's examples have them.
func appendQueryText(dst []byte, s string) []byte {
	const hex = "0123456789ABCDEF"
	for i := range len(s) {
		switch b := s[i]; {
		case b-'0' <= 9 || b|0x20-'a' <= 25 || strings.IndexByte("-_.~/:,@", b) >= 0:
			dst = append(dst, b)
		default:
			dst = append(dst, '%', hex[b>>4], hex[b&15])
		}
	}
	return dst
}
