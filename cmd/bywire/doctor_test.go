package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/internal/wire"
)

// testHost is the name that the servers of these tests have certificates for.
const testHost = "stream.example.com"

// certificate makes one for names, signed by itself.
func certificate(t *testing.T, until time.Time, names ...string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{Organization: []string{"Corner Proxy"}}, DNSNames: names,
		NotBefore: until.Add(-90 * 24 * time.Hour), NotAfter: until,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, form, form, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, pool
}

// listening accepts connections and hands each to serve.
func listening(t *testing.T, serve func(net.Conn)) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				serve(conn)
			}()
		}
	}()
	return ln
}

// handshaking is a listener that shakes hands by a configuration.
func handshaking(t *testing.T, cfg *tls.Config) net.Listener {
	t.Helper()
	return listening(t, func(c net.Conn) {
		s := tls.Server(c, cfg)
		if s.Handshake() == nil {
			_, _ = s.Read(make([]byte, 4096)) // the end, or a request that gets no answer
		}
	})
}

// examined runs a doctor to whom every name leads to ln, and returns its lines.
func examined(t *testing.T, ln net.Addr, change func(*doctor)) []*finding {
	t.Helper()
	d := newDoctor(bybit.Environment{Name: "mainnet", PublicURL: "wss://" + testHost}, false)
	d.length, d.wait = 200*time.Millisecond, 5*time.Second
	d.lookup = func(context.Context, string) ([]string, error) { return []string{"192.0.2.1"}, nil }
	d.getenv = func(string) string { return "" }
	d.probes = []probe{{channel: wire.Linear, topic: "orderbook.50.BTCUSDT"}}
	if ln != nil {
		d.dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, ln.String())
		}
	}
	change(d)
	var all []*finding
	d.report = func(f *finding) { all = append(all, f) }
	d.examine(t.Context())
	return all
}

// wantLine checks the one finding of a check.
func wantLine(t *testing.T, all []*finding, check, state, want string) {
	t.Helper()
	var lines []string
	for _, f := range all {
		lines = append(lines, f.line())
		if f.Check != check {
			continue
		}
		if f.State != state || !strings.Contains(f.line(), want) {
			t.Errorf("%s:\n got %s\nwant %s ... %s", check, f.line(), state, want)
		}
		return
	}
	t.Errorf("no finding of %s:\n%s", check, strings.Join(lines, "\n"))
}

func TestDoctorExplainsTheNetwork(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*doctor)
		check  string
		want   string
	}{
		{"unknown name", func(d *doctor) {
			d.lookup = func(context.Context, string) ([]string, error) {
				return nil, &net.DNSError{Err: "no such host", Name: testHost, IsNotFound: true}
			}
		}, "dns", "stream.example.com: the name does not exist; check the spelling"},
		{"no DNS server", func(d *doctor) {
			d.lookup = func(context.Context, string) ([]string, error) {
				return nil, &net.DNSError{Err: "i/o timeout", Name: testHost, IsTimeout: true}
			}
		}, "dns", "no answer from the DNS server; check the network"},
		{"nothing listens", func(d *doctor) {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			ln.Close()
			d.dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, ln.Addr().String())
			}
		}, "tcp", "stream.example.com:443: refused; a firewall or proxy"},
		{"packets vanish", func(d *doctor) {
			d.wait = 20 * time.Millisecond
			d.dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			}
		}, "tcp", "no answer; a firewall swallows the packets"},
	} {
		all := examined(t, nil, tc.change)
		wantLine(t, all, tc.check, stateFail, tc.want)
		wantLine(t, all, "websocket", stateSkip, "linear: not tried: the host cannot be reached, see above")
		if last := all[len(all)-1]; last.Check != "websocket" {
			t.Errorf("%s: the last line is %s", tc.name, last.line())
		}
	}
}

