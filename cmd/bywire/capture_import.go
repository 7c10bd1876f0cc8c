package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/capture"
)

// importOptions are the flags of capture import.
type importOptions struct {
	from, to, category, format string
}

func (a *app) importCommand() *cobra.Command {
	var opts importOptions
	cmd := &cobra.Command{
		Use:   "import --from FORMAT --to DIR FILE...",
		Short: "make a capture from recordings of other makers",
		Long: `Make a capture from recordings, plain, gzipped or zipped. Several files are merged by
receive time. The formats:

  v5-jsonl      one V5 frame a line, or {"recv":TIME,"category":C,"frame":FRAME}
  v2-log        a log of the retired V2 stream: orderBookL2_25, orderBook_200 and trade
                become V5 messages
  bybit-ob      the venue's own history of order books (*_ob500.data, *_ob200.data)
  bybit-trades  the venue's own history of trades (.csv.gz), derivatives or spot

A row that is not what the format promises is refused and named by its line; it is
never mended.`,
		Example: `  bywire capture import --from v5-jsonl --category linear --to rec day.jsonl.gz
  bywire capture import --from v2-log --to rec BYBIT.ws.txt.gz
  bywire capture import --from bybit-ob --category linear --to rec 2026-01-01_BTCUSDT_ob500.data.zip`,
		RunE: func(cmd *cobra.Command, files []string) error {
			if err := checkFormat(opts.format, formatText, formatJSON); err != nil {
				return err
			}
			if err := opts.check(files); err != nil {
				return err
			}
			return a.importFiles(cmd.Context(), &opts, files)
		},
	}
	cmd.Flags().StringVar(&opts.from, "from", "", "`FORMAT` of the files: "+strings.Join(formatNames(), ", "))
	cmd.Flags().StringVar(&opts.to, "to", "", "`DIR` of the new capture")
	cmd.Flags().StringVar(&opts.category, "category", "", "`CATEGORY` of what does not name its own: "+strings.Join(channelNames(), ", "))
	outputFlag(cmd, &opts.format, formatText, "`FORMAT`: text or json", formatText, formatJSON)
	completes(cmd, "from", formatNames()...)
	completes(cmd, "category", channelNames()...)
	return cmd
}

func formatNames() []string {
	var names []string
	for _, f := range capture.Formats() {
		names = append(names, string(f))
	}
	return names
}

// check looks at everything that can be wrong before a folder is made.
func (o *importOptions) check(files []string) error {
	const like = "bywire capture import --from v5-jsonl --category linear --to rec day.jsonl.gz"
	switch {
	case o.from == "":
		return usageError("capture import: --from missing; the formats are %s", strings.Join(formatNames(), ", "))
	case !slices.Contains(formatNames(), o.from):
		if near := nearest(o.from, formatNames()); near != "" {
			return usageError("--from %s: no such format; meant %s?", o.from, near)
		}
		return usageError("--from %s: no such format; there are %s", o.from, strings.Join(formatNames(), ", "))
	case o.to == "":
		return usageError("capture import: --to missing, the folder of the new capture, like: %s", like)
	case len(files) == 0:
		return usageError("capture import: file missing, like: %s", like)
	case o.category != "" && !slices.Contains(channelNames(), o.category):
		return wrongCategory(o.category)
	}
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			return fileError(file, err)
		}
		if info.IsDir() {
			return usageError("%s: a folder; name the files in it, like %s", file, filepath.Join(file, "*"))
		}
		f, err := os.Open(file)
		if err != nil {
			return fileError(file, err)
		}
		f.Close()
	}
	return o.checkTarget()
}

// checkTarget refuses a folder that holds records already: what is imported is
// merged by time, which cannot be done with what is written.
func (o *importOptions) checkTarget() error {
	info, err := os.Stat(o.to)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fileError(o.to, err)
	}
	if !info.IsDir() {
		return usageError("--to %s: a file; a capture is a folder", o.to)
	}
	r, err := capture.OpenReader(o.to)
	if errors.Is(err, capture.ErrNoCapture) {
		return nil
	}
	if err != nil {
		return err
	}
	first, err := firstReceived(r)
	if err != nil {
		return err
	}
	if !first.IsZero() {
		return usageError("--to %s: holds a capture already; name a new folder, and all files in one import", o.to)
	}
	return nil
}

func (a *app) importFiles(ctx context.Context, opts *importOptions, files []string) error {
	_, err := os.Stat(opts.to)
	made := errors.Is(err, fs.ErrNotExist)
	w, err := capture.OpenWriter(opts.to, nil)
	switch {
	case errors.Is(err, capture.ErrLocked):
		return usageError("--to %s: another program writes this capture", opts.to)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, fs.ErrNotExist):
		return fileError(opts.to, err)
	case err != nil:
		return err
	}
	bar := a.progress("import", byteCount)
	reports, err := capture.Import(ctx, w, &capture.ImportOptions{
		Format: capture.Format(opts.from), Category: bybit.Category(opts.category), Progress: bar.tell,
	}, files...)
	bar.end()
	records := w.Stats().Records
	if e := a.closeWriter(w); err == nil {
		err = e
	}
	if made && records == 0 {
		err = errors.Join(err, os.RemoveAll(opts.to)) // we made it, and nothing is in it
	}
	if err != nil {
		return a.importFailed(ctx, opts, reports, records, err)
	}
	if records == 0 {
		return nothingImported(reports)
	}
	a.tellRefusals(reports)
	if opts.format == formatJSON {
		return a.printJSON(importResult(opts.to, records, reports))
	}
	return a.printImport(opts.to, records, reports)
}

