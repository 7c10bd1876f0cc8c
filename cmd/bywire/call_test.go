package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/internal/endpoints"
)

// A key and its secret that no output may have.
const (
	testKey    = "Kq7wTESTKEY4zXbN01"
	testSecret = "s3cretS3cretTESTs3cretS3cret0000"
)

// signedVenue answers calls with fixed replies, the clock's samples apart.
type signedVenue struct {
	*httptest.Server
	mu   sync.Mutex // guards seen
	seen []string   // method, path and query, body: of all but the clock's samples
	sign []string   // their signatures
}

func newSignedVenue(t *testing.T, status int, reply string) *signedVenue {
	t.Helper()
	v := &signedVenue{}
	clock := timeServer(0)
	v.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v5/market/time" {
			clock.ServeHTTP(w, r)
			return
		}
		body, _ := io.ReadAll(r.Body)
		v.mu.Lock()
		v.seen = append(v.seen, strings.TrimSpace(r.Method+" "+r.RequestURI+" "+string(body)))
		v.sign = append(v.sign, r.Header.Get("X-Bapi-Sign"))
		v.mu.Unlock()
		w.Header().Set("X-Bapi-Limit", "10")
		w.Header().Set("X-Bapi-Limit-Status", "9")
		w.WriteHeader(status)
		fmt.Fprint(w, reply)
	}))
	t.Cleanup(v.Close)
	return v
}

func (v *signedVenue) requests() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append([]string(nil), v.seen...)
}

// setKey puts the test's key into the process's environment.
func setKey(t *testing.T, key, secret string) {
	t.Helper()
	t.Setenv("BYBIT_API_KEY", key)
	t.Setenv("BYBIT_API_SECRET", secret)
	t.Setenv("BYBIT_PRIVATE_KEY_PATH", "")
}

// quiet fails if the output has the key, the secret, or a signature that the venue saw.
func (o outcome) quiet(t *testing.T, v *signedVenue) outcome {
	t.Helper()
	hidden := []string{testKey, testSecret}
	if v != nil {
		v.mu.Lock()
		hidden = append(hidden, v.sign...)
		v.mu.Unlock()
	}
	for _, secret := range hidden {
		if secret != "" && strings.Contains(o.stdout+o.stderr, secret) {
			t.Errorf("the output has %s:\n%s%s", secret, o.stdout, o.stderr)
		}
	}
	return o
}

const success = `{"retCode":0,"retMsg":"OK","result":{"a":"1.50",  "b":[ ]},"retExtInfo":{"list":[{"code":0,"msg":"OK"}]},"time":1700000000000}`

// What is sent is what was said, and what is printed is what came, to the byte.
func TestCallSendsAndPrints(t *testing.T) {
	setKey(t, testKey, testSecret)
	for _, tc := range []struct{ args, sent string }{
		{"GET /v5/market/tickers category=linear symbol=BTCUSDT", "GET /v5/market/tickers?category=linear&symbol=BTCUSDT"},
		{"get /v5/market/time", ""},
		{"GET /v5/account/info", "GET /v5/account/info"},
		{"POST /v5/order/create category=spot symbol=BTCUSDT side=Buy orderType=Limit qty=0.0010 price=5e4 isLeverage=true reduceOnly=0 closeOnTrigger=1 bboLevel=1",
			`POST /v5/order/create {"category":"spot","symbol":"BTCUSDT","side":"Buy","orderType":"Limit","qty":"0.0010","price":"5e4","isLeverage":1,"reduceOnly":false,"closeOnTrigger":true,"bboLevel":"1"}`},
		{"POST /v5/user/frozen-sub-member subuid=1 frozen=false", `POST /v5/user/frozen-sub-member {"subuid":1,"frozen":0}`},
		{"POST /v5/order/amend category=spot symbol=BTCUSDT orderId=1 price=\"\" qty=null", `POST /v5/order/amend {"category":"spot","symbol":"BTCUSDT","orderId":"1","price":"","qty":null}`},
		{`POST /v5/order/cancel-batch category=linear request=[{"symbol":"BTCUSDT","orderId":"x-1"}]`, `POST /v5/order/cancel-batch {"category":"linear","request":[{"symbol":"BTCUSDT","orderId":"x-1"}]}`},
		{"GET /v5/market/kline category=linear symbol=BTCUSDT interval=D start=2026-01-31 end=1769904000000", "GET /v5/market/kline?category=linear&symbol=BTCUSDT&interval=D&start=1769817600000&end=1769904000000"},
	} {
		v := newSignedVenue(t, http.StatusOK, success)
		o := bywire(t, append(append([]string{"call"}, strings.Fields(tc.args)...), "--rest", v.URL)...).want(t, exitOK).quiet(t, v)
		if tc.sent == "" {
			continue
		}
		if got := strings.Join(v.requests(), "\n"); got != tc.sent {
			t.Errorf("%s\nsent %s\nwant %s", tc.args, got, tc.sent)
		}
		if o.stdout != success+"\n" || o.stderr != "" {
			t.Errorf("%s prints %s%s", tc.args, o.stdout, o.stderr)
		}
		if signed := v.sign[0] != ""; signed != !strings.Contains(tc.sent, "/market/") {
			t.Errorf("%s: signed %t", tc.args, signed)
		}
	}
}

