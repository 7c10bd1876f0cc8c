package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bywire/bywire/capture"
)

func (a *app) verifyCommand() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "verify DIR",
		Short: "replay every book of a capture and say what is missing or wrong",
		Long: `Read a whole capture, decode every message and replay every order book. Per topic
it says how many updates, gaps (update ids that do not follow), crossed books
and deletes of unknown levels there are. The exit code is 8 if anything is
missing, crossed, undecodable or damaged. Deletes of unknown levels and silences are
facts, not faults.`,
		Example:           "  bywire capture verify rec\n  bywire capture verify rec -o json | jq '.topics[] | select(.gaps > 0)'",
		Args:              oneArgument("folder", "bywire capture verify rec"),
		ValidArgsFunction: folders,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkFormat(format, formatText, formatJSON); err != nil {
				return err
			}
			r, err := openCapture(args[0])
			if err != nil {
				return err
			}
			bar := a.progress("verify", recordCount)
			var total int64
			v, err := capture.Verify(cmd.Context(), r, func(records int64) {
				if total == 0 && time.Since(bar.begun) > time.Second {
					total = countRecords(r)
				}
				bar.tell(records, total)
			})
			bar.end()
			if err != nil {
				return err
			}
			if format == formatJSON {
				err = a.printJSON(verdict(v))
			} else {
				err = a.printVerification(v)
			}
			if err != nil {
				return err
			}
			for _, n := range v.Notices {
				a.say("%s", n)
			}
			return fault(v)
		},
	}
	outputFlag(cmd, &format, formatText, "`FORMAT`: text or json", formatText, formatJSON)
	return cmd
}

// countRecords is how many records there are to read, for the time left; -1 if
// that cannot be known.
func countRecords(r *capture.Reader) int64 {
	info, err := r.Info()
	if err != nil {
		return -1
	}
	return int64(info.Total.Records)
}

// verification is capture verify -o json.
type verification struct {
	Clean        bool          `json:"clean"`
	Frames       int64         `json:"frames"`
	DataFrames   int64         `json:"dataFrames"`
	Control      int64         `json:"controlFrames"`
	RecordedGaps int64         `json:"recordedGaps"` // places that the recorder marked as not recorded
	Damaged      int64         `json:"damaged"`      // places of the files that cannot be trusted
	Lost         int64         `json:"lostRecords"`
	Topics       []topicResult `json:"topics"`
	Notices      []string      `json:"notices"`
}

type topicResult struct {
	Topic            string     `json:"topic"`
	Channel          string     `json:"channel"`
	Updates          int64      `json:"updates"`
	Snapshots        int64      `json:"snapshots"`
	Gaps             int64      `json:"gaps"`
	Crossed          int64      `json:"crossed"`
	Rejected         int64      `json:"rejected"`
	NoBook           int64      `json:"noBook"`
	Undecoded        int64      `json:"undecoded"`
	UnknownDeletes   int64      `json:"unknownDeletes"`
	First            *time.Time `json:"first"`
	Last             *time.Time `json:"last"`
	LongestSilenceMs int64      `json:"longestSilenceMs"`
}

func verdict(v *capture.Verification) verification {
	out := verification{
		Clean: v.Clean(), Frames: v.Frames, DataFrames: v.Data, Control: v.Control, RecordedGaps: v.Gaps,
		Damaged: v.Damaged, Lost: v.Lost, Topics: []topicResult{}, Notices: noticeLines(v.Notices),
	}
	for i := range v.Topics {
		t := &v.Topics[i]
		out.Topics = append(out.Topics, topicResult{
			Topic: t.Topic, Channel: t.Channel, Updates: t.Updates, Snapshots: t.Snapshots, Gaps: t.Gaps, Crossed: t.Crossed,
			Rejected: t.Rejected, NoBook: t.NoBook, Undecoded: t.Undecoded, UnknownDeletes: t.UnknownDeletes,
			First: timeOrNull(t.First), Last: timeOrNull(t.Last), LongestSilenceMs: t.LongestSilence.Milliseconds(),
		})
	}
	return out
}

func (a *app) printVerification(v *capture.Verification) error {
	w := a.columns()
	fmt.Fprintln(w, "CHANNEL\tTOPIC\tUPDATES\tGAPS\tCROSSED\tOTHER\tUNKNOWN DELETES\tFIRST\tLAST\tLONGEST SILENCE")
	for i := range v.Topics {
		t := &v.Topics[i]
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%s\t%s\t%s\n", t.Channel, t.Topic, t.Updates, t.Gaps, t.Crossed,
			t.Rejected+t.NoBook+t.Undecoded, t.UnknownDeletes, stamp(t.First), stamp(t.Last), t.LongestSilence.Round(time.Millisecond))
	}
	if err := w.Flush(); err != nil {
		return &outputError{err}
	}
	fmt.Fprintf(a.out, "\n%s: %s data, %s control; %s\n", counted(v.Frames, "frame"), grouped(v.Data), grouped(v.Control), counted(int64(len(v.Topics)), "topic"))
	if v.Clean() {
		fmt.Fprintln(a.out, "clean: nothing missing, no book crossed, every message decoded")
	}
	return a.flush()
}

// fault says in one line what is wrong with a capture; nil if nothing is.
func fault(v *capture.Verification) error {
	if v.Clean() {
		return nil
	}
	var gaps, crossed, undecoded, other int64
	var where string
	for i := range v.Topics {
		t := &v.Topics[i]
		gaps += t.Gaps
		crossed += t.Crossed
		undecoded += t.Undecoded
		other += t.Rejected + t.NoBook
		if where == "" && !t.Clean() {
			where = t.Topic + " on " + t.Channel
		}
	}
	var parts []string
	say := func(n int64, noun string) {
		if n > 0 {
			parts = append(parts, counted(n, noun))
		}
	}
	say(gaps, "gap")
	say(crossed, "crossed book")
	say(undecoded, "undecodable message")
	say(other, "message")
	if other > 0 {
		parts[len(parts)-1] += " without or against a valid book"
	}
	say(v.Gaps, "place")
	if v.Gaps > 0 {
		parts[len(parts)-1] += " not recorded"
	}
	say(v.Damaged, "place")
	if v.Damaged > 0 {
		parts[len(parts)-1] += " damaged with " + strconv.FormatInt(v.Lost, 10) + " records lost"
	}
	if len(parts) == 0 {
		return &codeError{exitDamage, errors.New("not clean")}
	}
	text := strings.Join(parts, ", ")
	if where != "" {
		text += "; first in " + where
	}
	return damageError("%s", text)
}
