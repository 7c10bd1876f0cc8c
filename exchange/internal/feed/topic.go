package feed

import (
	"strconv"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/internal/wire"
)

// Topic is one subscription that the market has. Topics are made when an instrument is listed and cease when it is
// delivered; a pointer stays valid, and stands for one topic only.
type Topic struct {
	N       int // dense number, never given again within a run
	Channel wire.Channel
	Name    string // as subscribed: "orderbook.50.BTCUSDT"
	Kind    wire.Kind
	ID      catalog.ID // the instrument; catalog.None if the topic is about several or none

	msg   bybit.Topic
	depth *depth  // of orderbook topics
	bar   *candle // of kline topics
	pools *group  // of insurance and adlAlert topics
}

// Sink is where pushes go.
type Sink interface {
	// Wanted reports whether anybody listens. Frames that nobody wants are counted and not encoded.
	Wanted(t *Topic) bool
	// Publish hands over one frame, whose memory is the feed's again when the call returns. Replacing says that the
	// frame carries the whole state: whoever gets it needs no earlier frame of the topic.
	Publish(t *Topic, frame []byte, replacing bool)
}

// topicKey names a topic: channels have topics of the same name.
type topicKey struct {
	channel wire.Channel
	name    string
}

// Topic returns the topic of that name, if the channel has it now.
func (f *Feed) Topic(ch wire.Channel, name string) (*Topic, bool) {
	t, ok := f.index[topicKey{ch, name}]
	return t, ok
}

// Topics returns how many numbers have been given to topics: each Topic.N is below.
func (f *Feed) Topics() int { return f.numbers }

// addTopic makes a topic. An instrument's topics are made once, when it is listed.
func (f *Feed) addTopic(ch wire.Channel, kind wire.Kind, msg bybit.Topic, id catalog.ID) *Topic {
	t := &Topic{N: f.numbers, Channel: ch, Name: msg.String(), Kind: kind, ID: id, msg: msg}
	f.numbers++
	f.index[topicKey{ch, t.Name}] = t
	return t
}

// dropTopic takes a topic off the list; nil is none.
func (f *Feed) dropTopic(t *Topic) {
	if t != nil {
		delete(f.index, topicKey{t.Channel, t.Name})
	}
}

// publish encodes a message and hands it over. The caller has asked whether it is wanted.
func (f *Feed) publish(t *Topic, m bybit.Message, replacing bool) {
	f.frame = m.AppendJSON(f.frame[:0], bybit.Channel(t.Channel))
	f.sink.Publish(t, f.frame, replacing)
}

// messageID is the id that option's messages have: topic, a number that rises, time.
func messageID(t *Topic, n, ms int64) string {
	var room [120]byte
	b := append(room[:0], t.Name...)
	b = strconv.AppendInt(append(b, '-'), n, 10)
	b = strconv.AppendInt(append(b, '-'), ms, 10)
	return string(b)
}
