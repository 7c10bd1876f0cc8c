package exchange

import (
	"bytes"
	"testing"
	"time"
)

func FuzzParseClock(f *testing.F) {
	for _, s := range []string{"live", "step", "max", "x10", "x0.5", "x1e400", "xNaN", "x-0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		mode, speed, err := ParseClock(s)
		if err != nil {
			return
		}
		if mode > Max || (mode == Scaled) != (speed != 0) || mode == Scaled && !(speed >= MinSpeed && speed <= MaxSpeed) {
			t.Errorf("%q: %v at %v", s, mode, speed)
		}
	})
}

// A journal of anything is refused or led to its end, and never a panic.
func FuzzReplayJournal(f *testing.F) {
	const head = `{"journal":"bywire exchange","version":1,"seed":1,"start":1767225600000000000,"quiet":true,"symbols":["spot:BTCUSDT"]}` + "\n"
	f.Add([]byte(head + `{"at":1767225600000000005,"n":1,"do":"place","with":{"instrument":0,"order":{"account":1000,"side":"Buy","price":5,"qty":7}}}` + "\n"))
	f.Add([]byte(head + `{"at":1767225600100000000,"n":1,"do":"halt","with":{}}` + "\n{}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		// Far times would run for as long as they are far.
		if len(text) > len(head) && bytes.HasPrefix(text, []byte(head)) && !bytes.Contains(text[len(head):], []byte("journal")) {
			if r, err := ReplayJournal(bytes.NewReader(nearby(text)), time.Time{}); err == nil && r.Time.Before(defaultStart) {
				t.Errorf("%q led to %v", text, r.Time)
			}
		}
	})
}

// nearby replaces times of more than 19 digits' first 9 by those of the start.
func nearby(text []byte) []byte {
	const first = "176722560"
	out := bytes.Clone(text)
	for i := 0; i+19 <= len(out); i++ {
		j := i
		for j < len(out) && out[j] >= '0' && out[j] <= '9' {
			j++
		}
		if j-i >= 19 {
			out = append(out[:i+19], out[j:]...)
			copy(out[i:], first)
			i += 19
		} else if j > i {
			i = j
		}
	}
	return out
}
