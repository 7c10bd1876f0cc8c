package catalog

import "github.com/bywire/bywire/bybit"

// The tables of the default catalogue. Numbers are text as instruments-info shows them; turnover and open are millions of
// US dollars, what usually changes hands in a day and what is usually open on one side.

// spotRow is a spot pair.
type spotRow struct {
	base, quote              string
	tick, baseStep           string
	quoteStep                string
	minQty, maxQty, maxValue string
	maxLimit, maxMarket      string
	maxPostOnly              string
	limitX, limitY           string
	turnover                 int64
}

var spotRows = []spotRow{
	{"BTC", "USDT", "0.1", "0.000001", "0.0000001", "0.000011", "83", "8000000", "83", "41.5", "60000", "0.005", "0.01", 1400},
	{"ETH", "USDT", "0.01", "0.00001", "0.0000001", "0.00034", "2600", "7000000", "2600", "1300", "1600000", "0.005", "0.01", 800},
	{"SOL", "USDT", "0.01", "0.001", "0.00001", "0.008", "32000", "4000000", "32000", "16000", "9000000", "0.01", "0.02", 260},
	{"XRP", "USDT", "0.0001", "0.01", "0.000001", "0.54", "2100000", "4000000", "2100000", "1050000", "600000000", "0.01", "0.02", 180},
	{"DOGE", "USDT", "0.00001", "0.1", "0.000001", "8.2", "16000000", "2000000", "16000000", "8000000", "3000000000", "0.015", "0.03", 90},
	{"BTC", "USDC", "0.1", "0.000001", "0.0000001", "0.000011", "46", "4000000", "46", "23", "60000", "0.005", "0.01", 130},
	{"ETH", "USDC", "0.01", "0.00001", "0.0000001", "0.00034", "1300", "4000000", "1300", "650", "1600000", "0.005", "0.01", 60},
}

// minSpotValue is the smallest value of an order on spot, in quote coin.
const minSpotValue = "5"

// contractRow is a perpetual, or what the futures of a family have in common.
type contractRow struct {
	category bybit.Category
	symbol   string // of a future: what stands before the date
	base     string
	quote    string

	tick, maxPrice             string
	lot, maxQty, maxMarket     string
	leverage                   string // highest
	limitX, limitY, fundingCap string // fundingCap is empty for futures
	ladder                     ladder // risk tiers
	launched                   string // a day; empty for futures
	turnover, open             int64
	expiries                   expiries // futures: which are listed
}

var perpetualRows = []contractRow{
	{bybit.Linear, "BTCUSDT", "BTC", "USDT", "0.10", "1999999.80", "0.001", "1190.000", "500.000", "100.00", "0.01", "0.02", "0.00375", ladder{majorLadder, 2000000}, "2020-03-30", 5600, 4300, expiries{}},
	{bybit.Linear, "ETHUSDT", "ETH", "USDT", "0.01", "199999.98", "0.01", "7240.00", "3620.00", "100.00", "0.01", "0.02", "0.00375", ladder{majorLadder, 1500000}, "2020-10-21", 3200, 2100, expiries{}},
	{bybit.Linear, "SOLUSDT", "SOL", "USDT", "0.010", "19999.980", "0.1", "79770.0", "17390.0", "100.00", "0.02", "0.04", "0.005", ladder{broadLadder, 400000}, "2021-10-15", 1100, 700, expiries{}},
	{bybit.Linear, "XRPUSDT", "XRP", "USDT", "0.0001", "199.9998", "0.1", "3900000.0", "1950000.0", "75.00", "0.02", "0.04", "0.005", ladder{broadLadder, 400000}, "2021-05-13", 620, 420, expiries{}},
	{bybit.Linear, "DOGEUSDT", "DOGE", "USDT", "0.00001", "3.99998", "1", "25600000", "5120000", "75.00", "0.025", "0.05", "0.005", ladder{broadLadder, 200000}, "2021-06-02", 330, 240, expiries{}},
	{bybit.Linear, "BTCPERP", "BTC", "USDC", "0.10", "1999999.80", "0.001", "350.000", "75.000", "100.00", "0.01", "0.02", "0.00375", ladder{majorLadder, 1000000}, "2022-03-22", 180, 90, expiries{}},
	{bybit.Inverse, "BTCUSD", "BTC", "USD", "0.10", "1999999.80", "1", "25000000", "5000000", "100.00", "0.01", "0.02", "0.00375", ladder{broadLadder, 150}, "2018-11-15", 420, 240, expiries{}},
	{bybit.Inverse, "ETHUSD", "ETH", "USD", "0.01", "199999.98", "1", "10000000", "2000000", "100.00", "0.01", "0.02", "0.00375", ladder{broadLadder, 3000}, "2019-01-25", 90, 60, expiries{}},
}

