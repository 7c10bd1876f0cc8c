package main

import (
	"strings"

	"github.com/bywire/bywire/bybit"
)

// coins are what is followed against USDT. One that is not listed any more is
// rejected, which leaves the rest alone.
const coins = `
	BTC ETH SOL XRP DOGE ADA AVAX LINK DOT LTC BCH TRX UNI ATOM ETC XLM NEAR APT ARB OP
	SUI SEI TIA INJ FIL ICP HBAR VET ALGO SAND MANA AXS AAVE CRV SNX COMP YFI SUSHI ENJ
	CHZ GALA APE GMT LDO DYDX IMX RUNE FTM EGLD THETA KAVA ZEC DASH XTZ NEO QTUM IOTA
	ONT ZIL BAT KSM WAVES ROSE CELO ONE MASK LRC ANKR STORJ SKL BLUR JUP PYTH WLD
	ORDI STX FET GRT AR JASMY CFX ID HOOK MAGIC HIGH MINA WOO ENS PENDLE TON NOT W ENA
	ETHFI STRK DYM ALT MANTA ONDO PIXEL PORTAL AEVO ZK ZRO IO TAO`

// topics returns three for each coin.
func topics() []bybit.Topic {
	var all []bybit.Topic
	for _, coin := range strings.Fields(coins) {
		symbol := coin + "USDT"
		all = append(all, bybit.Trades(symbol), bybit.OrderBook(1, symbol), bybit.Tickers(symbol))
	}
	return all
}
