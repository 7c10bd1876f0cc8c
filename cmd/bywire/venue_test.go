package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/bywire/bywire/internal/wire"
)

// answer says what a scripted venue sends when a request comes, frame by frame.
type answer func(ch wire.Channel, req wire.Request) []string

// venue is a server whose answers a test writes, unlike a replay's, which are
// right.
func venue(t *testing.T, says answer) *httptest.Server {
	t.Helper()
	return httptest.NewServer(venueHandler(says))
}

func venueHandler(says answer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ch, known := wire.ChannelOfPath(r.URL.Path)
		if !known {
			http.NotFound(w, r)
			return
		}
		conn, _, _, err := ws.UpgradeHTTP(r, w)
		if err != nil {
			return
		}
		defer conn.Close()
		for {
			text, err := wsutil.ReadClientText(conn)
			if err != nil {
				return
			}
			req, err := wire.ParseRequest(text)
			if err != nil {
				return
			}
			for _, frame := range says(ch, req) {
				if frame == "close" {
					return
				}
				if wsutil.WriteServerText(conn, []byte(frame)) != nil {
					return
				}
			}
		}
	})
}

// rightAnswer is what the venue itself would send: the acknowledgement or pong.
func rightAnswer(ch wire.Channel, req wire.Request) string {
	r := wire.Reply{Op: req.Op, Success: true, ReqID: req.ReqID, ConnID: "c0ffee-42"}
	switch {
	case req.Op == wire.OpPing:
		r.Op, r.TimeMs = wire.OpPong, 1700000000000
	case ch.Family() == wire.FamilyOption:
		r.Op, r.Succeeded = wire.OpCommand, req.Args
	}
	return string(wire.AppendReply(nil, ch.Family(), &r))
}

// wsOf is the WebSocket URL of a server.
func wsOf(s *httptest.Server) string { return "ws" + strings.TrimPrefix(s.URL, "http") }
