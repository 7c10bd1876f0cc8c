package feed

import (
	"bytes"
	"encoding/json"
	"strconv"
	"testing"
)

type bookFrame struct {
	Topic string `json:"topic"`
	Type  string `json:"type"`
	Data  struct {
		Bids [][2]string `json:"b"`
		Asks [][2]string `json:"a"`
		U    int64       `json:"u"`
	} `json:"data"`
}

// TestBooksAreValid replays every book message into maps and checks what a
// verifying client checks.
func TestBooksAreValid(t *testing.T) {
	type sides struct {
		bids, asks map[float64]string
		u          int64
	}
	f := New(7, 20000)
	books := make(map[string]*sides)
	var seen, bytesOfDeltas, deltas, bytesOfTrades, trades int
	for i, msg := range f.Messages {
		var frame bookFrame
		if bytes.HasPrefix(msg, []byte(`{"topic":"publicTrade`)) {
			bytesOfTrades += len(msg)
			trades++
		}
		if !json.Valid(msg) {
			t.Fatalf("message %d is no JSON: %s", i, msg)
		}
		if !bytes.HasPrefix(msg, []byte(`{"topic":"orderbook`)) {
			continue
		}
		seen++
		if err := json.Unmarshal(msg, &frame); err != nil {
			t.Fatal(err)
		}
		b := books[frame.Topic]
		if b == nil {
			if frame.Type != "snapshot" {
				t.Fatalf("message %d: %s starts with a %s", i, frame.Topic, frame.Type)
			}
			b = &sides{bids: map[float64]string{}, asks: map[float64]string{}, u: frame.Data.U - 1}
			books[frame.Topic] = b
		} else if n := len(frame.Data.Bids) + len(frame.Data.Asks); n != 7 {
			t.Fatalf("message %d changes %d levels", i, n)
		} else {
			bytesOfDeltas += len(msg)
			deltas++
		}
		if frame.Data.U != b.u+1 {
			t.Fatalf("message %d: u %d after %d", i, frame.Data.U, b.u)
		}
		b.u = frame.Data.U
		apply := func(m map[float64]string, levels [][2]string) {
			for _, lv := range levels {
				p, err := strconv.ParseFloat(lv[0], 64)
				if err != nil {
					t.Fatal(err)
				}
				if _, known := m[p]; lv[1] == "0" && !known {
					t.Fatalf("message %d deletes the unknown level %s", i, lv[0])
				} else if lv[1] == "0" {
					delete(m, p)
				} else {
					m[p] = lv[1]
				}
			}
		}
		apply(b.bids, frame.Data.Bids)
		apply(b.asks, frame.Data.Asks)
		if len(b.bids) != depth || len(b.asks) != depth {
			t.Fatalf("message %d leaves %d bids and %d asks", i, len(b.bids), len(b.asks))
		}
		for bid := range b.bids {
			for ask := range b.asks {
				if bid >= ask {
					t.Fatalf("message %d crosses: %v >= %v", i, bid, ask)
				}
			}
		}
	}
	if seen != f.Books || len(books) != 4 {
		t.Errorf("%d book messages of %d topics, want %d of 4", seen, len(books), f.Books)
	}
	t.Logf("a delta has %d bytes, a trade message %d", bytesOfDeltas/deltas, bytesOfTrades/trades)
}

func TestSameSeedSameBytes(t *testing.T) {
	a, b, c := New(3, 500), New(3, 500), New(4, 500)
	same := 0
	for i := range a.Messages {
		if !bytes.Equal(a.Messages[i], b.Messages[i]) {
			t.Fatalf("message %d differs: %s and %s", i, a.Messages[i], b.Messages[i])
		}
		if bytes.Equal(a.Messages[i], c.Messages[i]) {
			same++
		}
	}
	if same > 10 {
		t.Errorf("%d of 500 messages do not depend on the seed", same)
	}
}
