package main

import (
	"context"
	"fmt"
	"os"
	"slices"

	"github.com/bywire/bywire/bench/internal/client"
)

// delays are the percentiles of one round, in microseconds from the sender's
// write to the user's code.
type delays struct{ p50, p99, p999 float64 }

// compareDelays sends the feed at a steady rate, one message a write, and prints
// how long messages took. Both processes read one clock.
func compareDelays(ctx context.Context, o *options, names []string) error {
	results := make(map[string][]delays)
	for round := range o.rounds {
		for _, c := range client.Clients {
			if !slices.Contains(names, c.Name) {
				continue
			}
			r, sent, err := one(ctx, o, c.Name, workload{messages: o.paced, passes: 1, rate: o.rate})
			if err != nil {
				return fmt.Errorf("delays, round %d: %w", round+1, err)
			}
			d, err := percentiles(sent, r.At)
			if err != nil {
				return fmt.Errorf("delays, round %d: %s: %w", round+1, c.Name, err)
			}
			fmt.Fprintf(os.Stderr, "round %d of %d  %-14s p50 %6.0f us  p99 %6.0f us  p99.9 %6.0f us\n", round+1, o.rounds, c.Name, d.p50, d.p99, d.p999)
			results[c.Name] = append(results[c.Name], d)
		}
	}
	fmt.Printf("\n%d messages at %d a second, one a write; microseconds from write to user, medians of %d interleaved rounds; receivers have all processors but one.\n\n", o.paced, o.rate, o.rounds)
	fmt.Println("| client | p50 | p99 | p99.9 | p50 / hirokisan | p99 / hirokisan |")
	fmt.Println("|---|---:|---:|---:|---:|---:|")
	p50 := func(d delays) float64 { return d.p50 }
	p99 := func(d delays) float64 { return d.p99 }
	for _, c := range client.Clients {
		ds := results[c.Name]
		if len(ds) == 0 {
			continue
		}
		fmt.Printf("| %s | %.0f | %.0f | %.0f", c.Label, median(ds, p50), median(ds, p99), median(ds, func(d delays) float64 { return d.p999 }))
		for _, figure := range []func(delays) float64{p50, p99} {
			fmt.Printf(" | %s", ratio(ds, results["hirokisan"], figure, 2))
		}
		fmt.Println(" |")
	}
	return nil
}

// percentiles pairs the messages' times: they arrive in the order they were sent.
func percentiles(sent, at []int64) (delays, error) {
	if len(sent) != len(at) || len(at) == 0 {
		return delays{}, fmt.Errorf("%d messages were sent, %d arrived", len(sent), len(at))
	}
	took := make([]int64, len(at))
	for i := range at {
		took[i] = at[i] - sent[i]
	}
	slices.Sort(took)
	at1000 := func(n int) float64 { return float64(took[(len(took)-1)*n/1000]) / 1e3 }
	return delays{p50: at1000(500), p99: at1000(990), p999: at1000(999)}, nil
}