func TestDoctorExplainsTLS(t *testing.T) {
	now := time.Now()
	good, roots := certificate(t, now.Add(60*24*time.Hour), testHost)
	expired, oldRoots := certificate(t, now.Add(-24*time.Hour), testHost)
	ending, endingRoots := certificate(t, now.Add(3*24*time.Hour+time.Minute), testHost)
	other, otherRoots := certificate(t, now.Add(60*24*time.Hour), "login.example.net")
	nameless, namelessRoots := certificate(t, now.Add(60*24*time.Hour))
	for _, tc := range []struct {
		name  string
		ln    net.Listener
		roots *x509.CertPool
		state string
		want  string
	}{
		{"as it should be", handshaking(t, &tls.Config{Certificates: []tls.Certificate{good}}), roots, stateOK, "certificate by Corner Proxy valid for 59 days"},
		{"signed by itself", handshaking(t, &tls.Config{Certificates: []tls.Certificate{good}}), x509.NewCertPool(), stateFail,
			"the certificate is signed by Corner Proxy, which this machine does not trust; a proxy or antivirus"},
		{"expired", handshaking(t, &tls.Config{Certificates: []tls.Certificate{expired}}), oldRoots, stateFail, "and this machine's clock says " + now.UTC().Format("2006-01-02") + "; set the clock"},
		{"ends soon", handshaking(t, &tls.Config{Certificates: []tls.Certificate{ending}}), endingRoots, stateWarn, "valid for 3 days; the certificate ends soon"},
		{"another's", handshaking(t, &tls.Config{Certificates: []tls.Certificate{other}}), otherRoots, stateFail, "the certificate is for login.example.net and not for stream.example.com"},
		{"nobody's", handshaking(t, &tls.Config{Certificates: []tls.Certificate{nameless}}), namelessRoots, stateFail, "the certificate is for no host at all and not for stream.example.com"},
		{"too old", handshaking(t, &tls.Config{Certificates: []tls.Certificate{good}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}), roots, stateFail,
			"TLS 1.1, which is too old: bywire needs 1.2; the venue itself"},
		{"alert 80, as a server sends that knows no such name", listening(t, func(c net.Conn) {
			_, _ = c.Read(make([]byte, 4096)) // the client's hello
			_, _ = c.Write([]byte{21, 3, 1, 0, 2, 2, 80})
			_, _ = io.Copy(io.Discard, c)
		}), roots, stateFail, `the server answers with the alert "internal error" (OpenSSL: "tlsv1 alert internal error"); it has no certificate for the name`},
		{"alert 112", listening(t, func(c net.Conn) {
			_, _ = c.Read(make([]byte, 4096))
			_, _ = c.Write([]byte{21, 3, 1, 0, 2, 2, 112})
			_, _ = io.Copy(io.Discard, c)
		}), roots, stateFail, "the server does not know the name it was asked for"},
		{"a login page", listening(t, func(c net.Conn) {
			_, _ = c.Read(make([]byte, 4096))
			_, _ = c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
			_, _ = io.Copy(io.Discard, c)
		}), roots, stateFail, "what answers does not speak TLS; a proxy or a login page"},
		{"cut", listening(t, func(c net.Conn) { _, _ = c.Read(make([]byte, 4096)) }), roots, stateFail, "cut during the TLS handshake; a firewall filters by name"},
		{"silence", listening(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }), roots, stateFail, "no answer to the TLS handshake"},
	} {
		all := examined(t, tc.ln.Addr(), func(d *doctor) {
			d.roots = tc.roots
			if tc.name == "silence" {
				d.wait = 30 * time.Millisecond
			}
		})
		t.Log(tc.name)
		wantLine(t, all, "tls", tc.state, tc.want)
		if tc.state == stateFail {
			wantLine(t, all, "websocket", stateSkip, "not tried")
		}
	}
}

