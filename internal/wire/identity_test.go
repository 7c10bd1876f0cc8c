package wire

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"testing"
)

const (
	identityBook   = `{"topic":"orderbook.50.BTCUSDT","type":"delta","ts":1687940967466,"data":{"s":"BTCUSDT","b":[["30247.20","30.028"],["30245.40","0"]],"a":[["30248.70","0"]],"u":177400507,"seq":66544703342},"cts":1687940967464}`
	identityTrades = `{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1672304486868,"data":[{"T":1672304486865,"s":"BTCUSDT","S":"Buy","v":"0.001","p":"16578.50","i":"20f43950-d8dd","seq":9},{"T":1672304486865,"s":"BTCUSDT","S":"Buy","v":"2","p":"16578.50","i":"20f43950-d8de","seq":10}]}`
	identityTicker = `{"topic":"tickers.BTCUSDT","type":"delta","data":{"symbol":"BTCUSDT","lastPrice":"17216.00"},"cs":24987956059,"ts":1673272861686}`
	identityOption = `{"id":"tickers.BTC-6JAN23-17500-C-2480334983-1672917511074","topic":"tickers.BTC-6JAN23-17500-C","ts":1672917511074,"data":{"symbol":"BTC-6JAN23-17500-C","bidPrice":"0"},"type":"snapshot"}`
	identityOrder  = `{"id":"5923240c6880ab-c59f-420b-9adb-3639adc9dd90","topic":"order","creationTime":1672364262474,"data":[{"symbol":"ETH-30DEC22-1400-C","orderId":"5cf98598"}]}`
)

func identityFrames() []string {
	return []string{identityBook, identityTrades, identityTicker, identityOption, identityOrder}
}

