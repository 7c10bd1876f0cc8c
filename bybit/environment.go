package bybit

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Environment is one deployment of the exchange: all its endpoints and what
// they support. Take one from [Mainnet], [Testnet], [Demo], [Region] or
// [CustomEnvironment], and set what differs. The zero value stands for Mainnet.
//
// URLs are bases without a path: "wss://stream.bybit.com". One that is empty is
// not offered by the deployment: calls that need it fail with an
// [*UnsupportedError] before anything is sent. V5 pages: [guide], [ws/connect],
// [demo].
//
// [guide]: https://bybit-exchange.github.io/docs/v5/guide
// [ws/connect]: https://bybit-exchange.github.io/docs/v5/ws/connect
// [demo]: https://bybit-exchange.github.io/docs/v5/demo
type Environment struct {
	Name       string // "mainnet", "testnet", "demo", a region such as "tr", or "custom"
	PublicURL  string // WebSocket, public channels
	StatusURL  string // WebSocket, system status; PublicURL unless it is the only channel
	PrivateURL string // WebSocket, private channel
	TradeURL   string // WebSocket, order entry
	RESTURL    string

	// venue marks the exchange's own deployments, where topics that it has
	// retired need not be asked for.
	venue bool
}

// Ability is something that a deployment may or may not offer.
type Ability uint8

// The abilities.
const (
	AbilityPublic     Ability = iota // public channels over WebSocket
	AbilityStatus                    // the status channel over WebSocket
	AbilityPrivate                   // the private channel over WebSocket
	AbilityOrderEntry                // orders over WebSocket
	AbilityREST                      // calls over HTTP
)

// String returns the ability in words.
func (a Ability) String() string {
	names := [...]string{"public data", "system status", "private data", "order entry over WebSocket", "REST"}
	if int(a) < len(names) {
		return names[a]
	}
	return "unknown ability"
}

// abilities returns every ability, in order.
func abilities() []Ability {
	return []Ability{AbilityPublic, AbilityStatus, AbilityPrivate, AbilityOrderEntry, AbilityREST}
}

// URL returns the base of the URLs for an ability, or an [*UnsupportedError] if
// the deployment does not offer it.
func (e Environment) URL(a Ability) (string, error) {
	base := e.base(a)
	if base == "" {
		return "", &UnsupportedError{Environment: e.Name, Ability: a, Offers: e.Abilities()}
	}
	return strings.TrimSuffix(base, "/"), nil
}

func (e Environment) base(a Ability) string {
	if e == (Environment{}) {
		e = Mainnet()
	}
	switch a {
	case AbilityPublic:
		return e.PublicURL
	case AbilityStatus:
		return cmp.Or(e.StatusURL, e.PublicURL)
	case AbilityPrivate:
		return e.PrivateURL
	case AbilityOrderEntry:
		return e.TradeURL
	case AbilityREST:
		return e.RESTURL
	}
	return ""
}

// Supports reports whether the deployment offers an ability.
func (e Environment) Supports(a Ability) bool { return e.base(a) != "" }

// Abilities returns what the deployment offers.
func (e Environment) Abilities() []Ability {
	return slices.DeleteFunc(abilities(), func(a Ability) bool { return !e.Supports(a) })
}

// UnsupportedError says that a deployment does not offer what a call needs, or
// has no documented host for it. Nothing was sent.
type UnsupportedError struct {
	Environment string // its name
	Ability     Ability
	Offers      []Ability
}

// Error names the deployment, what it lacks and what it has.
func (e *UnsupportedError) Error() string {
	text := fmt.Sprintf("environment %s has no documented host for %s; it has ", e.Environment, e.Ability)
	if len(e.Offers) == 0 {
		return text + "none at all"
	}
	for i, a := range e.Offers {
		if i > 0 {
			text += ", "
		}
		text += a.String()
	}
	return text
}

// Mainnet is the exchange itself. Its REST calls are also served from
// https://api.bytick.com, which may be set as RESTURL.
func Mainnet() Environment { return venueAt("mainnet", "stream.bybit.com", "api.bybit.com") }

// Testnet is the exchange's test network. Its prices are not the market's.
func Testnet() Environment {
	return venueAt("testnet", "stream-testnet.bybit.com", "api-testnet.bybit.com")
}

