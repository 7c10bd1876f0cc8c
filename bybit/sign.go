package bybit

import (
	"bytes"
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// errSign is why a request was not sent: the user's Signer could not.
var errSign = errors.New("sign")

// signer signs for REST and WebSocket alike. A nil signer cannot. What it signs with is
// inside the function, where nothing that prints finds it.
type signer struct {
	key string

	// sign returns the signature of a payload: HMAC-SHA256 in lower-case hex, or
	// RSA-SHA256 in base64. V5 page: guide, "Create a request".
	sign func(payload []byte) (string, error)

	// hide takes the key and the secret out of a reply.
	hide func(reply []byte) (shown []byte, hidden bool)
}

func newSigner(c *Credentials) *signer {
	if c == nil {
		return nil
	}
	s := &signer{key: c.Key, hide: hiding(c.Key, c.Secret)}
	if c.Signer != nil {
		s.sign = signRSA(c.Signer)
	} else {
		s.sign = signHMAC([]byte(c.Secret))
	}
	return s
}

// hiding returns the function that makes a reply fit to be shown, and reports whether there was
// something to hide: the exchange repeats all that was signed, the key included, when it refuses
// a signature. What is too short for a key is left alone, since any reply may have it.
func hiding(key, secret string) func([]byte) ([]byte, bool) {
	const least = 8
	whole, beginning := []byte(key), []byte(beginningOf(key)+"...")
	private, nothing := []byte(secret), []byte("...")
	return func(text []byte) ([]byte, bool) {
		was := text
		if len(whole) >= least && bytes.Contains(text, whole) {
			text = bytes.ReplaceAll(text, whole, beginning)
		}
		if len(private) >= least && bytes.Contains(text, private) {
			text = bytes.ReplaceAll(text, private, nothing)
		}
		return text, len(text) != len(was)
	}
}

func signHMAC(secret []byte) func([]byte) (string, error) {
	// To begin with the secret is half of the work, which is done once.
	macs := sync.Pool{New: func() any { return hmac.New(sha256.New, secret) }}
	return func(payload []byte) (string, error) {
		mac := macs.Get().(hash.Hash)
		defer macs.Put(mac)
		mac.Reset()
		mac.Write(payload)
		var sum [sha256.Size]byte
		return hex.EncodeToString(mac.Sum(sum[:0])), nil
	}
}

func signRSA(key crypto.Signer) func([]byte) (string, error) {
	return func(payload []byte) (string, error) {
		digest := sha256.Sum256(payload)
		signature, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
		if err != nil {
			return "", fmt.Errorf("%w: %w", errSign, err)
		}
		return base64.StdEncoding.EncodeToString(signature), nil
	}
}

// The headers of a signed request, as package http spells them.
const (
	headerKey        = "X-Bapi-Api-Key"
	headerTimestamp  = "X-Bapi-Timestamp"
	headerSign       = "X-Bapi-Sign"
	headerRecvWindow = "X-Bapi-Recv-Window"
	headerReferer    = "Referer"
)

// signRequest puts the signature into the headers. What is signed is the timestamp,
// the key, the window and the very bytes that are sent: the query of a GET, the body of
// a POST, or the query of a POST that has its parameters there.
func (s *signer) signRequest(h http.Header, req *request, now time.Time, window time.Duration) error {
	timestamp := strconv.FormatInt(now.UnixMilli(), 10)
	recvWindow := strconv.FormatInt(window.Milliseconds(), 10)
	sent := req.body
	if req.method == http.MethodGet || req.endpoint.query {
		sent = req.query
	}
	payload := make([]byte, 0, len(timestamp)+len(s.key)+len(recvWindow)+len(sent))
	payload = append(payload, timestamp...)
	payload = append(payload, s.key...)
	payload = append(payload, recvWindow...)
	payload = append(payload, sent...)
	signature, err := s.sign(payload)
	if err != nil {
		return err
	}
	h[headerKey] = []string{s.key}
	h[headerTimestamp] = []string{timestamp}
	h[headerRecvWindow] = []string{recvWindow}
	h[headerSign] = []string{signature}
	return nil
}