// On a terminal a reply is indented, and cannot steer it.
func TestReplyOnATerminal(t *testing.T) {
	var out strings.Builder
	a := newApp(strings.NewReader(""), &out, io.Discard)
	a.terminal = true
	if err := a.printReply([]byte("{\"a\":1.50,\"b\":\"\u009b1m\"}\n")); err != nil {
		t.Fatal(err)
	}
	if want := "{\n  \"a\": 1.50,\n  \"b\": \"\\u009b1m\"\n}\n"; out.String() != want {
		t.Errorf("printed %q, want %q", out.String(), want)
	}
}

func TestCallRefusesBeforeItSends(t *testing.T) {
	setKey(t, "", "")
	v := newSignedVenue(t, http.StatusOK, success)
	const create = "POST /v5/order/create category=spot symbol=BTCUSDT side=Buy orderType=Limit"
	for _, tc := range []struct {
		args string
		want string
		code int
	}{
		{"", "call: method and path missing, like: bywire call GET /v5/market/tickers category=linear symbol=BTCUSDT", exitUsage},
		{"/v5/market/time", "call: /v5/market/time: the method goes first, like: bywire call GET /v5/market/tickers category=linear symbol=BTCUSDT", exitUsage},
		{"PUT /v5/market/time", "call: PUT: no method; the API has GET and POST", exitUsage},
		{"GET", "call: path missing, like: bywire call GET /v5/market/tickers category=linear symbol=BTCUSDT", exitUsage},
		{"GET /v5/order/create", "call: /v5/order/create has the method POST", exitUsage},
		{"GET /v5/market/ticker", "call: GET /v5/market/ticker: no such endpoint; meant /v5/market/tickers?", exitUsage},
		{"GET market/kline", "call: GET market/kline: no such endpoint; meant /v5/market/kline?", exitUsage},
		{"GET /v9/rocket/launch", "call: GET /v9/rocket/launch: no such endpoint; bywire endpoints lists them", exitUsage},
		{"GET /v5/market/time?x=1", "call: /v5/market/time?x=1: parameters are arguments of their own, like: bywire call GET /v5/market/time NAME=VALUE", exitUsage},
		{"GET /v5/market/time x=1", "call: GET /v5/market/time takes no parameters", exitUsage},
		{"GET /v5/market/tickers linear", "call: linear: a parameter is NAME=VALUE, like category=...", exitUsage},
		{"GET /v5/market/tickers categry=linear", "call: categry: no such parameter of GET /v5/market/tickers; meant category?", exitUsage},
		{"GET /v5/market/tickers category=spot symbol=X category=spot", "call: category is given twice", exitUsage},
		{create + " qty=1 Price=2", "call: Price: no such parameter of POST /v5/order/create; meant price?", exitUsage},
		{create, "call: POST /v5/order/create needs qty", exitUsage},
		{create + " qty=much", "call: qty=much: no number; one looks like 0.001", exitUsage},
		{create + " qty=1 isLeverage=", "call: isLeverage=: write true or false, or 1 or 0", exitUsage},
		{create + " qty=1 isLeverage=yes", "call: isLeverage=yes: write true or false, or 1 or 0", exitUsage},
		{create + " qty=1 reduceOnly=yes", "call: reduceOnly=yes: write true or false, or 1 or 0", exitUsage},
		{`POST /v5/order/create-batch category=linear request=[{"isLeverage":2}]`, "call: request[].isLeverage=2: write 1 or 0", exitUsage},
		{`POST /v5/order/create-batch category=linear request=[{"reduceOnly":1}]`, "call: request[].reduceOnly=1: write true or false", exitUsage},
		{create + " qty=", `call: qty=: no value; leave it out, or write qty='""' to send it empty`, exitUsage},
		{create + " qty=1 positionIdx=", "call: positionIdx=: no whole number", exitUsage},
		{"GET /v5/market/kline category=linear symbol=BTCUSDT interval=D start=", `call: start=: no value; leave it out, or write start='""' to send it empty`, exitUsage},
		{"POST /v5/p2p/oss/upload_file", "call: POST /v5/p2p/oss/upload_file needs file", exitUsage},
		{"POST /v5/p2p/oss/upload_file file=call_test.go", `call: file=call_test.go: the content type of "call_test.go": mime: no media type`, exitUsage},
		{"GET /v5/market/kline symbol=BTCUSDT interval=1 start=yesterday", "call: start=yesterday: no time; write Unix milliseconds, or 2026-01-31T12:00 in UTC", exitUsage},
		{"GET /v5/market/kline symbol=BTCUSDT interval=1 start=1700000000", "call: start=1700000000: seconds, and it takes milliseconds: 1700000000000", exitUsage},
		{"POST /v5/order/cancel-batch category=linear request=x", "call: request is no JSON (quote it for the shell); write request='[...]'", exitUsage},
		{"POST /v5/order/cancel-batch category=linear request={}", "call: request is a list: write [...]", exitUsage},
		{`POST /v5/order/cancel-batch category=linear request=[{"symbl":"X"}]`, "call: request[].symbl: no such field; meant symbol?", exitUsage},
		{`POST /v5/order/cancel-batch category=linear request=[{"orderId":"X"}]`, "call: request[] needs symbol", exitUsage},
		{`POST /v5/order/create-batch category=linear request=[{"qty":1}]`, `call: request[].qty is written in quotes in JSON: "1"`, exitUsage},
		{"POST /v5/order/cancel-batch category=linear request[].symbol=X", "call: request[].symbol: fields of request are given as its JSON: request='...'", exitUsage},
		{"GET /v5/account/info", "GET /v5/account/info: needs an API key; add --creds FILE, or set BYBIT_API_KEY and BYBIT_API_SECRET", exitAuth},
	} {
		o := bywire(t, append(append([]string{"call"}, strings.Fields(tc.args)...), "--rest", v.URL)...)
		if o.code != tc.code || o.stderr != "bywire: "+tc.want+"\n" || o.stdout != "" {
			t.Errorf("call %s\n got %d %s%s\nwant %d %s", tc.args, o.code, o.stderr, o.stdout, tc.code, tc.want)
		}
	}
	if seen := v.requests(); len(seen) > 0 {
		t.Errorf("sent %q", seen)
	}
	o := bywire(t, "call", "GET", "/v5/market/time", "--ws", "ws://127.0.0.1:1").want(t, exitUsage)
	if o.stderr != "bywire: call: --ws ws://127.0.0.1:1 says no REST server; add --rest URL\n" {
		t.Errorf("says %s", o.stderr)
	}
}

