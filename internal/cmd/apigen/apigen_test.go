package main

import (
	"errors"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var root = filepath.Join("..", "..", "..")

// TestGeneratedCodeIsFresh compares what apigen writes with what is there.
func TestGeneratedCodeIsFresh(t *testing.T) {
	want, err := Build(root)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Written(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range sorted(want) {
		if got[name] == nil {
			t.Errorf("%s is missing: run make gen", name)
		} else if string(got[name]) != string(want[name]) {
			t.Errorf("%s is stale: run make gen", name)
		}
		if n := strings.Count(string(want[name]), "\n"); n > 600 && !strings.HasPrefix(name, "internal/") {
			t.Errorf("%s has %d lines, at most 600", name, n)
		}
	}
	for _, name := range sorted(got) {
		if want[name] == nil {
			t.Errorf("%s is of no file in spec/: run make gen", name)
		}
	}
}

// raws are the fields of generated types that hold any JSON, each with why nothing better
// will do. There are at most 20.
var raws = map[string]string{
	"bybit.Execution.ExtraFees":               "documented as text and \"\" for most accounts, a list of fees on the stream",
	"bybit.Order.ExtraFees":                   "documented as text and \"\" for most accounts, a list of fees on the stream",
	"bybit.Transaction.ExtraFees":             "documented as text and \"\" for most accounts, a list of fees on the stream of executions",
	"convert.QuoteResult.ExtTaxAndFee":        "reserved by the exchange, which documents no item",
	"convert.TaxFee.TaxFeeItems":              "the exchange documents no item and its examples have none",
	"p2p.AdPaymentConfig.PaymentTemplateItem": "the only example is empty and the exchange documents no item",
	"p2p.OrderResult.ContactInfo":             "the only example is empty and the exchange documents no item",
}

// TestRawFieldsAreListed keeps the fields that are json.RawMessage few and known.
func TestRawFieldsAreListed(t *testing.T) {
	spec, err := Load(root)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, r := range spec.Raw {
		name, reason, _ := strings.Cut(r, ": ")
		found = append(found, name)
		if raws[name] != reason {
			t.Errorf("%q: %q, is not in the list", name, reason)
		}
	}
	for name := range raws {
		if !slices.Contains(found, name) {
			t.Errorf("%s is raw no more", name)
		}
	}
	if len(raws) > maxRaw {
		t.Errorf("%d raw fields, at most %d", len(raws), maxRaw)
	}
	tree, err := Generate(spec)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range sorted(tree) {
		for line := range strings.Lines(string(tree[name])) {
			if f := strings.Fields(line); len(f) > 1 && (f[1] == "any" || strings.Contains(f[1], "interface{}") || strings.HasSuffix(f[1], "]any")) {
				t.Errorf("%s: %s", name, line)
			}
		}
	}
}

const small = `service Shop
doc ShopService has things.

import Side

enum Color string  A color of things.
  red  Red  Like blood.

struct Thing  A thing.
  id  string  Number of it.

order red blue Thing
  id

method Things GET /v5/things public
  page shop/things
  doc Things that there are.
  pages cursor list
  params
    color   Color?   Color of them.
    cursor  string?  Where to go on.
  result
    list            []Thing    Those found.
    pairs           []tuple {Pair}  Pairs of numbers.
      a             decimal    First number.
    nextPageCursor  string     Where the rest begins.
`

// TestWrongFilesAreExplained changes a good file, one thing at a time.
func TestWrongFilesAreExplained(t *testing.T) {
	hand := map[string]bool{"Side": true, "Client": true}
	load := func(text string) error {
		f, errs := Parse("spec/shop.api", text)
		if len(errs) > 0 {
			return errors.Join(errs...)
		}
		_, errs = Check([]*File{f}, hand)
		return errors.Join(errs...)
	}
	if err := load(small); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, new, want string }{
		{"service Shop", "servise Shop", "shop.api:1: unknown line"},
		{"  id  string  Number of it.", "\tid  string  Number of it.", "shop.api:10: a tab"},
		{"  id  string  Number of it.", "   id  string  Number of it.", "shop.api:10: indented by 3"},
		{"Number of it.", "", "Thing.id has no text"},
		{"Number of it.", "Number of it", "without a full stop"},
		{"id  string", "id  strin", "shop.api:10: Thing.id: unknown type strin"},
		{"id  string", "id  time days", `unknown word "days"`},
		{"id  string", "24h  string", "no exported Go name"},
		{"id  string", "id  raw", "raw without a reason"},
		{"id  string  Number of it.", "id  string  Number of it.\n  Id  string  Number of it.", "both ID in Go"},
		{"id  string  Number of it.", "id  string  Number of it.\n  id  string  Number of it.", "Thing has id twice"},
		{"id  string  Number of it.", "id  string  Number of it. {big}", "unknown mark {big}"},
		{"id  string  Number of it.", "id  string  Number of it. {zero}", "has the mark zero and is no time"},
		{"id  string  Number of it.", "id  time  Number of it. {zero, omit}", "has two marks"},
		{"color   Color?   Color of them.", "color   time?   Color of them. {zero}", "has the mark zero and is no time"},
		{"struct Thing", "struct Color", "there is a type Color already"},
		{"struct Thing", "struct Client", "written by hand"},
		{"red  Red", "red  Red  Like blood.\n  red  Red2", `the value "red" twice`},
		{"ShopService has", "Has", "no doc that begins with ShopService"},
		{"import Side", "import Sight", "bybit has no type Sight"},
		{"enum Color string", "enum Color float", "of string or of int"},
		{"public", "open", `"open" is none of`},
		{"GET", "PUT", "neither GET nor POST"},
		{"  page shop/things", "  query\n  page shop/things", "the attribute query and is no POST"},
		{"  page shop/things\n", "", "Things has no page"},
		{"  doc Things that there are.\n", "", "Things has no doc"},
		{"pages cursor list", "pages cursor rows", "no rows in its result"},
		{"pages cursor list", "pages cursor []", "no list in its result"},
		{"pages cursor list", "pages cursor list of 50", "must have a length"},
		{"    color   Color?   Color of them.", "    limit   int      Things in a page.", "must have a length"},
		{"pages cursor list", "pages of 50", "pages cursor LIST"},
		{"    cursor  string?  Where to go on.\n", "", "no cursor in its params"},
		{"      a  ", "        a  ", "indented too deep"},
		{"pages cursor list", "paged", "unknown attribute paged"},
		{"[]tuple {Pair}", "[]Pair", "has rows; write {Name}"},
		{"order red blue Thing", "order Thing", "order CATEGORY... STRUCT"},
		{"order red blue Thing", "order red blue Thin", "order of Thin, which is no struct"},
		{"order red blue Thing\n  id", "order red blue Thing", "order of Thing without fields"},
		{"order red blue Thing\n  id", "order red blue Thing\n  id name?", "order of Thing: there is no field name"},
		{"order red blue Thing\n  id", "order red blue Thing\n  id id?", "order of Thing: id twice"},
		{"order red blue Thing\n  id", "order red blue Thing\n  id\norder blue Thing\n  id", "Thing has an order for blue already"},
		{"enum Color", "method Things GET /v5/things public\n  page x\n  doc Y.\n\nenum Color", "has a method already"},
	} {
		bad := strings.Replace(small, c.old, c.new, 1)
		if bad == small {
			t.Fatalf("%q is not in the file", c.old)
		}
		if err := load(bad); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "spec/shop.api:") {
			t.Errorf("%q for %q: %v, want %s", c.new, c.old, err, c.want)
		}
	}
}

