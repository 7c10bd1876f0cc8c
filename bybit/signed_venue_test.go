package bybit_test

import (
	"bytes"
	"crypto"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/bywire/bywire/bybit"
)

const (
	testKey    = "kQ7uX2pL9vRt4sYw"
	testSecret = "s3cr3t-0f-th3-t3st-0123456789abcdef"
)

// testCredentials are those that a door takes.
func testCredentials() *bybit.Credentials {
	return &bybit.Credentials{Key: testKey, Secret: testSecret}
}

// door lets requests in as the exchange does: V5 page guide. It verifies the bytes that came,
// and tells the time.
type door struct {
	secret string
	public *rsa.PublicKey       // in place of secret
	ahead  func() time.Duration // of the exchange's clock
	inside http.HandlerFunc     // after the check; nil: an empty result
}

// now is the exchange's time.
func (d *door) now() time.Time {
	if d.ahead == nil {
		return time.Now()
	}
	return time.Now().Add(d.ahead())
}

func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/v5/market/time" {
		now := d.now()
		fmt.Fprintf(w, `{"retCode":0,"retMsg":"OK","result":{"timeSecond":"%d","timeNano":"%d"},"retExtInfo":{},"time":%d}`, now.Unix(), now.UnixNano(), now.UnixMilli())
		return
	}
	if code, message := d.check(r); code != 0 {
		fmt.Fprintf(w, `{"retCode":%d,"retMsg":%q,"result":{},"retExtInfo":{},"time":%d}`, code, message, d.now().UnixMilli())
		return
	}
	if d.inside != nil {
		d.inside(w, r)
		return
	}
	io.WriteString(w, plainReply)
}

// check returns a refusal's code, or 0.
func (d *door) check(r *http.Request) (int, string) {
	key, stamp, signature := r.Header.Get("X-BAPI-API-KEY"), r.Header.Get("X-BAPI-TIMESTAMP"), r.Header.Get("X-BAPI-SIGN")
	window := r.Header.Get("X-BAPI-RECV-WINDOW")
	if key != testKey {
		return 10003, "API key is invalid."
	}
	ms, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return 10001, "Not supported timestamp"
	}
	recv := int64(5000)
	if window != "" {
		if recv, err = strconv.ParseInt(window, 10, 64); err != nil {
			return 10001, "Not supported window"
		}
	}
	if now := d.now().UnixMilli(); ms < now-recv || ms >= now+1000 {
		return 10002, fmt.Sprintf("invalid request, please check your server timestamp or recv_window param. req_timestamp[%d],server_timestamp[%d],recv_window[%d]", ms, now, recv)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return 10001, "no body"
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	// What came, not what it means: a client that signs one spelling and sends another fails.
	sent := string(body)
	if r.Method == http.MethodGet || len(body) == 0 {
		_, sent, _ = strings.Cut(r.RequestURI, "?")
		if len(body) > 0 {
			return 10001, "a GET with a body"
		}
	}
	if !d.verify(stamp+key+window+sent, signature) {
		return 10004, "error sign! origin_string[" + stamp + key + window + sent + "]"
	}
	return 0, ""
}

func (d *door) verify(payload, signature string) bool {
	if d.public != nil {
		raw, err := base64.StdEncoding.DecodeString(signature)
		digest := sha256.Sum256([]byte(payload))
		return err == nil && rsa.VerifyPKCS1v15(d.public, crypto.SHA256, digest[:], raw) == nil
	}
	mac := hmac.New(sha256.New, []byte(d.secret))
	mac.Write([]byte(payload))
	return hex.EncodeToString(mac.Sum(nil)) == signature
}

// guarded puts a door in front of the venue.
func (v *restVenue) guarded() *door {
	d := &door{secret: testSecret}
	v.serve(d.ServeHTTP)
	return d
}

// paths returns the paths of the requests, without those for the time.
func pathsOf(requests []restRequest) []string {
	var paths []string
	for _, r := range requests {
		if r.path != "/v5/market/time" {
			paths = append(paths, r.path)
		}
	}
	return paths
}
