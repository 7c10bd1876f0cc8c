package capture

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestMergeOfExtremes merges recordings that have nothing, the same, or not a
// moment in common.
func TestMergeOfExtremes(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 5))
	topics := venueTopics(rnd)
	all := recordOf(rnd, topics, nil, 0)
	never := recordOf(rnd, topics, []outage{{start.Add(-time.Hour), start.Add(time.Hour)}}, 0)
	clear(never.known) // not even what it was told when it came back
	n := int64(0)
	for _, had := range all.had {
		n += int64(len(had))
	}
	half := start.Add(20 * time.Second)
	early := recordOf(rnd, topics, []outage{{half, start.Add(time.Hour)}}, 0)
	late := recordOf(rnd, topics, []outage{{start.Add(-time.Hour), half}}, 0)
	for _, c := range []struct {
		name               string
		a, b               copyOf
		records            [2][]Record
		onlyA, onlyB, both int64
	}{
		{"a is empty", never, all, [2][]Record{nil, all.records}, 0, n, 0},
		{"b is empty", all, never, [2][]Record{all.records, nil}, n, 0, 0},
		{"identical", all, all, [2][]Record{all.records, all.records}, 0, 0, n},
		{"both are empty", never, never, [2][]Record{}, 0, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, r := mergeOf(t, mergeDir(t, c.records[0]), mergeDir(t, c.records[1]), nil)
			if l.OnlyA != c.onlyA || l.OnlyB != c.onlyB || l.Both != c.both || !l.Whole() || l.Gaps != 0 {
				t.Errorf("ledger %+v, want %d, %d and %d", l, c.onlyA, c.onlyB, c.both)
			}
			if n > 0 && c.onlyA+c.onlyB+c.both > 0 {
				checkMerged(t, topics, r, l, c.a, c.b)
			}
		})
	}
	t.Run("disjoint", func(t *testing.T) {
		l, r := mergeOf(t, mergeDir(t, early.records), mergeDir(t, late.records), nil)
		checkMerged(t, topics, r, l, early, late)
		for i := range l.Topics {
			// Book snapshots stand at the seam, and update ids show that nothing is
			// missing there; of the others nobody can know.
			if topic := &l.Topics[i]; strings.HasPrefix(topic.Topic, "orderbook.50") && topic.MissingPlaces != 0 {
				t.Errorf("%s: %+v is missing, want nothing", topic.Topic, topic.Missing)
			}
		}
	})
}

// linear returns frames as records of one connection, so many milliseconds
// apart.
func linear(offset, apart int, frames ...string) []Record {
	var list []Record
	for i, f := range frames {
		if f == "" {
			continue
		}
		r := Record{Kind: Frame, Conn: 1, Channel: "linear", Received: start.Add(time.Duration(offset+i*apart) * time.Millisecond), Data: []byte(f)}
		if text, ok := strings.CutPrefix(f, "gap "); ok {
			r.Kind, r.Data = Gap, []byte(text)
		}
		list = append(list, r)
	}
	return list
}

func tradesFrame(ids ...string) string {
	var list []string
	for _, id := range ids {
		list = append(list, fmt.Sprintf(`{"T":1,"s":"X","S":"Buy","v":"1","p":"1","i":"%s","seq":%d}`, id, id[0]))
	}
	return `{"topic":"publicTrade.X","type":"snapshot","ts":1,"data":[` + strings.Join(list, ",") + `]}`
}

func framesOf(t *testing.T, r *Reader, kind Kind) []string {
	t.Helper()
	var list []string
	for rec, err := range r.Records(time.Time{}, time.Time{}) {
		if err != nil {
			t.Fatal(err)
		}
		if rec.Kind == kind {
			list = append(list, string(rec.Data))
		}
	}
	return list
}

func TestMergeOfTradesThatArePartlyKnown(t *testing.T) {
	a := []string{tradesFrame("a"), tradesFrame("b", "c"), tradesFrame("d"), tradesFrame("f", "g")}
	b := []string{tradesFrame("a"), tradesFrame("b"), tradesFrame("c", "d", "e"), tradesFrame("f"), tradesFrame("g")}
	l, r := mergeOf(t, mergeDir(t, linear(0, 10, a...)), mergeDir(t, linear(1, 10, b...)), nil)
	topic := l.Topics[0]
	got := framesOf(t, r, Frame)
	for _, f := range got {
		if !slices.Contains(a, f) && !slices.Contains(b, f) {
			t.Errorf("a frame that nobody had: %s", f)
		}
	}
	for _, id := range []string{"a", "b", "c", "d", "e", "f", "g"} {
		if !strings.Contains(strings.Join(got, "\n"), `"i":"`+id+`"`) {
			t.Errorf("trade %s is lost", id)
		}
	}
	if topic.Both != 1 || topic.Partly == 0 || int(topic.Partly) != len(topic.PartlyKnown) || topic.Contained == 0 || l.Messages+topic.Contained != 8 {
		t.Errorf("ledger %+v of %d messages, want one of both, the others kept or contained", topic, len(got))
	}
}

