package wsserver_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bywire/bywire/internal/wire"
	"github.com/bywire/bywire/internal/wsserver"
)

// turn is one thing said in a conversation: by the client ">", or by the server "<".
type turn string

func TestControlFrames(t *testing.T) {
	now := time.UnixMilli(1735689600123)
	many := strings.Repeat(`"tickers.A",`, 10)
	tests := []struct {
		name    string
		channel wire.Channel
		turns   []turn
	}{
		{"spot", wire.Spot, []turn{
			`>{"op":"ping","req_id":"a"}`,
			`<{"success":true,"ret_msg":"pong","conn_id":"c-1","req_id":"a","op":"ping"}`,
			`>{"op":"ping"}`,
			`<{"success":true,"ret_msg":"pong","conn_id":"c-1","op":"ping"}`,
			`>{"op":"subscribe","args":["tickers.A"],"req_id":"b"}`,
			`<{"success":true,"ret_msg":"subscribe","conn_id":"c-1","req_id":"b","op":"subscribe"}`,
			`<{"topic":"tickers.A","type":"snapshot","n":0}`,
			`>{"op":"subscribe","args":["tickers.B","tickers.A"]}`,
			`<{"success":false,"ret_msg":"error:already subscribed,topic:tickers.A","conn_id":"c-1","op":"subscribe"}`,
			`>{"op":"subscribe","args":["tickers.B","nope.BAD"]}`,
			`<{"success":false,"ret_msg":"error:handler not found,topic:nope.BAD","conn_id":"c-1","op":"subscribe"}`,
			`>{"op":"subscribe","args":["tickers.BAD"]}`,
			`<{"success":false,"ret_msg":"Invalid symbol :[tickers.BAD]","conn_id":"c-1","op":"subscribe"}`,
			turn(`>{"op":"subscribe","args":[` + many + `"tickers.C"]}`),
			`<{"success":false,"ret_msg":"args size >10","conn_id":"c-1","op":"subscribe"}`,
			`>{"op":"unsubscribe","args":["tickers.A"],"req_id":"c"}`,
			`<{"success":true,"ret_msg":"unsubscribe","conn_id":"c-1","req_id":"c","op":"unsubscribe"}`,
			`>{"op":"subscribe","args":["tickers.A"]}`,
			`<{"success":true,"ret_msg":"subscribe","conn_id":"c-1","op":"subscribe"}`,
			`<{"topic":"tickers.A","type":"snapshot","n":0}`,
		}},
		{"linear", wire.Linear, []turn{
			`>{"op":"ping","req_id":17}`,
			`<{"success":true,"ret_msg":"pong","conn_id":"c-1","req_id":"17","op":"ping"}`,
			`>{"op":"subscribe","args":["tickers.A","tickers.B"]}`,
			`<{"success":true,"ret_msg":"","conn_id":"c-1","req_id":"","op":"subscribe"}`,
			`<{"topic":"tickers.A","type":"snapshot","n":0}`,
			`<{"topic":"tickers.B","type":"snapshot","n":0}`,
			`>{"op":"subscribe","args":["tickers.C","tickers.C"]}`,
			`<{"success":false,"ret_msg":"error:already subscribed,topic:tickers.C","conn_id":"c-1","req_id":"","op":"subscribe"}`,
			`>{"op":"subscribe","args":["tickers.BAD","tickers.BAD2"]}`,
			`<{"success":false,"ret_msg":"error:handler not found,topic:tickers.BAD","conn_id":"c-1","req_id":"","op":"subscribe"}`,
			`>{"op":"subscribe","args":[]}`,
			`<{"success":false,"ret_msg":"Params Error","conn_id":"c-1","req_id":"","op":"subscribe"}`,
			`>{"op":"unsubscribe"}`,
			`<{"success":false,"ret_msg":"Params Error","conn_id":"c-1","req_id":"","op":"unsubscribe"}`,
			`>{"op":"auth","args":["k","1","s"]}`,
			`<{"success":false,"ret_msg":"error:invalid op","conn_id":"c-1","req_id":"","op":"auth"}`,
			`>{"op":"shout","req_id":"x"}`,
			`<{"success":false,"ret_msg":"error:invalid op","conn_id":"c-1","req_id":"x","op":"shout"}`,
			`>{"op":"unsubscribe","args":["tickers.B","tickers.NEVER"]}`,
			`<{"success":true,"ret_msg":"","conn_id":"c-1","req_id":"","op":"unsubscribe"}`,
		}},
		{"option", wire.Option, []turn{
			`>{"op":"ping","req_id":"a"}`,
			`<{"args":["1735689600123"],"op":"pong"}`,
			`>{"op":"subscribe","args":["tickers.A","tickers.BAD","tickers.A","tickers.B"]}`,
			`<{"success":true,"conn_id":"c-1","data":{"failTopics":["tickers.BAD","tickers.A"],"successTopics":["tickers.A","tickers.B"]},"type":"COMMAND_RESP"}`,
			`<{"topic":"tickers.A","type":"snapshot","n":0}`,
			`<{"topic":"tickers.B","type":"snapshot","n":0}`,
			`>{"op":"subscribe","args":["tickers.A"]}`,
			`<{"success":false,"conn_id":"c-1","data":{"failTopics":["tickers.A"],"successTopics":[]},"type":"COMMAND_RESP"}`,
			`>{"op":"unsubscribe","args":["tickers.A"]}`,
			`<{"success":true,"conn_id":"c-1","data":{"failTopics":[],"successTopics":["tickers.A"]},"type":"COMMAND_RESP"}`,
		}},
		{"private", wire.Private, []turn{
			`>{"op":"subscribe","args":["order"],"req_id":"z"}`,
			`<{"req_id":"z","success":false,"ret_msg":"Request not authorized","op":"subscribe","conn_id":"c-1"}`,
			`>{"op":"auth","args":["key",1735689700000,"wrong"]}`,
			`<{"success":false,"ret_msg":"invalid sign","op":"auth","conn_id":"c-1"}`,
			`>{"op":"auth","args":["key"]}`,
			`<{"success":false,"ret_msg":"Params Error","op":"auth","conn_id":"c-1"}`,
			`>{"op":"auth","args":["key",1735689700000,"right"]}`,
			`<{"success":true,"ret_msg":"","op":"auth","conn_id":"c-1"}`,
			`>{"op":"auth","args":["key","1735689700000","right"]}`,
			`<{"success":true,"ret_msg":"","op":"auth","conn_id":"c-1"}`,
			`>{"op":"subscribe","args":["order"]}`,
			`<{"success":true,"ret_msg":"","op":"subscribe","conn_id":"c-1"}`,
			`<{"topic":"order","type":"snapshot","n":0}`,
			`>{"op":"ping","req_id":"p"}`,
			`<{"req_id":"p","op":"pong","args":["1735689600123"],"conn_id":"c-1"}`,
		}},
		{"trade", wire.Trade, []turn{
			`>{"op":"ping"}`,
			`<{"retCode":0,"retMsg":"OK","op":"pong","data":["1735689600123"],"connId":"c-1"}`,
			`>{"op":"auth","args":["key",1735689700000,"wrong"]}`,
			`<{"retCode":10004,"retMsg":"invalid sign","op":"auth","connId":"c-1"}`,
			`>{"reqId":"r","op":"auth","args":["key",1735689700000,"right"]}`,
			`<{"reqId":"r","retCode":0,"retMsg":"OK","op":"auth","connId":"c-1"}`,
			`>{"op":"auth","args":["key",1735689700000,"right"]}`,
			`<{"retCode":20001,"retMsg":"repeat auth","op":"auth","connId":"c-1"}`,
			`>{"op":"subscribe","args":["order"]}`,
			`<{"retCode":10404,"retMsg":"op type is not found","op":"subscribe","connId":"c-1"}`,
		}},
		{"rfq, as linear", wire.RFQ, []turn{
			`>{"op":"ping"}`,
			`<{"success":true,"ret_msg":"pong","conn_id":"c-1","req_id":"","op":"ping"}`,
		}},
		{"a path of one's own, as linear", wire.Channel("/mine"), []turn{
			`>{"op":"subscribe","args":["anything"]}`,
			`<{"success":true,"ret_msg":"","conn_id":"c-1","req_id":"","op":"subscribe"}`,
			`<{"topic":"anything","type":"snapshot","n":0}`,
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFeed(&wsserver.Options{ConnID: named, Now: func() time.Time { return now }, Auth: rightSign})
				ln, stop := serve(f.srv)
				defer func() { ended(t, f.srv); stop(); f.stop() }()
				c := dial(t, ln, tt.channel)
				defer c.conn.Close()
				for _, turn := range tt.turns {
					if turn[0] == '>' {
						c.send(string(turn[1:]))
					} else {
						c.want(string(turn[1:]))
					}
				}
			})
		})
	}
}

