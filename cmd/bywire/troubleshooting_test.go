package main

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange"
	"github.com/bywire/bywire/internal/session"
	"github.com/bywire/bywire/internal/wire"
)

// said are the texts that docs/troubleshooting.md quotes, each made by the code
// that prints it.
func said(t *testing.T) []string {
	t.Helper()
	const books = "orderbook.50.BTCUSDT"
	linear := func(err error) string { return "bywire: " + connectError(bybit.Mainnet(), bybit.Linear, err).Error() }
	refused := func(ch bybit.Channel, topic, message string) string {
		return "bywire: " + connectError(bybit.Mainnet(), ch, &bybit.RejectedError{Topic: bybit.RawTopic(topic), Message: message}).Error()
	}
	failing := func(check, target string, detail, advice string) string {
		return (&finding{Check: check, Target: target, State: stateFail, Detail: detail, Advice: advice}).line()
	}
	proxy := &x509.Certificate{Issuer: pkix.Name{Organization: []string{"Corner Proxy"}}}
	var lines []string
	add := func(line string) { lines = append(lines, line) }

	alert := &net.OpError{Op: "remote error", Err: tls.AlertError(80)}
	detail, advice := explainTLS(alert)
	add(failing("tls", "stream.bybit.com:443", detail, advice))
	add(linear(alert))
	detail, advice = explainChain(x509.UnknownAuthorityError{Cert: proxy}, proxy, time.Now())
	add(failing("tls", "stream.bybit.com:443", detail, advice))
	detail, advice = explainOldTLS(tls.VersionTLS11, proxy)
	add(failing("tls", "stream.bybit.com:443", detail, advice))

	add(linear(&bybit.HandshakeError{Status: http.StatusForbidden}))
	detail, advice = explainStatus(http.StatusForbidden, "", false)
	add(failing("websocket", "linear", detail, advice))
	for _, body := range []string{"block access from your country", "access too frequent"} {
		detail, advice = explainStatus(http.StatusForbidden, body, false)
		add(failing("rest", "https://api.bybit.com", detail, advice))
	}

	add(refused(bybit.Linear, "publicTrades.BTCUSDT", wire.MessageNotFound("publicTrades.BTCUSDT")))
	add(refused(bybit.Spot, "tickers.NOSUCH", wire.MessageInvalidSymbol("tickers.NOSUCH")))
	add(noticeOf(&bybit.RejectedEvent{Topic: bybit.Tickers("NOSUCH"), Err: &bybit.RejectedError{Topic: bybit.Tickers("NOSUCH"), Message: wire.MessageNotFound("tickers.NOSUCH")}}))
	for _, topic := range []string{"publicTrades.BTCUSDT", "orderbook.500.BTCUSDT", "orderbook.51.BTCUSDT"} {
		add(strings.TrimSuffix(bywire(t, "stream", topic).want(t, exitUsage).stderr, "\n"))
	}
	add(string(wire.AppendReply(nil, wire.FamilySpot, &wire.Reply{Op: wire.OpSubscribe, Message: wire.MessageArgsSize(wire.Spot.Limits().ArgsPerRequest), ConnID: "0"})))

	add(noticeOf(&bybit.GapEvent{Topic: bybit.OrderBook(50, "BTCUSDT"), Reason: bybit.GapDisconnected, Err: session.ErrDeadPeer}))
	add(noticeOf(&bybit.SilentEvent{Topic: bybit.OrderBook(50, "BTCUSDT"), Since: time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC), Expected: 10 * time.Second}))
	f := &finding{Check: "websocket", Target: "linear"}
	d := doctor{length: 5 * time.Second}
	d.judgeProbe(f, probe{channel: wire.Linear, topic: books}, &probed{connect: 80 * time.Millisecond, ack: 30 * time.Millisecond, acked: true, reply: wire.Reply{Success: true}})
	add(f.line())

	sent := time.Unix(1000, 0)
	for _, ahead := range []time.Duration{3 * time.Second, 700 * time.Millisecond} {
		add(d.judgeClock([]timeSample{{sent: sent, got: sent.Add(20 * time.Millisecond), server: sent.Add(10*time.Millisecond - ahead)}}).line())
	}
	add(noticeOf(&bybit.GapEvent{Topic: bybit.Trades("BTCUSDT"), Reason: bybit.GapOverflow, Dropped: 1204}))
	lines = append(lines, saidOfCalls()...)
	return append(lines, saidByTheExchange(t)...)
}

