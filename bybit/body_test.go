package bybit_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/bybit/card"
	"github.com/bywire/bywire/bybit/p2p"
	"github.com/bywire/bywire/decimal"
)

// TestUploadIsASignedForm: the exchange takes the signature of what it got, and finds the file.
func TestUploadIsASignedForm(t *testing.T) {
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		const content = "\x89PNG\r\n\x00\xff--boundary"
		v.guarded().inside = func(w http.ResponseWriter, r *http.Request) {
			file, header, err := r.FormFile("upload_file")
			if err != nil {
				t.Errorf("no form: %v", err)
				return
			}
			got, err := io.ReadAll(file)
			if err != nil || string(got) != content || header.Filename != `my "receipt".PNG` || header.Header.Get("Content-Type") != "image/png" {
				t.Errorf("got %q (%v), %+v", got, err, header)
			}
			io.WriteString(w, `{"ret_code":0,"ret_msg":"","result":{"uploadId":null,"type":"IMAGE","url":"/a?b=c"},"ext_code":"","ext_info":{},"time_now":"1700000000.1"}`)
		}
		c := v.client(&bybit.Options{Credentials: testCredentials()})
		s := p2p.New(c)
		r, err := s.UploadFile(t.Context(), &p2p.UploadFileParams{Name: `my "receipt".PNG`, Content: []byte(content)})
		if err != nil || r.URL != "/a?b=c" || r.Type != "IMAGE" {
			t.Errorf("got %+v, %v", r, err)
		}
		for _, p := range []*p2p.UploadFileParams{nil, {Name: "a.png"}, {Content: []byte("x")}, {Name: "a.exe", Content: []byte("x")}, {Name: "a", ContentType: "a/b\r\nX: y", Content: []byte("x")}} {
			if _, err := s.UploadFile(t.Context(), p); err == nil || !strings.HasPrefix(err.Error(), "p2p.UploadFile: ") {
				t.Errorf("%+v: %v", p, err)
			}
		}
		if err := c.Call(t.Context(), http.MethodGet, "/v5/market/tickers", &bybit.Body{ContentType: "text/plain"}, nil); err == nil {
			t.Error("a GET with a body is no error")
		}
	})
}

// TestCardHasItsParametersInTheQuery, which is what is signed.
func TestCardHasItsParametersInTheQuery(t *testing.T) {
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		var asked []string
		v.guarded().inside = func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			asked = append(asked, fmt.Sprintf("%s %s %q %v", r.Method, r.RequestURI, body, err))
			io.WriteString(w, plainReply)
		}
		c := v.client(&bybit.Options{Credentials: testCredentials()})
		if _, err := card.New(c).Transactions(t.Context(), &card.TransactionsParams{Limit: bybit.Some(10), MerchName: bybit.Some("a b")}); err != nil {
			t.Error(err)
		}
		if _, err := card.New(c).Transactions(t.Context(), nil); err != nil {
			t.Error(err)
		}
		want := []string{
			`POST /v5/card/transaction/query-asset-records?limit=10&merchName=a%20b "" <nil>`,
			`POST /v5/card/transaction/query-asset-records "" <nil>`,
		}
		if strings.Join(asked, "\n") != strings.Join(want, "\n") {
			t.Errorf("asked\n%s", strings.Join(asked, "\n"))
		}
	})
}

// TestCursorGoesBackAsItCame, whatever kind of params it is in.
func TestCursorGoesBackAsItCame(t *testing.T) {
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		c := v.client(nil)
		const cursor = "a%2C1+b"
		for _, params := range []any{
			map[string]string{"cursor": cursor},
			struct {
				Cursor string `json:"cursor"`
			}{cursor},
			url.Values{"cursor": {cursor}},
			&bybit.OpenInterestParams{Cursor: bybit.Some(cursor)},
		} {
			if err := c.Call(t.Context(), http.MethodGet, "/v5/market/instruments-info", params, nil); err != nil {
				t.Fatal(err)
			}
			if got := v.asked(); len(got) != 1 || !strings.Contains(got[0], "cursor=a%2C1%2Bb") {
				t.Errorf("%T: %q", params, got)
			}
		}
	})
}

// TestWhatWouldBeSentAsAnotherIsRefused before anything leaves.
func TestWhatWouldBeSentAsAnotherIsRefused(t *testing.T) {
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		c := v.client(&bybit.Options{Credentials: testCredentials()})
		order := bybit.OrderPlaceParams{Category: bybit.Linear, Symbol: "BTCUSDT", Side: bybit.Buy, OrderType: bybit.OrderTypeMarket, Qty: decimal.FromInt(1)}
		absent, garbled := order, order
		absent.TakeProfit = bybit.Some(decimal.Decimal{})
		garbled.LinkID = bybit.Some("mine-\xff")
		for want, f := range map[string]func(ctx context.Context) error{
			"takeProfit: set to an absent value": func(ctx context.Context) error { _, err := c.Order.Place(ctx, &absent); return err },
			"orderLinkId: not UTF-8":             func(ctx context.Context) error { _, err := c.Order.Place(ctx, &garbled); return err },
			"symbol: not UTF-8": func(ctx context.Context) error {
				_, err := c.Market.Kline(ctx, &bybit.KlineParams{Symbol: "\xff"})
				return err
			},
		} {
			err := f(t.Context())
			if err == nil || !strings.Contains(err.Error(), want) || errors.Is(err, bybit.ErrOutcomeUnknown) {
				t.Errorf("got %v, want %s", err, want)
			}
		}
		v.wantAsked()
	})
}
