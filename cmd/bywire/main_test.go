package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// outcome is what a run of the command left behind.
type outcome struct {
	code           int
	stdout, stderr string
}

// bywire runs the command as main does.
func bywire(t *testing.T, args ...string) outcome {
	t.Helper()
	return bywireWith(t, "", args...)
}

func bywireWith(t *testing.T, stdin string, args ...string) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var stdout, stderr bytes.Buffer
	code := run(ctx, args, strings.NewReader(stdin), &stdout, &stderr)
	return outcome{code, stdout.String(), stderr.String()}
}

// want checks the exit code.
func (o outcome) want(t *testing.T, code int) outcome {
	t.Helper()
	if o.code != code {
		t.Fatalf("exit code %d, want %d\nstdout: %s\nstderr: %s", o.code, code, o.stdout, o.stderr)
	}
	return o
}

// file writes a file and returns its name.
func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// bookFrames are a snapshot and n deltas of a book that stays whole, apart by
// the given number of milliseconds.
func bookFrames(symbol string, n, apart int) []string {
	frames := []string{fmt.Sprintf(`{"topic":"orderbook.50.%s","type":"snapshot","ts":1700000000000,"data":{"s":"%[1]s","b":[["100.5","1"],["100.0","2.5"]],"a":[["101.0","3"],["101.5","0.25"]],"u":10,"seq":100},"cts":1699999999999}`, symbol)}
	for i := 1; i <= n; i++ {
		ts := 1700000000000 + int64(i*apart)
		frames = append(frames, fmt.Sprintf(`{"topic":"orderbook.50.%s","type":"delta","ts":%d,"data":{"s":"%s","b":[["100.0","%d"]],"a":[["101.5","0.%d"]],"u":%d,"seq":%d},"cts":%d}`, symbol, ts, symbol, i, i, 10+i, 100+i, ts-1))
	}
	return frames
}

func tradeFrame(symbol string, id, ts int64) string {
	return fmt.Sprintf(`{"topic":"publicTrade.%s","type":"snapshot","ts":%d,"data":[{"T":%[2]d,"s":"%[1]s","S":"Sell","v":"0.020","p":"100.5","L":"MinusTick","i":"t%[3]d","BT":false}]}`, symbol, ts, id)
}

// capture makes a capture of frames, received when they say they were sent.
func captureOf(t *testing.T, category string, frames []string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "rec")
	bywire(t, "capture", "import", "--from", "v5-jsonl", "--category", category, "--to", dir,
		file(t, "frames.jsonl", strings.Join(frames, "\n")+"\n")).want(t, exitOK)
	return dir
}

// replaying is a command that serves beside the test.
type replaying struct {
	ws     string
	listen string // the address alone
	cancel context.CancelFunc
	done   chan outcome
}

// startReplay starts bywire replay and waits for its ready line.
func startReplay(t *testing.T, args ...string) *replaying {
	t.Helper()
	return startReplayTo(t, newWatchedText(), args...)
}

func startReplayTo(t *testing.T, stderr *watchedText, args ...string) *replaying {
	t.Helper()
	return startServing(t, stderr, append([]string{"replay"}, args...)...)
}

// startServing starts a command that serves, on a free port, and waits for its ready line.
func startServing(t *testing.T, stderr *watchedText, args ...string) *replaying {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	r := &replaying{cancel: cancel, done: make(chan outcome, 1)}
	out, in := io.Pipe()
	go func() {
		code := run(ctx, append(args, "--listen", "127.0.0.1:0"), strings.NewReader(""), in, stderr)
		in.Close()
		r.done <- outcome{code: code, stderr: stderr.String()}
	}()
	t.Cleanup(cancel)
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		t.Fatalf("no ready line: %v, %+v", err, <-r.done)
	}
	var ready struct{ Event, Listen, REST, WS string }
	if err := json.Unmarshal(line, &ready); err != nil || ready.Event != "ready" {
		t.Fatalf("ready line %s: %v", line, err)
	}
	if ready.WS != "ws://"+ready.Listen || ready.REST != "http://"+ready.Listen || !strings.HasPrefix(ready.Listen, "127.0.0.1:") {
		t.Errorf("ready line %s", line)
	}
	r.ws, r.listen = ready.WS, ready.Listen
	return r
}

