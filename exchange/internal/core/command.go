package core

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/bywire/bywire/exchange/internal/catalog"
	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/feed"
	"github.com/bywire/bywire/exchange/internal/fixed"
	"github.com/bywire/bywire/exchange/internal/flow"
)

// Command is what the world outside asks for: one of the types of this file. What the generated market does by itself is
// no command, for it follows from the seed.
type Command interface {
	// verb is the command's name in the journal.
	verb() string
	// run does it. An error says that nothing has happened.
	run(c *Core) ([]engine.Event, error)
}

// Place puts an order into a book. Order.ID 0 is given a number.
type Place struct {
	Instrument catalog.ID
	Order      engine.Order
}

// Amend changes a resting order; see engine.Book.Amend.
type Amend struct {
	Instrument catalog.ID
	ID         uint64
	Price, Qty int64
}

// Cancel takes a resting order out of its book.
type Cancel struct {
	Instrument catalog.ID
	ID         uint64
	Reason     engine.Reason
}

// Halt closes the books of instruments: orders can only be cancelled. None is all of them.
type Halt struct{ Instruments []catalog.ID }

// Resume opens them again.
type Resume struct{ Instruments []catalog.ID }

// Restart publishes books anew, with u = 1, as after a restart of the venue's publishing service. It is an incident of the
// run, so it is in the state; see Republish for one that is not.
type Restart struct{ Instruments []catalog.ID }

// Regime changes how the generated market of a coin behaves, for a time in ns; 0 is until the next one, or the length of
// one that ends by itself.
type Regime struct {
	Coin   string // a base coin; "" is all
	Regime flow.Regime
	Over   int64
}

// Shock moves the latent price of a coin by so many percent, evenly over a time in ns, at most flow.LongestShock.
type Shock struct {
	Coin    string // a base coin; "" is all
	Percent fixed.F
	Over    int64
}

// Maintain announces a maintenance or an incident, or changes what was announced; see feed.Notice. Nothing else comes of
// it. Its id, if it had none, is that of the first that feed.Feed.Maintenance has afterwards.
type Maintain struct{ Notice feed.Notice }

// Block is a trade that two parties agreed on by request for quote: no book sees it, and it moves no price.
type Block struct {
	Strategy string // the combination's name, such as custom
	Legs     []feed.BlockLeg
}

func (Place) verb() string    { return "place" }
func (Amend) verb() string    { return "amend" }
func (Cancel) verb() string   { return "cancel" }
func (Halt) verb() string     { return "halt" }
func (Resume) verb() string   { return "resume" }
func (Restart) verb() string  { return "restart" }
func (Regime) verb() string   { return "regime" }
func (Shock) verb() string    { return "shock" }
func (Maintain) verb() string { return "maintain" }
func (Block) verb() string    { return "block" }

// commands returns a new command of each type, for the journal.
func commands() []Command {
	return []Command{&Place{}, &Amend{}, &Cancel{}, &Halt{}, &Resume{}, &Restart{}, &Regime{}, &Shock{}, &Maintain{}, &Block{}}
}

// Entry is one line of a journal: a command, when it was done and its number. Numbers begin at 1 and have no holes.
type Entry struct {
	At      int64
	N       uint64
	Command Command
}

// entryText is an entry as it is written: {"at":..,"n":..,"do":"cancel","with":{..}}.
type entryText struct {
	At   int64           `json:"at"`
	N    uint64          `json:"n"`
	Do   string          `json:"do"`
	With json.RawMessage `json:"with"`
}

// MarshalJSON writes the entry as one line.
func (e Entry) MarshalJSON() ([]byte, error) {
	with, err := json.Marshal(e.Command)
	if err != nil {
		return nil, err
	}
	return json.Marshal(entryText{e.At, e.N, e.Command.verb(), with})
}

// errEntry is in each error of what is no entry.
var errEntry = errors.New("core: not an entry of a journal")

// UnmarshalJSON reads what MarshalJSON wrote. A field that is not known is an error: what it means would be lost.
func (e *Entry) UnmarshalJSON(line []byte) error {
	var text entryText
	if err := strictly(line, &text); err != nil {
		return err
	}
	for _, command := range commands() {
		if command.verb() != text.Do {
			continue
		}
		if err := strictly(text.With, command); err != nil {
			return err
		}
		e.At, e.N, e.Command = text.At, text.N, command
		return nil
	}
	return fmt.Errorf("%w: no command is called %.40q", errEntry, text.Do)
}
