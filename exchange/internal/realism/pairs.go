package realism

import (
	"math"
	"path/filepath"
)

// Compare measures the recordings in a folder (testdata/real of the shared folder) and the generated market. The last
// pair's figures of returns stand in Returns.
func Compare(dir string) ([]Pair, Returns, error) {
	var pairs []Pair
	for _, compare := range []func(string) ([]Pair, error){comparePolls, compareWide, compareOld, compareSpot} {
		p, err := compare(dir)
		if err != nil {
			return nil, Returns{}, err
		}
		pairs = append(pairs, p...)
	}
	inverse, returns, err := compareInverse(dir)
	if err != nil {
		return nil, Returns{}, err
	}
	return append(pairs, inverse), returns, nil
}

// comparePolls has the books that are in the set of 78 symbols and in the catalogue with a tick of about the same share of the
// price: XRPUSDT's was four times as wide then.
func comparePolls(dir string) ([]Pair, error) {
	var pairs []Pair
	for _, p := range []struct {
		symbol string
		tick   float64
		note   string
	}{
		{"BTCUSDT", 0.1, "A fine tick. The price was 62,900; the simulated one is 88,000."},
		{"ETHUSDT", 0.01, "A fine tick. The price was 3,480; the simulated one is 2,975."},
		{"SOLUSDT", 0.01, "A wide tick. The price was 147; the simulated one is 125."},
		{"DOGEUSDT", 0.00001, "A wide tick. The price was 0.1253; the simulated one is 0.1230."},
	} {
		recorded := Meter{Tick: p.tick}
		if err := bookRows(&recorded, filepath.Join(dir, "seeds", "linear_book5_polls_78symbols_20240701.csv.gz"), p.symbol); err != nil {
			return nil, err
		}
		generated, err := window{5, 10 * second, 600 * second}.generate("linear:" + p.symbol)
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, Pair{
			Instrument: "linear " + p.symbol,
			Recordings: []string{"14 polls of five levels on 1 July 2024"},
			Notes: []string{
				p.note,
				"Levels on a side are those that were asked for, so they are not held. The distance of the fifth level says how close levels stand.",
			},
			Rows: rows([]Figures{recorded.Figures()}, generated, levelsOnASide),
		})
	}
	return pairs, nil
}

func compareWide(dir string) ([]Pair, error) {
	recorded := Meter{Tick: 0.0001, Every: second}
	if err := bookStream(&recorded, filepath.Join(dir, "ws_v5", "linear_orderbook500_XRPUSDT_20241201.jsonl.gz")); err != nil {
		return nil, err
	}
	at := window{500, second / 10, 120 * second}
	same, err := at.generate("linear:XRPUSDT")
	if err != nil {
		return nil, err
	}
	others, err := at.generate("linear:SOLUSDT", "linear:DOGEUSDT")
	if err != nil {
		return nil, err
	}
	const full = "Levels on a side are the topic's depth, and a book of 500 levels changes before each message; neither is held."
	of := []Figures{recorded.Figures()}
	recordings := []string{"`orderbook.500.XRPUSDT` of 1 December 2024, 4.8 seconds, a message each 100 ms, price 1.953, tick 0.0001"}
	alike := of[0]
	alike.TouchValue, alike.LevelValue = math.NaN(), math.NaN() // of another coin
	return []Pair{
		{
			Instrument: "linear XRPUSDT",
			Recordings: recordings,
			Notes: []string{
				"A wide tick. The price is nearly that of the simulated symbol (1.87), the tick is the same.",
				"Those seconds may be of a busy time; no other recording says how often a book of 500 levels changes.",
				full,
			},
			Rows: rows(of, same, levelsOnASide, messagesASecond),
		},
		{
			Instrument: "linear SOLUSDT and DOGEUSDT",
			Recordings: recordings,
			Notes: []string{
				"The other books with a wide tick, beside the same recording, for what does not depend on the coin. The median is of ten markets.",
				full,
			},
			Rows: rows([]Figures{alike}, others, levelsOnASide, messagesASecond),
		},
	}, nil
}

// oldTicks are the ticks of the symbols in the recording of 2021.
var oldTicks = []struct {
	symbol string
	tick   float64
}{
	{"BCHUSDT", 0.05}, {"XTZUSDT", 0.001}, {"UNIUSDT", 0.001}, {"LTCUSDT", 0.01},
	{"DOTUSDT", 0.005}, {"LINKUSDT", 0.001}, {"ADAUSDT", 0.0001}, {"ETHUSDT", 0.05},
}

