package capture_test

import (
	"log"
	"net/http"

	"github.com/bywire/bywire/capture"
)

// A replay is an http.Handler. Clients in any language connect to it as they
// connect to the exchange, on /v5/public/linear and the other channels.
func ExampleNewReplay() {
	reader, err := capture.OpenReader("recording")
	if err != nil {
		log.Fatal(err)
	}
	replay, err := capture.NewReplay(reader, &capture.ReplayOptions{Speed: 10})
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:8787", replay))
}
