package bybit

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Client opens streams and makes calls. Make one with [NewClient]; it is safe for
// concurrent use.
type Client struct {
	// The REST API, by subject. [Client.Call] makes any request.
	Market     *MarketService
	Order      *OrderService
	Position   *PositionService
	Account    *AccountService
	Asset      *AssetService
	User       *UserService
	SpotMargin *SpotMarginService
	Spread     *SpreadService
	RFQ        *RFQService
	Strategy   *StrategyService
	PreUpgrade *PreUpgradeService
	RateLimit  *RateLimitService
	Platform   *PlatformService
	Affiliate  *AffiliateService

	opts      Options
	rest      *rest
	snapshots *snapshots

	mu      sync.Mutex // guards streams and closed
	streams map[*Stream]struct{}
	closed  bool
}

// NewClient returns a client. Nil options mean public data of mainnet. It does
// not connect.
func NewClient(opts *Options) (*Client, error) {
	if opts != nil && opts.Credentials != nil && opts.Environment == (Environment{}) {
		return nil, errors.New("client: credentials need an explicit Environment, such as Testnet()")
	}
	c := &Client{opts: opts.withDefaults(), streams: make(map[*Stream]struct{})}
	if len(c.opts.Environment.Abilities()) == 0 {
		return nil, errors.New("client: the environment has no URL")
	}
	if c.opts.Credentials != nil {
		if err := c.opts.Credentials.check(); err != nil {
			return nil, fmt.Errorf("client: %w", err)
		}
	}
	signer := newSigner(c.opts.Credentials)
	c.opts.Credentials = nil // so that nothing that prints a client finds them
	var err error
	if c.rest, err = newREST(&c.opts, signer); err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	c.bind()
	c.snapshots = &snapshots{rest: c.rest, turns: make(map[string]*turn)}
	return c, nil
}

// Public opens a stream of public topics on a channel, kept alive until Close. It
// has one connection, or as many as the topics need: the exchange takes 21,000
// characters of topics on one, and on option 2,000 topics. V5 page: [ws/connect].
//
// It returns when the exchange has accepted or rejected every topic, or when
// ctx ends, and then there is no stream. ctx bounds that wait and nothing else: once
// Public has returned a stream, ctx means nothing to it. A failure of the first dial is
// returned; later ones are retried for ever. A rejected topic is no error unless
// none is left: then the error wraps a [*RejectedError] for each. Otherwise a
// [*RejectedEvent] in the stream tells, and [Stream.Stats].
//
// Topics that the channel does not have, such as an order book of a depth that
// does not exist, are refused before anything is sent, with an error that names
// what there is. Topics may be none: Subscribe adds them later.
//
// Nil options are the defaults.
//
// [ws/connect]: https://bybit-exchange.github.io/docs/v5/ws/connect
func (c *Client) Public(ctx context.Context, ch Channel, opts *StreamOptions, topics ...Topic) (*Stream, error) {
	s, err := c.public(ctx, ch, opts.withDefaults(), topics)
	if err != nil {
		return nil, fmt.Errorf("public %s: %w", ch, err)
	}
	return s, nil
}

func (c *Client) public(ctx context.Context, ch Channel, opts StreamOptions, topics []Topic) (*Stream, error) {
	url, err := c.opts.Environment.publicURL(ch)
	if err != nil {
		return nil, err
	}
	if err := checkTopics(&c.opts.Environment, ch, opts.Books, topics); err != nil {
		return nil, err
	}
	s := newStream(c, ch, url, opts)
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil, ErrClosed
	}
	c.streams[s] = struct{}{}
	c.mu.Unlock()
	if err := s.open(ctx, topics); err != nil {
		s.abort()
		return nil, err
	}
	return s, nil
}

// forget is told by a stream that has ended.
func (c *Client) forget(s *Stream) {
	c.mu.Lock()
	delete(c.streams, s)
	c.mu.Unlock()
}

// Close closes every stream of the client, and waits for them, and ends its calls and its
// connections for REST.
func (c *Client) Close() error {
	c.mu.Lock()
	c.closed = true
	streams := make([]*Stream, 0, len(c.streams))
	for s := range c.streams {
		streams = append(streams, s)
	}
	c.mu.Unlock()
	var wg sync.WaitGroup
	for _, s := range streams {
		wg.Go(func() { s.Close() })
	}
	wg.Wait()
	c.rest.close()
	return nil
}