// saidByTheExchange are what the local exchange refuses with.
func saidByTheExchange(t *testing.T) (lines []string) {
	t.Helper()
	x, err := exchange.New(&exchange.Config{Clock: exchange.Step, Symbols: []string{"linear:BTCUSDT"}})
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	ask := func(method, url string) string {
		w := httptest.NewRecorder()
		x.ServeHTTP(w, httptest.NewRequest(method, url, http.NoBody))
		return "HTTP " + strconv.Itoa(w.Code) + ": " + strings.TrimSuffix(w.Body.String(), "\n")
	}
	lines = append(lines, ask("GET", "http://localhost/v5/private"), ask("POST", "http://localhost/v5/order/create"),
		ask("GET", "http://box.lan/v5/market/time"))
	for range 600 {
		ask("GET", "http://localhost/v5/market/time")
	}
	return append(lines, ask("GET", "http://localhost/v5/market/time"))
}

// saidOfCalls are those of calls over REST.
func saidOfCalls() (lines []string) {
	const place, tickers = "POST /v5/order/create", "GET /v5/market/tickers"
	mainnet := bybit.Mainnet()
	for _, err := range []error{
		&bybit.UnknownError{Op: place, Ref: bybit.OrderRef{Category: bybit.Spot, Symbol: "BTCUSDT", LinkID: "first-1"}, Err: errors.New("no reply came")},
		&bybit.LimitError{Op: place, Scope: bybit.LimitAccount, Calls: 10, Per: time.Second, RetryAfter: 700 * time.Millisecond},
		&bybit.LimitError{Op: tickers, Scope: bybit.LimitAddress, Calls: 600, Per: 5 * time.Second, RetryAfter: 2 * time.Second},
		&bybit.LimitError{Op: tickers, Scope: bybit.LimitBan, RetryAfter: 9 * time.Minute},
	} {
		lines = append(lines, "bywire: "+oneLine(explained(err, &mainnet).Error()))
	}
	return lines
}

// quotedLines are the lines in boxes of a document.
func quotedLines(text string) (lines []string) {
	inside := false
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, "```"):
			inside = !inside
		case inside:
			lines = append(lines, line)
		}
	}
	return lines
}

// What the page says that bywire prints is what it prints, and all of it is there.
func TestTroubleshootingQuotesWhatIsPrinted(t *testing.T) {
	text, err := os.ReadFile("../../docs/troubleshooting.md")
	if err != nil {
		t.Fatal(err)
	}
	quotes, made := quotedLines(string(text)), said(t)
	if len(quotes) == 0 {
		t.Fatal(errors.New("the page quotes nothing"))
	}
	missing := func(from, in []string, say string) {
		for _, line := range from {
			found := false
			for _, other := range in {
				found = found || line == other
			}
			if !found {
				t.Errorf("%s:\n%s", say, line)
			}
		}
	}
	missing(quotes, made, "docs/troubleshooting.md quotes what nothing prints")
	missing(made, quotes, "docs/troubleshooting.md does not quote")
}

// The page's table of exit codes has those that there are.
func TestTroubleshootingListsTheExitCodes(t *testing.T) {
	text, err := os.ReadFile("../../docs/troubleshooting.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "## Exit codes")
	var listed []int
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) < 3 {
			continue
		}
		if code, err := strconv.Atoi(strings.TrimSpace(cells[1])); err == nil {
			listed = append(listed, code)
		}
	}
	want := []int{exitOK, exitOther, exitUsage, exitAuth, exitRefused, exitRateLimited, exitNetwork, exitUnknown, exitDamage, exitInterrupted}
	if !slices.Equal(listed, want) {
		t.Errorf("the page lists %v, there are %v", listed, want)
	}
}
