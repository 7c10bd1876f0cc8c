package book_test

import (
	"fmt"
	"time"

	"github.com/bywire/bywire/book"
	"github.com/bywire/bywire/decimal"
)

// lv writes a level the short way.
func lv(price, size string) book.Level {
	return book.Level{Price: decimal.MustParse(price), Size: decimal.MustParse(size)}
}

func Example() {
	b := book.New(50)
	err := b.Apply(&book.Update{
		Snapshot: true, ID: 18521288, Seq: 7961638724,
		Bids: []book.Level{lv("16493.50", "0.006"), lv("16493.00", "0.100")},
		Asks: []book.Level{lv("16611.00", "0.029"), lv("16612.00", "0.213")},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	err = b.Apply(&book.Update{ID: 18521289, Bids: []book.Level{lv("16493.50", "0"), lv("16500.00", "1.5")}})
	if err != nil {
		fmt.Println(err)
		return
	}
	bids, err := b.View().Bids()
	if err != nil {
		fmt.Println(err)
		return
	}
	for level := range bids {
		fmt.Println(level.Price, level.Size)
	}

	// Update 18521290 was lost: the book says so until the next snapshot.
	err = b.Apply(&book.Update{ID: 18521291})
	fmt.Println(err)
	_, err = b.View().BestBid()
	fmt.Println(err)
	// Output:
	// 16500.00 1.5
	// 16493.00 0.100
	// book: gap: update id 18521291, want 18521290
	// book: gap: update id 18521291, want 18521290
}

// What would buying 0.1 cost now, and up to which price?
func ExampleView_Fill() {
	b := book.New(50)
	err := b.Apply(&book.Update{
		Snapshot: true, ID: 7,
		Asks: []book.Level{lv("16611.00", "0.029"), lv("16612.00", "0.213")},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fill, err := b.View().Fill(book.Ask, decimal.MustParse("0.1"))
	if err != nil {
		fmt.Println(err)
		return
	}
	average, err := fill.Average(2, decimal.HalfEven)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(fill.Notional, "on average", average, "at worst", fill.Worst)
	// Output: 1661.17100 on average 16611.71 at worst 16612.00
}

// A server that keeps a book gives late subscribers a snapshot of it.
func ExampleView_AppendSnapshot() {
	b := book.New(1)
	if err := b.Apply(&book.Update{Snapshot: true, ID: 7, Bids: []book.Level{lv("1.9530", "12")}}); err != nil {
		fmt.Println(err)
		return
	}
	var u book.Update // reused from one subscriber to the next
	if err := b.View().AppendSnapshot(&u); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(u.Snapshot, u.ID, u.Bids[0].Price)
	// Output: true 7 1.9530
}

// A Full says what to do; its caller has the clock, the socket and REST.
func ExampleFull() {
	full := book.NewFull(nil)
	now := time.UnixMilli(1784103477732)

	step := full.Delta(&book.Update{ID: 278547, Seq: 1501100579}, now)
	fmt.Println(step.State, "fetch:", step.Fetch)

	step = full.Snapshot(&book.Update{
		ID: 278547, Seq: 1501100579,
		Bids: []book.Level{lv("0.4758", "2342.47")},
		Asks: []book.Level{lv("0.4763", "800")},
	}, now.Add(50*time.Millisecond))
	fmt.Println(step.State, "synced:", step.Synced)
	// Output:
	// syncing fetch: true
	// live synced: true
}

// A consumer that is late makes one message of those that wait, and applies that.
func ExampleFold() {
	waiting := []*book.Update{
		{ID: 8, Bids: []book.Level{lv("100.1", "2")}},
		{ID: 9, Bids: []book.Level{lv("100.1", "0"), lv("100.0", "5")}},
		{ID: 10, Asks: []book.Level{lv("100.3", "1")}},
		{ID: 12, Asks: []book.Level{lv("100.3", "4")}}, // 11 is missing
	}
	var fold book.Fold
	for _, u := range waiting {
		if !fold.Add(u) {
			fmt.Println("not added:", u.ID)
		}
	}
	var u book.Update
	fold.Update(&u)
	fmt.Println("from", u.From, "to", u.ID)
	fmt.Println("bids", u.Bids)
	fmt.Println("asks", u.Asks)
	// Output:
	// not added: 12
	// from 8 to 10
	// bids [{100.1 0 } {100.0 5 }]
	// asks [{100.3 1 }]
}
