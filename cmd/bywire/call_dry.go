package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/internal/endpoints"
)

// caught is a request that was not let out.
type caught struct {
	method, target string
	header         http.Header
	body           []byte
}

// dryRun prints what a call would send. The client sends it, to a server that is inside
// this process: so what is printed is what it makes, and no network is used.
func (a *app) dryRun(ctx context.Context, env bybit.Environment, keys *bybit.Credentials, e *endpoints.Endpoint, params any) error {
	hidden := "(redacted)"
	if e.Auth == "signed" && keys == nil {
		hidden = "(no key given)"
		keys = &bybit.Credentials{Key: "none", Secret: "none"}
	}
	same, err := bybit.NewClient(&bybit.Options{Environment: env, Credentials: keys})
	if err != nil {
		return usageError("%w", err) // as the call itself would
	}
	same.Close()
	scheme, rest, _ := strings.Cut(env.RESTURL, "://")
	host, path, _ := strings.Cut(rest, "/")
	env.RESTURL = "http://localhost/" + path // inside, nobody shakes hands
	var server sync.WaitGroup
	var last caught // written by the server, read after it has ended
	dial := func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		server.Go(func() { catch(far, &last) })
		return near, nil
	}
	client, err := bybit.NewClient(&bybit.Options{Environment: env, Credentials: keys, Retries: -1, DialContext: dial})
	if err != nil {
		return usageError("%w", err)
	}
	err = client.Call(ctx, e.Method, e.Path, params, nil)
	client.Close()
	server.Wait()
	if err != nil {
		return err
	}
	if last.method == "" {
		return errors.New("call: nothing would be sent")
	}
	fmt.Fprintf(a.out, "%s %s://%s%s\n", last.method, scheme, host, last.target)
	for _, name := range slices.Sorted(maps.Keys(last.header)) {
		for _, value := range last.header[name] {
			if name == "X-Bapi-Api-Key" || name == "X-Bapi-Sign" {
				value = hidden
			}
			fmt.Fprintf(a.out, "%s: %s\n", name, printable(value))
		}
	}
	switch {
	case strings.HasPrefix(last.header.Get("Content-Type"), "multipart/"):
		fmt.Fprintf(a.out, "\n(a form with the file, %d bytes)\n", len(last.body))
	case len(last.body) > 0:
		fmt.Fprintf(a.out, "\n%s\n", last.body)
	}
	return a.flush()
}

// catch answers the requests of one connection with success and keeps the last one. The
// client asks for the time before it signs first: that is this machine's.
func catch(conn net.Conn, last *caught) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	for {
		req, err := http.ReadRequest(r)
		if err != nil {
			return // closed
		}
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		*last = caught{method: req.Method, target: req.RequestURI, header: req.Header, body: body}
		now := time.Now()
		reply := fmt.Sprintf(`{"retCode":0,"retMsg":"OK","result":{"timeSecond":"%d","timeNano":"%d"},"retExtInfo":{},"time":%d}`, now.Unix(), now.UnixNano(), now.UnixMilli())
		if _, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "+strconv.Itoa(len(reply))+"\r\n\r\n"+reply); err != nil {
			return
		}
	}
}
