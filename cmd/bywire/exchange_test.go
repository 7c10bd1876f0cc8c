package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange"
)

// get asks a server and returns the status and the body.
func get(t *testing.T, url string, header ...string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
		if header[i] == "Host" {
			r.Host = header[i+1]
		}
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// The ready line of a market of all instruments is there within a second, and the market with it. Under the race detector,
// where all code takes several times as long, the test is about races.
func TestExchangeStartsWithinASecond(t *testing.T) {
	const most = slowdown * time.Second
	best := time.Hour
	for range 5 { // the machine may be busy with something else
		begun := time.Now()
		x := startServing(t, newWatchedText(), "exchange")
		took := time.Since(begun)
		if status, text := get(t, "http://"+x.listen+"/v5/market/orderbook?category=linear&symbol=BTCUSDT"); status != 200 || !strings.Contains(text, `"b":[["`) {
			t.Fatalf("right after the ready line: status %d %s", status, text)
		}
		x.stop(t)
		best = min(best, took)
		if best < most {
			break
		}
	}
	if best > most {
		t.Errorf("the ready line came after %s, want %s at most", best, most)
	}
	t.Logf("ready after %s", best)
}

// What the flags say is so, and what a file says unless a flag says otherwise.
func TestExchangeFlagsAndFile(t *testing.T) {
	dir := t.TempDir()
	journal := filepath.Join(dir, "run.journal")
	config := file(t, "x.toml", fmt.Sprintf(`
# A market of one symbol.
seed = 7
clock = "step"
start = 2026-03-01T12:00:00Z
symbol = ["linear:BTCUSDT"]
limits = "off"
ack-delay = "0s"
journal = %q
`, journal))
	stderr := newWatchedText()
	x := startServing(t, stderr, "exchange", "--config", config, "--seed", "8", "--metrics", "127.0.0.1:0")
	_, text := get(t, "http://"+x.listen+"/control/v1/state")
	var state struct {
		Time        time.Time
		Seed        uint64
		Instruments int
		Clock       struct{ Mode string }
		Journal     string
	}
	if err := json.Unmarshal([]byte(text), &state); err != nil {
		t.Fatal(err)
	}
	if state.Seed != 8 || state.Instruments != 1 || state.Clock.Mode != "step" || state.Journal != "ok" ||
		!state.Time.Equal(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)) {
		t.Errorf("state %+v", state)
	}
	for call, body := range map[string]string{"halt": "{}", "clock": `{"advance":"10s"}`} {
		resp, err := http.Post("http://"+x.listen+"/control/v1/"+call, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s: status %d", call, resp.StatusCode)
		}
	}
	metrics := strings.TrimSuffix(stderr.await(t, "bywire: metrics on http://"), "/metrics")
	wantMetrics(t, metricsOf(t, metrics), map[string]string{
		"bywire_exchange_commands_total": "1", "bywire_exchange_time_seconds": "1.77236641e+09", "bywire_exchange_sessions": "0",
	})
	_, text = get(t, "http://"+x.listen+"/control/v1/state")
	var after struct{ Hash string }
	if err := json.Unmarshal([]byte(text), &after); err != nil {
		t.Fatal(err)
	}
	x.stop(t)
	f, err := os.Open(journal)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	replayed, err := exchange.ReplayJournal(f, time.Date(2026, 3, 1, 12, 0, 10, 0, time.UTC))
	if err != nil || fmt.Sprintf("%x", replayed.Hash) != after.Hash {
		t.Errorf("the journal leads to %+v (%v), want %s", replayed, err, after.Hash)
	}
}

// What a file of instruments has that cannot be simulated is told, a line each, and the rest is there.
func TestExchangeTellsWhatIsLeftOut(t *testing.T) {
	t.Parallel()
	instruments := file(t, "mine.json", `{"assets": [{"coin": "PEPE", "price": "0.0000071"}], "instruments": [
		{"category": "linear", "like": "DOGEUSDT", "symbol": "PEPEUSDT", "baseCoin": "PEPE", "priceFilter": {"tickSize": "0.00000001"}},
		{"category": "linear", "like": "DOGEUSDT", "symbol": "OLDUSDT", "baseCoin": "OLD", "status": "Closed"},
		{"category": "spot", "like": "BTCUSDT", "symbol": "BTCXYZ", "quoteCoin": "XYZ"}]}`)
	stderr := newWatchedText()
	x := startServing(t, stderr, "exchange", "--clock", "step", "--symbol", "linear", "--symbol", "spot", "--instruments", instruments)
	stderr.await(t, "control: ")
	for _, want := range []string{"mine.json: left out: linear OLDUSDT: status is ", "mine.json: left out: spot BTCXYZ: quoteCoin is XYZ"} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("no %q in %s", want, stderr)
		}
	}
	for symbol, there := range map[string]bool{"PEPEUSDT": true, "BTCUSDT": true, "OLDUSDT": false} {
		_, text := get(t, "http://"+x.listen+"/v5/market/instruments-info?category=linear&symbol="+symbol)
		if got := strings.Contains(text, `"symbol":"`+symbol+`"`); got != there {
			t.Errorf("%s: %s", symbol, text)
		}
	}
	x.stop(t)
}

