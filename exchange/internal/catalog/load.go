package catalog

import (
	"fmt"
	"math"
	"slices"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/internal/wire"
)

// Load reads instruments from a file and adds them, or replaces those of the same category and symbol. It is to be called
// before the exchange starts. The file is one of:
//
//   - a reply of /v5/market/instruments-info, whole or only its result;
//
//   - our own form, in which everything but the names has a default:
//
//     {"assets":      [{"coin": "PEPE", "price": "0.0000071", "volatility": "1.1", "correlation": "0.7", "liquidity": 4}],
//     "instruments": [{"category": "linear", "like": "DOGEUSDT", "symbol": "PEPEUSDT", "baseCoin": "PEPE",
//     "priceFilter": {"tickSize": "0.00000001"}, "lotSizeFilter": {"qtyStep": "100"}}]}
//
// The members of an instrument are those of instruments-info, besides category and like, the symbol of the same category
// whose members it takes over. Where it has another coin or tick than that one, minPrice, maxPrice and priceScale are made
// anew, with another lot the sizes of orders, and with another quote coin minOrderAmt, maxOrderAmt and minNotionalValue are
// left out (not from one dollar coin to another), unless it names them. A coin without a price is assumed to cost
// 12,000 ticks, which is near the truth for most real instruments (choice). What was launched after the start is there from the
// start (choice). Dated contracts from a file are delivered;
// nothing is listed after them.
//
// What cannot be simulated is left out, and skipped says why, in sentences such as
//
//	linear OLDUSDT: status is "Closed": want Trading
//
// So is what does not trade or is delivered before the start or more than two years after it, has a quote coin without a
// price, ticks below 1e-9, fewer than 10 or more than 89 million ticks in its price, bounds that contradict it or one
// another or are no multiples of the tick, sizes of orders that are not more than 0, or a lot worth more than a hundredth of
// the usual turnover of a day. Prices are kept in steps of 2.3e-10: a pair that costs less than a thousandth of a cent, such
// as DOGE in BTC, moves in steps of more than a tenth of a basis point. An error means that the file cannot be read, or that instruments
// that are there do not fit its coins; then nothing was changed.
func (c *Catalog) Load(data []byte) (skipped []string, err error) {
	f, err := readFile(data)
	if err != nil {
		return nil, fmt.Errorf("catalog: %w", err)
	}
	for i := range f.assets {
		if err := f.assets[i].check(); err != nil {
			return nil, fmt.Errorf("catalog: %w", err)
		}
	}
	infos := make([]bybit.Instrument, len(f.rows))
	for i := range f.rows {
		if err := c.fill(&f.rows[i], &infos[i], infos[:i], f.rows[:i]); err != nil {
			return nil, fmt.Errorf("catalog: %w", err)
		}
	}
	assets := slices.Clone(c.assets)
	for i := range f.assets {
		c.learn(&f.assets[i])
	}
	if err := c.still(f, infos); err != nil {
		c.assets = assets
		return nil, fmt.Errorf("catalog: %w", err)
	}
	priced := slices.Clone(c.assets)
	for i := range f.rows {
		// What the venue says of a lot tells more than a price that is assumed from a tick.
		trust := f.rows[i].reply && !slices.ContainsFunc(priced, func(a Asset) bool { return a.Coin == infos[i].BaseCoin && a.Start > 0 })
		if err := c.load(bybit.Category(f.rows[i].category), &infos[i], trust); err != nil {
			skipped = append(skipped, fmt.Sprintf("%s %s: %v", f.rows[i].category, infos[i].Symbol, err))
		}
	}
	c.reindex()
	return skipped, nil
}

// file is what a file holds.
type file struct {
	result   []byte // of a reply
	category string
	list     [][]byte
	assets   []fileAsset
	own      [][]byte
	rows     []fileRow
}

// fileRow is an instrument of a file, and what stands beside its members.
type fileRow struct {
	category, like string
	json           []byte
	reply          bool // of a reply
}

// fileAsset is a coin of a file. What is unset keeps its value, or is a default.
type fileAsset struct {
	coin, name                             string
	price, vol, corr, carry, funding, deep decimal.Decimal
	turnover                               decimal.Decimal
}

