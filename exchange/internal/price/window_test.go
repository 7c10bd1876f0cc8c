package price

import (
	"testing"

	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/state"
)

// walked lets a window be restored.
type walked struct{ window }

func (w *walked) Walk(s *state.Walker) { w.walk(s) }

// A state has one spelling: as long as a window is not full, its place to overwrite is the first.
func TestAWindowHasOneState(t *testing.T) {
	w := walked{window{size: 3}}
	w.add(fixed.One)
	restored := walked{window{size: 3}}
	if err := state.Restore(&restored, state.Bytes(&w)); err != nil {
		t.Error(err)
	}
	w.next = 1
	if err := state.Restore(&restored, state.Bytes(&w)); err == nil {
		t.Error("one sample of three, and the next one goes to the second place: restored")
	}
}
