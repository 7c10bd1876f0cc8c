package price

import (
	"strings"

	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/fixed"
)

// Component is a spot market that an index is made of.
type Component struct {
	Exchange string
	Pair     string  // as that exchange writes it
	Price    fixed.F // in the quote coin of the index
	Weight   fixed.F // the weights of an index add up to 1
}

// exchange is where a pair is traded: the exchange's name as index-price-components writes it, and how it writes a pair, with B
// and Q for the coins.
type exchange struct{ name, pair string }

// The six markets of an index ("Index Price Calculation", testnet.bytick.com: the top six by volume). Choice: which ones; pairs
// in dollars are traded elsewhere than pairs in stable coins.
var (
	stableExchanges = []exchange{{"Binance", "BQ"}, {"Bybit", "BQ"}, {"OKX", "B-Q"}, {"Bitget", "BQ"}, {"GateIO", "B_Q"}, {"Mexc", "BQ"}}
	dollarExchanges = []exchange{{"Coinbase", "B-Q"}, {"Kraken", "B/Q"}, {"Bitstamp", "BQ"}, {"Gemini", "BQ"}, {"Bitfinex", "BQ"}, {"LMAX", "BQ"}}
)

// deviation is how far the markets of an index are apart: the standard deviation of their prices.
const deviation = fixed.One / 20000

// Components returns what an index is made of at the last Update; nil without such an index. The simulated index comes first and
// its markets follow from it: each has a price of its own that changes with every second, and the sum of price times weight
// is the index but for the last digit.
func (b *Board) Components(base, quote string) []Component {
	index, ok := b.Index(base, quote)
	if !ok {
		return nil
	}
	exchanges := stableExchanges
	if quote == "USD" {
		exchanges = dollarExchanges
	}
	list := make([]Component, len(exchanges))
	weights := fixed.NewNoise(0, "index weights", base, quote)
	var sum fixed.F
	for i, e := range exchanges {
		list[i] = Component{Exchange: e.name, Pair: strings.NewReplacer("B", base, "Q", quote).Replace(e.pair)}
		list[i].Weight = fixed.One/20 + weights.F(uint64(i))
		sum += list[i].Weight
	}
	rest := fixed.One
	for i := range list[1:] {
		list[i+1].Weight = list[i+1].Weight.Div(sum)
		rest -= list[i+1].Weight
	}
	list[0].Weight = rest

	second := uint64(b.now / catalog.Second)
	var mean fixed.F
	apart := make([]fixed.F, len(list))
	for i := range list {
		prices := fixed.NewNoise(0, "index prices", base, quote, list[i].Exchange)
		apart[i] = prices.Gauss(second).Mul(deviation)
		mean += apart[i].Mul(list[i].Weight)
	}
	for i := range list {
		list[i].Price = index + index.Mul(apart[i]-mean)
	}
	return list
}
