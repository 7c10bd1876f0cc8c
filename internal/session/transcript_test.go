package session_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bywire/bywire/internal/session"
	"github.com/bywire/bywire/internal/wire"
	"github.com/bywire/bywire/internal/wire/wiretest"
)

// verdict is what a client has to understand of a reply.
type verdict struct {
	op      string
	code    int
	message string
	refusal wire.Refusal
	topic   string // that the refusal blames
}

// verdicts are the replies of the private and trade conversations, by their
// section. There is no stream of theirs yet; what a stream will stand on is
// held to them here.
var verdicts = map[string]verdict{
	"private-control/02-server": {op: "pong"},
	"private-control/04-server": {op: "pong"},
	"private-control/06-server": {"subscribe", 0, "Request not authorized", wire.RefusalUnauthorized, ""},
	"private-control/08-server": {"auth", 0, "invalid sign", wire.RefusalSign, ""},
	"private-control/10-server": {"auth", 0, "Params Error", wire.RefusalParams, ""},
	"private-control/12-server": {op: "auth"},
	"private-control/14-server": {op: "auth"},
	"private-control/16-server": {op: "subscribe"},
	"private-control/18-server": {op: "subscribe"},
	"private-control/20-server": {"subscribe", 0, "error:already subscribed,topic:order", wire.RefusalSubscribed, "order"},
	"private-control/22-server": {"subscribe", 0, "error:handler not found,topic:order.futures", wire.RefusalNotFound, "order.futures"},
	"private-control/24-server": {"subscribe", 0, "error:handler not found,topic:position.spot", wire.RefusalNotFound, "position.spot"},
	"private-control/26-server": {"subscribe", 0, "Params Error", wire.RefusalParams, ""},
	"private-control/28-server": {op: "subscribe"},
	"private-control/30-server": {op: "unsubscribe"},
	"private-control/32-server": {op: "unsubscribe"},
	"private-control/34-server": {"subscribe", 0, "Params Error", wire.RefusalParams, ""},
	"private-control/36-server": {"nope", 0, "error:invalid op", wire.RefusalOp, ""},
	"private-control/38-server": {"", 0, wire.MessageMalformed([]byte("hello")), wire.RefusalMalformed, ""},
	"private-control/40-server": {op: "pong"},

	"trade-control/02-server": {op: "pong"},
	"trade-control/04-server": {"auth", 10004, "invalid sign", wire.RefusalSign, ""},
	"trade-control/06-server": {"auth", 10001, "param error", wire.RefusalParams, ""},
	"trade-control/08-server": {op: "auth"},
	"trade-control/10-server": {"auth", 20001, "repeat auth", wire.RefusalRepeated, ""},
	"trade-control/12-server": {"subscribe", 10404, "op type is not found", wire.RefusalOp, ""},
	"trade-control/14-server": {"order.nope", 10404, "op type is not found", wire.RefusalOp, ""},
	"trade-control/16-server": {"", 10001, wire.MessageMalformed([]byte("hello")), wire.RefusalParams, ""},
	"trade-control/18-server": {op: "pong"},
}

// unwritten are the client frames that AppendRequest does not write, and why.
var unwritten = map[string]string{
	"private-control/13-client": "the time in auth is a number",
	"private-control/17-client": "ids are strings",
	"private-control/29-client": "the id comes first",
	"private-control/37-client": "it is no request",
	"trade-control/09-client":   "the time in auth is a number",
	"trade-control/15-client":   "it is no request",
}

// TestTranscripts plays the conversations of private and trade, whose streams
// are still to come, against what they will be made of: AppendRequest writes the
// client's frames byte for byte, ParseReply understands the server's, and the
// session makes of those about topics what they say. Package bybit plays the
// public ones against its stream.
func TestTranscripts(t *testing.T) {
	written, understood, asked := 0, 0, 0
	left := map[string]string{}
	for _, conv := range wiretest.LoadAll(t) {
		if conv.Channel.IsPublic() {
			continue
		}
		vars := map[string]string{
			"MS": "1767225600123", "CONN": "c-1", "KEY": "key", "EXPIRES": "1767225610000", "SIGN": "0a1b",
		}
		authorized := false
		for i := 0; i+1 < len(conv.Parts); i += 2 {
			ask, answer := conv.Parts[i], conv.Parts[i+1]
			if len(ask.Frames) != 1 || len(answer.Frames) != 1 {
				t.Fatalf("%s: want one frame and one answer", ask.Name)
			}
			question := expand(t, ask.Frames[0], vars)
			reply := expand(t, answer.Frames[0], vars)
			name := conv.Name + "/" + ask.Name
			req, err := wire.ParseRequest(question)
			switch again := wire.AppendRequest(nil, &req); {
			case err != nil:
				left[name] = "it is no request"
			case string(again) == string(question):
				written++
			case req.Op == wire.OpAuth:
				left[name] = "the time in auth is a number"
			case json.Valid(question) && !strings.Contains(string(question), `"`+req.ReqID+`"`):
				left[name] = "ids are strings"
			default:
				left[name] = "the id comes first"
			}
			name = conv.Name + "/" + answer.Name
			want, ok := verdicts[name]
			if !ok {
				t.Errorf("%s: the table has no verdict", name)
			}
			got := understand(t, name, reply, want, req.ReqID)
			understood++
			authorized = authorized || got.Op == wire.OpAuth && got.Success
			isTopics := req.Op == wire.OpSubscribe || req.Op == wire.OpUnsubscribe
			if conv.Channel == wire.Private && authorized && isTopics && len(req.Args) > 0 {
				playSession(t, name, &req, &got, want)
				asked++
			}
		}
		if !authorized {
			t.Errorf("%s: no auth succeeded", conv.Name)
		}
	}
	if !maps.Equal(left, unwritten) {
		t.Errorf("frames that are not written:\n got %v\nwant %v", left, unwritten)
	}
	if written != 23 || understood != len(verdicts) || asked != 9 {
		t.Errorf("%d frames were written, %d understood and %d played against the session, want 23, %d and 9", written, understood, asked, len(verdicts))
	}
}

