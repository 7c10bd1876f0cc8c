package bybit_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/bywire/bywire/bybit"
)

// Each order of a batch has its own answer, and each has one: silence is no success.
func TestFailureClass05_BatchesTellItemsApart(t *testing.T) {
	const (
		rows  = `{"list":[{"symbol":"BTCUSDT","orderId":"1"},{"symbol":"ETHUSDT","orderId":"2"}]}`
		empty = `{"list":[{},{}]}`
		taken = `{"list":[{"code":0,"msg":"OK"},{"code":"0","msg":"OK"}]}`
	)
	for _, c := range []struct{ result, ext, want string }{
		{rows, taken, "taken, taken"},
		{rows, `{"list":[{"code":110007,"msg":"no money"},{"code":"110007","msg":"no money"}]}`, "refused 110007, refused 110007"},
		{rows, `{"list":[{"code":170007,"msg":"?"},{"code":999999,"msg":"?"}]}`, "unknown a1, unknown 2"},
		{rows, `{"list":[{"msg":"?"},{"code":"","msg":"?"}]}`, "unknown a1, unknown 2"},
		{rows, `{"list":[{"code":null},{"code":"no"}]}`, "unknown a1, unknown 2"},
		{rows, `{"list":[{"code":110007,"msg":"no money"}]}`, "unknown a1, unknown 2"},
		{rows, `{"list":[{"code":0},{"code":0},{"code":0}]}`, "unknown a1, unknown 2"},
		{rows, `{"list":[]}`, "unknown a1, unknown 2"},
		{rows, `{}`, "unknown a1, unknown 2"},
		{rows, `null`, "unknown a1, unknown 2"},
		{empty, taken, "taken, unknown "},
		{`{"list":[]}`, taken, "taken, unknown "},
		{`null`, `{"list":[{"code":110007,"msg":"no money"},{"code":0}]}`, "refused 110007, unknown "},
		{`null`, `null`, "unknown a1, unknown "},
	} {
		reply := fmt.Sprintf(`{"retCode":0,"retMsg":"OK","result":%s,"retExtInfo":%s,"time":1}`, c.result, c.ext)
		inRESTBubble(t, func(t *testing.T, v *restVenue) {
			v.guarded().inside = func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, reply) }
			client := v.client(&bybit.Options{Credentials: testCredentials()})
			params := &bybit.OrderPlaceBatchParams{Category: bybit.Linear, Orders: []bybit.OrderToPlace{
				{Symbol: "BTCUSDT", LinkID: bybit.Some("a1")}, {Symbol: "ETHUSDT"},
			}}
			r, err := client.Order.PlaceBatch(t.Context(), params)
			var whole bybit.Reply
			if err := errors.Join(err, client.Call(t.Context(), http.MethodPost, "/v5/order/create-batch", params, &whole)); err != nil {
				t.Fatalf("%s: %v", reply, err)
			}
			var errs []error
			for i, item := range r.Items {
				errs = append(errs, item.Err)
				if c.result == rows && item.OrderID != fmt.Sprint(i+1) {
					t.Errorf("%s: item %d is %+v", reply, i, item)
				}
			}
			for _, errs := range [][]error{errs, whole.Items} {
				if got := verdicts(errs); got != c.want {
					t.Errorf("%s:\n got %s\nwant %s", reply, got, c.want)
				}
			}
			for i, err := range errs {
				unknown, ok := errors.AsType[*bybit.UnknownError](err)
				if ok && (unknown.Ref.Symbol != params.Orders[i].Symbol || unknown.Ref.Category != bybit.Linear || unknown.SentAt.IsZero() || unknown.Op != "POST /v5/order/create-batch") {
					t.Errorf("%s: item %d: %+v", reply, i, unknown)
				}
			}
		})
	}
}

// A batch that is refused as a whole is not, if the same reply says that an order of it was taken.
func TestFailureClass05_RefusedBatchWithTakenOrders(t *testing.T) {
	for ext, want := range map[string]string{
		`{}`:     "refused 10001",
		`null`:   "refused 10001",
		`["no"]`: "refused 10001",
		`{"list":[{"code":10001,"msg":"?"},{"code":110007,"msg":"?"}]}`: "refused 10001",
		`{"list":[{"code":0,"msg":"OK"},{"code":10001,"msg":"?"}]}`:     "unknown ",
	} {
		inRESTBubble(t, func(t *testing.T, v *restVenue) {
			v.guarded().inside = func(w http.ResponseWriter, r *http.Request) {
				fmt.Fprintf(w, `{"retCode":10001,"retMsg":"no","result":{},"retExtInfo":%s}`, ext)
			}
			client := v.client(&bybit.Options{Credentials: testCredentials()})
			_, err := client.Order.PlaceBatch(t.Context(), &bybit.OrderPlaceBatchParams{Category: bybit.Linear})
			if got := verdicts([]error{err}); got != want {
				t.Errorf("%s is %s (%v), want %s", ext, got, err, want)
			}
		})
	}
}

// verdicts says what errors of a batch's items say, with what finds the order.
func verdicts(errs []error) string {
	var text []string
	for _, err := range errs {
		refused, _ := errors.AsType[*bybit.Error](err)
		unknown, _ := errors.AsType[*bybit.UnknownError](err)
		switch {
		case err == nil:
			text = append(text, "taken")
		case refused != nil:
			text = append(text, fmt.Sprint("refused ", refused.Code))
		case unknown != nil && errors.Is(err, bybit.ErrOutcomeUnknown):
			id := unknown.Ref.LinkID
			if id == "" {
				id = unknown.Ref.OrderID
			}
			text = append(text, "unknown "+id)
		}
	}
	return strings.Join(text, ", ")
}

// A reply to a batch is read without its request too, and comes back as it was written.
func TestBatchesWithoutTheRequest(t *testing.T) {
	const reply = `{"result":{"list":[{"orderId":"1"},{"orderLinkId":"b"},{"orderId":"3"},{"orderId":"4"}]},` +
		`"retExtInfo":{"list":[{"code":0,"msg":"OK"},{"code":110001,"msg":"none"},{"code":10016,"msg":"?"},{}]}}`
	const want = "taken, refused 110001, unknown 3, unknown 4"
	text := []byte(reply)
	for range 3 {
		var r bybit.OrderCancelBatchResult
		if err := r.Decode(text); err != nil {
			t.Fatal(err)
		}
		var errs []error
		for _, item := range r.Items {
			errs = append(errs, item.Err)
		}
		if got := verdicts(errs); got != want {
			t.Fatalf("%s:\n got %s\nwant %s", text, got, want)
		}
		refused := &bybit.Error{Op: "POST /v5/order/cancel-batch", Status: 200, Code: 110001, Message: "none"}
		if !reflect.DeepEqual(errs[1], error(refused)) {
			t.Errorf("the second item's error is %+v, want %+v", errs[1], refused)
		}
		text = r.AppendJSON(nil)
	}
	var r bybit.OrderCancelBatchResult
	var bad *bybit.DecodeError
	if err := r.Decode([]byte(`{"result":{"list":[{"orderId":{}}]}}`)); !errors.As(err, &bad) || !strings.Contains(err.Error(), "result.list[0].orderId") {
		t.Errorf("an id that is an object: %v", err)
	}
	if err := r.Decode([]byte(`{"retExtInfo":{"list":[{"code":1,"msg":"m"}]}}`)); err != nil || len(r.Items) != 1 || r.Items[0].Err == nil {
		t.Errorf("a code without its item: %+v, %v", r.Items, err)
	}
}
