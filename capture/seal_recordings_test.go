//go:build recordings

package capture

import (
	"testing"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/internal/recordings"
)

// Sealed segments are at least five times smaller than the frames they hold,
// on the V2 log as V5 frames. The open segment's ratio is stated.
func TestSealedRatio(t *testing.T) {
	dir := t.TempDir()
	w := openWriter(t, dir, &WriterOptions{noSeal: true})
	log := recordings.Path(t, "testdata/real/legacy_v2/linear_trade_orderBookL2_25_8symbols_20210417.txt.gz")
	if _, err := Import(t.Context(), w, &ImportOptions{Format: FormatV2Log, Category: bybit.Linear}, log); err != nil {
		t.Fatal(err)
	}
	closeWriter(t, w)
	open, err := openReader(t, dir).Info()
	if err != nil {
		t.Fatal(err)
	}
	closeWriter(t, openWriter(t, dir, nil)) // recovers, and so seals
	sealed, err := openReader(t, dir).Info()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d frames, %d bytes; open %d (%.2f times smaller), sealed %d (%.2f)", sealed.Total.Frames, sealed.Total.RawBytes,
		open.Total.StoredBytes, open.Total.Ratio(), sealed.Total.StoredBytes, sealed.Total.Ratio())
	if got := sealed.Total.Ratio(); got < 5 || !sealed.Total.Sealed {
		t.Errorf("sealed ratio %.2f, want at least 5", got)
	}
}
