package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/bywire/bywire/internal/wire"
)

// faithful answers as docs/fidelity.md says the exchange does, with data for the
// books of 50 levels.
func faithful() answer {
	var mu sync.Mutex // guards subscribed: channels connect at the same time
	subscribed := make(map[string]bool)
	return func(ch wire.Channel, req wire.Request) []string {
		mu.Lock()
		defer mu.Unlock()
		if req.Op == wire.OpPing {
			return []string{rightAnswer(ch, req)}
		}
		key := string(ch) + req.Args[0]
		r := wire.Reply{Op: req.Op, ReqID: req.ReqID, ConnID: "c0ffee-42"}
		if _, err := wire.ParseTopic(req.Args[0]); err != nil {
			r.Message = wire.MessageNoTopic(ch, req.Args[0])
		} else if subscribed[key] && req.Op == wire.OpSubscribe {
			r.Message = wire.MessageAlreadySubscribed(req.Args[0])
		}
		if r.Message != "" {
			if ch.Family() == wire.FamilyOption {
				r.Op, r.Message, r.Failed = wire.OpCommand, "", req.Args
			}
			return []string{string(wire.AppendReply(nil, ch.Family(), &r))}
		}
		subscribed[key] = req.Op == wire.OpSubscribe
		frames := []string{rightAnswer(ch, req)}
		if strings.HasPrefix(req.Args[0], "orderbook.50.") && req.Op == wire.OpSubscribe && (ch == wire.Linear || ch == wire.Inverse) {
			frames = append(frames, bookFrames(strings.TrimPrefix(req.Args[0], "orderbook.50."), 3, 10)...)
		}
		return frames
	}
}

// lived runs bywire live and returns its report as lines: "channel kind topic path
// want got count".
func lived(t *testing.T, code int, says answer, args ...string) (report liveReport, lines []string, text string) {
	t.Helper()
	s := venue(t, says)
	defer s.Close()
	to := filepath.Join(t.TempDir(), "report.json")
	o := bywire(t, append([]string{"live", "--ws", wsOf(s), "--for", "200ms", "--to", to}, args...)...).want(t, code)
	b, err := os.ReadFile(to)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &report); err != nil {
		t.Fatal(err)
	}
	for _, run := range report.Runs {
		if run.Problem != "" {
			lines = append(lines, run.Channel+" "+run.Problem)
		}
		for _, d := range run.Deviations {
			lines = append(lines, fmt.Sprintf("%s|%s|%s|%s|%s|%s|%d", run.Channel, d.Kind, d.Topic, d.Path, d.Want, d.Got, d.Count))
		}
	}
	return report, lines, string(b) + o.stdout + o.stderr
}

func TestLiveFindsNothingWhereAllIsKnown(t *testing.T) {
	report, lines, _ := lived(t, exitOK, faithful())
	if len(lines) > 0 {
		t.Errorf("deviations of what is known:\n%s", strings.Join(lines, "\n"))
	}
	if len(report.Runs) != len(channelNames()) || report.Version == "" || report.Began.IsZero() || report.Seconds != 0.2 {
		t.Errorf("report %+v", report)
	}
	for _, run := range report.Runs {
		for _, topic := range run.Topics {
			want := 0
			if strings.HasPrefix(topic.Topic, "orderbook.50.") && (run.Channel == "linear" || run.Channel == "inverse") {
				want = 4
			}
			if topic.Messages != want || topic.Refused != "" || run.Environment != "custom" {
				t.Errorf("%s %s: %+v, want %d messages", run.Environment, run.Channel, topic, want)
			}
		}
		if len(run.Topics) == 0 {
			t.Errorf("%s: no topics", run.Channel)
		}
	}
}

