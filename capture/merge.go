package capture

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"time"

	"github.com/bywire/bywire/internal/wire"
)

// LedgerFile is the name of the file in a merged capture that holds its Ledger.
const LedgerFile = "merge.json"

// MergeOptions are the settings of Merge. The zero value is useful.
type MergeOptions struct {
	// Window is how much later by their receive times the one recording may
	// have what the other has: the clocks' difference and the longest delay
	// together. Default 30 s.
	Window time.Duration
	// WindowBytes bounds the memory for what the window holds; where that is
	// not enough, the window is shorter. Default 256 MiB.
	WindowBytes int64
	// ShiftB is added to the receive times of b, for a recorder whose clock was
	// wrong; Ledger.Difference is what it may have to be. Default 0: receive
	// times stay as they are.
	ShiftB time.Duration
	// Progress is called about every 100,000 records with how many were read.
	// Default: none.
	Progress func(records int64)
}

func (o *MergeOptions) defaults() {
	if o.Window <= 0 {
		o.Window = 30 * time.Second
	}
	if o.WindowBytes <= 0 {
		o.WindowBytes = 256 << 20
	}
}

// ErrExists says that the folder for the result of a merge holds something.
var ErrExists = errors.New("capture: the folder to merge into is not empty")

// Merge makes one capture of two recordings of the same topics, in a folder that
// does not exist or is empty. Each message is in it once, as the recorder had it
// that received it first, in the venue's order within its topic: what one
// recording lacks comes from the other. All messages of a channel are on one
// connection. The Ledger, which is also written into the folder as LedgerFile, says
// what came from where and what neither has; those places are gap records.
//
// The folder appears when everything is in it: until then the result is beside
// it, with ".partial" behind the name. An error leaves neither.
//
// It reads both once, from the front, and holds no more than the window of them.
// The error is of reading, of writing, ErrExists, ErrLocked while another merge
// makes the same folder, or ctx's; damage counts as a gap.
func Merge(ctx context.Context, to string, a, b *Reader, opts *MergeOptions) (*Ledger, error) {
	m := &merging{topics: make(map[topicKey]*mergeTopic), conns: make(map[string]*mergeConn)}
	if opts != nil {
		m.opts = *opts
	}
	m.opts.defaults()
	m.ledger.A.Dir, m.ledger.B.Dir = a.dir, b.dir
	m.ledger.ShiftB = m.opts.ShiftB
	to = filepath.Clean(to)
	if err := vacant(to); err != nil {
		return nil, fmt.Errorf("capture.merge %s: %w", to, err)
	}
	partial := to + ".partial"
	if err := m.create(partial); err != nil {
		return nil, fmt.Errorf("capture.merge %s: %w", to, err)
	}
	err := m.run(ctx, a, b)
	if e := m.w.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = m.publish(partial, to)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("capture.merge %s: %w", to, err), os.RemoveAll(partial))
	}
	return &m.ledger, nil
}

// vacant reports why nothing can be put in a folder's place.
func vacant(dir string) error {
	list, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case len(list) > 0:
		return ErrExists
	}
	return nil
}

// mergeMark is the name of the file by which an unfinished merge is known.
const mergeMark = "merging"

