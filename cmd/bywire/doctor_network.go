package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"
)

// checkHost checks name, port and TLS of a host.
func (d *doctor) checkHost(ctx context.Context, e endpoint) {
	ok := d.checkDNS(ctx, e)
	var conn net.Conn
	if ok {
		conn, ok = d.checkTCP(ctx, e)
	}
	if ok && e.secure {
		ok = d.checkTLS(ctx, e, conn)
	}
	if conn != nil {
		conn.Close()
	}
	d.broken[e.addr()] = !ok
}

func (d *doctor) checkDNS(ctx context.Context, e endpoint) bool {
	if net.ParseIP(e.host) != nil {
		return true // nothing to resolve
	}
	step, cancel := context.WithTimeout(ctx, d.wait)
	defer cancel()
	begun := d.now()
	addrs, err := d.lookup(step, e.host)
	length := d.now().Sub(begun)
	f := &finding{Check: "dns", Target: e.host, State: stateOK, network: true, Ms: map[string]float64{"lookup": inMs(length)}}
	f.Detail = fmt.Sprintf("%s in %s", counted(len(addrs), "address"), took(length))
	if err != nil {
		f.State, f.Ms = stateFail, nil
		f.Detail, f.Advice = explainDNS(err)
	}
	d.report(f)
	return err == nil
}

// explainDNS says why a name does not resolve.
func explainDNS(err error) (detail, advice string) {
	name, ok := errors.AsType[*net.DNSError](err)
	switch {
	case ok && name.IsNotFound:
		return "the name does not exist", "check the spelling of --ws and --rest; some networks and countries filter exchanges' names: ask another DNS server"
	case ok && name.IsTimeout || errors.Is(err, context.DeadlineExceeded):
		return "no answer from the DNS server", "check the network connection and the DNS server of this machine"
	}
	return "the name does not resolve: " + err.Error(), "check the network connection and the DNS server of this machine"
}

func (d *doctor) checkTCP(ctx context.Context, e endpoint) (net.Conn, bool) {
	step, cancel := context.WithTimeout(ctx, d.wait)
	defer cancel()
	begun := d.now()
	conn, err := d.dial(step, "tcp", e.addr())
	length := d.now().Sub(begun)
	f := &finding{Check: "tcp", Target: e.addr(), State: stateOK, network: true}
	if err != nil {
		f.State = stateFail
		f.Detail, f.Advice = explainTCP(err, d.own)
		d.report(f)
		return nil, false
	}
	f.Detail, f.Ms = "connected in "+took(length), map[string]float64{"connect": inMs(length)}
	d.report(f)
	return conn, true
}

// explainTCP says why there is no connection.
func explainTCP(err error, own bool) (detail, advice string) {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		if own {
			return "refused: nothing listens there", "start the server, such as: bywire replay DIR"
		}
		return "refused", "a firewall or proxy of this network refuses it: allow outgoing connections to port 443"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return "no answer", "a firewall swallows the packets, or the address is wrong: allow outgoing connections to this port"
	}
	return "no connection: " + networkReason(err), "check the network connection and the firewall"
}

// networkReason is the innermost words of a network error.
func networkReason(err error) string {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		err = op.Err
	}
	if call, ok := errors.AsType[*os.SyscallError](err); ok {
		err = call.Err
	}
	return oneLine(err.Error())
}

// checkTLS shakes hands on the connection, with any version and certificate, so
// that it can say what is wrong with them; nothing is sent afterwards.
func (d *doctor) checkTLS(ctx context.Context, e endpoint, conn net.Conn) bool {
	step, cancel := context.WithTimeout(ctx, d.wait)
	defer cancel()
	c := tls.Client(conn, &tls.Config{ServerName: e.host, InsecureSkipVerify: true, MinVersion: tls.VersionTLS10})
	begun := d.now()
	err := c.HandshakeContext(step)
	length := d.now().Sub(begun)
	f := &finding{Check: "tls", Target: e.addr(), State: stateOK, network: true}
	defer d.report(f)
	if err != nil {
		f.State = stateFail
		f.Detail, f.Advice = explainTLS(err)
		return false
	}
	f.Ms = map[string]float64{"handshake": inMs(length)}
	state := c.ConnectionState()
	leaf := state.PeerCertificates[0]
	if state.Version < tls.VersionTLS12 {
		f.State = stateFail
		f.Detail, f.Advice = explainOldTLS(state.Version, leaf)
		return false
	}
	pool := x509.NewCertPool()
	for _, between := range state.PeerCertificates[1:] {
		pool.AddCert(between)
	}
	_, err = leaf.Verify(x509.VerifyOptions{DNSName: e.host, Roots: d.roots, Intermediates: pool, CurrentTime: d.now()})
	if err != nil {
		f.State = stateFail
		f.Detail, f.Advice = explainChain(err, leaf, d.now())
		return false
	}
	left := leaf.NotAfter.Sub(d.now())
	f.Detail = fmt.Sprintf("%s in %s, certificate by %s valid for %s", tls.VersionName(state.Version), took(length), issuer(leaf), counted(int64(left/(24*time.Hour)), "day"))
	if left < 7*24*time.Hour {
		f.State, f.Advice = stateWarn, "the certificate ends soon: if the clock of this machine is right, tell whoever runs the server"
	}
	return true
}

