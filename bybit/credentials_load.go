package bybit

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// The variables that CredentialsFromEnv reads.
const (
	envKey        = "BYBIT_API_KEY"
	envSecret     = "BYBIT_API_SECRET"
	envPrivateKey = "BYBIT_PRIVATE_KEY_PATH"
)

// maxSecretFile bounds a file with a key.
const maxSecretFile = 64 << 10

// CredentialsFromEnv reads credentials from the environment: BYBIT_API_KEY, and
// BYBIT_API_SECRET or BYBIT_PRIVATE_KEY_PATH, the name of a PEM file with an RSA key
// that nobody else may read. The error is [ErrNoCredentials] if no variable is set. Nothing in this
// package calls it.
func CredentialsFromEnv() (*Credentials, error) {
	c := &Credentials{Key: os.Getenv(envKey), Secret: os.Getenv(envSecret)}
	file := os.Getenv(envPrivateKey)
	switch {
	case *c == (Credentials{}) && file == "":
		return nil, fmt.Errorf("%w: %s is not set", ErrNoCredentials, envKey)
	case c.Key == "":
		return nil, fmt.Errorf("credentials: %s is not set", envKey)
	case c.Secret != "" && file != "":
		return nil, fmt.Errorf("credentials: both %s and %s are set", envSecret, envPrivateKey)
	case c.Secret == "" && file == "":
		return nil, fmt.Errorf("credentials: neither %s nor %s is set", envSecret, envPrivateKey)
	}
	if file != "" {
		var err error
		if c.Signer, err = privateKey(file); err != nil {
			return nil, fmt.Errorf("credentials: %w", err)
		}
	}
	return c, c.check()
}

// CredentialsFromFile reads credentials from a JSON file that nobody else may read: its mode is 0600
// where modes exist. It holds one key,
//
//	{"key": "...", "secret": "..."}
//	{"key": "...", "private_key_path": "rsa.pem"}
//
// or several with names, of which name says one; it may be "" if there is only one:
//
//	{"main": {"key": "...", "secret": "..."}}
//
// The path of a private key is relative to the file.
func CredentialsFromFile(path, name string) (*Credentials, error) {
	c, err := credentialsFromFile(path, name)
	if err != nil {
		return nil, fmt.Errorf("credentials: %w", err)
	}
	return c, c.check()
}

// storedKey is one key of a file.
type storedKey struct {
	Key            *string `json:"key"`
	Secret         string  `json:"secret"`
	PrivateKeyPath string  `json:"private_key_path"`
}

func credentialsFromFile(path, name string) (*Credentials, error) {
	text, err := readSecret(path)
	if err != nil {
		return nil, err
	}
	stored, err := parseStoredKeys(text, name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	c := &Credentials{Key: *stored.Key, Secret: stored.Secret}
	if stored.PrivateKeyPath != "" {
		file := stored.PrivateKeyPath
		if !filepath.IsAbs(file) {
			file = filepath.Join(filepath.Dir(path), file)
		}
		if c.Signer, err = privateKey(file); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// parseStoredKeys finds the key of a name. Its errors do not repeat what they found.
func parseStoredKeys(text []byte, name string) (*storedKey, error) {
	var one storedKey
	if json.Unmarshal(text, &one) == nil && one.Key != nil {
		if name != "" {
			return nil, fmt.Errorf("holds one key without a name, not %q", name)
		}
		return &one, nil
	}
	var several map[string]storedKey
	if json.Unmarshal(text, &several) != nil {
		return nil, errors.New(`is not {"key":..,"secret":..} nor {"NAME":{"key":..,"secret":..}}`)
	}
	var names []string
	for n, k := range several {
		if k.Key != nil {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	switch {
	case len(names) == 0:
		return nil, errors.New("holds no key")
	case name == "" && len(names) > 1:
		return nil, fmt.Errorf("holds several keys: name one of %s", strings.Join(names, ", "))
	case name == "":
		name = names[0]
	case !slices.Contains(names, name):
		return nil, fmt.Errorf("holds no key %q, but %s", name, strings.Join(names, ", "))
	}
	k := several[name]
	return &k, nil
}

// readSecret reads a file that nobody but its owner may read or write.
func readSecret(path string) ([]byte, error) {
	if strings.Contains(path, "-----BEGIN") || strings.ContainsAny(path, "\r\n{") {
		return nil, errors.New("where the name of a file is expected there is what a file would hold") // and is not repeated
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" && runtime.GOOS != "plan9" {
		return nil, fmt.Errorf("%s: others may read or write it (mode %04o): set its mode to 0600", path, mode)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxSecretFile+1))
	if err == nil && len(text) > maxSecretFile {
		err = fmt.Errorf("%s: longer than a file with keys", path)
	}
	return text, err
}

// privateKey reads an RSA key from a PEM file.
func privateKey(path string) (crypto.Signer, error) {
	text, err := readSecret(path)
	if err != nil {
		return nil, err
	}
	key, err := parsePrivateKey(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return key, nil
}

func parsePrivateKey(text []byte) (*rsa.PrivateKey, error) {
	for {
		var block *pem.Block
		block, text = pem.Decode(text)
		switch {
		case block == nil:
			return nil, errors.New("no private key in PEM form")
		case block.Headers["DEK-Info"] != "" || block.Type == "ENCRYPTED PRIVATE KEY":
			return nil, errors.New("the private key is encrypted: decrypt it, or give a Signer")
		case block.Type == "RSA PRIVATE KEY":
			key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
			if err != nil {
				return nil, errors.New("not a private key of RSA (PKCS #1)")
			}
			return key, nil
		case block.Type == "PRIVATE KEY":
			key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
			if err != nil {
				return nil, errors.New("not a private key (PKCS #8)")
			}
			rsaKey, ok := key.(*rsa.PrivateKey)
			if !ok {
				return nil, fmt.Errorf("the private key is a %T, the exchange takes RSA", key)
			}
			return rsaKey, nil
		}
	}
}
