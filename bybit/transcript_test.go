package bybit_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/internal/wire"
	"github.com/bywire/bywire/internal/wire/wiretest"
)

// unsaid are the client frames of the conversations that this client never
// sends, whatever it is asked to do, and why. The server's answers to them are
// played all the same: they must not disturb a stream that did not cause them.
var unsaid = map[string]string{
	"finance/15-client": namedTwice,
	"finance/25-client": noTopics,
	"finance/27-client": noOperation,
	"finance/29-client": noRequest,
	"inverse/19-client": namedTwice,
	"inverse/29-client": noTopics,
	"inverse/31-client": noOperation,
	"inverse/33-client": noRequest,
	"linear/25-client":  namedTwice,
	"linear/35-client":  noTopics,
	"linear/37-client":  noOperation,
	"linear/39-client":  noRequest,
	"option/23-client":  noTopics,
	"option/25-client":  noOperation,
	"option/27-client":  noRequest,
	"rfq/19-client":     noTopics,
	"rfq/21-client":     noOperation,
	"rfq/23-client":     noRequest,
	"spot/23-client":    tooMany, // behind another path it is said: TestArgsSizeRefusalIsHalved
	"spot/29-client":    noTopics,
	"spot/31-client":    noOperation,
	"spot/33-client":    noRequest,
	"spread/21-client":  noTopics,
	"spread/23-client":  noOperation,
	"spread/25-client":  noRequest,
	"status/19-client":  noTopics,
	"status/21-client":  noOperation,
	"status/23-client":  noRequest,
}

const (
	namedTwice  = "a topic is named once in a request"
	noTopics    = "a request without topics asks for nothing"
	noOperation = "there is no such operation"
	noRequest   = "it is no request"
	tooMany     = "more topics than the channel takes in one request are two requests"
)

// worded are the client frames that this client says in its own words: other
// clients leave the id out, send it as a number or last, or add arguments to a
// ping. The answers are those of the transcript, without an id too.
var worded = map[string]int{
	"no id":               48,
	"the id last":         13,
	"a number as id":      6,
	"arguments to a ping": 2,
}

// The frames of the client parts, and those that the client says byte for byte.
const (
	clientFrames = 134
	framesSaid   = 37
)

// TestTranscripts plays the public conversations of testdata/wire from end to
// end, each on one connection of one stream. For every frame of the client part
// the stream is brought to say it, byte for byte, and gets the server part's
// answer; what it makes of the answer must be what the answer says.
//
// Where the stream would have no reason to say the frame (it knows that a topic
// is subscribed, or is not), it is given one first, by requests that are not in
// the transcript and that the venue accepts.
func TestTranscripts(t *testing.T) {
	gotUnsaid, gotWorded := map[string]string{}, map[string]int{}
	said, total := 0, 0
	for _, conv := range wiretest.LoadAll(t) {
		if !conv.Channel.IsPublic() {
			continue // they are played in package session, since there is no private stream yet
		}
		t.Run(conv.Name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, v *venue) {
				p := newPlayer(t, v, conv)
				for i := 0; i+1 < len(conv.Parts); i += 2 {
					ask, answer := conv.Parts[i], conv.Parts[i+1]
					if len(ask.Frames) != len(answer.Frames) {
						t.Fatalf("%s: %d frames, %d answers", ask.Name, len(ask.Frames), len(answer.Frames))
					}
					for k, frame := range ask.Frames {
						total++
						ex := newExchange(fmt.Sprintf("%s/%s", conv.Name, ask.Name), frame, answer.Frames[k])
						if why := ex.unsaid(conv.Channel); why != "" {
							gotUnsaid[ex.name] = why
							p.unasked(ex)
						} else {
							if ex.worded != "" {
								gotWorded[ex.worded]++
							} else {
								said++
							}
							p.exchange(ex)
						}
						p.check(ex.name)
					}
				}
				p.end()
			})
		})
	}
	if !maps.Equal(gotUnsaid, unsaid) {
		t.Errorf("frames that the client never says:\n got %v\nwant %v", gotUnsaid, unsaid)
	}
	if !maps.Equal(gotWorded, worded) {
		t.Errorf("said in other words: %v, want %v", gotWorded, worded)
	}
	if total != clientFrames || said != framesSaid {
		t.Errorf("%d frames of the client parts were played and %d said byte for byte, want %d and %d", total, said, clientFrames, framesSaid)
	}
}

// exchange is one frame of the client's and its answer.
type exchange struct {
	name   string
	frame  string // with placeholders
	answer string // with placeholders
	req    wire.Request
	parsed bool   // frame is a request
	worded string // how the frame differs from what this client writes; "" if in nothing

	heard bool // the client has said it; guarded by the player's mutex
}

