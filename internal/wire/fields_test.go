package wire

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/bywire/bywire/decimal"
)

// opt is what bybit.Opt is.
type opt[T any] struct {
	v   T
	set bool
}

func (o *opt[T]) Get() (T, bool) { return o.v, o.set }
func (o *opt[T]) Set(v T)        { o.v, o.set = v, true }

type color string

type sample struct {
	Name    string
	Color   color
	ID      string
	Count   int64
	Deep    int64
	On, Off bool
	Price   decimal.Decimal
	Rate    decimal.Decimal
	Long    decimal.Text
	At      time.Time
	Until   time.Time
	Paid    time.Time
	Ends    time.Time
	Begins  time.Time
	Yes     bool
	Quoted  bool
	Number  string
	Parent  string
	Yield   decimal.Decimal
	Since   time.Time
	Raw     []byte
	Limit   opt[decimal.Decimal]
	From    opt[time.Time]
	Side    opt[color]
	Inner   inner
	Maybe   *inner
	List    []inner
	Pairs   []pair
	Tags    []string
	Rows    [][]decimal.Decimal
	ByName  map[string]int64
	ByCoin  map[string]inner
	Gone    string
	Null    string
	Lone    []inner
}

type inner struct{ A, B string }

type pair struct {
	Price decimal.Decimal
	Size  int64
}

func (r *inner) fields(f *Fields) {
	f.Text("a", &r.A)
	f.Text("b", &r.B)
}

func (r *pair) fields(f *Fields) {
	f.Decimal("price", &r.Price)
	f.IntText("size", &r.Size)
}

func (r *sample) fields(f *Fields) {
	f.Text("name", &r.Name)
	f.Text("color", (*string)(&r.Color))
	f.TextOrNumber("id", &r.ID)
	f.Int("count", &r.Count)
	f.IntText("deep", &r.Deep)
	f.Bool("on", &r.On)
	f.BoolText("off", &r.Off)
	f.Decimal("price", &r.Price)
	f.Number("rate", &r.Rate)
	f.Long("long", &r.Long)
	f.Millis("at", &r.At)
	f.Zero().Millis("until", &r.Until)
	f.Zero().SecondsNumber("paid", &r.Paid)
	f.Zero().RFC3339("ends", &r.Ends)
	f.RFC3339("begins", &r.Begins)
	f.Digit("yes", &r.Yes)
	f.DigitText("quoted", &r.Quoted)
	f.Numeral("number", &r.Number)
	f.Zero().Numeral("parent", &r.Parent)
	f.Percent("yield", &r.Yield)
	f.SecondsNumber("since", &r.Since)
	f.Raw("raw", &r.Raw)
	Opt(f, "limit", &r.Limit, (*Fields).Decimal)
	Opt(f, "from", &r.From, (*Fields).Millis)
	Opt(f, "side", &r.Side, Enum[color])
	Struct(f, "inner", &r.Inner, (*inner).fields)
	Pointer(f.Omit(), "maybe", &r.Maybe, (*inner).fields)
	Structs(f, "list", &r.List, (*inner).fields)
	Tuples(f, "pairs", &r.Pairs, (*pair).fields)
	Values(f.Omit(), "tags", &r.Tags, (*Fields).Text)
	Rows(f, "rows", &r.Rows, (*Fields).Decimal)
	Map(f, "byName", &r.ByName, (*Fields).Int)
	StructMap(f, "byCoin", &r.ByCoin, (*inner).fields)
	f.Omit().Text("gone", &r.Gone)
	f.Null().Text("null", &r.Null)
	Structs(f.Lone(), "lone", &r.Lone, (*inner).fields)
}

const fullSample = `{"name":"n","color":"red","id":"7","count":-3,"deep":"12","on":true,"off":"false","price":"1.50","rate":0.25,` +
	`"long":"0.00000000000000000000000000000000001","at":"1700000000123","until":"1700000000123","paid":1700000000,"ends":"2026-01-31T12:00:00Z","begins":"2026-01-31T12:00:00.5Z","yes":1,"quoted":"1",` +
	`"number":12345678901234567890123,"parent":7,"yield":"-4.250%","since":1700000000,"raw":{"x":[1]},"limit":"0","from":"0","side":"blue",` +
	`"inner":{"a":"1","b":""},"maybe":{"a":"","b":"2"},"list":[{"a":"1","b":""},{"a":"1","b":"3"}],"pairs":[["1.5","2"],["2","0"]],` +
	`"tags":["x","y"],"rows":[["1"],[],["2","3"]],"byName":{"a":1,"b":2},"byCoin":{"BTC":{"a":"","b":""}},"gone":"g","null":"n","lone":[{"a":"","b":""}]}`

