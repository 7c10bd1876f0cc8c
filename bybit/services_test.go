package bybit_test

import (
	"errors"
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

// Each item of a batch has its own answer.
func TestBatchesTellItemsApart(t *testing.T) {
	const reply = `{"retCode":0,"retMsg":"OK","result":{"list":[{"category":"linear","symbol":"BTCUSDT","orderId":"1","orderLinkId":"a"},` +
		`{"category":"linear","symbol":"ETHUSDT","orderId":"","orderLinkId":""}]},"retExtInfo":{"list":[{"code":0,"msg":"OK"},{"code":110007,"msg":"no balance"}]},"time":1}`
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		v.guarded().inside = func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, reply) }
		client := v.client(&bybit.Options{Credentials: testCredentials()})
		r, err := client.Order.CancelBatch(t.Context(), &bybit.OrderCancelBatchParams{Category: bybit.Linear})
		if err != nil || len(r.Items) != 2 {
			t.Fatalf("%+v, %v", r, err)
		}
		if r.Items[0].Err != nil || r.Items[0].OrderID != "1" {
			t.Errorf("the first item is %+v", r.Items[0])
		}
		want := &bybit.Error{Op: "POST /v5/order/cancel-batch", Status: 200, Code: 110007, Message: "no balance"}
		if !reflect.DeepEqual(r.Items[1].Err, want) {
			t.Errorf("the second item's error is %+v, want %+v", r.Items[1].Err, want)
		}
		var again bybit.OrderCancelBatchResult
		if err := again.Decode(r.AppendJSON(nil)); err != nil || !reflect.DeepEqual(&again, r) {
			t.Errorf("comes back as %+v, %v", again, err)
		}
	})
	var r bybit.OrderCancelBatchResult
	var bad *bybit.DecodeError
	if err := r.Decode([]byte(`{"result":{"list":[{"orderId":{}}]}}`)); !errors.As(err, &bad) || !strings.Contains(err.Error(), "result.list[0].orderId") {
		t.Errorf("an id that is an object: %v", err)
	}
	if err := r.Decode([]byte(`{"retExtInfo":{"list":[{"code":1,"msg":"m"}]}}`)); err != nil || len(r.Items) != 1 || r.Items[0].Err == nil {
		t.Errorf("a code without its item: %+v, %v", r.Items, err)
	}
	for _, silent := range []string{``, `,"retExtInfo":{}`, `,"retExtInfo":null`, `,"retExtInfo":{"list":[{"code":0,"msg":"OK"}]}`} {
		if err := r.Decode([]byte(`{"result":{"list":[{"orderId":"1"},{"orderId":"2"}]}` + silent + `}`)); err != nil || len(r.Items) != 2 {
			t.Fatalf("%s: %+v, %v", silent, r.Items, err)
		}
		if last := r.Items[1].Err; last == nil || !last.OutcomeUnknown() {
			t.Errorf("an item without a code, after %q, has the error %v", silent, last)
		}
	}
}
