package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// asCommand in the environment makes this test binary the command itself: with
// its own process, which can be killed, and of which the system counts what it
// takes.
const asCommand = "BYWIRE_TEST_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	os.Exit(m.Run())
}

// process is the command as a process of its own.
type process struct {
	*exec.Cmd
	stderr *watchedText
}

func startProcess(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{exec.Command(os.Args[0], args...), newWatchedText()}
	p.Env = append(os.Environ(), asCommand+"=1")
	p.Stderr = p.stderr
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if p.ProcessState == nil {
			_ = p.Process.Kill() // it may have ended by itself
			_ = p.Wait()
		}
	})
	return p
}

// A recorder that is killed has everything on disk but its last second, and the
// next one goes on behind it.
func TestKillRecord(t *testing.T) {
	t.Parallel()
	s := startScripted(t)
	to := filepath.Join(t.TempDir(), "rec")
	const topic = "linear publicTrade.BTCUSDT"
	var want []string
	for round, life := range []time.Duration{1300 * time.Millisecond, 1700 * time.Millisecond, 1500 * time.Millisecond} {
		p := startProcess(t, "record", "--to", to, "--ws", s.ws, "--category", "linear", "publicTrade.BTCUSDT")
		s.await(round+1, topic)
		var sent []string
		var at []time.Time
		tick := time.NewTicker(time.Millisecond)
		for begun := time.Now(); time.Since(begun) < life; <-tick.C {
			// So few that no block fills within a second: it is the clock that
			// brings them to the disk.
			frame := tradeFrame("BTCUSDT", int64(round*1_000_000+len(sent)), 1700000000000)
			s.publish("linear", frame)
			sent, at = append(sent, frame), append(at, time.Now())
		}
		tick.Stop()
		died := time.Now()
		if err := p.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = p.Wait() // says "killed"
		safe := 0
		for safe < len(at) && died.Sub(at[safe]) > time.Second {
			safe++
		}
		frames, others := recorded(t, to)
		got := frames[topic]
		have := len(got) - len(want)
		if have < safe || have > len(sent) {
			t.Fatalf("round %d: %d frames recorded, want at least the %d that were sent a second before it died, of %d", round, have, safe, len(sent))
		}
		want = append(want, sent[:have]...)
		wantFrames(t, topic, got, want)
		gaps := strings.Count("\n"+strings.Join(others, "\n"), "\ngap 0 not recorded from ")
		if gaps != round {
			t.Errorf("round %d: %d gaps for the time without a recorder: %q", round, gaps, others)
		}
		o := bywire(t, "capture", "verify", to)
		if round == 0 {
			o.want(t, exitOK)
		} else if o.want(t, exitDamage); !strings.HasSuffix(o.stderr, fmt.Sprintf("bywire: %s not recorded\n", counted(len(gapRecords(others)), "place"))) {
			t.Errorf("round %d: verify says %q, with %q in the capture", round, o.stderr, gapRecords(others))
		}
		t.Logf("round %d: %d sent, %d older than a second, %d recorded", round, len(sent), safe, have)
	}
}

// gapRecords are the gaps of a capture's records.
func gapRecords(others []string) (gaps []string) {
	for _, text := range others {
		if strings.HasPrefix(text, "gap ") {
			gaps = append(gaps, text)
		}
	}
	return gaps
}
