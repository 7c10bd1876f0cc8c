//go:build recordings

package catalog

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/exchange/internal/state"
	"github.com/bywire/bywire/internal/recordings"
)

// replies are the recorded instruments-info: how many instruments each has, how many are taken in at a start in February
// 2023, and what the others lack.
var replies = []struct {
	file     string
	category bybit.Category
	taken    int
	skipped  map[string]int // by a part of the reason
}{
	{"linear_instruments-info_BTCUSDT_20260911.json", bybit.Linear, 1, nil},
	// One contract is on a coin with a constant price.
	{"testnet_linear_instruments-info_result_202302.json.gz", bybit.Linear, 213, map[string]int{"baseCoin is": 1}},
	// Testnet of 2023 has ticks that no price fits (NEOBTC: 0.01), and quote coins such as DAI and EUR.
	{"testnet_spot_instruments-info_result_202302.json.gz", bybit.Spot, 135, map[string]int{"baseCoin is": 4, "priceFilter.tickSize is": 33, "quoteCoin is": 18}},
	{"testnet_option_instruments-info_result_202302.json.gz", bybit.Option, 296, map[string]int{"deliveryTime is": 62, "status is": 142}},
	{"mainnet_spot_instruments-info_list_202408.json.gz", bybit.Spot, 542, map[string]int{"baseCoin is": 1, "priceFilter.tickSize is": 12, "quoteCoin is": 28}},
}

func readReply(t *testing.T, name string) []byte {
	t.Helper()
	f, err := os.Open(recordings.Path(t, "testdata/real/rest_v5/"+name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := io.Reader(f)
	if strings.HasSuffix(name, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			t.Fatal(err)
		}
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRecordedRepliesLoad(t *testing.T) {
	for _, tt := range replies {
		c, err := New(Config{Start: at("2023-03-01T00:00"), Only: []string{"spot:BTCUSDT"}})
		if err != nil {
			t.Fatal(err)
		}
		file := readReply(t, tt.file)
		skipped, err := c.Load(file)
		if err != nil {
			t.Errorf("%s: %v", tt.file, err)
			continue
		}
		got := make(map[string]int)
		for _, s := range skipped {
			_, why, _ := strings.Cut(s, ": ")
			got[strings.Join(strings.Fields(why)[:2], " ")]++
		}
		var reply struct {
			Result, List json.RawMessage
		}
		if err := json.Unmarshal(file, &reply); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d taken, skipped %v", tt.file, c.Len(), got)
		if !maps.Equal(got, tt.skipped) || len(c.All(tt.category)) != tt.taken {
			t.Errorf("%s: %d taken, skipped %v, want %d and %v", tt.file, len(c.All(tt.category)), got, tt.taken, tt.skipped)
		}
		copied := new(Catalog)
		if err := state.Restore(copied, state.Bytes(c)); err != nil || state.Hash(copied) != state.Hash(c) {
			t.Errorf("%s: restored: %v, or to another state", tt.file, err)
		}
		// What was read is what is shown: each number of the reply that the category has comes back as it was.
		for _, in := range c.All(tt.category) {
			if tick := in.Info.PriceFilter.TickSize; tick.Cmp(in.Tick) != 0 || in.TicksOf(c.StartPrice(in)) < 1 {
				t.Errorf("%s: tick %s and %s, start %v", in.Symbol, tick, in.Tick, c.StartPrice(in))
			}
		}
	}
}

// The default BTCUSDT has the members of the real one of September 2026.
func TestDefaultHasTheMembersOfARealReply(t *testing.T) {
	var reply struct {
		Result struct{ List []json.RawMessage }
	}
	if err := json.Unmarshal(readReply(t, "linear_instruments-info_BTCUSDT_20260911.json"), &reply); err != nil {
		t.Fatal(err)
	}
	want := make(map[string]bool)
	flat(t, "", reply.Result.List[0], want)
	got := strings.Fields(members[bybit.Linear])
	slices.Sort(got)
	if names := slices.Sorted(maps.Keys(want)); !slices.Equal(got, names) {
		t.Errorf("the real reply has\n%v\nours\n%v", names, got)
	}
}