// The file of instruments in docs/control.md is one.
func TestExchangeTakesTheDocumentedInstruments(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "control.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```json\n")
	example, _, _ := strings.Cut(rest, "```")
	stderr := newWatchedText()
	x := startServing(t, stderr, "exchange", "--clock", "step", "--symbol", "linear:PEPEUSDT", "--instruments", file(t, "mine.json", example))
	stderr.await(t, "control: ")
	if strings.Contains(stderr.String(), "left out") {
		t.Errorf("stderr: %s", stderr)
	}
	postOK(t, x.listen, "clock", `{"advance":"1m"}`)
	if _, text := get(t, "http://"+x.listen+"/v5/market/recent-trade?category=linear&symbol=PEPEUSDT"); !strings.Contains(text, `"price":"0.0000`) {
		t.Errorf("nothing was traded in a minute: %s", text)
	}
	x.stop(t)
}

// The lines to paste name something that is there, and a token only by its file.
func TestExchangeSaysHowToConnect(t *testing.T) {
	t.Parallel()
	const secret = "0123456789abcdef0123456789abcdef"
	token := file(t, "my token", secret+"\n")
	for _, test := range []struct {
		args []string
		want []string
	}{
		{[]string{"--symbol", "spot:BTCUSDT"}, []string{
			"\nbywire:   curl:    curl 'http://ADDR/v5/market/tickers?category=spot&symbol=BTCUSDT'\n",
			":  bywire stream orderbook.50.BTCUSDT --category spot --ws ws://ADDR\n"}},
		{[]string{"--symbol", "linear:ETHUSDT", "--symbol", "linear:BTCUSDT"}, []string{"symbol=BTCUSDT'\n", "\nbywire:   control: curl http://ADDR/control/v1/state\n"}},
		{[]string{"--symbol", "linear:ETHUSDT", "--token", token}, []string{
			`  Go:      bybit.CustomEnvironment("ws://ADDR/token/TOKEN", "http://ADDR/token/TOKEN")`,
			`curl "http://ADDR/token/$(cat '` + token + `')/v5/market/tickers?category=linear&symbol=ETHUSDT"`,
			`--ws "ws://ADDR/token/$(cat '` + token + `')"`,
			`control: curl "http://ADDR/token/$(cat '` + token + `')/control/v1/state"`}},
	} {
		stderr := newWatchedText()
		x := startServing(t, stderr, append([]string{"exchange", "--clock", "step"}, test.args...)...)
		stderr.await(t, "control: ")
		for _, want := range test.want {
			if want = strings.ReplaceAll(want, "ADDR", x.listen); !strings.Contains(stderr.String(), want) {
				t.Errorf("%v: no %q in\n%s", test.args, want, stderr)
			}
		}
		if strings.Contains(stderr.String(), secret) {
			t.Errorf("%v: the token is on stderr", test.args)
		}
		x.stop(t)
	}
	for addr, want := range map[string][2]string{
		"127.0.0.1:8787":   {"127.0.0.1:8787", "127.0.0.1:8787"},
		"[::1]:8787":       {"[::1]:8787", "[::1]:8787"},
		"192.168.1.7:8787": {"192.168.1.7:8787", "192.168.1.7:8787"},
		"0.0.0.0:8787":     {"127.0.0.1:8787", ""}, // the other is this machine's
		"[::]:8787":        {"127.0.0.1:8787", ""},
	} {
		if got := reachable(addr); got != want[0] {
			t.Errorf("from here %s is %s, want %s", addr, got, want[0])
		}
		got := outside(addr)
		if at, err := netip.ParseAddrPort(got); err != nil || at.Addr().IsUnspecified() || at.Port() != 8787 || want[1] != "" && got != want[1] {
			t.Errorf("from elsewhere %s is %s, want %s", addr, got, want[1])
		}
	}
}

