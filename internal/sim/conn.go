package sim

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/gobwas/ws"

	"github.com/bywire/bywire/internal/memnet"
	"github.com/bywire/bywire/internal/wire"
	"github.com/bywire/bywire/internal/wsframe"
)

// conn is the server's end of a connection. The server's lock guards it.
type conn struct {
	s       *Server
	net     *network
	nc      *memnet.Conn
	number  int // of the stream's connections
	channel wire.Channel
	subs    map[string]*sub
	names   []string // of subs, in order, so that a fault finds the same one again

	out     [][]byte // frames to write; nil ends the connection
	wake    chan struct{}
	stalled time.Time // nothing is written until then
	silent  bool      // half open: nothing is written or answered any more
	ended   bool      // nothing more is put on the wire
}

// sub is a topic on a connection, with what is to happen to its messages.
type sub struct {
	feed  *feed
	dirty uint // fields of a ticker that wait for the next delta

	u     int64 // of the last book message written
	epoch int

	silent                          time.Time // nothing until then
	drop, duplicate, swap, truncate bool      // the next one
	held                            []message // behind the next one
}

// calm takes back what is to happen.
func (b *sub) calm() { *b = sub{feed: b.feed, dirty: b.dirty, u: b.u, epoch: b.epoch, held: b.held} }

// serve is a connection's reading goroutine.
func (s *Server) serve(n *network, nc *memnet.Conn) {
	defer nc.Close()
	c := &conn{s: s, net: n, nc: nc, subs: make(map[string]*sub), wake: make(chan struct{}, 1)}
	hang := false
	up := ws.Upgrader{OnRequest: func(path []byte) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		c.channel, _ = wire.ChannelOfPath(string(path))
		hang = time.Now().Before(n.hangHandshakes)
		if time.Now().Before(n.refuseHandshakes) {
			return ws.RejectConnectionError(ws.RejectionStatus(http.StatusServiceUnavailable))
		}
		return nil
	}, OnBeforeUpgrade: func() (ws.HandshakeHeader, error) {
		if hang {
			_, err := nc.Read(make([]byte, 1)) // ends when the client gives up
			return nil, err
		}
		return nil, nil
	}}
	if _, err := up.Upgrade(nc); err != nil {
		return
	}
	s.mu.Lock()
	n.conns = append(n.conns, c)
	c.number = n.made
	n.made++
	s.mu.Unlock()
	gone := make(chan struct{})
	s.wg.Go(func() { c.write(gone) })
	c.read()
	close(gone)
	s.mu.Lock()
	c.ended = true
	n.conns = slices.DeleteFunc(n.conns, func(other *conn) bool { return other == c })
	s.mu.Unlock()
}

func (c *conn) read() {
	frames := wsframe.NewReader(c.nc, 4096, 1<<20, true)
	for {
		op, payload, err := frames.Next()
		switch {
		case err != nil:
			return
		case op == ws.OpClose:
			c.s.mu.Lock()
			c.put(wsframe.AppendFrame(nil, ws.OpClose, payload)) // behind what is on its way
			c.put(nil)
			c.ended = true
			c.s.mu.Unlock()
			continue // until the client is gone as well
		case op != ws.OpText:
			continue
		}
		c.s.mu.Lock()
		req, err := wire.ParseRequest(payload)
		switch {
		case err != nil:
			c.s.breach("the client sent %q: %v", payload, err)
		case !c.silent:
			c.answer(&req)
		}
		c.s.mu.Unlock()
	}
}

// breach notes what a client must not do. s.mu is held.
func (s *Server) breach(format string, args ...any) {
	if len(s.broken) < 20 {
		s.broken = append(s.broken, fmt.Sprintf(format, args...))
	}
}