// A value that is not known may be new: it is sent, with a word.
func TestValuesAreDoubted(t *testing.T) {
	setKey(t, testKey, testSecret)
	for _, tc := range []struct{ args, want, sent string }{
		{"GET /v5/market/tickers category=linar", "category=linar: the documentation has no such value; meant linear?", "?category=linar"},
		{"GET /v5/market/tickers category=", "category=: the documentation has no such value; it has spot, linear, inverse, option", "?category="},
		{"GET /v5/market/tickers category=linear symbol=btcusdt", "symbol=btcusdt: symbols are written in capitals: BTCUSDT", "symbol=btcusdt"},
		{"GET /v5/market/kline category=linear symbol=BTCUSDT interval=7", "interval=7: the documentation has no such value; it has 1, 3, 5, 15, 30, 60, 120, 240, 360, 720, D, W, M", "interval=7"},
		{"POST /v5/order/create category=spot symbol=BTCUSDT side=buy orderType=Limit qty=1", "side=buy: the documentation has no such value; meant Buy?", `"side":"buy"`},
		{"POST /v5/order/create category=spot symbol=BTCUSDT side=Buy orderType=Limit qty=1 timeInForce=gtc", "timeInForce=gtc: the documentation has no such value; meant GTC?", `"timeInForce":"gtc"`},
		{"POST /v5/order/create category=spot symbol=BTCUSDT side=Buy orderType=Limit qty=1 positionIdx=3", "positionIdx=3: the documentation has no such value; it has 0, 1, 2", `"positionIdx":3`},
		{`POST /v5/order/cancel-batch category=linear request=[{"symbol":"btcusdt"}]`, "request[].symbol=btcusdt: symbols are written in capitals: BTCUSDT", `"symbol":"btcusdt"`},
		{"GET /v5/asset/exchange/query-convert-history accountType=eb_convert_uta,funding", "", "accountType=eb_convert_uta,funding"},
	} {
		want := ""
		if tc.want != "" {
			want = "bywire: call: " + tc.want + "\n"
		}
		v := newSignedVenue(t, http.StatusOK, `{"retCode":0,"retMsg":"OK","result":{"list":[{"orderId":"1"}]},"retExtInfo":{"list":[{"code":0,"msg":"OK"}]},"time":1}`)
		args := append([]string{"call", "--rest", v.URL}, strings.Fields(tc.args)...)
		o := bywire(t, args...).want(t, exitOK)
		if sent := strings.Replace(strings.Join(v.requests(), "\n"), "%2C", ",", 1); o.stderr != want || !strings.Contains(sent, tc.sent) {
			t.Errorf("%s\nsays %s\nwant %s\nsent %s", tc.args, o.stderr, want, sent)
		}
		if o = bywire(t, append(args, "--dry-run")...).want(t, exitOK); o.stderr != want {
			t.Errorf("%s --dry-run says %s", tc.args, o.stderr)
		}
	}
}