// explainOldTLS says what speaks a version that is not safe any more.
func explainOldTLS(version uint16, leaf *x509.Certificate) (detail, advice string) {
	return tls.VersionName(version) + ", which is too old: bywire needs 1.2",
		"the venue itself speaks 1.2 and 1.3, so an old proxy or antivirus stands in between (issuer: " + issuer(leaf) + "): update it or go around it"
}

// issuer names who signed a certificate.
func issuer(leaf *x509.Certificate) string {
	if len(leaf.Issuer.Organization) > 0 {
		return leaf.Issuer.Organization[0]
	}
	return leaf.Issuer.CommonName
}

// explainTLS says why a handshake failed.
func explainTLS(err error) (detail, advice string) {
	text := err.Error()
	says := func(what string) bool { return strings.Contains(text, what) }
	switch {
	case says("remote error: tls: internal error"):
		return `the server answers with the alert "internal error" (OpenSSL: "tlsv1 alert internal error")`,
			"it has no certificate for the name it was asked for: check the host in --ws and --rest (an address has no certificate), and that no proxy or old TLS library drops the name (SNI)"
	case says("remote error: tls: unrecognized name"):
		return "the server does not know the name it was asked for", "check the host in --ws and --rest, and that no proxy changes the name (SNI)"
	case says("protocol version not supported"), says("unsupported protocol version"), says("unsupported versions"):
		return "no version of TLS in common", "an old proxy or antivirus stands in between: update it or go around it"
	case says("remote error: tls: handshake failure"):
		return `the server answers with the alert "handshake failure"`, "it shares no cipher with us, or wants a client's certificate: a proxy stands in between, go around it"
	case says("first record does not look like a TLS handshake"):
		return "what answers does not speak TLS", "a proxy or a login page of this network answers in the place of the server; for a server of your own without TLS write ws:// and http://"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return "no answer to the TLS handshake", "a firewall that filters by name lets the connection through and nothing after it: try another network"
	case says("EOF"), errors.Is(err, syscall.ECONNRESET):
		return "cut during the TLS handshake", "a firewall filters by name, or the venue refuses this network: try another network"
	}
	return "the TLS handshake failed: " + networkReason(err), "a proxy or antivirus may stand in between: go around it"
}

// explainChain says why a certificate is not accepted.
func explainChain(err error, leaf *x509.Certificate, now time.Time) (detail, advice string) {
	const day = "2006-01-02"
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		return fmt.Sprintf("the certificate is valid from %s to %s, and this machine's clock says %s", leaf.NotBefore.Format(day), leaf.NotAfter.Format(day), now.UTC().Format(day)),
			"set the clock; if it is right, the server needs a new certificate"
	}
	if name, ok := errors.AsType[x509.HostnameError](err); ok {
		names := slices.Clone(leaf.DNSNames)
		for _, ip := range leaf.IPAddresses {
			names = append(names, ip.String())
		}
		if len(names) == 0 {
			names = append(names, "no host at all") // a common name alone has not counted for years
		}
		return fmt.Sprintf("the certificate is for %s and not for %s", shortList(names, 4), name.Host),
			"check the host in --ws and --rest; a proxy that answers in its place shows its own certificate"
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "the certificate is signed by " + issuer(leaf) + ", which this machine does not trust",
			"a proxy or antivirus that reads TLS needs its root certificate installed here; a bare container needs the package ca-certificates"
	}
	return "the certificate is not accepted: " + oneLine(err.Error()), "a proxy or antivirus may stand in between: go around it"
}
