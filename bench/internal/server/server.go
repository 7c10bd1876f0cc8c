// Package server sends a prepared feed to WebSocket clients as fast as they
// take it. It speaks just enough of the protocol for every client under test:
// the handshake, subscribe acknowledgements and pongs in the shapes of the
// linear channel, WebSocket pings.
//
// The feed is framed once, and written in large pieces, so that the server
// costs a client nothing but the bytes. Acknowledgements and pongs go between
// two pieces, which end where a frame ends.
//
// At a rate, each message is one write, and the server notes when it made it.
package server

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// piece is about what one write sends.
const piece = 256 << 10

// settle lies between the last acknowledgement and the first message. Clients
// take the acknowledgement for what it is and start to wait.
const settle = 100 * time.Millisecond

// A Server sends messages to each client that has subscribed to all topics.
type Server struct {
	pieces   [][]byte
	topics   map[string]bool
	passes   int
	interval time.Duration // between two writes; 0: as fast as they are taken
	sent     []int64       // when each was made, in Unix nanoseconds; with an interval only
	ended    chan struct{} // closed when sent is complete
}

// New frames the messages. Each client gets them passes times. A rate, in
// messages a second, makes each message a write of its own, for one client.
func New(messages [][]byte, topics []string, passes, rate int) *Server {
	s := &Server{topics: make(map[string]bool), passes: passes, ended: make(chan struct{})}
	size := piece
	if rate > 0 {
		s.interval, size = time.Second/time.Duration(rate), 1
		s.sent = make([]int64, 0, passes*len(messages))
	}
	for _, t := range topics {
		s.topics[t] = true
	}
	var buf []byte
	for _, m := range messages {
		buf = appendFrame(buf, opText, m)
		if len(buf) >= size {
			s.pieces = append(s.pieces, buf)
			buf = nil
		}
	}
	if len(buf) > 0 {
		s.pieces = append(s.pieces, buf)
	}
	return s
}

// Serve answers clients until the listener is closed.
func (s *Server) Serve(l net.Listener) error {
	for {
		conn, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		go func() {
			defer conn.Close()
			// A client that has all it wants hangs up; that is the end.
			_ = s.serve(conn)
		}()
	}
}

const (
	opText  = 1
	opClose = 8
	opPing  = 9
	opPong  = 10
)

// appendFrame appends an unfragmented, unmasked frame.
func appendFrame(dst []byte, op byte, payload []byte) []byte {
	dst = append(dst, 0x80|op)
	switch n := len(payload); {
	case n < 126:
		dst = append(dst, byte(n))
	case n < 1<<16:
		dst = append(dst, 126, byte(n>>8), byte(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, 127), uint64(n))
	}
	return append(dst, payload...)
}

// readFrame reads one masked frame of a client.
func readFrame(r *bufio.Reader) (op byte, payload []byte, err error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	n := int(head[1] & 0x7f)
	switch n {
	case 126:
		var ext [2]byte
		if _, err := io.ReadFull(r, ext[:]); err != nil {
			return 0, nil, err
		}
		n = int(binary.BigEndian.Uint16(ext[:]))
	case 127:
		return 0, nil, errors.New("frame of a client is too long")
	}
	if head[1]&0x80 == 0 {
		return 0, nil, errors.New("frame of a client is not masked")
	}
	var mask [4]byte
	if _, err := io.ReadFull(r, mask[:]); err != nil {
		return 0, nil, err
	}
	payload = make([]byte, n)
	if _, err := io.ReadFull(r, payload); err != nil {
		return 0, nil, err
	}
	for i := range payload {
		payload[i] ^= mask[i%4]
	}
	return head[0] & 0x0f, payload, nil
}

// A request is what clients of all dialects send.
type request struct {
	Op    string          `json:"op"`
	ReqID json.RawMessage `json:"req_id"`
	Args  []string        `json:"args"`
}

func (s *Server) serve(conn net.Conn) error {
	r := bufio.NewReader(conn)
	if err := upgrade(conn, r); err != nil {
		return err
	}
	var (
		mu     sync.Mutex // guards writes to conn
		wanted = len(s.topics)
		seen   = make(map[string]bool)
	)
	write := func(b []byte) error {
		mu.Lock()
		defer mu.Unlock()
		_, err := conn.Write(b)
		return err
	}
	for {
		op, payload, err := readFrame(r)
		if err != nil {
			return err
		}
		switch op {
		case opClose:
			return write(appendFrame(nil, opClose, payload))
		case opPing:
			if err := write(appendFrame(nil, opPong, payload)); err != nil {
				return err
			}
			continue
		case opText:
		default:
			continue
		}
		var req request
		if err := json.Unmarshal(payload, &req); err != nil {
			return fmt.Errorf("frame %q: %w", payload, err)
		}
		id := string(req.ReqID)
		if id == "" {
			id = `""`
		}
		switch req.Op {
		case "ping":
			err = write(appendFrame(nil, opText, fmt.Appendf(nil, `{"success":true,"ret_msg":"pong","conn_id":"bench","req_id":%s,"op":"ping"}`, id)))
		case "subscribe":
			err = write(appendFrame(nil, opText, fmt.Appendf(nil, `{"success":true,"ret_msg":"","conn_id":"bench","req_id":%s,"op":"subscribe"}`, id)))
			for _, t := range req.Args {
				if s.topics[t] && !seen[t] {
					seen[t] = true
					wanted--
				}
			}
			if wanted == 0 {
				wanted = -1
				go s.send(write)
			}
		}
		if err != nil {
			return err
		}
	}
}

// send writes all passes; a client that hangs up ends it.
func (s *Server) send(write func([]byte) error) {
	defer close(s.ended)
	time.Sleep(settle)
	next := time.Now()
	for range s.passes {
		for _, p := range s.pieces {
			if s.interval > 0 {
				next = next.Add(s.interval)
				sleepUntil(next)
				s.sent = append(s.sent, time.Now().UnixNano())
			}
			if write(p) != nil {
				return
			}
		}
	}
}

// Sent waits until the feed was sent and returns when each message was.
func (s *Server) Sent() []int64 {
	<-s.ended
	return s.sent
}

// upgrade answers the opening handshake (RFC 6455, section 4.2.2).
func upgrade(conn net.Conn, r *bufio.Reader) error {
	req, err := http.ReadRequest(r)
	if err != nil {
		return err
	}
	sum := sha1.Sum([]byte(req.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	_, err = fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
		base64.StdEncoding.EncodeToString(sum[:]))
	return err
}
