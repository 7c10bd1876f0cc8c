package bybit

import (
	"time"

	"github.com/bywire/bywire/decimal"
)

// DualAssetMessage is a push of earn.dualassets.offers: all products with
// their offers. V5 page: finance/advanced-earn/websocket/dual-asset-offer.
type DualAssetMessage struct {
	Topic    Topic // earn.dualassets.offers
	Products []DualAssetProduct
}

// DualAssetProduct is one dual asset product with its offers.
type DualAssetProduct struct {
	ProductID    string           // p
	CurrentPrice decimal.Decimal  // c
	BuyLow       []DualAssetOffer // b
	SellHigh     []DualAssetOffer // s
}

// DualAssetOffer is one target price of a dual asset product.
type DualAssetOffer struct {
	TargetPrice decimal.Decimal // s
	APRE8       int64           // a: yearly rate times 10^8
	MaxAmount   decimal.Decimal // m: most that can be invested, in the invested coin
	ExpireTime  time.Time       // x
}

// SmartLeverageMessage is a push of earn.smartleverage.offers, on change and
// every 30 s. V5 page: finance/advanced-earn/websocket/smart-lvg-offer.
type SmartLeverageMessage struct {
	Topic  Topic // earn.smartleverage.offers
	Offers []SmartLeverageOffer
}

// SmartLeverageOffer is the current quote of one smart leverage product.
type SmartLeverageOffer struct {
	ProductID      string          // p
	BreakevenPrice decimal.Decimal // b
	ExpireTime     time.Time       // e
	MaxAmount      decimal.Decimal // m
	CurrentPrice   decimal.Decimal // c
}

// DoubleWinMessage is a push of earn.doublewin.offers: the products that are
// not quoted on request. V5 page: finance/advanced-earn/websocket/double-win-offer.
type DoubleWinMessage struct {
	Topic  Topic // earn.doublewin.offers
	Offers []DoubleWinOffer
}

// DoubleWinOffer is the current quote of one double win product.
type DoubleWinOffer struct {
	ProductID    string          // p
	CurrentPrice decimal.Decimal // c
	Leverage     decimal.Decimal // l
	MaxAmount    decimal.Decimal // m
	ExpireTime   time.Time       // e
}

// DiscountBuyMessage is a push of earn.discountbuy.offers.
// V5 page: finance/advanced-earn/websocket/discount-buy-offer.
type DiscountBuyMessage struct {
	Topic  Topic // earn.discountbuy.offers
	Offers []DiscountBuyOffer
}

// DiscountBuyOffer is the current quote of one discount buy product.
type DiscountBuyOffer struct {
	ProductID     string          // p
	CurrentPrice  decimal.Decimal // c
	PurchasePrice decimal.Decimal // b
	KnockoutPrice decimal.Decimal // k
	APRE8         int64           // e: yearly rate times 10^8
	MaxAmount     decimal.Decimal // m
	InstUID       string          // i: number of the quote
	ExpireTime    time.Time       // x
}
