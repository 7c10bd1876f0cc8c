package wire

// IsControl reports whether a server's frame is a control frame, without
// decoding it: data frames have a "topic" among their outermost keys, control
// frames have not. The first key decides nearly every frame; any other order is
// found by a walk over the outermost keys. It does not allocate. A frame that is
// no JSON object is not control either; the data decoder will say what is wrong.
func IsControl(frame []byte) bool {
	if hasPrefix(frame, `{"topic":`) {
		return false
	}
	if hasPrefix(frame, `{"success":`) || hasPrefix(frame, `{"retCode":`) {
		return true
	}
	i := skipSpace(frame, 0)
	if i >= len(frame) || frame[i] != '{' {
		return false
	}
	i = skipSpace(frame, i+1)
	if i < len(frame) && frame[i] == '}' {
		return true
	}
	for i < len(frame) && frame[i] == '"' {
		end := skipText(frame, i)
		if end < 0 {
			return false
		}
		switch string(frame[i+1 : end-1]) {
		case "topic":
			return false
		case "op", "success", "retCode", "ret_msg", "retMsg":
			return true
		}
		i = skipSpace(frame, end)
		if i >= len(frame) || frame[i] != ':' {
			return false
		}
		i = skipNested(frame, skipSpace(frame, i+1))
		if i < 0 || i >= len(frame) {
			return false
		}
		if frame[i] == '}' {
			return true
		}
		i = skipSpace(frame, i+1)
	}
	return false
}

// hasPrefix reports whether a frame starts with a text.
func hasPrefix(frame []byte, prefix string) bool {
	return len(frame) >= len(prefix) && string(frame[:len(prefix)]) == prefix
}

// skipSpace returns the position of the first byte from i on that is no JSON
// space, len(b) if there is none.
func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t') {
		i++
	}
	return i
}

// skipText returns the position behind a JSON string that starts at i, -1 if it
// does not end.
func skipText(b []byte, i int) int {
	for i++; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return -1
}

// skipNested returns the position of the comma or brace that ends the value at
// i, -1 if nothing does. It counts brackets and does not check the value.
func skipNested(b []byte, i int) int {
	depth := 0
	for i < len(b) {
		switch b[i] {
		case '"':
			if i = skipText(b, i); i < 0 {
				return -1
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i
			}
			depth--
		case ',':
			if depth == 0 {
				return i
			}
		}
		i++
	}
	return -1
}