// plain is a change for servers without TLS.
func plain(s *httptest.Server, more func(*doctor)) func(*doctor) {
	return func(d *doctor) {
		d.env = bybit.Environment{Name: "mainnet", PublicURL: "ws://" + testHost, RESTURL: "http://" + testHost}
		d.dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, s.Listener.Addr().String())
		}
		if more != nil {
			more(d)
		}
	}
}

func TestDoctorExplainsHTTP(t *testing.T) {
	for _, tc := range []struct {
		status int
		body   string
		state  string
		want   string
	}{
		{403, "<html>The Amazon CloudFront distribution is configured to block access from your country.</html>", stateFail, "HTTP 403: the venue does not serve the country of this address; use the venue of your country"},
		{403, "403, access too frequent", stateFail, "HTTP 403: this address is banned for too many requests; stop every program"},
		{403, "", stateFail, "HTTP 403: refused by region, or this address is banned for too many requests; a ban ends after ten minutes"},
		{429, "", stateFail, "HTTP 429: too many requests from this address"},
		{503, "", stateFail, "HTTP 503: the server has a problem"},
		{404, "", stateFail, "HTTP 404: the server does not know the path"},
		{418, "tea\nonly", stateFail, "HTTP 418: tea; a proxy may answer"},
		{418, "tea \x1b[31mred\r\nonly", stateFail, `HTTP 418: tea \x1b[31mred; a proxy may answer`},
		{200, "<html>log in</html>", stateFail, "HTTP 200, and what came is no answer of V5; a proxy or a login page"},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(tc.status)
			fmt.Fprint(w, tc.body)
		}))
		all := examined(t, nil, plain(s, nil))
		wantLine(t, all, "rest", tc.state, tc.want)
		wantLine(t, all, "clock", stateSkip, "not checked without REST")
		if tc.status != 200 {
			want, _, _ := strings.Cut(tc.want, ";")
			wantLine(t, all, "websocket", stateFail, want)
		}
		s.Close()
	}
}

// timeServer answers as a venue whose clock is ahead of ours.
func timeServer(ahead time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v5/market/time" {
			http.NotFound(w, r)
			return
		}
		now := time.Now().Add(ahead)
		fmt.Fprintf(w, `{"retCode":0,"retMsg":"OK","result":{"timeSecond":"%d","timeNano":"%d"},"retExtInfo":{},"time":%d}`, now.Unix(), now.UnixNano(), now.UnixMilli())
	})
}

func TestDoctorComparesClocks(t *testing.T) {
	for _, tc := range []struct {
		ahead time.Duration // the venue's clock
		state string
		want  string
	}{
		{0, stateOK, "this machine: "},
		{2 * time.Second, stateWarn, "behind the venue"},
		{time.Minute, stateFail, "behind the venue"},
		{-700 * time.Millisecond, stateWarn, "ahead of the venue"},
		{-3 * time.Second, stateFail, "ahead of the venue"},
	} {
		s := httptest.NewServer(timeServer(tc.ahead))
		all := examined(t, nil, plain(s, nil))
		wantLine(t, all, "rest", stateOK, "HTTP 200, a round trip takes ")
		wantLine(t, all, "clock", tc.state, tc.want)
		for _, f := range all {
			if off := f.Ms["behind"] - inMs(tc.ahead); f.Check == "clock" && (off > 200 || off < -200) {
				t.Errorf("%s ahead: measured %v ms", tc.ahead, f.Ms["behind"])
			}
		}
		s.Close()
	}
}