// futureRows are families: the rows that New and Roll list the futures from.
var futureRows = []contractRow{
	{bybit.Linear, "BTCUSDT-", "BTC", "USDT", "0.10", "1999999.80", "0.001", "200.000", "50.000", "50.00", "0.02", "0.05", "", ladder{broadLadder, 1000000}, "", 45, 60, expiries{quarterly: 2}},
	{bybit.Inverse, "BTCUSD", "BTC", "USD", "0.10", "1999999.80", "1", "10000000", "1000000", "50.00", "0.02", "0.05", "", ladder{broadLadder, 100}, "", 25, 40, expiries{quarterly: 1}},
}

// optionRow is a chain of options on a coin.
type optionRow struct {
	base, quote     string
	tick, maxPrice  string
	lot, maxQty     string
	turnover, open  int64 // of an option near the money
	expiries        expiries
	strikesEachSide int // around the money, for each expiry
}

var optionRows = []optionRow{
	{"BTC", "USDT", "5", "1110000", "0.01", "500", 3, 8, expiries{daily: 3, weekly: 3, monthly: 2, quarterly: 3}, 4},
	{"ETH", "USDT", "0.1", "100000", "0.1", "5000", 1, 3, expiries{daily: 3, weekly: 3, monthly: 2, quarterly: 3}, 4},
}

// spreadRow is a combination of two instruments. A leg is a symbol; one that ends in - or is "BTCUSDT-2" stands for the
// family's first or second future by date.
type spreadRow struct {
	kind         bybit.SpreadType
	first        leg
	second       leg
	tick, bound  string
	lot, maxSize string
	launched     string
	turnover     int64
}

// leg names an instrument of a spread, or the nth future of a family.
type leg struct {
	category bybit.Category
	symbol   string
	nth      int // 0: symbol is complete; 1 is the future that is delivered first
}

var spreadRows = []spreadRow{
	{bybit.SpreadPerpSpot, leg{bybit.Linear, "BTCUSDT", 0}, leg{bybit.Spot, "BTCUSDT", 0}, "0.1", "199999.9", "0.001", "100", "2025-04-14", 20},
	{bybit.SpreadPerpSpot, leg{bybit.Linear, "ETHUSDT", 0}, leg{bybit.Spot, "ETHUSDT", 0}, "0.01", "19999.99", "0.01", "1500", "2025-04-14", 10},
	{bybit.SpreadPerpSpot, leg{bybit.Linear, "SOLUSDT", 0}, leg{bybit.Spot, "SOLUSDT", 0}, "0.0001", "1999.9998", "0.1", "50000", "2025-04-03", 4},
	{bybit.SpreadFutureSpot, leg{bybit.Linear, "BTCUSDT-", 1}, leg{bybit.Spot, "BTCUSDT", 0}, "0.1", "199999.9", "0.001", "50", "", 3},
	{bybit.SpreadFuturePerp, leg{bybit.Linear, "BTCUSDT-", 1}, leg{bybit.Linear, "BTCUSDT", 0}, "0.1", "199999.9", "0.001", "50", "", 3},
	{bybit.SpreadFutures, leg{bybit.Linear, "BTCUSDT-", 2}, leg{bybit.Linear, "BTCUSDT-", 1}, "0.1", "199999.9", "0.001", "50", "", 2},
}
