package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/bywire/bywire/book"
	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/decimal"
)

func TestTrigger(t *testing.T) {
	// A letter is a second: + the rule holds, - it fails, ? it is undecided;
	// r as +, R as -, with the reset rule holding too. ! stands behind a step
	// that fires.
	for _, tc := range []struct {
		name string
		t    trigger
		want string
	}{
		{"once while it holds", trigger{}, "-+!++-+!"},
		{"at the start", trigger{}, "?+!+"},
		{"undecided is neither", trigger{}, "-?+!?+?+-?+!"},
		{"a gap that ends in failing rearms", trigger{}, "+!?-+!"},
		{"hold", trigger{hold: 2 * time.Second}, "-++-+++!++-+++!"},
		{"hold begins anew after a gap", trigger{hold: 2 * time.Second}, "++?+++!"},
		{"cooldown", trigger{cooldown: 3 * time.Second}, "+!-+-+!-+"},
		{"reset", trigger{reset: true}, "-+!-+-R+!-+"},
		{"reset while it holds does not make it become true", trigger{reset: true}, "+!+r++-+!"},
		{"each trade", trigger{moment: true}, "-+!+!-+!"},
		{"each trade after a reset", trigger{moment: true, reset: true}, "+!++r!+R+!"},
		{"each trade, cooldown", trigger{moment: true, cooldown: 2 * time.Second}, "+!++!"},
	} {
		now := time.Unix(1000, 0)
		var got strings.Builder
		for _, c := range strings.ReplaceAll(tc.want, "!", "") {
			now = now.Add(time.Second)
			said := map[rune]judgement{'+': holds, 'r': holds, '-': fails, 'R': fails, '?': undecided}[c]
			reset := fails
			if c == 'r' || c == 'R' {
				reset = holds
			}
			got.WriteRune(c)
			if tc.t.step(now, said, reset) {
				got.WriteByte('!')
			}
		}
		if got.String() != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got.String(), tc.want)
		}
	}
	tr := trigger{cooldown: 3 * time.Second}
	for i, j := range []judgement{holds, fails, holds, fails, holds} {
		tr.step(time.Unix(int64(i)/2, 0), j, undecided)
	}
	if tr.muted != 2 {
		t.Errorf("%d firings left out, want 2", tr.muted)
	}
}

// watchBench is a watcher without a network.
type watchBench struct {
	*watcher
	out    strings.Builder
	stderr strings.Builder
}

func newWatchBench(t *testing.T, opts watchOptions, symbols ...string) *watchBench {
	t.Helper()
	rules, err := compileRules(opts.ifs, opts.resets)
	if err != nil {
		t.Fatal(err)
	}
	b := new(watchBench)
	a := newApp(strings.NewReader(""), &b.out, &b.stderr)
	b.watcher = newWatcher(rules, symbols, bybit.Linear, &opts, &firings{a: a, format: formatNDJSON, end: func(error) {}}, a.say)
	return b
}

// fired returns the symbols and fields of the firings since the last call.
func (b *watchBench) fired(t *testing.T) string {
	t.Helper()
	var all []string
	for line := range strings.Lines(b.out.String()) {
		var f firing
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			t.Fatal(err)
		}
		all = append(all, f.Symbol+string(f.Fields))
	}
	b.out.Reset()
	return strings.Join(all, " ")
}

func tickerEvent(symbol, funding string) *bybit.TickerEvent {
	e := &bybit.TickerEvent{Complete: true}
	e.Topic, e.Symbol = bybit.Tickers(symbol), symbol
	if funding != "" {
		e.FundingRate = decimal.MustParse(funding)
	}
	return e
}

