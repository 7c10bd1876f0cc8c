package main

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/netip"
)

// service is what a command serves: a handler, and what ends with it.
type service struct {
	server *http.Server
	silent bool // no line for programs: it draws
	// close ends the handler and the connections that it has taken over from the server.
	close func() error
	// run is what the command does while it serves; its end is the service's.
	run func(ctx context.Context, addr string) error
}

// serve accepts connections, says so with the line that programs wait for, and serves until run is through, the server
// has failed or ctx ends, which is its error.
func (a *app) serve(ctx context.Context, listener net.Listener, s service) error {
	served := make(chan error, 1)
	go func() { served <- s.server.Serve(listener) }()
	addr := listener.Addr().String()
	var err error
	if !s.silent {
		err = a.ready(addr)
	}
	if err == nil {
		running, stop := context.WithCancel(ctx)
		ran := make(chan error, 1)
		go func() { ran <- s.run(running, addr) }()
		select {
		case err = <-ran:
			stop()
		case err = <-served:
			served <- err
			stop()
			if e := <-ran; !errors.Is(e, context.Canceled) {
				err = errors.Join(err, e)
			}
		}
		if ctx.Err() != nil {
			err = ctx.Err()
		}
	}
	// What could not be kept is said whatever ended the service: an interruption is how it always ends.
	if e := s.close(); e != nil && (err == nil || ctx.Err() != nil) {
		err = e
	}
	s.server.Close() // hijacked connections are the handler's, and closed
	if e := <-served; err == nil && !errors.Is(e, http.ErrServerClosed) {
		err = e
	}
	return err
}

// ready prints the line that a program waits for.
func (a *app) ready(addr string) error {
	line, err := json.Marshal(struct {
		Event  string `json:"event"`
		Listen string `json:"listen"`
		REST   string `json:"rest"`
		WS     string `json:"ws"`
	}{"ready", addr, "http://" + reachable(addr), "ws://" + reachable(addr)})
	if err != nil {
		return err
	}
	_, _ = a.out.Write(append(line, '\n')) // the error sticks
	return a.flush()
}

// reachable is an address that a program on this machine can connect to, for one that is listened on: of all addresses it
// is that of loopback.
func reachable(addr string) string {
	at, err := netip.ParseAddrPort(addr)
	if err != nil || !at.Addr().IsUnspecified() {
		return addr
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), at.Port()).String()
}

// listen opens the address of a flag.
func listen(flag, addr string) (net.Listener, error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, listenError(flag, addr, err)
	}
	return listener, nil
}
