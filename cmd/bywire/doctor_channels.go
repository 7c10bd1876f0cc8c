package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/bywire/bywire/internal/wire"
	"github.com/bywire/bywire/internal/wsclient"
)

// probe is a topic that shows whether a channel works.
type probe struct {
	channel wire.Channel
	topic   string
	quiet   bool // may well have no message for minutes
	asked   bool // the user named it
}

// defaultProbes are one topic per channel, the busiest that is always there.
func defaultProbes() []probe {
	return []probe{
		{channel: wire.Spot, topic: "orderbook.50.BTCUSDT"},
		{channel: wire.Linear, topic: "orderbook.50.BTCUSDT"},
		{channel: wire.Inverse, topic: "orderbook.50.BTCUSD"},
		{channel: wire.Option, topic: "publicTrade.BTC", quiet: true},
		{channel: wire.Spread, topic: "tickers.BTCUSDT_BTC/USDT", quiet: true},
		{channel: wire.RFQ, topic: "rfq.open.public.trades", quiet: true},
		{channel: wire.Status, topic: "system.status", quiet: true},
		{channel: wire.Finance, topic: "earn.dualassets.offers", quiet: true},
	}
}

// probed is what a probe has seen.
type probed struct {
	err                error // why there is no connection, or no more
	connect, ack, data time.Duration
	acked, gotData     bool
	reply              wire.Reply
	ackFrame           []byte
	unknownAck         bool // of a form that we do not know
	delays             []time.Duration
}

// errEnough ends a probe.
var errEnough = errors.New("enough")

// checkChannels probes all channels at the same time, and reports in order.
func (d *doctor) checkChannels(ctx context.Context) {
	results := make([]probed, len(d.probes))
	var wg sync.WaitGroup
	for i, p := range d.probes {
		if base := d.base(p.channel); base != "" && !d.unreachable(base) {
			wg.Go(func() { results[i] = d.try(ctx, p, base+p.channel.Path()) })
		}
	}
	wg.Wait()
	for i, p := range d.probes {
		f := &finding{Check: "websocket", Target: string(p.channel), State: stateSkip}
		switch base := d.base(p.channel); {
		case base == "":
			f.Detail = fmt.Sprintf("environment %s has no documented WebSocket host for %s", d.env.Name, p.channel.Path())
		case d.unreachable(base):
			f.Detail = "not tried: the host cannot be reached, see above"
		default:
			d.judgeProbe(f, p, &results[i])
		}
		d.report(f)
	}
	for i, p := range d.probes {
		if len(results[i].delays) > 0 && (!p.quiet || p.asked) {
			d.report(d.judgeDelay(p, results[i].delays))
		}
	}
}

// try connects, subscribes and listens.
func (d *doctor) try(ctx context.Context, p probe, url string) (r probed) {
	step, cancel := context.WithTimeout(ctx, d.wait)
	defer cancel()
	begun := d.now()
	conn, err := wsclient.Dial(step, &wsclient.Config{URL: url, DialContext: d.dial, TLS: &tls.Config{RootCAs: d.roots, MinVersion: tls.VersionTLS12}})
	if err != nil {
		r.err = err
		return r
	}
	connected := d.now()
	r.connect = connected.Sub(begun)
	// The end comes from outside the reading: after the time, or with ctx.
	end := time.AfterFunc(d.length, func() { conn.Abort(errEnough) })
	defer end.Stop()
	defer context.AfterFunc(ctx, func() { conn.Abort(ctx.Err()) })()
	request := wire.AppendRequest(nil, &wire.Request{Op: wire.OpSubscribe, ReqID: "doctor", Args: []string{p.topic}})
	if r.err = conn.Send(request); r.err == nil {
		r.err = d.listen(conn, p, connected, &r)
	}
	conn.Abort(errEnough)
	for err == nil {
		_, err = conn.Next()
	}
	conn.Wait()
	if errors.Is(r.err, errEnough) {
		r.err = nil
	}
	return r
}

// listen notes what comes until the end.
func (d *doctor) listen(conn *wsclient.Conn, p probe, sent time.Time, r *probed) error {
	for {
		frame, err := conn.Next()
		if err != nil {
			return err
		}
		at := conn.ReadAt()
		if wire.IsControl(frame) {
			reply, err := wire.ParseReply(frame)
			if err != nil || r.acked || reply.Op == wire.OpPong {
				continue
			}
			r.acked, r.ack, r.reply = true, at.Sub(sent), reply
			r.ackFrame = bytes.Clone(frame)
			r.unknownAck = !bytes.Equal(frame, wire.AppendReply(nil, p.channel.Family(), &reply))
			if !accepted(&reply) {
				return errEnough
			}
			continue
		}
		if topic, ok := wire.FrameTopic(frame); !ok || string(topic) != p.topic {
			continue
		}
		if !r.gotData {
			r.gotData, r.data = true, at.Sub(sent)
		}
		if ts := frameTime(frame); !ts.IsZero() && len(r.delays) < 1<<20 {
			r.delays = append(r.delays, at.Round(0).Sub(ts))
		}
	}
}

// accepted reports whether a reply accepts the topic. That it is subscribed
// already is as good.
func accepted(r *wire.Reply) bool {
	why, _ := r.Refused()
	return r.Success && len(r.Failed) == 0 || why == wire.RefusalSubscribed
}

// frameTime is the ts of a frame; zero if it has none.
func frameTime(frame []byte) (ts time.Time) {
	c := wire.NewCursor(frame)
	var o wire.Object
	for c.NextKey(&o) {
		if string(o.Key) == "ts" {
			ts = c.Millis()
			break
		}
		c.Skip(&o)
	}
	if c.Err() != nil {
		return time.Time{}
	}
	return ts
}

