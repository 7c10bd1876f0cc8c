package catalog

import (
	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/decimal"
)

// ladder says how a contract's risk tiers are made: the steps of a table, and the position value of the first tier in quote
// coin (base coin on inverse).
type ladder struct {
	steps ladderSteps
	first int64
}

// ladderSteps names a table of tiers.
type ladderSteps uint8

const (
	broadLadder ladderSteps = iota + 1
	majorLadder
)

// step is one tier: its limit in thousandths of the first one's, the leverage it allows, and the maintenance margin rate in
// ten thousandths; 0 is half the initial margin.
type step struct {
	limit       int64
	leverage    int64
	maintenance int64
}

// majorSteps is the ladder of BTCUSDT with 2 million in the first tier, as the margin parameters page had it (bybit.com
// zh-TW, undated).
var majorSteps = []step{
	{1000, 100, 50}, {1300, 90, 56}, {1600, 80, 63}, {1900, 75, 67}, {2200, 70, 71}, {2500, 65, 77}, {2800, 55, 91},
	{4250, 50, 100}, {5000, 45, 130}, {7000, 40, 150}, {10000, 35, 160}, {14000, 30, 200}, {19000, 25, 250}, {25000, 20, 290},
	{27500, 19, 300}, {30000, 18, 350}, {32500, 17, 360}, {35000, 16, 380}, {37500, 15, 400}, {40000, 14, 450},
}

// broadSteps is for everything else; tiers above the contract's leverage are left out, and the first that stays begins at
// the first limit.
var broadSteps = []step{
	{1000, 100, 0}, {2000, 75, 0}, {3000, 50, 0}, {4500, 40, 0}, {6000, 33, 0}, {8000, 25, 0}, {11000, 20, 0}, {15000, 16, 0},
	{20000, 12, 0}, {27000, 10, 0}, {36000, 8, 0}, {48000, 6, 0}, {64000, 5, 0}, {85000, 4, 0}, {110000, 3, 0}, {150000, 2, 0},
}

// tiers makes the risk tiers of a contract. Rates are fractions of four digits on linear and percent of two on inverse,
// as risk-limit shows them.
// The deduction makes the maintenance margin continuous where tiers meet: it is the limit of the tier below times the rise
// of the rate, plus the deduction below (V5 page market/risk-limit, mmDeduction).
func tiers(symbol string, l ladder, maxLeverage decimal.Decimal, inverse bool) []bybit.RiskLimitTier {
	steps := broadSteps
	if l.steps == majorLadder {
		steps = majorSteps
	}
	first := 0
	for first < len(steps)-1 && decimal.FromInt(steps[first].leverage).Cmp(maxLeverage) > 0 {
		first++
	}
	steps = steps[first:]

	rate := func(share int64) decimal.Decimal { // of ten thousandths
		if inverse {
			return Trimmed(share, 2)
		}
		return Trimmed(share, 4)
	}
	var list []bybit.RiskLimitTier
	var below, deduction int64 // of the tier below: its rate; its deduction in ten millionths of a coin
	for i, s := range steps {
		initial, leverage := divRound(1e4, s.leverage), decimal.New(s.leverage*100, 2)
		if i == 0 {
			initial, leverage = leverageRate(maxLeverage), maxLeverage.Round(2, decimal.ToZero)
		}
		maintenance := s.maintenance
		if maintenance == 0 || maintenance > initial {
			maintenance = divRound(initial, 2)
		}
		t := bybit.RiskLimitTier{
			ID: int64(i + 1), Symbol: symbol,
			RiskLimitValue:    Trimmed(l.first*s.limit*1000/steps[0].limit, 3),
			MaintenanceMargin: rate(maintenance), InitialMargin: rate(initial),
			IsLowestRisk: i == 0,
			MaxLeverage:  leverage,
		}
		if i > 0 {
			deduction += l.first * (steps[i-1].limit * 1000 / steps[0].limit) * (maintenance - below)
			t.MMDeduction = Trimmed(deduction, 7)
		}
		below = maintenance
		list = append(list, t)
	}
	return list
}

// leverageRate is 1 / leverage in ten thousandths.
func leverageRate(leverage decimal.Decimal) int64 {
	hundredths, ok := leverage.Round(2, decimal.ToZero).Units(2)
	if !ok || hundredths <= 0 {
		hundredths = 100
	}
	return max(1, divRound(1e6, hundredths))
}

// divRound is a/b to the nearest whole number, for positive numbers.
func divRound(a, b int64) int64 { return (a + b/2) / b }