func expand(t *testing.T, frame string, vars map[string]string) []byte {
	t.Helper()
	text, err := wiretest.Expand(frame, vars)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// understand parses a reply and compares it with the table. It succeeds exactly
// if the table has no refusal.
func understand(t *testing.T, name string, frame []byte, want verdict, reqID string) wire.Reply {
	t.Helper()
	reply, err := wire.ParseReply(frame)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	why, topic := reply.Refused()
	if got := (verdict{reply.Op, reply.Code, reply.Message, why, topic}); got != want {
		t.Errorf("%s:\n got %+v\nwant %+v", name, got, want)
	}
	if reply.Success != (want.refusal == wire.RefusalNone) {
		t.Errorf("%s: success %v with refusal %v", name, reply.Success, want.refusal)
	}
	if reply.ReqID != reqID || reply.ConnID != "c-1" {
		t.Errorf("%s: id %q and connection %q, want %q and c-1", name, reply.ReqID, reply.ConnID, reqID)
	}
	if hasTime := reply.TimeMs == 1767225600123; hasTime != (want.op == wire.OpPong) {
		t.Errorf("%s: time %d", name, reply.TimeMs)
	}
	if !wire.IsControl(frame) {
		t.Errorf("%s is taken for data", name)
	}
	return reply
}

// playSession lets a session that is connected say the request, and gives it the
// reply: what it accepts and rejects, and asks for again, must be what the reply
// says.
func playSession(t *testing.T, name string, req *wire.Request, reply *wire.Reply, want verdict) {
	t.Helper()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	m := session.New(session.Config{Rand: func(n int64) int64 { return n / 2 }})
	m.Next(now, session.Start{})
	m.Next(now, session.Dialed{Link: 1})
	if req.Op == wire.OpUnsubscribe {
		for _, a := range m.Next(now, session.Subscribe{Call: 1, Topics: req.Args}) {
			m.Next(now, session.Ack{Link: 1, ReqID: a.(session.Send).ReqID, Success: true})
		}
	}
	var said session.Send
	ev := session.Event(session.Subscribe{Call: 2, Topics: req.Args})
	if req.Op == wire.OpUnsubscribe {
		ev = session.Unsubscribe{Call: 2, Topics: req.Args}
	}
	for _, a := range m.Next(now, ev) {
		said = a.(session.Send)
	}
	ours := wire.AppendRequest(nil, &wire.Request{Op: said.Op, ReqID: said.ReqID, Args: said.Topics})
	theirs := wire.AppendRequest(nil, &wire.Request{Op: req.Op, ReqID: said.ReqID, Args: req.Args})
	if string(ours) != string(theirs) {
		t.Errorf("%s:\nsession says %s\n       want  %s", name, ours, theirs)
	}
	ack := session.Ack{Link: 1, Op: reply.Op, Success: reply.Success, Code: reply.Code, Message: reply.Message}
	if reply.ReqID != "" {
		ack.ReqID = said.ReqID
	}
	var rejected, again []string
	done := 0
	for acts := slices.Clone(m.Next(now, ack)); len(acts) > 0; acts = acts[1:] {
		switch a := acts[0].(type) {
		case session.Reject:
			rejected = append(rejected, a.Topic)
			if a.Message != want.message {
				t.Errorf("%s: %s is rejected with %q", name, a.Topic, a.Message)
			}
		case session.Send:
			again = append(again, a.Topics...)
			// Parts of what was refused as a whole are refused like it.
			accept := session.Ack{Link: 1, ReqID: a.ReqID, Success: want.refusal != wire.RefusalParams, Message: want.message}
			acts = append(acts, slices.Clone(m.Next(now, accept))...)
		case session.Done:
			done++
		}
	}
	var wantRejected, wantAgain []string
	switch want.refusal {
	case wire.RefusalNotFound:
		wantRejected = []string{want.topic}
		wantAgain = slices.DeleteFunc(slices.Clone(req.Args), func(s string) bool { return s == want.topic })
	case wire.RefusalSubscribed:
		wantAgain = slices.DeleteFunc(slices.Clone(req.Args), func(s string) bool { return s == want.topic })
	case wire.RefusalParams:
		wantRejected, wantAgain = req.Args, req.Args
	}
	if !slices.Equal(rejected, wantRejected) || !slices.Equal(again, wantAgain) || done != 1 || m.State() != session.Open {
		t.Errorf("%s: rejected %q, asked again for %q, %d calls done, %v; want %q, %q, 1, open",
			name, rejected, again, done, m.State(), wantRejected, wantAgain)
	}
	wanted := len(req.Args) - len(wantRejected)
	if req.Op == wire.OpUnsubscribe {
		wanted = 0
	}
	if n, live := m.Counts(); n != wanted || live != wanted {
		t.Errorf("%s: %d topics are wanted and %d live, want %d", name, n, live, wanted)
	}
}
