package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
)

// bare is no client one would use: a blocking read loop on the socket with
// the least of a frame reader, and a scanner that knows the one key order of
// each topic and accepts no other. It checks nothing, keeps no book and cannot
// reconnect. It is the limit that others can approach.
func bare(ctx context.Context, run *Run, m *Meter) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", run.Addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := fmt.Fprintf(conn, "GET /v5/public/linear HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n", run.Addr); err != nil {
		return err
	}
	r := bufio.NewReaderSize(conn, 64<<10)
	reply, err := http.ReadResponse(r, nil)
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	if reply.StatusCode != http.StatusSwitchingProtocols {
		return fmt.Errorf("handshake: %s", reply.Status)
	}
	var names []string
	for _, t := range run.Topics {
		names = append(names, `"`+t.Name+`"`)
	}
	if _, err := conn.Write(maskedText(`{"op":"subscribe","args":[` + strings.Join(names, ",") + `]}`)); err != nil {
		return err
	}

	var s scanned
	for m.seen < m.total {
		head, err := r.Peek(4)
		if err != nil {
			return err
		}
		n, skip := int(head[1]&0x7f), 2
		if n == 126 {
			n, skip = int(binary.BigEndian.Uint16(head[2:])), 4
		}
		if n == 127 || skip+n > r.Size() {
			return errors.New("frame too long for the limit's buffer")
		}
		frame, err := r.Peek(skip + n)
		if err != nil {
			return err
		}
		if payload := frame[skip:]; bytes.HasPrefix(payload, []byte(`{"topic":"`)) {
			if !s.scan(payload) {
				return fmt.Errorf("cannot scan %s", payload)
			}
			m.use(len(s.levels) + len(s.trades))
			m.message()
		}
		if _, err := r.Discard(skip + n); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
	}
	return nil
}

// maskedText frames a request with the mask 0, which a client may draw.
func maskedText(s string) []byte {
	b := []byte{0x81, 0x80 | 126, byte(len(s) >> 8), byte(len(s)), 0, 0, 0, 0}
	return append(b, s...)
}

// A fixed is a decimal number as digits and the place of the point.
type fixed struct {
	digits int64
	scale  int
}

type scannedLevel struct{ price, size fixed }

type scannedTrade struct {
	time, seq   int64
	price, size fixed
	buy, block  bool
	id, tick    []byte
}

// scanned is what a message says. It is used again for the next one.
type scanned struct {
	ts, cts, u, seq int64
	snapshot        bool
	topic           []byte
	levels          []scannedLevel // bids, then asks
	bids            int
	trades          []scannedTrade
	fields          [][]byte // of tickers and klines: name, value, name, value ...

	b  []byte
	ok bool
}

func (s *scanned) scan(b []byte) bool {
	s.b, s.ok = b, true
	s.lit(`{"topic":"`)
	s.topic = s.until('"')
	if len(s.topic) == 0 {
		return false
	}
	switch s.topic[0] {
	case 'o':
		s.lit(`,"type":"`)
		s.snapshot = s.until('"')[0] == 's'
		s.lit(`,"ts":`)
		s.ts = s.int()
		s.lit(`,"data":{"s":"`)
		s.until('"')
		s.lit(`,"b":`)
		s.levels = s.levels[:0]
		s.sideLevels()
		s.bids = len(s.levels)
		s.lit(`,"a":`)
		s.sideLevels()
		s.lit(`,"u":`)
		s.u = s.int()
		s.lit(`,"seq":`)
		s.seq = s.int()
		s.lit(`},"cts":`)
		s.cts = s.int()
		s.lit(`}`)
	case 'p':
		s.lit(`,"type":"snapshot","ts":`)
		s.ts = s.int()
		s.lit(`,"data":[`)
		s.scanTrades()
	default:
		s.scanFields()
	}
	return s.ok && len(s.b) == 0
}

func (s *scanned) sideLevels() {
	s.lit(`[`)
	for s.ok && len(s.b) > 0 && s.b[0] != ']' {
		if s.b[0] == ',' {
			s.b = s.b[1:]
		}
		s.lit(`["`)
		price := s.fixed()
		s.lit(`","`)
		size := s.fixed()
		s.lit(`"]`)
		s.levels = append(s.levels, scannedLevel{price, size})
	}
	s.lit(`]`)
}

func (s *scanned) scanTrades() {
	s.trades = s.trades[:0]
	for s.ok && len(s.b) > 0 && s.b[0] != ']' {
		var t scannedTrade
		if s.b[0] == ',' {
			s.b = s.b[1:]
		}
		s.lit(`{"T":`)
		t.time = s.int()
		s.lit(`,"s":"`)
		s.until('"')
		s.lit(`,"S":"`)
		t.buy = len(s.until('"')) == 3
		s.lit(`,"v":"`)
		t.size = s.fixed()
		s.lit(`","p":"`)
		t.price = s.fixed()
		s.lit(`","L":"`)
		t.tick = s.until('"')
		s.lit(`,"i":"`)
		t.id = s.until('"')
		s.lit(`,"BT":`)
		t.block = len(s.until(',')) == 4
		s.lit(`"seq":`)
		t.seq = s.int()
		s.lit(`}`)
		s.trades = append(s.trades, t)
	}
	s.lit(`]}`)
}

// scanFields takes the rest of the message as names and values, nested or
// not.
func (s *scanned) scanFields() {
	s.fields = s.fields[:0]
	for s.ok && len(s.b) > 0 {
		switch c := s.b[0]; c {
		case '"':
			s.b = s.b[1:]
			s.fields = append(s.fields, s.until('"'))
		case '{', '}', '[', ']', ',', ':':
			s.b = s.b[1:]
		default:
			n := bytes.IndexAny(s.b, ",}")
			if n < 0 {
				s.ok = false
				return
			}
			s.fields = append(s.fields, s.b[:n])
			s.b = s.b[n:]
		}
	}
}

// lit takes a literal.
func (s *scanned) lit(want string) {
	if len(s.b) < len(want) || string(s.b[:len(want)]) != want {
		s.ok = false
		return
	}
	s.b = s.b[len(want):]
}

// until takes what stands before the next c, and c.
func (s *scanned) until(c byte) []byte {
	n := bytes.IndexByte(s.b, c)
	if n <= 0 {
		s.ok = false
		return []byte{0}
	}
	part := s.b[:n]
	s.b = s.b[n+1:]
	return part
}

func (s *scanned) int() int64 {
	var v int64
	i := 0
	for ; i < len(s.b) && s.b[i] >= '0' && s.b[i] <= '9'; i++ {
		v = v*10 + int64(s.b[i]-'0')
	}
	s.b = s.b[i:]
	return v
}

func (s *scanned) fixed() fixed {
	var f fixed
	i, point := 0, -1
	for ; i < len(s.b); i++ {
		c := s.b[i]
		if c == '.' {
			point = i
			continue
		}
		if c < '0' || c > '9' {
			break
		}
		f.digits = f.digits*10 + int64(c-'0')
	}
	if point >= 0 {
		f.scale = i - point - 1
	}
	s.b = s.b[i:]
	return f
}
