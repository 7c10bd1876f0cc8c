package engine

// EventKind says what happened.
type EventKind uint8

// The kinds. Those that leave an order without a rest (a trade with Left 0, Cancelled, Refused) are its last.
const (
	Rested    EventKind = iota + 1 // the order, or what is left of it, stands in the book
	Traded                         // the incoming order ID met the resting order Maker
	Cancelled                      // the order, or what was left of it, is gone
	Amended                        // the resting order has a new price or quantity
	Refused                        // the command did nothing
	Halted                         // the book is closed
	Resumed                        // the book trades again
	Restarted                      // the counters of what is published begin anew; the book is as it was
)

func (k EventKind) String() string {
	return nameOf(k, "unknown", "Rested", "Traded", "Cancelled", "Amended", "Refused", "Halted", "Resumed", "Restarted")
}

// An Event is one thing that happened to one order, or to two in a trade. Of an order by value, Qty (but in a trade) and
// Left count value.
type Event struct {
	Kind   EventKind
	Reason Reason // why it was cancelled or refused
	Side   Side   // of ID
	RPI    bool   // ID is an RPI order; in a trade: Maker is
	Tag    Tag    // of ID

	Seq          int64  // of the book after the command
	ID           uint64 // the order
	Maker        uint64 // in a trade the order that rested; cancelled because of SelfMatch: the order that was met
	Account      uint32 // of ID
	MakerAccount uint32 // of Maker in a trade
	Price        int64  // of the trade, or of the order; 0 of a market order
	Qty          int64  // of the trade, or the whole order: what has traded and what is left
	Left         int64  // of ID after this; Cancelled: what was left; Refused: 0
	MakerLeft    int64  // of Maker after the trade
	Was          int64  // Amended: the price before
}