func rightSign(_ *wsserver.Session, args []string) error {
	if args[2] != "right" {
		return errors.New("wrong")
	}
	return nil
}

func TestMalformedRequestKeepsTheConnection(t *testing.T) {
	for _, ch := range []wire.Channel{wire.Spot, wire.Linear, wire.Option, wire.Private, wire.Trade} {
		for _, bad := range []string{`{"op":`, `[1]`, `7`, ``, `{"op":["x"]}`, "\xff\xfe", `{"op":"subscribe","args":"x"}`} {
			synctest.Test(t, func(t *testing.T) {
				f := newFeed(nil)
				ln, stop := serve(f.srv)
				defer func() { ended(t, f.srv); stop(); f.stop() }()
				c := dial(t, ln, ch)
				defer c.conn.Close()
				c.send(bad)
				reply, err := wire.ParseReply([]byte(c.next()))
				if err != nil || reply.Success || reply.Message != wire.MessageMalformed([]byte(bad)) {
					t.Errorf("%s, %q: %+v %v", ch, bad, reply, err)
				}
				c.send(`{"op":"ping"}`)
				if reply, err := wire.ParseReply([]byte(c.next())); err != nil || reply.Op != wire.OpPong {
					t.Errorf("%s, ping after %q: %+v %v", ch, bad, reply, err)
				}
			})
		}
	}
}

