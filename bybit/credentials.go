package bybit

import (
	"crypto"
	"crypto/rsa"
	"errors"
	"fmt"
	"log/slog"
	"strings"
)

// ErrNoCredentials is why a call that needs a signature fails in a client that cannot make
// one. Nothing was sent.
var ErrNoCredentials = errors.New("no credentials")

// Credentials are an API key and what signs with it: either Secret or Signer.
//
// They are never printed: String, the verbs of package fmt, log/slog and encoding/json
// show the first characters of the key. V5 page: [guide].
//
// [guide]: https://bybit-exchange.github.io/docs/v5/guide
type Credentials struct {
	// Key is the API key.
	Key string

	// Secret is that of a key which the exchange made (HMAC-SHA256).
	Secret string

	// Signer is the private key of a key which the user made, of whose pair the
	// exchange has the public half: an *rsa.PrivateKey, or whatever holds an RSA key,
	// such as a hardware module. It is asked for PKCS #1 v1.5 signatures of SHA-256
	// digests.
	Signer crypto.Signer
}

// check says what is wrong with credentials, without their content.
func (c *Credentials) check() error {
	switch {
	case c.Key == "":
		return errors.New("credentials: no key")
	case !isToken(c.Key):
		return errors.New("credentials: the key has a character that no key has, perhaps a space or a line's end")
	case c.Secret == "" && c.Signer == nil:
		return errors.New("credentials: neither a secret nor a signer")
	case c.Secret != "" && c.Signer != nil:
		return errors.New("credentials: both a secret and a signer")
	case c.Secret != "" && strings.TrimSpace(c.Secret) != c.Secret:
		return errors.New("credentials: the secret begins or ends with white space")
	case c.Signer != nil:
		if _, ok := c.Signer.Public().(*rsa.PublicKey); !ok {
			return fmt.Errorf("credentials: the signer's key is a %T, the exchange takes RSA", c.Signer.Public())
		}
	}
	return nil
}

// isToken reports whether a key can stand in a header.
func isToken(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

// String names the key by its first characters.
func (c Credentials) String() string {
	switch begins := beginningOf(c.Key); {
	case c.Key == "":
		return "credentials without a key"
	case begins == "":
		return "credentials of a key"
	default:
		return "credentials of key " + begins + "..."
	}
}

// beginningOf returns the characters of a key that are shown: none of a short one.
func beginningOf(key string) string {
	const shown = 4
	if len(key) < 3*shown {
		return ""
	}
	return key[:shown]
}

// GoString is String.
func (c Credentials) GoString() string { return c.String() }

// Format writes String for every verb.
func (c Credentials) Format(f fmt.State, _ rune) { fmt.Fprint(f, c.String()) }

// LogValue is String.
func (c Credentials) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalText is String.
func (c Credentials) MarshalText() ([]byte, error) { return []byte(c.String()), nil }