func TestLiveListsExactlyWhatDeviates(t *testing.T) {
	right := faithful()
	says := func(ch wire.Channel, req wire.Request) []string {
		frames := right(ch, req)
		if len(req.Args) == 0 {
			return []string{`{"op":"pong","conn_id":"secret-77","ip":"203.0.113.9"}`}
		}
		switch topic := req.Args[0]; {
		case req.Op == wire.OpUnsubscribe:
			return nil // never acknowledged
		case topic == "nonsense.BTCUSDT":
			return []string{strings.Replace(frames[0], "handler not found", "what", 1)}
		case topic == "insurance.USDT":
			return []string{`{"success":false,"ret_msg":"not here","conn_id":"secret-77","req_id":"` + req.ReqID + `","op":"subscribe"}`}
		case topic == "publicTrade.BTCUSDT":
			// An odd acknowledgement.
			return []string{`{"success":true,"ret_msg":"","conn_id":"secret-77","op":"subscribe","req_id":"` + req.ReqID + `"}`}
		case topic == "orderbook.50.BTCUSDT" && len(frames) > 1:
			// An unknown field, another order of keys, and a skipped u.
			frames[2] = strings.Replace(frames[2], `"s":"BTCUSDT"`, `"s":"BTCUSDT","venue":"x"`, 1)
			frames[3] = strings.Replace(frames[3], `"u":12,"seq":102`, `"seq":102,"u":22`, 1)
			frames[4] = strings.Replace(frames[4], `"u":13`, `"u":23`, 1)
		}
		return frames
	}
	report, lines, text := lived(t, exitOK, says, "--category", "linear")
	want := []string{
		`linear|unknown field|orderbook.50.{symbol}|data.venue||"x"|1`,
		`linear|update gap|orderbook.50.{symbol}|data.u|12|22|1`,
		`linear|key order|orderbook.50.{symbol}|data|u before seq|seq before u|1`,
		`linear|control frame||subscribe|req_id before op|: key order: op before req_id|1`,
		`linear|refusal||subscribe|success|not here|1`,
		`linear|refusal||subscribe|error:handler not found,topic:nonsense.BTCUSDT|error:what,topic:nonsense.BTCUSDT|1`,
		`linear|control frame||unsubscribe|a reply|none|1`,
	}
	// The pong is of another family altogether: each key is news.
	var rest []string
	pongs := 0
	for _, line := range lines {
		if strings.HasPrefix(line, "linear|control frame||pong|") {
			pongs++
			continue
		}
		rest = append(rest, line)
	}
	if pongs == 0 {
		t.Error("the pong is not in the report")
	}
	for _, line := range rest {
		if !strings.Contains("\n"+strings.Join(want, "\n")+"\n", "\n"+line+"\n") {
			t.Errorf("in the report, and no deviation: %s", line)
		}
	}
	for _, line := range want {
		if !strings.Contains("\n"+strings.Join(rest, "\n")+"\n", "\n"+line+"\n") {
			t.Errorf("not in the report: %s", line)
		}
	}
	for _, private := range []string{"secret-77", "203.0.113.9", "127.0.0.1", "c0ffee"} {
		if strings.Contains(text, private) {
			t.Errorf("the report or the output has %s:\n%s", private, text)
		}
	}
	refused := 0
	for _, topic := range report.Runs[0].Topics {
		if topic.Refused != "" {
			refused++
			if topic.Topic != "insurance.USDT" || topic.Refused != "not here" {
				t.Errorf("%+v", topic)
			}
		}
	}
	if refused != 1 {
		t.Errorf("%d topics refused, want 1", refused)
	}
}

// What cannot be written is said before anybody listens.
func TestLiveTriesItsFileFirst(t *testing.T) {
	s := venue(t, faithful())
	to := filepath.Join(t.TempDir(), "missing", "report.json")
	o := bywire(t, "live", "--ws", wsOf(s), "--for", "1h", "--to", to).want(t, exitUsage)
	if want := "bywire: --to " + to + ": may not be written: no such file or directory\n"; o.stderr != want || o.stdout != "" {
		t.Errorf("says %q, want %q", o.stderr, want)
	}
	kept := file(t, "report.json", "an older one")
	fresh := filepath.Join(t.TempDir(), "report.json")
	for _, name := range []string{kept, fresh} {
		if err := writable(name); err != nil {
			t.Errorf("%s: %v, want none", name, err)
		}
	}
	if text, err := os.ReadFile(kept); string(text) != "an older one" {
		t.Errorf("the older report is %q, %v", text, err)
	}
	if _, err := os.Stat(fresh); err == nil {
		t.Error("the try has left a file")
	}
}

func TestLiveWithoutAServer(t *testing.T) {
	s := venue(t, faithful())
	url := wsOf(s)
	s.Close()
	to := filepath.Join(t.TempDir(), "report.json")
	o := bywire(t, "live", "--ws", url, "--for", "200ms", "--to", to, "--category", "spot").want(t, exitNetwork)
	if want := "bywire: no channel could be reached; bywire doctor says why (the report is in " + to + ")\n"; !strings.HasSuffix(o.stderr, want) {
		t.Errorf("says %s, want %s", o.stderr, want)
	}
	if !strings.HasPrefix(o.stdout, "custom spot: 0 messages, 0 deviations") || !strings.HasSuffix(o.stdout, "; connection refused\n") {
		t.Errorf("prints %s", o.stdout)
	}
}
