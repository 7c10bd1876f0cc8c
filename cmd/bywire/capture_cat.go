package main

import (
	"encoding/json"
	"path"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bywire/bywire/capture"
	"github.com/bywire/bywire/internal/wire"
)

// catOptions are the flags of capture cat.
type catOptions struct {
	span
	format   string
	topics   []string
	channels []string
	data     bool
}

func (a *app) catCommand() *cobra.Command {
	var opts catOptions
	cmd := &cobra.Command{
		Use:   "cat DIR",
		Short: "print the frames of a capture as they were, one a line",
		Long: `Print the frames of a capture byte for byte as they were, one a line.

With -o ndjson each line is an object: recv, category, dir, conn, seq, and the
frame. Connects, disconnects, gaps and notes are lines of their own there. What it prints
can be imported again with --from v5-jsonl.`,
		Example: "  bywire capture cat rec --topic publicTrade.BTCUSDT\n  bywire capture cat rec --from +10m --to +11m -o ndjson | jq -r .recv",
		Args:    oneArgument("folder", "bywire capture cat rec"),

		ValidArgsFunction: folders,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := opts.check(); err != nil {
				return err
			}
			r, err := openCapture(args[0])
			if err != nil {
				return err
			}
			return a.cat(cmd, r, &opts)
		},
	}
	opts.flags(cmd)
	cmd.Flags().StringArrayVar(&opts.topics, "topic", nil, "only messages of this `TOPIC`; * stands for any text; may be repeated")
	cmd.Flags().StringArrayVar(&opts.channels, "channel", nil, "only what was on this `CHANNEL`, such as linear; may be repeated")
	cmd.Flags().BoolVar(&opts.data, "data", false, "only data messages that were received: no acknowledgements, no pongs, nothing that was sent")
	outputFlag(cmd, &opts.format, formatRaw, "`FORMAT`: raw (frames as they were) or ndjson", formatRaw, formatNDJSON)
	completes(cmd, "channel", channelNames()...)
	return cmd
}

func (o *catOptions) check() error {
	if o.format == formatJSON {
		o.format = formatNDJSON // one object a line is the JSON of this command
	}
	if err := checkFormat(o.format, formatRaw, formatNDJSON); err != nil {
		return err
	}
	for _, pattern := range o.topics {
		if _, err := path.Match(pattern, ""); err != nil {
			return usageError("--topic %s: no pattern; write a topic, with * for any text", pattern)
		}
	}
	return nil
}

// wants reports whether a record is to be printed.
func (o *catOptions) wants(rec *capture.Record) bool {
	if len(o.channels) > 0 && !slices.Contains(o.channels, rec.Channel) {
		return false
	}
	if rec.Kind != capture.Frame {
		return o.format == formatNDJSON && !o.data && len(o.topics) == 0
	}
	if o.data && (rec.Direction == capture.Out || wire.IsControl(rec.Data)) {
		return false
	}
	if len(o.topics) == 0 {
		return true
	}
	name, ok := wire.FrameTopic(rec.Data)
	if !ok {
		return false
	}
	for _, pattern := range o.topics {
		if matchTopic(pattern, name) {
			return true
		}
	}
	return false
}

// matchTopic compares a topic with a pattern. The slash of spread symbols is a
// letter like any other.
func matchTopic(pattern string, name []byte) bool {
	if !strings.ContainsAny(pattern, "*?[\\") {
		return pattern == string(name)
	}
	flat := func(s string) string { return strings.ReplaceAll(s, "/", "\x00") }
	ok, err := path.Match(flat(pattern), flat(string(name)))
	return ok && err == nil
}

func (a *app) cat(cmd *cobra.Command, r *capture.Reader, opts *catOptions) error {
	from, to, err := opts.times(r)
	if err != nil {
		return err
	}
	var damaged int
	var line []byte
	seen := 0
	for rec, err := range r.Records(from, to) {
		if d := capture.AsDamage(err); d != nil {
			damaged++
			a.say("%s", d)
			continue
		}
		if err != nil {
			return err
		}
		if seen++; seen%1024 == 0 && cmd.Context().Err() != nil {
			return cmd.Context().Err()
		}
		if !opts.wants(&rec) {
			continue
		}
		if opts.format == formatRaw {
			line = append(append(line[:0], rec.Data...), '\n')
		} else {
			line = appendRecord(line[:0], &rec)
		}
		if _, err := a.out.Write(line); err != nil {
			return &outputError{err}
		}
	}
	if err := a.flush(); err != nil {
		return err
	}
	for _, n := range r.Notices() {
		if n.Kind == capture.NoticeTorn {
			a.say("%s", n)
		}
	}
	if damaged > 0 {
		return damageError("%s damaged in the capture, the rest was printed", counted(damaged, "place"))
	}
	return nil
}

// appendRecord appends a record as one line of JSON.
func appendRecord(dst []byte, rec *capture.Record) []byte {
	dst = appendTime(append(dst, `{"recv":`...), rec.Received)
	if rec.Channel != "" {
		dst = wire.AppendString(append(dst, `,"category":`...), rec.Channel)
	}
	if rec.Kind == capture.Frame {
		dst = wire.AppendString(append(dst, `,"dir":`...), rec.Direction.String())
	} else {
		dst = wire.AppendString(append(dst, `,"kind":`...), rec.Kind.String())
	}
	dst = wire.AppendInt(append(dst, `,"conn":`...), int64(rec.Conn))
	dst = wire.AppendInt(append(dst, `,"seq":`...), int64(rec.Seq))
	if rec.Kind == capture.Frame {
		dst = append(dst, `,"frame":`...)
		if json.Valid(rec.Data) {
			dst = append(dst, rec.Data...)
		} else {
			dst = wire.AppendString(dst, string(rec.Data))
		}
	} else {
		dst = wire.AppendString(append(dst, `,"text":`...), string(rec.Data))
	}
	return append(dst, "}\n"...)
}
