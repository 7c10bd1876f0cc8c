package catalog

import (
	"slices"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/decimal"
)

// Fees are the rates of an account without a VIP level, as fractions, and the group that professionals' rates depend on.
type Fees struct {
	Maker, Taker decimal.Decimal
	Group        bybit.FeeGroupID // "" outside of perpetuals and futures
}

// feeRow are the rates of a product without a VIP level.
//   - spot: "Spot Trading: Fees Explained", bybit.com, 2023-01-08
//   - perpetuals and futures: "Perpetual & Futures: Fees Explained", bybit.nl, 2024-10-16
//   - options: "Options: Fees Explained", testnet.bytick.com, 2025-09-18
//   - spreads: choice, as their derivative legs: no public page gives a rate without a discount.
type feeRow struct {
	category     bybit.Category
	maker, taker string
}

var feeRows = []feeRow{
	{bybit.Spot, "0.001", "0.001"},
	{bybit.Linear, "0.0002", "0.00055"},
	{bybit.Inverse, "0.0002", "0.00055"},
	{bybit.Option, "0.0002", "0.0003"},
	{bybit.Spread, "0.0002", "0.00055"},
}

// fees returns the rates of a category.
func fees(category bybit.Category) Fees {
	for _, r := range feeRows {
		if r.category == category {
			return Fees{Maker: decimal.MustParse(r.maker), Taker: decimal.MustParse(r.taker)}
		}
	}
	return Fees{}
}

// groupRow is a fee group: its coins with quote USDT or USD, how maker volume counts, and the rates by programme
// (V5 page market/fee-group-info, example of June 2026). The group of USDC contracts has no coins of its own.
type groupRow struct {
	id     bybit.FeeGroupID
	name   bybit.FeeGroupName
	coins  []string
	factor int64
	taker  [6]string // Pro 1 to Pro 6
	maker  [6]string
	rebate [3]string // MM 1 to MM 3
}

var groupRows = []groupRow{
	{
		bybit.FeeGroupMajor, bybit.FeeGroupNameMajor, []string{"BTC", "ETH", "XRP", "SOL"}, 1,
		[6]string{"0.00028", "0.00025", "0.00022", "0.0002", "0.00018", "0.00015"},
		[6]string{"0.0001", "0.00005", "0.000025", "0.00001", "0", "0"},
		[3]string{"-0.00001", "-0.000025", "-0.00004"},
	},
	{
		bybit.FeeGroupHighGrowth, bybit.FeeGroupNameHighGrowth, []string{"DOGE", "LTC", "SUI", "UNI", "WLD"}, 5,
		[6]string{"0.00032", "0.00032", "0.000275", "0.00024", "0.00021", "0.00018"},
		[6]string{"0.000125", "0.0001", "0.000075", "0.00005", "0.000025", "0"},
		[3]string{"-0.00001", "-0.000025", "-0.00004"},
	},
	{
		bybit.FeeGroupMidLiquidity, bybit.FeeGroupNameMidLiquidity, nil, 8, // whatever is in no other group
		[6]string{"0.00028", "0.00028", "0.00026", "0.00024", "0.00021", "0.00018"},
		[6]string{"0.000075", "0.00005", "0", "0", "0", "0"},
		[3]string{"-0.000025", "-0.00005", "-0.000075"},
	},
	{
		bybit.FeeGroupUSDC, bybit.FeeGroupNameUSDC, nil, 1,
		[6]string{"0.00028", "0.00025", "0.00022", "0.0002", "0.00018", "0.00015"},
		[6]string{"0.0001", "0.00005", "0.000025", "0.00001", "0", "0"},
		[3]string{"-0.00001", "-0.000025", "-0.00004"},
	},
}

// feeGroup returns the group of a perpetual or future.
func feeGroup(base, quote string) bybit.FeeGroupID {
	if quote == "USDC" {
		return bybit.FeeGroupUSDC
	}
	for _, r := range groupRows {
		if slices.Contains(r.coins, base) {
			return r.id
		}
	}
	return bybit.FeeGroupMidLiquidity
}

// FeeGroups returns the fee groups that have contracts, as fee-group-info shows them.
func (c *Catalog) FeeGroups() []bybit.FeeGroup {
	var list []bybit.FeeGroup
	for _, r := range groupRows {
		g := bybit.FeeGroup{GroupName: r.name, WeightingFactor: r.factor, UpdateTime: time.UnixMilli(c.start / 1e6).UTC()}
		for _, in := range c.live {
			if in.Fees.Group == r.id {
				g.Symbols = append(g.Symbols, in.Symbol)
			}
		}
		if g.SymbolCount = int64(len(g.Symbols)); g.SymbolCount == 0 {
			continue
		}
		for i, level := range []bybit.FeeLevel{
			bybit.FeeLevelPro1, bybit.FeeLevelPro2, bybit.FeeLevelPro3, bybit.FeeLevelPro4, bybit.FeeLevelPro5, bybit.FeeLevelPro6,
		} {
			g.FeeRates.Pro = append(g.FeeRates.Pro, bybit.FeeLevelRate{
				Level: level, TakerFeeRate: decimal.MustParse(r.taker[i]), MakerFeeRate: decimal.MustParse(r.maker[i]),
			})
		}
		for i, level := range []bybit.FeeLevel{bybit.FeeLevelMM1, bybit.FeeLevelMM2, bybit.FeeLevelMM3} {
			g.FeeRates.MarketMaker = append(g.FeeRates.MarketMaker, bybit.FeeLevelRate{Level: level, MakerRebate: decimal.MustParse(r.rebate[i])})
		}
		list = append(list, g)
	}
	return list
}
