package bybit

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// The examples of the V5 page guide. It does not name the secret, so that only the payload
// is compared with what it shows.
func TestPayloadIsAsDocumented(t *testing.T) {
	const key = "XXXXXXXXXX"
	for _, c := range []struct {
		name string
		req  request
		ms   int64
		want string
	}{
		{
			"GET",
			request{endpoint: &endpoint{method: "GET"}, query: []byte("category=option&symbol=BTC-29JUL22-25000-C")},
			1658384314791, "1658384314791XXXXXXXXXX5000category=option&symbol=BTC-29JUL22-25000-C",
		},
		{
			"POST",
			request{endpoint: &endpoint{method: "POST"}, body: []byte(`{"category": "option"}`)},
			1658385579423, `1658385579423XXXXXXXXXX5000{"category": "option"}`,
		},
	} {
		asked := &askedSigner{}
		h := make(http.Header)
		s := newSigner(&Credentials{Key: key, Signer: asked})
		if err := s.signRequest(h, &c.req, time.UnixMilli(c.ms), 5*time.Second); err != nil {
			t.Fatal(err)
		}
		if want := sha256.Sum256([]byte(c.want)); string(asked.digest) != string(want[:]) || asked.hash != crypto.SHA256 {
			t.Errorf("%s: another payload is signed than %s", c.name, c.want)
		}
		if got, want := h.Get("X-BAPI-SIGN"), base64.StdEncoding.EncodeToString([]byte("signed")); got != want {
			t.Errorf("%s: the signature is %q, want %q", c.name, got, want)
		}
		if h.Get("X-BAPI-API-KEY") != key || h.Get("X-BAPI-TIMESTAMP") != c.want[:13] || h.Get("X-BAPI-RECV-WINDOW") != "5000" {
			t.Errorf("%s: headers %v", c.name, h)
		}
	}
}

// askedSigner remembers what it was asked to sign.
type askedSigner struct {
	digest []byte
	hash   crypto.Hash
}

func (s *askedSigner) Public() crypto.PublicKey { return &rsa.PublicKey{} }
func (s *askedSigner) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	s.digest, s.hash = digest, opts.HashFunc()
	return []byte("signed"), nil
}

// The vectors are of RFC 4231: test case 2, and 6 whose key is longer than a block.
func TestHMAC(t *testing.T) {
	for _, c := range []struct{ secret, payload, want string }{
		{"Jefe", "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
		{
			strings.Repeat("\xaa", 131), "Test Using Larger Than Block-Size Key - Hash Key First",
			"60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
		},
	} {
		got, err := newSigner(&Credentials{Secret: c.secret}).sign([]byte(c.payload))
		if err != nil || got != c.want {
			t.Errorf("signature %s, %v, want %s", got, err, c.want)
		}
	}
}

// One signer serves REST, authentication over WebSocket and order entry, whatever the key is
// held by: what it signs is what it is given.
func TestFailureClass24_OneSigner(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for _, payload := range []string{"1658384314791XXXXXXXXXX5000category=option", "GET/realtime1662350400000"} {
		got, err := newSigner(&Credentials{Key: "k", Signer: key}).sign([]byte(payload))
		if err != nil {
			t.Fatal(err)
		}
		signature, err := base64.StdEncoding.DecodeString(got)
		if err != nil {
			t.Fatal(err)
		}
		digest := sha256.Sum256([]byte(payload))
		if err := rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, digest[:], signature); err != nil {
			t.Errorf("%s: %v", payload, err)
		}
	}
	broken := errors.New("the device is gone")
	if _, err := newSigner(&Credentials{Key: "k", Signer: brokenSigner{key, broken}}).sign(nil); !errors.Is(err, broken) || !errors.Is(err, errSign) {
		t.Errorf("a device that cannot sign gives %v", err)
	}
}

type brokenSigner struct {
	*rsa.PrivateKey
	err error
}

func (s brokenSigner) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return nil, s.err }