func TestDoctorProbesChannels(t *testing.T) {
	frame := func() string {
		return fmt.Sprintf(`{"topic":"orderbook.50.BTCUSDT","type":"snapshot","ts":%d,"data":{"s":"BTCUSDT","b":[],"a":[],"u":1,"seq":1},"cts":1}`, time.Now().UnixMilli())
	}
	for _, tc := range []struct {
		name    string
		says    answer
		state   string
		want    string // a pattern
		network bool
	}{
		{"as it should be", func(ch wire.Channel, req wire.Request) []string {
			return []string{rightAnswer(ch, req), frame(), frame()}
		},
			stateOK, `linear: connected in \S+, orderbook.50.BTCUSDT accepted in \S+, first data after \S+$`, false},
		{"no acknowledgement", func(wire.Channel, wire.Request) []string { return nil },
			stateFail, `no acknowledgement of orderbook.50.BTCUSDT within 200ms; something between`, true},
		{"no data", func(ch wire.Channel, req wire.Request) []string { return []string{rightAnswer(ch, req)} },
			stateFail, `accepted in \S+, and no data within 200ms; the symbol may be closed`, true},
		{"another acknowledgement", func(_ wire.Channel, _ wire.Request) []string {
			return []string{`{"op":"subscribe","success":true,"ret_msg":"","conn_id":"secret-id","req_id":"doctor"}`, frame()}
		}, stateWarn, `the acknowledgement has a form that bywire does not know: {"op":"subscribe","success":true,"ret_msg":"","conn_id":"...","req_id":"doctor"}; it works`, false},
		{"refused", func(_ wire.Channel, req wire.Request) []string {
			return []string{string(wire.AppendReply(nil, wire.FamilyFutures, &wire.Reply{Op: req.Op, Message: wire.MessageNotFound(req.Args[0]), ConnID: "x"}))}
		}, stateFail, `orderbook.50.BTCUSDT refused: error:handler not found,topic:orderbook.50.BTCUSDT; the channel works, and does not have this topic`, false},
		{"cut", func(ch wire.Channel, req wire.Request) []string {
			return []string{rightAnswer(ch, req), frame(), "close"}
		},
			stateFail, `, then lost: EOF; a proxy or the venue cuts the connection`, true},
	} {
		s := venue(t, tc.says)
		all := examined(t, nil, plain(s, nil))
		t.Log(tc.name)
		found := false
		for _, f := range all {
			if f.Check != "websocket" {
				continue
			}
			found = true
			if f.State != tc.state || !regexp.MustCompile(tc.want).MatchString(f.line()) || f.network != tc.network && f.State == stateFail {
				t.Errorf("got  %s (network: %t)\nwant %s, %s", f.line(), f.network, tc.state, tc.want)
			}
		}
		if !found {
			t.Error("no line")
		}
		if tc.state == stateOK {
			wantLine(t, all, "delay", stateOK, " in 2 messages")
		}
		s.Close()
	}
}

// The delay is corrected by what the clocks differ.
func TestDoctorJudgesDelays(t *testing.T) {
	p := probe{channel: wire.Linear, topic: "orderbook.50.BTCUSDT"}
	ms := func(list ...int) (ds []time.Duration) {
		for _, n := range list {
			ds = append(ds, time.Duration(n)*time.Millisecond)
		}
		return ds
	}
	for _, tc := range []struct {
		d      doctor
		delays []time.Duration
		state  string
		want   string
	}{
		{doctor{timed: true}, ms(30, 10, 20), stateOK, "linear: p50 20ms, p90 20ms, p99 20ms in 3 messages"},
		{doctor{timed: true, behind: 2 * time.Second}, ms(-1980, -1990), stateOK, "p50 10ms"},
		{doctor{}, ms(-1980, -1990), stateWarn, "the clock of this machine is behind"},
		{doctor{timed: true}, ms(1500, 1600), stateWarn, "the network or this machine is slow: run nearer"},
		{doctor{}, ms(1500, 1600), stateWarn, "or its clock is ahead, which was not checked"},
		{doctor{own: true}, []time.Duration{48 * time.Hour}, stateSkip, "the messages have the times of their recording"},
	} {
		f := tc.d.judgeDelay(p, tc.delays)
		if f.State != tc.state || !strings.Contains(f.line(), tc.want) {
			t.Errorf("got %s, want %s, %s", f.line(), tc.state, tc.want)
		}
	}
}

