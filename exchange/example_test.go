package exchange_test

import (
	"log"

	"github.com/bywire/bywire/exchange"
)

// A local exchange for clients in any language: they connect to it as they connect to Bybit, with another address.
func ExampleNew() {
	local, err := exchange.New(&exchange.Config{Seed: 7}) // nil: seed 0, and time as it is
	if err != nil {
		log.Fatal(err)
	}
	defer local.Close()
	server := local.Server()
	server.Addr = "127.0.0.1:8787"
	log.Fatal(server.ListenAndServe())
}
