package main

import (
	"errors"
	"net"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/internal/wire"
)

// connection is the flags that say where to connect, and with which key.
type connection struct {
	env, ws, rest, category string
	creds, keyName          string
}

// flags adds those of commands that subscribe.
func (c *connection) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&c.category, "category", "", "`CATEGORY` of all topics: "+strings.Join(channelNames(), ", ")+", or a path such as /v5/public/new (default: from the symbol)")
	completes(cmd, "category", channelNames()...)
	c.serverFlags(cmd)
}

// serverFlags adds those of all commands that connect. Keys and secrets have none: what
// a command line says, other programs and the shell's history can read.
func (c *connection) serverFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&c.env, "env", "mainnet", "`ENVIRONMENT`: "+strings.Join(bybit.EnvironmentNames(), ", "))
	cmd.Flags().StringVar(&c.ws, "ws", "", "`URL` of a WebSocket server of your own, such as ws://127.0.0.1:8787, in place of --env")
	cmd.Flags().StringVar(&c.rest, "rest", "", "`URL` of a REST server, such as http://127.0.0.1:8787, beside --ws or in place of that of --env")
	cmd.Flags().StringVar(&c.creds, "creds", "", "`FILE` with an API key, of mode 0600, as docs/getting-started.md shows; public channels need none (default: BYBIT_API_KEY with BYBIT_API_SECRET or BYBIT_PRIVATE_KEY_PATH)")
	cmd.Flags().StringVar(&c.keyName, "key-name", "", "`NAME` of the key in a file of several")
	completes(cmd, "env", bybit.EnvironmentNames()...)
}

// own reports whether the server is one of the user's own.
func (c *connection) own() bool { return c.ws != "" }

// overflow is what happens when stdout is slower than the server for long. The
// exchange waits for nobody. A server of the user's own is mostly a replay, which
// does, so that nothing is lost.
func (c *connection) overflow() bybit.Overflow {
	if c.own() {
		return bybit.OverflowWait
	}
	return bybit.OverflowGap
}

// credentials returns the key to sign with: that of --creds, else that of the process's
// environment; nil if there is none. Errors do not repeat what was found.
func (c *connection) credentials() (*bybit.Credentials, error) {
	if c.creds == "" {
		if c.keyName != "" {
			return nil, usageError("--key-name %s: names a key of a file; add --creds FILE", c.keyName)
		}
		keys, err := bybit.CredentialsFromEnv()
		switch {
		case errors.Is(err, bybit.ErrNoCredentials):
			return nil, nil
		case err != nil:
			return nil, &envKeyError{err}
		}
		return keys, nil
	}
	keys, err := bybit.CredentialsFromFile(c.creds, c.keyName)
	switch {
	case err == nil:
		return keys, nil
	case strings.Contains(err.Error(), "holds several keys"):
		return nil, usageError("--creds: %w, with --key-name", err)
	}
	info, statErr := os.Stat(c.creds)
	switch {
	case statErr != nil: // perhaps no name of a file at all: it is not repeated
	case info.IsDir():
		return nil, usageError("--creds %s: a folder, and it takes a file", c.creds)
	case !strings.Contains(err.Error(), c.creds):
		name := ""
		if c.keyName != "" {
			name = ", key " + c.keyName
		}
		return nil, usageError("--creds %s%s: %w", c.creds, name, err)
	}
	return nil, usageError("--creds: %w", err)
}

// envKeyError is what is wrong with the key of the process's environment. What needs none
// goes on without.
type envKeyError struct{ err error }

func (e *envKeyError) Error() string { return e.err.Error() }
func (e *envKeyError) Unwrap() error { return e.err }

// noKey says what a command without a key lacks.
func noKey(op string) error {
	return &codeError{exitAuth, errors.New(op + ": needs an API key; add --creds FILE, or set BYBIT_API_KEY and BYBIT_API_SECRET")}
}

// realMoney reports whether calls at the environment's REST host can move money that is
// worth something: everywhere but on testnet, in demo trading and on this machine. An
// unknown host may be a way to mainnet.
func realMoney(env *bybit.Environment) bool {
	host := hostName(env.RESTURL)
	switch host {
	case hostName(bybit.Testnet().RESTURL), hostName(bybit.Demo().RESTURL), "api-testnet.manepa.jp", "localhost":
		return false
	}
	ip := net.ParseIP(host)
	return ip == nil || !ip.IsLoopback()
}

func hostName(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

// environment returns what to connect to. A --ws URL with the path of a channel,
// as it stands in many programs, also says the category.
func (c *connection) environment(cmd *cobra.Command) (bybit.Environment, error) {
	if c.creds != "" || c.keyName != "" {
		// A wrong file is said also where no key is used.
		if _, err := c.credentials(); err != nil {
			return bybit.Environment{}, err
		}
	}
	if !c.own() {
		env, err := bybit.EnvironmentNamed(c.env)
		if err != nil {
			if len(c.env) == len("eu") { // a country: no other is meant
				return env, usageError("--env %s: no such environment; sites with hosts of their own are %s; mainnet is www.bybit.com",
					c.env, strings.Join(bybit.EnvironmentNames()[3:], ", "))
			}
			if near := nearest(c.env, bybit.EnvironmentNames()); near != "" {
				return env, usageError("--env %s: no such environment; meant %s?", c.env, near)
			}
			return env, usageError("--env %s: no such environment; there are %s", c.env, strings.Join(bybit.EnvironmentNames(), ", "))
		}
		if c.rest != "" {
			if env.RESTURL, err = serverURL("--rest", c.rest, "http", "https"); err != nil {
				return env, err
			}
		}
		return env, nil
	}
	if cmd.Flags().Changed("env") {
		return bybit.Environment{}, usageError("--env %s and --ws %s: give one of them", c.env, c.ws)
	}
	ws, err := serverURL("--ws", c.ws, "ws", "wss")
	if err != nil {
		return bybit.Environment{}, err
	}
	rest := ""
	if c.rest != "" {
		if rest, err = serverURL("--rest", c.rest, "http", "https"); err != nil {
			return bybit.Environment{}, err
		}
	}
	u, err := url.Parse(ws)
	if err != nil {
		return bybit.Environment{}, usageError("--ws %s: %w", c.ws, err)
	}
	if ch, known := wire.ChannelOfPath(u.Path); known {
		if !ch.IsPublic() {
			return bybit.Environment{}, usageError("--ws %s: the %s channel needs an account; public ones are %s", c.ws, ch, strings.Join(channelNames(), ", "))
		}
		if c.category != "" && c.category != string(ch) {
			return bybit.Environment{}, usageError("--ws %s is the %s channel, --category says %s: give one of them", c.ws, ch, c.category)
		}
		c.category = string(ch)
		u.Path = ""
		ws = u.String()
	}
	return bybit.CustomEnvironment(ws, rest), nil
}

// hostOf is the WebSocket host of a channel, without the channel's path; "" if the
// environment has none.
func hostOf(env *bybit.Environment, ch bybit.Channel) string {
	if ch == bybit.Status && env.StatusURL != "" {
		return env.StatusURL
	}
	return env.PublicURL
}

// serverURL checks a URL of one of two schemes.
func serverURL(flag, value, scheme, secure string) (string, error) {
	u, err := url.Parse(value)
	if err != nil || u.Scheme != scheme && u.Scheme != secure || u.Host == "" {
		return "", usageError("%s %s: no %s URL; one looks like %s://127.0.0.1:8787", flag, value, scheme, scheme)
	}
	return strings.TrimSuffix(value, "/"), nil
}