func TestMergeListsConflicts(t *testing.T) {
	frame := func(u int, size string) string {
		return fmt.Sprintf(`{"topic":"orderbook.50.X","type":"delta","ts":%d,"data":{"s":"X","b":[["1","%s"]],"a":[],"u":%d,"seq":%[3]d},"cts":%[1]d}`, 1000+u, size, u)
	}
	a := linear(0, 10, frame(5, "1"), frame(6, "1"), frame(7, "1"))
	b := linear(-5, 10, frame(5, "1"), frame(6, "2"), frame(7, "1"))
	l, r := mergeOf(t, mergeDir(t, a), mergeDir(t, b), nil)
	want := []Conflict{{Kept: Place{RecordB: 2, Received: start.Add(5 * time.Millisecond)}, Other: Place{RecordA: 2, Received: start.Add(10 * time.Millisecond)}, U: 6}}
	if l.Conflicts != 1 || l.Whole() || !reflect.DeepEqual(l.Topics[0].Conflicts, want) {
		t.Errorf("%d conflicts %+v, want %+v", l.Conflicts, l.Topics[0].Conflicts, want)
	}
	if got := framesOf(t, r, Frame); !slices.Equal(got, []string{frame(5, "1"), frame(6, "2"), frame(7, "1")}) {
		t.Errorf("the result holds %s", got)
	}
	if got := framesOf(t, r, Note); !slices.Equal(got, []string{"orderbook.50.X: conflict, A has: " + frame(6, "1")}) {
		t.Errorf("notes %q", got)
	}
}

// TestMergeJudgesGaps is about topics without update ids: what neither recording
// covered remains a gap.
func TestMergeJudgesGaps(t *testing.T) {
	const gap = "gap publicTrade.X: disconnected"
	m := func(id string) string { return tradesFrame(id) }
	for _, c := range []struct {
		name                  string
		a, b                  []string
		gaps, filled, missing int64
	}{
		{"no gap", []string{m("a"), m("b"), m("c")}, []string{m("a"), m("b"), m("c")}, 0, 0, 0},
		{"filled", []string{m("a"), gap, m("c")}, []string{m("a"), m("b"), m("c")}, 1, 1, 0},
		{"noticed late", []string{m("a"), "", "", gap, m("d")}, []string{m("a"), m("b"), m("c"), m("d")}, 1, 1, 0},
		{"of both at once", []string{m("a"), gap, m("c")}, []string{m("a"), gap, m("c")}, 2, 0, 1},
		{"that overlap", []string{m("a"), gap, "", m("d")}, []string{m("a"), m("b"), gap, m("d")}, 2, 0, 1},
		{"one after the other", []string{m("a"), gap, m("c"), m("d"), m("e")}, []string{m("a"), m("b"), m("c"), gap, m("e")}, 2, 2, 0},
		{"twice in one place", []string{m("a"), gap, gap, m("c")}, []string{m("a"), m("b"), m("c")}, 2, 2, 0},
		{"at the end", []string{m("a"), gap}, []string{m("a"), m("b")}, 1, 1, 0},
		{"at the end of both", []string{m("a"), gap}, []string{m("a"), gap}, 2, 0, 1},
		{"before the other begins", []string{m("a"), gap, m("c"), m("d")}, []string{"", "", "", m("d")}, 1, 0, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, r := mergeOf(t, mergeDir(t, linear(0, 1000, c.a...)), mergeDir(t, linear(300, 1000, c.b...)), nil)
			if l.Gaps != c.gaps || l.Filled != c.filled || l.Missing != c.missing {
				t.Errorf("%d gaps, %d filled, %d missing; want %d, %d, %d", l.Gaps, l.Filled, l.Missing, c.gaps, c.filled, c.missing)
			}
			if got := framesOf(t, r, Gap); len(got) != int(c.missing) {
				t.Errorf("gap records %q, want %d", got, c.missing)
			}
		})
	}
}

