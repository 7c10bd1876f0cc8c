package exchange

import (
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/bywire/bywire/internal/guard"
	"github.com/bywire/bywire/internal/wsserver"
)

// Config says what an exchange is like. The zero value is a complete one whose market runs with the wall clock.
type Config struct {
	// Seed is what the generated market follows from: the same seed, start and catalogue give the same market. Default 0.
	Seed uint64
	// Start is when the exchange's time begins, cut to milliseconds. Default: now on a Live clock, which then shows the time of
	// day; else 2026-01-01T00:00:00Z.
	Start time.Time
	// Clock says what makes time pass. Default Live.
	Clock Mode
	// Speed is how many times as fast as the wall clock a Scaled clock runs, from MinSpeed to MaxSpeed. Default 1.
	Speed float64
	// Quantum is how far time moves between two looks at the clients: on a Step and a Max clock those that said
	// {"op":"bywire.idle"} once are waited for after each quantum in which something was published. SetPace changes it.
	// Default 10 ms.
	Quantum time.Duration
	// Silence makes a Step and a Max clock wait for the other clients too, after each quantum in which something was
	// published: until they have sent nothing for so long by the wall clock. SetPace changes it. Default 0: they are not waited
	// for.
	Silence time.Duration
	// AckDelay holds acknowledgements of subscribe requests, as the venue's own latency does; some clients are not ready
	// for a faster one. Negative: none. Default 3 ms.
	AckDelay time.Duration
	// Limits says whether the venue's limits hold: requests and connections of an address, arguments of a connection.
	// Default LimitsDefault.
	Limits Limits
	// QueueBytes bounds what waits for one connection, in bytes; one that falls further behind is closed with code 1008.
	// Default 1 MiB.
	QueueBytes int
	// IdleTimeout ends a connection after so long without a frame from the client and without stream data. Default
	// 10 minutes, as on the venue.
	IdleTimeout time.Duration
	// Quiet leaves the generated orders out: books are empty until somebody fills them. Default false.
	Quiet bool
	// Hosts are the names under which the exchange may be asked, beside localhost and loopback addresses: a web page must not
	// reach it through a name of its own. Requests for others get status 421. Default: none.
	Hosts []string
	// AllowOrigins are the origins of web pages that may use the exchange, such as "http://localhost:3000"; others get
	// status 403. Default: none.
	AllowOrigins []string
	// Token is demanded of every request, as "Authorization: Bearer TOKEN" or as /token/TOKEN before the path. Default: none.
	Token string
	// Symbols, unless empty, leaves all other instruments out. Default all.
	Symbols []string
	// Catalog adds or replaces instruments: a file of our own form, or a reply of the venue's instruments-info. Default
	// none.
	Catalog []byte
	// Journal gets each command from outside, a line of JSON each, such that ReplayJournal comes to the same state. An
	// error of the writer ends the journal and is returned by Close. Default none.
	Journal io.Writer
	// Logger gets what an operator should know. Default: nothing is logged.
	Logger *slog.Logger
}

// Limits says which of the venue's limits hold.
type Limits uint8

// What Config.Limits can be.
const (
	LimitsDefault Limits = iota // as LimitsReal; in package bybittest as LimitsOff
	LimitsReal
	LimitsOff
)

// DefaultQuantum is the default of Config.Quantum.
const DefaultQuantum = 10 * time.Millisecond

// withDefaults returns the configuration with every default in place, or what is wrong with it.
func (c Config) withDefaults() (Config, error) {
	if c.Speed == 0 {
		c.Speed = 1
	}
	if c.Quantum == 0 {
		c.Quantum = DefaultQuantum
	}
	if c.QueueBytes == 0 {
		c.QueueBytes = wsserver.DefaultQueueBytes
	}
	if c.Start.IsZero() {
		c.Start = defaultStart
		if c.Clock == Live {
			c.Start = time.Now()
		}
	}
	c.Start = c.Start.Truncate(time.Millisecond) // the market's own unit: the books are filled at the first moment
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	for _, origin := range c.AllowOrigins {
		if err := guard.CheckOrigin(origin); err != nil {
			return c, fmt.Errorf("exchange: Config.AllowOrigins: %w", err)
		}
	}
	switch {
	case c.Clock > Max:
		return c, fmt.Errorf("exchange: Config.Clock %v is no mode", c.Clock)
	case !(c.Speed >= MinSpeed && c.Speed <= MaxSpeed):
		return c, fmt.Errorf("exchange: Config.Speed %v is not from %v to %v", c.Speed, MinSpeed, MaxSpeed)
	case c.Quantum < 0 || c.Silence < 0 || c.QueueBytes < 0 || c.IdleTimeout < 0:
		return c, fmt.Errorf("exchange: Config.Quantum, Silence, QueueBytes and IdleTimeout are not negative")
	case c.Limits > LimitsOff:
		return c, fmt.Errorf("exchange: Config.Limits %d is no such value", c.Limits)
	case c.Start.Before(earliest) || c.Start.After(latest):
		return c, fmt.Errorf("exchange: Config.Start %s is not from %s to %s", c.Start.UTC().Format(time.RFC3339),
			earliest.Format(time.DateOnly), latest.Format(time.DateOnly))
	}
	return c, nil
}

// Between these the exchange's time can begin: there is a past of five years before it, and a century after it. Fake time
// of testing/synctest begins in 2000.
var (
	earliest = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	latest   = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
)
