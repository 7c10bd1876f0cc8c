package bybit

import (
	"time"

	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/internal/wire"
)

// DualAssetMessage is a push of earn.dualassets.offers: all products with their
// offers. V5 page: [finance/advanced-earn/websocket/dual-asset-offer].
//
// [finance/advanced-earn/websocket/dual-asset-offer]: https://bybit-exchange.github.io/docs/v5/finance/advanced-earn/websocket/dual-asset-offer
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
// every 30 s. V5 page: [finance/advanced-earn/websocket/smart-lvg-offer].
//
// [finance/advanced-earn/websocket/smart-lvg-offer]: https://bybit-exchange.github.io/docs/v5/finance/advanced-earn/websocket/smart-lvg-offer
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
// not quoted on request. V5 page:
// [finance/advanced-earn/websocket/double-win-offer].
//
// [finance/advanced-earn/websocket/double-win-offer]: https://bybit-exchange.github.io/docs/v5/finance/advanced-earn/websocket/double-win-offer
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

// DiscountBuyMessage is a push of earn.discountbuy.offers. V5 page:
// [finance/advanced-earn/websocket/discount-buy-offer].
//
// [finance/advanced-earn/websocket/discount-buy-offer]: https://bybit-exchange.github.io/docs/v5/finance/advanced-earn/websocket/discount-buy-offer
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

// dualAssetKeys are the keys of DualAssetProduct. It is never written.
var dualAssetKeys = []string{"p", "c", "b", "s"}

// Decode reads a frame of the topic, into the memory of m.Products.
func (m *DualAssetMessage) Decode(frame []byte) error {
	*m = DualAssetMessage{Topic: m.Topic, Products: m.Products[:0]}
	e := newEnvelope(wantOffers)
	err := decodeTolerant(&e, frame, func(c *wire.Cursor) {
		m.Products = readList(c, m.Products, readDualAssetProduct)
	}, "earn.dualassets.offers")
	if err != nil {
		return err
	}
	keepTopic(&m.Topic, e.topic)
	return nil
}

// readDualAssetProduct reads one element of data.
func readDualAssetProduct(c *wire.Cursor) (v DualAssetProduct) {
	readFields(c, dualAssetKeys, func(key int) {
		switch dualAssetKeys[key] {
		case "p":
			v.ProductID = string(c.TextOrNumber())
		case "c":
			v.CurrentPrice = c.Decimal()
		case "b":
			v.BuyLow = readList(c, nil, readDualAssetOffer)
		case "s":
			v.SellHigh = readList(c, nil, readDualAssetOffer)
		}
	})
	return v
}

// AppendJSON appends the message as the venue writes it.
func (m *DualAssetMessage) AppendJSON(dst []byte, _ Channel) []byte {
	h := header{topic: m.Topic.name}
	dst = appendList(h.before(dst, orderOffers), m.Products, appendDualAssetProduct)
	return h.after(dst, orderOffers)
}

// appendDualAssetProduct appends one element of data.
func appendDualAssetProduct(dst []byte, v *DualAssetProduct) []byte {
	dst = wire.AppendString(append(dst, `{"p":`...), v.ProductID)
	dst = wire.AppendDecimal(append(dst, `,"c":`...), v.CurrentPrice)
	dst = appendList(append(dst, `,"b":`...), v.BuyLow, appendDualAssetOffer)
	dst = appendList(append(dst, `,"s":`...), v.SellHigh, appendDualAssetOffer)
	return append(dst, '}')
}

// dualAssetOfferKeys are the keys of DualAssetOffer. It is never written.
var dualAssetOfferKeys = []string{"s", "a", "m", "x"}

// readDualAssetOffer reads one offer of a side.
func readDualAssetOffer(c *wire.Cursor) (v DualAssetOffer) {
	readFields(c, dualAssetOfferKeys, func(key int) {
		switch dualAssetOfferKeys[key] {
		case "s":
			v.TargetPrice = c.Decimal()
		case "a":
			v.APRE8, _ = c.Integer()
		case "m":
			v.MaxAmount = c.Decimal()
		case "x":
			v.ExpireTime = c.Millis()
		}
	})
	return v
}

