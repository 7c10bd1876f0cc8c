package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bywire/bywire/internal/wire"
)

// clockSamples is how often the venue is asked for its time.
const clockSamples = 5

// The bounds of a request's timestamp: the venue takes it if
// server - recv_window <= timestamp < server + 1 s. V5 page: guide.
const (
	clockAhead  = time.Second
	clockBehind = 5 * time.Second // the default recv_window
	clockWarn   = 250 * time.Millisecond
)

// checkREST asks the venue for its time: the status tells whether we are let
// in, the answers tell the difference of the clocks.
func (d *doctor) checkREST(ctx context.Context) {
	const noClock = "not checked without REST"
	f := &finding{Check: "rest", Target: d.env.RESTURL, State: stateSkip}
	clock := &finding{Check: "clock", Target: "this machine", State: stateSkip, Detail: noClock}
	switch {
	case d.env.RESTURL == "":
		f.Target, f.Detail, f.Advice = "REST", "no server given", "add --rest URL if there is one; a replay has none"
	case d.unreachable(d.env.RESTURL):
		f.Detail = "not tried: the host cannot be reached, see above"
	default:
		samples, answer := d.askTime(ctx)
		*f = *answer
		if len(samples) > 0 {
			clock = d.judgeClock(samples)
		}
	}
	d.report(f)
	d.report(clock)
}

// timeSample is one answer: our clock before and after, and the venue's.
type timeSample struct{ sent, got, server time.Time }

// askTime gets the venue's time several times over one connection.
func (d *doctor) askTime(ctx context.Context) ([]timeSample, *finding) {
	f := &finding{Check: "rest", Target: d.env.RESTURL, State: stateFail, network: true}
	transport := &http.Transport{DialContext: d.dial, TLSClientConfig: &tls.Config{RootCAs: d.roots, MinVersion: tls.VersionTLS12}, MaxResponseHeaderBytes: 64 << 10}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: d.wait}
	var samples []timeSample
	for range clockSamples + 1 { // the first one opens the connection and is not counted
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.env.RESTURL+"/v5/market/time", http.NoBody)
		if err != nil {
			f.Detail = oneLine(err.Error())
			return nil, f
		}
		sent := d.now()
		resp, err := client.Do(req)
		got := d.now()
		if err != nil {
			f.Detail, f.Advice = "no answer: "+networkReason(err), "check the network connection; the venue may be down: bywire stream system.status --env "+d.env.Name
			if d.own {
				f.Advice = "see whether --rest is the address of an HTTP server that runs"
			}
			return nil, f
		}
		body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
		resp.Body.Close()
		server, parsed := serverTime(body)
		switch {
		case resp.StatusCode != http.StatusOK:
			f.network = resp.StatusCode >= 500
			f.Detail, f.Advice = explainStatus(resp.StatusCode, string(body), d.own)
			if d.own && resp.StatusCode == http.StatusNotFound {
				f.State = stateSkip
			}
			return nil, f
		case err != nil || !parsed:
			f.network = false
			f.Detail, f.Advice = "HTTP 200, and what came is no answer of V5", "a proxy or a login page of this network answers in the place of the server"
			return nil, f
		}
		samples = append(samples, timeSample{sent, got, server})
	}
	samples = samples[1:]
	trips := make([]time.Duration, len(samples))
	for i, s := range samples {
		trips[i] = s.got.Sub(s.sent)
	}
	slices.Sort(trips)
	trip := trips[len(trips)/2]
	f.State, f.Detail, f.Ms = stateOK, "HTTP 200, a round trip takes "+took(trip), map[string]float64{"roundTrip": inMs(trip)}
	return samples, f
}

// serverTime reads the answer of /v5/market/time.
func serverTime(body []byte) (time.Time, bool) {
	var answer struct {
		Result struct{ TimeNano string }
		Time   int64
	}
	if json.Unmarshal(body, &answer) != nil {
		return time.Time{}, false
	}
	if ns, err := strconv.ParseInt(answer.Result.TimeNano, 10, 64); err == nil && ns > 0 {
		return time.Unix(0, ns), true
	}
	return time.UnixMilli(answer.Time), answer.Time > 0
}

// explainStatus says what an HTTP status means here, of a REST call and of a
// WebSocket handshake alike.
func explainStatus(status int, body string, own bool) (detail, advice string) {
	line, _, _ := strings.Cut(strings.TrimSpace(body), "\n")
	line = strings.TrimSpace(line)
	detail = fmt.Sprintf("HTTP %d", status)
	why := wire.WhyForbidden(body)
	switch {
	case own && status == http.StatusNotFound:
		return detail + ": this server does not have it", ""
	case status == http.StatusForbidden && why == wire.ForbiddenCountry:
		return detail + ": the venue does not serve the country of this address",
			"use the venue of your country (--env tr, nl, eu ...; bywire doctor --help lists them) or run where it is allowed"
	case status == http.StatusForbidden && why == wire.ForbiddenBan:
		return detail + ": this address is banned for too many requests",
			stopOthers
	case status == http.StatusForbidden:
		return detail + ": refused by region, or this address is banned for too many requests",
			banOrSite
	case status == http.StatusTooManyRequests:
		return detail + ": too many requests from this address", "stop other programs on this address and wait a minute"
	case status >= 500:
		return detail + ": the server has a problem", "wait and try again; announced maintenance is in: bywire stream system.status"
	case status == http.StatusNotFound:
		return detail + ": the server does not know the path", "check the host in --ws and --rest"
	}
	if len(line) > 80 {
		line = strings.ToValidUTF8(line[:80], "")
	}
	if line != "" {
		detail += ": " + line
	}
	return detail, "a proxy may answer in the place of the server"
}

// judgeClock compares the clocks.
func (d *doctor) judgeClock(samples []timeSample) *finding {
	offsets := make([]time.Duration, len(samples))
	best := samples[0].got.Sub(samples[0].sent)
	for i, s := range samples {
		// The venue read its clock between the two, in the middle as far as
		// anybody knows.
		trip := s.got.Sub(s.sent)
		offsets[i] = s.server.Sub(s.sent.Add(trip / 2))
		best = min(best, trip)
	}
	slices.Sort(offsets)
	d.behind, d.timed = offsets[len(offsets)/2], true
	f := &finding{Check: "clock", Target: "this machine", State: stateOK, Ms: map[string]float64{"behind": inMs(d.behind), "uncertain": inMs(best / 2)}}
	size := d.behind.Abs()
	word := "behind"
	if d.behind < 0 {
		word = "ahead of"
	}
	f.Detail = fmt.Sprintf("%s %s the venue, give or take %s", took(size), word, took(best/2))
	const set = "let this machine follow a time server (NTP)"
	switch {
	case d.behind <= -clockAhead || d.behind >= clockBehind:
		f.State, f.Advice = stateFail, set+": signed requests would be refused (10002)"
	case size > max(clockWarn, best):
		f.State, f.Advice = stateWarn, set+": at 1 s ahead or 5 s behind signed requests are refused (10002)"
	}
	return f
}