// TestRequiredTexts: a parameter whose zero would do something can be unset in Go, and the
// command still asks for it.
func TestRequiredTexts(t *testing.T) {
	f, errs := Parse("spec/shop.api", strings.Replace(small, "Color?   Color of them.", "Color?   Required. Color of them.", 1))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	spec, errs := Check([]*File{f}, map[string]bool{"Side": true})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	tree, err := Generate(spec)
	if err != nil {
		t.Fatal(err)
	}
	got := string(tree["internal/endpoints/shop_gen.go"])
	if want := `{Name: "color", Type: "string", Required: true, Values: []string{"red"}, Text: "Color of them."}`; !strings.Contains(got, want) {
		t.Errorf("no %s in %s", want, got)
	}
	codec := string(tree["bybit/shop_codec_gen.go"])
	if want := `f.Omit().Needed("Color").Text("color", (*string)(&r.Color))`; !strings.Contains(codec, want) {
		t.Errorf("no %s in %s", want, codec)
	}
}

// TestOrders: a category's fields are written as its order says, and a result with a category names it.
func TestOrders(t *testing.T) {
	text := strings.Replace(small, "  id  string  Number of it.\n", "  id  string  Number of it. {omit}\n  name  string  Word for it. {omit}\n", 1)
	text = strings.Replace(text, "  id\n\nmethod", "  name\n  id?\n\nmethod", 1)
	text = strings.Replace(text, "    pairs ", "    category        string     Kind of them.\n    pairs ", 1)
	f, errs := Parse("spec/shop.api", text)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	spec, errs := Check([]*File{f}, map[string]bool{"Side": true})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	tree, err := Generate(spec)
	if err != nil {
		t.Fatal(err)
	}
	codec := string(tree["bybit/shop_codec_gen.go"])
	for _, want := range []string{
		"func (r *ShopThingsResult) fields(f *wire.Fields) {\n\tf.For(string(r.Category))\n",
		"\tcase \"red\", \"blue\":\n\t\tf.Text(\"name\", &r.Name)\n\t\tf.Omit().Text(\"id\", &r.ID)\n\t\treturn\n\t}\n\tf.Omit().Text(\"id\", &r.ID)\n",
	} {
		if !strings.Contains(codec, want) {
			t.Errorf("no %s in %s", want, codec)
		}
	}
}