// write is a connection's writing goroutine.
func (c *conn) write(gone chan struct{}) {
	timer := time.NewTimer(time.Hour) // for the end of a stall
	defer timer.Stop()
	for {
		c.s.mu.Lock()
		pause := time.Until(c.stalled)
		var frames [][]byte
		if pause <= 0 {
			frames, c.out = c.out, nil
		}
		c.s.mu.Unlock()
		for _, f := range frames {
			if f == nil {
				c.nc.Close()
				return
			}
			if _, err := c.nc.Write(f); err != nil {
				return
			}
		}
		if pause <= 0 {
			pause = time.Hour
		}
		timer.Reset(pause)
		select {
		case <-gone:
			return
		case <-c.wake:
		case <-timer.C:
		}
	}
}

// send puts a text frame on the wire.
func (c *conn) send(payload []byte) { c.put(wsframe.AppendFrame(nil, ws.OpText, payload)) }

// put puts bytes on the wire, nil for the end of the connection.
func (c *conn) put(frame []byte) {
	if c.ended || c.silent {
		return
	}
	c.out = append(c.out, frame)
	c.kick()
}

func (c *conn) kick() {
	select {
	case c.wake <- struct{}{}:
	default: // the writer has a wake-up to come
	}
}

// cut ends the connection for both at once.
func (c *conn) cut() {
	c.ended = true
	c.net.conns = slices.DeleteFunc(c.net.conns, func(other *conn) bool { return other == c })
	c.nc.Cut()
}

// suffer makes a fault happen to the connection.
func (c *conn) suffer(f Fault, until time.Time) bool {
	switch f.Kind {
	case Stall:
		c.stalled = until
	case HalfOpen:
		c.silent = true
	case Cut:
		c.cut()
	case End:
		c.put(nil)
		c.ended = true
	case CloseCode, CloseBare:
		var payload []byte
		if f.Kind == CloseCode {
			payload = wsframe.AppendClose(nil, 1001, "maintenance")
		}
		c.put(wsframe.AppendFrame(nil, ws.OpClose, payload))
		c.ended = true
	case Garbage:
		c.send([]byte(`<html>502 Bad Gateway</html>`))
	default:
		if len(c.names) == 0 {
			return false
		}
		c.subs[c.names[f.Pick/16%len(c.names)]].suffer(f.Kind, until)
	}
	return true
}

// suffer notes what is to happen to the next message of a topic.
func (b *sub) suffer(k Kind, until time.Time) {
	switch k {
	case Skip:
		b.feed.skip = true
	case Restart:
		b.feed.restart = true
	case Silence:
		b.silent = until
	case Drop:
		b.drop = true
	case Duplicate:
		b.duplicate = true
	case Swap:
		b.swap = b.feed.kind != wire.KindTickers
	case Truncate:
		b.truncate = true
	case Huge:
		b.feed.swell = true
	}
}

// deliver writes a message of a topic as the faults let it.
func (c *conn) deliver(b *sub, m message) {
	b.dirty |= m.changed
	lost := b.drop || time.Now().Before(b.silent)
	b.drop = false
	if m.f.books != nil && m.epoch != b.epoch && m.u == b.u+1 {
		lost = true // nobody could tell that this one does not follow the last
	}
	switch {
	case lost:
		c.net.tape(m.f.name).holes[m.key] = true
		return
	case b.swap:
		b.swap = false
		b.held = append(b.held, m)
		return
	}
	c.writeMessage(b, m)
	for _, late := range b.held {
		c.writeMessage(b, late)
	}
	b.held = nil
}

// writeMessage puts a message of a topic on the wire and on the tape.
func (c *conn) writeMessage(b *sub, m message) {
	if c.ended || c.silent {
		return
	}
	body := m.body
	if m.f.tickers != nil {
		if m.f.snapshots {
			m.snapshot, b.dirty = true, 1<<tickerFields-1
		}
		body = m.f.appendTicker(nil, time.Now(), m.snapshot, b.dirty)
		b.dirty = 0
	}
	if m.swell {
		body = append(bytes.Clone(body[:len(body)-1]), `,"unknown":"`...)
		body = append(append(body, bytes.Repeat([]byte{'x'}, 600_000)...), `"}`...)
	}
	times := 1
	if b.duplicate {
		b.duplicate, times = false, 2
	}
	damaged := b.truncate
	if b.truncate {
		b.truncate = false
		body = body[:len(body)*2/3]
	}
	for range times {
		c.send(body)
		c.net.tape(m.f.name).add(c.number, entry{key: m.key, snapshot: m.snapshot, damaged: damaged})
	}
	b.u, b.epoch = m.u, m.epoch
}