// With --silence a step clock waits after each quantum for clients that know nothing of that.
func TestExchangeWaitsForSilence(t *testing.T) {
	t.Parallel()
	config := file(t, "x.toml", "clock = \"step\"\nquantum = \"1s\"\nsilence = \"100ms\"\n")
	x := startServing(t, newWatchedText(), "exchange", "--symbol", "linear:BTCUSDT", "--config", config)
	client, err := bybit.NewClient(&bybit.Options{Environment: bybit.CustomEnvironment(x.ws, "http://"+x.listen)})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := client.Public(t.Context(), bybit.Linear, nil, bybit.OrderBook(50, "BTCUSDT")); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	postOK(t, x.listen, "clock", `{"advance":"3s"}`)
	if took := time.Since(begun); took < 300*time.Millisecond {
		t.Errorf("three quanta took %s, want 100 ms of silence after each", took)
	}
	client.Close()
	x.stop(t)
}

func TestExchangeWrongFlags(t *testing.T) {
	token := file(t, "token", "0123456789abcdef0123456789abcdef\n")
	there := file(t, "there", "")
	toml := func(text string) string { return file(t, "x.toml", text) }
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"--clock", "fast"}, "--clock fast: live, step, max, or a speed such as x10"},
		{[]string{"--clock", "x0"}, "--clock x0: live, step, max, or a speed such as x10"},
		{[]string{"--start", "soon"}, "--start soon: no time; write 2026-01-31, 2026-01-31T12:00, with seconds or a zone too (else UTC), a Unix time in s or ms, or +90s from now"},
		{[]string{"--start", "1999-01-01"}, "bywire: --start 1999-01-01T00:00:00Z is not from 2000-01-01 to 2100-01-01"},
		{[]string{"--limits", "some"}, "--limits some: write real or off"},
		{[]string{"--ack-delay", "-1s"}, "--ack-delay -1s: give a duration from 0 to 1m"},
		{[]string{"--seed", "-1"}, "--seed -1 is no whole number"},
		{[]string{"--listen", "0.0.0.0:0"}, "--listen 0.0.0.0:0: other machines could connect; add --allow-remote and --token FILE"},
		{[]string{"--listen", "0.0.0.0:0", "--allow-remote"}, "--allow-remote: needs --token FILE; make one with: openssl rand -hex 16 > token"},
		{[]string{"--listen", "0.0.0.0:0", "--token", token}, "other machines could connect; add --allow-remote"},
		{[]string{"--metrics", "0.0.0.0:0"}, "--metrics 0.0.0.0:0: other machines could connect; add --allow-remote and --token FILE"},
		{[]string{"--metrics", "0.0.0.0:0", "--allow-remote"}, "--allow-remote: needs --token FILE"},
		{[]string{"--metrics", "nowhere"}, "--metrics nowhere: no address; one looks like 127.0.0.1:8787"},
		{[]string{"--quantum", "0s"}, "--quantum 0s: give a duration above 0, such as 10ms, and at most 1h"},
		{[]string{"--silence", "-5ms"}, "--silence -5ms: give a duration from 0, which is not to wait for silence, to 1m"},
		{[]string{"--silence", "61s"}, "--silence 1m1s: give a duration from 0"},
		{[]string{"--allow-origin", "foo"}, `--allow-origin: origin "foo": one looks like http://localhost:3000`},
		{[]string{"--allow-origin", "http://localhost:3000/"}, `--allow-origin: origin "http://localhost:3000/": browsers send http://localhost:3000`},
		{[]string{"--instruments", file(t, "x.json", "{}")}, "x.json: instruments file: neither a reply with a list, nor assets, nor instruments"},
		{[]string{"--instruments", token}, "no JSON; it takes a reply of GET /v5/market/instruments-info"},
		{[]string{"--token", there}, "holds no token of 16 or more letters and digits"},
		{[]string{"--token", there + "-not"}, "no such file"},
		{[]string{"--journal", there}, "file exists"},
		{[]string{"--instruments", there + "-not"}, "no such file"},
		{[]string{"--symbol", "linear:NOUSDT"}, "--symbol linear:NOUSDT: no such instrument; one looks like linear:BTCUSDT, several like option:BTC-*, and all of a category like spot"},
		{[]string{"extra"}, "exchange: takes no arguments, got extra"},
		{[]string{"--config", there + "-not"}, "no such file"},
		{[]string{"--config", toml("seed = \n")}, "line 1: "},
		{[]string{"--config", toml("sead = 7\n")}, "sead: no such flag; meant seed?"},
		{[]string{"--config", toml("[market]\nseed = 7\n")}, "market: no such flag; there are ack-delay, allow-origin"},
		{[]string{"--config", toml("seed = \"seven\"\n")}, "seed: N that the market follows from"},
		{[]string{"--config", toml("seed = [7]\n")}, "seed: N that the market follows from"},
		{[]string{"--config", toml("seed = 1.5\n")}, "seed: N that the market follows from"},
		{[]string{"--config", toml("config = \"other.toml\"\n")}, "config: no such flag"},
	} {
		o := bywire(t, append([]string{"exchange", "--listen", "127.0.0.1:0"}, test.args...)...).want(t, exitUsage)
		if !strings.Contains(o.stderr, test.want) || strings.Contains(o.stderr, "catalog: ") || strings.Contains(o.stderr, "core: ") || strings.Count(o.stderr, "\n") != 1 || o.stdout != "" {
			t.Errorf("%v: %q, want %q", test.args, o.stderr, test.want)
		}
	}
}

