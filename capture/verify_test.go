package capture

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// recordOn makes a capture of frames, each "CONN CHANNEL FRAME", one a second; a
// frame of "end" is the connection's end, one of "gap" what was not recorded.
func recordOn(t *testing.T, lines ...string) string {
	t.Helper()
	dir := t.TempDir()
	w := openWriter(t, dir, nil)
	for i, line := range lines {
		var conn uint64
		var channel string
		if _, err := fmt.Sscanf(line, "%d %s", &conn, &channel); err != nil {
			t.Fatal(err)
		}
		rec := Record{Kind: Frame, Conn: conn, Channel: channel, Received: begun.Add(time.Duration(i) * time.Second)}
		switch data := strings.SplitN(line, " ", 3)[2]; data {
		case "end":
			rec.Kind = Disconnect
		case "gap":
			rec.Kind = Gap
		default:
			rec.Data = []byte(data)
		}
		if err := w.Write(&rec); err != nil {
			t.Fatal(err)
		}
	}
	closeWriter(t, w)
	return dir
}

// messageOf is a book message of one bid, whose size is the update id.
func messageOf(topic, kind, bid string, u int) string {
	_, symbol, _ := strings.Cut(strings.TrimPrefix(topic, "orderbook."), ".")
	level := fmt.Sprintf(`["%s","%d"]`, bid, u)
	if strings.HasPrefix(topic, "orderbook.rpi.") {
		level = fmt.Sprintf(`["%s","%d","0"]`, bid, u)
	}
	return fmt.Sprintf(`{"topic":"%s","type":"%s","ts":%d,"data":{"s":"%s","b":[%s],"a":[],"u":%d,"seq":%d},"cts":%d}`,
		topic, kind, 1000+u, symbol, level, u, 10*u, 1000+u)
}

func TestVerifyBooks(t *testing.T) {
	const topic, rpi, full, option = "orderbook.50.ABCUSDT", "orderbook.rpi.ABCUSDT", "orderbook.full.ABCUSDT", "orderbook.25.BTC-30DEC27-70000-C"
	two := []string{ // one topic on two connections, recorded at once
		"1 linear " + messageOf(topic, "snapshot", "9", 5), "2 linear " + messageOf(topic, "snapshot", "9", 5),
		"1 linear " + messageOf(topic, "delta", "8", 6), "1 linear " + messageOf(topic, "delta", "8", 7),
		"2 linear " + messageOf(topic, "delta", "8", 6), "2 linear " + messageOf(topic, "delta", "8", 7),
	}
	for _, test := range []struct {
		name  string
		lines []string
		want  TopicReport // times left out
		clean bool
	}{
		{"two connections", two, TopicReport{Topic: topic, Updates: 6, Snapshots: 2}, true},
		{"reconnect with a snapshot", []string{two[0], two[2], "1 linear end", two[1], two[4]}, TopicReport{Topic: topic, Updates: 4, Snapshots: 2}, true},
		{"reconnect without a snapshot", []string{two[0], two[2], "1 linear end", two[5]}, TopicReport{Topic: topic, Updates: 3, Snapshots: 1, NoBook: 1}, false},
		{"five connections, each gone without a word", []string{
			two[0], "2 linear " + messageOf(topic, "snapshot", "9", 6), "3 linear " + messageOf(topic, "snapshot", "9", 7),
			"4 linear " + messageOf(topic, "snapshot", "9", 8), "5 linear " + messageOf(topic, "snapshot", "9", 9),
		}, TopicReport{Topic: topic, Updates: 5, Snapshots: 5}, true},
		{"gap", []string{two[0], two[3]}, TopicReport{Topic: topic, Updates: 2, Snapshots: 1, Gaps: 1}, false},
		{"rpi", []string{"1 linear " + messageOf(rpi, "snapshot", "9", 5), "1 linear " + messageOf(rpi, "delta", "8", 7)},
			TopicReport{Topic: rpi, Updates: 2, Snapshots: 1, Gaps: 1}, false},
		{"option", []string{"1 option " + messageOf(option, "snapshot", "9", 5), "1 option " + messageOf(option, "delta", "8", 6)},
			TopicReport{Topic: option, Channel: "option", Updates: 2, Snapshots: 1}, true},
		{"full", []string{
			"1 linear " + messageOf(full, "delta", "9", 5), "1 linear " + messageOf(full, "delta", "9", 6), "1 linear " + messageOf(full, "delta", "9", 8),
			"1 linear " + messageOf(full, "delta", "9", 1), "1 linear " + messageOf(full, "delta", "9", 2),
		}, TopicReport{Topic: full, Updates: 5, Gaps: 1}, false},
		{"retired topic, undecodable", []string{`1 linear {"topic":"liquidation.ABCUSDT","ts":1,"data":5}`}, TopicReport{Topic: "liquidation.ABCUSDT", Updates: 1, Undecoded: 1}, false},
		{"unknown topic", []string{`1 linear {"topic":"future.x","data":1}`, `1 linear {"topic":"future.x","data":}`}, TopicReport{Topic: "future.x", Updates: 2, Undecoded: 1}, false},
		{"no topic", []string{"1 linear nonsense"}, TopicReport{Updates: 1, Undecoded: 1}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := verifyDir(t, recordOn(t, test.lines...))
			if len(v.Topics) != 1 {
				t.Fatalf("%+v", v.Topics)
			}
			got := v.Topics[0]
			if test.want.Channel == "" {
				test.want.Channel = "linear"
			}
			got.First, got.Last, got.LongestSilence = time.Time{}, time.Time{}, 0
			if got != test.want || v.Clean() != test.clean {
				t.Errorf("%+v\nwant %+v, clean %v", got, test.want, test.clean)
			}
		})
	}
}

// TestVerifyTopics checks the order of topics, one name on two channels, and the
// counts of what is no data.
func TestVerifyTopics(t *testing.T) {
	v := verifyDir(t, recordOn(t,
		"2 spot "+tradeFrame("ABCUSDT", 1), "1 linear "+tradeFrame("XYZUSDT", 1), "1 linear "+tradeFrame("ABCUSDT", 1), "1 linear gap",
		`1 linear {"op":"ping"}`, "1 linear "+tradeFrame("ABCUSDT", 2)))
	var got []string
	for _, topic := range v.Topics {
		got = append(got, fmt.Sprintf("%s %s", topic.String(), topic.LongestSilence))
	}
	wantLines(t, got, []string{
		"linear publicTrade.ABCUSDT: 2 updates, 0 gaps, 0 crossed 3s",
		"linear publicTrade.XYZUSDT: 1 updates, 0 gaps, 0 crossed 0s",
		"spot publicTrade.ABCUSDT: 1 updates, 0 gaps, 0 crossed 0s",
	})
	if v.Frames != 5 || v.Data != 4 || v.Control != 1 || v.Gaps != 1 || v.Clean() {
		t.Errorf("%+v", v)
	}
}

func TestVerifyCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Verify(ctx, openReader(t, recordOn(t, "1 linear "+tradeFrame("ABCUSDT", 1))), nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