// end waits for the replay to end by itself.
func (r *replaying) end(t *testing.T) outcome {
	t.Helper()
	return <-r.done
}

// stop interrupts it.
func (r *replaying) stop(t *testing.T) {
	t.Helper()
	r.cancel()
	(<-r.done).want(t, exitInterrupted)
}

func TestHelpIsShortAndHasExamples(t *testing.T) {
	got := bywire(t).want(t, exitOK)
	const want = `bywire speaks the Bybit V5 API: watch public data, call any endpoint, import
recordings, check them, and serve them again over WebSocket in the same protocol; or
serve a generated market, without a network.

Try:
  bywire up
  bywire book BTCUSDT
  bywire stream publicTrade.BTCUSDT tickers.BTCUSDT --count 10
  bywire call GET /v5/market/tickers category=linear symbol=BTCUSDT
  bywire capture import --from v5-jsonl --category linear --to rec day.jsonl.gz

Commands:
  book        show a live order book: ladder, trades, rates
  call        make any request of REST
  capture     import, merge, verify, describe and print captures
  completion  generate the autocompletion script for the specified shell
  doctor      check the way to the exchange, and say what to do
  endpoints   list the endpoints of REST that there are
  exchange    run a local exchange with a generated market, in the V5 protocol
  history     fetch candles, funding rates, open interest or trades of the past
  keys        show what the API key may do, from where and until when
  record      save public topics in a capture
  replay      serve a capture over WebSocket in the V5 protocol
  stream      print public topics as they come
  topics      list the topics there are: forms, channels, depths, push intervals
  up          start a local exchange and watch its market: the place to begin
  version     print the version
  watch       say when a rule about prices, books or trades becomes true

bywire COMMAND --help says more about one.
`
	if got.stdout != want || got.stderr != "" {
		t.Errorf("stdout:\n%s\nstderr:\n%s", got.stdout, got.stderr)
	}
	if help := bywire(t, "--help"); help.stdout != want {
		t.Errorf("--help prints\n%s", help.stdout)
	}
	for _, sub := range []string{"stream", "book", "record", "replay", "capture", "capture import", "capture merge", "capture verify", "capture info", "capture cat", "topics", "version", "watch", "doctor", "call", "endpoints", "keys", "history", "history klines", "history funding", "history open-interest", "history trades", "exchange", "up"} {
		o := bywire(t, append(strings.Fields(sub), "--help")...).want(t, exitOK)
		if !strings.Contains(o.stdout, "Usage:\n  bywire "+sub) || o.stderr != "" {
			t.Errorf("bywire %s --help:\n%s%s", sub, o.stdout, o.stderr)
		}
		for _, line := range strings.Split(o.stdout, "\n") {
			if strings.Contains(line, "\x1b") {
				t.Errorf("colour in the help of %s", sub)
			}
		}
	}
}

