package wsserver

import (
	"github.com/bywire/bywire/internal/wire"
)

// handle answers one request. It runs on the reader, so requests of a connection are handled in order.
func (s *Session) handle(payload []byte) {
	s.waitCalm()
	r, err := wire.ParseRequest(payload)
	if s.deaf(r.Op) {
		return
	}
	if err != nil {
		// The venue answers and keeps the connection.
		s.reply(&wire.Reply{ConnID: s.id, Code: wire.CodeParamError, Message: wire.MessageMalformed(payload)})
		return
	}
	switch {
	case r.Op == wire.OpPing:
		s.reply(&wire.Reply{Op: wire.OpPong, ReqID: r.ReqID, ConnID: s.id, TimeMs: s.srv.opts.Now().UnixMilli()})
	case r.Op == wire.OpSubscribe && s.channel != wire.Trade:
		s.subscribe(&r)
	case r.Op == wire.OpUnsubscribe && s.channel != wire.Trade:
		s.unsubscribe(&r)
	case r.Op == wire.OpAuth && !s.channel.IsPublic():
		s.auth(&r)
	default:
		if op := s.srv.opts.Op; op == nil || !op(s, &r) {
			s.refuse(&r, wire.CodeOpNotFound, wire.MessageInvalidOp)
		}
	}
}

// Reply answers a request that Options.Op has taken. The session's name is filled in.
func (s *Session) Reply(r wire.Reply) {
	r.ConnID = s.id
	s.reply(&r)
}

// refuse answers a request that failed as a whole: with the code's own words on trade, with the message elsewhere.
func (s *Session) refuse(r *wire.Request, code int, message string) {
	if s.Family() == wire.FamilyTrade {
		message = wire.MessageOfCode(code)
	}
	s.reply(&wire.Reply{Op: r.Op, ReqID: r.ReqID, ConnID: s.id, Code: code, Message: message})
}

// subscribe checks what needs no source and asks the source about the rest.
func (s *Session) subscribe(r *wire.Request) {
	if s.channel == wire.Private && !s.authed {
		s.refuse(r, wire.CodeParamError, wire.MessageUnauthorized)
		return
	}
	if message := s.overLimit(r.Args); message != "" {
		s.refuse(r, wire.CodeParamError, message)
		return
	}
	q := &Subscription{Session: s, Topics: make([]string, 0, len(r.Args)), request: r, failed: make([]bool, len(r.Args))}
	asked := make(map[string]struct{}, len(r.Args))
	for i, topic := range r.Args {
		_, subscribed := s.topics[topic]
		_, twice := asked[topic]
		switch {
		case !subscribed && !twice:
			asked[topic] = struct{}{}
			q.Topics = append(q.Topics, topic)
			q.places = append(q.places, i)
		case s.Family() == wire.FamilyOption:
			q.failed[i] = true
		default:
			s.refuse(r, wire.CodeParamError, wire.MessageAlreadySubscribed(topic))
			return
		}
	}
	if s.channel == wire.Private && !mayShareRequest(q.Topics) {
		s.refuse(r, wire.CodeParamError, wire.MessageParams)
		return
	}
	if s.joined == nil {
		s.joined = make(chan []string, 1)
	}
	if len(q.Topics) == 0 {
		q.Answer(nil)
	} else {
		s.srv.src.Subscribe(q)
	}
	joined := <-s.joined
	if s.topics == nil && len(joined) > 0 {
		s.topics = make(map[string]struct{}, len(joined))
	}
	for _, topic := range joined {
		s.topics[topic] = struct{}{}
		s.chars += len(topic)
	}
}

// mayShareRequest applies the rule of the private channel about all-in-one topics and those per category. Names that
// are no topics are left to the source, which refuses them by name.
func mayShareRequest(names []string) bool {
	topics := make([]wire.Topic, 0, len(names))
	for _, name := range names {
		if t, err := wire.ParseTopic(name); err == nil {
			topics = append(topics, t)
		}
	}
	return wire.CheckTogether(topics...) == nil
}

// overLimit is the text that refuses arguments beyond the channel's limits, or "".
func (s *Session) overLimit(args []string) string {
	if len(args) == 0 {
		return wire.MessageParams
	}
	if s.srv.opts.Limits.AnyArgs {
		return ""
	}
	limits := s.channel.Limits()
	if n := limits.ArgsPerRequest; n > 0 && len(args) > n {
		return wire.MessageArgsSize(n)
	}
	if n := limits.ArgsPerConnection; n > 0 && len(s.topics)+len(args) > n {
		return wire.MessageArgsSize(n)
	}
	chars := s.chars
	for _, topic := range args {
		chars += len(topic)
	}
	if n := limits.ArgsChars; n > 0 && chars > n {
		return wire.MessageArgsLength(n)
	}
	return ""
}

// unsubscribe leaves topics. One that is not subscribed is left all the same (choice): the client has what it asked
// for. The acknowledgement has the shape of subscribe's.
func (s *Session) unsubscribe(r *wire.Request) {
	if len(r.Args) == 0 {
		s.refuse(r, wire.CodeParamError, wire.MessageParams)
		return
	}
	left := make([]string, 0, len(r.Args))
	for _, topic := range r.Args {
		if _, ok := s.topics[topic]; ok {
			delete(s.topics, topic)
			s.chars -= len(topic)
			s.srv.Topic(s.channel, topic).leave(s)
			left = append(left, topic)
		}
	}
	if len(left) > 0 {
		s.srv.src.Unsubscribe(s, left)
	}
	s.acknowledge(&wire.Reply{Op: r.Op, Success: true, ReqID: r.ReqID, ConnID: s.id, Succeeded: r.Args}, nil)
}

// auth checks credentials. A second auth on private is answered as the first was; trade refuses it.
func (s *Session) auth(r *wire.Request) {
	code, message := 0, ""
	switch {
	case s.authed && s.channel == wire.Trade:
		code = wire.CodeRepeatedAuth
	case len(r.Args) != 3:
		code, message = wire.CodeParamError, wire.MessageParams
	case s.srv.opts.Auth == nil || s.srv.opts.Auth(s, r.Args) != nil:
		code, message = wire.CodeInvalidSign, wire.MessageInvalidSign
	}
	if code != 0 {
		s.refuse(r, code, message)
		return
	}
	s.authed = true
	s.acknowledge(&wire.Reply{Op: r.Op, Success: true, ReqID: r.ReqID, ConnID: s.id}, nil)
}