// appendDualAssetOffer appends one offer of a side.
func appendDualAssetOffer(dst []byte, v *DualAssetOffer) []byte {
	dst = wire.AppendDecimal(append(dst, `{"s":`...), v.TargetPrice)
	dst = appendIntString(append(dst, `,"a":`...), v.APRE8)
	dst = wire.AppendDecimal(append(dst, `,"m":`...), v.MaxAmount)
	dst = wire.AppendMillisString(append(dst, `,"x":`...), v.ExpireTime)
	return append(dst, '}')
}

// appendIntString appends a whole number inside quotes.
func appendIntString(dst []byte, v int64) []byte {
	return append(wire.AppendInt(append(dst, '"'), v), '"')
}

// smartLeverageKeys are the keys of SmartLeverageOffer. It is never written.
var smartLeverageKeys = []string{"p", "b", "e", "m", "c"}

// Decode reads a frame of the topic, into the memory of m.Offers.
func (m *SmartLeverageMessage) Decode(frame []byte) error {
	*m = SmartLeverageMessage{Topic: m.Topic, Offers: m.Offers[:0]}
	e := newEnvelope(wantOffers)
	err := decodeTolerant(&e, frame, func(c *wire.Cursor) {
		m.Offers = readList(c, m.Offers, readSmartLeverageOffer)
	}, "earn.smartleverage.offers")
	if err != nil {
		return err
	}
	keepTopic(&m.Topic, e.topic)
	return nil
}

// readSmartLeverageOffer reads one element of data.
func readSmartLeverageOffer(c *wire.Cursor) (v SmartLeverageOffer) {
	readFields(c, smartLeverageKeys, func(key int) {
		switch smartLeverageKeys[key] {
		case "p":
			v.ProductID = string(c.TextOrNumber())
		case "b":
			v.BreakevenPrice = c.Decimal()
		case "e":
			v.ExpireTime = c.Millis()
		case "m":
			v.MaxAmount = c.Decimal()
		case "c":
			v.CurrentPrice = c.Decimal()
		}
	})
	return v
}

// AppendJSON appends the message as the venue writes it.
func (m *SmartLeverageMessage) AppendJSON(dst []byte, _ Channel) []byte {
	h := header{topic: m.Topic.name}
	dst = appendList(h.before(dst, orderOffers), m.Offers, appendSmartLeverageOffer)
	return h.after(dst, orderOffers)
}

// appendSmartLeverageOffer appends one element of data.
func appendSmartLeverageOffer(dst []byte, v *SmartLeverageOffer) []byte {
	dst = wire.AppendString(append(dst, `{"p":`...), v.ProductID)
	dst = wire.AppendDecimal(append(dst, `,"b":`...), v.BreakevenPrice)
	dst = wire.AppendMillisString(append(dst, `,"e":`...), v.ExpireTime)
	dst = wire.AppendDecimal(append(dst, `,"m":`...), v.MaxAmount)
	dst = wire.AppendDecimal(append(dst, `,"c":`...), v.CurrentPrice)
	return append(dst, '}')
}

// doubleWinKeys are the keys of DoubleWinOffer. It is never written.
var doubleWinKeys = []string{"p", "c", "l", "m", "e"}

// Decode reads a frame of the topic, into the memory of m.Offers.
func (m *DoubleWinMessage) Decode(frame []byte) error {
	*m = DoubleWinMessage{Topic: m.Topic, Offers: m.Offers[:0]}
	e := newEnvelope(wantOffers)
	err := decodeTolerant(&e, frame, func(c *wire.Cursor) {
		m.Offers = readList(c, m.Offers, readDoubleWinOffer)
	}, "earn.doublewin.offers")
	if err != nil {
		return err
	}
	keepTopic(&m.Topic, e.topic)
	return nil
}

