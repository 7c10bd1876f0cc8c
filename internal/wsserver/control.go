package wsserver

import (
	"github.com/bywire/bywire/internal/wire"
)

// Texts of refusals that wire has no public log of (choice).
const (
	messageArgsChars  = "args length >"
	messageNoArgs     = "args size is 0"
	messageNotAllowed = "Request not authorized"
	messageAuthFailed = "Params Error"
	messageBadSign    = "Invalid sign"
	messageAuthTwice  = "Repeat auth"
)

// handle answers one request. It runs on the reader, so requests of a connection are handled in order.
func (s *Session) handle(payload []byte) {
	s.waitCalm()
	r, err := wire.ParseRequest(payload)
	if err != nil {
		// The venue answers and keeps the connection.
		s.refuse(&wire.Request{}, wire.CodeParamError, wire.MessageMalformed(payload))
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
		s.refuse(&r, wire.CodeOpNotFound, wire.MessageInvalidOp)
	}
}

// refuse answers a request that failed as a whole.
func (s *Session) refuse(r *wire.Request, code int, message string) {
	s.reply(&wire.Reply{Op: r.Op, ReqID: r.ReqID, ConnID: s.id, Code: code, Message: message})
}

// subscribe checks what needs no source and asks the source about the rest.
func (s *Session) subscribe(r *wire.Request) {
	if s.channel == wire.Private && !s.authed {
		s.refuse(r, 0, messageNotAllowed)
		return
	}
	if message := s.overLimit(r.Args); message != "" {
		s.refuse(r, 0, message)
		return
	}
	q := &Subscription{Session: s, request: r, Topics: make([]string, 0, len(r.Args))}
	asked := make(map[string]struct{}, len(r.Args))
	for _, topic := range r.Args {
		_, subscribed := s.topics[topic]
		_, twice := asked[topic]
		switch {
		case !subscribed && !twice:
			asked[topic] = struct{}{}
			q.Topics = append(q.Topics, topic)
		case s.Family() == wire.FamilyOption:
			q.refused = append(q.refused, topic)
		default:
			s.refuse(r, 0, wire.MessageAlreadySubscribed(topic))
			return
		}
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

// overLimit is the text that refuses arguments beyond the channel's limits, or "".
func (s *Session) overLimit(args []string) string {
	limits := s.channel.Limits()
	if len(args) == 0 {
		return messageNoArgs
	}
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
		return messageArgsChars + string(wire.AppendInt(nil, int64(n)))
	}
	return ""
}

// unsubscribe leaves topics. One that is not subscribed is left all the same (choice): the client has what it asked
// for. The acknowledgement has the shape of subscribe's.
func (s *Session) unsubscribe(r *wire.Request) {
	if len(r.Args) == 0 {
		s.refuse(r, 0, messageNoArgs)
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

// auth checks credentials. A second auth on private is accepted as the first was; on trade it has a code of its own.
func (s *Session) auth(r *wire.Request) {
	reply := &wire.Reply{Op: r.Op, ReqID: r.ReqID, ConnID: s.id}
	switch {
	case s.authed && s.channel == wire.Trade:
		reply.Code, reply.Message = wire.CodeRepeatedAuth, messageAuthTwice
	case len(r.Args) != 3:
		reply.Code, reply.Message = wire.CodeParamError, messageAuthFailed
	case s.srv.opts.Auth == nil || s.srv.opts.Auth(s, r.Args) != nil:
		reply.Code, reply.Message = wire.CodeInvalidSign, messageBadSign
	default:
		reply.Success = true
		s.authed = true
	}
	s.acknowledge(reply, nil)
}