// A file is sent as the form that the library makes of it.
func TestCallUploadsAFile(t *testing.T) {
	setKey(t, testKey, testSecret)
	path := file(t, "receipt.png", "\x89PNG\r\n")
	form := regexp.MustCompile(`(?s)^POST /v5/p2p/oss/upload_file --\w+\r\nContent-Disposition: form-data; name="upload_file"; filename="receipt.png"\r\nContent-Type: image/png\r\n\r\n\x{FFFD}?.*PNG\r\n\r\n--\w+--$`)
	v := newSignedVenue(t, http.StatusOK, `{"ret_code":0,"ret_msg":"SUCCESS","result":{"url":"/a","type":"IMAGE"},"ext_code":"","time_now":"1"}`)
	args := []string{"call", "POST", "/v5/p2p/oss/upload_file", "file=" + path, "--rest", v.URL}
	o := bywire(t, args...).want(t, exitOK).quiet(t, v)
	if sent := v.requests(); len(sent) != 1 || !form.MatchString(sent[0]) || !strings.Contains(o.stdout, `"url":"/a"`) {
		t.Errorf("sent %q, printed %s", sent, o.stdout)
	}
	o = bywire(t, append(args, "--dry-run")...).want(t, exitOK)
	if len(v.requests()) != 1 || !strings.Contains(o.stdout, "\nContent-Type: multipart/form-data; boundary=") || !regexp.MustCompile(`\n\n\(a form with the file, \d+ bytes\)\n$`).MatchString(o.stdout) {
		t.Errorf("dry run prints %s", o.stdout)
	}
	args[3] += ".none"
	if o = bywire(t, args...).want(t, exitUsage); !strings.HasPrefix(o.stderr, "bywire: call: file: open ") {
		t.Errorf("says %s", o.stderr)
	}
}

