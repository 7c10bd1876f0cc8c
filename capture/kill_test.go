package capture

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// killChild in the environment makes this test binary a writer that writes
// until it is killed. Its value is the directory.
const (
	killChild  = "BYWIRE_TEST_KILL_CHILD"
	killAtRisk = "BYWIRE_TEST_KILL_AT_RISK"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(killChild); dir != "" {
		fmt.Println("end", childWriter(dir, os.Getenv(killAtRisk)))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// inPieces writes little by little, so that a writer can die in the middle of a block.
type inPieces struct{ segmentFile }

func (f inPieces) Write(p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var m int
		m, err = f.segmentFile.Write(p[n:min(n+8, len(p))])
		n += m
	}
	return n, err
}

// childWriter resumes the capture and writes for ever. On stdout it says how
// far it got: "took N TIME" after handing over records up to N, "saved N" after
// Sync acknowledged them.
func childWriter(dir, atRisk string) error {
	risk, err := time.ParseDuration(atRisk)
	if err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	opts := &WriterOptions{AtRisk: risk, SegmentBytes: 96 << (10 + rng.IntN(4)), BlockBytes: 8 << 10}
	opts.defaults()
	create := opts.create
	opts.create = func(path string) (segmentFile, error) {
		f, err := create(path)
		return inPieces{f}, err
	}
	burst, syncs := 40, 20
	if risk >= time.Second {
		// No block fills, and Sync is rare: it is the clock that brings records to the disk. They are
		// few enough that packing them takes little of its half second, with the race detector too.
		opts.BlockBytes, burst, syncs = 4<<20, 4, 2000
	}
	w, err := OpenWriter(dir, opts)
	if err != nil {
		return err
	}
	tick := time.NewTicker(time.Millisecond)
	for i := w.Stats().Records; ; {
		for range 1 + rng.IntN(burst) {
			r := testRecord(i)
			if err := w.Write(&r); err != nil {
				return err
			}
			i++
		}
		fmt.Printf("took %d %d\n", i, time.Now().UnixNano())
		if rng.IntN(syncs) == 0 {
			if err := w.Sync(); err != nil {
				return err
			}
			fmt.Printf("saved %d\n", i)
		}
		<-tick.C
	}
}

// killRound runs a child until a random moment and kills it. It returns how
// many records Sync acknowledged, how many the child had handed over a second
// before it died, and how many in all.
func killRound(t *testing.T, dir string, atRisk, life time.Duration) (saved, second, took uint64) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), killChild+"="+dir, killAtRisk+"="+atRisk.String())
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	killed := make(chan time.Time, 1)
	timer := time.AfterFunc(life, func() {
		killed <- time.Now()
		cmd.Process.Kill()
	})
	defer timer.Stop()
	text, err := io.ReadAll(out) // until the child is dead
	if err != nil {
		t.Fatal(err)
	}
	cmd.Wait() // says "killed"
	died := <-killed
	for line := range strings.Lines(string(text)) {
		var n uint64
		var at int64
		if !strings.HasSuffix(line, "\n") {
			break // cut off by the kill
		}
		if k, _ := fmt.Sscanf(line, "took %d %d\n", &n, &at); k == 2 {
			took = n
			if died.Sub(time.Unix(0, at)) > time.Second {
				second = n
			}
		} else if k, _ := fmt.Sscanf(line, "saved %d\n", &n); k == 1 {
			saved = n
		} else {
			t.Fatalf("child: %s", line)
		}
	}
	return saved, second, took
}

// readPrefix expects an exact prefix of what the children wrote and returns
// its length. Where a recovery cut a torn tail, the writer has put a Gap.
func readPrefix(t *testing.T, r *Reader) uint64 {
	t.Helper()
	n := uint64(0)
	for rec, err := range r.Records(time.Time{}, time.Time{}) {
		if err != nil {
			t.Fatal(err)
		}
		cut := rec.Kind == Gap && rec.Conn == 0 && rec.Seq == n+1 && strings.HasPrefix(string(rec.Data), "recording ended without a close")
		if err := same(&rec, n); err != nil && !cut {
			t.Fatal(err)
		}
		n++
	}
	for _, n := range r.Notices() {
		if n.Kind != NoticeTorn {
			t.Fatal(n)
		}
	}
	return n
}