// create opens the writer, and removes what an earlier merge left that was
// killed. It removes nothing that a merge has not made.
func (m *merging) create(dir string) (err error) {
	err = vacant(dir)
	left := false
	if errors.Is(err, ErrExists) {
		if _, e := os.Stat(filepath.Join(dir, mergeMark)); e == nil {
			left, err = true, nil
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	// Nothing is at risk that could not be made again, so it is synced seldom.
	opts := &WriterOptions{AtRisk: 10 * time.Second, BlockBytes: 1 << 20}
	if m.w, err = OpenWriter(dir, opts); err != nil {
		return err
	}
	if left { // and not in use, or it would be locked
		if err := errors.Join(m.w.Close(), os.RemoveAll(dir)); err != nil {
			return err
		}
		if m.w, err = OpenWriter(dir, opts); err != nil {
			return err
		}
	}
	if err = os.WriteFile(filepath.Join(dir, mergeMark), nil, 0o644); err != nil {
		return errors.Join(err, m.w.Close())
	}
	return nil
}

// publish writes the ledger and gives the folder its name.
func (m *merging) publish(partial, to string) error {
	text, err := json.MarshalIndent(&m.ledger, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(partial, LedgerFile), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close(), os.Remove(filepath.Join(partial, mergeMark)), removeIfThere(to)); err != nil {
		return err
	}
	if err := syncDir(partial); err != nil {
		return err
	}
	if err := os.Rename(partial, to); err != nil {
		return err
	}
	return syncDir(filepath.Dir(to))
}

// merging is one run of Merge.
type merging struct {
	opts   MergeOptions
	w      *Writer
	ledger Ledger
	topics map[topicKey]*mergeTopic
	order  []*mergeTopic // of their first records
	conns  map[string]*mergeConn
	apart  differences

	waiting [2]fifo[turn] // what is held, by source, in the order it was read
	latest  int64         // receive time of what was read last
	held    int64         // bytes
	free    []*held
	rooms   [][]byte
	ids     []wire.Hash // used again
	end     time.Time   // receive time of the last record written
	rec     Record      // used again
}

// mergeConn is the one connection of a channel in the result.
type mergeConn struct {
	id      uint64
	channel string
	url     string
	began   bool
}

// turn says when a record that is held has to go.
type turn struct {
	topic *mergeTopic
	n     uint64 // its number among the topic's records of its source
	at    int64
}

// mergeSource is one of the recordings, with the record that comes next.
type mergeSource struct {
	n       int // 0 is A, 1 is B
	next    func() (Record, error, bool)
	rec     Record
	err     error
	more    bool
	records *SourceReport
	shift   time.Duration
}

func (s *mergeSource) step() {
	s.rec, s.err, s.more = s.next()
	if s.more && s.err == nil {
		s.rec.Received = s.rec.Received.Add(s.shift)
	}
}

func (m *merging) run(ctx context.Context, a, b *Reader) error {
	nextA, stopA := iter.Pull2(a.Records(time.Time{}, time.Time{}))
	defer stopA()
	nextB, stopB := iter.Pull2(b.Records(time.Time{}, time.Time{}))
	defer stopB()
	sources := [2]*mergeSource{
		{n: 0, next: nextA, records: &m.ledger.A},
		{n: 1, next: nextB, records: &m.ledger.B, shift: m.opts.ShiftB},
	}
	for _, s := range sources {
		s.step()
	}
	for n := int64(1); ; n++ {
		s := sources[0]
		if o := sources[1]; !s.more || o.more && s.err == nil && (o.err != nil || o.rec.Received.Before(s.rec.Received)) {
			s = o
		}
		if !s.more {
			break
		}
		if err := m.take(s); err != nil {
			return err
		}
		if s.step(); !s.more {
			for _, t := range m.order {
				m.mark(t, s.n, markEnd)
			}
		}
		if n%10_000 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if n%100_000 == 0 && m.opts.Progress != nil {
			m.opts.Progress(n)
		}
	}
	if err := m.release(true); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return m.finish()
}

// take holds the next record of a source, and lets go of those whose time it is.
func (m *merging) take(s *mergeSource) error {
	if damage := AsDamage(s.err); damage != nil {
		s.records.Damaged++
		s.records.Lost += max(damage.Records, 0)
		for _, t := range m.order {
			m.mark(t, s.n, markBreak)
		}
		return nil
	}
	if s.err != nil {
		return s.err
	}
	rec := &s.rec
	s.records.Records++
	m.latest = max(m.latest, rec.Received.UnixNano())
	switch rec.Kind {
	case Connect, Disconnect:
		s.records.Connects += int64(Disconnect - rec.Kind)
		m.conn(rec) // its URL is that of the channel
		return nil
	case Gap:
		s.records.Gaps++
		m.gap(s.n, rec)
	case Frame:
		s.records.Frames++
		if rec.Direction == Out || wire.IsControl(rec.Data) {
			m.hold(m.topic(topicKey{}), s.n, rec)
			break
		}
		name, _ := wire.FrameTopic(rec.Data)
		t, ok := m.topics[topicKey{rec.Channel, string(name)}]
		if !ok {
			t = m.topic(topicKey{rec.Channel, string(name)})
		}
		m.hold(t, s.n, rec)
	default:
		m.hold(m.topic(topicKey{}), s.n, rec)
	}
	return m.release(false)
}

func (m *merging) topic(key topicKey) *mergeTopic {
	t, ok := m.topics[key]
	if !ok {
		t = newMergeTopic(key)
		m.topics[key] = t
		m.order = append(m.order, t)
	}
	return t
}

// gap marks the topics that a gap record is about: the one it names, else all of
// its channel, or all.
func (m *merging) gap(src int, rec *Record) {
	m.conn(rec)
	if rec.Conn != 0 {
		if name := gapTopic(rec.Data); name != "" {
			m.mark(m.topic(topicKey{rec.Channel, name}), src, markGap)
			return
		}
	}
	for _, t := range m.order {
		if rec.Conn == 0 || t.key.channel == rec.Channel {
			m.mark(t, src, markBreak)
		}
	}
}

// conn returns the connection of the record's channel; nil for a record that has
// none.
func (m *merging) conn(rec *Record) *mergeConn {
	if rec.Conn == 0 {
		return nil
	}
	c, ok := m.conns[rec.Channel]
	if !ok {
		c = &mergeConn{id: m.w.NextConn(), channel: rec.Channel, url: rec.URL}
		m.conns[rec.Channel] = c
	}
	return c
}

// release writes what has been held for as long as the window is, or all.
func (m *merging) release(all bool) error {
	for {
		src := 0
		switch a, b := m.waiting[0].head(), m.waiting[1].head(); {
		case a == nil && b == nil:
			return nil
		case a == nil, b != nil && b.at < a.at:
			src = 1
		}
		next := *m.waiting[src].head()
		if !all && m.latest-next.at < int64(m.opts.Window) && m.held <= m.opts.WindowBytes {
			return nil
		}
		m.waiting[src].pop()
		for next.topic.gone[src] <= next.n {
			if err := m.step(next.topic); err != nil {
				return err
			}
		}
	}
}

// write writes a record to the result, on its channel's connection.
func (m *merging) write(kind Kind, dir Direction, c *mergeConn, at time.Time, data []byte) error {
	m.rec = Record{Kind: kind, Direction: dir, Received: at, Data: data}
	if c != nil {
		if !c.began {
			c.began = true
			if err := m.write(Connect, In, c, at, nil); err != nil {
				return err
			}
			m.rec = Record{Kind: kind, Direction: dir, Received: at, Data: data}
		}
		m.rec.Conn, m.rec.Channel, m.rec.URL = c.id, c.channel, c.url
	}
	if at.After(m.end) {
		m.end = at
	}
	err := m.w.Write(&m.rec)
	m.rec.Data = nil
	return err
}

// finish ends the topics and the connections.
func (m *merging) finish() error {
	for _, t := range m.order {
		for t.queue[0].head() != nil || t.queue[1].head() != nil { // marks at the end
			if err := m.step(t); err != nil {
				return err
			}
		}
		if err := m.endTopic(t); err != nil {
			return err
		}
	}
	for _, t := range m.order {
		if c := m.conns[t.key.channel]; c != nil && c.began {
			c.began = false
			m.rec = Record{Kind: Disconnect, Conn: c.id, Channel: c.channel, URL: c.url, Received: m.end, Data: []byte("end of both recordings")}
			if err := m.w.Write(&m.rec); err != nil {
				return err
			}
		}
	}
	m.ledger.finish(m)
	return nil
}
