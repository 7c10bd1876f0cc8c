package capture

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"
)

// Info describes a capture.
type Info struct {
	Segments []SegmentInfo
	Total    SegmentInfo // the sum; Number is 0, Sealed if all segments are
	Notices  []Notice
}

// SegmentInfo describes one segment, or their sum.
type SegmentInfo struct {
	Number  uint32
	Sealed  bool
	Blocks  int
	Records uint64 // of all kinds
	Frames  uint64
	// RawBytes is the length of all frames, StoredBytes that of the segment's file.
	RawBytes, StoredBytes int64
	First, Last           time.Time // earliest and latest receive time; zero without records
	Connections           []ConnectionInfo
}

// ConnectionInfo is one connection's share of a segment or capture.
type ConnectionInfo struct {
	Conn            uint64
	Channel, URL    string
	Records, Frames uint64
}

// Ratio is RawBytes over StoredBytes, for display; 0 for an empty segment.
func (s *SegmentInfo) Ratio() float64 {
	if s.StoredBytes == 0 {
		return 0
	}
	return float64(s.RawBytes) / float64(s.StoredBytes)
}

// Channels returns the channels of the connections, each once, in order of
// first appearance.
func (s *SegmentInfo) Channels() []string {
	var names []string
	for i := range s.Connections {
		if c := s.Connections[i].Channel; c != "" && !slices.Contains(names, c) {
			names = append(names, c)
		}
	}
	return names
}

// Info describes the capture: sealed segments from their indexes, others by
// reading them. Blocks of sealed segments are not unpacked, so damage inside
// them shows only when Records passes over it.
func (r *Reader) Info() (*Info, error) {
	list, err := listSegments(r.dir)
	if err != nil {
		return nil, fmt.Errorf("capture.info: %w", err)
	}
	info := &Info{Total: SegmentInfo{Sealed: true}}
	for _, e := range list {
		s, err := r.segmentInfo(e)
		if err != nil {
			return nil, fmt.Errorf("capture.info segment %d: %w", e.number, err)
		}
		if s == nil {
			continue
		}
		info.Segments = append(info.Segments, *s)
		info.Total.add(s)
	}
	info.Notices = r.Notices()
	return info, nil
}

// segmentInfo describes one segment; nil if it is gone.
func (r *Reader) segmentInfo(e entry) (*SegmentInfo, error) {
	f, s, err := r.open(e)
	if err != nil || f == nil {
		return nil, err
	}
	defer f.Close()
	r.noticeSegment(s)
	out := &SegmentInfo{Number: s.number, Sealed: s.sealed, StoredBytes: s.size}
	t := s.tally
	if t == nil {
		counted, damages, err := countSegment(f, s)
		if err != nil {
			return nil, err
		}
		for _, d := range damages {
			r.noticeDamage(d)
		}
		t = &counted
	}
	out.Frames, out.RawBytes = t.Frames, int64(t.Data)
	for i := range t.PerConn {
		c := &t.PerConn[i]
		out.Connections = append(out.Connections, ConnectionInfo{c.ID, c.Channel, c.URL, c.Records, c.Frames})
	}
	for i := range s.items {
		if s.items[i].damage != nil {
			continue
		}
		b := &s.items[i].blockRef
		out.Blocks++
		out.Records += uint64(b.Count)
		out.stretch(time.Unix(0, b.First).UTC(), time.Unix(0, b.Last).UTC())
	}
	return out, nil
}

// stretch widens the time span.
func (s *SegmentInfo) stretch(first, last time.Time) {
	if s.First.IsZero() || first.Before(s.First) {
		s.First = first
	}
	if s.Last.IsZero() || last.After(s.Last) {
		s.Last = last
	}
}

// add sums another segment up.
func (s *SegmentInfo) add(o *SegmentInfo) {
	s.Sealed = s.Sealed && o.Sealed
	s.Blocks += o.Blocks
	s.Records += o.Records
	s.Frames += o.Frames
	s.RawBytes += o.RawBytes
	s.StoredBytes += o.StoredBytes
	if o.Records > 0 {
		s.stretch(o.First, o.Last)
	}
	for _, c := range o.Connections {
		i := slices.IndexFunc(s.Connections, func(k ConnectionInfo) bool {
			return k.Conn == c.Conn && k.Channel == c.Channel && k.URL == c.URL
		})
		if i < 0 {
			s.Connections = append(s.Connections, c)
			continue
		}
		s.Connections[i].Records += c.Records
		s.Connections[i].Frames += c.Frames
	}
}

// countSegment reads every block and counts what a sealed segment's index
// would say, and returns what it could not read.
func countSegment(f *os.File, s *segment) (t tally, damages []*DamageError, err error) {
	unpack, err := newUnpacker(s.dict)
	if err != nil {
		return t, nil, err
	}
	defer unpack.dec.Close()
	var stored, raw []byte
	var c blockCursor
	for i := range s.items {
		if s.items[i].damage != nil {
			continue
		}
		b := &s.items[i].blockRef
		payload, reason, err := readBlock(f, b, unpack, &stored, &raw)
		if err != nil {
			return t, nil, err
		}
		if reason != "" {
			damages = append(damages, blockDamage(s.number, b, int64(b.Count), reason))
			continue
		}
		if err := countBlock(&c, &b.blockHeader, payload, &t); err != nil {
			damages = append(damages, blockDamage(s.number, b, int64(c.left), err.Error()))
		}
	}
	return t, damages, nil
}

// countBlock counts the records of one payload.
func countBlock(c *blockCursor, h *blockHeader, payload []byte, t *tally) error {
	err := c.open(h, payload)
	var r Record
	for err == nil {
		var ok bool
		if ok, err = c.next(&r); !ok {
			break
		}
		t.count(&r)
	}
	return err
}

// blockDamage is the damage of one whole block.
func blockDamage(segment uint32, b *blockRef, records int64, reason string) *DamageError {
	return &DamageError{segment, b.Offset, blockHeaderSize + int64(b.Stored), records, reason}
}

// AsDamage returns the *DamageError in err, nil if there is none: the test by
// which a loop over Records tells a skipped place from the end.
func AsDamage(err error) *DamageError {
	d, _ := errors.AsType[*DamageError](err)
	return d
}