func (f *file) fields(w *wire.Fields) {
	w.Raw("result", &f.result)
	w.Text("category", &f.category)
	raw := func(w *wire.Fields, name string, p *[]byte) { w.Raw(name, p) }
	wire.Values(w, "list", &f.list, raw)
	wire.Structs(w, "assets", &f.assets, (*fileAsset).fields)
	wire.Values(w, "instruments", &f.own, raw)
}

func (a *fileAsset) fields(w *wire.Fields) {
	w.Text("coin", &a.coin)
	w.Text("name", &a.name)
	w.Decimal("price", &a.price)
	w.Decimal("volatility", &a.vol)
	w.Decimal("correlation", &a.corr)
	w.Decimal("carry", &a.carry)
	w.Decimal("funding", &a.funding)
	w.Number("liquidity", &a.deep)
	w.Number("turnover", &a.turnover)
}

func (r *fileRow) fields(w *wire.Fields) {
	w.Text("category", &r.category)
	w.Text("like", &r.like)
}

// readFile tells the forms apart.
func readFile(data []byte) (*file, error) {
	f := new(file)
	if err := wire.Decode(data, f, (*file).fields); err != nil {
		return nil, fmt.Errorf("instruments file: %w", err)
	}
	if len(f.result) > 0 {
		data, f = f.result, new(file)
		if err := wire.Decode(data, f, (*file).fields); err != nil {
			return nil, fmt.Errorf("result of an instruments-info reply: %w", err)
		}
	}
	for _, json := range f.list {
		f.rows = append(f.rows, fileRow{category: f.category, json: json, reply: true})
	}
	for i, json := range f.own {
		r := fileRow{json: json}
		if err := wire.Decode(json, &r, (*fileRow).fields); err != nil {
			return nil, fmt.Errorf("instruments[%d]: %w", i, err)
		}
		if categoryIndex(bybit.Category(r.category)) < 0 || r.category == bybit.Spread {
			return nil, fmt.Errorf("instruments[%d]: category %q is none of spot, linear, inverse, option", i, r.category)
		}
		f.rows = append(f.rows, r)
	}
	if len(f.rows) == 0 && len(f.assets) == 0 {
		return nil, fmt.Errorf("instruments file: neither a reply with a list, nor assets, nor instruments")
	}
	return f, nil
}

// unsaid is the funding interval of a row that does not name one: 0 would be one that cannot be.
const unsaid = math.MinInt64

// fill decodes a row over what it is like: an instrument of the catalogue or an earlier one of the file.
func (c *Catalog) fill(r *fileRow, info *bybit.Instrument, earlier []bybit.Instrument, rows []fileRow) error {
	if r.like != "" {
		like, ok := (*bybit.Instrument)(nil), false
		for i := range earlier {
			if rows[i].category == r.category && earlier[i].Symbol == r.like {
				like, ok = &earlier[i], true
			}
		}
		if in, found := c.Find(bybit.Category(r.category), r.like); !ok && found {
			like, ok = &in.Info, true
		}
		if !ok {
			return fmt.Errorf("like %q: no instrument of category %s", r.like, r.category)
		}
		*info = *like
		info.SymbolID, info.DisplayName, info.FullName = 0, "", ""
	}
	before := *info
	if info.FundingInterval == 0 {
		info.FundingInterval = unsaid
	}
	if err := info.UnmarshalJSON(r.json); err != nil {
		return err
	}
	if info.FundingInterval == unsaid {
		info.FundingInterval = 0
		if info.ContractType == bybit.ContractLinearPerpetual || info.ContractType == bybit.ContractInversePerpetual {
			info.FundingInterval = usualFunding / Minute
		}
	}
	if r.like != "" {
		var own bybit.Instrument
		if err := own.UnmarshalJSON(r.json); err != nil {
			return err
		}
		c.fitted(info, &own, &before)
	}
	// A member that is an object of its own replaces the one taken over whole: keep the parts that it does not name.
	if have, was := info.LeverageFilter, before.LeverageFilter; have != nil && was != nil && have != was {
		have.MinLeverage, have.MaxLeverage = or(have.MinLeverage, was.MinLeverage), or(have.MaxLeverage, was.MaxLeverage)
		have.LeverageStep = or(have.LeverageStep, was.LeverageStep)
	}
	if have, was := info.RiskParameters, before.RiskParameters; have != nil && was != nil && have != was {
		have.PriceLimitRatioX = or(have.PriceLimitRatioX, was.PriceLimitRatioX)
		have.PriceLimitRatioY = or(have.PriceLimitRatioY, was.PriceLimitRatioY)
	}
	if r.like != "" && info.DisplayName == "" && r.category != bybit.Spot {
		info.DisplayName = info.Symbol
	}
	return nil
}