func TestWatcherKeepsSymbolsApart(t *testing.T) {
	b := newWatchBench(t, watchOptions{ifs: []string{"fundingRate > 0.0005"}}, "BTCUSDT", "ETHUSDT")
	now := time.Unix(1000, 0)
	for _, step := range []struct {
		ev   bybit.Event
		want string
	}{
		{tickerEvent("BTCUSDT", "0.0006"), `BTCUSDT{"fundingRate":"0.0006"}`},
		{tickerEvent("BTCUSDT", "0.00070"), ""},
		{tickerEvent("ETHUSDT", ""), ""},
		{tickerEvent("ETHUSDT", "0.0001"), ""},
		{tickerEvent("ETHUSDT", "0.00051"), `ETHUSDT{"fundingRate":"0.00051"}`},
		{tickerEvent("XRPUSDT", "0.1"), ""},
		// What is missing leaves it undecided: no firing when it is back.
		{&bybit.GapEvent{Topic: bybit.Tickers("BTCUSDT"), Reason: bybit.GapDisconnected}, ""},
		{tickerEvent("BTCUSDT", "0.0006"), ""},
		{tickerEvent("BTCUSDT", "0.0005"), ""},
		{&bybit.GapEvent{Topic: bybit.Tickers("BTCUSDT"), Reason: bybit.GapDisconnected}, ""},
		{tickerEvent("BTCUSDT", "0.00050001"), `BTCUSDT{"fundingRate":"0.00050001"}`},
		{tickerEvent("BTCUSDT", "0.0001"), ""},
		{&bybit.SilentEvent{Topic: bybit.Tickers("BTCUSDT"), Expected: time.Minute}, ""},
		{tickerEvent("BTCUSDT", "0.0009"), `BTCUSDT{"fundingRate":"0.0009"}`},
	} {
		b.take(now, step.ev)
		if got := b.fired(t); got != step.want {
			t.Errorf("%T: fired %q, want %q", step.ev, got, step.want)
		}
	}
	if n := strings.Count(b.stderr.String(), "tickers.BTCUSDT: gap: disconnected\n"); n != 2 {
		t.Errorf("stderr: %s", b.stderr.String())
	}
	// A delta without its snapshot says too little.
	e := tickerEvent("ETHUSDT", "0.9")
	e.Complete = false
	b.take(now, tickerEvent("ETHUSDT", "0"))
	b.take(now, e)
	if got := b.fired(t); got != "" {
		t.Errorf("fired %s without a snapshot", got)
	}
}

func TestWatcherJudgesBooksAndTradesTogether(t *testing.T) {
	b := newWatchBench(t, watchOptions{ifs: []string{"hit=side == \"Sell\" and price < bestBid and imbalance > 0"}}, "BTCUSDT")
	now := time.Unix(1000, 0)
	own := book.New(50)
	d := decimal.MustParse
	apply := func(bidSize string) {
		t.Helper()
		u := book.Update{Snapshot: true, ID: 7, Bids: []book.Level{{Price: d("100"), Size: d(bidSize)}}, Asks: []book.Level{{Price: d("101"), Size: d("1")}}}
		if err := own.Apply(&u); err != nil {
			t.Fatal(err)
		}
		e := &bybit.BookEvent{Book: own.View()}
		e.Topic = bybit.OrderBook(50, "BTCUSDT")
		b.take(now, e)
	}
	trade := func(prices ...string) {
		e := &bybit.TradesEvent{}
		e.Topic = bybit.Trades("BTCUSDT")
		for _, p := range prices {
			e.Trades = append(e.Trades, bybit.Trade{Symbol: "BTCUSDT", Side: bybit.Sell, Price: d(p), Size: d("1")})
		}
		b.take(now, e)
	}
	trade("99") // no book yet
	if got := b.fired(t); got != "" {
		t.Fatalf("fired %s without a book", got)
	}
	apply("3")
	if got := b.fired(t); got != "" {
		t.Fatalf("fired %s without a trade", got)
	}
	trade("99.5", "100", "99.4")
	const want = `BTCUSDT{"side":"Sell","price":"99.5","bestBid":"100","imbalance":"0.50000000"} BTCUSDT{"side":"Sell","price":"99.4","bestBid":"100","imbalance":"0.50000000"}`
	if got := b.fired(t); got != want {
		t.Errorf("fired %s\nwant %s", got, want)
	}
	b.take(now, &bybit.GapEvent{Topic: bybit.OrderBook(50, "BTCUSDT"), Reason: bybit.GapBook})
	trade("99")
	apply("0.5")
	trade("99") // imbalance below 0
	if got := b.fired(t); got != "" {
		t.Errorf("fired %s", got)
	}
}

