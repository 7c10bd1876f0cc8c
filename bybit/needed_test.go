package bybit_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/bybit/p2p"
)

// What a request needs, although its zero would do something, is not left to the exchange's
// default: an unset ReadOnly would make a key that reads one that trades.
func TestUnsetFieldsThatAreNeeded(t *testing.T) {
	inRESTBubble(t, func(t *testing.T, v *restVenue) {
		client := v.client(&bybit.Options{Credentials: testCredentials()})
		for _, c := range []struct {
			path   string
			params any
			want   string
		}{
			{"/v5/user/update-api", &bybit.UserUpdateOwnAPIKeyParams{}, "readOnly: required: set ReadOnly"},
			{"/v5/user/update-sub-api", &bybit.UserUpdateSubAPIKeyParams{}, "readOnly: required: set ReadOnly"},
			{"/v5/position/switch-mode", &bybit.PositionSetModeParams{Category: bybit.Linear}, "mode: required: set Mode"},
			{"/v5/p2p/item/online", &p2p.AdsParams{}, "side: required: set Side"},
		} {
			err := client.Call(t.Context(), http.MethodPost, c.path, c.params, nil)
			if err == nil || !strings.HasSuffix(err.Error(), "params: "+c.want) {
				t.Errorf("%s: %v, want %s", c.path, err, c.want)
			}
		}
		v.wantAsked()
		set := bybit.PositionSetModeParams{Category: bybit.Linear, Mode: bybit.Some(bybit.PositionMode(0))}
		if text, err := set.MarshalJSON(); err != nil || !strings.Contains(string(text), `"mode":0`) {
			t.Errorf("a mode that is set: %s, %v", text, err)
		}
	})
}
