package bybit_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/bywire/bywire/bybit"
)

// put writes a file and returns its name.
func put(t *testing.T, dir, name string, mode os.FileMode, text []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, text, mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // whatever the umask says
		t.Fatal(err)
	}
	return path
}

// keyFiles writes private keys in several forms into a folder.
func keyFiles(t *testing.T, dir string) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	elliptic8, err := x509.MarshalPKCS8PrivateKey(other)
	if err != nil {
		t.Fatal(err)
	}
	armored := func(kind string, der []byte) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	}
	put(t, dir, "pkcs1.pem", 0o600, append([]byte("a note\n"), armored("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key))...))
	put(t, dir, "pkcs8.pem", 0o600, armored("PRIVATE KEY", pkcs8))
	put(t, dir, "open.pem", 0o644, armored("PRIVATE KEY", pkcs8))
	put(t, dir, "elliptic.pem", 0o600, armored("PRIVATE KEY", elliptic8))
	put(t, dir, "encrypted.pem", 0o600, armored("ENCRYPTED PRIVATE KEY", pkcs8))
	put(t, dir, "cut.pem", 0o600, armored("PRIVATE KEY", pkcs8[:100]))
	put(t, dir, "no.pem", 0o600, []byte("hello"))
	return key
}

func TestCredentialsFromFile(t *testing.T) {
	dir := t.TempDir()
	key := keyFiles(t, dir)
	for _, c := range []struct {
		text string
		name string
		key  string // "": an error
		err  string
	}{
		{`{"key":"k1","secret":"topsecret"}`, "", "k1", ""},
		{`{"key":"k1","secret":"topsecret","note":["of mine"]}`, "", "k1", ""},
		{`{"key":"k1","private_key_path":"pkcs1.pem"}`, "", "k1", ""},
		{`{"key":"k1","private_key_path":"pkcs8.pem"}`, "", "k1", ""},
		{`{"main":{"key":"k1","secret":"topsecret"}}`, "", "k1", ""},
		{`{"main":{"key":"k1","secret":"topsecret"},"sub":{"key":"k2","secret":"topsecret"}}`, "sub", "k2", ""},
		{`{"main":{"key":"k1","secret":"topsecret"},"sub":{"key":"k2","secret":"topsecret"}}`, "", "", "name one of main, sub"},
		{`{"main":{"key":"k1","secret":"topsecret"}}`, "sub", "", `no key "sub", but main`},
		{`{"key":"k1","secret":"topsecret"}`, "main", "", `not "main"`},
		{`{"main":{"secret":"topsecret"}}`, "", "", "holds no key"},
		{`{"key":"k1"}`, "", "", "neither a secret nor a signer"},
		{`{"key":"","secret":"topsecret"}`, "", "", "no key"},
		{`{"key":"k1","secret":12345678}`, "", "", `nor {"NAME"`},
		{`topsecret`, "", "", `nor {"NAME"`},
		{`{"key":"k1","private_key_path":"open.pem"}`, "", "", "0600"},
		{`{"key":"k1","private_key_path":"elliptic.pem"}`, "", "", "takes RSA"},
		{`{"key":"k1","private_key_path":"encrypted.pem"}`, "", "", "encrypted"},
		{`{"key":"k1","private_key_path":"cut.pem"}`, "", "", "not a private key"},
		{`{"key":"k1","private_key_path":"no.pem"}`, "", "", "no private key in PEM"},
		{`{"key":"k1","private_key_path":"none.pem"}`, "", "", "none.pem"},
		{strings.Repeat(" ", 65<<10), "", "", "longer"},
	} {
		got, err := bybit.CredentialsFromFile(put(t, dir, "keys.json", 0o600, []byte(c.text)), c.name)
		switch {
		case c.key == "":
			if runtime.GOOS == "windows" && c.err == "0600" {
				continue
			}
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%.60s: %v, want %q", c.text, err, c.err)
			} else if strings.Contains(err.Error(), "topsecret") || strings.Contains(err.Error(), "12345678") {
				t.Errorf("%.60s: the error shows the secret: %v", c.text, err)
			}
		case err != nil || got.Key != c.key:
			t.Errorf("%.60s: %v, %v, want the key %s", c.text, got, err, c.key)
		case strings.Contains(c.text, "pem") && !key.Equal(got.Signer):
			t.Errorf("%.60s: another private key", c.text)
		case !strings.Contains(c.text, "pem") && got.Secret != "topsecret":
			t.Errorf("%.60s: the secret is another", c.text)
		}
	}
	if _, err := bybit.CredentialsFromFile(put(t, dir, "open.json", 0o640, []byte(`{"key":"k1","secret":"topsecret"}`)), ""); runtime.GOOS != "windows" && (err == nil || !strings.Contains(err.Error(), "mode 0640")) {
		t.Errorf("a file that others may read gives %v", err)
	}
	if _, err := bybit.CredentialsFromFile(filepath.Join(dir, "none.json"), ""); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file gives %v", err)
	}
}

func TestCredentialsFromEnv(t *testing.T) {
	dir := t.TempDir()
	key := keyFiles(t, dir)
	for _, c := range []struct{ key, secret, file, err string }{
		{"k1", "topsecret", "", ""},
		{"k1", "", filepath.Join(dir, "pkcs8.pem"), ""},
		{"", "", "", "BYBIT_API_KEY is not set"},
		{"", "topsecret", "", "BYBIT_API_KEY is not set"},
		{"k1", "", "", "neither BYBIT_API_SECRET nor BYBIT_PRIVATE_KEY_PATH"},
		{"k1", "topsecret", filepath.Join(dir, "pkcs8.pem"), "both"},
		{"k1", "", filepath.Join(dir, "open.pem"), "0600"},
		{"k1", "", "-----BEGIN PRIVATE KEY-----\ntopsecret\n-----END PRIVATE KEY-----", "what a file would hold"},
		{"k1", "", `{"key":"k1","secret":"topsecret"}`, "what a file would hold"},
	} {
		if runtime.GOOS == "windows" && c.err == "0600" {
			continue
		}
		t.Setenv("BYBIT_API_KEY", c.key)
		t.Setenv("BYBIT_API_SECRET", c.secret)
		t.Setenv("BYBIT_PRIVATE_KEY_PATH", c.file)
		got, err := bybit.CredentialsFromEnv()
		switch {
		case c.err != "":
			if err == nil || !strings.Contains(err.Error(), c.err) || strings.Contains(err.Error(), "topsecret") {
				t.Errorf("%v: %v, want %q", c, err, c.err)
			}
			if none := c.key+c.secret+c.file == ""; errors.Is(err, bybit.ErrNoCredentials) != none {
				t.Errorf("%v: %v, ErrNoCredentials wanted: %v", c, err, none)
			}
		case err != nil || got.Key != "k1" || got.Secret != c.secret || c.file != "" && !key.Equal(got.Signer):
			t.Errorf("%v: %v, %v", c, got, err)
		}
	}
}