func TestCallExitCodes(t *testing.T) {
	setKey(t, testKey, testSecret)
	refusal := func(code int, message string) string {
		return fmt.Sprintf(`{"retCode":%d,"retMsg":%q,"result":{},"retExtInfo":{},"time":1700000000000}`, code, message)
	}
	const create = "POST /v5/order/create category=spot symbol=BTCUSDT side=Buy orderType=Limit qty=1"
	for _, tc := range []struct {
		args   string
		status int
		reply  string
		code   int
		want   string
	}{
		{"GET /v5/account/info", 200, refusal(10003, "API key is invalid."), exitAuth, "a key is known only where it was made"},
		{"GET /v5/account/info", 200, refusal(10004, "error sign!"), exitAuth, "the secret is not that of this key"},
		{"GET /v5/account/info", 200, refusal(10005, "Permission denied"), exitAuth, "bywire keys lists what it has"},
		{"GET /v5/account/info", 200, refusal(10010, "Unmatched IP"), exitAuth, "bound to other addresses"},
		{"GET /v5/account/info", 200, refusal(33004, "Your api key has expired."), exitAuth, "extend it where it was made"},
		{"GET /v5/account/info", 401, "", exitAuth, "HTTP 401"},
		{create, 200, refusal(110007, "ab not enough"), exitRefused, "POST /v5/order/create: ab not enough (110007)"},
		{create, 200, refusal(10000, "Server Timeout"), exitUnknown, "ask what became of it before it is sent again, like: bywire call GET /v5/order/realtime category=spot symbol=BTCUSDT\n"},
		{create + " orderLinkId=it's", 502, "", exitUnknown, `sent again, like: bywire call GET /v5/order/realtime category=spot symbol=BTCUSDT orderLinkId='it'\''s'`},
		{"POST /v5/asset/transfer/inter-transfer transferId=u-1 coin=USDT amount=1 fromAccountType=FUND toAccountType=UNIFIED", 502, "", exitUnknown, "like: bywire call GET /v5/asset/transfer/query-inter-transfer-list transferId=u-1\n"},
		{"POST /v5/account/set-margin-mode setMarginMode=REGULAR_MARGIN", 502, "", exitUnknown, "before it is sent again\n"},
		{create, 200, refusal(10006, "Too many visits!"), exitRateLimited, "Too many visits! (10006); wait a second: all programs of the account share its limits"},
		{create, 200, refusal(10018, "Exceeded the IP Rate Limit."), exitRateLimited, "(10018); stop every program on this address and wait ten minutes"},
		{create, 429, "", exitRateLimited, "429"},
		{create, 403, "<html>access too frequent", exitRateLimited, "HTTP 403: <html>access too frequent; stop every program on this address and wait ten minutes"},
		{create, 403, "<html>Request blocked", exitRefused, "HTTP 403: <html>Request blocked; a ban ends after ten minutes without requests; a region does not"},
		{create, 502, "bad gateway", exitUnknown, "outcome unknown"},
		{create, 200, refusal(0, "OK"), exitUnknown, "the reply has no result"},
		{create, 403, "403, access too frequent", exitRateLimited, "HTTP 403"},
		{create, 403, "from your country", exitRefused, "HTTP 403: from your country; use the venue of your country"},
		{"POST /v5/fgridbot/close bot_id=1", 200, `{"retCode":0,"retMsg":"success","result":{"status_code":421,"debug_msg":"banned"},"time":1}`, exitRefused, "banned (421)"},
		{"POST /v5/order/cancel-batch category=linear request=[{\"symbol\":\"A\",\"orderId\":\"1\"},{\"symbol\":\"B\",\"orderId\":\"2\"}]", 200,
			`{"retCode":0,"retMsg":"OK","result":{"list":[{},{}]},"retExtInfo":{"list":[{"code":0,"msg":"OK"},{"code":110001,"msg":"no such order"}]},"time":1}`,
			exitRefused, "1 of 2 refused; item 2: no such order (110001)"},
		{"POST /v5/order/cancel-batch category=linear request=[{\"symbol\":\"A\",\"orderId\":\"1\"},{\"symbol\":\"B\",\"orderId\":\"2\"}]", 200,
			`{"retCode":0,"retMsg":"OK","result":{"list":[{},{}]},"retExtInfo":{"list":[{"code":"110001","msg":"no such order"},{"code":0,"msg":"OK"}]},"time":1}`,
			exitRefused, "1 of 2 refused; item 1: no such order (110001)"},
		{"POST /v5/order/cancel-batch category=linear request=[{\"symbol\":\"A\",\"orderId\":\"1\"},{\"symbol\":\"B\",\"orderId\":\"2\"}]", 200,
			`{"retCode":0,"retMsg":"OK","result":{"list":[{},{}]},"retExtInfo":{"list":[{"code":10016,"msg":"?"},{"code":110001,"msg":"no such order"}]},"time":1}`,
			exitUnknown, "of 2 1 refused, 1 unknown: ask what became of them; item 1: outcome unknown: ? (10016), like: bywire call GET /v5/order/realtime category=linear symbol=A orderId=1\n"},
		{"POST /v5/order/cancel-batch category=linear request=[{\"symbol\":\"A\",\"orderId\":\"1\"},{\"symbol\":\"B\",\"orderId\":\"2\"}]", 200,
			`{"retCode":0,"retMsg":"OK","result":{"list":[{"orderId":"1"}]},"retExtInfo":{"list":[{"code":0,"msg":"OK"}]},"time":1}`,
			exitUnknown, "of 2 0 refused, 2 unknown: ask what became of them; item 1: outcome unknown: the reply does not say what became of it"},
	} {
		v := newSignedVenue(t, tc.status, tc.reply)
		o := bywire(t, append(append([]string{"call"}, strings.Fields(tc.args)...), "--rest", v.URL)...).quiet(t, v)
		if o.code != tc.code || !strings.Contains(o.stderr, tc.want) || strings.Count(o.stderr, "\n") != 1 {
			t.Errorf("%s, %s:\n got %d %s\nwant %d %s", tc.args, tc.reply, o.code, o.stderr, tc.code, tc.want)
		}
		if wantReply := strings.Contains(tc.args, "batch"); (o.stdout != "") != wantReply {
			t.Errorf("%s: stdout %q", tc.args, o.stdout)
		}
	}
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	bywire(t, strings.Fields("call "+create+" --rest "+closed.URL)...).want(t, exitNetwork).quiet(t, nil)
}

