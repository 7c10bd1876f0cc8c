package exchange_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bywire/bywire/bybittest"
	"github.com/bywire/bywire/exchange"
)

// words splits a line as a shell does, as far as the documentation needs it.
func words(line string) (list []string) {
	word, quoted, begun := "", false, false
	for _, r := range line {
		switch {
		case r == '\'':
			quoted, begun = !quoted, true
		case r == ' ' && !quoted:
			if begun {
				list = append(list, word)
			}
			word, begun = "", false
		default:
			word += string(r)
			begun = true
		}
	}
	if begun {
		list = append(list, word)
	}
	return list
}

// requestOf is the request that a curl line makes.
func requestOf(t *testing.T, line string) *http.Request {
	t.Helper()
	method, url, body := http.MethodGet, "", ""
	args := words(line)[1:]
	for i := 0; i < len(args); i++ {
		switch args[i] {
		case "-X", "-d", "-o":
			if i+1 == len(args) {
				t.Fatalf("%s: %s without a value", line, args[i])
			}
			switch args[i] {
			case "-X":
				method = args[i+1]
			case "-d":
				body = args[i+1]
			}
			i++
		default:
			if url != "" || strings.HasPrefix(args[i], "-") {
				t.Fatalf("%s: what is %s?", line, args[i])
			}
			url = args[i]
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// curlLines are the lines of a page that begin with curl.
func curlLines(t *testing.T, page string) (lines []string) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "curl ") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

// ask answers a request and returns the status and the body.
func ask(x http.Handler, r *http.Request) (int, string, http.Header) {
	w := httptest.NewRecorder()
	x.ServeHTTP(w, r)
	return w.Code, w.Body.String(), w.Header()
}

// Each curl line of docs/control.md works, in the order of the page, and each call has one.
func TestControlPage(t *testing.T) {
	x := bybittest.NewExchange(t, one())
	left := exchange.ControlCalls()
	fork := ""
	for _, line := range curlLines(t, "../docs/control.md") {
		r := requestOf(t, strings.Replace(line, `"listen":"127.0.0.1:8788"`, `"listen":"127.0.0.1:0"`, 1))
		left = slices.DeleteFunc(left, func(call string) bool { return call == r.Method+" "+r.URL.Path })
		if r.URL.Host == "127.0.0.1:8788" {
			r.URL.Host, r.Host = fork, fork
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			text, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil || resp.StatusCode != http.StatusOK {
				t.Errorf("%s: status %d, %v: %s", line, resp.StatusCode, err, text)
			}
			continue
		}
		status, text, header := ask(x, r)
		if status != http.StatusOK {
			t.Errorf("%s\nstatus %d: %s", line, status, text)
			continue
		}
		if header.Get("Content-Type") == "application/octet-stream" {
			continue
		}
		var answer struct{ Listen string }
		if err := json.Unmarshal([]byte(text), &answer); err != nil {
			t.Errorf("%s\n%v: %s", line, err, text)
		}
		if answer.Listen != "" {
			fork = answer.Listen
		}
	}
	if len(left) > 0 {
		t.Errorf("docs/control.md has no curl line for %v", left)
	}
}

func post(x http.Handler, call, body string) (int, string) {
	r := httptest.NewRequest(http.MethodPost, "/control/v1/"+call, strings.NewReader(body))
	r.Host = "localhost"
	status, text, _ := ask(x, r)
	return status, text
}

func TestControlRefusals(t *testing.T) {
	x := bybittest.NewExchange(t, one())
	for _, test := range []struct {
		call, body string
		status     int
		want       string
	}{
		{"clock", `{"advence":"60s"}`, 400, `no field "advence": clock has advance, pause, speed, mode, quantum, silence`},
		{"clock", `{"Advance":"60s"}`, 400, `no field "Advance"`},
		{"clock", `{"advance":60}`, 400, `advance: 60: a duration in quotes, such as 500ms, 60s or 24h`},
		{"clock", `{"advance":"60"}`, 400, `advance: "60": a duration in quotes`},
		{"clock", `{"advance":null}`, 400, `advance: null is no value; leave it out or give one`},
		{"clock", `{"advance":"0s"}`, 400, `advance 0s: above 0 and at most 10000h0m0s at a time`},
		{"clock", `{"advance":"20000h"}`, 400, `advance 20000h0m0s: above 0 and at most`},
		{"clock", `{"pause":"yes"}`, 400, `pause: true or false, not "yes"`},
		{"clock", `{"speed":0}`, 400, `speed 0: from 0.001 to 1000000 times the wall clock`},
		{"clock", `{"speed":"x"}`, 400, `speed: a number, such as 10, not "x"`},
		{"clock", `{"quantum":"0s"}`, 400, `quantum 0s: above 0 and at most 1h0m0s`},
		{"clock", `{"silence":"-1ms"}`, 400, `silence -1ms: from 0s, which is not to wait for silence, to 1m0s`},
		{"clock", `{"silence":20}`, 400, `silence: 20: a duration in quotes`},
		{"clock", `{"mode":"fast"}`, 400, `one of live, step, max`},
		{"clock", `{"mode":"live","speed":3}`, 400, `speed and mode: give one of them`},
		{"clock", ``, 400, `say what the clock is to do`},
		{"clock", `[1]`, 400, `the body is no JSON object`},
		{"clock", `null`, 400, `the body is no JSON object`},
		{"clock", `{"pause":true} {}`, 400, `the body is no JSON object`},
		{"clock", `{"pause":true`, 400, `the body is no JSON object`},
		{"regime", `{"regime":"wild"}`, 400, `normal, calm, trend-up, trend-down, volatile, thin, gap, flash-crash, cascade`},
		{"regime", `{}`, 400, `regime "": one of normal, calm`},
		{"regime", `{"regime":"calm","coin":"DOGGO"}`, 400, `coin "DOGGO": one whose price moves, of `},
		{"shock", `{"coin":"BTC"}`, 400, `percent: how far the price is to move, such as -5 or 2.5`},
		{"shock", `{"percent":-200}`, 400, `percent -200: from -99 to 1000`},
		{"shock", `{"percent":"abc"}`, 400, `percent: a number, such as -5 or 2.5, not "abc"`},
		{"shock", `{"percent":1,"over":"soon"}`, 400, `over: "soon": a duration in quotes`},
		{"shock", `{"percent":1,"coin":"btc"}`, 200, ``},
		{"regime", `{"regime":"calm","coin":"btc"}`, 200, ``},
		{"shock", `{"percent":1,"coin":"DOGGO"}`, 400, `coin "DOGGO": one whose price moves, of `},
		{"halt", `{"symbols":["BTCUSD"]}`, 400, `no instrument "BTCUSD"; GET /v5/market/instruments-info`},
		{"halt", `{"symbols":["BTCUSDT"],"category":"inverse"}`, 400, `no inverse instrument "BTCUSDT"`},
		{"halt", `{"category":"futures"}`, 400, `no instruments of category "futures": spot, linear, inverse, option or spread`},
		{"halt", `{"symbols":"BTCUSDT"}`, 400, `symbols: a list, such as ["BTCUSDT"], not "BTCUSDT"`},
		{"maintenance", `{}`, 400, `it has no title`},
		{"maintenance", `{"title":"t","state":"soon"}`, 400, `one of scheduled, ongoing, completed, canceled, not "soon"`},
		{"maintenance", `{"title":"t","begin":"soon"}`, 400, `begin: a time, such as "2026-01-01T08:00:00Z", not "soon"`},
		{"maintenance", `{"title":"t","for":"-1h"}`, 400, `for -1h0m0s: a duration above 0`},
		{"maintenance", `{"title":"t","products":"spot"}`, 400, `products: a list of the venue's codes, such as [1,2], not "spot"`},
		{"maintenance", `{"title":"t","end":"1h"}`, 400, `no field "end": maintenance has id, title, state, begin, for`},
		{"block", `{}`, 400, `no block trade: 0 legs, of 1 to 25`},
		{"block", `{"legs":[{"category":"linear","symbol":"NOPE","side":"Buy","qty":"1"}]}`, 400, `leg 1: linear NOPE: no such instrument`},
		{"block", `{"legs":[{"category":"linear","symbol":"BTCUSDT","side":"buy","qty":"1"}]}`, 400, `side "buy" is not Buy or Sell`},
		{"block", `{"legs":[{"category":"linear","symbol":"BTCUSDT","side":"Buy","qty":"1.0001"}]}`, 400, `qty 1.0001 of BTCUSDT is no multiple of its step of 0.001`},
		{"block", `{"legs":[{"category":"linear","symbol":"BTCUSDT","side":"Buy","qty":"1","price":"90000.01"}]}`, 400, `price 90000.01 of BTCUSDT is no multiple of its tick of 0.1`},
		{"block", `{"legs":[{"category":"linear","symbol":"BTCUSDT","side":"Buy"}]}`, 400, `leg 1`},
		{"block", `{"legs":[{"category":"linear","symbol":"BTCUSDT","side":"Buy","size":"1"}]}`, 400, `legs: each is such as {"category":"linear","symbol":"BTCUSDT"`},
		{"block", `{"strategy":"","legs":[{"category":"linear","symbol":"BTCUSDT","side":"Buy","qty":"1"}]}`, 400, `a strategy's name has 1 to 100 bytes`},
		{"faults", `{"kind":"skip","n":1}`, 400, `no field "n": faults has kind, topic`},
		{"faults", `{"kind":"skip","count":1.5}`, 400, `count: a whole number, not 1.5`},
		{"faults", `{"kind":"burn"}`, 400, `kind "burn": one of skip, duplicate`},
		{"snapshot", `{"name":"../x"}`, 400, `name "../x": 1 to 64 letters`},
		{"restore", `{"name":"never"}`, 404, `no snapshot "never": none was taken`},
		{"reset", `{"seed":1}`, 400, `no field "seed": reset takes none`},
		{"fork", `{"listen":"0.0.0.0:0"}`, 400, `a loopback address, since this exchange demands no token`},
		{"fork", `{"listen":"example.com:80"}`, 400, `an IP address and a port`},
		{"stop", ``, 409, `this exchange is no fork`},
		{"nothing", ``, 404, `no such call: /control/v1/nothing; there are state, clock`},
		{"state", ``, 405, `the method is GET`},
		{"clock", `{"advance":"` + strings.Repeat("1", 1<<20) + `"}`, 413, `longer than 1 MB`},
	} {
		status, text := post(x, test.call, test.body)
		var answer struct{ Error string }
		if err := json.Unmarshal([]byte(text), &answer); err != nil {
			t.Errorf("%s %.80s: %v: %s", test.call, test.body, err, text)
		}
		if status != test.status || !strings.Contains(answer.Error, test.want) {
			t.Errorf("%s %.80s: status %d %s\nwant %d %s", test.call, test.body, status, answer.Error, test.status, test.want)
		}
		if strings.Contains(answer.Error, "exchange: ") || strings.Contains(answer.Error, "Go ") || len(answer.Error) > 400 {
			t.Errorf("%s %.80s: not in plain words: %s", test.call, test.body, answer.Error)
		}
	}
}

// What the call of the clock answers: the time, and what it runs by.
func TestControlClock(t *testing.T) {
	x := bybittest.NewExchange(t, one())
	for _, test := range []struct{ body, want string }{
		{`{"advance":"90s"}`, `{"time":"2026-01-01T00:01:30Z","clock":{"mode":"step","paused":false,"quantum":"10ms","silence":"0s"},"late":[]}`},
		{`{"pause":true}`, `{"time":"2026-01-01T00:01:30Z","clock":{"mode":"step","paused":true,"quantum":"10ms","silence":"0s"},"late":[]}`},
		{`{"quantum":"1s"}`, `{"time":"2026-01-01T00:01:30Z","clock":{"mode":"step","paused":true,"quantum":"1s","silence":"0s"},"late":[]}`},
		{`{"mode":"step","silence":"5ms","advance":"1s"}`, `{"time":"2026-01-01T00:01:31Z","clock":{"mode":"step","paused":false,"quantum":"1s","silence":"5ms"},"late":[]}`},
		{`{"speed":0.001,"pause":true,"quantum":"20ms"}`, `{"time":"2026-01-01T00:01:31Z","clock":{"mode":"scaled","speed":0.001,"paused":true,"quantum":"20ms","silence":"5ms"},"late":[]}`},
	} {
		status, text := post(x, "clock", test.body)
		var compact bytes.Buffer
		if err := json.Compact(&compact, []byte(text)); err != nil || status != 200 || compact.String() != test.want {
			t.Errorf("%s: status %d %s %v\nwant %s", test.body, status, compact.String(), err, test.want)
		}
	}
}

// At whatever time it begins, there is a market at the first moment: books, prices, and what a subscriber gets.
func TestNoMomentWithoutAMarket(t *testing.T) {
	for _, start := range []time.Time{{}, time.Date(2026, 3, 4, 5, 6, 7, 123_456_789, time.UTC)} {
		x := bybittest.NewExchange(t, &exchange.Config{Start: start, Clock: exchange.Step, Symbols: []string{"linear:BTCUSDT"}})
		for path, part := range map[string]string{
			"/v5/market/orderbook?category=linear&symbol=BTCUSDT": `"b":[["`,
			"/v5/market/tickers?category=linear&symbol=BTCUSDT":   `"bid1Price":"8`,
		} {
			r := httptest.NewRequest(http.MethodGet, path, http.NoBody)
			r.Host = "localhost"
			if status, text, _ := ask(x, r); status != 200 || !strings.Contains(text, part) {
				t.Errorf("start %s: %s: status %d %.300s", start, path, status, text)
			}
		}
	}
}