func or(d, otherwise decimal.Decimal) decimal.Decimal {
	if d.IsSet() {
		return d
	}
	return otherwise
}

// newAsset is a coin about which nothing is known but a price.
func newAsset(coin string, price fixed.F) Asset {
	return Asset{
		Coin: coin, Name: coin, Start: price, Vol: fixed.One, Corr: fixed.Ratio(7, 10), Carry: fixed.Ratio(3, 100),
		Liquidity: 4, Turnover: 20e6,
	}
}

// learn adds a coin of a file, or changes what is known of it.
func (c *Catalog) learn(f *fileAsset) {
	a, ok := c.Asset(f.coin)
	if !ok {
		c.assets = append(c.assets, newAsset(f.coin, 0))
		a = &c.assets[len(c.assets)-1]
	}
	if f.name != "" {
		a.Name = f.name
	}
	for _, n := range []struct {
		to   *fixed.F
		from decimal.Decimal
	}{{&a.Start, f.price}, {&a.Vol, f.vol}, {&a.Corr, f.corr}, {&a.Carry, f.carry}, {&a.Funding, f.funding}} {
		if v, fits := fixed.FromDecimal(n.from); n.from.IsSet() && fits {
			*n.to = v
		}
	}
	if n, fits := f.deep.Round(0, decimal.HalfEven).Units(0); f.deep.IsSet() && fits {
		a.Liquidity = uint8(max(1, n))
	}
	if n, fits := f.turnover.Round(0, decimal.HalfEven).Units(0); f.turnover.IsSet() && fits {
		a.Turnover = n
	}
}

// still says which of the instruments that are there already cannot be simulated any more with what is known of the coins
// now. Those that the file replaces do not count.
func (c *Catalog) still(f *file, infos []bybit.Instrument) error {
	for _, in := range c.live {
		known := slices.ContainsFunc(f.assets, func(a fileAsset) bool { return a.coin == in.Base || a.coin == in.Quote })
		for i := range f.rows {
			known = known && (f.rows[i].category != string(in.Category) || infos[i].Symbol != in.Symbol)
		}
		if !known || in.Kind == Spread {
			continue
		}
		err := in.check(c.StartPrice(in), c.start)
		if err == nil && in.Kind != Option {
			err = c.lotFits(in)
		}
		if err != nil {
			return fmt.Errorf("assets: %s %s does not fit them: %w", in.Category, in.Symbol, err)
		}
	}
	return nil
}

// usualTicks is the price of a coin about which a file says nothing.
const usualTicks = 12000

// trading are the statuses of instruments that trade; the second and third are of 2023.
var trading = []bybit.InstrumentStatus{bybit.InstrumentTrading, "1", "ONLINE"}

// load adds or replaces one instrument. The error says why it cannot be simulated; then nothing was changed. With trust its lot
// is what it is.
func (c *Catalog) load(category bybit.Category, info *bybit.Instrument, trust bool) (err error) {
	assets := slices.Clone(c.assets)
	defer func() {
		if err != nil {
			c.assets = assets
		}
	}()
	if !slices.Contains(trading, info.Status) {
		return fmt.Errorf("status is %q: want Trading", info.Status)
	}
	info.Status = bybit.InstrumentTrading
	in, o, err := c.read(category, info)
	if err != nil {
		return err
	}
	price, err := c.priced(in)
	if err != nil {
		return err
	}
	if late := in.Listed > c.start; in.priceBounds(info, price) || late {
		if late {
			info.LaunchTime = moment(c.launched(in.Listed))
		}
		if in, o, err = c.read(category, info); err != nil {
			return err
		}
	}
	if err := in.check(price, c.start); err != nil {
		return err
	}
	if err := c.lotFits(in); err != nil && !trust {
		return err
	}
	c.setTiers(in)
	if old, ok := c.Find(category, in.Symbol); ok {
		in.ID = old.ID
		c.complete(in)
		c.byID[in.ID], c.origins[in.ID] = in, o
		c.reindex()
		return nil
	}
	c.add(in, o)
	return nil
}