// Who interrupts an order is told that it may have been placed.
func TestInterruptedOrderIsUnknown(t *testing.T) {
	setKey(t, testKey, testSecret)
	ctx, interrupt := context.WithCancel(t.Context())
	v := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v5/order/create" {
			fmt.Fprintf(w, `{"retCode":0,"retMsg":"OK","result":{"timeSecond":"%d","timeNano":"%d"},"time":%d}`, time.Now().Unix(), time.Now().UnixNano(), time.Now().UnixMilli())
			return
		}
		_, _ = io.ReadAll(r.Body)
		interrupt()
		<-r.Context().Done()
	}))
	defer v.Close()
	var stdout, stderr strings.Builder
	args := "call POST /v5/order/create category=spot symbol=BTCUSDT side=Buy orderType=Limit qty=1 --rest " + v.URL
	code := run(ctx, strings.Fields(args), strings.NewReader(""), &stdout, &stderr)
	if code != exitUnknown || !strings.Contains(stderr.String(), "outcome unknown") {
		t.Errorf("an order that was interrupted: %d %s", code, stderr.String())
	}
}

func TestDryRun(t *testing.T) {
	const create = "call POST /v5/order/create category=spot symbol=BTC/USDT side=Buy orderType=Market qty=1 --dry-run"
	for _, key := range []string{testKey, ""} {
		secret := testSecret
		hidden := "(redacted)"
		if key == "" {
			secret, hidden = "", "(no key given)"
		}
		setKey(t, key, secret)
		o := bywire(t, strings.Fields(create)...).want(t, exitOK).quiet(t, nil)
		var kept []string
		for _, line := range strings.Split(o.stdout, "\n") {
			if strings.HasPrefix(line, "X-Bapi-Timestamp: ") {
				line = "X-Bapi-Timestamp: T"
			}
			kept = append(kept, line)
		}
		want := "POST https://api.bybit.com/v5/order/create\nAccept-Encoding: gzip\nContent-Length: 85\nContent-Type: application/json\n" +
			"User-Agent: Go-http-client/1.1\nX-Bapi-Api-Key: " + hidden + "\nX-Bapi-Recv-Window: 5000\nX-Bapi-Sign: " + hidden + "\nX-Bapi-Timestamp: T\n\n" +
			`{"category":"spot","symbol":"BTC/USDT","side":"Buy","orderType":"Market","qty":"1"}` + "\n"
		want = strings.Replace(want, "85", fmt.Sprint(len(`{"category":"spot","symbol":"BTC/USDT","side":"Buy","orderType":"Market","qty":"1"}`)), 1)
		if got := strings.Join(kept, "\n"); got != want {
			t.Errorf("printed\n%s\nwant\n%s", got, want)
		}
	}
	o := bywire(t, "call", "GET", "/v5/market/tickers", "category=spot", "symbol=A B&c", "--dry-run", "--rest", "https://proxy.example.com/base").want(t, exitOK)
	if !strings.HasPrefix(o.stdout, "GET https://proxy.example.com/base/v5/market/tickers?category=spot&symbol=A%20B%26c\n") {
		t.Errorf("printed %s", o.stdout)
	}
}

func TestWritesAreAskedAbout(t *testing.T) {
	setKey(t, testKey, testSecret)
	const create = "call POST /v5/order/create category=spot symbol=BTCUSDT side=Buy orderType=Market qty=1"
	// A host that is nowhere, should it be sent all the same.
	o := bywire(t, strings.Fields(create+" --rest https://api.example.invalid")...).want(t, exitUsage).quiet(t, nil)
	if want := "bywire: POST /v5/order/create: changes something at https://api.example.invalid, where money is real: add --yes, or --dry-run to see what would be sent\n"; o.stderr != want {
		t.Errorf("says %s", o.stderr)
	}
	e, ok := endpoints.Find("POST", "/v5/order/create")
	if !ok {
		t.Fatal("no endpoint")
	}
	env := bybit.Mainnet()
	for answer, sent := range map[string]bool{"y\n": true, "YES\n": true, "n\n": false, "\n": false, "": false, "yep\n": false} {
		var words strings.Builder
		a := newApp(strings.NewReader(answer), io.Discard, &words)
		a.asks = true
		err := a.confirm(t.Context(), &e, &env)
		if (err == nil) != sent || !strings.HasSuffix(words.String(), "Send it? [y/N] ") {
			t.Errorf("answer %q: %v, asked %q", answer, err, words.String())
		}
	}
	for url, want := range map[string]bool{
		"https://api.bybit.com": true, "https://api.bytick.com": true, "https://api.bybit.tr": true, "https://proxy.example.com": true, "http://192.0.2.1:80": true, "": true,
		"https://api-testnet.bybit.com": false, "https://api-demo.bybit.com": false, "http://127.0.0.1:8787": false, "http://localhost:1": false, "http://[::1]:1": false,
	} {
		if got := realMoney(&bybit.Environment{RESTURL: url}); got != want {
			t.Errorf("%q: real money %t", url, got)
		}
	}
}

