package price

import "github.com/bywire/bywire/exchange/internal/fixed"

// Greeks are the value of an option and how it changes, in quote coin per unit of the base coin. Units are those of the
// venue's tickers, found from recorded ones (BTC-28JUN24-60000-P of 2024-05-15 and others, see the tests): Delta and Gamma for
// one quote coin, Vega for one percent of volatility, Theta for a day of 24 hours, interest 0, years of 365 days.
type Greeks struct {
	Price fixed.F
	Delta fixed.F
	Gamma fixed.F
	Vega  fixed.F
	Theta fixed.F
}

// percent is 1 %.
const percent = 100

// black76 values a European option on a forward price. Callers keep its moneyness, ln(F/K), and root, sqrt(T).
//
//	d1 = ln(F/K) / (vol*sqrt(T)) + vol*sqrt(T)/2     d2 = d1 - vol*sqrt(T)
//	call = F*N(d1) - K*N(d2)                         put = K*N(-d2) - F*N(-d1)
//	vega = F*n(d1)*sqrt(T)    gamma = n(d1) / (F*vol*sqrt(T))    theta = -F*n(d1)*vol / (2*sqrt(T))
//
// In the last 24 hours the venue shows Gamma and Theta times the days that are left: Theta is what remains to be lost rather
// than what a day would cost. That is read off the documentation's example, BTC-6JAN23-17500-C of 5 January 2023, 0.86 days
// before its expiry (V5 page websocket/public/ticker). Without time or volatility an option is worth its payoff.
func black76(forward, strike, moneyness, vol, root, years fixed.F, call bool) Greeks {
	sd := vol.Mul(root)
	if sd <= 0 || forward <= 0 || strike <= 0 {
		return payoff(forward, strike, call)
	}
	d1 := moneyness.Div(sd).Add(sd / 2)
	d2 := d1.Sub(sd)
	density := d1.NormPDF()

	var g Greeks
	if call {
		g.Delta = d1.NormCDF()
		g.Price = forward.Mul(g.Delta) - strike.Mul(d2.NormCDF())
	} else {
		n1 := (-d1).NormCDF()
		g.Delta = -n1
		g.Price = strike.Mul((-d2).NormCDF()) - forward.Mul(n1)
	}
	g.Price = max(0, g.Price)
	g.Gamma = density.Div(forward.Mul(sd))
	g.Vega = forward.Mul(density).Mul(root) / percent
	g.Theta = -forward.Mul(density).Mul(vol).Div(root) / (2 * 365)
	if days := years.MulInt(365); days < fixed.One {
		g.Gamma, g.Theta = g.Gamma.Mul(days), g.Theta.Mul(days)
	}
	return g
}

// payoff is the value of an option at its expiry.
func payoff(forward, strike fixed.F, call bool) Greeks {
	switch {
	case call && forward > strike:
		return Greeks{Price: forward - strike, Delta: fixed.One}
	case !call && strike > forward:
		return Greeks{Price: strike - forward, Delta: -fixed.One}
	}
	return Greeks{}
}

// maxVol is the highest implied volatility that is shown. Choice: the documentation's example of option tickers shows an ask
// far above the mark with "5".
const maxVol = 5 * fixed.One

// ImpliedVol returns the volatility at which black76 gives a price: 0 if the price is not above the payoff, 5 (500 %) if it
// is higher than that volatility gives. Accurate to 2e-9 in volatility, or where the price hardly depends on it to 1e-9 in price.
func ImpliedVol(forward, strike, years, price fixed.F, call bool) fixed.F {
	if forward <= 0 || strike <= 0 || years <= 0 || price <= payoff(forward, strike, call).Price {
		return 0
	}
	root, moneyness := years.Sqrt(), forward.Log()-strike.Log()
	value := func(vol fixed.F) Greeks { return black76(forward, strike, moneyness, vol, root, years, call) }
	if value(maxVol).Price <= price {
		return maxVol
	}
	// Newton's steps, kept between bounds that only come closer: where a step leaves them, halve.
	low, high := fixed.F(0), maxVol
	vol := min(max(price.Div(forward.Mul(root)).MulInt(5)/2, fixed.One/20), maxVol/2)
	for range 80 {
		g := value(vol)
		switch miss := g.Price - price; {
		case miss == 0:
			return vol
		case miss > 0:
			high = vol
		default:
			low = vol
		}
		next := low + (high-low)/2
		if g.Vega > 0 {
			if step := vol - (g.Price - price).Div(g.Vega.MulInt(percent)); step > low && step < high {
				next = step
			}
		}
		if high-low <= 2 || next == vol {
			return next
		}
		vol = next
	}
	return vol
}
