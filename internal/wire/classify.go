package wire

// IsControl reports whether a server's frame is a control frame, without
// decoding it: data frames have a "topic" among their outermost keys, control
// frames have not, and ParseReply judges by the same. A walk over the outermost
// keys decides, for nearly every data frame the first one. A frame that is no
// JSON object is not control either; the data decoder will say what is wrong.
func IsControl(frame []byte) bool {
	if Literal(frame, 0, `{"topic":`) > 0 {
		return false
	}
	c := NewCursor(frame)
	var o Object
	for c.NextKey(&o) {
		if string(o.Key) == "topic" {
			return false
		}
		c.skipValue(0)
	}
	c.End()
	return c.err == nil
}