func TestLimitsOfArguments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(&wsserver.Options{AckDelay: -1})
		ln, stop := serve(f.srv)
		defer func() { ended(t, f.srv); stop(); f.stop() }()
		ask := func(c *client, from, to int, pad string) string {
			var args []string
			for i := from; i < to; i++ {
				args = append(args, fmt.Sprintf("t%s.%04d", pad, i))
			}
			c.send(string(wire.AppendRequest(nil, &wire.Request{Op: wire.OpSubscribe, Args: args})))
			reply, err := wire.ParseReply([]byte(c.next()))
			if err != nil {
				t.Fatal(err)
			}
			if reply.Success {
				for range args {
					c.next()
				}
			}
			return reply.Message
		}
		c := dial(t, ln, wire.Option)
		defer c.conn.Close()
		for i := range 20 {
			if m := ask(c, 100*i, 100*i+100, ""); m != "" {
				t.Fatalf("option, request %d: %s", i, m)
			}
		}
		if m := ask(c, 2000, 2001, ""); m != "args size >2000" {
			t.Errorf("the 2,001st topic on option: %q", m)
		}
		// Topics of 105 characters: 200 are exactly the 21,000 that a connection may have.
		d := dial(t, ln, wire.Linear)
		defer d.conn.Close()
		pad := strings.Repeat("x", 99)
		if m := ask(d, 0, 200, pad); m != "" {
			t.Fatal(m)
		}
		if m := ask(d, 200, 201, ""); m != "args length >21000" {
			t.Errorf("one more topic: %q", m)
		}
		d.send(fmt.Sprintf(`{"op":"unsubscribe","args":["t%s.0000"]}`, pad))
		d.next()
		if m := ask(d, 200, 201, pad); m != "" {
			t.Errorf("after an unsubscribe: %q", m)
		}
	})
}

func TestAckIsHeld(t *testing.T) {
	for _, tt := range []struct{ delay, want time.Duration }{
		{0, 3 * time.Millisecond}, {-1, 0}, {20 * time.Millisecond, 20 * time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFeed(&wsserver.Options{AckDelay: tt.delay})
			ln, stop := serve(f.srv)
			defer func() { ended(t, f.srv); stop(); f.stop() }()
			c := dial(t, ln, wire.Linear)
			defer c.conn.Close()
			began := time.Now()
			c.send(`{"op":"subscribe","args":["tickers.A"]}`)
			synctest.Wait() // joined by now
			f.do(func() { f.publish(t.Context(), wire.Linear, "tickers.A") })
			if reply, err := wire.ParseReply([]byte(c.next())); err != nil || !reply.Success {
				t.Fatalf("%+v %v", reply, err)
			}
			if took := time.Since(began); took != tt.want {
				t.Errorf("delay %v: the acknowledgement came after %v, want %v", tt.delay, took, tt.want)
			}
			c.want(`{"topic":"tickers.A","type":"snapshot","n":0}`)
			c.want(`{"topic":"tickers.A","type":"delta","n":1}`)
			began = time.Now()
			c.send(`{"op":"ping"}`)
			c.next()
			if took := time.Since(began); took != 0 {
				t.Errorf("the pong came after %v, want at once", took)
			}
		})
	}
}