// Every wrong input gets one line that says what would be right, nothing on
// stdout, and its exit code.
func TestWrongInputGetsOneLine(t *testing.T) {
	text := file(t, "frames.jsonl", strings.Join(bookFrames("BTCUSDT", 1, 1), "\n"))
	empty := t.TempDir()
	missing := filepath.Join(empty, "missing")
	rec := captureOf(t, "linear", bookFrames("BTCUSDT", 2, 1000))
	for _, tc := range []struct {
		args []string
		want string
		code int
	}{
		{[]string{"strem"}, "bywire strem: no such command; meant bywire stream?", exitUsage},
		{[]string{"rocket"}, "bywire rocket: no such command; there are book, call, capture, completion, doctor, endpoints, exchange, history, keys, record, replay, stream, topics, up, version, watch", exitUsage},
		{[]string{"capture", "verfy"}, "bywire capture verfy: no such command; meant bywire capture verify?", exitUsage},
		{[]string{"version", "now"}, "version: takes no arguments, got now", exitUsage},

		{[]string{"stream"}, "stream: topic missing, like: bywire stream orderbook.50.BTCUSDT publicTrade.BTCUSDT", exitUsage},
		{[]string{"stream", "--categry", "spot"}, "stream: no flag --categry; meant --category?", exitUsage},
		{[]string{"stream", "-x"}, "stream: no flag -x; bywire stream --help lists them", exitUsage},
		{[]string{"stream", "--count"}, "stream: --count needs a value: end after N messages", exitUsage},
		{[]string{"stream", "--count", "ten", "t"}, "stream: --count ten is no whole number; end after N messages", exitUsage},
		{[]string{"stream", "--count", "0", "t"}, "--count 0: give a number above 0", exitUsage},
		{[]string{"stream", "--for", "10", "t"}, "stream: --for 10 is no duration (one looks like 10s or 5m); end after this DURATION, such as 10s or 5m", exitUsage},
		{[]string{"stream", "--for", "-1s", "t"}, "--for -1s: give a duration above 0, such as 10s", exitUsage},
		{[]string{"stream", "-o", "xml", "t"}, "-o xml: no such format; there are table, json, ndjson, raw", exitUsage},
		{[]string{"stream", "publicTrade.btcusdt"}, "publicTrade.btcusdt: symbols are upper case; meant publicTrade.BTCUSDT?", exitUsage},
		{[]string{"stream", "publicTrades.BTCUSDT"}, "publicTrades.BTCUSDT: no such topic; meant publicTrade.BTCUSDT?", exitUsage},
		{[]string{"stream", "orderbook.BTCUSDT"}, "orderbook.BTCUSDT: depth missing, like orderbook.50.BTCUSDT", exitUsage},
		{[]string{"stream", "orderbook.51.BTCUSDT"}, "orderbook.51.BTCUSDT: depth 51 does not exist; linear has 1, 50, 200, 1000", exitUsage},
		{[]string{"stream", "orderbook.500.BTCUSDT"}, "orderbook.500.BTCUSDT: depth 500 was retired in September 2025; use orderbook.1000.BTCUSDT or orderbook.200.BTCUSDT", exitUsage},
		{[]string{"stream", "publicTrade.ETHBTC"}, "publicTrade.ETHBTC: the name does not tell its category; add --category spot, linear, inverse or option", exitUsage},
		{[]string{"stream", "publicTrade.BTCUSD", "publicTrade.BTCPERP"}, "publicTrade.BTCUSD is on inverse and publicTrade.BTCPERP on linear: a stream has one channel; run one for each", exitUsage},
		{[]string{"stream", "order"}, "order is a private topic; bywire stream shows public data: bywire topics lists it", exitUsage},
		{[]string{"stream", "--category", "liner", "publicTrade.BTCUSDT"}, "--category liner: no such category; meant linear?", exitUsage},
		{[]string{"stream", "--category", "futures", "publicTrade.BTCUSDT"}, "--category futures: no such category; there are spot, linear, inverse, option, spread, rfq, status, finance", exitUsage},
		{[]string{"stream", "--category", "spot", "allLiquidation.BTCUSDT"}, "allLiquidation.BTCUSDT: spot has no allLiquidation topics; they are on linear, inverse", exitUsage},
		{[]string{"stream", "--env", "prod", "publicTrade.BTCUSDT"}, "--env prod: no such environment; there are mainnet, testnet, demo, tr, id, kz, ge, jp, nl, ae, eu, hk", exitUsage},
		{[]string{"stream", "--env", "de", "publicTrade.BTCUSDT"}, "--env de: no such environment; sites with hosts of their own are tr, id, kz, ge, jp, nl, ae, eu, hk; mainnet is www.bybit.com", exitUsage},
		{[]string{"stream", "--env", "tesnet", "publicTrade.BTCUSDT"}, "--env tesnet: no such environment; meant testnet?", exitUsage},
		{[]string{"stream", "--ws", "http://x", "publicTrade.BTCUSDT"}, "--ws http://x: no ws URL; one looks like ws://127.0.0.1:8787", exitUsage},
		{[]string{"stream", "--ws", "ws://x", "--env", "demo", "publicTrade.BTCUSDT"}, "--env demo and --ws ws://x: give one of them", exitUsage},
		{[]string{"stream", "--ws", "ws://x/v5/private", "publicTrade.BTCUSDT"}, "--ws ws://x/v5/private: the private channel needs an account; public ones are spot, linear, inverse, option, spread, rfq, status, finance", exitUsage},
		{[]string{"stream", "--ws", "ws://x/v5/public/spot", "--category", "linear", "t"}, "--ws ws://x/v5/public/spot is the spot channel, --category says linear: give one of them", exitUsage},
		{[]string{"stream", `{"op":"unsubscribe","args":["trade.BTCUSD"]}`}, `the pasted frame has op "unsubscribe"; a subscribe frame looks like {"op":"subscribe","args":["publicTrade.BTCUSDT"]}`, exitUsage},
		{[]string{"stream", `{op:subscribe}`}, `the pasted frame is not JSON as it should be (quote it for the shell); one looks like {"op":"subscribe","args":["publicTrade.BTCUSDT"]}`, exitUsage},
		{[]string{"stream", `{"op":"subscribe","args":[]}`}, `the pasted frame subscribes to nothing; one looks like {"op":"subscribe","args":["publicTrade.BTCUSDT"]}`, exitUsage},

		{[]string{"book"}, "book: symbol missing, like: bywire book BTCUSDT", exitUsage},
		{[]string{"book", "A", "B"}, "book: takes one symbol, got 2: A B", exitUsage},
		{[]string{"book", "btcusdt"}, "btcusdt: symbols are upper case; meant BTCUSDT?", exitUsage},
		{[]string{"book", "BTCUSD", "--depth", "25", "--once"}, "orderbook.25.BTCUSD: depth 25 was retired with V2; use orderbook.50.BTCUSD", exitUsage},
		{[]string{"book", "BTCUSD"}, "book: draws on a terminal; on a pipe use: bywire book BTCUSD --once, or: bywire stream orderbook.50.BTCUSD", exitUsage},

		{[]string{"replay"}, "replay: folder missing, like: bywire replay rec", exitUsage},
		{[]string{"replay", missing}, missing + ": no such folder; a capture is a folder, make one with: bywire capture import --from v5-jsonl --to DIR FILE", exitUsage},
		{[]string{"replay", text}, text + ": a file, and a capture is a folder; make one with: bywire capture import --from v5-jsonl --to DIR " + text, exitUsage},
		{[]string{"replay", empty}, empty + ": no capture in this folder; make one with: bywire capture import --from v5-jsonl --to " + empty + " FILE", exitUsage},
		{[]string{"replay", rec, "--speed", "fast"}, "--speed fast: write a number such as 1 or 10, or max", exitUsage},
		{[]string{"replay", rec, "--speed", "NaN"}, "--speed NaN: write a number such as 1 or 10, or max", exitUsage},
		{[]string{"replay", rec, "--start", "later"}, "--start later: write first (subscription) or now", exitUsage},
		{[]string{"replay", rec, "--listen", "here"}, "--listen here: no address; one looks like 127.0.0.1:8787, with port 0 for a free one", exitUsage},
		{[]string{"replay", rec, "--from", "yesterday"}, "--from yesterday: no time; write " + momentHelp, exitUsage},
		{[]string{"replay", rec, "--from", "+1s", "--to", "+1s"}, "--from +1s is not before --to +1s", exitUsage},
		{[]string{"replay", rec, "--from", "+1h"}, rec + ": no public message to serve between the given times; bywire capture info " + rec + " says what is there", exitUsage},

		{[]string{"capture", "import"}, "capture import: --from missing; the formats are v5-jsonl, v2-log, bybit-ob, bybit-trades", exitUsage},
		{[]string{"capture", "import", "--from", "v5-json"}, "--from v5-json: no such format; meant v5-jsonl?", exitUsage},
		{[]string{"capture", "import", "--from", "csv"}, "--from csv: no such format; there are v5-jsonl, v2-log, bybit-ob, bybit-trades", exitUsage},
		{[]string{"capture", "import", "--from", "v5-jsonl"}, "capture import: --to missing, the folder of the new capture, like: bywire capture import --from v5-jsonl --category linear --to rec day.jsonl.gz", exitUsage},
		{[]string{"capture", "import", "--from", "v5-jsonl", "--to", missing}, "capture import: file missing, like: bywire capture import --from v5-jsonl --category linear --to rec day.jsonl.gz", exitUsage},
		{[]string{"capture", "import", "--from", "v5-jsonl", "--to", missing, missing}, missing + ": no such file", exitUsage},
		{[]string{"capture", "import", "--from", "v5-jsonl", "--to", missing, empty}, empty + ": a folder; name the files in it, like " + filepath.Join(empty, "*"), exitUsage},
		{[]string{"capture", "import", "--from", "v5-jsonl", "--to", text, text}, "--to " + text + ": a file; a capture is a folder", exitUsage},
		{[]string{"capture", "import", "--from", "v5-jsonl", "--to", rec, text}, "--to " + rec + ": holds a capture already; name a new folder, and all files in one import", exitUsage},
		{[]string{"capture", "import", "--from", "v5-jsonl", "--category", "perp", "--to", missing, text}, "--category perp: no such category; there are spot, linear, inverse, option, spread, rfq, status, finance", exitUsage},
		{[]string{"capture", "verify", missing}, missing + ": no such folder; a capture is a folder, make one with: bywire capture import --from v5-jsonl --to DIR FILE", exitUsage},
		{[]string{"capture", "verify", rec, "-o", "yaml"}, "-o yaml: no such format; there are text, json", exitUsage},
		{[]string{"capture", "cat", rec, "--topic", "[a"}, "--topic [a: no pattern; write a topic, with * for any text", exitUsage},
		{[]string{"topics", "--category", "margin"}, "--category margin: no such category; there are spot, linear, inverse, option, spread, rfq, status, finance", exitUsage},
	} {
		o := bywire(t, tc.args...)
		if o.code != tc.code || o.stderr != "bywire: "+tc.want+"\n" || o.stdout != "" {
			t.Errorf("bywire %q:\n got %d %s%s\nwant %d bywire: %s", tc.args, o.code, o.stderr, o.stdout, tc.code, tc.want)
		}
	}
	if _, err := os.Stat(missing); err == nil {
		t.Error("a refused import made its folder")
	}
}

