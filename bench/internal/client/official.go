package client

import (
	"context"
	"encoding/json"
	"errors"

	connector "github.com/bybit-exchange/bybit.go.api"
)

// official receives strings, which is all that client hands over, and decodes
// each into a map, as its examples do for replies.
func official(ctx context.Context, run *Run, m *Meter) error {
	handler := func(message string) error {
		var decoded map[string]any
		if err := json.Unmarshal([]byte(message), &decoded); err != nil {
			return err
		}
		if _, ok := decoded["topic"].(string); !ok {
			return nil // an acknowledgement
		}
		m.use(len(decoded))
		m.message()
		return nil
	}
	ws := connector.NewBybitPublicWebSocket("ws://"+run.Addr+"/v5/public/linear", handler).Connect()
	if ws == nil {
		return errors.New("no connection")
	}
	var names []string
	for _, t := range run.Topics {
		names = append(names, t.Name)
	}
	if _, err := ws.SendSubscription(names); err != nil {
		return err
	}
	return m.wait(ctx)
}
