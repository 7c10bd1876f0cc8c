package bybit

import (
	"fmt"
	"log/slog"
)

// Secret is the secret of an API key that the exchange has just made:
// Credentials{Key: r.APIKey, Secret: string(r.Secret)} signs with it.
//
// The verbs of package fmt do not show it, also not inside of a result, nor does log/slog if
// it is given the result or the secret itself; string and encoding/json do, and with the latter
// a handler of log/slog that writes JSON of a value around them.
type Secret string

// String says only whether there is one.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "a secret"
}

// Format writes String for every verb.
func (s Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.String()) }

// LogValue is String.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// LogValue names the key by its ID, for a handler may write JSON, which has the secret.
func (r UserCreateSubAPIKeyResult) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", r.ID), slog.String("note", r.Note))
}
