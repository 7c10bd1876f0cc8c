package main

import (
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/bywire/bywire/bybit"
)

// pastMinutes is a REST server with candles of every minute from 2026-01-01 on but some, and
// trades; it pages as the venue does. It fails after fails requests if that is set.
type pastMinutes struct {
	fails  atomic.Int64
	trades atomic.Pointer[string]
}

var pastBegin = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func (s *pastMinutes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.fails.Add(-1) == 0 {
		io.WriteString(w, `{"retCode":10001,"retMsg":"enough"}`)
		return
	}
	q := r.URL.Query()
	number := func(name string) int64 { n, _ := strconv.ParseInt(q.Get(name), 10, 64); return n }
	var rows []string
	switch r.URL.Path {
	case "/v5/market/kline":
		for at := number("end") / 60_000 * 60_000; at >= max(number("start"), pastBegin.UnixMilli()) && int64(len(rows)) < number("limit"); at -= 60_000 {
			if at/60_000%77 != 0 && at < pastBegin.Add(3000*time.Minute).UnixMilli() {
				rows = append(rows, fmt.Sprintf(`["%d","1.50","2","-0.5","%d.000000000000000001","3","4"]`, at, at/60_000%1000))
			}
		}
	case "/v5/market/funding/history":
		for at := number("endTime") / 28_800_000 * 28_800_000; at >= max(number("startTime"), pastBegin.UnixMilli()) && int64(len(rows)) < number("limit"); at -= 28_800_000 {
			rows = append(rows, fmt.Sprintf(`{"symbol":"BTCUSDT","fundingRate":"-0.0001","fundingRateTimestamp":"%d"}`, at))
		}
	case "/v5/market/recent-trade":
		rows = append(rows, *s.trades.Load())
	default:
		http.NotFound(w, r)
		return
	}
	fmt.Fprintf(w, `{"retCode":0,"result":{"category":"linear","list":[%s]},"time":%d}`, strings.Join(rows, ","), pastBegin.AddDate(1, 0, 0).UnixMilli())
}

func startPast(t *testing.T) (*pastMinutes, func(args ...string) outcome) {
	s := &pastMinutes{}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	return s, func(args ...string) outcome {
		t.Helper()
		return bywire(t, append([]string{"history"}, append(args, "--rest", srv.URL)...)...)
	}
}

func TestHistoryPrintsRows(t *testing.T) {
	_, history := startPast(t)
	got := history("klines", "btcusdt", "--from", "2026-01-01", "--to", "+3m", "-o", "csv").want(t, exitOK)
	const want = `category,symbol,interval,time,open,high,low,close,volume,turnover
linear,BTCUSDT,1,2026-01-01T00:00:00.000Z,1.50,2,-0.5,760.000000000000000001,3,4
linear,BTCUSDT,1,2026-01-01T00:01:00.000Z,1.50,2,-0.5,761.000000000000000001,3,4
linear,BTCUSDT,1,2026-01-01T00:02:00.000Z,1.50,2,-0.5,762.000000000000000001,3,4
`
	if got.stdout != want {
		t.Errorf("printed\n%s", got.stdout)
	}
	got = history("funding", "BTCUSDT", "--from", "2026-01-01T08:00", "--to", "2026-01-01T16:00").want(t, exitOK)
	if want := `{"category":"linear","symbol":"BTCUSDT","time":"2026-01-01T08:00:00.000Z","rate":"-0.0001"}` + "\n"; got.stdout != want {
		t.Errorf("printed\n%s", got.stdout)
	}
}

// TestHistoryGoesOn: whatever an interrupted run has left, also half a row, the next one makes the
// file that one run would have made.
func TestHistoryGoesOn(t *testing.T) {
	s, history := startPast(t)
	for _, format := range []string{"csv", "ndjson"} {
		file := filepath.Join(t.TempDir(), "whole."+format)
		span := []string{"klines", "BTCUSDT", "--from", "2026-01-01", "--to", "2026-01-03"}
		history(append(span, "--file", file)...).want(t, exitOK)
		whole, err := os.ReadFile(file)
		if err != nil || strings.Count(string(whole), "\n") < 2800 {
			t.Fatalf("%d bytes, %v", len(whole), err)
		}
		for _, cut := range []int{0, 5, 64, 70, 71, 150, 5000, len(whole) - 1, len(whole)} {
			if err := os.WriteFile(file, whole[:cut], 0o600); err != nil {
				t.Fatal(err)
			}
			if cut == 150 { // and this time it fails on the way
				s.fails.Store(3)
				history(append(span, "--file", file)...).want(t, exitRefused)
			}
			history(append(span, "--file", file)...).want(t, exitOK)
			if got, err := os.ReadFile(file); err != nil || string(got) != string(whole) {
				t.Errorf("%s cut at %d: %d bytes, want %d, error %v", format, cut, len(got), len(whole), err)
			}
		}
		for _, cut := range []int{150, 5000} { // as a loss of power leaves it
			if err := os.WriteFile(file, append(slices.Clone(whole[:cut]), make([]byte, 777)...), 0o600); err != nil {
				t.Fatal(err)
			}
			history(append(span, "--file", file)...).want(t, exitOK)
			if got, err := os.ReadFile(file); err != nil || string(got) != string(whole) {
				t.Errorf("%s with zeros behind %d: %d bytes, want %d, error %v", format, cut, len(got), len(whole), err)
			}
		}
		for _, other := range [][]string{
			{"klines", "ETHUSDT", "--from", "2026-01-01"}, {"klines", "BTCUSDT", "--from", "2026-01-01", "--interval", "1h"},
			{"funding", "BTCUSDT", "--from", "2026-01-01"}, {"klines", "BTCUSDT", "--from", "2026-02-01"},
		} {
			history(append(other, "--file", file)...).want(t, exitUsage)
		}
		if got, err := os.ReadFile(file); err != nil || string(got) != string(whole) {
			t.Error("a command for something else has changed the file")
		}
	}
	foreign := file(t, "notes.txt", "a text without an end")
	history("klines", "BTCUSDT", "--from", "2026-01-01", "--file", foreign).want(t, exitUsage)
	if text, err := os.ReadFile(foreign); err != nil || string(text) != "a text without an end" {
		t.Errorf("the file is now %q, %v", text, err)
	}
}