// kill lets writers die in one directory, each resuming what the one before it
// left.
func kill(t *testing.T, seed uint64, rounds int, atRisk, minLife, maxLife time.Duration) {
	dir := t.TempDir()
	rng := rand.New(rand.NewPCG(seed, 99))
	var torn, sealing, lost int
	have := uint64(0)
	for round := range rounds {
		life := minLife + time.Duration(rng.Int64N(int64(maxLife-minLife)))
		saved, second, took := killRound(t, dir, atRisk, life)
		torn += countTorn(t, dir)
		sealing += len(glob(t, dir, "*"+tempExt))
		r, err := OpenReader(dir)
		if errors.Is(err, ErrNoCapture) && have == 0 && took == 0 {
			continue // killed before the first file
		}
		if err != nil {
			t.Fatal(err)
		}
		n := readPrefix(t, r)
		switch {
		case n < saved:
			t.Fatalf("seed %d, round %d: %d records read, Sync had acknowledged %d", seed, round, n, saved)
		case n < second:
			t.Fatalf("seed %d, round %d: %d records read, %d were written more than a second before", seed, round, n, second)
		case n < have:
			t.Fatalf("seed %d, round %d: %d records read, there had been %d", seed, round, n, have)
		}
		lost += int(max(took, n) - n)
		have = n
	}
	w := openWriter(t, dir, nil)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if n := readPrefix(t, openReader(t, dir)); n < have {
		t.Fatalf("%d records after the last recovery, %d before", n, have)
	}
	if open := append(glob(t, dir, "*"+openExt), glob(t, dir, "*"+tempExt)...); len(open) > 0 {
		t.Errorf("left after recovery: %v", open)
	}
	t.Logf("%d kills: %d records kept, %d lost that nobody had acknowledged, %d torn tails, %d in the middle of sealing", rounds, have, lost, torn, sealing)
}

func glob(t *testing.T, dir, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// countTorn counts segments that end inside a block.
func countTorn(t *testing.T, dir string) (n int) {
	t.Helper()
	for _, name := range glob(t, dir, "*"+openExt) {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		number, _, _ := parseSegmentName(filepath.Base(name))
		s, err := loadFile(f, number, false)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		if s.torn > 0 {
			n++
		}
	}
	return n
}

// That a tail was cut is on disk before the writer takes its first record.
func TestCutTailIsSaidAtOnce(t *testing.T) {
	dir := t.TempDir()
	w := openWriter(t, dir, &WriterOptions{noSeal: true})
	for i := range uint64(100) {
		r := testRecord(i)
		if err := w.Write(&r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	left := glob(t, dir, "*"+openExt)
	data, err := os.ReadFile(left[0])
	if err != nil {
		t.Fatal(err)
	}
	half := (fileHeaderSize + len(data)) / 2
	if err := os.WriteFile(left[0], append(data, data[fileHeaderSize:half]...), 0o644); err != nil {
		t.Fatal(err)
	}
	w = openWriter(t, dir, nil)
	var last Record
	for rec, err := range openReader(t, dir).Records(time.Time{}, time.Time{}) {
		if err != nil {
			t.Fatal(err)
		}
		last = Record{Kind: rec.Kind, Seq: rec.Seq, Data: []byte(string(rec.Data))}
	}
	if last.Kind != Gap || last.Seq != 101 || !strings.HasPrefix(string(last.Data), "recording ended without a close") {
		t.Errorf("the last record is %v %d %q, want a gap behind the 100 records", last.Kind, last.Seq, last.Data)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// One hundred writers are killed at random moments, while they write, sync,
// change segments and seal; three with the interval of one second that is the
// default.
func TestKill(t *testing.T) {
	t.Parallel()
	for lane := range uint64(4) {
		t.Run(fmt.Sprintf("quick/%d", lane), func(t *testing.T) {
			t.Parallel()
			kill(t, lane+1, 25, 100*time.Millisecond, 20*time.Millisecond, 250*time.Millisecond)
		})
	}
	t.Run("second", func(t *testing.T) {
		t.Parallel()
		kill(t, 5, 3, time.Second, 1200*time.Millisecond, 2500*time.Millisecond)
	})
}