func TestKeyFromAFile(t *testing.T) {
	setKey(t, "", "")
	v := newSignedVenue(t, http.StatusOK, success)
	pair := fmt.Sprintf(`{"key":%q,"secret":%q}`, testKey, testSecret)
	several := file(t, "several.json", `{"main":`+pair+`,"other":`+pair+`}`)
	half, folder := file(t, "half.json", `{"main":{"key":"abcd1234"},"other":`+pair+`}`), t.TempDir()
	info := func(args ...string) outcome {
		return bywire(t, append([]string{"call", "GET", "/v5/account/info", "--rest", v.URL}, args...)...).quiet(t, v)
	}
	info("--creds", file(t, "one.json", pair)).want(t, exitOK)
	info("--creds", several, "--key-name", "other").want(t, exitOK)
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"--creds", several}, "holds several keys: name one of main, other, with --key-name"},
		{[]string{"--creds", several, "--key-name", "third"}, `holds no key "third", but main, other`},
		{[]string{"--creds", several + ".none"}, several + ".none: no such file"},
		{[]string{"--creds", folder}, "--creds " + folder + ": a folder, and it takes a file"},
		{[]string{"--creds", half, "--key-name", "main"}, "--creds " + half + ", key main: credentials: neither a secret nor a signer"},
		{[]string{"--creds", file(t, "wrong.json", testSecret)}, "is not {"},
		{[]string{"--key-name", "main"}, "--key-name main: names a key of a file; add --creds FILE"},
	} {
		if o := info(tc.args...).want(t, exitUsage); !strings.Contains(o.stderr, tc.want) {
			t.Errorf("%q says %s", tc.args, o.stderr)
		}
	}
	// Also where no key is used.
	bywire(t, "stream", "publicTrade.BTCUSDT", "--ws", "ws://127.0.0.1:1", "--creds", several+".none").want(t, exitUsage)
}

const keyReply = `{"retCode":0,"retMsg":"","result":{"id":"1","note":"test","apiKey":"` + testKey + `","readOnly":0,"secret":"","permissions":{"ContractTrade":["Order","Position"],"Spot":[],"Wallet":["Withdraw"]},"ips":["*"],"type":1,"deadlineDay":83,"expiredAt":"2027-02-14T03:20:45Z","createdAt":"2026-11-16T03:20:45Z","unified":0,"uta":1,"userID":42,"isMaster":true,"rsaPublicKey":""},"retExtInfo":{},"time":1776149990532}`

func TestKeys(t *testing.T) {
	setKey(t, testKey, testSecret)
	v := newSignedVenue(t, http.StatusOK, keyReply)
	o := bywire(t, "keys", "--rest", v.URL).want(t, exitOK).quiet(t, v)
	const want = `key          Kq7w...
note         test
account      main account 42
access       read and write
permissions  ContractTrade: Order, Position
             Wallet: Withdraw
addresses    any
expires      2027-02-14T03:20:45Z, in 83 days
signs with   HMAC
`
	if o.stdout != want {
		t.Errorf("printed\n%s", o.stdout)
	}
	o = bywire(t, "keys", "--rest", v.URL, "-o", "json").want(t, exitOK).quiet(t, v)
	for _, part := range []string{`"account": "42"`, `"Withdraw"`, `"days": 83`, `"addresses": []`, `"expires": "2027-02-14T03:20:45Z"`} {
		if !strings.Contains(o.stdout, part) {
			t.Errorf("no %s in\n%s", part, o.stdout)
		}
	}
	forever := newSignedVenue(t, http.StatusOK, strings.NewReplacer("2027-02-14", "1970-01-01", "03:20:45", "00:00:00", `"*"`, `"192.0.2.7"`).Replace(keyReply))
	o = bywire(t, "keys", "--rest", forever.URL).want(t, exitOK)
	if !strings.Contains(o.stdout, "expires      never\n") || !strings.Contains(o.stdout, "addresses    192.0.2.7\n") {
		t.Errorf("printed\n%s", o.stdout)
	}
	setKey(t, "", "")
	bywire(t, "keys", "--rest", v.URL).want(t, exitAuth)
}