// Pages and strangers are kept out; a token lets in who says it.
func TestExchangeIsGuarded(t *testing.T) {
	token := strings.Repeat("0123456789abcdef", 2)
	stderr := newWatchedText()
	x := startServing(t, stderr, "exchange", "--clock", "step", "--symbol", "linear:BTCUSDT", "--token", file(t, "token", token+"\n"),
		"--allow-origin", "http://localhost:3000", "--host", "box.lan", "--metrics", "127.0.0.1:0")
	metrics := "http://" + strings.TrimSuffix(stderr.await(t, "bywire: metrics on http://"), "/metrics")
	for _, test := range []struct {
		path   string
		header []string
		want   int
	}{
		{"/v5/market/time", nil, 401},
		{"/token/" + token + "/v5/market/time", nil, 200},
		{"/v5/market/time", []string{"Authorization", "Bearer " + token}, 200},
		{"/control/v1/state", nil, 401},
		{"/token/" + token + "/control/v1/state", nil, 200},
		{"/token/" + token + "/v5/market/time", []string{"Host", "evil.example"}, 421},
		{"/token/" + token + "/v5/market/time", []string{"Host", "box.lan:8787"}, 200},
		{"/token/" + token + "/v5/market/time", []string{"Origin", "https://evil.example"}, 403},
		{"/token/" + token + "/v5/market/time", []string{"Origin", "http://localhost:3000"}, 200},
		{"/token/" + token + "/v5/public/linear", []string{"Origin", "https://evil.example", "Connection", "Upgrade", "Upgrade", "websocket"}, 403},
		{metrics + "/metrics", nil, 401},
		{metrics + "/metrics", []string{"Authorization", "Bearer " + token}, 200},
		{metrics + "/token/" + token + "/metrics", nil, 200},
		{metrics + "/token/" + token + "/metrics", []string{"Host", "evil.example"}, 421},
		{metrics + "/token/" + token + "/metrics", []string{"Origin", "https://evil.example"}, 403},
	} {
		if !strings.HasPrefix(test.path, "http") {
			test.path = "http://" + x.listen + test.path
		}
		if status, text := get(t, test.path, test.header...); status != test.want {
			t.Errorf("%s %v: status %d, want %d: %s", test.path, test.header, status, test.want, text)
		}
	}
	x.stop(t)
}

// For a newcomer without a terminal: lines to paste, and a line a second.
func TestUpPrintsLines(t *testing.T) {
	t.Parallel()
	o := bywire(t, "up", "--listen", "127.0.0.1:0", "--for", "2500ms").want(t, exitOK)
	lines := strings.Split(strings.TrimSpace(o.stdout), "\n")
	// Two whole seconds; a machine that is busy for half a second may miss one.
	if len(lines) < 2 || len(lines) > 3 || !strings.HasPrefix(lines[0], `{"event":"ready"`) {
		t.Fatalf("stdout:\n%s", o.stdout)
	}
	for _, line := range lines[1:] {
		for _, part := range []string{"BTCUSDT  bid ", "  ask ", " updates/s", "0 gaps"} {
			if !strings.Contains(line, part) {
				t.Errorf("%s: no %q", line, part)
			}
		}
	}
	if !strings.HasPrefix(o.stderr, "bywire: A Bybit of your own, seed 0: ws://") {
		t.Errorf("it begins with something else:\n%s", o.stderr)
	}
	for _, part := range []string{"This is the linear BTCUSDT; --category spot shows the other.", `bybit.CustomEnvironment("ws://127.0.0.1:`, "curl 'http://127.0.0.1:", "bywire stream orderbook.50.BTCUSDT --category linear --ws ws://127.0.0.1:", "no accounts"} {
		if !strings.Contains(o.stderr, part) {
			t.Errorf("no %q in\n%s", part, o.stderr)
		}
	}
}

