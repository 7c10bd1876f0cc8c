package wire

import (
	"strings"
	"testing"
)

func TestWhyForbidden(t *testing.T) {
	for body, want := range map[string]Forbidden{
		"":                             ForbiddenUnsaid,
		"<html>Request blocked</html>": ForbiddenUnsaid,
		"403, access too frequent":     ForbiddenBan,
		"Access Too Frequent":          ForbiddenBan,
		"<html>access too frequent. region: us-east</html>":                        ForbiddenBan,
		strings.Repeat(" ", 1000) + "configured to block access from your country": ForbiddenCountry,
		"not available in your Region":                                             ForbiddenCountry,
	} {
		if got := WhyForbidden(body); got != want {
			t.Errorf("%q is %d, want %d", body, got, want)
		}
	}
}
