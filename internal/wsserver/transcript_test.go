package wsserver_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/bywire/bywire/internal/wire"
	"github.com/bywire/bywire/internal/wire/wiretest"
	"github.com/bywire/bywire/internal/wsserver"
)

// TestTranscripts plays the client's side of testdata/wire: the server's answers are the transcripts', byte for byte.
func TestTranscripts(t *testing.T) {
	for _, talk := range wiretest.LoadAll(t) {
		t.Run(talk.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { playClient(t, talk) })
		})
	}
}

func playClient(t *testing.T, talk wiretest.Conversation) {
	// A bubble's clock stands in the year 2000, whose milliseconds have a digit less.
	now := func() time.Time { return time.UnixMilli(1767225600000) }
	f := newFeed(&wsserver.Options{Auth: rightSign, Now: now})
	f.verify = hasTopics(talk)
	ln, stop := serve(f.srv)
	defer func() { ended(t, f.srv); stop(); f.stop() }()
	c := dial(t, ln, talk.Channel)
	defer c.conn.Close()
	vars := map[string]string{"KEY": "key", "EXPIRES": "1767225610000", "SIGN": "right"}
	for _, part := range talk.Parts {
		for _, frame := range part.Frames {
			if part.From == wiretest.Client {
				text, err := wiretest.Expand(frame, vars)
				if err != nil {
					t.Fatal(err)
				}
				c.send(string(text))
				continue
			}
			got := []byte(c.next())
			for !wire.IsControl(got) {
				got = []byte(c.next())
			}
			if err := wiretest.Match([]byte(frame), got, vars); err != nil {
				t.Fatalf("%s: %v", part.Name, err)
			}
		}
	}
	// Nothing may follow that the transcript does not have.
	c.conn.SetReadDeadline(time.Now().Add(time.Second))
	for {
		_, payload, err := c.r.Next()
		if err != nil {
			break
		}
		if wire.IsControl(payload) {
			t.Fatalf("after the end: %s", payload)
		}
	}
}

// hasTopics is a source's judgement: what the transcript lists, and on private, where it lists nothing, the topics that
// the channel has.
func hasTopics(talk wiretest.Conversation) func(string) error {
	listed := map[string]bool{}
	for _, topic := range talk.Topics {
		listed[topic] = true
	}
	return func(name string) error {
		if talk.Channel == wire.Private {
			topic, err := wire.ParseTopic(name)
			if err != nil {
				return err
			}
			return topic.CheckOn(talk.Channel)
		}
		if !listed[name] {
			return wsserver.ErrNoTopic
		}
		return nil
	}
}