func compareOld(dir string) ([]Pair, error) {
	var recorded []Figures
	for _, o := range oldTicks {
		m := Meter{Tick: o.tick, Every: second}
		if err := oldStream(&m, filepath.Join(dir, "legacy_v2", "linear_trade_orderBookL2_25_8symbols_20210417.txt.gz"), o.symbol); err != nil {
			return nil, err
		}
		f := m.Figures()
		f.LevelTail = math.NaN() // sizes of thirty seconds are nearly the same ones
		recorded = append(recorded, f)
	}
	generated, err := window{25, second / 50, 60 * second}.generate("linear:SOLUSDT", "linear:XRPUSDT", "linear:DOGEUSDT")
	return []Pair{{
		Instrument: "linear SOLUSDT, XRPUSDT and DOGEUSDT",
		Recordings: []string{
			"`orderBookL2_25` of BCH, XTZ, UNI, LTC, DOT, LINK, ADA and ETH USDT on 17 April 2021, 30 seconds of an interface that is no more, ticks of 0.2 to 1.4 basis points",
		},
		Notes: []string{
			"Wide ticks, seen to 25 levels. The median of eight recorded symbols beside the median of 15 markets.",
			"Rates are not held: the recording of December 2024 changes 180 of its first 25 levels a second, two and a half times as many as the median of these. The generated books stand between the two. The interface of 2021 gathered its messages in another way.",
			"The value of a level is not held: it depends on the coin, and on that day between 1,300 (UNI) and 100,000 dollars (ETH). Levels on a side are the topic's depth.",
		},
		Rows: rows(recorded, generated, levelsOnASide, levelValue, messagesASecond, changesASecond),
	}}, err
}

func compareSpot(dir string) ([]Pair, error) {
	recorded, stream := Meter{Tick: 0.1}, Meter{Tick: 0.1}
	if err := bookPolls(&recorded, filepath.Join(dir, "capture_rest", "spot_orderbook50_BTCUSDT_20260304_0822-0835.jsonl.gz")); err != nil {
		return nil, err
	}
	if err := tradePolls(&recorded, filepath.Join(dir, "capture_rest", "spot_recent-trade_BTCUSDT_20260304_0822-0835.jsonl.gz")); err != nil {
		return nil, err
	}
	if err := bookStream(&stream, filepath.Join(dir, "ws_v5", "spot_orderbook50_BTCUSDT_20260824.jsonl")); err != nil {
		return nil, err
	}
	of := recorded.Figures()
	rate := stream.Figures()
	of.Pushes, of.Changes = rate.Pushes, rate.Changes
	generated, err := window{50, second / 50, 600 * second}.generate("spot:BTCUSDT")
	return []Pair{{
		Instrument: "spot BTCUSDT",
		Recordings: []string{
			"40 polls of 50 levels on 4 March 2026, 08:22 to 08:34 UTC, price 69,184, tick 0.1: spread, levels, sizes",
			"1,904 trades of the same twelve minutes, with gaps between the polls: rates are over the time that the polls cover",
			"`orderbook.50.BTCUSDT` of 24 August 2026, 8 messages within 0.36 seconds, price 78,715: messages and changes a second",
		},
		Notes: []string{
			"A fine tick. The simulated price is 88,000, the tick the same.",
			"Rates of book changes come from a third of a second and are no more than a hint.",
			"The median value of a trade is not held: the recorded market fills an order against three orders on average, most of them very small ones before the touch, which the generated one does not have. Levels on a side are the topic's depth.",
		},
		Rows: rows([]Figures{of}, generated, levelsOnASide, tradeValue),
	}}, err
}

// Returns is how prices move, in the recording and in the generated market: with each seed.
type Returns struct {
	Recorded  Figures
	Generated []Figures
}

func compareInverse(dir string) (Pair, Returns, error) {
	recorded := Meter{Tick: 0.5, Inverse: true}
	if err := tradeFile(&recorded, filepath.Join(dir, "history", "inverse_trades_BTCUSD_20191001_0000-1600.csv.gz")); err != nil {
		return Pair{}, Returns{}, err
	}
	generated, err := window{0, 60 * second, 16 * 3600 * second}.generate("inverse:BTCUSD")
	of := recorded.Figures()
	return Pair{
		Instrument: "inverse BTCUSD",
		Recordings: []string{"all 56,627 trades of 1 October 2019, 00:00 to 16:00 UTC, price 8,391, tick 0.5"},
		Notes: []string{
			"An old recording: the price was a tenth, the tick fifty times as wide for it, the contract the venue's main one. Sizes in contracts of one dollar and returns can still be compared; books of this contract are not in the set.",
		},
		Rows: rows([]Figures{of}, generated),
	}, Returns{of, generated}, err
}