// read makes an instrument of what a file says, and what a snapshot keeps of it.
func (c *Catalog) read(category bybit.Category, info *bybit.Instrument) (*Instrument, origin, error) {
	json, err := info.MarshalJSON()
	if err != nil {
		return nil, origin{}, err
	}
	o := origin{from: fromFile, category: category, json: json}
	in, err := c.make(&o)
	return in, o, err
}

// priced returns what an instrument costs when the exchange starts, in its quote coin; what an option's underlying does. A
// base coin that has no price gets one.
func (c *Catalog) priced(in *Instrument) (fixed.F, error) {
	start := func(coin string) fixed.F {
		a, _ := c.Asset(coin)
		return a.Start
	}
	quote, ok := c.InQuote(in.Quote, "USD", start)
	if !ok {
		return 0, fmt.Errorf("quoteCoin is %s, which has no price: want USDT, USDC, USD or one of the assets with a price", in.Quote)
	}
	if _, stable := c.Stable(in.Base); stable {
		return 0, fmt.Errorf("baseCoin is %s, whose price is a constant: want another one", in.Base)
	}
	if a, ok := c.Asset(in.Base); !ok || a.Start == 0 {
		if in.Kind == Option {
			return 0, fmt.Errorf("baseCoin is %s, which has no price: want one of the assets with a price", in.Base)
		}
		price := in.PriceOf(usualTicks).Mul(quote)
		if !ok {
			c.assets = append(c.assets, newAsset(in.Base, price))
		} else {
			a.Start = price
		}
	}
	price, ok := c.InQuote(in.Base, in.Quote, start)
	if !ok {
		return 0, fmt.Errorf("tickSize is %s: with it %s has no price that fits", in.Tick, in.Base)
	}
	return price, nil
}

// fileInstrument makes an instrument of what a file says.
func fileInstrument(category bybit.Category, json []byte) (*Instrument, error) {
	info := new(bybit.Instrument)
	if err := info.UnmarshalJSON(json); err != nil {
		return nil, err
	}
	in, err := instrument(category, info)
	if err != nil {
		return nil, err
	}
	if in.Kind == Spot {
		for i := range spotRows {
			if r := spotRows[i]; r.base+r.quote == in.Symbol {
				in.Turnover = r.turnover * 1e6
			}
		}
	}
	for i := range perpetualRows {
		if r := perpetualRows[i]; r.category == category && r.symbol == in.Symbol {
			in.Turnover, in.OpenValue = r.turnover*1e6, r.open*1e6
		}
	}
	return in, nil
}

// firstTier is the first risk limit of a contract that is not in the tables, in US dollars, by the coin's liquidity class, as
// the default contracts have it. Choice.
var firstTier = [...]int64{0, 1000000, 400000, 200000, 100000, 50000}

// setTiers gives a contract of a file risk tiers: those of the default contract of the same name, or of the broad ladder
// beginning where its coin's liquidity puts it.
func (c *Catalog) setTiers(in *Instrument) {
	if in.Kind != Perpetual && in.Kind != Future {
		return
	}
	l := ladder{broadLadder, firstTier[len(firstTier)-1]}
	if a, ok := c.Asset(in.Base); ok {
		l.first = firstTier[min(max(int(a.Liquidity), 1), len(firstTier)-1)]
		if in.Inverse {
			l.first = max(1, fixed.MulDiv(l.first, int64(fixed.One), max(1, int64(a.Start))))
		}
	}
	for i := range perpetualRows {
		if r := perpetualRows[i]; r.category == in.Category && r.symbol == in.Symbol {
			l = r.ladder
		}
	}
	leverage := decimal.FromInt(25)
	if in.Info.LeverageFilter != nil && in.Info.LeverageFilter.MaxLeverage.Sign() > 0 {
		leverage = in.Info.LeverageFilter.MaxLeverage
	}
	in.Tiers = tiers(in.Symbol, l, leverage, in.Inverse)
}
