package main

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/bywire/bywire/capture"
)

func (a *app) captureCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "capture",
		Short: "import, merge, verify, describe and print captures",
		Long: `A capture is a folder of recorded frames: byte for byte, with receive times.

  import   makes one from recordings
  merge    makes one of two recordings of the same topics
  verify   replays every book in it and says what is missing or wrong
  info     says what is in it
  cat      prints its frames`,
		Example: "  bywire capture import --from v5-jsonl --category linear --to rec day.jsonl.gz\n  bywire capture verify rec",
		Args:    subcommandOf,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.importCommand(), a.mergeCommand(), a.verifyCommand(), a.infoCommand(), a.catCommand())
	return cmd
}

// openCapture opens the capture in a folder, or says what would be one.
func openCapture(dir string) (*capture.Reader, error) {
	const how = "make one with: bywire capture import --from v5-jsonl --to "
	switch info, err := os.Stat(dir); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, usageError("%s: no such folder; a capture is a folder, %sDIR FILE", dir, how)
	case err != nil:
		return nil, fileError(dir, err)
	case !info.IsDir() && isJournal(dir):
		return nil, usageError("%s: the journal of an exchange; bywire exchange replay %[1]s does its run again", dir)
	case !info.IsDir():
		return nil, usageError("%s: a file, and a capture is a folder; %sDIR %s", dir, how, dir)
	}
	r, err := capture.OpenReader(dir)
	switch {
	case errors.Is(err, capture.ErrNoCapture):
		return nil, usageError("%s: no capture in this folder; %s%s FILE", dir, how, dir)
	case errors.Is(err, fs.ErrPermission):
		return nil, fileError(dir, err)
	}
	return r, err
}

// fileError says what is wrong with a file that was named, without the names of
// system calls.
func fileError(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return usageError("%s: no such file", path)
	case errors.Is(err, fs.ErrPermission):
		return usageError("%s: may not be read: permission denied", path)
	}
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	return usageError("%s: %w", path, err)
}

// span is the flags --from and --to.
type span struct{ from, to string }

func (s *span) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.from, "from", "", "first `TIME`: "+momentHelp)
	cmd.Flags().StringVar(&s.to, "to", "", "`TIME` to end before, written likewise")
}

// times returns the two times. The capture is asked for its first record only
// where a flag counts from it.
func (s *span) times(r *capture.Reader) (from, to time.Time, err error) {
	var first time.Time
	if len(s.from) > 0 && s.from[0] == '+' || len(s.to) > 0 && s.to[0] == '+' {
		if first, err = firstReceived(r); err != nil {
			return from, to, err
		}
	}
	if from, err = parseMoment("from", s.from, first); err != nil {
		return from, to, err
	}
	if to, err = parseMoment("to", s.to, first); err != nil {
		return from, to, err
	}
	if !from.IsZero() && !to.IsZero() && !from.Before(to) {
		return from, to, usageError("--from %s is not before --to %s", s.from, s.to)
	}
	return from, to, nil
}

// firstReceived returns the receive time of the first record; the zero time of
// an empty capture.
func firstReceived(r *capture.Reader) (time.Time, error) {
	for rec, err := range r.Records(time.Time{}, time.Time{}) {
		if err == nil {
			return rec.Received, nil
		}
		if capture.AsDamage(err) == nil {
			return time.Time{}, err
		}
	}
	return time.Time{}, nil
}
