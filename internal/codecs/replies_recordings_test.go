//go:build recordings

package codecs_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bywire/bywire/internal/codecs"
	"github.com/bywire/bywire/internal/recordings"
)

// recorded says which endpoint a recording is of, by a part of its name.
var recorded = []struct{ part, op string }{
	{"instruments-info", "GET /v5/market/instruments-info"},
	{"mark-price-kline", "GET /v5/market/mark-price-kline"},
	{"kline", "GET /v5/market/kline"},
	{"tickers", "GET /v5/market/tickers"},
	{"funding-history", "GET /v5/market/funding/history"},
	{"open-interest", "GET /v5/market/open-interest"},
	{"recent-trade", "GET /v5/market/recent-trade"},
	{"orderbook", "GET /v5/market/orderbook"},
	{"risk-limit", "GET /v5/market/risk-limit"},
	{"wallet-balance", "GET /v5/account/wallet-balance"},
	{"position-list", "GET /v5/position/list"},
	{"order-realtime", "GET /v5/order/realtime"},
	{"execution-list", "GET /v5/execution/list"},
	{"json_place_order_ack", "POST /v5/order/create"},
	{"json_account_info", "GET /v5/account/info"},
	{"json_instrument", "GET /v5/market/instruments-info"},
	{"json_orders", "GET /v5/order/realtime"},
	{"json_executions", "GET /v5/execution/list"},
	{"json_positions", "GET /v5/position/list"},
}

// TestRecordedRepliesSurvive decodes replies that the real exchange gave and encodes them
// again: the same values. Fields that the documentation does not have are those listed.
func TestRecordedRepliesSurvive(t *testing.T) {
	ours := byOp()
	unknown := make(map[string]bool)
	n := 0
	check := func(name string, result json.RawMessage) {
		i := slices.IndexFunc(recorded, func(r struct{ part, op string }) bool { return strings.Contains(name, r.part) })
		if i < 0 {
			t.Errorf("%s: of which endpoint?", name)
			return
		}
		n++
		for _, diff := range again(ours[recorded[i].op].Result(), result) {
			path, what, _ := strings.Cut(diff, ": ")
			path = recorded[i].op + " " + withoutIndexes(path)
			if strings.HasSuffix(what, "got nothing") {
				unknown[path] = true
			} else {
				t.Errorf("%s: %s: %s", name, path, what)
			}
		}
	}
	dir := recordings.Path(t, "testdata/real")
	for _, folder := range []string{"rest_v5", "capture_rest"} {
		files, err := os.ReadDir(filepath.Join(dir, folder))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			text := unpacked(t, filepath.Join(dir, folder, f.Name()))
			if !strings.Contains(f.Name(), ".jsonl") {
				check(f.Name(), resultOf(t, text))
				continue
			}
			lines := bufio.NewScanner(bytes.NewReader(text))
			for lines.Buffer(nil, 1<<20); lines.Scan(); {
				var line struct {
					Src   string
					Raw   json.RawMessage `json:"raw_data"`
					Frame struct {
						Op      string
						RetCode int
						Result  json.RawMessage
					}
				}
				if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
					t.Fatalf("%s: %v", f.Name(), err)
				}
				switch list := string(line.Frame.Result); {
				case line.Raw != nil && strings.Contains(f.Name(), "recent-trade"):
					check(f.Name(), json.RawMessage(`{"category":"spot","list":[`+string(line.Raw)+`]}`))
				case line.Raw != nil:
					check(f.Name(), line.Raw)
				case line.Frame.Op == "" && line.Frame.RetCode == 0 && strings.Contains(list, ":") && !strings.Contains(line.Src, "cancel"):
					check(line.Src, line.Frame.Result)
				}
			}
		}
	}
	if n < 100 {
		t.Errorf("%d replies were read, there are more", n)
	}
	for _, path := range slices.Sorted(maps.Keys(unknown)) {
		if !unknownFields[path] {
			t.Errorf("%s: a field that we do not know", path)
		}
	}
	for path := range unknownFields {
		if !unknown[path] {
			t.Errorf("%s is known, or not in the recordings", path)
		}
	}
}

func again(r codecs.Codec, result json.RawMessage) []string {
	if err := r.Decode(result); err != nil {
		return []string{err.Error()}
	}
	var want, got any
	for _, p := range []struct {
		text []byte
		into *any
	}{{result, &want}, {r.AppendJSON(nil), &got}} {
		d := json.NewDecoder(bytes.NewReader(p.text))
		d.UseNumber()
		if err := d.Decode(p.into); err != nil {
			return []string{": " + err.Error()}
		}
	}
	return compare("", want, got)
}

// resultOf takes the result out of a reply; some recordings are only that.
func resultOf(t *testing.T, text []byte) json.RawMessage {
	t.Helper()
	var reply struct{ Result json.RawMessage }
	if err := json.Unmarshal(text, &reply); err != nil {
		t.Fatal(err)
	}
	if reply.Result != nil {
		return reply.Result
	}
	return text
}

func unpacked(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(name, ".gz") {
		return text
	}
	z, err := gzip.NewReader(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	text, err = io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