const emptySample = `{"name":"","color":"","id":"","count":0,"deep":"0","on":false,"off":"false","price":"","rate":null,"long":"",` +
	`"at":"","until":"0","paid":0,"ends":"1970-01-01T00:00:00Z","begins":"","yes":0,"quoted":"0","number":null,"parent":0,"yield":"","since":null,"raw":null,"inner":{"a":"","b":""},"list":[],"pairs":[],"rows":[],"byName":{},"byCoin":{},"null":null,"lone":[]}`

func TestFieldsReadWhatTheyWrite(t *testing.T) {
	var members []string
	for d := json.NewDecoder(strings.NewReader(fullSample)); d.More(); {
		if tok, _ := d.Token(); tok != json.Delim('{') {
			var v json.RawMessage
			if err := d.Decode(&v); err != nil {
				t.Fatal(err)
			}
			members = append([]string{`"` + tok.(string) + `" : ` + string(v)}, members...)
		}
	}
	reversed := "{ " + strings.Join(members, ",\n\"unknown\\\"\": {\"a\":[1,{}]} , ") + "}"
	for _, c := range []struct{ name, in, want string }{
		{"in order", fullSample, fullSample},
		{"in another order, with white space and unknown keys", reversed, fullSample},
		{"nothing", `{}`, emptySample},
		{"null everywhere", `{"name":null,"id":null,"count":null,"deep":null,"on":null,"price":null,"rate":null,"long":null,"at":null,"until":null,"paid":null,"ends":null,"begins":null,"yes":null,"quoted":null,"number":null,"parent":null,"yield":null,"since":null,"limit":null,"side":null,"inner":null,"maybe":null,"list":null,"pairs":null,"tags":null,"rows":null,"byName":null,"byCoin":null,"gone":null,"null":null}`, emptySample},
		{"empty everywhere", `{"deep":"","off":"","price":"","rate":"","long":"","at":"","until":"","paid":"","since":""}`, emptySample},
		{"times that are none", `{"at":"0","until":0,"paid":"0","since":-1,"ends":"1970-01-01T00:00:00Z","begins":"0001-01-01T00:00:00Z"}`, emptySample},
		{"other spellings of forms", `{"ends":"2026-01-31T13:00:00+01:00","yes":"1","quoted":true,"number":"18","yield":5}`,
			strings.NewReplacer(`"ends":"1970-01-01T00:00:00Z"`, `"ends":"2026-01-31T12:00:00Z"`, `"yes":0`, `"yes":1`, `"quoted":"0"`, `"quoted":"1"`, `"number":null`, `"number":18`, `"yield":""`, `"yield":"5%"`).Replace(emptySample)},
		{"an id that is no number", `{"number":"007","parent":"x"}`, strings.NewReplacer(`"number":null`, `"number":"007"`, `"parent":0`, `"parent":"x"`).Replace(emptySample)},
		{"numbers and strings for each other", `{"id":7,"count":"-3","deep":12,"on":"true","off":false,"price":1.50,"rate":"0.25","at":1700000000123,"since":"1700000000"}`,
			strings.NewReplacer(`"id":""`, `"id":"7"`, `"count":0`, `"count":-3`, `"deep":"0"`, `"deep":"12"`, `"on":false`, `"on":true`, `"price":""`, `"price":"1.50"`, `"rate":null`, `"rate":0.25`, `"at":""`, `"at":"1700000000123"`, `"since":null`, `"since":1700000000`).Replace(emptySample)},
		{"a key with an escape", `{"\u006eame":"n\u00e9"}`, strings.Replace(emptySample, `"name":""`, `"name":"né"`, 1)},
		{"a short and a long tuple", `{"pairs":[["1"],["2","3",{"x":[]},"4"],[]]}`, strings.Replace(emptySample, `"pairs":[]`, `"pairs":[["1","0"],["2","3"],["","0"]]`, 1)},
		{"an object in place of the list", `{"lone":{"a":"1"}}`, strings.Replace(emptySample, `"lone":[]`, `"lone":[{"a":"1","b":""}]`, 1)},
		{"an empty list that is set", `{"tags":[]}`, strings.Replace(emptySample, `"rows"`, `"tags":[],"rows"`, 1)},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s sample
			if err := Decode([]byte(c.in), &s, (*sample).fields); err != nil {
				t.Fatal(err)
			}
			if got := string(Append(nil, &s, (*sample).fields)); got != c.want {
				t.Errorf("got\n%s, want\n%s", got, c.want)
			}
		})
	}
}

