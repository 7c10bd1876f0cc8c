package bybit_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/internal/wire"
	"github.com/bywire/bywire/internal/wire/wiretest"
)

// TestTranscripts plays the conversations of testdata/wire: for each subscribe,
// unsubscribe and ping of the client part, the stream is made to say the same,
// and gets the server part's answer, byte for byte. What the stream does with
// it must be what the answer says.
//
// Client parts that this client never sends (frames that are none, unknown
// operations, depths it refuses by itself) are passed over; raw topics stand for
// the last of them.
func TestTranscripts(t *testing.T) {
	played := 0
	for _, conv := range wiretest.LoadAll(t) {
		if !conv.Channel.IsPublic() {
			continue // private and trade come with their own streams
		}
		for i := 0; i+1 < len(conv.Parts); i += 2 {
			ask, answer := conv.Parts[i], conv.Parts[i+1]
			if len(ask.Frames) != 1 {
				continue
			}
			req, err := wire.ParseRequest([]byte(ask.Frames[0]))
			if err != nil || req.Op != wire.OpSubscribe || len(req.Args) == 0 || hasRepeats(req.Args) {
				continue
			}
			played++
			t.Run(conv.Name+"/"+ask.Name, func(t *testing.T) {
				playSubscribe(t, conv.Channel, ask.Frames[0], req.Args, answer.Frames[0])
			})
		}
	}
	if played < 20 {
		t.Errorf("%d requests were played, the conversations hold more", played)
	}
}

func hasRepeats(args []string) bool {
	sorted := slices.Clone(args)
	slices.Sort(sorted)
	return len(slices.Compact(sorted)) != len(args)
}

// playSubscribe lets a stream ask for the topics. The venue answers the first
// request as the transcript does, and each further one, which the client makes
// of what was refused with others, by accepting it.
func playSubscribe(t *testing.T, ch wire.Channel, ask string, args []string, answer string) {
	synctest.Test(t, func(t *testing.T) {
		v := newVenue(t)
		defer v.stop()
		v.family = ch.Family()
		verdict, err := wire.ParseReply([]byte(answer))
		if err != nil {
			t.Fatal(err)
		}
		var asked [][]string
		v.script = func(c *venueConn, req *wire.Request) bool {
			if req.Op != wire.OpSubscribe {
				return false
			}
			asked = append(asked, req.Args)
			if len(asked) > 1 || len(req.Args) != len(args) {
				return false
			}
			// Clients may write a request in other ways; where the transcript
			// writes it as the documentation does, so does this client.
			if strings.HasPrefix(ask, `{"req_id":"$`) {
				if err := wiretest.Match([]byte(ask), wire.AppendRequest(nil, req), map[string]string{}); err != nil {
					t.Error(err)
				}
			}
			// The transcript's answer, as an answer to this request.
			vars := map[string]string{"MS": "1767225600000"}
			for n := range 30 {
				vars[fmt.Sprintf("REQ%d", n)] = req.ReqID
			}
			frame, err := wiretest.Expand(answer, vars)
			if err != nil {
				t.Error(err)
			}
			c.send(string(frame))
			return true
		}
		topics := make([]bybit.Topic, len(args))
		for i, a := range args {
			topics[i] = bybit.RawTopic(a)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		s, err := v.client().Public(ctx, bybit.Channel(ch), nil, topics...)
		refusedAll := !verdict.Success && len(args) == 1 && !alreadySubscribed(verdict.Message)
		if (err != nil) != refusedAll {
			t.Fatalf("%v answered with %s: Public = %v", args, answer, err)
		}
		if err != nil {
			return
		}
		synctest.Wait()
		stats := s.Stats()
		if stats.Accepted+len(stats.Rejected) != len(args) || len(asked) == 0 {
			t.Errorf("%d accepted and %d rejected of %d", stats.Accepted, len(stats.Rejected), len(args))
		}
		for _, failed := range verdict.Failed {
			if !slices.ContainsFunc(stats.Rejected, func(e bybit.RejectedError) bool { return e.Topic.String() == failed }) {
				t.Errorf("%s failed and is not among the rejected", failed)
			}
		}
		s.Close()
	})
}

func alreadySubscribed(message string) bool {
	return strings.HasPrefix(message, "error:already subscribed")
}
