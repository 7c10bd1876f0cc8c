package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bywire/bywire/capture"
)

// mergeOptions are the flags of capture merge.
type mergeOptions struct {
	to, format string
	window     time.Duration
	windowMB   int
	shift      time.Duration
}

func (a *app) mergeCommand() *cobra.Command {
	var opts mergeOptions
	cmd := &cobra.Command{
		Use:   "merge --to DIR A B",
		Short: "make one capture of two recordings of the same topics",
		Long: `Make one capture of two recordings of the same topics. Each message is in it once, in
the venue's order, as the recorder had it that received it first; what one recording
lacks comes from the other. ` + capture.LedgerFile + ` in the new folder says per topic how many messages came
from A only, from B only and from both, which gaps are filled, what neither has, and
where the two say different things about one message.

The exit code is 8 if anything is missing in both, came too late to be put in its
place, or is told differently. The folder appears when everything is in it. A third
recording is merged with the result of the first two.`,
		Example: `  bywire capture merge --to day tokyo frankfurt
  bywire capture merge --to day tokyo frankfurt -o json | jq '.topics[] | select(.missingPlaces > 0)'`,
		ValidArgsFunction: folders,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkFormat(opts.format, formatText, formatJSON); err != nil {
				return err
			}
			if err := opts.check(args); err != nil {
				return err
			}
			return a.mergeCaptures(cmd.Context(), &opts, args[0], args[1])
		},
	}
	f := cmd.Flags()
	f.StringVar(&opts.to, "to", "", "`DIR` of the new capture")
	f.DurationVar(&opts.window, "window", 30*time.Second, "`DURATION` by which one recording may be behind the other, their clocks' difference included")
	f.IntVar(&opts.windowMB, "window-size", 256, "`MB` that the window may hold; where that is not enough it is shorter")
	f.DurationVar(&opts.shift, "shift", 0, "`DURATION` to add to the receive times of B, for a clock that was wrong")
	outputFlag(cmd, &opts.format, formatText, "`FORMAT`: text or json", formatText, formatJSON)
	if err := cmd.MarkFlagDirname("to"); err != nil {
		panic("bywire: " + err.Error()) // the flag exists
	}
	return cmd
}

// check looks at everything that can be wrong before something is made.
func (o *mergeOptions) check(args []string) error {
	const like = "bywire capture merge --to day tokyo frankfurt"
	switch {
	case o.to == "":
		return usageError("capture merge: --to missing, the folder of the new capture, like: %s", like)
	case len(args) != 2:
		return usageError("capture merge: two folders have to be named, and there are %d, like: %s", len(args), like)
	case filepath.Clean(args[0]) == filepath.Clean(args[1]):
		return usageError("capture merge: %s is named twice", args[0])
	case o.window <= 0:
		return usageError("--window %s: give a duration above 0, such as 30s", o.window)
	case o.windowMB < 1 || o.windowMB > 1<<20:
		return usageError("--window-size %d: give a number of MB from 1 on", o.windowMB)
	}
	switch list, err := os.ReadDir(o.to); {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fileError("--to "+o.to, err)
	case len(list) > 0:
		return usageError("--to %s: holds something already; name a new folder", o.to)
	}
	return nil
}

func (a *app) mergeCaptures(ctx context.Context, opts *mergeOptions, first, second string) error {
	var readers [2]*capture.Reader
	var total int64
	for i, dir := range []string{first, second} {
		r, err := openCapture(dir)
		if err != nil {
			return err
		}
		readers[i] = r
	}
	bar := a.progress("merge", recordCount)
	l, err := capture.Merge(ctx, opts.to, readers[0], readers[1], &capture.MergeOptions{
		Window: opts.window, WindowBytes: int64(opts.windowMB) << 20, ShiftB: opts.shift,
		Progress: func(records int64) {
			if total == 0 && time.Since(bar.begun) > time.Second {
				total = max(0, countRecords(readers[0])) + max(0, countRecords(readers[1]))
			}
			bar.tell(records, total)
		},
	})
	bar.end()
	switch {
	case ctx.Err() != nil && err != nil:
		return ctx.Err()
	case errors.Is(err, capture.ErrLocked):
		return usageError("--to %s: another merge writes there", opts.to)
	case errors.Is(err, capture.ErrExists):
		return usageError("--to %s: it or %[1]s.partial beside it holds something already; name a new folder", opts.to)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, fs.ErrNotExist):
		return fileError(opts.to, err)
	case err != nil:
		return err
	}
	if opts.format == formatJSON {
		err = a.printJSON(l)
	} else {
		err = a.printLedger(opts.to, l)
	}
	if err != nil {
		return err
	}
	for _, r := range readers {
		for _, n := range r.Notices() {
			a.say("%s", n)
		}
	}
	return unwhole(l)
}

func (a *app) printLedger(dir string, l *capture.Ledger) error {
	w := a.columns()
	fmt.Fprintln(w, "CHANNEL\tTOPIC\tONLY A\tONLY B\tBOTH\tGAPS A\tFILLED\tGAPS B\tFILLED\tMISSING\tCONFLICTS")
	for i := range l.Topics {
		t := &l.Topics[i]
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\n", t.Channel, t.Topic, grouped(t.OnlyA), grouped(t.OnlyB), grouped(t.Both),
			t.GapsA, t.FilledA, t.GapsB, t.FilledB, t.MissingPlaces, t.ConflictCount)
	}
	if err := w.Flush(); err != nil {
		return &outputError{err}
	}
	for i := range l.Topics {
		t := &l.Topics[i]
		for j := range t.Missing {
			if j == shownMissing {
				fmt.Fprintf(a.out, "missing: %s: %s more, see %s\n", t.Topic, grouped(t.MissingPlaces-shownMissing), filepath.Join(dir, capture.LedgerFile))
				break
			}
			m := &t.Missing[j]
			fmt.Fprintf(a.out, "missing: %s: %s", t.Topic, m)
			if m.FromU != 0 && m.To != nil {
				fmt.Fprintf(a.out, ", from %s to %s", stamp(m.From), stamp(*m.To))
			}
			fmt.Fprintln(a.out)
		}
	}
	fmt.Fprintf(a.out, "\n%s in %s: %s from A only, %s from B only, %s from both\n", counted(l.Messages, "message"), dir, grouped(l.OnlyA), grouped(l.OnlyB), grouped(l.Both))
	if l.Gaps > 0 {
		fmt.Fprintf(a.out, "%s in A or B, %s of them filled\n", counted(l.Gaps, "gap"), grouped(l.Filled))
	}
	if l.Both > 0 {
		fmt.Fprintf(a.out, "B received what both have %s later than A\n", l.Difference.Round(time.Microsecond))
	}
	if l.Whole() {
		fmt.Fprintln(a.out, "whole: nothing is missing")
	}
	return a.flush()
}

// shownMissing is how many places of a topic are shown; the ledger has more.
const shownMissing = 5

// unwhole says in one line what a merge could not make whole; nil if nothing.
func unwhole(l *capture.Ledger) error {
	if l.Whole() {
		return nil
	}
	var parts []string
	if l.Missing > 0 {
		parts = append(parts, counted(l.Missing, "place")+" missing in both")
	}
	if l.Late > 0 {
		parts = append(parts, counted(l.Late, "message")+" outside the window: make --window longer")
	}
	if l.Conflicts > 0 {
		parts = append(parts, counted(l.Conflicts, "message")+" told differently")
	}
	return damageError("%s", strings.Join(parts, ", "))
}