// A hold ends by itself, when nothing arrives any more.
func TestWatcherWakesForHold(t *testing.T) {
	b := newWatchBench(t, watchOptions{ifs: []string{"fundingRate > 0"}, hold: 10 * time.Second}, "BTCUSDT", "ETHUSDT")
	now := time.Unix(1000, 0)
	b.take(now, tickerEvent("BTCUSDT", "1"))
	b.take(now.Add(time.Second), tickerEvent("ETHUSDT", "1"))
	due := b.wakeUp(now.Add(time.Second), time.Time{})
	if want := now.Add(10 * time.Second); !due.Equal(want) {
		t.Fatalf("due %s, want %s", due, want)
	}
	next := b.wakeUp(due, due)
	if got := b.fired(t); got != `BTCUSDT{"fundingRate":"1"}` || !next.Equal(now.Add(11*time.Second)) {
		t.Errorf("fired %q, next %s", got, next)
	}
	if next = b.wakeUp(next, next); !next.IsZero() || b.fired(t) != `ETHUSDT{"fundingRate":"1"}` {
		t.Errorf("next %s", next)
	}
}

func TestWatcherTellsOnceWhatItCannotCompute(t *testing.T) {
	b := newWatchBench(t, watchOptions{ifs: []string{"1 / fundingRate > 5"}}, "BTCUSDT")
	for range 3 {
		b.take(time.Unix(1, 0), tickerEvent("BTCUSDT", "0"))
	}
	const want = "bywire: BTCUSDT: 1 / fundingRate > 5: division by zero; the rule is undecided meanwhile\n"
	if got := b.stderr.String(); got != want {
		t.Errorf("says %q, want %q", got, want)
	}
	b.take(time.Unix(1, 0), tickerEvent("BTCUSDT", "0.1"))
	if got := b.fired(t); got == "" {
		t.Error("does not fire after that")
	}
}

// tickerFrames are a snapshot and deltas that change one number.
func tickerFrames(symbol, field string, values ...string) []string {
	var frames []string
	for i, v := range values {
		kind := "delta"
		if i == 0 {
			kind = "snapshot"
		}
		frames = append(frames, fmt.Sprintf(`{"topic":"tickers.%[1]s","type":"%[2]s","data":{"symbol":"%[1]s","%[3]s":"%[4]s"},"cs":%[5]d,"ts":%[6]d}`, symbol, kind, field, v, 10+i, 1700000000000+int64(i)*100))
	}
	return frames
}

func TestWatchOverAReplay(t *testing.T) {
	frames := tickerFrames("BTCUSD", "fundingRate", "0.0001", "0.0006", "0.0007", "0.0004", "0.00051")
	dir := captureOf(t, "inverse", append(frames, tradeFrame("BTCUSD", 7, 1700000000900)))
	watch := func(code int, args ...string) outcome {
		t.Helper()
		r := startReplay(t, dir, "--speed", "max")
		defer r.cancel()
		return bywire(t, append([]string{"watch", "--ws", r.ws}, args...)...).want(t, code)
	}
	o := watch(exitOK, "--if", "fundingRate > 0.0005", "BTCUSD")
	lines := strings.Split(o.stdout, "\n")
	if len(lines) != 3 || !strings.HasSuffix(lines[0], "Z BTCUSD fundingRate > 0.0005 (fundingRate 0.0006)") || !strings.HasSuffix(lines[1], "(fundingRate 0.00051)") {
		t.Errorf("prints\n%s", o.stdout)
	}
	if o.stderr != "bywire: end of capture after 5 messages, 2 firings\n" {
		t.Errorf("says %s", o.stderr)
	}

	o = watch(exitOK, "--once", "-o", "ndjson", "--if", "high=fundingRate > 0.0005", "--if", "big=value >= 0.02", "BTCUSD")
	var f firing
	if err := json.Unmarshal([]byte(o.stdout), &f); err != nil || f.Name != "high" || f.Rule != "fundingRate > 0.0005" || f.Symbol != "BTCUSD" || f.Channel != "inverse" || string(f.Fields) != `{"fundingRate":"0.0006"}` || f.Time.IsZero() {
		t.Errorf("--once: %v, %s", err, o.stdout)
	}
	if o.stderr != "" {
		t.Errorf("--once says %s", o.stderr)
	}

	o = watch(exitOther, "--once", "--if", "fundingRate > 1", "BTCUSD")
	if o.stdout != "" || !strings.HasSuffix(o.stderr, "bywire: nothing has fired\n") {
		t.Errorf("--once without a firing: %+v", o)
	}
	if o = watch(exitOK, "--if", "big=value >= 0.02", "--cooldown", "1h", "BTCUSD"); !strings.HasSuffix(o.stdout, "Z BTCUSD big: value >= 0.02 (value 0.020)\n") {
		t.Errorf("trades: %s", o.stdout)
	}
	if o = watch(exitOK, "--if", "fundingRate > 0.0005", "--reset", "fundingRate < 0.0001", "BTCUSD"); strings.Count(o.stdout, "\n") != 1 {
		t.Errorf("--reset: %s", o.stdout)
	}
}

