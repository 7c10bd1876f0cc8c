package wsclient

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/gobwas/ws"
)

// Config says how to dial. Only URL is required.
type Config struct {
	URL string // "ws://" or "wss://"

	// DialContext opens the network connection, for proxies and tests.
	// Default: a net.Dialer without options.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)

	// TLS is used for wss; ServerName is filled in. Default: the system's
	// certificate authorities.
	TLS *tls.Config

	// MaxFrame bounds a message in bytes. Default 16 MiB.
	MaxFrame int

	// BusyPoll is how long Next keeps asking the socket before it sleeps, on
	// Unix and for connections that have a socket. Default: it sleeps at once.
	BusyPoll time.Duration
}

const defaultMaxFrame = 16 << 20

// HandshakeError is a server's answer to the WebSocket handshake that is no
// upgrade.
type HandshakeError struct {
	Status int    // HTTP status
	Body   string // the beginning of the answer's body
}

// Error names the status.
func (e *HandshakeError) Error() string {
	if e.Body == "" {
		return fmt.Sprintf("handshake refused: HTTP %d", e.Status)
	}
	return fmt.Sprintf("handshake refused: HTTP %d: %s", e.Status, e.Body)
}

// Dial connects and upgrades. ctx bounds both and has no effect afterwards.
func Dial(ctx context.Context, cfg *Config) (*Conn, error) {
	var refused *HandshakeError
	dialer := ws.Dialer{
		NetDial:   cfg.netDial(),
		TLSConfig: cfg.TLS,
		OnStatusError: func(status int, _ []byte, answer io.Reader) {
			refused = &HandshakeError{Status: status, Body: bodyStart(answer)}
		},
	}
	nc, buffered, _, err := dialer.Dial(ctx, cfg.URL)
	if err != nil {
		if refused != nil {
			err = refused
		}
		return nil, fmt.Errorf("dial %s: %w", cfg.URL, err)
	}
	maxFrame := cfg.MaxFrame
	if maxFrame <= 0 {
		maxFrame = defaultMaxFrame
	}
	var early []byte
	if buffered != nil {
		// Frames that came with the handshake's answer.
		early, err = buffered.Peek(buffered.Buffered())
		if err == nil {
			early = append([]byte(nil), early...)
		}
		ws.PutReader(buffered)
	}
	return newConn(nc, early, maxFrame), nil
}

// netDial returns how to open the network connection: nil for the default. TLS
// goes on top of it, so that polling serves both.
func (cfg *Config) netDial() func(ctx context.Context, network, addr string) (net.Conn, error) {
	if cfg.BusyPoll <= 0 {
		return cfg.DialContext
	}
	dial := cfg.DialContext
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		nc, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return polled(nc, cfg.BusyPoll), nil
	}
}

// bodyStart returns the first line of the answer's body, cut to what fits a
// message. A body whose length is not announced is left: reading it could wait
// for a server that keeps the connection open.
func bodyStart(answer io.Reader) string {
	resp, err := http.ReadResponse(bufio.NewReader(answer), nil)
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	if resp.ContentLength <= 0 {
		return ""
	}
	body := make([]byte, min(resp.ContentLength, 200))
	n, _ := io.ReadFull(resp.Body, body) // what has come is shown
	line, _, _ := strings.Cut(strings.TrimSpace(string(body[:n])), "\n")
	return line
}
