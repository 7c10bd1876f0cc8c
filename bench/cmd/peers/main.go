// Command peers measures what a message costs in bywire and in the other Go
// clients: the same generated feed over loopback, sent by another process,
// every client in a process of its own, rounds interleaved. It prints a table
// for docs/performance.md. A client that misses a message is an error, not a
// row. A second table has the delay of a message at a steady rate, each in a
// write of its own.
//
//	go run ./cmd/peers              # what make bench runs
//	go run ./cmd/peers -rounds 1 -clients bywire,bare
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"time"

	"github.com/bywire/bywire/bench/internal/client"
	"github.com/bywire/bywire/bench/internal/feed"
	"github.com/bywire/bywire/bench/internal/server"
)

type options struct {
	role     string // "" for the parent, "server", or a client's name
	seed     uint64
	messages int
	rounds   int
	passes   int
	addr     string
	clients  string
	profile  string
	rate     int // messages a second of the delays' rounds
	paced    int // messages of such a round
}

func main() {
	var o options
	flag.StringVar(&o.role, "role", "", "used by the command itself for its children")
	flag.StringVar(&o.addr, "addr", "", "likewise")
	flag.IntVar(&o.passes, "passes", 0, "send the feed so often (default: 10 times to fast clients, 2 to slow ones)")
	flag.Uint64Var(&o.seed, "seed", 1, "seed of the generated feed")
	flag.IntVar(&o.messages, "messages", 100_000, "messages of the feed")
	flag.IntVar(&o.rounds, "rounds", 5, "rounds, each with every client")
	flag.StringVar(&o.clients, "clients", "", "clients to run, separated by commas (default: all)")
	flag.StringVar(&o.profile, "cpuprofile", "", "write a CPU profile of the receiving process here (with one client and one round)")
	flag.IntVar(&o.rate, "rate", 2000, "messages a second when delays are measured; 0 leaves them out")
	flag.IntVar(&o.paced, "paced", 10_000, "messages of such a round")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	var err error
	switch o.role {
	case "":
		err = compare(ctx, &o)
	case "server":
		err = serve(&o)
	default:
		err = measure(ctx, &o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

// serve is the sending process. It prints its address and ends with its
// standard input.
func serve(o *options) error {
	f := feed.New(o.seed, o.messages)
	var names []string
	for _, t := range f.Topics {
		names = append(names, t.Name)
	}
	s := server.New(f.Messages, names, o.passes, o.rate)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	go func() {
		var b [1]byte
		_, _ = os.Stdin.Read(b[:])
		l.Close()
	}()
	if err := s.Serve(l); err != nil || o.rate == 0 {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(s.Sent())
}

// resultMark starts the line with a client's result: some clients print.
const resultMark = "RESULT "

// measure is the receiving process.
func measure(ctx context.Context, o *options) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for _, c := range client.Clients {
		if c.Name != o.role {
			continue
		}
		f := feed.New(o.seed, o.messages)
		run := &client.Run{Addr: o.addr, Topics: f.Topics, Total: len(f.Messages) * o.passes, Books: f.Books * o.passes, Times: o.rate > 0}
		f.Messages = nil
		result, err := profiled(o.profile, func() (*client.Result, error) { return client.Measure(ctx, c.Func, run) })
		if err != nil {
			return fmt.Errorf("%s: %w", c.Name, err)
		}
		line, err := json.Marshal(result)
		if err != nil {
			return err
		}
		fmt.Println(resultMark + string(line))
		return nil
	}
	return fmt.Errorf("no client %q", o.role)
}

// profiled runs measure, and writes a CPU profile of it if path names a file.
func profiled(path string, measure func() (*client.Result, error)) (*client.Result, error) {
	if path == "" {
		return measure()
	}
	out, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	if err := pprof.StartCPUProfile(out); err != nil {
		return nil, err
	}
	defer pprof.StopCPUProfile()
	return measure()
}

// compare starts the processes and prints the table.
func compare(ctx context.Context, o *options) error {
	results := make(map[string][]client.Result)
	var names []string
	for _, c := range client.Clients {
		if o.clients == "" || slices.Contains(strings.Split(o.clients, ","), c.Name) {
			names = append(names, c.Name)
		}
	}
	if len(names) == 0 {
		return fmt.Errorf("no client is called %q", o.clients)
	}
	for round := range o.rounds {
		for _, c := range client.Clients {
			if !slices.Contains(names, c.Name) {
				continue
			}
			passes := o.passes
			if passes == 0 {
				passes = c.Passes
			}
			r, _, err := one(ctx, o, c.Name, workload{messages: o.messages, passes: passes})
			if err != nil {
				return fmt.Errorf("round %d: %w", round+1, err)
			}
			fmt.Fprintf(os.Stderr, "round %d of %d  %-14s %8d messages  cpu %7.0f ns  wall %7.0f ns  allocs %6.2f\n", round+1, o.rounds, c.Name, r.Messages, r.CPUNs, r.WallNs, r.Allocs)
			results[c.Name] = append(results[c.Name], *r)
		}
	}
	printTable(o, results)
	if o.rate == 0 {
		return nil
	}
	return compareDelays(ctx, o, names)
}

// workload is what is sent to a client.
type workload struct {
	messages, passes int
	rate             int // messages a second; 0: as fast as they are taken
}

// one runs a server and one client against it. With a rate it also returns when
// each message was sent.
func one(ctx context.Context, o *options, name string, w workload) (_ *client.Result, sent []int64, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	shared := []string{"-seed", fmt.Sprint(o.seed), "-messages", fmt.Sprint(w.messages), "-passes", fmt.Sprint(w.passes), "-rate", fmt.Sprint(w.rate)}
	sender := exec.CommandContext(ctx, self, append(shared, "-role", "server")...)
	sender.Stderr = os.Stderr
	hold, err := sender.StdinPipe()
	if err != nil {
		return nil, nil, err
	}
	out, err := sender.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := sender.Start(); err != nil {
		return nil, nil, err
	}
	defer func() {
		hold.Close()
		err = errors.Join(err, sender.Wait())
	}()
	said := bufio.NewReader(out)
	addr, err := said.ReadString('\n')
	if err != nil {
		return nil, nil, fmt.Errorf("server: %w", err)
	}

	receiver := exec.CommandContext(ctx, self, append(shared, "-role", name, "-addr", strings.TrimSpace(addr), "-cpuprofile", o.profile)...)
	receiver.Stderr = os.Stderr
	if w.rate > 0 {
		// A processor is the sender's: where it has to wait for one, its wait would count as the receiver's delay.
		receiver.Env = append(os.Environ(), fmt.Sprintf("GOMAXPROCS=%d", max(runtime.NumCPU()-1, 1)))
	}
	printed, err := receiver.Output()
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	for line := range bytes.Lines(printed) {
		if result, ok := bytes.CutPrefix(line, []byte(resultMark)); ok {
			r := new(client.Result)
			if err := json.Unmarshal(result, r); err != nil || w.rate == 0 {
				return r, nil, err
			}
			hold.Close()
			return r, sent, json.NewDecoder(said).Decode(&sent)
		}
	}
	return nil, nil, errors.New(name + ": no result")
}

func printTable(o *options, results map[string][]client.Result) {
	fmt.Printf("%d messages a pass, seed %d, %d interleaved rounds, medians; %s, %s/%s, %d processors.\n\n", o.messages, o.seed, o.rounds, runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	fmt.Println("| client | CPU ns a message | wall ns a message | allocations | bytes allocated | × hirokisan, CPU | × hirokisan, wall | × official, CPU | × official, wall |")
	fmt.Println("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
	cpu := func(r client.Result) float64 { return r.CPUNs }
	wall := func(r client.Result) float64 { return r.WallNs }
	for _, c := range client.Clients {
		rs := results[c.Name]
		if len(rs) == 0 {
			continue
		}
		fmt.Printf("| %s | %.0f | %.0f | %.2f | %.0f", c.Label, median(rs, cpu), median(rs, wall),
			median(rs, func(r client.Result) float64 { return r.Allocs }),
			median(rs, func(r client.Result) float64 { return r.Bytes }))
		for _, peer := range []string{"hirokisan", "official"} {
			for _, cost := range []func(client.Result) float64{cpu, wall} {
				fmt.Printf(" | %s", ratio(results[peer], rs, cost, 1))
			}
		}
		fmt.Println(" |")
	}
}

// ratio is the median of the rounds' ratios of two clients' figures.
func ratio[T any](above, below []T, figure func(T) float64, places int) string {
	if len(above) != len(below) {
		return ""
	}
	var ratios []float64
	for i := range above {
		ratios = append(ratios, figure(above[i])/figure(below[i]))
	}
	slices.Sort(ratios)
	return fmt.Sprintf("%.*f", places, middle(ratios))
}

func median[T any](rounds []T, figure func(T) float64) float64 {
	var values []float64
	for _, r := range rounds {
		values = append(values, figure(r))
	}
	slices.Sort(values)
	return middle(values)
}

func middle(sorted []float64) float64 {
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