// One stream per channel; a hold ends on our clock.
func TestWatchHoldsOnTheClock(t *testing.T) {
	dir := captureOf(t, "linear", append(tickerFrames("BTCUSDT", "lastPrice", "1.5"), tradeFrame("BTCUSDT", 1, 1700003600000)))
	r := startReplay(t, dir) // an hour to the next message
	begun := time.Now()
	o := bywire(t, "watch", "--ws", r.ws, "--if", "lastPrice > 1", "--for", "100ms", "--once", "BTCUSDT").want(t, exitOK)
	if took := time.Since(begun); took < 100*time.Millisecond {
		t.Errorf("--for 100ms fired after %s", took)
	}
	if !strings.Contains(o.stdout, "(lastPrice 1.5)") || o.stderr != "bywire: taking BTCUSDT on linear; add --category spot for the other\n" {
		t.Errorf("%+v", o)
	}
	r.stop(t)
}

// script writes a program that the tests can give to --exec.
func script(t *testing.T, body string) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Fatal("the scripts of this test are for sh")
	}
	path := filepath.Join(t.TempDir(), "hook.sh")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestWatchRunsCommands(t *testing.T) {
	dir := captureOf(t, "inverse", tickerFrames("BTCUSD", "fundingRate", "0.0001", "0.0006", "0.0001", "0.0007"))
	to := filepath.Join(t.TempDir(), "out put")
	hook := script(t, `printf '%s %s %s %s|' "$1" "$BYWIRE_SYMBOL" "$BYWIRE_RULE" "$BYWIRE_FIELDS" > "$2.$$"; cat >> "$2.$$"; exit 3`)
	r := startReplay(t, dir, "--speed", "max")
	o := bywire(t, "watch", "--ws", r.ws, "--if", "fundingRate > 0.0005", "--exec", hook+` 'a $HOME' "`+to+`"`, "BTCUSD").want(t, exitOK)
	r.end(t).want(t, exitOK)
	if n := strings.Count(o.stderr, "bywire: --exec "+hook+": exit status 3 (BTCUSD)\n"); n != 2 {
		t.Errorf("two failing commands: %s", o.stderr)
	}
	files, err := filepath.Glob(to + ".*")
	if err != nil || len(files) != 2 {
		t.Fatalf("%q, %v", files, err)
	}
	all := ""
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all += string(text)
		before, object, _ := strings.Cut(string(text), "|")
		var f firing
		if err := json.Unmarshal([]byte(object), &f); err != nil || f.Symbol != "BTCUSD" {
			t.Errorf("stdin: %v, %s", err, object)
		}
		if before != "a $HOME BTCUSD fundingRate > 0.0005 "+string(f.Fields) {
			t.Errorf("argument and environment: %s", before)
		}
	}
	if !strings.Contains(all, `{"fundingRate":"0.0006"}`) || !strings.Contains(all, `{"fundingRate":"0.0007"}`) {
		t.Errorf("commands got %s", all)
	}
}

// A command that hangs is killed, and does not hold up the watching: all firings
// are printed while the first commands still run.
func TestWatchDoesNotWaitForCommands(t *testing.T) {
	var values []string
	for i := range 200 {
		values = append(values, []string{"0", "1"}[i%2])
	}
	dir := captureOf(t, "inverse", tickerFrames("BTCUSD", "fundingRate", values...))
	r := startReplay(t, dir, "--speed", "max")
	o := bywire(t, "watch", "--ws", r.ws, "--if", "fundingRate > 0.5", "--exec-timeout", "50ms", "--exec", "sh -c 'exec sleep 100'", "BTCUSD").want(t, exitOK)
	r.end(t).want(t, exitOK)
	if n := strings.Count(o.stdout, "\n"); n != 100 {
		t.Errorf("%d firings, want 100", n)
	}
	killed := strings.Count(o.stderr, "bywire: --exec sh: killed after 50ms (BTCUSD)\n")
	if killed < execWaiting || !strings.Contains(o.stderr, "bywire: --exec: 4 commands run and 64 wait; firings from ") {
		t.Errorf("%d killed of at least %d:\n%s", killed, execWaiting, o.stderr)
	}
}

