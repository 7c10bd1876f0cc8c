package api

import (
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/exchange/internal/catalog"
)

// coinScale is how many digits after the point the balance of a pool has.
const coinScale = 8

// insurance answers insurance. A coin without pools has an empty list (choice).
func insurance(v *view) (result, *Refusal) {
	var p bybit.InsuranceParams
	if refused := v.decode(&p); refused != nil {
		return nil, refused
	}
	r := &bybit.InsuranceResult{List: []bybit.InsuranceFund{}}
	renewed := int64(0)
	for _, f := range v.Feed().Insurance() {
		if p.Coin.Or(f.Coin) != f.Coin {
			continue
		}
		balance := catalog.Trimmed(f.Balance, coinScale)
		r.List = append(r.List, bybit.InsuranceFund{Coin: f.Coin, Symbols: f.Symbols, Balance: balance, Value: v.inDollars(f.Coin, balance)})
		renewed = max(renewed, f.At)
	}
	r.UpdatedTime = timeOf(renewed)
	return r, nil
}

// inDollars is what an amount of a coin is worth at its index price; absent without one.
func (v *view) inDollars(coin string, amount decimal.Decimal) decimal.Decimal {
	price, ok := v.Catalog().Stable(coin)
	if !ok {
		if price, ok = v.Board().Index(coin, "USD"); !ok {
			return decimal.Decimal{}
		}
	}
	value, err := amount.Mul(shown(price, 8))
	if err != nil {
		return decimal.Decimal{}
	}
	return trimmed(value.Round(coinScale, decimal.HalfEven))
}

// adlAlerts answers adlAlert, whose values are renewed every minute.
func adlAlerts(v *view) (result, *Refusal) {
	var p bybit.ADLAlertsParams
	if refused := v.decode(&p); refused != nil {
		return nil, refused
	}
	id := catalog.None
	if symbol, ok := p.Symbol.Get(); ok {
		in, found := v.Catalog().Find(bybit.Linear, symbol)
		if !found {
			in, found = v.Catalog().Find(bybit.Inverse, symbol)
		}
		if !found {
			return nil, refuse(wrongSymbol)
		}
		id = in.ID
	}
	r := &bybit.ADLAlertsResult{UpdatedTime: timeOf(v.now - v.now%int64(time.Minute)), List: []bybit.ADLState{}}
	for _, a := range v.Feed().ADL(id) {
		r.List = append(r.List, bybit.ADLState{
			Coin: a.Coin, Symbol: a.Symbol, Balance: a.Balance, InsurancePnLRatio: a.InsurancePnL, PnLRatio: a.PnLRatio,
			ADLTriggerThreshold: a.TriggerThreshold, ADLStopRatio: a.StopRatio,
		})
	}
	return r, nil
}