// readDoubleWinOffer reads one element of data.
func readDoubleWinOffer(c *wire.Cursor) (v DoubleWinOffer) {
	readFields(c, doubleWinKeys, func(key int) {
		switch doubleWinKeys[key] {
		case "p":
			v.ProductID = string(c.TextOrNumber())
		case "c":
			v.CurrentPrice = c.Decimal()
		case "l":
			v.Leverage = c.Decimal()
		case "m":
			v.MaxAmount = c.Decimal()
		case "e":
			v.ExpireTime = c.Millis()
		}
	})
	return v
}

// AppendJSON appends the message as the venue writes it.
func (m *DoubleWinMessage) AppendJSON(dst []byte, _ Channel) []byte {
	h := header{topic: m.Topic.name}
	dst = appendList(h.before(dst, orderOffers), m.Offers, appendDoubleWinOffer)
	return h.after(dst, orderOffers)
}

// appendDoubleWinOffer appends one element of data.
func appendDoubleWinOffer(dst []byte, v *DoubleWinOffer) []byte {
	dst = wire.AppendString(append(dst, `{"p":`...), v.ProductID)
	dst = wire.AppendDecimal(append(dst, `,"c":`...), v.CurrentPrice)
	dst = wire.AppendDecimal(append(dst, `,"l":`...), v.Leverage)
	dst = wire.AppendDecimal(append(dst, `,"m":`...), v.MaxAmount)
	dst = wire.AppendMillisString(append(dst, `,"e":`...), v.ExpireTime)
	return append(dst, '}')
}

// discountBuyKeys are the keys of DiscountBuyOffer. It is never written.
var discountBuyKeys = []string{"p", "c", "b", "k", "e", "m", "i", "x"}

// Decode reads a frame of the topic, into the memory of m.Offers.
func (m *DiscountBuyMessage) Decode(frame []byte) error {
	*m = DiscountBuyMessage{Topic: m.Topic, Offers: m.Offers[:0]}
	e := newEnvelope(wantOffers)
	err := decodeTolerant(&e, frame, func(c *wire.Cursor) {
		m.Offers = readList(c, m.Offers, readDiscountBuyOffer)
	}, "earn.discountbuy.offers")
	if err != nil {
		return err
	}
	keepTopic(&m.Topic, e.topic)
	return nil
}

// readDiscountBuyOffer reads one element of data.
func readDiscountBuyOffer(c *wire.Cursor) (v DiscountBuyOffer) {
	readFields(c, discountBuyKeys, func(key int) {
		switch discountBuyKeys[key] {
		case "p":
			v.ProductID = string(c.TextOrNumber())
		case "c":
			v.CurrentPrice = c.Decimal()
		case "b":
			v.PurchasePrice = c.Decimal()
		case "k":
			v.KnockoutPrice = c.Decimal()
		case "e":
			v.APRE8, _ = c.Integer()
		case "m":
			v.MaxAmount = c.Decimal()
		case "i":
			v.InstUID = string(c.TextOrNumber())
		case "x":
			v.ExpireTime = c.Millis()
		}
	})
	return v
}

// AppendJSON appends the message as the venue writes it.
func (m *DiscountBuyMessage) AppendJSON(dst []byte, _ Channel) []byte {
	h := header{topic: m.Topic.name}
	dst = appendList(h.before(dst, orderOffers), m.Offers, appendDiscountBuyOffer)
	return h.after(dst, orderOffers)
}

// appendDiscountBuyOffer appends one element of data.
func appendDiscountBuyOffer(dst []byte, v *DiscountBuyOffer) []byte {
	dst = wire.AppendString(append(dst, `{"p":`...), v.ProductID)
	dst = wire.AppendDecimal(append(dst, `,"c":`...), v.CurrentPrice)
	dst = wire.AppendDecimal(append(dst, `,"b":`...), v.PurchasePrice)
	dst = wire.AppendDecimal(append(dst, `,"k":`...), v.KnockoutPrice)
	dst = appendIntString(append(dst, `,"e":`...), v.APRE8)
	dst = wire.AppendDecimal(append(dst, `,"m":`...), v.MaxAmount)
	dst = wire.AppendString(append(dst, `,"i":`...), v.InstUID)
	dst = wire.AppendMillisString(append(dst, `,"x":`...), v.ExpireTime)
	return append(dst, '}')
}
