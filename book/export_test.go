package book

// NewSmallBlocks returns a book whose blocks hold limit levels, so that a few
// levels already split and merge them.
func NewSmallBlocks(depth, limit int) *Book { return newBook(depth, limit) }

// Blocks returns the number of blocks of both sides.
func Blocks(b *Book) int { return len(b.bids.blocks) + len(b.asks.blocks) }
