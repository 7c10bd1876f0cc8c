package p2p_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/bywire/bywire/bybit/p2p"
)

// FuzzUploadFileResult: what is no JSON is refused, and what was read is written so that it
// reads the same again.
func FuzzUploadFileResult(f *testing.F) {
	f.Add([]byte(`{"uploadId":null,"type":"IMAGE","url":"/a?b=c"}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		var r, again p2p.UploadFileResult
		if r.Decode(in) != nil {
			return
		}
		if !json.Valid(in) {
			t.Fatalf("read what is no JSON: %q", in)
		}
		once := r.AppendJSON(nil)
		if err := again.Decode(once); err != nil {
			t.Fatalf("does not read %q: %v", once, err)
		}
		if twice := again.AppendJSON(nil); !bytes.Equal(once, twice) {
			t.Fatalf("wrote %s, then %s", once, twice)
		}
	})
}
