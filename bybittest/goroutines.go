package bybittest

import (
	"bytes"
	"context"
	"fmt"
	"runtime/pprof"
	"strconv"
	"strings"
	"testing"
	"time"
)

// watch finds the goroutines that something has started and that have not ended. They have a label: a goroutine hands its
// labels on to those that it starts, so tests in parallel do not see each other's.
type watch struct{ label string }

// labelKey is the label that goroutines of an exchange have.
const labelKey = "bybittest"

// begin calls f, which is to start what is watched.
func (w *watch) begin(f func()) {
	w.label = fmt.Sprintf("%p", w) // no two live ones are in one place
	w.during(f)
}

// during calls f, and what it starts is watched too.
func (w *watch) during(f func()) {
	pprof.Do(context.Background(), pprof.Labels(labelKey, w.label), func(context.Context) { f() })
}

// patience is how long goroutines may take to end. They have been told to, so this is the scheduler's time.
const patience = 5 * time.Second

// until waits for something that is about to be so, and reports whether it is.
func (w *watch) until(so func() bool) bool {
	wait := time.Millisecond
	for begun := time.Now(); !so(); wait *= 2 {
		if time.Since(begun) > patience {
			return false
		}
		time.Sleep(wait)
	}
	return true
}

// end fails the test if something that was started goes on.
func (w *watch) end(t testing.TB) {
	t.Helper()
	var left string
	if !w.until(func() bool { left = w.left(); return left == "" }) {
		t.Errorf("bybittest: goroutines of the exchange or of its clients go on after the test:\n%s", left)
	}
}

// left is the stacks of the goroutines that have the label, "" if there are none.
func (w *watch) left() string {
	var all bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&all, 1); err != nil {
		return err.Error()
	}
	label := "# labels: {" + strconv.Quote(labelKey) + ":" + strconv.Quote(w.label) + "}"
	var found []string
	for _, stack := range strings.Split(all.String(), "\n\n") {
		if strings.Contains(stack, label) {
			found = append(found, stack)
		}
	}
	return strings.Join(found, "\n\n")
}
