package bybit

import "github.com/bywire/bywire/internal/wire"

// Message is a data message of one topic, both ways: what a client decodes is
// what a server encodes.
type Message interface {
	// Decode replaces all of the receiver by what the frame says; nothing of
	// an earlier message is left. It reuses the receiver's memory, and does
	// not keep the frame. The error is a *DecodeError, after which the
	// receiver's content is undefined.
	Decode(frame []byte) error
	// AppendJSON appends the message as the venue writes it on the channel:
	// compact, keys in the venue's order.
	AppendJSON(dst []byte, ch Channel) []byte
}

// NewMessage returns an empty message of the type that carries the topic, and
// whether there is one: raw and unknown topics have none.
func NewMessage(t Topic) (Message, bool) {
	if t.raw {
		return nil, false
	}
	topic, err := wire.ParseTopic(t.name)
	if err != nil {
		return nil, false
	}
	_ = topic
	return nil, false
}

// FrameTopic finds the topic of a data message in one pass over its first
// keys, without decoding it. The result points into the frame.
func FrameTopic(frame []byte) ([]byte, bool) { return wire.FrameTopic(frame) }
