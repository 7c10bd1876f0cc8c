//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The end of a command's time ends what it has started, too: whoever holds the
// pipe open is gone.
func TestWatchKillsWhatACommandStarted(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	dir := captureOf(t, "inverse", tickerFrames("BTCUSD", "fundingRate", "0.0001", "0.0006"))
	hook := script(t, `sleep 100 > "$1" & wait`)
	r := startReplay(t, dir, "--speed", "max")
	ended := make(chan error, 1)
	go func() {
		f, err := os.Open(pipe) // returns when the command's child has opened it
		if err == nil {
			_, err = io.Copy(io.Discard, f)
			f.Close()
		}
		ended <- err
	}()
	o := bywire(t, "watch", "--ws", r.ws, "--if", "fundingRate > 0.0005", "--exec-timeout", "3s", "--exec", hook+" "+pipe, "BTCUSD").want(t, exitOK)
	if want := "bywire: --exec " + hook + ": killed after 3s (BTCUSD)\n"; !strings.HasSuffix(o.stderr, want) {
		t.Errorf("says %q, want %q", o.stderr, want)
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("what the command has started goes on")
	}
	r.end(t).want(t, exitOK)
}