func TestFieldsRefuse(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`{"name":1}`, "name: a string expected at offset 8"},
		{`{"list":[{"a":"1"},{"a":{}}]}`, "list[1].a: a string expected at offset 24"},
		{`{"pairs":[["1","2"],["x"]]}`, "pairs[1].price: not a decimal number"},
		{`{"rows":[[],["1","y"]]}`, "rows[1][1]: not a decimal number"},
		{`{"byName":{"k":"z"}}`, "byName.k: not a whole number"},
		{`{"byName":{"k":1,"k":2}}`, `byName: the key "k" stands twice`},
		{`{"name":"a","name":"b"}`, `name: the key "name" stands twice at offset 12`},
		{`{"limit":"p"}`, "limit: not a decimal number"},
		{`{"maybe":[]}`, "maybe: an object expected"},
		{`{"lone":"x"}`, "lone: an object expected"},
		{`{"list":{}}`, "list: an array expected"},
		{`{"list":[{},null]}`, "list[1]: an object expected, not null"},
		{`{"off":"maybe"}`, "off: true or false expected"},
		{`{"ends":"yesterday"}`, "ends: not a time such as"},
		{`{"ends":5}`, "ends: a string expected"},
		{`{"yes":2}`, "yes: 0 or 1 expected"},
		{`{"quoted":{}}`, "quoted: a number expected"},
		{`{"number":true}`, "number: a number expected"},
		{`{"yield":"4%%"}`, "yield: not a percentage"},
		{`{"from":"-1"}`, "from: a time before 1970"},
		{`{"count":1.5}`, "count: not a whole number"},
		{`{"long":"1x"}`, "long: not a decimal number"},
		{`{"name" "a"}`, "name: a colon expected"},
		{`{"unknown" 1}`, "a colon expected"},
		{`{"name":"a" "color":"b"}`, "name: a comma or a closing brace expected"},
		{`{"name":"a",}`, "name: a key expected"},
		{`{"pairs":[["1" "2"]]}`, "pairs[0].price: a comma or a closing bracket expected"},
		{`{"name":"a"}x`, "more bytes after the message"},
		{`{"name":"a"`, "name: the message ends early"},
		{`{"`, "the message ends inside a string"},
		{`{"inner":{"a":"1"`, "inner.a: the message ends early"},
		{`[]`, "an object expected"},
		{``, "an object expected"},
	} {
		var s sample
		err := Decode([]byte(c.in), &s, (*sample).fields)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), strings.SplitN(c.want, ":", 2)[0]) && !strings.Contains(err.Error(), "message ends") {
			t.Errorf("%s: got %v, want %s", c.in, err, c.want)
		}
	}
}

