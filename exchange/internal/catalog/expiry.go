package catalog

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/exchange/internal/fixed"
)

// Lengths of time in ns.
const (
	Second = int64(1e9)
	Minute = 60 * Second
	Hour   = 60 * Minute
	Day    = 24 * Hour
)

// deliveryHour is when contracts expire, of a day in UTC ("Futures and options deliver at 08:00 UTC", V5 page
// market/delivery-price and contract rules).
const deliveryHour = 8 * Hour

// expiries says how many contracts of a family are listed, by how often they expire. A date that is two of them counts as
// both and is listed once.
type expiries struct{ daily, weekly, monthly, quarterly int }

// period is how often a contract expires.
type period uint8

const (
	daily period = iota
	weekly
	monthly
	quarterly
)

// periodOf returns the longest period that ends on a delivery date: of the last Friday of a month, monthly.
func periodOf(at int64) period {
	t := time.Unix(0, at).UTC()
	if t.Weekday() != time.Friday {
		return daily
	}
	if t.AddDate(0, 0, 7).Month() == t.Month() {
		return weekly
	}
	if t.Month()%3 == 0 {
		return quarterly
	}
	return monthly
}

// nextDelivery returns the first 08:00 UTC after a time.
func nextDelivery(after int64) int64 {
	return fixed.Floor(after-deliveryHour, Day) + Day + deliveryHour
}

// after returns the next n deliveries of a period after a time.
func (p period) after(at int64, n int) []int64 {
	list := make([]int64, 0, n)
	step := Day
	t := nextDelivery(at)
	if p > daily { // the longer ones end on Fridays
		for time.Unix(0, t).UTC().Weekday() != time.Friday {
			t += Day
		}
		step = 7 * Day
	}
	for ; len(list) < n; t += step {
		if periodOf(t) >= p {
			list = append(list, t)
		}
	}
	return list
}

// futures returns the deliveries of the futures that are listed at a time, earliest first. The next one is listed at the
// moment of a delivery (choice: the venue's times differ from family to family).
func (e expiries) futures(at int64) []int64 { return e.listed(at, at) }

// options returns the deliveries of the options that are listed at a time: new dailies come every day at 08:00 UTC, all
// others on Thursdays at 08:00 UTC ("FAQ options", bybit.com zh-MY, 2024-10-23).
func (e expiries) options(at int64) []int64 {
	thursday := nextDelivery(at) - Day
	for time.Unix(0, thursday).UTC().Weekday() != time.Thursday {
		thursday -= Day
	}
	return e.listed(at, thursday)
}

// listed returns the dailies after at and the others after since, without those that are over.
func (e expiries) listed(at, since int64) []int64 {
	list := slices.Concat(daily.after(at, e.daily), weekly.after(since, e.weekly), monthly.after(since, e.monthly), quarterly.after(since, e.quarterly))
	list = slices.DeleteFunc(list, func(t int64) bool { return t <= at })
	slices.Sort(list)
	return slices.Compact(list)
}

// since returns when a delivery that is listed at a time came into the list. It looks back 400 days.
func since(at, delivery int64, list func(at int64) []int64) int64 {
	t := nextDelivery(at) - Day
	for range 400 {
		if !slices.Contains(list(t-Day), delivery) {
			break
		}
		t -= Day
	}
	return t
}

// dayMonthYear writes a date as options have it: 6JAN23.
func dayMonthYear(at int64) string {
	return strings.ToUpper(time.Unix(0, at).UTC().Format("2Jan06"))
}

// futureSymbol writes the symbol of a future: BTCUSDT-26JUN26 on linear, BTCUSDM26 on inverse, where the letter is the
// month of the quarter.
func (r contractRow) futureSymbol(delivery int64) string {
	t := time.Unix(0, delivery).UTC()
	if strings.HasSuffix(r.symbol, "-") {
		return r.symbol + strings.ToUpper(t.Format("02Jan06"))
	}
	return fmt.Sprintf("%s%c%02d", r.symbol, "HMUZ"[(t.Month()-1)/3], t.Year()%100)
}

// strikeOf reads the strike out of an option's symbol, BTC-27MAR26-70000-P-USDT.
func strikeOf(symbol string) (fixed.F, bool) {
	parts := strings.Split(symbol, "-")
	if len(parts) < 4 {
		return 0, false
	}
	d, err := decimal.Parse(parts[2])
	if err != nil || d.Sign() <= 0 {
		return 0, false
	}
	return fixed.FromDecimal(d)
}

// strikeShare is the distance of two strikes as a share of the price, in basis points. Choice: rounded to a step below they
// give 1000, 2000, 5000 and 10000 for BTC at 88,000, wide enough that nine strikes cover what a price does until the expiry.
var strikeShare = [...]int64{daily: 120, weekly: 230, monthly: 500, quarterly: 1000}

// strikeStep returns the distance of two strikes: the number of 1, 2, 5, 10, 20 ... nearest to the share in proportion.
func strikeStep(price fixed.F, p period) int64 {
	share := max(0, fixed.MulDiv(int64(price), strikeShare[p], 10000))
	unit := int64(1)
	for {
		for _, m := range [...]struct{ step, below int64 }{{1, 1414}, {2, 3162}, {5, 7071}} {
			// The middle between two steps, in proportion, is their geometric mean.
			if share < fixed.MulDiv(unit*m.below, int64(fixed.One), 1000) {
				return unit * m.step
			}
		}
		if unit >= 1e8 {
			return unit * 10
		}
		unit *= 10
	}
}

// strikes returns n strikes on each side of the one nearest to the price, lowest first.
func strikes(price fixed.F, p period, n int) []int64 {
	step := strikeStep(price, p)
	money := fixed.MulDivRound(int64(price), 1, int64(fixed.One)*step) * step
	var list []int64
	for k := money - int64(n)*step; k <= money+int64(n)*step; k += step {
		if k > 0 {
			list = append(list, k)
		}
	}
	return list
}
