package client

import (
	"context"
	"errors"

	bybit "github.com/hirokisan/bybit/v2"

	"github.com/bywire/bywire/bench/internal/feed"
)

// hirokisan receives with typed callbacks, one for each kind of topic.
func hirokisan(ctx context.Context, run *Run, m *Meter) error {
	service, err := bybit.NewWebsocketClient().WithBaseURL("ws://" + run.Addr).V5().Public(bybit.CategoryV5Linear)
	if err != nil {
		return err
	}
	for _, t := range run.Topics {
		if err := subscribeHirokisan(service, t, m); err != nil {
			return err
		}
	}
	ended := make(chan error, 1)
	go func() {
		ended <- service.Start(ctx, func(_ bool, err error) { ended <- err })
	}()
	select {
	case <-m.done:
		return nil
	case err := <-ended:
		return errors.Join(errors.New("the client stopped"), err)
	case <-ctx.Done():
		return m.wait(ctx)
	}
}

func subscribeHirokisan(service bybit.V5WebsocketPublicServiceI, t feed.Topic, m *Meter) error {
	symbol := bybit.SymbolV5(t.Symbol)
	var err error
	switch t.Kind {
	case "orderbook":
		_, err = service.SubscribeOrderBook(bybit.V5WebsocketPublicOrderBookParamKey{Depth: 50, Symbol: symbol},
			func(r bybit.V5WebsocketPublicOrderBookResponse) error {
				m.use(len(r.Data.Bids) + len(r.Data.Asks))
				m.message()
				return nil
			})
	case "publicTrade":
		_, err = service.SubscribeTrade(bybit.V5WebsocketPublicTradeParamKey{Symbol: symbol},
			func(r bybit.V5WebsocketPublicTradeResponse) error {
				m.use(len(r.Data))
				m.message()
				return nil
			})
	case "tickers":
		_, err = service.SubscribeTicker(bybit.V5WebsocketPublicTickerParamKey{Symbol: symbol},
			func(r bybit.V5WebsocketPublicTickerResponse) error {
				m.use(len(r.Data.LinearInverse.Bid1Price))
				m.message()
				return nil
			})
	case "kline":
		_, err = service.SubscribeKline(bybit.V5WebsocketPublicKlineParamKey{Interval: bybit.Interval1, Symbol: symbol},
			func(r bybit.V5WebsocketPublicKlineResponse) error {
				m.use(len(r.Data))
				m.message()
				return nil
			})
	}
	return err
}
