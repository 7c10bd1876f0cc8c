// Command market writes docs/market.md: it measures the recordings of the real exchange and the market that the local
// exchange generates, and puts the figures beside one another. Run it from the module's root:
//
//	go run ./exchange/internal/cmd/market -recordings ../shared/testdata/real
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/bywire/bywire/exchange/internal/realism"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "market:", err)
		os.Exit(1)
	}
}

func run() error {
	dir := flag.String("recordings", "../shared/testdata/real", "folder of the recordings")
	out := flag.String("out", "docs/market.md", "file to write")
	flag.Parse()
	pairs, returns, err := realism.Compare(*dir)
	if err != nil {
		return err
	}
	return os.WriteFile(*out, []byte(realism.Document(pairs, returns)), 0o644) //nolint:gosec // a document for everybody
}
