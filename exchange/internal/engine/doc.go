// Package engine matches orders: one Book per instrument, price before time, in whole ticks and lots.
//
//	             Place Amend Cancel                          events of the command
//	             Halt Resume Clear                           Rested Traded Cancelled
//	command ───────────────────────▶  Book  ───────────────▶ Amended Refused ...
//	                                   │
//	          ┌────────────────────────┼──────────────────────────┐
//	      index: id ─▶ order      bids: tree ─▶ level        asks: tree ─▶ level
//	      small buckets           best first                 best first
//	                                   level: orders for all ─▶ first, ..., last
//	                                          RPI orders     ─▶ first, ..., last
//
// A command goes through at once and returns all that happened, in order. Orders, levels and the nodes of the trees live
// in slices and are used again, so a book that has seen its largest size allocates nothing.
//
// What a caller may rely on:
//   - A better price trades first; at one price what all may take trades before RPI orders; within these the older first.
//     Each trade is at the price of the order that rested.
//   - What Levels and Best show to a taker is what that taker can trade with. The visible book is never crossed.
//   - Seq rises by one with each command that changed a resting order or traded, by nothing else. Version of a side is
//     the Seq that changed it last.
//   - The price times the quantity of each event, and the sum of the quantities of a side, fit an int64: what could
//     pass that is refused, nothing wraps.
//   - The same commands give the same events, and a book restored from a snapshot goes on like the one it was taken from.
//
// What it does not do: know instruments, decimals, balances, positions, or who may cancel which order. The call auction
// of a new listing (PreLaunch) is not simulated: a book trades, or it is closed. Where the venue's behaviour is not
// documented, what was chosen is marked "choice" where it is made.
package engine