// closeWriter waits until everything is compressed and on disk, and says so
// where that takes long.
func (a *app) closeWriter(w *capture.Writer) error {
	closed := make(chan error, 1)
	go func() { closed <- w.Close() }()
	patience := time.NewTimer(2 * time.Second)
	defer patience.Stop()
	for {
		select {
		case err := <-closed:
			return err
		case <-patience.C:
			a.say("import: all is read; compressing the rest")
		}
	}
}

// importFailed says which file could not be read on, and what is in the capture
// all the same.
func (a *app) importFailed(ctx context.Context, opts *importOptions, reports []*capture.ImportReport, records uint64, err error) error {
	a.tellRefusals(reports)
	if records > 0 {
		a.say("%s holds the %s imported until then", opts.to, counted(records, "record"))
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if _, ok := errors.AsType[*capture.WriteError](err); ok {
		return err
	}
	return damageError("%w", err)
}

// nothingImported says why not a single row was taken over.
func nothingImported(reports []*capture.ImportReport) error {
	for _, r := range reports {
		if r == nil || len(r.Refusals) == 0 {
			continue
		}
		first := r.Refusals[0]
		if strings.HasPrefix(first.Reason, "no category") {
			return usageError("%s, %s: the rows name no category; add --category linear, spot, inverse or option", r.File, lineNumber(first))
		}
		return damageError("nothing imported: %s, %s: %s (and %s more refused)", r.File, lineNumber(first), first.Reason, grouped(int64(r.Refused-1)))
	}
	return damageError("nothing imported: the files hold no rows")
}

func lineNumber(r capture.Refusal) string { return fmt.Sprintf("line %d", r.Line) }

// shownRefusals is how many refused rows of a file are named on stderr; -o json
// has more.
const shownRefusals = 5

func (a *app) tellRefusals(reports []*capture.ImportReport) {
	for _, r := range reports {
		if r == nil || r.Refused == 0 {
			continue
		}
		for i, refusal := range r.Refusals {
			if i == shownRefusals {
				break
			}
			a.say("%s, %s: refused: %s", r.File, lineNumber(refusal), refusal.Reason)
		}
		if r.Refused > shownRefusals {
			a.say("%s: %s more refused; -o json lists them", r.File, grouped(int64(r.Refused-shownRefusals)))
		}
	}
}

// importSummary is capture import -o json.
type importSummary struct {
	Dir     string       `json:"dir"`
	Records uint64       `json:"records"`
	Frames  int          `json:"frames"`
	Refused int          `json:"refused"`
	Files   []fileReport `json:"files"`
}

type fileReport struct {
	File          string          `json:"file"`
	Rows          int             `json:"rows"`
	Frames        int             `json:"frames"`
	DataFrames    int             `json:"dataFrames"`
	ControlFrames int             `json:"controlFrames"`
	Connects      int             `json:"connects"`
	Trades        int             `json:"trades"`
	Refused       int             `json:"refused"`
	Refusals      []refusalReport `json:"refusals"`
	First         *time.Time      `json:"first"`
	Last          *time.Time      `json:"last"`
	TimesFrom     string          `json:"timesFrom"`
}

type refusalReport struct {
	Line   int    `json:"line"`
	Reason string `json:"reason"`
}

func importResult(dir string, records uint64, reports []*capture.ImportReport) importSummary {
	out := importSummary{Dir: dir, Records: records, Files: []fileReport{}}
	for _, r := range reports {
		refusals := []refusalReport{}
		for _, refusal := range r.Refusals {
			refusals = append(refusals, refusalReport{Line: refusal.Line, Reason: refusal.Reason})
		}
		out.Frames += r.Frames
		out.Refused += r.Refused
		out.Files = append(out.Files, fileReport{
			File: r.File, Rows: r.Rows, Frames: r.Frames, DataFrames: r.Data, ControlFrames: r.Control, Connects: r.Connects,
			Trades: r.Trades, Refused: r.Refused, Refusals: refusals, First: timeOrNull(r.First), Last: timeOrNull(r.Last), TimesFrom: r.TimesFrom,
		})
	}
	return out
}

func (a *app) printImport(dir string, records uint64, reports []*capture.ImportReport) error {
	w := a.columns()
	fmt.Fprintln(w, "FILE\tROWS\tFRAMES\tDATA\tCONTROL\tREFUSED\tFIRST\tLAST")
	for _, r := range reports {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", filepath.Base(r.File), grouped(int64(r.Rows)), grouped(int64(r.Frames)),
			grouped(int64(r.Data)), grouped(int64(r.Control)), grouped(int64(r.Refused)), stamp(r.First), stamp(r.Last))
	}
	if err := w.Flush(); err != nil {
		return &outputError{err}
	}
	fmt.Fprintf(a.out, "\n%s in %s\n", counted(records, "record"), dir)
	if slices.ContainsFunc(reports, func(r *capture.ImportReport) bool { return r.TimesFrom == "ts" }) {
		fmt.Fprintln(a.out, "receive times are the venue's own where a file has no other")
	}
	return a.flush()
}