// judgeProbe says what a probe has found.
func (d *doctor) judgeProbe(f *finding, p probe, r *probed) {
	f.State, f.network = stateFail, true
	if shake, ok := errors.AsType[*wsclient.HandshakeError](r.err); ok {
		f.network = shake.Status >= 500
		f.Detail, f.Advice = explainStatus(shake.Status, shake.Body, d.own)
		if d.own && shake.Status == 404 && !p.asked {
			f.State = stateSkip
		}
		return
	}
	if r.connect == 0 && r.err != nil {
		f.Detail, f.Advice = "no connection: "+networkReason(r.err), "a proxy that lets HTTPS through may stop WebSocket: go around it"
		return
	}
	f.Ms = map[string]float64{"connect": inMs(r.connect)}
	f.Detail = "connected in " + took(r.connect)
	if r.acked {
		f.Ms["ack"] = inMs(r.ack)
	}
	if r.gotData {
		f.Ms["data"] = inMs(r.data)
	}
	switch {
	case r.acked && !accepted(&r.reply):
		d.judgeRefusal(f, p, r)
	case r.err != nil:
		f.Detail += ", then lost: " + networkReason(r.err)
		f.Advice = "a proxy or the venue cuts the connection: see whether it happens again with bywire stream " + p.topic
	case !r.acked && !r.gotData:
		f.Detail += fmt.Sprintf(", no acknowledgement of %s within %s", p.topic, took(d.length))
		f.Advice = "something between answers the handshake and holds back the frames: a proxy, or a server that is no V5"
	case !r.gotData && !p.quiet:
		f.Detail += fmt.Sprintf(", %s accepted in %s, and no data within %s", p.topic, took(r.ack), took(d.length))
		f.Advice = "the symbol may be closed: try another topic, or --for 30s; announced maintenance is in: bywire stream system.status"
	default:
		d.judgeWorking(f, p, r)
	}
}

// judgeRefusal says why a topic was refused.
func (d *doctor) judgeRefusal(f *finding, p probe, r *probed) {
	f.network = false
	f.Detail += fmt.Sprintf(", %s refused", p.topic)
	if r.reply.Message != "" {
		f.Detail += ": " + r.reply.Message
	}
	why, _ := r.reply.Refused()
	missing := why == wire.RefusalNotFound || why == wire.RefusalSymbol || len(r.reply.Failed) > 0
	switch {
	case missing && d.own && !p.asked:
		f.State = stateWarn
		f.Advice = "the channel works; name a topic that this server has, like: bywire doctor --ws URL --category " + string(p.channel) + " TOPIC"
	case missing:
		f.Advice = "the channel works, and does not have this topic: bywire topics lists the forms"
	default:
		f.Advice = "see docs/troubleshooting.md"
	}
}

// judgeWorking describes a channel that works.
func (d *doctor) judgeWorking(f *finding, p probe, r *probed) {
	f.State = stateOK
	if r.acked {
		f.Detail += fmt.Sprintf(", %s accepted in %s", p.topic, took(r.ack))
	} else {
		f.Detail += fmt.Sprintf(", %s not acknowledged", p.topic)
	}
	if r.gotData {
		f.Detail += ", first data after " + took(r.data)
	} else {
		f.Detail += ", no data yet, as is usual here"
	}
	if r.unknownAck {
		f.State = stateWarn
		f.Detail += "; the acknowledgement has a form that bywire does not know: " + withoutConnID(r.ackFrame, r.reply.ConnID)
		f.Advice = "it works all the same; make live collects such things in a file that you can send us"
	}
}

// withoutConnID shows a frame without what is about this connection alone.
func withoutConnID(frame []byte, id string) string {
	s := string(frame)
	if id != "" {
		s = strings.ReplaceAll(s, id, "...")
	}
	if len(s) > 300 {
		s = s[:300] + "..."
	}
	return s
}

// delayWarn is the delay of the slowest percent that deserves a look.
const delayWarn = time.Second

// judgeDelay sums up how old messages are when they come.
func (d *doctor) judgeDelay(p probe, delays []time.Duration) *finding {
	for i := range delays {
		delays[i] += d.behind
	}
	slices.Sort(delays)
	at := func(percent int) time.Duration { return delays[(len(delays)-1)*percent/100] }
	p50, p90, p99 := at(50), at(90), at(99)
	f := &finding{Check: "delay", Target: string(p.channel), State: stateOK, Ms: map[string]float64{"p50": inMs(p50), "p90": inMs(p90), "p99": inMs(p99)}}
	if d.own && p50 > time.Hour {
		f.State, f.Ms, f.Detail = stateSkip, nil, "the messages have the times of their recording"
		return f
	}
	f.Detail = fmt.Sprintf("p50 %s, p90 %s, p99 %s in %s", took(p50), took(p90), took(p99), counted(len(delays), "message"))
	switch {
	case p50 < -clockWarn && !d.timed:
		f.State, f.Advice = stateWarn, "messages come before they were sent: the clock of this machine is behind, let it follow a time server (NTP)"
	case p99 > delayWarn && !d.timed:
		f.State, f.Advice = stateWarn, "the network or this machine is slow, or its clock is ahead, which was not checked"
	case p99 > delayWarn:
		f.State, f.Advice = stateWarn, "the network or this machine is slow: run nearer to the venue, or with fewer programs"
	}
	return f
}
