// Command bywire is the Bybit V5 API on the command line: watch the exchange's
// public data, call any endpoint, record, import recordings, check them, and serve them
// again in the same protocol; or serve a generated market.
//
//	bywire up
//	bywire exchange --seed 7 --clock x10
//	bywire stream orderbook.50.BTCUSDT publicTrade.BTCUSDT
//	bywire book BTCUSDT
//	bywire record --to rec orderbook.50.BTCUSDT spot:publicTrade.BTCUSDT
//	bywire capture import --from v5-jsonl --category linear --to rec day.jsonl.gz
//	bywire capture verify rec
//	bywire replay rec --listen 127.0.0.1:8787
//	bywire call GET /v5/market/tickers category=linear symbol=BTCUSDT
//	bywire keys --env testnet --creds testnet.json
//	bywire doctor
//	bywire watch --if 'fundingRate > 0.0005' BTCUSDT
//
// What every subcommand keeps to:
//
//   - Data goes to stdout, words go to stderr. On a pipe stdout carries neither
//     colour nor cursor movements.
//   - What is wrong is said in one line that also says what would be right.
//   - A key is read from a file or the environment, never from an argument, and never
//     printed.
//   - Numbers are printed as they were received; none passes through a float.
//   - SIGINT and SIGTERM end everything in order. A reader of stdout that goes
//     away, as head does, ends the command quietly.
//
// Exit codes:
//
//	0    done
//	1    something else, such as a full disk
//	2    usage: a wrong flag, topic, depth, symbol or file
//	3    authentication
//	4    refused by the exchange
//	5    rate limited
//	6    network
//	7    outcome unknown
//	8    a gap, or damaged data
//	130  interrupted
//
// One file holds one subcommand. What they share is in exit.go (errors and their
// codes), output.go (stdout), progress.go, connection.go (environments, keys),
// selection.go (topics as people write them), moment.go (times), metrics.go (what
// --metrics serves), serve.go (what serves) and config.go (flags from a file).
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// version is set by the linker; see the Makefile.
var version = ""

func main() {
	// Without this, a write to a pipe that nobody reads kills the process
	// before it can end in order.
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The second signal kills, should the orderly end take too long.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the whole command: it returns the exit code. ctx ending is an
// interruption.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := newApp(stdin, stdout, stderr)
	root := a.rootCommand()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(a.out)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if e := a.out.Flush(); err == nil && e != nil {
		err = &outputError{e}
	}
	return a.finish(ctx, err)
}
