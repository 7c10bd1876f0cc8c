package engine

// Reason says why an order was cancelled or a command refused.
type Reason uint8

// The reasons.
const (
	NoReason Reason = iota

	// Given to Cancel and Clear by the caller.
	ByUser
	ByAdmin
	BySettlement // the contract was delivered

	// Cancelled by the book.
	SelfMatch     // it met an order of the same owner
	WouldTake     // a PostOnly or RPI order that would have traded at once
	NothingToTake // what is left of an IOC or market order found nothing, or nothing at its price
	NotAllAtOnce  // a FOK order that could not trade in full
	TooManyTrades // it reached the number of trades that one command may make
	WorstPrice    // the next trade would be worse than its bound or the price limit of the side
	ValueTooSmall // what is left of its value does not pay for one lot

	// Refused by the book.
	BookClosed
	NoSuchOrder
	DuplicateID // the id rests in the book
	BadOrder    // no id, or a side, time in force, prevention or level that does not exist
	BadPrice    // outside of what a book can hold
	BadQty      // not positive, not above what has traded, or too large
	BadValue    // negative, of a limit order, or beside a quantity
	PriceLimit  // beyond the price limits
	NoSuchLevel // Best asks for a level that is not there
	Unchanged   // an amendment to what the order is already
	numReasons
)

// reasons holds what the venue's private topics call a reason: the values of rejectReason and cancelType. Where none of
// its words says it, "EC_Others" stands (choice).
var reasons = [numReasons]struct{ name, reject, cancel string }{
	NoReason:      {"none", "EC_NoError", ""},
	ByUser:        {"by user", "EC_PerCancelRequest", "CancelByUser"},
	ByAdmin:       {"by admin", "EC_PerCancelRequest", "CancelByAdmin"},
	BySettlement:  {"by settlement", "EC_PerCancelRequest", "CancelBySettle"},
	SelfMatch:     {"self match", "EC_BySelfMatch", "CancelBySmp"},
	WouldTake:     {"would take", "EC_PostOnlyWillTakeLiquidity", ""},
	NothingToTake: {"nothing to take", "EC_NoImmediateQtyToFill", ""},
	NotAllAtOnce:  {"not all at once", "EC_CancelForNoFullFill", ""},
	TooManyTrades: {"too many trades", "EC_ReachMaxTradeNum", "CancelByCrossReachMaxTradeNum"},
	WorstPrice:    {"worst price", "EC_ReachMarketPriceLimit", ""},
	ValueTooSmall: {"value too small", "EC_CancelByOrderValueZero", ""},
	BookClosed:    {"book closed", "EC_InvalidSymbolStatus", ""},
	NoSuchOrder:   {"no such order", "EC_OrderNotExist", ""},
	DuplicateID:   {"duplicate id", "EC_DuplicatedClOrdID", ""},
	BadOrder:      {"bad order", "EC_Others", ""},
	BadPrice:      {"bad price", "EC_LimitOrderInvalidPrice", ""},
	BadQty:        {"bad quantity", "EC_EcInvalidQty", ""},
	BadValue:      {"bad value", "EC_InvalidAmount", ""},
	PriceLimit:    {"price limit", "EC_ReachRiskPriceLimit", ""},
	NoSuchLevel:   {"no such level", "EC_LimitOrderInvalidPrice", ""},
	Unchanged:     {"unchanged", "EC_Others", ""},
}

func (r Reason) String() string { return r.row().name }

// RejectReason is the venue's rejectReason.
func (r Reason) RejectReason() string { return r.row().reject }

// CancelType is the venue's cancelType, "" where it has none.
func (r Reason) CancelType() string { return r.row().cancel }

func (r Reason) row() struct{ name, reject, cancel string } {
	if r < numReasons {
		return reasons[r]
	}
	return struct{ name, reject, cancel string }{"unknown", "EC_Others", ""}
}
