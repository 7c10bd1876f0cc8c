package bybit_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/internal/wire"
)

// tickerLine writes what a ticker's event says about some fields: known fields with
// their value, a star for what this push carried, a dash for what is not known.
func tickerLine(ev *bybit.TickerEvent) string {
	line := ""
	for _, f := range []struct {
		name  string
		field bybit.TickerField
		value any
	}{
		{"last", bybit.TickerLastPrice, ev.LastPrice}, {"mark", bybit.TickerMarkPrice, ev.MarkPrice},
		{"funding", bybit.TickerFundingRate, ev.FundingRate}, {"delivery", bybit.TickerDeliveryFeeRate, ev.DeliveryFeeRate},
		{"usd", bybit.TickerUSDIndexPrice, ev.USDIndexPrice}, {"delta", bybit.TickerDelta, ev.Delta},
	} {
		switch {
		case !ev.Has(f.field):
			continue
		case fmt.Sprint(f.value) == "":
			line += fmt.Sprintf("%s=unset", f.name)
		default:
			line += fmt.Sprintf("%s=%v", f.name, f.value)
		}
		if ev.Arrived(f.field) {
			line += "*"
		}
		line += " "
	}
	return fmt.Sprintf("%scomplete=%v", line, ev.Complete)
}

// On linear and inverse a delta carries what has changed: a field that it lacks keeps
// its value, one that it carries as "" is unset, and which is which can be asked. After a
// gap nothing is carried over. Spot and option push whole tickers.
func TestFailureClass13_TickerDeltas(t *testing.T) {
	push := func(kind, fields string) string { return tickerFrame(kind, "BTCUSDT", fields) }
	futures := []struct{ frame, want string }{
		{push("delta", `"lastPrice":"9"`), "last=9* complete=false"}, // before the snapshot
		{push("snapshot", `"lastPrice":"1","markPrice":"2","fundingRate":"0.1"`), "last=1* mark=2* funding=0.1* complete=true"},
		{push("delta", `"lastPrice":"3"`), "last=3* mark=2 funding=0.1 complete=true"},
		{push("delta", `"fundingRate":""`), "last=3 mark=2 funding=unset* complete=true"},
		{push("delta", `"markPrice":"4","lastPrice":"3"`), "last=3* mark=4* funding=unset complete=true"},
		{push("delta", `"deliveryFeeRate":"0.5"`), "last=3 mark=4 funding=unset delivery=0.5* complete=true"},
		{push("delta", `"brandNew":{"a":[1]}`), "last=3 mark=4 funding=unset delivery=0.5 complete=true"},
		{"cut", "gap"},
		{push("delta", `"lastPrice":"5"`), "last=5* complete=false"},
		{push("snapshot", `"lastPrice":"6","markPrice":"7"`), "last=6* mark=7* complete=true"},
		{push("delta", `"markPrice":"8"`), "last=6 mark=8* complete=true"},
	}
	spot := func(fields string) string {
		return `{"topic":"tickers.BTCUSDT","ts":1673000000003,"type":"snapshot","cs":2588407,"data":{"symbol":"BTCUSDT",` + fields + `}}`
	}
	option := func(fields string) string {
		return `{"id":"tickers.BTC-6JAN23-17500-C-24-1672","topic":"tickers.BTC-6JAN23-17500-C","ts":1672000000074,"data":{"symbol":"BTC-6JAN23-17500-C",` + fields + `},"type":"snapshot"}`
	}
	for _, c := range []struct {
		channel bybit.Channel
		family  wire.Family
		topic   bybit.Topic
		steps   []struct{ frame, want string }
	}{
		{bybit.Linear, wire.FamilyFutures, bybit.Tickers("BTCUSDT"), futures},
		{bybit.Inverse, wire.FamilyFutures, bybit.Tickers("BTCUSDT"), futures},
		{bybit.Spot, wire.FamilySpot, bybit.Tickers("BTCUSDT"), []struct{ frame, want string }{
			{spot(`"lastPrice":"1","usdIndexPrice":"2"`), "last=1* usd=2* complete=true"},
			{spot(`"lastPrice":"3","usdIndexPrice":""`), "last=3* usd=unset* complete=true"},
			{"cut", "gap"},
			{spot(`"lastPrice":"4"`), "last=4* complete=true"}, // nothing from before
		}},
		{bybit.Option, wire.FamilyOption, bybit.Tickers("BTC-6JAN23-17500-C"), []struct{ frame, want string }{
			{option(`"lastPrice":"1","markPrice":"2","delta":"0.04"`), "last=1* mark=2* delta=0.04* complete=true"},
			{option(`"lastPrice":"","delta":"0.05"`), "last=unset* delta=0.05* complete=true"},
			{"cut", "gap"},
			{option(`"markPrice":"3"`), "mark=3* complete=true"},
		}},
	} {
		t.Run(string(c.channel), func(t *testing.T) {
			inBubble(t, func(t *testing.T, v *venue) {
				v.family = c.family
				s, err := v.client().Public(t.Context(), c.channel, nil, c.topic)
				if err != nil {
					t.Fatal(err)
				}
				for i, step := range c.steps {
					if step.frame == "cut" {
						v.ln.CutAll()
					} else {
						v.last().send(step.frame)
					}
					ev, err := s.Recv(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					switch ev := ev.(type) {
					case *bybit.TickerEvent:
						if got := tickerLine(ev); got != step.want {
							t.Errorf("step %d:\n got %s\nwant %s", i, got, step.want)
						}
					case *bybit.GapEvent:
						if step.want != "gap" {
							t.Errorf("step %d: a gap, want %s", i, step.want)
						}
						pass(60e9) // the next connection
					default:
						t.Errorf("step %d: %s", i, describe(ev))
					}
				}
				synctest.Wait()
				wantNone(t, s)
				s.Close()
			})
		})
	}
}

// An event is what it was when it came: the pushes after it do not change it.
func TestFailureClass13_TickerEventsDoNotChange(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		s := v.stream(nil, bybit.Tickers("BTCUSDT"))
		v.last().send(tickerFrame("snapshot", "BTCUSDT", `"lastPrice":"1","markPrice":"2"`),
			tickerFrame("delta", "BTCUSDT", `"lastPrice":"3"`), tickerFrame("delta", "BTCUSDT", `"markPrice":"4"`))
		var kept []*bybit.TickerEvent
		for range 3 {
			ev, err := s.Recv(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			kept = append(kept, ev.(*bybit.TickerEvent))
		}
		for i, want := range []string{"last=1* mark=2* complete=true", "last=3* mark=2 complete=true", "last=3 mark=4* complete=true"} {
			if got := tickerLine(kept[i]); got != want {
				t.Errorf("event %d: %s, want %s", i, got, want)
			}
		}
		s.Close()
	})
}