// Whoever offers a firing never waits, whatever the commands do.
func TestHooksAreBounded(t *testing.T) {
	h := &hooks{queue: make(chan *firing, execWaiting)} // no worker takes any
	taken := 0
	for range 3 * execWaiting {
		if h.offer(&firing{}) {
			taken++
		}
	}
	if taken != execWaiting {
		t.Errorf("%d firings wait, want %d", taken, execWaiting)
	}
}

func TestSplitCommand(t *testing.T) {
	for text, want := range map[string]string{
		`sh -c 'echo "a b"'`:       `sh|-c|echo "a b"`,
		"sh  a\t\"b \\\" \\\\ c\"": `sh|a|b " \ c`,
		`sh a'b'"c d"e`:            `sh|abc de`,
		`sh '' ""`:                 `sh||`,
		`sh C:\dir\x $HOME *`:      `sh|C:\dir\x|$HOME|*`,
	} {
		got, err := splitCommand(text)
		if err != nil || strings.Join(got, "|") != want {
			t.Errorf("%s: %q, %v; want %s", text, got, err, want)
		}
	}
}

func TestWrongWatchGetsOneLine(t *testing.T) {
	const rule = "fundingRate > 0.0005"
	for _, tc := range []struct {
		args []string
		want string
	}{
		{nil, "watch: --if missing, like: bywire watch --if 'fundingRate > 0.0005' BTCUSDT"},
		{[]string{"--if", rule}, "watch: symbol missing, like: bywire watch --if 'fundingRate > 0.0005' BTCUSDT"},
		{[]string{"--if", rule, "btcusdt"}, "btcusdt: symbols are upper case; meant BTCUSDT?"},
		{[]string{"--if", rule, "ETHBTC"}, "ETHBTC: the name does not tell its category; add --category spot, linear, inverse or option"},
		{[]string{"--if", "fundngRate > 0.0005", "BTCUSDT"}, `--if "fundngRate > 0.0005": column 1: no field fundngRate; meant fundingRate?`},
		{[]string{"--if", "a=" + rule, "--if", "a=size > 1", "BTCUSDT"}, "--if a=: the name is taken by another rule"},
		{[]string{"--if", "price=5", "BTCUSDT"}, `--if "price=5": column 6: equality is written ==`},
		{[]string{"--if", rule, "--reset", "a=size > 1", "BTCUSDT"}, "--reset a=: no --if has that name"},
		{[]string{"--if", rule, "--reset", "size >", "BTCUSDT"}, `--reset "size >": column 6: the rule ends too early`},
		{[]string{"--if", rule, "--reset", "size > 1", "--reset", "size > 2", "BTCUSDT"}, `--reset "size > 2": there is one already; a rule of its own is --reset NAME=RULE`},
		{[]string{"--if", "size > 1", "--for", "1s", "BTCUSDT"}, `--for 1s: "size > 1" is about a trade, which lasts no time; leave --for out`},
		{[]string{"--if", rule, "--for", "0s", "BTCUSDT"}, "--for 0s: give a duration above 0, such as 10s"},
		{[]string{"--if", rule, "--cooldown", "-1s", "BTCUSDT"}, "--cooldown -1s: give a duration above 0, such as 5m"},
		{[]string{"--if", "bestBid > 1", "--depth", "51", "BTCUSDT"}, "orderbook.51.BTCUSDT: depth 51 does not exist; linear has 1, 50, 200, 1000"},
		{[]string{"--if", rule, "--exec", "no-such-program-here", "BTCUSDT"}, `--exec no-such-program-here: no such program; a line for the shell is written --exec 'sh -c "..."'`},
		{[]string{"--if", rule, "--exec", "sh -c 'x", "BTCUSDT"}, `--exec "sh -c 'x": a quote is not closed`},
		{[]string{"--if", rule, "-o", "json", "BTCUSDT"}, "-o json: no such format; there are text, ndjson"},
	} {
		o := bywire(t, append([]string{"watch"}, tc.args...)...)
		// What was assumed is said before.
		if o.code != exitUsage || !strings.HasSuffix("\n"+o.stderr, "\nbywire: "+tc.want+"\n") || o.stdout != "" {
			t.Errorf("bywire watch %q:\n got %d %s%s\nwant %d bywire: %s", tc.args, o.code, o.stderr, o.stdout, exitUsage, tc.want)
		}
	}
}
