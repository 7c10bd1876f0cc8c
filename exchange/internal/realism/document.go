package realism

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// The range that minute returns of the generated market are held in. Kurtosis: a normal distribution has 3. The recording
// of 2019 has about 6 in 16 hours; studies of Bitcoin's one-minute returns over years (Takaishi, "Statistical properties
// and multifractality of Bitcoin", 2018; Tang and others, "Stylized facts of high-frequency Bitcoin time series", 2024)
// find far more than normal, and a correlation of absolute returns that is positive and falls slowly, as a power of the
// distance. Samples of a day or a few hold few of the largest moves, so what they show lies between the two.
const (
	LeastKurtosis = 6
	MostKurtosis  = 40
)

// Document writes docs/market.md.
func Document(pairs []Pair, returns Returns) string {
	var b strings.Builder
	b.WriteString(documentHead)
	for _, p := range pairs {
		fmt.Fprintf(&b, "\n## %s\n\nRecorded:\n", p.Instrument)
		for _, r := range p.Recordings {
			fmt.Fprintf(&b, "- %s\n", r)
		}
		b.WriteString("\nWhat to know:\n")
		for _, n := range p.Notes {
			fmt.Fprintf(&b, "- %s\n", n)
		}
		b.WriteString("\n| figure | recorded | generated | of the seeds | ratio | held |\n|---|---:|---:|---:|---:|---|\n")
		for _, r := range p.Rows {
			held := "yes"
			if !r.Held {
				held = "no"
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s to %s | %.2f | %s |\n", r.Name, short(r.Recorded), short(r.Generated),
				short(r.Least), short(r.Most), r.Generated/r.Recorded, held)
		}
	}
	b.WriteString(documentReturns)
	row := func(name string, of func(*Figures) float64) {
		all := returns.all(of)
		fmt.Fprintf(&b, "| %s | %s | %s | %s to %s |\n", name, short(of(&returns.Recorded)), short(median(all)),
			short(slices.Min(all)), short(slices.Max(all)))
	}
	row("volatility of a year", func(f *Figures) float64 { return f.Volatility })
	row("kurtosis", func(f *Figures) float64 { return f.Kurtosis })
	for i, lag := range lags {
		row(fmt.Sprintf("autocorrelation of absolute returns, %d minutes", lag), func(f *Figures) float64 { return f.Memory[i] })
	}
	b.WriteString(documentTail)
	return b.String()
}

// all are a figure of the generated markets.
func (r *Returns) all(of func(*Figures) float64) []float64 {
	var x []float64
	for i := range r.Generated {
		x = append(x, of(&r.Generated[i]))
	}
	return x
}

// short prints three significant digits.
func short(x float64) string {
	if math.Abs(x) >= 999.5 {
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	return strconv.FormatFloat(x, 'g', 3, 64)
}

const documentHead = `# How like the real market the generated one is

This page is made by ` + "`make market`" + ` and checked by ` + "`make check-recordings`" + `; do not edit it.

The local exchange trades a generated market (` + "`exchange/internal/flow`" + `). Its numbers are fitted to recordings of
the real exchange. Here the same code has measured both: figures marked "held" are within a factor of 1.5 of the
recording, and a test fails when one is not. The recordings are few, short and partly old, and they are not part of this
repository; what follows says for each what that means. The generated figures are medians over the seeds 1 to 5, from
1 January 2026; beside them stand the lowest and the highest, for hours of one market differ as those of the real one do.
What can be held without the recordings is held by the ordinary tests as well, against figures of their own.

A tail index says how fast large sizes become rare (Hill's estimate over the largest tenth): below 2 the variance has no
bound, and a smaller index is a heavier tail. A changed level is one that a message of the topic had to name.
`

const documentReturns = `
## Returns

One-minute log returns of the last price on inverse BTCUSD, 16 hours each: recorded on 1 October 2019, generated from
1 January 2026 with the seeds 1 to 5. They are not held to one another, for a day of one year says little about another;
the median of the generated kurtosis is held between 6 and 40, and the medians of the autocorrelations above zero, up to an
hour. The ordinary tests hold both over days of the index price, up to three hours. Studies of Bitcoin's one-minute returns
over years (Takaishi 2018; Tang and others 2024) find a kurtosis far above the 3 of a normal distribution and
autocorrelations of absolute returns that stay positive over hours and fall as a power of the distance; samples of
some hours show less of both, as the recording does.

| figure | recorded | generated | of the seeds |
|---|---:|---:|---:|
`

const documentTail = `
## What it does not have

- No order of the generated market knows of news, of other exchanges, or of what users do, but through the book.
- The past before the start has a season: volatility and turnover follow the hour of the day. The live market has none: they
  do not follow the hour. So the first hour after the start can differ from the hours before it by a factor of up to 1.5.
- After a fall of more than about a half at once, a perpetual takes up to minutes to come back to its index: orders are held
  by price limits, the limits hang on the mark price, and the mark price follows the middle of the book, which is stale.
  Measured on BTCUSDT with seed 4: 5 seconds after a fall by 60 % a spread of 4,597 ticks (1 tick after 60 seconds); 60
  seconds after one by 80 % a mark price 4.7 % off the index; 300 seconds after one by 91 % still 7.2 %.
- Trades of users move the book and the makers' inventories, but not the price that the market believes in.
- Options are quoted by one maker around the mark price, spreads by one around the prices of their legs.
- Block trades are made a few times an hour near the fair price; nobody asks for the quotes that come before them.
`
