// Command balance prints what an account on testnet holds. The key is read from
// the environment:
//
//	BYBIT_API_KEY=... BYBIT_API_SECRET=... go run ./examples/balance
package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/bywire/bywire/bybit"
)

// run asks for the balances of the unified account and prints a line per coin.
func run(ctx context.Context, out io.Writer, options *bybit.Options) error {
	client, err := bybit.NewClient(options)
	if err != nil {
		return err
	}
	defer client.Close()
	wallet, err := client.Account.WalletBalance(ctx, &bybit.AccountWalletBalanceParams{AccountType: bybit.AccountUnified})
	if err != nil {
		return err
	}
	for _, account := range wallet.List {
		fmt.Fprintf(out, "equity %s USD\n", account.TotalEquity)
		for _, coin := range account.Coins {
			fmt.Fprintf(out, "%s %s\n", coin.Coin, coin.WalletBalance)
		}
	}
	return nil
}

func main() {
	keys, err := bybit.CredentialsFromEnv()
	if err == nil {
		err = run(context.Background(), os.Stdout, &bybit.Options{Environment: bybit.Testnet(), Credentials: keys})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
