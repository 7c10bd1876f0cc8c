package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bywire/bywire/capture"
)

func (a *app) infoCommand() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:               "info DIR",
		Short:             "say what is in a capture: times, sizes, channels, connections",
		Example:           "  bywire capture info rec\n  bywire capture info rec -o json | jq .ratio",
		Args:              oneArgument("folder", "bywire capture info rec"),
		ValidArgsFunction: folders,
		RunE: func(_ *cobra.Command, args []string) error {
			if err := checkFormat(format, formatText, formatJSON); err != nil {
				return err
			}
			r, err := openCapture(args[0])
			if err != nil {
				return err
			}
			info, err := r.Info()
			if err != nil {
				return err
			}
			if format == formatJSON {
				err = a.printJSON(describe(args[0], info))
			} else {
				err = a.printInfo(args[0], info)
			}
			if err != nil {
				return err
			}
			return a.notices(info.Notices)
		},
	}
	outputFlag(cmd, &format, formatText, "`FORMAT`: text or json", formatText, formatJSON)
	return cmd
}

// captureInfo is capture info -o json.
type captureInfo struct {
	Dir         string           `json:"dir"`
	Records     uint64           `json:"records"`
	Frames      uint64           `json:"frames"`
	First       *time.Time       `json:"first"`
	Last        *time.Time       `json:"last"`
	RawBytes    int64            `json:"rawBytes"`
	StoredBytes int64            `json:"storedBytes"`
	Ratio       string           `json:"ratio"` // rawBytes over storedBytes, one decimal
	Channels    []string         `json:"channels"`
	Segments    []segmentInfo    `json:"segments"`
	Connections []connectionInfo `json:"connections"`
	Notices     []string         `json:"notices"`
}

type segmentInfo struct {
	Number      uint32     `json:"number"`
	Sealed      bool       `json:"sealed"`
	Blocks      int        `json:"blocks"`
	Records     uint64     `json:"records"`
	Frames      uint64     `json:"frames"`
	First       *time.Time `json:"first"`
	Last        *time.Time `json:"last"`
	RawBytes    int64      `json:"rawBytes"`
	StoredBytes int64      `json:"storedBytes"`
	Ratio       string     `json:"ratio"`
}

type connectionInfo struct {
	Conn    uint64 `json:"conn"`
	Channel string `json:"channel"`
	URL     string `json:"url"`
	Records uint64 `json:"records"`
	Frames  uint64 `json:"frames"`
}

func describe(dir string, info *capture.Info) captureInfo {
	t := &info.Total
	d := captureInfo{
		Dir: dir, Records: t.Records, Frames: t.Frames, First: timeOrNull(t.First), Last: timeOrNull(t.Last),
		RawBytes: t.RawBytes, StoredBytes: t.StoredBytes, Ratio: ratio(t.RawBytes, t.StoredBytes),
		Channels: append([]string{}, t.Channels()...), Segments: []segmentInfo{}, Connections: []connectionInfo{},
		Notices: noticeLines(info.Notices),
	}
	for i := range info.Segments {
		s := &info.Segments[i]
		d.Segments = append(d.Segments, segmentInfo{
			Number: s.Number, Sealed: s.Sealed, Blocks: s.Blocks, Records: s.Records, Frames: s.Frames,
			First: timeOrNull(s.First), Last: timeOrNull(s.Last),
			RawBytes: s.RawBytes, StoredBytes: s.StoredBytes, Ratio: ratio(s.RawBytes, s.StoredBytes),
		})
	}
	for _, c := range t.Connections {
		d.Connections = append(d.Connections, connectionInfo{Conn: c.Conn, Channel: c.Channel, URL: c.URL, Records: c.Records, Frames: c.Frames})
	}
	return d
}

// maxConnections is how many connections info lists for people; a capture of a
// year has thousands.
const maxConnections = 20

func (a *app) printInfo(dir string, info *capture.Info) error {
	t := &info.Total
	w := a.columns()
	fmt.Fprintf(w, "capture\t%s\n", dir)
	fmt.Fprintf(w, "records\t%s, %s of them frames\n", grouped(int64(t.Records)), grouped(int64(t.Frames)))
	if !t.First.IsZero() {
		fmt.Fprintf(w, "received\t%s to %s (%s)\n", stamp(t.First), stamp(t.Last), t.Last.Sub(t.First).Round(time.Millisecond))
	}
	fmt.Fprintf(w, "size\t%s of frames in %s (%s to 1)\n", byteCount(t.RawBytes), byteCount(t.StoredBytes), ratio(t.RawBytes, t.StoredBytes))
	if channels := t.Channels(); len(channels) > 0 {
		fmt.Fprintf(w, "channels\t%s\n", strings.Join(channels, ", "))
	}
	if err := w.Flush(); err != nil {
		return &outputError{err}
	}
	fmt.Fprintln(w, "\nSEGMENT\tSTATE\tFRAMES\tSTORED\tRATIO\tFIRST\tLAST")
	for i := range info.Segments {
		s := &info.Segments[i]
		state := "open"
		if s.Sealed {
			state = "sealed"
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\t%s\n", s.Number, state, grouped(int64(s.Frames)), byteCount(s.StoredBytes), ratio(s.RawBytes, s.StoredBytes), stamp(s.First), stamp(s.Last))
	}
	if err := w.Flush(); err != nil {
		return &outputError{err}
	}
	if len(t.Connections) > 0 {
		fmt.Fprintln(w, "\nCONNECTION\tCHANNEL\tFRAMES\tURL")
	}
	for i, c := range t.Connections {
		if i == maxConnections {
			fmt.Fprintf(w, "and %d more: -o json lists them\n", len(t.Connections)-i)
			break
		}
		url := c.URL
		if url == "" {
			url = "-"
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\n", c.Conn, c.Channel, grouped(int64(c.Frames)), url)
	}
	if err := w.Flush(); err != nil {
		return &outputError{err}
	}
	return a.flush()
}

// notices says on stderr what a reader noticed. Damage makes the exit code.
func (a *app) notices(list []capture.Notice) error {
	var damaged int
	for _, n := range list {
		if n.Kind == capture.NoticeDamage {
			damaged++
		}
		a.say("%s", n)
	}
	if damaged > 0 {
		return damageError("%s damaged in the capture", counted(damaged, "place"))
	}
	return nil
}

func noticeLines(list []capture.Notice) []string {
	lines := []string{}
	for _, n := range list {
		lines = append(lines, n.String())
	}
	return lines
}

// counted is a number with its noun: "1 gap", "2 gaps".
func counted[N int | int64 | uint64](n N, noun string) string {
	switch {
	case n == 1:
	case strings.HasSuffix(noun, "s"):
		noun += "es"
	default:
		noun += "s"
	}
	return grouped(int64(n)) + " " + noun
}

// ratio is raw over stored with one decimal; "-" without either.
func ratio(raw, stored int64) string {
	if raw <= 0 || stored <= 0 {
		return "-"
	}
	whole, rest := raw/stored, raw%stored
	tenths := rest / max(stored/10, 1)
	return strconv.FormatInt(whole, 10) + "." + strconv.FormatInt(min(tenths, 9), 10)
}

func timeOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