func newExchange(name, frame, answer string) *exchange {
	ex := &exchange{name: name, frame: frame, answer: answer}
	var err error
	ex.req, err = wire.ParseRequest([]byte(frame))
	ex.parsed = err == nil
	ours := ex.req
	if ours.Op == wire.OpPing {
		ours.Args = nil
	}
	switch {
	case !ex.parsed || string(wire.AppendRequest(nil, &ours)) == frame && strings.HasPrefix(ex.req.ReqID, "$"):
	case len(ours.Args) != len(ex.req.Args):
		ex.worded = "arguments to a ping"
	case ex.req.ReqID == "":
		ex.worded = "no id"
	case !strings.HasPrefix(ex.req.ReqID, "$"):
		ex.worded = "a number as id"
	default:
		ex.worded = "the id last"
	}
	return ex
}

// unsaid returns why the client never says the frame, or "".
func (ex *exchange) unsaid(ch wire.Channel) string {
	args := slices.Clone(ex.req.Args)
	slices.Sort(args)
	limit := ch.Limits().ArgsPerRequest
	switch {
	case !ex.parsed:
		return noRequest
	case ex.req.Op == wire.OpPing:
		return ""
	case ex.req.Op != wire.OpSubscribe && ex.req.Op != wire.OpUnsubscribe:
		return noOperation
	case len(args) == 0:
		return noTopics
	case len(slices.Compact(args)) != len(ex.req.Args):
		return namedTwice
	case limit > 0 && len(args) > limit:
		return tooMany
	}
	return ""
}

// expand writes the answer. The ids in it are those of the request that the
// client sent, or made up.
func (ex *exchange) expand(reqID string) (string, error) {
	vars := map[string]string{"MS": "1767225600000", "CONN": "c-1"}
	answer := ex.answer
	if id := ex.req.ReqID; reqID != "" && strings.HasPrefix(id, "$") {
		vars[id[1:]] = reqID
	} else if reqID != "" && id != "" {
		answer = strings.ReplaceAll(answer, `"`+id+`"`, `"`+reqID+`"`)
	}
	frame, err := wiretest.Expand(answer, vars)
	return string(frame), err
}

// player is a stream that goes through one conversation.
type player struct {
	t    *testing.T
	v    *venue
	s    *bybit.Stream
	conv wiretest.Conversation
	on   map[string]bool // the topics that are subscribed

	mu    sync.Mutex // guards what follows, which the venue's goroutine uses
	now   *exchange  // what the client is to say next; nil: nothing of the transcript
	extra string     // a frame to send before the next answer that is not the transcript's
}

func newPlayer(t *testing.T, v *venue, conv wiretest.Conversation) *player {
	p := &player{t: t, v: v, conv: conv, on: map[string]bool{}}
	v.family = conv.Channel.Family()
	v.script = p.hear
	s, err := v.client().Public(t.Context(), bybit.Channel(conv.Channel), nil)
	if err != nil {
		t.Fatal(err)
	}
	p.s = s
	return p
}

// hear is the venue's side: the transcript's answer to the transcript's frame,
// and the venue's own to the rest.
func (p *player) hear(c *venueConn, frame []byte, req *wire.Request) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	ex := p.now
	if ex == nil || ex.heard || req.Op != ex.req.Op {
		if p.extra != "" && req.Op == wire.OpSubscribe {
			c.send(p.extra)
			p.extra = ""
		}
		return false
	}
	ex.heard = true
	want, vars := ex.frame, map[string]string{}
	if ex.worded != "" {
		ours := wire.Request{Op: ex.req.Op, ReqID: "$REQ", Args: ex.req.Args}
		if ours.Op == wire.OpPing {
			ours.Args = nil
		}
		want = string(wire.AppendRequest(nil, &ours))
	}
	if err := wiretest.Match([]byte(want), frame, vars); err != nil {
		p.t.Errorf("%s: %v", ex.name, err)
	}
	answer, err := ex.expand(req.ReqID)
	if err != nil {
		p.t.Errorf("%s: %v", ex.name, err)
	}
	c.send(answer)
	return true
}

func (p *player) set(ex *exchange, extra string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now, p.extra = ex, extra
}