// A service that restarts begins its cross sequences anew. Where two connections carry the
// topic that is no old message: the state is the new one's at once, and what the slower
// connection still brings of the old one is passed over.
func TestTickerRestartsOnTwoConnections(t *testing.T) {
	inBubble(t, func(t *testing.T, v *venue) {
		s := v.stream(&bybit.StreamOptions{Duplicates: 2}, bybit.Tickers("BTCUSDT"))
		pass(time.Second)
		conns := v.all()
		if len(conns) != 2 {
			t.Fatalf("%d connections, want 2", len(conns))
		}
		for i, st := range []struct {
			conn     int
			kind     string
			cs, ts   int
			fields   string
			wantLine string // "": nothing
		}{
			{0, "snapshot", 900, 1000, `"lastPrice":"1","markPrice":"2"`, "last=1* mark=2* complete=true"},
			{1, "snapshot", 900, 1001, `"lastPrice":"1","markPrice":"2"`, ""},
			{1, "delta", 901, 1100, `"lastPrice":"3"`, "last=3* mark=2 complete=true"},
			{0, "snapshot", 5, 1300, `"lastPrice":"7","markPrice":"8"`, "last=7* mark=8* complete=true"},
			{1, "delta", 902, 1200, `"lastPrice":"4"`, ""},
			{0, "delta", 6, 1400, `"markPrice":"9"`, "last=7 mark=9* complete=true"},
			{1, "snapshot", 5, 1301, `"lastPrice":"7","markPrice":"8"`, ""},
			{1, "delta", 6, 1401, `"markPrice":"9"`, ""},
			{1, "delta", 7, 1500, `"lastPrice":"6"`, "last=6* mark=9 complete=true"},
		} {
			conns[st.conn].send(fmt.Sprintf(`{"topic":"tickers.BTCUSDT","type":"%s","data":{"symbol":"BTCUSDT",%s},"cs":%d,"ts":%d}`,
				st.kind, st.fields, st.cs, st.ts))
			synctest.Wait()
			ev, ok, err := s.TryRecv()
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if e, is := ev.(*bybit.TickerEvent); is {
				got = tickerLine(e)
			} else if ok {
				got = describe(ev)
			}
			if got != st.wantLine {
				t.Fatalf("message %d: got %q, want %q", i, got, st.wantLine)
			}
		}
		s.Close()
	})
}
