//go:build recordings

package capture

import (
	"errors"
	"maps"
	"regexp"
	"testing"

	"github.com/bywire/bywire/internal/recordings"
)

// recordingTable says what each recording of the real exchange holds and what
// import and verify have to make of it. The counts of rows are those of the
// files; refused are reasons with symbols left out, and how many rows they
// concern.
var recordingTable = []struct {
	file     string
	format   Format
	category string

	rows, data, control, trades int
	refused                     map[string]int

	topics    int
	snapshots int64 // of books
	gaps      int64
	crossed   int64
	rejected  int64
	noBook    int64
}{
	{
		file: "ws_v5/linear_orderbook500_XRPUSDT_20241201.jsonl.gz", format: FormatBybitBooks, category: "linear",
		rows: 50, data: 50, topics: 1, snapshots: 1,
	},
	{
		file: "ws_v5/spot_orderbook50_BTCUSDT_20260824.jsonl", format: FormatV5JSONL, category: "spot",
		rows: 10, data: 9, control: 1, topics: 1, snapshots: 1,
	},
	{
		file: "ws_v5/linear_kline_all-intervals_BTCUSDT_20240704.jsonl.gz", format: FormatV5JSONL, category: "linear",
		rows: 549, data: 549, topics: 9,
	},
	{
		file: "ws_v5/testnet_linear_tickers_BTCUSDT_20250523.jsonl.gz", format: FormatV5JSONL, category: "linear",
		rows: 102, data: 102, topics: 1,
	},
	{
		// Unconnected samples: some books begin with a delta, and one skips
		// from 2025 back to 2023.
		file: "ws_v5/frames_mixed_public.jsonl", format: FormatV5JSONL,
		rows: 38, data: 38, topics: 23, snapshots: 7, gaps: 1, rejected: 1, noBook: 2,
	},
	{
		file: "legacy_v2/linear_trade_orderBookL2_25_8symbols_20210417.txt.gz", format: FormatV2Log,
		rows: 3359, data: 3326, control: 32, trades: 101, topics: 16, snapshots: 8,
	},
	{
		file: "legacy_v2/rest_symbols_20210417.txt.gz", format: FormatV2Log,
		rows: 2, refused: map[string]int{"neither a connection nor a message of the log": 2},
	},
	{
		// Unconnected samples of three years and four products.
		file: "legacy_v2/frames_mixed_v2.jsonl.gz", format: FormatV2Log,
		rows: 42, data: 15, trades: 5, topics: 7, snapshots: 4, crossed: 1,
		refused: map[string]int{
			"topic instrument_info.100ms.* is not converted":           11,
			"topic liquidation.* is not converted":                     5,
			"topic depth has no successor in V5":                       3,
			"topic trade has no successor in V5":                       1,
			"topic bookTicker has no successor in V5":                  1,
			"delta of orderBookL2_25.* before its first snapshot":      3,
			"delta of orderBook_200.100ms.* before its first snapshot": 3,
		},
	},
	{
		file: "history/inverse_trades_BTCUSD_20191001_0000-1600.csv.gz", format: FormatBybitTrades,
		rows: 56627, data: 40137, trades: 56627, topics: 1,
	},
}

var symbols = regexp.MustCompile(`\.[A-Z0-9]{6,}`)

// TestRecordings imports every recording and compares counts, the refused rows
// with their reasons, and what verify says of the books.
func TestRecordings(t *testing.T) {
	for _, want := range recordingTable {
		t.Run(want.file, func(t *testing.T) {
			dir := t.TempDir()
			opts := &ImportOptions{Format: want.format, Category: categoryOf(want.category)}
			got := importInto(t, dir, opts, recordings.Path(t, "testdata/real/"+want.file))[0]
			if got.Rows != want.rows || got.Data != want.data || got.Control != want.control || got.Trades != want.trades {
				t.Errorf("rows %d, data %d, control %d, trades %d; want %d, %d, %d, %d",
					got.Rows, got.Data, got.Control, got.Trades, want.rows, want.data, want.control, want.trades)
			}
			reasons := make(map[string]int)
			for _, r := range got.Refusals {
				reasons[symbols.ReplaceAllString(r.Reason, ".*")]++
			}
			if !maps.Equal(reasons, want.refused) {
				t.Errorf("refused %v, want %v", reasons, want.refused)
			}
			if got.Frames == 0 {
				if _, err := OpenReader(dir); !errors.Is(err, ErrNoCapture) {
					t.Errorf("open: %v, want ErrNoCapture: nothing was imported", err)
				}
				return
			}
			v := verifyDir(t, dir)
			var sum TopicReport
			for _, topic := range v.Topics {
				sum.Updates += topic.Updates
				sum.Undecoded += topic.Undecoded
				sum.Snapshots += topic.Snapshots
				sum.Gaps += topic.Gaps
				sum.Crossed += topic.Crossed
				sum.Rejected += topic.Rejected
				sum.NoBook += topic.NoBook
				sum.UnknownDeletes += topic.UnknownDeletes
			}
			unknown := sum.UnknownDeletes
			if want.gaps == 0 && unknown != 0 {
				t.Errorf("%d deletes of unknown levels without a gap", unknown)
			}
			sum.UnknownDeletes = 0
			if wanted := (TopicReport{
				Updates: int64(want.data), Snapshots: want.snapshots, Gaps: want.gaps, Crossed: want.crossed,
				Rejected: want.rejected, NoBook: want.noBook,
			}); sum != wanted {
				t.Errorf("verify: %+v\nwant    %+v", sum, wanted)
			}
			if len(v.Topics) != want.topics || v.Frames != int64(got.Frames) {
				t.Errorf("verify: %d topics and %d frames, want %d and %d", len(v.Topics), v.Frames, want.topics, got.Frames)
			}
		})
	}
}