// TestHistoryOfAFileThatBeginsLater: a file is not taken for whole that lacks rows in the
// beginning.
func TestHistoryOfAFileThatBeginsLater(t *testing.T) {
	_, history := startPast(t)
	file := filepath.Join(t.TempDir(), "btc.csv")
	from := func(from string) outcome {
		return history("klines", "BTCUSDT", "--from", from, "--to", "2026-01-02T12:00", "--file", file)
	}
	from("2026-01-02").want(t, exitOK)
	had, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got := from("2026-01-01").want(t, exitUsage)
	if !strings.Contains(got.stderr, "begins at 2026-01-02T00:00:00.000Z") || !strings.Contains(got.stderr, "has a row of 2026-01-01T00:00:00.000Z") {
		t.Errorf("it says %q", got.stderr)
	}
	if now, err := os.ReadFile(file); err != nil || string(now) != string(had) {
		t.Errorf("the file has changed, or %v", err)
	}
	// Before the listing nothing can be missing.
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	from("2025-12-01").want(t, exitOK)
	from("2025-12-01").want(t, exitOK)
}

func TestHistoryOfAFileThatIsInUse(t *testing.T) {
	_, history := startPast(t)
	name := filepath.Join(t.TempDir(), "btc.csv")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := lockHistory(f); err != nil {
		t.Fatal(err)
	}
	got := history("klines", "BTCUSDT", "--from", "2026-01-01", "--to", "+1h", "--file", name).want(t, exitUsage)
	if !strings.Contains(got.stderr, "another bywire history writes to it") {
		t.Errorf("it says %q", got.stderr)
	}
	f.Close()
	history("klines", "BTCUSDT", "--from", "2026-01-01", "--to", "+1h", "--file", name).want(t, exitOK)
}

// A number that the exchange has not is null in parquet, not 0.
func TestHistoryParquetOfAnAbsentNumber(t *testing.T) {
	_, history := startPast(t)
	name := filepath.Join(t.TempDir(), "btc.parquet")
	row := `{"category":"linear","symbol":"BTCUSDT","interval":"1","time":"2026-01-01T00:00:00.000Z","open":"1","high":"0","low":"1","close":"1","volume":"","turnover":"2"}` + "\n"
	if err := os.WriteFile(name+".part", []byte(row), 0o600); err != nil {
		t.Fatal(err)
	}
	history("klines", "BTCUSDT", "--from", "2026-01-01", "--to", "+1ms", "--file", name).want(t, exitOK)
	rows, err := parquet.ReadFile[klineRecord](name)
	if err != nil || len(rows) != 1 || rows[0].Volume != nil || rows[0].High == nil || unscaled(*rows[0].High) != "0" || unscaled(*rows[0].Turnover) != "2000000000000000000" {
		t.Errorf("rows %+v, error %v", rows, err)
	}
}

func TestHistoryParquet(t *testing.T) {
	s, history := startPast(t)
	name := filepath.Join(t.TempDir(), "btc.parquet")
	args := []string{"klines", "BTCUSDT", "--from", "2026-01-01", "--to", "2026-01-03", "--file", name}
	s.fails.Store(3)
	history(args...).want(t, exitRefused)
	if _, err := os.Stat(name); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("there is a file before all rows are there: %v", err)
	}
	history(args...).want(t, exitOK)
	rows, err := parquet.ReadFile[klineRecord](name)
	if err != nil {
		t.Fatal(err)
	}
	var want []int64
	for i := range int64(2880) {
		if at := pastBegin.UnixMilli()/60_000 + i; at%77 != 0 {
			want = append(want, at*60_000)
		}
	}
	var times []int64
	for _, r := range rows {
		times = append(times, r.Time)
	}
	if !slices.Equal(times, want) {
		t.Errorf("%d rows, want %d", len(times), len(want))
	}
	if r := rows[0]; r.Symbol != "BTCUSDT" || r.Interval != "1" || unscaled(*r.Low) != "-500000000000000000" || unscaled(*r.Close) != "760000000000000000001" {
		t.Errorf("the first row is %+v", r)
	}
	left, err := os.ReadDir(filepath.Dir(name))
	if err != nil || len(left) != 1 {
		t.Errorf("the folder has %v, %v", left, err)
	}
	history(args...).want(t, exitUsage)
	history("klines", "BTCUSDT", "--from", "2026-01-01", "-o", "parquet").want(t, exitUsage)
}