// The topic of a book will do for its symbol, and only what is there is called the other.
func TestUpTakesATopic(t *testing.T) {
	t.Parallel()
	for topic, symbol := range map[string]string{"orderbook.50.ETHUSDT": "ETHUSDT", "BTCPERP": "BTCPERP"} {
		o := bywire(t, "up", topic, "--listen", "127.0.0.1:0", "--for", "2500ms").want(t, exitOK)
		if other := strings.Contains(o.stderr, "--category spot shows the other"); !strings.Contains(o.stdout, symbol+"  bid ") || other != (symbol == "ETHUSDT") {
			t.Errorf("%s: %s%s", topic, o.stdout, o.stderr)
		}
	}
}

// On a terminal the lines to paste stand over the ladder, and nothing is longer or higher than the screen.
func TestUpDraws(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	a := newApp(strings.NewReader(""), &out, io.Discard)
	a.terminal = true
	a.size = func() (int, int) { return 80, 30 }
	opts := upOptions{listen: "127.0.0.1:0"}
	opts.book.length = 1500 * time.Millisecond
	if err := a.up(t.Context(), &opts, "BTCUSDT"); err != nil {
		t.Fatal(err)
	}
	if err := a.flush(); err != nil {
		t.Fatal(err)
	}
	drawn, left, _ := strings.Cut(out.String(), screenOff)
	for _, part := range []string{"A Bybit of your own, seed 0: ws://127.0.0.1:", "curl 'http://127.0.0.1:", "bywire stream orderbook.50.BTCUSDT", "keys or orders.\nIt has ended; bywire up starts it again.\n"} {
		if !strings.Contains(left, part) {
			t.Errorf("no %q left on the screen:\n%s", part, left)
		}
	}
	pictures := strings.Split(drawn, "\x1b[H")
	if !strings.HasPrefix(pictures[0], screenOn) || len(pictures) < 5 {
		t.Fatalf("%d pictures, the first after %q", len(pictures)-1, pictures[0])
	}
	last := pictures[len(pictures)-1]
	for _, part := range []string{"A Bybit of your own", "curl 'http://127.0.0.1:", "BTCUSDT  linear", "spread 0.", "funding 0.", " %  24h ", " %  volume ", " BTC\x1b[K", " updates/s"} {
		if !strings.Contains(last, part) {
			t.Errorf("no %q in\n%s", part, last)
		}
	}
	rows := 0
	for _, line := range strings.Split(strings.TrimSuffix(last, "\x1b[J"), "\r\n") {
		rows += max(1, (len([]rune(strings.TrimSuffix(line, "\x1b[K")))+79)/80)
	}
	if rows > 30 {
		t.Errorf("%d rows on a screen of 30:\n%s", rows, last)
	}
}

// A port that is taken is said at once, with what to do.
func TestUpOnATakenPort(t *testing.T) {
	x := startServing(t, newWatchedText(), "exchange", "--symbol", "linear:BTCUSDT", "--clock", "step")
	for _, name := range []string{"up", "exchange"} {
		o := bywire(t, name, "--listen", x.listen).want(t, exitNetwork)
		if want := "--listen " + x.listen + ": address already in use; --listen 127.0.0.1:0 takes a free port\n"; !strings.HasSuffix(o.stderr, want) || o.stdout != "" {
			t.Errorf("%s: %q %q, want %q", name, o.stdout, o.stderr, want)
		}
	}
	if o := bywire(t, "up", "NOPEUSDT", "--listen", "127.0.0.1:0").want(t, exitUsage); o.stdout != "" || !strings.HasPrefix(o.stderr, "bywire: NOPEUSDT: there is no such instrument of linear, but BTCUSDT ETHUSDT ") {
		t.Errorf("a symbol that is not there: %s", o.stderr)
	}
	for _, args := range [][]string{{"up", "BTCUSDT", "ETHUSDT"}, {"up", "btcusdt"}, {"up", "--rows", "0"}, {"up", "--for", "-1s"}, {"up", "--listen", "0.0.0.0:0"}} {
		bywire(t, args...).want(t, exitUsage)
	}
	x.stop(t)
}