// exchange brings the client to say the frame, and checks what it makes of the
// answer.
func (p *player) exchange(ex *exchange) {
	switch ex.req.Op {
	case wire.OpPing:
		p.set(ex, "")
		p.pass(wire.PingInterval)
	case wire.OpSubscribe:
		p.unsubscribe(ex.req.Args...)
		p.set(ex, "")
		p.subscribe(ex)
	case wire.OpUnsubscribe:
		p.accepted(ex.req.Args...)
		p.set(ex, "")
		p.unsubscribe(ex.req.Args...)
	}
	synctest.Wait()
	p.mu.Lock()
	if !ex.heard {
		p.t.Errorf("%s: the client does not say %s", ex.name, ex.frame)
	}
	p.now = nil
	p.mu.Unlock()
	if ex.req.Op == wire.OpPing {
		p.pass(wire.PingInterval - time.Second) // by now a ping without a pong would have ended the connection
	}
}

// unasked sends the answer to a frame that the client never says: once while it
// waits for nothing, once before the answer to a request of its own.
func (p *player) unasked(ex *exchange) {
	frame, err := ex.expand("")
	if err != nil {
		p.t.Fatal(err)
	}
	p.v.last().send(frame)
	synctest.Wait()
	p.check(ex.name)

	p.set(nil, frame)
	err = p.s.Subscribe(p.t.Context(), bybit.RawTopic("probe"))
	reply, parseErr := wire.ParseReply([]byte(frame))
	if parseErr != nil {
		p.t.Fatal(parseErr)
	}
	why, _ := reply.Refused()
	if reply.ReqID == "" && why == wire.RefusalParams {
		// Nothing tells this apart from an answer: it is taken for the next.
		p.refused(ex.name, err, "probe", reply.Message)
		p.rejections(ex.name, "probe")
		return
	}
	if err != nil {
		p.t.Errorf("%s: a request of one's own was refused by %s: %v", ex.name, frame, err)
	}
	p.on["probe"] = true
	p.unsubscribe("probe")
}

// subscribe asks for the topics of the frame.
func (p *player) subscribe(ex *exchange) {
	err := p.s.Subscribe(p.t.Context(), p.topics(ex.req.Args)...)
	answer, expandErr := ex.expand("7")
	reply, parseErr := wire.ParseReply([]byte(answer))
	if expandErr != nil || parseErr != nil {
		p.t.Fatal(expandErr, parseErr)
	}
	bad, text := reply.Failed, reply.Message
	if reply.Op == wire.OpCommand {
		text = "refused without a reason"
	} else if why, topic := reply.Refused(); why == wire.RefusalNotFound || why == wire.RefusalSymbol {
		bad = []string{topic}
	} else if why != wire.RefusalNone && why != wire.RefusalSubscribed {
		p.t.Errorf("%s: what does %s say of the topics?", ex.name, answer)
	}
	for _, name := range ex.req.Args {
		p.on[name] = !slices.Contains(bad, name)
	}
	switch {
	case len(bad) == len(ex.req.Args):
		for _, name := range bad {
			p.refused(ex.name, err, name, text)
		}
	case err != nil:
		p.t.Errorf("%s: Subscribe = %v although %d of %d topics were accepted", ex.name, err, len(ex.req.Args)-len(bad), len(ex.req.Args))
	}
	p.rejections(ex.name, bad...)
}

// refused checks the error of a call of which nothing was accepted.
func (p *player) refused(name string, err error, topic, text string) {
	p.t.Helper()
	var rejected *bybit.RejectedError
	if !errors.As(err, &rejected) || rejected.Topic.String() != topic || rejected.Message != text || rejected.Code != 0 {
		p.t.Errorf("%s: Subscribe = %v, want the refusal of %s: %s", name, err, topic, text)
	}
}

// rejections checks that these rejections are in the stream, and that Stats has
// them.
func (p *player) rejections(name string, topics ...string) {
	p.t.Helper()
	synctest.Wait()
	for _, topic := range topics {
		ev, ok, err := p.s.TryRecv()
		if rejected, isRejection := ev.(*bybit.RejectedEvent); err != nil || !ok || !isRejection || rejected.Topic.String() != topic {
			p.t.Errorf("%s: the stream says %v, %v, want the rejection of %s", name, ev, err, topic)
		}
		if !slices.ContainsFunc(p.s.Stats().Rejected, func(e bybit.RejectedError) bool { return e.Topic.String() == topic }) {
			p.t.Errorf("%s: Stats does not list %s as rejected", name, topic)
		}
	}
}

// accepted subscribes what is not subscribed yet, outside the transcript.
func (p *player) accepted(names ...string) {
	p.t.Helper()
	if err := p.s.Subscribe(p.t.Context(), p.topics(names)...); err != nil {
		p.t.Fatal(err)
	}
	for _, name := range names {
		p.on[name] = true
	}
}

