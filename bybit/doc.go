// Package bybit is the Bybit V5 API in Go: its endpoints as methods, its messages as
// types, and streams of them that heal themselves. Not there yet: private streams, and
// orders over WebSocket.
//
// Each endpoint is a method of a service, and the services are the fields of a [Client]:
// Market ([MarketService]), Order ([OrderService]), Position ([PositionService]), Account
// ([AccountService]), Asset ([AssetService]), User ([UserService]), SpotMargin
// ([SpotMarginService]), Spread ([SpreadService]), RFQ ([RFQService]), Strategy
// ([StrategyService]), PreUpgrade ([PreUpgradeService]), RateLimit ([RateLimitService]),
// Platform ([PlatformService]), Affiliate ([AffiliateService]). Business lines are packages
// beside this one, used as earn.New(client): alpha, bot, broker, card, convert, earn,
// institution, loan, lt, otc, p2p, pwm, rwa. [Client.Call] makes any other call.
//
//	client, err := bybit.NewClient(nil) // nil: mainnet, public data
//	tickers, err := client.Market.Tickers(ctx, &bybit.TickersParams{Category: bybit.Spot})
//
// Calls are signed with [Credentials] for one [Environment], counted against the limits that
// clients share in a [Budget], and repeated after failures that may pass if they change
// nothing. One that changes something is never repeated; there are three answers to it:
//
//   - a result: the exchange has taken it;
//   - an [*Error], or anything but the following: it has not happened;
//   - an [*UnknownError]: it may have happened, look before you try again. Ask for this first: it
//     may be [context.Canceled] as well.
//
// Of a batch each order has one of them, in its item's Err.
//
// Lists have iterators beside them that turn the pages ([MarketService.AllInstruments]);
// AllKlines and its like walk any span of time, and [MarketService.KlinesThenLive] goes on
// with the stream.
//
// [Client.Public] opens a [Stream]: events in order ([Event]), with books that are verified
// ([BookEvent]) and gaps that are told ([GapEvent]); [Merge] makes one loop of several.
//
// Each message is a type that decodes and encodes itself ([BookMessage], [NewMessage]).
// Numbers are exact ([decimal.Decimal]); one that came as "" or not at all is the unset
// Decimal. Times are UTC; the zero time is absent. An optional field of a request is an
// [Opt], which tells unset from zero. Enumerations are open: values of tomorrow survive.
// Unknown fields are ignored; what no exchange would send is a [*DecodeError].
package bybit