// Demo is demo trading: mainnet's market data, accounts with play money on hosts of
// their own, and no order entry over WebSocket. V5 page: [demo].
//
// [demo]: https://bybit-exchange.github.io/docs/v5/demo
func Demo() Environment {
	e := Mainnet()
	e.Name = "demo"
	e.PrivateURL = "wss://stream-demo.bybit.com"
	e.TradeURL = ""
	e.RESTURL = "https://api-demo.bybit.com"
	return e
}

// Region returns the deployment for users of a region, by the end of its
// domain: "tr", "id", "kz", "ge", "jp", "nl", "ae", "eu" or "hk". Of "nl", "ae" and
// "hk" only the REST host is documented, of "eu" also that of system status.
func Region(name string) (Environment, error) {
	switch name {
	case "tr":
		return venueAt(name, "stream.bybit.tr", "api.bybit.tr"), nil
	case "id":
		return venueAt(name, "stream.bybit.id", "api.bybit.id"), nil
	case "kz":
		return venueAt(name, "stream.bybit.kz", "api.bybit.kz"), nil
	case "ge":
		return venueAt(name, "stream.bybitgeorgia.ge", "api.bybitgeorgia.ge"), nil
	case "jp":
		return venueAt(name, "stream.manepa.jp", "api.manepa.jp"), nil
	case "nl":
		return venueAt(name, "", "api.bybit.nl"), nil
	case "ae":
		return venueAt(name, "", "api.bybit.ae"), nil
	case "eu":
		e := venueAt(name, "", "api.bybit.eu")
		e.StatusURL = "wss://stream.bybit.eu"
		return e, nil
	case "hk":
		return venueAt(name, "", "api.byhkbit.com"), nil
	}
	return Environment{}, fmt.Errorf("region %q: want one of %s", name, strings.Join(regions(), ", "))
}

func regions() []string { return []string{"tr", "id", "kz", "ge", "jp", "nl", "ae", "eu", "hk"} }

// CustomEnvironment is a deployment of one's own: a replay, a local exchange, a
// proxy. publicURL is the base of the WebSocket URLs, such as
// "ws://127.0.0.1:8787", to which the channel's path is added; restURL may be
// empty. Topics that the venue has retired, such as depth 500, may be subscribed there.
func CustomEnvironment(publicURL, restURL string) Environment {
	base := strings.TrimSuffix(publicURL, "/")
	return Environment{
		Name: "custom", PublicURL: base, StatusURL: base, PrivateURL: base, TradeURL: base,
		RESTURL: strings.TrimSuffix(restURL, "/"),
	}
}

// EnvironmentNamed returns the environment of a name: mainnet, testnet, demo, or a
// region as in [Region].
func EnvironmentNamed(name string) (Environment, error) {
	switch name {
	case "mainnet":
		return Mainnet(), nil
	case "testnet":
		return Testnet(), nil
	case "demo":
		return Demo(), nil
	}
	e, err := Region(name)
	if err != nil {
		return e, fmt.Errorf("environment %q: want one of %s", name, strings.Join(EnvironmentNames(), ", "))
	}
	return e, nil
}

// EnvironmentNames returns the names that EnvironmentNamed knows.
func EnvironmentNames() []string { return append([]string{"mainnet", "testnet", "demo"}, regions()...) }

func venueAt(name, wsHost, restHost string) Environment {
	e := Environment{Name: name, RESTURL: "https://" + restHost, venue: true}
	if wsHost != "" {
		ws := "wss://" + wsHost
		e.PublicURL, e.StatusURL, e.PrivateURL, e.TradeURL = ws, ws, ws, ws
	}
	return e
}

// publicURL returns the URL of a public channel.
func (e *Environment) publicURL(ch Channel) (string, error) {
	path := ch.Path()
	if path == "" {
		return "", fmt.Errorf("channel %q: no such public channel; Custom takes a path", string(ch))
	}
	need := AbilityPublic
	if ch == Status {
		need = AbilityStatus
	}
	base, err := e.URL(need)
	if err != nil {
		return "", err
	}
	return base + path, nil
}
