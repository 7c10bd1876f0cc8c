package bybit_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/bywire/bywire/bybit"
)

func TestSecretOfANewKeyIsNotPrinted(t *testing.T) {
	const secret = "hush1hush2hush3"
	made := new(bybit.UserCreateSubAPIKeyResult)
	if err := made.Decode([]byte(`{"id":"7","note":"n","apiKey":"key","readOnly":1,"secret":"` + secret + `","permissions":{}}`)); err != nil {
		t.Fatal(err)
	}
	if string(made.Secret) != secret {
		t.Fatalf("secret %q", string(made.Secret))
	}
	var logged strings.Builder
	for _, h := range []slog.Handler{slog.NewTextHandler(&logged, nil), slog.NewJSONHandler(&logged, nil)} {
		slog.New(h).Info("made", "result", made, "copy", *made, "secret", made.Secret)
	}
	printed := []string{logged.String(), made.Secret.String(), fmt.Sprint(made), fmt.Sprint(*made)}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		printed = append(printed, fmt.Sprintf(verb, made), fmt.Sprintf(verb, *made), fmt.Sprintf(verb, made.Secret))
	}
	for _, s := range printed {
		if strings.Contains(s, secret) || strings.Contains(s, fmt.Sprintf("%x", secret)) {
			t.Errorf("printed %s", s)
		}
	}
	if text, err := json.Marshal(made); err != nil || !strings.Contains(string(text), secret) {
		t.Errorf("JSON is %s, %v", text, err)
	}
}
