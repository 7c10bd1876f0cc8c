package bybit_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/internal/memnet"
)

// hosts are the URLs of an environment by ability, "" for what it lacks.
type hosts struct{ public, status, private, trade, rest string }

func hostsOf(e bybit.Environment) hosts {
	url := func(a bybit.Ability) string {
		u, err := e.URL(a)
		if err != nil {
			return ""
		}
		return u
	}
	return hosts{url(bybit.AbilityPublic), url(bybit.AbilityStatus), url(bybit.AbilityPrivate), url(bybit.AbilityOrderEntry), url(bybit.AbilityREST)}
}

// V5 page: demo. Market data is mainnet's, the private channel and REST have
// hosts of their own, and there is no order entry over WebSocket.
func TestFailureClass22_DemoIsNotMainnet(t *testing.T) {
	demo := bybit.Demo()
	want := hosts{"wss://stream.bybit.com", "wss://stream.bybit.com", "wss://stream-demo.bybit.com", "", "https://api-demo.bybit.com"}
	if got := hostsOf(demo); got != want {
		t.Errorf("demo has\n%+v, want\n%+v", got, want)
	}
	_, err := demo.URL(bybit.AbilityOrderEntry)
	var lacks *bybit.UnsupportedError
	if !errors.As(err, &lacks) || lacks.Environment != "demo" || lacks.Ability != bybit.AbilityOrderEntry || slices.Contains(lacks.Offers, bybit.AbilityOrderEntry) {
		t.Errorf("order entry on demo = %v, want an UnsupportedError", err)
	}
	if text := fmt.Sprint(err); !strings.Contains(text, "demo") || !strings.Contains(text, "order entry over WebSocket") || !strings.Contains(text, "REST") {
		t.Errorf("the error %q does not say what is missing and what there is", text)
	}
	if demo.Supports(bybit.AbilityOrderEntry) || !demo.Supports(bybit.AbilityPrivate) || !bybit.Mainnet().Supports(bybit.AbilityOrderEntry) {
		t.Error("Supports does not agree with the URLs")
	}
	// Public data of demo is dialled at mainnet's host.
	var dialled string
	c, err := bybit.NewClient(&bybit.Options{Environment: demo, DialContext: func(_ context.Context, _, addr string) (net.Conn, error) {
		dialled = addr
		return nil, memnet.ErrRefused
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Public(t.Context(), bybit.Linear, nil); !errors.Is(err, memnet.ErrRefused) || dialled != "stream.bybit.com:443" {
		t.Errorf("Public on demo dialled %q: %v, want stream.bybit.com:443", dialled, err)
	}
}

// The documented hosts of every region. V5 pages: guide, ws/connect.
func TestFailureClass23_EveryRegionHasItsHosts(t *testing.T) {
	all := func(ws, rest string) hosts {
		ws, rest = "wss://"+ws, "https://"+rest
		return hosts{ws, ws, ws, ws, rest}
	}
	tests := map[string]hosts{
		"mainnet": all("stream.bybit.com", "api.bybit.com"),
		"testnet": all("stream-testnet.bybit.com", "api-testnet.bybit.com"),
		"demo":    {"wss://stream.bybit.com", "wss://stream.bybit.com", "wss://stream-demo.bybit.com", "", "https://api-demo.bybit.com"},
		"tr":      all("stream.bybit.tr", "api.bybit.tr"),
		"id":      all("stream.bybit.id", "api.bybit.id"),
		"kz":      all("stream.bybit.kz", "api.bybit.kz"),
		"ge":      all("stream.bybitgeorgia.ge", "api.bybitgeorgia.ge"),
		"jp":      all("stream.manepa.jp", "api.manepa.jp"),
		"nl":      {rest: "https://api.bybit.nl"},
		"ae":      {rest: "https://api.bybit.ae"},
		"eu":      {status: "wss://stream.bybit.eu", rest: "https://api.bybit.eu"},
		"hk":      {rest: "https://api.byhkbit.com"},
	}
	names := bybit.EnvironmentNames()
	for _, name := range names {
		e, err := bybit.EnvironmentNamed(name)
		if err != nil || e.Name != name {
			t.Errorf("EnvironmentNamed(%q) is %q, %v", name, e.Name, err)
		}
		if got := hostsOf(e); got != tests[name] {
			t.Errorf("%s has\n%+v, want\n%+v", name, got, tests[name])
		}
	}
	if len(names) != len(tests) {
		t.Errorf("names %q, want those of %d environments", names, len(tests))
	}
	if _, err := bybit.EnvironmentNamed("atlantis"); err == nil || !strings.Contains(err.Error(), "tr, id, kz") {
		t.Errorf("an unknown region = %v, want the names there are", err)
	}
	if got := hostsOf(bybit.Environment{}); got != tests["mainnet"] {
		t.Errorf("the zero environment has %+v, want mainnet's", got)
	}
}

// A channel that a region has no host for fails locally, and says so.
func TestFailureClass23_WhatARegionLacksFailsLocally(t *testing.T) {
	refused := errors.New("dialled")
	for _, tt := range []struct {
		region string
		ch     bybit.Channel
		dials  string // "" for a local failure
	}{
		{"nl", bybit.Linear, ""}, {"nl", bybit.Status, ""}, {"ae", bybit.Spot, ""}, {"hk", bybit.Option, ""},
		{"eu", bybit.Linear, ""}, {"eu", bybit.Status, "stream.bybit.eu:443"}, {"tr", bybit.Spot, "stream.bybit.tr:443"},
		{"jp", bybit.Status, "stream.manepa.jp:443"},
	} {
		env, err := bybit.Region(tt.region)
		if err != nil {
			t.Fatal(err)
		}
		dialled := ""
		c, err := bybit.NewClient(&bybit.Options{Environment: env, DialContext: func(_ context.Context, _, addr string) (net.Conn, error) {
			dialled = addr
			return nil, refused
		}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Public(t.Context(), tt.ch, nil)
		var lacks *bybit.UnsupportedError
		if dialled != tt.dials || (tt.dials == "") != errors.As(err, &lacks) {
			t.Errorf("%s of %s: dialled %q, %v, want %q", tt.ch, tt.region, dialled, err, tt.dials)
		}
	}
}

// Every URL can be set, also on a preset, and the path is added to it.
func TestFailureClass23_EveryURLCanBeSet(t *testing.T) {
	e := bybit.Mainnet()
	e.PublicURL, e.StatusURL = "ws://public.test/base/", "ws://status.test"
	e.PrivateURL, e.TradeURL, e.RESTURL = "ws://private.test/", "ws://trade.test/", "http://rest.test/"
	want := hosts{"ws://public.test/base", "ws://status.test", "ws://private.test", "ws://trade.test", "http://rest.test"}
	if got := hostsOf(e); got != want {
		t.Errorf("got\n%+v, want\n%+v", got, want)
	}
	inBubble(t, func(t *testing.T, v *venue) {
		v.env = e
		for ch, path := range map[bybit.Channel]string{
			bybit.Spot: "/base/v5/public/spot", bybit.Status: "/v5/public/misc/status", bybit.Custom("/own/path"): "/base/own/path",
		} {
			s, err := v.client().Public(t.Context(), ch, nil)
			if err != nil {
				t.Fatal(err)
			}
			s.Close()
			if got := v.last().path; got != path {
				t.Errorf("%s asked for %s, want %s", ch, got, path)
			}
		}
	})
	if _, err := bybit.NewClient(&bybit.Options{Environment: bybit.Environment{Name: "nowhere"}}); err == nil {
		t.Error("NewClient took an environment without any URL")
	}
}

// authority is a certificate authority of one's own, and a server's certificate
// by it.
func authority(t *testing.T) (*x509.CertPool, tls.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "own authority"}, DNSNames: []string{"stream.own.test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, root, root, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return pool, tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// A TLS server on loopback with a certificate that no system trusts: without its
// authority the first dial fails and says why, with it the stream works.
func TestFailureClass23_OwnAuthority(t *testing.T) {
	pool, cert := authority(t)
	v := newVenue(t)
	defer v.stop()
	ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}})
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	v.wg.Go(func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			v.wg.Go(func() { v.serve(nc) })
		}
	})
	open := func(roots *x509.CertPool) (*bybit.Stream, error) {
		c, err := bybit.NewClient(&bybit.Options{
			Environment: bybit.CustomEnvironment("wss://stream.own.test:443", ""),
			TLS:         &tls.Config{RootCAs: roots},
			// The name is the certificate's; the address is the caller's affair.
			DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
				if addr != "stream.own.test:443" {
					return nil, fmt.Errorf("dial of %s", addr)
				}
				var d net.Dialer
				return d.DialContext(ctx, network, ln.Addr().String())
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		return c.Public(t.Context(), bybit.Linear, nil, bybit.Trades("BTCUSDT"))
	}
	_, err = open(nil)
	var unknown x509.UnknownAuthorityError
	if !errors.As(err, &unknown) {
		t.Errorf("without the authority: %v, want that it is unknown", err)
	}
	s, err := open(pool)
	if err != nil {
		t.Fatal(err)
	}
	v.last().send(tradeFrame("BTCUSDT", 1))
	wantEvents(t, s, "trades BTCUSDT seq=1")
	s.Close()
}

// A proxy is the caller's dialer: here one that speaks HTTP CONNECT.
func TestFailureClass23_ProxyOfTheCaller(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		proxy := memnet.Listen("proxy")
		var asked []string
		var wg sync.WaitGroup
		wg.Go(func() {
			nc, err := proxy.Accept()
			if err != nil {
				return
			}
			defer nc.Close()
			head := make([]byte, 0, 256)
			for !strings.HasSuffix(string(head), "\r\n\r\n") {
				b := make([]byte, 1)
				if _, err := io.ReadFull(nc, b); err != nil {
					t.Error(err)
					return
				}
				head = append(head, b...)
			}
			line, _, _ := strings.Cut(string(head), "\r\n")
			asked = append(asked, line)
			up, err := v.ln.Dial(t.Context(), "tcp", "venue:80")
			if err != nil {
				t.Error(err)
				return
			}
			defer up.Close()
			io.WriteString(nc, "HTTP/1.1 200 Connection established\r\n\r\n")
			wg.Go(func() { io.Copy(up, nc); up.Close() })
			io.Copy(nc, up)
		})
		c, err := bybit.NewClient(&bybit.Options{Environment: v.env, DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			nc, err := proxy.Dial(ctx, network, "proxy:3128")
			if err != nil {
				return nil, err
			}
			fmt.Fprintf(nc, "%s %s HTTP/1.1\r\nHost: %[2]s\r\n\r\n", http.MethodConnect, addr)
			reply := make([]byte, len("HTTP/1.1 200 Connection established\r\n\r\n"))
			if _, err := io.ReadFull(nc, reply); err != nil {
				return nil, err
			}
			return nc, nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		s, err := c.Public(t.Context(), bybit.Linear, nil, bybit.Trades("BTCUSDT"))
		if err != nil {
			t.Fatal(err)
		}
		v.last().send(tradeFrame("BTCUSDT", 1))
		wantEvents(t, s, "trades BTCUSDT seq=1")
		s.Close()
		proxy.Close()
		wg.Wait()
		if want := []string{"CONNECT venue:80 HTTP/1.1"}; !slices.Equal(asked, want) {
			t.Errorf("the proxy was asked %q, want %q", asked, want)
		}
	})
}
