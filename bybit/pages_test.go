package bybit_test

import (
	"fmt"
	"io"
	"iter"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/bybit/alpha"
	"github.com/bywire/bywire/bybit/card"
	"github.com/bywire/bywire/bybit/convert"
	"github.com/bywire/bywire/bybit/earn"
	"github.com/bywire/bywire/bybit/p2p"
)

// drain counts the rows of an iterator.
func drain[T any](seq iter.Seq2[T, error]) (rows int, err error) {
	for _, err := range seq {
		if err != nil {
			return rows, err
		}
		rows++
	}
	return rows, nil
}

// alike makes parameters look the same in a query and in a body.
var alike = strings.NewReplacer(`":`, "=", `"`, "")

// TestPagesAreTurned goes through iterators whose endpoints name or number their pages each in
// a way of its own: what is asked, and that all rows come.
func TestPagesAreTurned(t *testing.T) {
	begin := time.UnixMilli(1700000000000)
	for _, tc := range []struct {
		name    string
		results []string // of the requests, in order
		bare    bool     // without an envelope
		walk    func(*testing.T, *bybit.Client) (rows int, err error)
		rows    int
		asked   []string
	}{{
		name:    "a cursor under another name, 0 at the end",
		results: []string{`{"subMembers":[{"uid":"1"},{"uid":"2"}],"nextCursor":"77"}`, `{"subMembers":[{"uid":"3"}],"nextCursor":"0"}`},
		walk: func(t *testing.T, c *bybit.Client) (int, error) {
			return drain(c.User.AllSubAccounts(t.Context(), nil))
		},
		rows:  3,
		asked: []string{"GET /v5/user/submembers", "submembers?nextCursor=77"},
	}, {
		name:    "a cursor that comes under another name than it goes",
		results: []string{`{"records":[{}],"nextCursor":"x%3D"}`, `{"records":[{}],"nextCursor":""}`},
		walk:    func(t *testing.T, c *bybit.Client) (int, error) { return drain(c.User.AllReferrals(t.Context(), nil)) },
		rows:    2,
		asked:   []string{"GET /v5/user/invitation/referrals", "referrals?cursor=x%3D"},
	}, {
		name:    "an index",
		results: []string{`{"list":[{}]}`, `{"list":[]}`},
		walk: func(t *testing.T, c *bybit.Client) (int, error) {
			return drain(convert.New(c).AllHistory(t.Context(), nil))
		},
		rows:  1,
		asked: []string{"convert-history?index=1", "convert-history?index=2"},
	}, {
		name:    "an index, and the result is the list",
		results: []string{`[{},{}]`, `[]`},
		walk: func(t *testing.T, c *bybit.Client) (int, error) {
			return drain(convert.New(c).AllFiatHistory(t.Context(), nil))
		},
		rows:  2,
		asked: []string{"trade-history?index=1", "trade-history?index=2"},
	}, {
		name:    "a cursor that counts pages, begun with the second",
		results: []string{`{"cursor":"2","lastPage":"2","records":[{"exchangeTxId":"a"}]}`, `{"cursor":"3","lastPage":"2","records":[{"exchangeTxId":"a"}]}`},
		walk: func(t *testing.T, c *bybit.Client) (int, error) {
			var p convert.SmallBalanceHistoryParams
			p.Cursor.Set(2)
			return drain(convert.New(c).AllSmallBalanceHistory(t.Context(), &p))
		},
		rows:  1,
		asked: []string{"history?cursor=2", "history?cursor=3"},
	}, {
		name:    "pages of a length that has to be said",
		results: []string{`{"count":2,"items":[{"id":"1"}]}`, `{"count":2,"items":[{"id":"2"}]}`, `{"count":2,"items":[]}`},
		walk:    func(t *testing.T, c *bybit.Client) (int, error) { return drain(p2p.New(c).AllOrders(t.Context(), nil)) },
		rows:    2,
		asked:   []string{"page=1,size=30", "page=2,size=30", "page=3,size=30"},
	}, {
		name:    "or was",
		results: []string{`{"count":2,"items":[{"id":"2"}]}`, `{"count":2,"items":[]}`},
		walk: func(t *testing.T, c *bybit.Client) (int, error) {
			return drain(p2p.New(c).AllPendingOrders(t.Context(), &p2p.PendingOrdersParams{Page: 2, Size: 7}))
		},
		rows:  1,
		asked: []string{"page=2,size=7", "page=3,size=7"},
	}, {
		name:    "as text",
		results: []string{`{"result":[{"id":"1"}]}`, `{"result":[]}`},
		walk: func(t *testing.T, c *bybit.Client) (int, error) {
			return drain(p2p.New(c).AllMessages(t.Context(), &p2p.MessagesParams{}))
		},
		rows:  1,
		asked: []string{"currentPage=1,size=30", "currentPage=2,size=30"},
	}, {
		name:    "of orders of Alpha",
		results: []string{`{"orders":[]}`},
		walk: func(t *testing.T, c *bybit.Client) (int, error) {
			return drain(alpha.New(c).AllTradeOrders(t.Context(), nil))
		},
		asked: []string{"limit=100,pageIndex=1"},
	}, {
		name:    "by cursor",
		bare:    true,
		results: []string{`{"airdropDailyPnls":[{}],"nextCursor":"n"}`, `{"airdropDailyPnls":[{}],"nextCursor":""}`},
		walk: func(t *testing.T, c *bybit.Client) (int, error) {
			return drain(earn.New(c).AllAirdropYields(t.Context(), nil))
		},
		rows:  2,
		asked: []string{"limit=49", "limit=49&cursor=n"},
	}, {
		name:    "of the card",
		results: []string{`{"pageNo":1,"data":[{"txnId":"1"}]}`, `{"pageNo":2,"data":[]}`},
		walk: func(t *testing.T, c *bybit.Client) (int, error) {
			return drain(card.New(c).AllTransactions(t.Context(), &card.TransactionsParams{CreateBeginTime: bybit.Some(begin)}))
		},
		rows:  1,
		asked: []string{"page=1", "page=2"},
	}, {
		name:    "of its points",
		results: []string{`{"pageNo":1,"data":[{"bizId":"1"}]}`, `{"pageNo":2,"data":[]}`},
		walk: func(t *testing.T, c *bybit.Client) (int, error) {
			return drain(card.New(c).AllPointRecords(t.Context(), nil))
		},
		rows:  1,
		asked: []string{"pageNo=1", "pageNo=2"},
	}, {
		name:    "of its mall",
		results: []string{`{"pageNo":1,"data":[{"itemId":"1"}]}`, `{"pageNo":2,"data":[]}`},
		walk: func(t *testing.T, c *bybit.Client) (int, error) {
			return drain(card.New(c).AllMallItems(t.Context(), nil))
		},
		rows:  1,
		asked: []string{"pageNo=1", "pageNo=2"},
	}} {
		inRESTBubble(t, func(t *testing.T, v *restVenue) {
			n := 0
			v.serve(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/v5/market/time" {
					io.WriteString(w, plainReply)
					return
				}
				if n++; n > len(tc.results) {
					t.Errorf("%s: asked too often", tc.name)
					n = len(tc.results)
				}
				if tc.bare {
					io.WriteString(w, tc.results[n-1])
					return
				}
				fmt.Fprintf(w, `{"retCode":0,"result":%s,"time":1700000000000}`, tc.results[n-1])
			})
			c := v.client(&bybit.Options{Credentials: testCredentials()})
			rows, err := tc.walk(t, c)
			asked := slices.DeleteFunc(strings.Split(alike.Replace(strings.Join(v.asked(), "\n")), "\n"), func(line string) bool { return strings.Contains(line, "/v5/market/time") })
			same := slices.EqualFunc(asked, tc.asked, strings.Contains)
			if err != nil || rows != tc.rows || !same {
				t.Errorf("%s: %d rows, error %v, asked\n%s\nwant %d rows, asked\n%s", tc.name, rows, err, strings.Join(asked, "\n"), tc.rows, strings.Join(tc.asked, "\n"))
			}
		})
	}
}
