package bybit

import (
	"fmt"
	"strings"
)

// Environment is one deployment of the exchange: all its endpoints and what
// they support. Take one from [Mainnet], [Testnet], [Demo], [Region] or
// [CustomEnvironment]. The zero value stands for Mainnet.
//
// URLs are bases without a path: "wss://stream.bybit.com". One that is empty is
// not offered by the deployment, and calls that need it fail and say so.
// V5 pages: guide, ws/connect, demo.
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

// Mainnet is the exchange itself.
func Mainnet() Environment { return venueAt("mainnet", "stream.bybit.com", "api.bybit.com") }

// Testnet is the exchange's test network. Its prices are not the market's.
func Testnet() Environment {
	return venueAt("testnet", "stream-testnet.bybit.com", "api-testnet.bybit.com")
}

// Demo is demo trading: mainnet's market data, accounts with play money, and no
// order entry over WebSocket. V5 page: demo.
func Demo() Environment {
	e := Mainnet()
	e.Name = "demo"
	e.PrivateURL = "wss://stream-demo.bybit.com"
	e.TradeURL = ""
	e.RESTURL = "https://api-demo.bybit.com"
	return e
}

// Region returns the deployment for users of a region, by the end of its
// domain: "tr", "id", "kz", "ge", "jp", "nl", "ae", "eu" or "hk". Not all of
// them have documented WebSocket hosts.
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
	base := e.PublicURL
	if ch == Status && e.StatusURL != "" {
		base = e.StatusURL
	}
	path := ch.Path()
	switch {
	case path == "":
		return "", fmt.Errorf("channel %q: no such public channel; Custom takes a path", string(ch))
	case base == "":
		return "", fmt.Errorf("environment %s has no documented WebSocket host for %s", e.Name, path)
	}
	return strings.TrimSuffix(base, "/") + path, nil
}