// unsubscribe takes off what is subscribed.
func (p *player) unsubscribe(names ...string) {
	p.t.Helper()
	if err := p.s.Unsubscribe(p.t.Context(), p.topics(names)...); err != nil {
		p.t.Error(err)
	}
	for _, name := range names {
		delete(p.on, name)
	}
}

// topics makes topics, typed where the channel has them: what it has not, a user
// can ask for as a raw topic only.
func (p *player) topics(names []string) []bybit.Topic {
	topics := make([]bybit.Topic, len(names))
	for i, name := range names {
		parsed, err := wire.ParseTopic(name)
		if err == nil {
			err = parsed.CheckOn(p.conv.Channel)
		}
		if topics[i] = bybit.RawTopic(name); err == nil {
			topics[i], _ = bybit.ParseTopic(name)
		}
	}
	return topics
}

func (p *player) pass(d time.Duration) {
	timer := time.NewTimer(d)
	<-timer.C
	synctest.Wait()
}

// check looks whether the stream is in the state that the conversation has come
// to, and unharmed.
func (p *player) check(name string) {
	p.t.Helper()
	on := 0
	for _, is := range p.on {
		if is {
			on++
		}
	}
	stats := p.s.Stats()
	if stats.State != "open" || stats.Connects != 1 || stats.Topics != on || stats.Accepted != on {
		p.t.Errorf("%s: stats %+v, want %d topics, all accepted", name, stats, on)
	}
	if stats.Undecoded+stats.Gaps+stats.Dropped+stats.Overflows+stats.Unwanted > 0 {
		p.t.Errorf("%s: stats %+v", name, stats)
	}
	ev, ok, err := p.s.TryRecv()
	for ok && err == nil {
		// A conversation without data may take minutes.
		if _, silent := ev.(*bybit.SilentEvent); !silent {
			break
		}
		ev, ok, err = p.s.TryRecv()
	}
	if ok || err != nil {
		p.t.Errorf("%s: the stream says %s, %v, want nothing", name, describe(ev), err)
	}
}

// end checks that data still comes.
func (p *player) end() {
	p.accepted("probe")
	frame := `{"topic":"probe","type":"snapshot","ts":1767225600123,"data":{}}`
	synctest.Wait()
	p.check("the end")
	p.v.last().send(frame)
	wantEvents(p.t, p.s, "raw probe "+frame)
	p.s.Close()
}

// TestArgsSizeRefusalIsHalved plays spot's refusal of eleven topics, which the
// client does not provoke where it knows the limit: behind a path of one's own it
// cannot know it.
func TestArgsSizeRefusalIsHalved(t *testing.T) {
	conv := wiretest.Load(t, "spot.txtar")
	var ex *exchange
	for i := 0; i+1 < len(conv.Parts); i += 2 {
		if strings.Contains(conv.Parts[i+1].Frames[0], "args size >10") {
			ex = newExchange(conv.Parts[i].Name, conv.Parts[i].Frames[0], conv.Parts[i+1].Frames[0])
		}
	}
	if ex == nil {
		t.Fatal("the transcript has no such refusal")
	}
	inBubble(t, func(t *testing.T, v *venue) {
		conv.Channel = "/v5/public/spot"
		p := newPlayer(t, v, conv)
		v.family = wire.FamilySpot
		p.set(ex, "")
		if err := p.s.Subscribe(t.Context(), p.topics(ex.req.Args)...); err != nil {
			t.Error(err)
		}
		if !ex.heard {
			t.Errorf("the client did not say %s", ex.frame)
		}
		var counts []int
		for _, r := range v.requests() {
			counts = append(counts, len(strings.Split(r, ",")))
		}
		if !slices.Equal(counts, []int{5, 6}) {
			t.Errorf("it asked again for %v topics, want 5 and 6", counts)
		}
		for _, name := range ex.req.Args {
			p.on[name] = true
		}
		p.check(ex.name)
		p.end()
	})
}

// TestTopicNamedTwice is what becomes of the one request of the conversations
// that names a topic twice.
func TestTopicNamedTwice(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		s := v.stream(nil, bybit.Trades("BTCUSDT"), bybit.Trades("BTCUSDT"))
		v.wantRequests("subscribe publicTrade.BTCUSDT")
		if err := s.Subscribe(t.Context(), bybit.Trades("BTCUSDT"), bybit.Trades("BTCUSDT")); err != nil {
			t.Error(err)
		}
		if err := s.Unsubscribe(t.Context(), bybit.Trades("BTCUSDT"), bybit.Trades("BTCUSDT")); err != nil {
			t.Error(err)
		}
		v.wantRequests("unsubscribe publicTrade.BTCUSDT")
		s.Close()
	})
}