func TestTopicsAndVersion(t *testing.T) {
	o := bywire(t, "topics").want(t, exitOK)
	for _, want := range []string{"orderbook.{depth}.{symbol}", "retired in September 2025, use 1000 or 200", "publicTrade.BTC", "every 1s to 1m", "real time"} {
		if !strings.Contains(o.stdout, want) {
			t.Errorf("topics does not say %q:\n%s", want, o.stdout)
		}
	}
	if strings.Contains(o.stdout, "wallet") {
		t.Error("topics lists private ones unasked")
	}
	if o := bywire(t, "topics", "--all"); !strings.Contains(o.stdout, "order[.{category}]") {
		t.Errorf("topics --all:\n%s", o.stdout)
	}
	var rows []topicRow
	if err := json.Unmarshal([]byte(bywire(t, "topics", "-o", "json", "--category", "spot").stdout), &rows); err != nil {
		t.Fatal(err)
	}
	var fifty topicRow
	for _, r := range rows {
		if r.Channel != "spot" || r.Path != "/v5/public/spot" || !r.Public {
			t.Errorf("row %+v", r)
		}
		if r.Depth == 50 {
			fifty = r
		}
	}
	if fifty.MinMs != 20 || fifty.MaxMs != 20 || fifty.Example != "orderbook.50.BTCUSDT" {
		t.Errorf("depth 50: %+v", fifty)
	}
	var v struct{ Version, Go, Platform string }
	if err := json.Unmarshal([]byte(bywire(t, "version", "-o", "json").stdout), &v); err != nil || v.Version == "" {
		t.Errorf("version: %+v, %v", v, err)
	}
}

func TestCompletion(t *testing.T) {
	for _, tc := range []struct {
		args []string
		want []string
	}{
		{[]string{"stream", "orderbook.2"}, []string{"orderbook.25.", "orderbook.200."}},
		{[]string{"stream", "--category", "l"}, []string{"linear"}},
		{[]string{"stream", "--env", "te"}, []string{"testnet"}},
		{[]string{"capture", "import", "--from", "by"}, []string{"bybit-ob", "bybit-trades"}},
	} {
		o := bywire(t, append([]string{"__complete"}, tc.args...)...).want(t, exitOK)
		for _, w := range tc.want {
			if !strings.Contains(o.stdout, w) {
				t.Errorf("completing %q does not offer %s:\n%s", tc.args, w, o.stdout)
			}
		}
	}
	if o := bywire(t, "completion", "bash").want(t, exitOK); !strings.Contains(o.stdout, "bash completion") {
		t.Error("no script for bash")
	}
}