func TestFieldsAreNotSentAsOthers(t *testing.T) {
	for want, s := range map[string]sample{
		"name: not UTF-8":               {Name: "a\xffb"},
		"limit: set to an absent value": {Limit: opt[decimal.Decimal]{set: true}},
		"from: set to an absent value":  {From: opt[time.Time]{set: true}},
		"number: not a whole number":    {Number: "12a"},
		"lone[1].b: not UTF-8":          {Lone: []inner{{}, {B: "\x80"}, {B: "\x80"}}},
		"color: not UTF-8":              {Color: "\xff", Gone: "\xff"},
	} {
		_, err := Marshal(&s, (*sample).fields)
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// TestSlotsKeepTheirPlaces: a null among them is an object of which nothing is known.
func TestSlotsKeepTheirPlaces(t *testing.T) {
	var list []inner
	fields := func(list *[]inner, f *Fields) { Slots(f, "list", list, (*inner).fields) }
	if err := Decode([]byte(`{"list":[{"a":"1"},null,{"b":"2"}]}`), &list, fields); err != nil || len(list) != 3 || list[2].B != "2" {
		t.Errorf("%v, %v", list, err)
	}
	if got := string(Append(nil, &list, fields)); got != `{"list":[{"a":"1","b":""},{"a":"","b":""},{"a":"","b":"2"}]}` {
		t.Error(got)
	}
}

func TestFieldsAsQuery(t *testing.T) {
	type query struct {
		Symbol string
		Limit  opt[int64]
		Tags   []string
		From   opt[time.Time]
		Cursor opt[string]
	}
	fields := func(q *query, f *Fields) {
		f.Text("symbol", &q.Symbol)
		Opt(f, "limit", &q.Limit, (*Fields).Int)
		Values(f.Omit(), "tags", &q.Tags, (*Fields).Text)
		Opt(f, "from", &q.From, (*Fields).Millis)
		Opt(f, "cursor", &q.Cursor, (*Fields).Token)
	}
	for _, want := range []string{
		"symbol=",
		"symbol=BTCUSDT&limit=0",
		"symbol=A_B/C&tags=x,y&from=1700000000123",
		"symbol=B%251&cursor=0%2C500",
		"symbol=&tags=a,c&cursor=MTM3MTU3OTk=",
		"symbol=a%20%26%3D%2B%23%25b%C3%A9&limit=-5",
		"symbol=&cursor=a%2Bb/c",
	} {
		var q query
		if err := DecodeQuery(want, &q, fields); err != nil {
			t.Errorf("%s: %v", want, err)
		}
		if got, err := AppendQuery([]byte("?"), &q, fields); err != nil || string(got) != "?"+want {
			t.Errorf("got %s (%v), want ?%s", got, err, want)
		}
	}
	var q query
	if err := DecodeQuery("symbol=a&symbol=b", &q, fields); err == nil {
		t.Error("a name twice is no error")
	}
	if err := DecodeQuery("limit=x", &q, fields); err == nil || err.Path != "limit" {
		t.Errorf("a limit that is no number: %v", err)
	}
	if got, err := AppendQuery(nil, nil, fields); got != nil || err != nil {
		t.Errorf("nil params are %q (%v)", got, err)
	}
	for want, q := range map[string]query{
		"symbol: not UTF-8":   {Symbol: "a\xff"},
		"tags[1]: a comma":    {Tags: []string{"a", "b,c"}},
		"tags[0]: not UTF-8":  {Tags: []string{"\xff"}},
		"from: set to an abs": {From: opt[time.Time]{set: true}},
	} {
		if got, err := AppendQuery(nil, &q, fields); got != nil || err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %q (%v), want %s", got, err, want)
		}
	}
}

// TestFieldsOfACategory: what is written can depend on the category that the message around it names; what is read
// does not.
func TestFieldsOfACategory(t *testing.T) {
	type level struct{ A, B string }
	type message struct {
		Category string
		Levels   []level
	}
	levels := func(v *level, f *Fields) {
		if f.Category() == "spot" {
			f.Text("b", &v.B)
			return
		}
		f.Text("a", &v.A)
		f.Text("b", &v.B)
	}
	fields := func(m *message, f *Fields) {
		f.For(m.Category)
		f.Text("category", &m.Category)
		Structs(f, "levels", &m.Levels, levels)
	}
	for _, want := range []string{
		`{"category":"spot","levels":[{"b":"2"},{"b":"4"}]}`,
		`{"category":"option","levels":[{"a":"1","b":"2"},{"a":"3","b":"4"}]}`,
	} {
		m := message{Category: strings.Split(want, `"`)[3], Levels: []level{{"1", "2"}, {"3", "4"}}}
		if got := string(Append(nil, &m, fields)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	m := message{Category: "spot"}
	if err := Decode([]byte(`{"category":"spot","levels":[{"a":"1","b":"2"}]}`), &m, fields); err != nil || m.Levels[0].A != "1" {
		t.Errorf("%+v (%v), want a as well", m, err)
	}
}

// FuzzFields: what is no JSON is refused, and what was read is written so that it reads the
// same again.
func FuzzFields(f *testing.F) {
	f.Add([]byte(fullSample))
	f.Add([]byte(emptySample))
	f.Add([]byte(`{"\u006eame":"a","x":{"y":[null,true,-1.5e3]},"pairs":[[1,2,3]],"id":5}`))
	f.Add([]byte(`{"a\"b":1,"name":"\ud83d\ude00"}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		frame := bytes.Clone(in)
		var s, again sample
		if err := Decode(frame, &s, (*sample).fields); err != nil {
			return
		}
		if !json.Valid(in) {
			t.Fatalf("read what is no JSON: %q", in)
		}
		clear(frame) // nothing read may be a part of it
		out := Append(nil, &s, (*sample).fields)
		if !json.Valid(out) {
			t.Fatalf("wrote what is no JSON: %q", out)
		}
		if err := Decode(out, &again, (*sample).fields); err != nil {
			t.Fatalf("does not read what it wrote: %v in %q", err, out)
		}
		if twice := Append(nil, &again, (*sample).fields); !bytes.Equal(out, twice) {
			t.Fatalf("wrote\n%s, then\n%s", out, twice)
		}
	})
}
