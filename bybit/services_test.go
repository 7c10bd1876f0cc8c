package bybit_test

import (
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/decimal"
)

// A service makes the request of its documentation and returns what came.
func TestServicesMakeDocumentedRequests(t *testing.T) {
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		d := v.guarded()
		d.inside = func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, `{"retCode":0,"retMsg":"OK","result":{"orderId":"1","orderLinkId":"own"},"retExtInfo":{},"time":1700000000000}`)
		}
		client := v.client(&bybit.Options{Credentials: testCredentials()})
		ack, err := client.Order.Place(t.Context(), &bybit.OrderPlaceParams{
			Category: bybit.Linear, Symbol: "BTCUSDT", Side: bybit.Buy, OrderType: bybit.OrderTypeLimit, Qty: decimal.MustParse("0.10"),
			Price: bybit.Some(decimal.MustParse("28000")), TakeProfit: bybit.Some(decimal.FromInt(0)), ReduceOnly: bybit.Some(false),
		})
		if err != nil || ack.OrderID != "1" || ack.LinkID != "own" {
			t.Fatalf("%+v, %v", ack, err)
		}
		sent := v.requests()
		last := sent[len(sent)-1]
		want := `{"category":"linear","symbol":"BTCUSDT","side":"Buy","orderType":"Limit","qty":"0.10","price":"28000","reduceOnly":false,"takeProfit":"0"}`
		if last.path != "/v5/order/create" || !sameMembers(last.body, want) {
			t.Errorf("%s was sent: %s, want %s", last.line(), last.body, want)
		}
	})
}

// sameMembers compares flat objects whose values have no comma.
func sameMembers(a, b string) bool {
	x, y := strings.Split(strings.Trim(a, "{}"), ","), strings.Split(strings.Trim(b, "{}"), ",")
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

// The cursor goes back as it came, on a signed request too: page 2 is the one that fails where
// a client encodes it anew.
func TestPagesSendTheCursorAsItCame(t *testing.T) {
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		d := v.guarded()
		d.inside = func(w http.ResponseWriter, r *http.Request) {
			reply := `{"retCode":0,"retMsg":"OK","result":{"category":"linear","nextPageCursor":"a%3A1%2Cb=","list":[{"orderId":"1"},{"orderId":"2"}]},"time":1}`
			if strings.Contains(r.URL.RawQuery, "cursor=") {
				reply = `{"retCode":0,"retMsg":"OK","result":{"category":"linear","nextPageCursor":"","list":[{"orderId":"3"}]},"time":1}`
			}
			io.WriteString(w, reply)
		}
		client := v.client(&bybit.Options{Credentials: testCredentials()})
		params := &bybit.OrderHistoryParams{Category: bybit.Linear}
		before := *params
		var got []string
		for order, err := range client.Order.AllHistory(t.Context(), params) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, order.OrderID)
		}
		if want := []string{"1", "2", "3"}; !slices.Equal(got, want) {
			t.Errorf("rows %q, want %q", got, want)
		}
		var queries []string
		for _, r := range v.requests() {
			if r.path == "/v5/order/history" {
				queries = append(queries, r.query)
			}
		}
		if want := []string{"category=linear", "category=linear&cursor=a%3A1%2Cb="}; !slices.Equal(queries, want) {
			t.Errorf("queries %q, want %q", queries, want)
		}
		if !reflect.DeepEqual(*params, before) {
			t.Error("the caller's params have changed")
		}
	})
}
