package main

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// postOK makes a call of the control API that has to succeed, and returns the answer.
func postOK(t *testing.T, addr, call, body string) string {
	t.Helper()
	resp, err := http.Post("http://"+addr+"/control/v1/"+call, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: status %d %s %v", call, resp.StatusCode, text, err)
	}
	return string(text)
}

// faultyFile has room for some writes.
type faultyFile struct {
	room  int
	close error
}

func (f *faultyFile) Write(p []byte) (int, error) {
	if f.room--; f.room < 0 {
		return 0, &fs.PathError{Op: "write", Path: "run.journal", Err: syscall.ENOSPC}
	}
	return len(p), nil
}

func (f *faultyFile) Close() error { return f.close }

// A journal that is not whole is told when it happens and at the end, which is an interruption as ever.
func TestExchangeTellsThatItsJournalFailed(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		file   *faultyFile
		atOnce bool
		want   string
	}{
		{"a full disk", &faultyFile{room: 2}, true, "--journal run.journal: no space left on device; the run cannot be done again from it as a whole\n"},
		{"an error at the end", &faultyFile{room: 9, close: syscall.EIO}, false, "--journal run.journal: input/output error; the run cannot be done again from it as a whole\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			x := startCommand(t, func(a *app) {
				a.createJournal = func(string) (io.WriteCloser, error) { return test.file, nil }
			}, "exchange", "--listen", "127.0.0.1:0", "--symbol", "linear:BTCUSDT", "--clock", "step", "--journal", "run.journal")
			addr := strings.TrimSuffix(x.stderr.await(t, "control: curl http://"), "/control/v1/state")
			for _, call := range []string{"halt", "resume", "halt"} {
				postOK(t, addr, call, "")
			}
			const told = "bywire: the journal has ended: write run.journal: no space left on device\n"
			if got := strings.Count(x.stderr.String(), told); got != map[bool]int{true: 1}[test.atOnce] {
				t.Errorf("told %d times: %s", got, x.stderr)
			}
			x.interrupt()
			if o := x.end().want(t, exitOther); !strings.HasSuffix(o.stderr, test.want) {
				t.Errorf("at the end: %q, want %q", o.stderr, test.want)
			}
		})
	}
}

// What fails before there is a run leaves no journal in the way of the next try.
func TestExchangeLeavesNoEmptyJournal(t *testing.T) {
	journal := filepath.Join(t.TempDir(), "run.journal")
	bywire(t, "exchange", "--listen", "127.0.0.1:0", "--journal", journal, "--symbol", "linear:NOPE").want(t, exitUsage)
	if _, err := os.Stat(journal); !os.IsNotExist(err) {
		t.Errorf("the journal is there: %v", err)
	}
}

// A journal leads to the state that the run had.
func TestExchangeReplay(t *testing.T) {
	t.Parallel()
	journal := filepath.Join(t.TempDir(), "run.journal")
	x := startServing(t, newWatchedText(), "exchange", "--symbol", "linear:BTCUSDT", "--clock", "step", "--seed", "3", "--journal", journal)
	type state struct{ Time, Hash string }
	now := func() (s state) {
		_, text := get(t, "http://"+x.listen+"/control/v1/state")
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	postOK(t, x.listen, "clock", `{"advance":"2s"}`)
	postOK(t, x.listen, "shock", `{"percent":-3}`)
	postOK(t, x.listen, "clock", `{"advance":"1s"}`)
	postOK(t, x.listen, "halt", "")
	halted := now()
	postOK(t, x.listen, "clock", `{"advance":"3s"}`)
	later := now()
	x.stop(t)
	for _, test := range []struct {
		args []string
		want state
	}{
		{nil, halted},
		{[]string{"--until", "2026-01-01T00:00:06Z"}, later},
		{[]string{"--until", "+6s"}, later},
		{[]string{"--until", "+1s"}, halted},
	} {
		o := bywire(t, append([]string{"exchange", "replay", journal}, test.args...)...).want(t, exitOK)
		if want := fmt.Sprintf(`{"time":%q,"hash":%q,"commands":2}`+"\n", test.want.Time, test.want.Hash); o.stdout != want {
			t.Errorf("%v: %swant %s", test.args, o.stdout, want)
		}
		if told := strings.Contains(o.stderr, "--until +1s: the last command came later"); told != (len(test.args) > 0 && test.args[1] == "+1s") {
			t.Errorf("%v: %s", test.args, o.stderr)
		}
	}

	text, err := os.ReadFile(journal)
	if err != nil {
		t.Fatal(err)
	}
	torn := file(t, "torn.journal", string(text[:len(text)-5]))
	if o := bywire(t, "exchange", "replay", torn).want(t, exitOK); !strings.Contains(o.stdout, `"commands":1}`) || !strings.Contains(o.stderr, "torn.journal: its last line is torn and left out") {
		t.Errorf("a torn journal: %s%s", o.stdout, o.stderr)
	}
	for _, test := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{journal + "-not"}, exitUsage, "no such file"},
		{[]string{file(t, "x.txt", "seven\n")}, exitUsage, "x.txt: no journal of an exchange; bywire exchange --journal FILE writes one"},
		{[]string{file(t, "x.json", "{}\n")}, exitUsage, "x.json: no journal of an exchange"},
		{[]string{t.TempDir()}, exitUsage, "no journal of an exchange"},
		{[]string{file(t, "x.journal", string(text)+"{\"n\":9}\n")}, exitDamage, "x.journal: line 4: "},
		{[]string{journal, "--until", "soon"}, exitUsage, "--until soon: no time; write 2026-01-31"},
		{[]string{journal, "--until", "2300-01-01"}, exitUsage, "--until 2300-01-01: a time from 2000 to 2200"},
		{[]string{journal, "--until", "2262-04-12"}, exitUsage, "--until 2262-04-12: a time from 2000 to 2200"},
		{[]string{journal, "--until", "+2000000h"}, exitUsage, "--until +2000000h: a time from 2000 to 2200"},
		{[]string{journal, "--until", "1600-01-01"}, exitUsage, "--until 1600-01-01: a time from 2000 to 2200"},
		{nil, exitUsage, "exchange replay: file missing, like: bywire exchange replay run.journal"},
	} {
		o := bywire(t, append([]string{"exchange", "replay"}, test.args...)...).want(t, test.code)
		if !strings.Contains(o.stderr, test.want) || o.stdout != "" {
			t.Errorf("%v: %q %q, want %q", test.args, o.stdout, o.stderr, test.want)
		}
	}
	if o := bywire(t, "replay", journal).want(t, exitUsage); !strings.Contains(o.stderr, "run.journal: the journal of an exchange; bywire exchange replay "+journal+" does its run again") {
		t.Errorf("bywire replay of a journal: %s", o.stderr)
	}
}