func TestDoctorChecksTheKey(t *testing.T) {
	for _, tc := range []struct {
		reply, state, want, limits string
	}{
		{keyReply, stateWarn, "Kq7w..., read and write, for ContractTrade Wallet, from any, expires 2027-02-14T03:20:45Z, in 83 days; a signed call takes ", "9 of 10 calls in 1s left"},
		{strings.Replace(keyReply, `"deadlineDay":83`, `"deadlineDay":3`, 1), stateWarn, "; extend it where it was made", ""},
		{strings.Replace(keyReply, `"Withdraw"`, "", 1), stateOK, "for ContractTrade, from any", ""},
		{`{"retCode":10003,"retMsg":"API key is invalid.","result":{},"retExtInfo":{},"time":1}`, stateFail, "refused: API key is invalid. (10003); a key is known only where it was made", ""},
		{`{"retCode":33004,"retMsg":"Your api key has expired.","result":{},"retExtInfo":{},"time":1}`, stateFail, "the key has expired", ""},
	} {
		v := newSignedVenue(t, http.StatusOK, tc.reply)
		all := examined(t, nil, func(d *doctor) {
			d.env = bybit.Environment{Name: "mainnet", RESTURL: v.URL}
			d.keys = &bybit.Credentials{Key: testKey, Secret: testSecret}
			d.probes, d.dial = nil, newDoctor(d.env, false).dial
			d.wait = 5 * time.Second
		})
		wantLine(t, all, "key", tc.state, tc.want)
		if tc.limits != "" {
			wantLine(t, all, "limits", stateOK, tc.limits)
		}
		for _, f := range all {
			(outcome{stdout: f.line()}).quiet(t, v)
		}
	}
	setKey(t, testKey, testSecret)
	v := newSignedVenue(t, http.StatusOK, keyReply)
	for _, format := range []string{"text", "json"} {
		o := bywire(t, "doctor", "--ws", wsOf(v.Server), "--rest", v.URL, "--category", "linear", "--for", "50ms", "-o", format).quiet(t, v)
		if !strings.Contains(o.stdout, "read and write, for ContractTrade Wallet") {
			t.Errorf("no key in\n%s", o.stdout)
		}
	}
}

func TestEndpointsAreListed(t *testing.T) {
	o := bywire(t, "endpoints", "-o", "json").want(t, exitOK)
	if n := strings.Count(o.stdout, `"method": `); n != len(endpoints.All()) || n < 400 {
		t.Errorf("%d endpoints of %d", n, len(endpoints.All()))
	}
	if want := "  {\n    \"method\": \"GET\",\n    \"path\": \"/v5/market/kline\",\n    \"group\": \"market\"\n  }"; !strings.Contains(o.stdout, want) {
		t.Error("no kline")
	}
	o = bywire(t, "endpoints").want(t, exitOK)
	if !strings.HasPrefix(o.stdout, "METHOD  PATH ") || !strings.Contains(o.stdout, "bybit.Client.Market.Kline\n") {
		t.Errorf("table begins %.200s", o.stdout)
	}
}

func TestCallsAreCompleted(t *testing.T) {
	for _, tc := range []struct{ args, want, not string }{
		{"G", "GET\t", "POST"},
		{"GET /v5/market/kl", "/v5/market/kline\t", "/v5/market/tickers"},
		{"POST /v5/market/kl", "", "/v5/market/kline"},
		{"POST /v5/order/create category=spot q", "qty=\t", "symbol="},
		{"POST /v5/order/create category=spot cat", "", "category="},
		{"POST /v5/order/create timeInForce=G", "timeInForce=GTC\t", "timeInForce=IOC"},
		{"GET /v5/market/kline category=", "category=spot\t", "category=option"},
		{"GET /v5/market/kline interval=", "interval=D\t", "symbol"},
		{"POST /v5/order/create side=", "side=Buy\t", "symbol"},
		{"POST /v5/order/create reduceOnly=", "reduceOnly=true\t", "category"},
		{"POST /v5/order/create isLeverage=", "isLeverage=true\t", "isLeverage=1"},
		{"POST /v5/p2p/oss/upload_file f", "file=\t", "upload_file"},
		{"POST /v5/order/crea", "/v5/order/create\tPlaces one order: limit, market or stop, with or without take profit and stop loss.\n", "order/cancel"},
		{"POST /v5/order/create-batch request", "request=\t", "request[]"},
	} {
		o := bywire(t, append([]string{"__complete", "call"}, strings.Fields(tc.args)...)...).want(t, exitOK)
		if !strings.Contains("\n"+o.stdout, "\n"+tc.want) || strings.Contains(o.stdout, tc.not) {
			t.Errorf("%s:\n%s", tc.args, o.stdout)
		}
	}
}