func TestDoctorOverAReplay(t *testing.T) {
	dir := captureOf(t, "linear", bookFrames("BTCUSDT", 200, 5))
	r := startReplay(t, dir, "--loop")
	o := bywire(t, "doctor", "--ws", r.ws, "--for", "300ms").want(t, exitOK)
	var lines []string
	for _, line := range strings.Split(strings.TrimSpace(o.stdout), "\n") {
		lines = append(lines, strings.Join(strings.Fields(line)[:3], " "))
	}
	const want = "ok tcp 127.0.0.1:PORT:|skip rest REST:|skip clock this|skip key API|skip websocket spot:|ok websocket linear:|skip websocket inverse:|" +
		"skip websocket option:|skip websocket spread:|skip websocket rfq:|skip websocket status:|skip websocket finance:|skip delay linear:"
	got := strings.Replace(strings.Join(lines, "|"), strings.TrimPrefix(r.ws, "ws://127.0.0.1:"), "PORT", 1)
	if got != want {
		t.Errorf("lines\n got %s\nwant %s\n%s", got, want, o.stdout)
	}
	if !strings.Contains(o.stdout, "REST: no server given; add --rest URL") {
		t.Errorf("without REST:\n%s", o.stdout)
	}

	var all []finding
	o = bywire(t, "doctor", "--ws", r.ws, "--for", "300ms", "-o", "json", "--category", "linear", "publicTrade.BTCUSDT").want(t, exitOther)
	if err := json.Unmarshal([]byte(o.stdout), &all); err != nil {
		t.Fatal(err)
	}
	last := all[len(all)-1]
	if last.Check != "websocket" || last.State != stateFail || last.Ms["connect"] <= 0 || !strings.Contains(last.Detail, "publicTrade.BTCUSDT refused: error:handler not found,topic:publicTrade.BTCUSDT") {
		t.Errorf("a topic that is not there: %+v", last)
	}
	if o.stderr != "bywire: doctor: 1 check failed\n" {
		t.Errorf("says %s", o.stderr)
	}
	r.stop(t)
	o = bywire(t, "doctor", "--ws", r.ws).want(t, exitNetwork)
	if !strings.HasPrefix(o.stdout, "fail  tcp        "+strings.TrimPrefix(r.ws, "ws://")+": refused: nothing listens there; start the server, such as: bywire replay DIR\n") {
		t.Errorf("without a server:\n%s", o.stdout)
	}
}

func TestDoctorTellsOfAProxy(t *testing.T) {
	all := examined(t, nil, func(d *doctor) {
		d.getenv = func(name string) string { return map[string]string{"HTTPS_PROXY": "http://proxy:3128"}[name] }
		d.dial = func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no route") }
	})
	wantLine(t, all, "proxy", stateWarn, "HTTPS_PROXY: is set, and bywire connects directly all the same")
	wantLine(t, all, "tcp", stateFail, "no connection: no route")
}

func TestWrongDoctorGetsOneLine(t *testing.T) {
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"--for", "0s"}, "--for 0s: give a duration from 1ms to 1h"},
		{[]string{"--category", "margin"}, "--category margin: no such category; there are spot, linear, inverse, option, spread, rfq, status, finance"},
		{[]string{"--category", "/v5/public/new"}, "doctor: name a topic of /v5/public/new, like: bywire doctor --category /v5/public/new TOPIC"},
		{[]string{"-o", "yaml"}, "-o yaml: no such format; there are text, json"},
		{[]string{"order"}, "order is a private topic; bywire stream shows public data: bywire topics lists it"},
	} {
		o := bywire(t, append([]string{"doctor"}, tc.args...)...)
		if o.code != exitUsage || o.stderr != "bywire: "+tc.want+"\n" || o.stdout != "" {
			t.Errorf("bywire doctor %q: got %d %s, want %s", tc.args, o.code, o.stderr, tc.want)
		}
	}
}
