package wire

import "strings"

// Forbidden says why a server answers with HTTP 403, as far as its words tell.
type Forbidden uint8

// The reasons.
const (
	NotForbidden     Forbidden = iota
	ForbiddenUnsaid            // it does not say
	ForbiddenBan               // this address has asked too often: it is banned for ten minutes
	ForbiddenCountry           // the country of this address is not served
)

// WhyForbidden reads the body of an HTTP 403, which is a page or a line of text: the address
// is banned if its words are those of the V5 page rate-limit, "access too frequent", whatever
// else it says; a page about something else may name a region too.
func WhyForbidden(body string) Forbidden {
	low := strings.ToLower(body)
	switch {
	case strings.Contains(low, "too frequent"):
		return ForbiddenBan
	case strings.Contains(low, "country"), strings.Contains(low, "region"):
		return ForbiddenCountry
	}
	return ForbiddenUnsaid
}