// answer serves a request.
func (c *conn) answer(req *wire.Request) {
	reply := wire.Reply{Op: req.Op, ReqID: req.ReqID, Success: true, ConnID: "sim"}
	switch req.Op {
	case wire.OpPing:
		reply.Op = wire.OpPong
		c.reply(&reply)
	case wire.OpUnsubscribe:
		for _, name := range req.Args {
			c.remove(name)
		}
		reply.Succeeded = req.Args
		c.reply(&reply)
	case wire.OpSubscribe:
		n := c.net
		if limit := c.channel.Limits().ArgsPerRequest; limit > 0 && len(req.Args) > limit {
			c.s.breach("a request with %d topics", len(req.Args))
		}
		if n.delayAck > 0 {
			wait := n.delayAck
			n.delayAck = 0
			time.AfterFunc(wait, func() {
				c.s.mu.Lock()
				defer c.s.mu.Unlock()
				c.subscribe(req.Args, &reply)
			})
			return
		}
		c.subscribe(req.Args, &reply)
	default:
		c.s.breach("a request %q", req.Op)
	}
}

// subscribe serves a subscribe request as its faults say.
func (c *conn) subscribe(topics []string, reply *wire.Reply) {
	n := c.net
	refuse := func(name, why string) {
		reply.Failed = append(reply.Failed, name)
		if reply.Message == "" {
			reply.Message = why
		}
	}
	rejected := ""
	if n.reject {
		rejected = topics[n.pick%len(topics)]
	}
	for _, name := range topics {
		switch {
		case n.refuse:
			refuse(name, "service unavailable")
		case name == rejected || c.s.feed(c.channel, name) == nil:
			refuse(name, wire.MessageNotFound(name))
		case c.subs[name] != nil:
			refuse(name, wire.MessageAlreadySubscribed(name))
		default:
			reply.Succeeded = append(reply.Succeeded, name)
		}
	}
	byTopic := c.channel.Family() == wire.FamilyOption
	lost, late := n.loseAck, n.lateAck
	n.reject, n.refuse, n.loseAck, n.lateAck = false, false, false, 0
	if len(reply.Failed) > 0 {
		reply.Success = byTopic && len(reply.Succeeded) > 0
		if byTopic {
			reply.Message = ""
		} else {
			reply.Succeeded = nil
		}
	}
	if !lost && late == 0 {
		c.reply(reply)
	}
	for _, name := range reply.Succeeded {
		c.add(c.s.feed(c.channel, name))
	}
	if late > 0 {
		time.AfterFunc(late, func() {
			c.s.mu.Lock()
			defer c.s.mu.Unlock()
			c.reply(reply)
		})
	}
}

// add subscribes a topic: what builds on a snapshot begins with one.
func (c *conn) add(f *feed) {
	b := &sub{feed: f}
	c.subs[f.name] = b
	c.names = append(c.names, f.name)
	if f.full() {
		b.u, b.epoch = f.u, f.epoch
		return
	}
	if f.books != nil || f.tickers != nil {
		m := f.current(time.Now())
		b.dirty = m.changed
		c.writeMessage(b, m)
	}
}

func (c *conn) remove(name string) {
	delete(c.subs, name)
	c.names = slices.DeleteFunc(c.names, func(other string) bool { return other == name })
}

func (c *conn) reply(r *wire.Reply) { c.send(wire.AppendReply(nil, c.channel.Family(), r)) }