func TestNames(t *testing.T) {
	for wire, want := range map[string]string{
		"orderId": "OrderID", "orderLinkId": "LinkID", "bid1Price": "Bid1Price", "ret_code": "RetCode", "apyE8": "APYE8",
		"ipList": "IPList", "unrealisedPnl": "UnrealisedPnL", "BTC": "BTC", "totalIM": "TotalIM", "tpslMode": "TPSLMode", "uid": "UID",
	} {
		if got := GoName(wire); got != want {
			t.Errorf("%s is %s, want %s", wire, got, want)
		}
	}
}

func TestTexts(t *testing.T) {
	for text, want := range map[string]string{
		"Symbol, such as BTCUSDT.":      "symbol, such as BTCUSDT",
		"Buy or Sell.":                  "Buy or Sell",
		"USDT that is free.":            "USDT that is free",
		"A thing.":                      "a thing",
		"One sentence. And another.":    "", // above the field
		"Bybit's id of it.":             "Bybit's id of it",
		"X of it.":                      "X of it",
		"Up to 50. Default: 20, or 10.": "",
	} {
		if got := remark(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

func TestMoreIsAdded(t *testing.T) {
	for text, want := range map[string]string{
		"Name of it.":            "Name of it; undocumented.",
		"Name. Absent for some.": "Name. Absent for some. Undocumented.",
	} {
		if got := also(text, "undocumented"); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

const speaking = `service Shop
doc ShopService has things.

enum Color string  A color of things.
  red        Red      Like blood.
  darkGreen  Green    Like leaves.
  Full       FullTone  Like a color of the box.
  Pale       Pastel    Like water.

enum Force int  Whether an order is forced.
  0  ForceNone  It is not.
  1  ForceAll   It is.

method Order POST /v5/order signed
  page shop/order
  doc Orders a thing; with orderLinkId and force 1 at once. See OrderTwice.
  params
    orderLinkId  string   Your own id, unlike "orderLinkId" of the page. 0 for none.
    thing_id     string   ID of it. {as Thing}
    force        Force?   Whether it is forced. Default: 0.
    color        Color?   Full or Pale; see shop/colors of orderLinkId.
    tone         Color?   Tone of it. Full needs thing_id. Default: Pale.
    old          Color    The color that it had: red, darkGreen or Full. Out of use, see color. {deprecated}
    price        decimal  Price unless force is 1; null if there is none.

method OrderTwice POST /v5/order/twice signed
  page p2p/twice
  doc Orders two things.
  deprecated Use Order.
  params
    qty  decimal  How many; goes before thing_id.
`

// TestTextsSpeakGo reads comments that name fields and values.
func TestTextsSpeakGo(t *testing.T) {
	f, errs := Parse("spec/shop.api", speaking)
	spec, more := Check([]*File{f}, nil)
	if err := errors.Join(append(errs, more...)...); err != nil {
		t.Fatal(err)
	}
	tree, err := Generate(spec)
	if err != nil {
		t.Fatal(err)
	}
	code := strings.Join(strings.Fields(string(tree["bybit/shop_gen.go"])), " ")
	for _, want := range []string{
		"// Order orders a thing; with LinkID and Force ForceAll at once. See [ShopService.OrderTwice].",
		`// Your own id, unlike "orderLinkId" of the page. 0 for none.`,
		"// Whether it is forced. Default: ForceNone.",
		"// FullTone or Pastel; see shop/colors of LinkID; optional",
		"// Tone of it. FullTone needs Thing. Default: Pastel.",
		"// The color that it had: Red, Green or FullTone. // // Deprecated: out of use, see Color. Old Color",
		"// price unless Force is ForceAll; absent if there is none",
		"// how many; goes before Thing",
		"// Deprecated: Use Order. // // [p2p/twice]: https://bybit-exchange.github.io/docs/p2p/twice",
	} {
		if !strings.Contains(code, want) {
			t.Errorf("no %q in\n%s", want, tree["bybit/shop_gen.go"])
		}
	}
	if text := string(tree["internal/endpoints/shop_gen.go"]); !strings.Contains(text, "see shop/colors of orderLinkId") {
		t.Errorf("the command speaks Go:\n%s", text)
	}
}

const wording = `service Shop
doc ShopService has things.

enum Kind string  A kind of order.
  Limit   KindLimit   At a price.
  Market  KindMarket  At any.
  ALL     KindAll     Both.

method Order POST /v5/order signed
  page shop/order
  doc An ALL order needs price. Without kind ALL is sent; with Market the price does not count. Give size, orderId or end; end goes to the end.
  doc Two ways with start and end; for both Limit.
  params
    orderId  string?   ID at the price of the order.
    kind     Kind?     Kind of it.
    price    decimal?  Limit price, required for Limit; without size, or instead of size. See the price of size or so.
    size     decimal?  This or price; ignored for a Market order without price rules.
    start    string?   Beginning: not after end. Needs end, orderId.
    end      string?   The end of it.
`

// TestWordsThatAreFields reads comments in which names of fields and values are written
// like words of English.
func TestWordsThatAreFields(t *testing.T) {
	f, errs := Parse("spec/shop.api", wording)
	spec, more := Check([]*File{f}, nil)
	if err := errors.Join(append(errs, more...)...); err != nil {
		t.Fatal(err)
	}
	tree, err := Generate(spec)
	if err != nil {
		t.Fatal(err)
	}
	code := strings.ReplaceAll(string(tree["bybit/shop_gen.go"]), "//", "")
	code = strings.Join(strings.Fields(code), " ")
	for _, want := range []string{
		"an ALL order needs Price. Without Kind KindAll is sent; with KindMarket the price does not count. Give Size, OrderID or End; end goes to the end.",
		"Two ways with Start and End; for both KindLimit.",
		"ID at the price of the order",
		"Limit price, required for KindLimit; without Size, or instead of Size. See the price of size or so.",
		"this or Price; ignored for a Market order without price rules",
		"Beginning: not after end. Needs End, OrderID.",
	} {
		if !strings.Contains(code, want) {
			t.Errorf("no %q in\n%s", want, tree["bybit/shop_gen.go"])
		}
	}
}

// TestPagesAreAddresses looks for links that lead nowhere.
func TestPagesAreAddresses(t *testing.T) {
	spec, err := Load(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range spec.Packages {
		for _, f := range p.Files {
			for _, m := range f.Methods {
				for _, page := range m.Pages {
					if u, err := url.Parse(pageURL(page)); err != nil || u.String() != pageURL(page) || strings.Contains(page, " ") || strings.HasPrefix(page, "docs/") || strings.HasPrefix(page, "/") {
						t.Errorf("%s:%d: the page %q is no path of the documentation", f.Path, m.line, page)
					}
				}
			}
		}
	}
}