// TestMergeWithLittleMemory merges with a window that holds less than the clocks
// differ: nothing is written twice in a book, and what comes late is counted.
func TestMergeWithLittleMemory(t *testing.T) {
	rnd := rand.New(rand.NewPCG(8, 8))
	topics := venueTopics(rnd)[1:2]
	a := recordOf(rnd, topics, outagesOf(rnd, 3), 0)
	b := recordOf(rnd, topics, nil, 3*time.Second)
	l, r := mergeOf(t, mergeDir(t, a.records), mergeDir(t, b.records), &MergeOptions{WindowBytes: 1})
	if l.Late == 0 || l.Missing == 0 {
		t.Errorf("%d late and %d missing, want some of each: the window holds one message", l.Late, l.Missing)
	}
	ids := make(map[string]bool)
	for _, f := range framesOf(t, r, Frame) {
		_, id, _ := strings.Cut(f, `"data"`)
		if ids[id] && strings.Contains(f, "delta") {
			t.Fatalf("written twice: %s", f)
		}
		ids[id] = true
	}
	l, _ = mergeOf(t, mergeDir(t, a.records), mergeDir(t, b.records), &MergeOptions{WindowBytes: 1, ShiftB: -3 * time.Second})
	if l.Difference > time.Second || l.ShiftB != -3*time.Second {
		t.Errorf("difference %s after a shift of %s, want nearly none", l.Difference, l.ShiftB)
	}
}

func TestMergeLeavesNothingHalf(t *testing.T) {
	var records []Record
	for i := range uint64(60_000) {
		records = append(records, Record{Kind: Frame, Conn: 1, Channel: "linear", Received: start.Add(time.Duration(i) * time.Millisecond), Data: testFrame(i)})
	}
	a, b := mergeDir(t, records), mergeDir(t, records)
	parent := t.TempDir()
	to := filepath.Join(parent, "merged")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err := Merge(ctx, to, a, b, &MergeOptions{Progress: func(int64) {
		if _, err := os.Stat(to); err == nil {
			t.Error("the folder is there before the end")
		}
		if _, err := Merge(t.Context(), to, a, b, nil); !errors.Is(err, ErrLocked) {
			t.Errorf("a second merge into the same folder: %v, want ErrLocked", err)
		}
		cancel()
	}})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("%v, want that it was cancelled", err)
	}
	if left, err := os.ReadDir(parent); err != nil || len(left) > 0 {
		t.Errorf("%v, %v are left, want nothing", left, err)
	}

	// What a merge left that was killed is made anew, what somebody else has is not
	// touched.
	m := &merging{}
	if err := m.create(to + ".partial"); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(m.w.Write(&Record{Kind: Note, Received: start, Data: []byte("half")}), m.w.Close()); err != nil {
		t.Fatal(err)
	}
	l, err := Merge(t.Context(), to, a, b, nil)
	if err != nil {
		t.Fatal(err)
	}
	if notes := framesOf(t, openReader(t, to), Note); len(notes) > 0 {
		t.Errorf("notes %q of an earlier merge", notes)
	}
	raw, err := os.ReadFile(filepath.Join(to, LedgerFile))
	var written Ledger
	if err = errors.Join(err, json.Unmarshal(raw, &written)); err != nil || written.Messages != l.Messages || l.Messages == 0 {
		t.Errorf("ledger file says %d messages, %v; want %d", written.Messages, err, l.Messages)
	}
	if _, err := Merge(t.Context(), to, a, b, nil); !errors.Is(err, ErrExists) {
		t.Errorf("into a folder that holds something: %v, want ErrExists", err)
	}
	mine := filepath.Join(parent, "other.partial", "mine")
	if err := errors.Join(os.Mkdir(filepath.Dir(mine), 0o755), os.WriteFile(mine, nil, 0o644)); err != nil {
		t.Fatal(err)
	}
	if _, err := Merge(t.Context(), filepath.Join(parent, "other"), a, b, nil); !errors.Is(err, ErrExists) {
		t.Errorf("beside a folder of that name: %v, want ErrExists", err)
	}
	if _, err := os.Stat(mine); err != nil {
		t.Errorf("somebody's file: %v", err)
	}
}

func BenchmarkMerge(b *testing.B) {
	var lists [2][]Record
	for i := range uint64(200_000) {
		r := Record{Kind: Frame, Conn: 1, Channel: "linear", Received: start.Add(time.Duration(i) * time.Millisecond), Data: testFrame(i)}
		for s := range lists {
			if i/1000%10 != uint64(s+3) { // each lacks a tenth
				lists[s] = append(lists[s], r)
			}
		}
	}
	x, y := mergeDir(b, lists[0]), mergeDir(b, lists[1])
	b.ResetTimer()
	for b.Loop() {
		mergeOf(b, x, y, nil)
	}
	b.ReportMetric(float64((len(lists[0])+len(lists[1]))*b.N)/b.Elapsed().Seconds(), "frames/s")
}
