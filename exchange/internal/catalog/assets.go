package catalog

import (
	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/exchange/internal/fixed"
)

// Asset is what the generated market knows about a coin. Flow and past read it; nobody else makes prices.
type Asset struct {
	Coin string
	Name string

	Start     fixed.F // price when the exchange starts, in US dollars
	Vol       fixed.F // usual volatility of a year: 0.5 is 50 %
	Corr      fixed.F // correlation of its returns with the market factor, 0..1
	Carry     fixed.F // what a future is dearer than spot, for a year: 0.05 is 5 %
	Funding   fixed.F // usual premium of a perpetual over the index
	Liquidity uint8   // 1 is the deepest, 5 the thinnest
	Turnover  int64   // US dollars that change hands in a day in its main perpetual
}

// Beta returns how much the coin moves when the market factor, whose volatility is market's, moves by one.
func (a *Asset) Beta(market fixed.F) fixed.F { return a.Vol.Mul(a.Corr).Div(market) }

// assetRow is a row of the table below.
type assetRow struct {
	coin, name, start, vol, corr, carry, funding string
	liquidity                                    uint8
	turnover                                     int64 // millions of US dollars
}

// Prices in the style of the first days of 2026.
var assetRows = []assetRow{
	{"BTC", "Bitcoin", "88000", "0.46", "0.95", "0.050", "0.00002", 1, 5600},
	{"ETH", "Ethereum", "2975", "0.68", "0.90", "0.045", "0.00002", 1, 3200},
	{"SOL", "Solana", "125", "0.80", "0.85", "0.040", "0.00001", 2, 1100},
	{"XRP", "XRP", "1.87", "0.78", "0.78", "0.040", "0.00001", 2, 620},
	{"DOGE", "Dogecoin", "0.1230", "0.90", "0.80", "0.030", "0", 3, 330},
}

// stables are the coins whose price in US dollars is a constant. Choice: no stable coin walks on its own, but they are
// not equal either, so that BTCUSDC, BTCUSDT and BTCUSD differ by a few basis points as they do on the venue, and code
// that takes one for another can be told from code that does not.
var stables = []struct{ coin, usd string }{
	{"USD", "1"},
	{"USDT", "0.9996"},
	{"USDC", "0.9999"},
}

// number parses a number of a table.
func number(s string) fixed.F {
	f, ok := fixed.FromDecimal(decimal.MustParse(s))
	if !ok {
		panic("catalog: a number of its own table does not fit: " + s)
	}
	return f
}

func (r assetRow) asset() Asset {
	return Asset{
		Coin: r.coin, Name: r.name,
		Start: number(r.start), Vol: number(r.vol), Corr: number(r.corr), Carry: number(r.carry), Funding: number(r.funding),
		Liquidity: r.liquidity, Turnover: r.turnover * 1e6,
	}
}

// Assets returns the coins, in the order in which they were added. The slice is the catalogue's.
func (c *Catalog) Assets() []Asset { return c.assets }

// Asset returns a coin's data.
func (c *Catalog) Asset(coin string) (*Asset, bool) {
	for i := range c.assets {
		if c.assets[i].Coin == coin {
			return &c.assets[i], true
		}
	}
	return nil, false
}

// Stable returns what a coin with a constant price is worth in US dollars: USD, USDT and USDC.
func (c *Catalog) Stable(coin string) (fixed.F, bool) {
	for i := range stables {
		if stables[i].coin == coin {
			return c.stables[i], true
		}
	}
	return 0, false
}

// InQuote returns the price of a coin in a quote coin: index gives prices in US dollars, of the assets. A quote coin may be
// a stable one or an asset (ETH in BTC). It returns false if either has no price.
func (c *Catalog) InQuote(coin, quote string, index func(coin string) fixed.F) (fixed.F, bool) {
	price := func(coin string) fixed.F {
		if usd, ok := c.Stable(coin); ok {
			return usd
		}
		if _, ok := c.Asset(coin); ok {
			return index(coin)
		}
		return 0
	}
	b, q := price(coin), price(quote)
	if b <= 0 || q <= 0 {
		return 0, false
	}
	return b.Div(q), true
}

// StartPrice returns the index price of an instrument's base coin in its quote coin when the exchange starts.
func (c *Catalog) StartPrice(in *Instrument) fixed.F {
	p, _ := c.InQuote(in.Base, in.Quote, func(coin string) fixed.F {
		a, _ := c.Asset(coin)
		return a.Start
	})
	return p
}