// unscaled is a number of parquet without its point.
func unscaled(d parquetDecimal) string {
	n := new(big.Int).SetBytes(d[:])
	if d[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), 128))
	}
	return n.String()
}

func TestHistoryOfTradesTellsWhatIsMissing(t *testing.T) {
	s, history := startPast(t)
	trade := func(id string, second int) string {
		return fmt.Sprintf(`{"execId":"%s","symbol":"BTCUSDT","price":"1","size":"2","side":"Buy","time":"%d","seq":"9"}`, id, pastBegin.Add(time.Duration(second)*time.Second).UnixMilli())
	}
	has := func(trades ...string) {
		text := strings.Join(trades, ",")
		s.trades.Store(&text)
	}
	name := filepath.Join(t.TempDir(), "trades.csv")
	ids := func() (ids string) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			ids += strings.Split(line, ",")[2] + " "
		}
		return ids
	}
	has(trade("b", 2), trade("a", 1))
	history("trades", "BTCUSDT", "--from", "2025-12-31", "--file", name).want(t, exitDamage)
	has(trade("d", 2), trade("c", 2), trade("b", 2))
	history("trades", "BTCUSDT", "--file", name).want(t, exitOK)
	if got := ids(); got != "id a b c d " {
		t.Errorf("the file has %q", got)
	}
	has(trade("z", 9))
	// Rows that wait to become parquet become it: the same command could never go on.
	whole := filepath.Join(t.TempDir(), "trades.parquet")
	part := `{"category":"linear","symbol":"BTCUSDT","id":"d","time":"2026-01-01T00:00:02.000Z","side":"Buy","price":"1","size":"2","blockTrade":"false","rpiTrade":"false","seq":"9"}` + "\n"
	if err := os.WriteFile(whole+".part", []byte(part), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := history("trades", "BTCUSDT", "--file", whole).want(t, exitDamage); strings.Contains(got.stderr, "goes on") {
		t.Errorf("it says %q", got.stderr)
	}
	if rows, err := parquet.ReadFile[tradeRecord](whole); err != nil || len(rows) != 1 || rows[0].ID != "d" {
		t.Errorf("rows %+v, error %v", rows, err)
	}
	history("trades", "BTCUSDT", "--file", name).want(t, exitDamage)
	if got := ids(); got != "id a b c d " {
		t.Errorf("the file has %q", got)
	}
}

func TestHistoryRefusesWrongWords(t *testing.T) {
	for _, tc := range []struct {
		args []string
		says string
	}{
		{[]string{"klines", "BTCUSDT"}, "--from missing"},
		{[]string{"klines", "BTCUSDT", "--from", "2026-01-02", "--to", "2026-01-01"}, "not after"},
		{[]string{"klines", "BTCUSDT", "--from", "2026-01-02", "--interval", "7m"}, "no such interval"},
		{[]string{"klines", "BTCUSDT", "--from", "2026-01-02", "-o", "xml"}, "no such format"},
		{[]string{"funding", "BTCUSDT", "--from", "2026-01-02", "--category", "spot"}, "none on spot"},
		{[]string{"candles"}, "no such command"},
	} {
		got := bywire(t, append([]string{"history"}, tc.args...)...).want(t, exitUsage)
		if !strings.Contains(got.stderr, tc.says) || strings.Count(got.stderr, "\n") != 1 {
			t.Errorf("%q says %q", tc.args, got.stderr)
		}
	}
}

// The limits' exit code is that of other calls.
func TestHistoryErrors(t *testing.T) {
	for _, c := range []struct {
		err  bybit.Error
		want int
	}{
		{bybit.Error{Status: 200, Code: 10001}, exitRefused},
		{bybit.Error{Status: 200, Code: 10006}, exitRateLimited},
		{bybit.Error{Status: 200, Code: 10018}, exitRateLimited},
		{bybit.Error{Status: 200, Code: 10429}, exitRateLimited},
		{bybit.Error{Status: 403, Message: "access too frequent"}, exitRateLimited},
		{bybit.Error{Status: 429}, exitRateLimited},
		{bybit.Error{Status: 502}, exitNetwork},
	} {
		if got := exitCode(historyError(&c.err)); got != c.want {
			t.Errorf("%v exits with %d, want %d", &c.err, got, c.want)
		}
	}
}