func TestIdentify(t *testing.T) {
	numbers := func(f string) Identity {
		id := Identify([]byte(f))
		id.Key, id.Content = Hash{}, Hash{}
		return id
	}
	for _, c := range []struct {
		name, frame string
		want        Identity
	}{
		{"book", identityBook, Identity{Kind: IdentityBook, Update: 177400507, Seq: 66544703342, CrossMs: 1687940967464, Ms: 1687940967466}},
		{"trades", identityTrades, Identity{Kind: IdentityTrades, Snapshot: true, Seq: 10, Ms: 1672304486868}},
		{"ticker", identityTicker, Identity{Seq: 24987956059, Ms: 1673272861686}},
		{"option", identityOption, Identity{Snapshot: true, Ms: 1672917511074}},
		{"order", identityOrder, Identity{Ms: 1672364262474}},
		{"no JSON", `{"topic":"tickers.BTCUSDT"`, Identity{Kind: IdentityRaw}},
		{"nothing", ``, Identity{Kind: IdentityRaw}},
		{"trades without ids", `{"topic":"publicTrade.X","data":[]}`, Identity{}},
	} {
		if got := numbers(c.frame); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

// TestIdentityOfPairs says which changes make another message, and which make
// the same message say something else.
func TestIdentityOfPairs(t *testing.T) {
	for _, c := range []struct {
		name, frame, old, new string
		sameKey, sameContent  bool
	}{
		{"book ts", identityBook, `"ts":1687940967466`, `"ts":1687940967469`, true, true},
		{"book white space", identityBook, `,"data":{`, `, "data" : { `, true, true},
		{"book order", identityBook, `"u":177400507,"seq":66544703342`, `"seq":66544703342,"u":177400507`, true, true},
		{"book level", identityBook, `"30.028"`, `"30.029"`, true, false},
		{"book scale", identityBook, `"30.028"`, `"30.0280"`, true, false},
		{"book sides", identityBook, `"30245.40","0"]],"a":[[`, `"30245.40","0"],[`, true, false},
		{"book u", identityBook, `"u":177400507`, `"u":177400508`, false, false},
		{"book seq", identityBook, `66544703342`, `66544703343`, false, false},
		{"book cts", identityBook, `"cts":1687940967464`, `"cts":1687940967465`, false, false},
		{"book type", identityBook, `"delta"`, `"snapshot"`, false, false},
		{"book topic", identityBook, `orderbook.50.`, `orderbook.200.`, false, false},
		{"trades ts", identityTrades, `"ts":1672304486868`, `"ts":1`, true, true},
		{"trade price", identityTrades, `"16578.50"`, `"16578.5"`, true, false},
		{"trade id", identityTrades, `d8dd`, `d8df`, false, false},
		{"ticker ts", identityTicker, `"ts":1673272861686`, `"ts":1673272861687`, true, true},
		{"ticker cs", identityTicker, `24987956059`, `24987956058`, false, false},
		{"ticker value", identityTicker, `17216.00`, `17216.50`, false, false},
		{"option id", identityOption, `1672917511074","topic`, `1672917511075","topic`, true, true},
		{"order id", identityOrder, `5923240c`, `5923240d`, false, false},
		{"order ts", identityOrder, `1672364262474`, `1672364262475`, false, false},
	} {
		other := bytes.Replace([]byte(c.frame), []byte(c.old), []byte(c.new), 1)
		if string(other) == c.frame {
			t.Fatalf("%s: nothing changed", c.name)
		}
		x, y := Identify([]byte(c.frame)), Identify(other)
		if (x.Key == y.Key) != c.sameKey || (x.Content == y.Content) != c.sameContent {
			t.Errorf("%s: same key %v and content %v, want %v and %v", c.name, x.Key == y.Key, x.Content == y.Content, c.sameKey, c.sameContent)
		}
	}
	swapped := `{"topic":"publicTrade.BTCUSDT","type":"snapshot","data":[{"i":"b"},{"i":"a"}]}`
	if Identify([]byte(swapped)).Key == Identify([]byte(`{"topic":"publicTrade.BTCUSDT","type":"snapshot","data":[{"i":"a"},{"i":"b"}]}`)).Key {
		t.Error("trades in another order have the same key")
	}
}

func TestAppendTradeIDs(t *testing.T) {
	ids := AppendTradeIDs(nil, []byte(identityTrades))
	one := AppendTradeIDs(nil, []byte(`{"data":[{"p":"1","i":"20f43950-d8de"}],"topic":"publicTrade.BTCUSDT"}`))
	if len(ids) != 2 || len(one) != 1 || ids[0] == ids[1] || ids[1] != one[0] {
		t.Errorf("ids %v and %v, want two, the second of which is the one", ids, one)
	}
	if ids := AppendTradeIDs(nil, []byte(`{"data":[{"i":"a"}`)); len(ids) != 0 {
		t.Errorf("ids of half a message: %v", ids)
	}
}

func TestIdentifyAllocatesNothing(t *testing.T) {
	for _, f := range identityFrames() {
		frame := []byte(f)
		if n := testing.AllocsPerRun(100, func() { Identify(frame) }); n != 0 {
			t.Errorf("%v allocations, want none, for %s", n, f)
		}
	}
}

// member is one member of an object as it is written.
type member struct{ key, value string }

// membersOf cuts an object of valid JSON into its members.
func membersOf(t *testing.T, object []byte) []member {
	d := json.NewDecoder(bytes.NewReader(object))
	d.UseNumber()
	if _, err := d.Token(); err != nil {
		t.Fatal(err)
	}
	var out []member
	for d.More() {
		begin := int(d.InputOffset())
		if _, err := d.Token(); err != nil {
			t.Fatal(err)
		}
		key := bytes.TrimLeft(object[begin:d.InputOffset()], " \t\r\n,")
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			t.Fatal(err)
		}
		out = append(out, member{string(key), string(value)})
	}
	return out
}

// shuffled writes a value again with the members of all its objects in another
// order. at is called for the outermost members' values.
func shuffled(t *testing.T, value string, rnd *rand.Rand, at func(key, value string) string) string {
	switch value[0] {
	case '{':
		members := membersOf(t, []byte(value))
		rnd.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
		out := "{"
		for i, m := range members {
			if i > 0 {
				out += ","
			}
			if at != nil {
				m.value = at(m.key, m.value)
			}
			out += m.key + ":" + shuffled(t, m.value, rnd, nil)
		}
		return out + "}"
	case '[':
		var elements []json.RawMessage
		if err := json.Unmarshal([]byte(value), &elements); err != nil {
			t.Fatal(err)
		}
		out := "["
		for i, e := range elements {
			if i > 0 {
				out += " , "
			}
			out += shuffled(t, string(e), rnd, nil)
		}
		return out + "]"
	}
	return value
}

// FuzzIdentity checks that an identity does not depend on the order of keys and
// on ts, and that it does on every digit of everything else.
func FuzzIdentity(f *testing.F) {
	for i, frame := range identityFrames() {
		f.Add([]byte(frame), uint64(i))
	}
	f.Add([]byte(`{"topic":"publicTrade.X","data":[{"i":"1"},[{"i":2}],{"x":{"i":3,"y":[4,{"z":5}]}}]}`), uint64(5))
	f.Add([]byte(`{"a":"\"","\u0031":1e5,"data":null}`), uint64(6))
	f.Fuzz(func(t *testing.T, frame []byte, seed uint64) {
		id := Identify(frame)
		AppendTradeIDs(nil, frame)
		if !json.Valid(frame) || nestsDeep(frame) || id.Kind == IdentityRaw {
			return
		}
		seen := make(map[string]bool)
		for _, m := range membersOf(t, frame) {
			if seen[m.key] {
				return // which of two members with one name counts is anybody's guess
			}
			seen[m.key] = true
		}
		rnd := rand.New(rand.NewPCG(seed, 1))
		text := string(bytes.TrimSpace(frame))
		other := shuffled(t, text, rnd, func(key, value string) string {
			if key == `"ts"` {
				return "17"
			}
			return value
		})
		again := Identify([]byte(other))
		if again.Content != id.Content || again.Kind == IdentityData && again.Key != id.Key {
			t.Fatalf("another identity for another order of keys\n%s\n%s", frame, other)
		}
		var digits [][2]int // member and index
		members := membersOf(t, frame)
		for i, m := range members {
			for j := range m.value {
				if m.value[j]-'0' <= 8 && m.key != `"ts"` && m.key != `"id"` {
					digits = append(digits, [2]int{i, j})
				}
			}
		}
		if len(digits) == 0 {
			return
		}
		d := digits[rnd.IntN(len(digits))]
		value := []byte(members[d[0]].value)
		value[d[1]]++
		members[d[0]].value = string(value)
		changed := "{"
		for i, m := range members {
			if i > 0 {
				changed += ","
			}
			changed += m.key + ":" + m.value
		}
		changed += "}"
		if json.Valid([]byte(changed)) && Identify([]byte(changed)).Content == id.Content {
			t.Fatalf("the same content for another digit\n%s\n%s", frame, changed)
		}
	})
}

func BenchmarkIdentify(b *testing.B) {
	for _, c := range []struct{ name, frame string }{{"book", identityBook}, {"trades", identityTrades}, {"ticker", identityTicker}} {
		b.Run(c.name, func(b *testing.B) {
			frame := []byte(c.frame)
			b.SetBytes(int64(len(frame)))
			b.ReportAllocs()
			for b.Loop() {
				Identify(frame)
			}
		})
	}
}
