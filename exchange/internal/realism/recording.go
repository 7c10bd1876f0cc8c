package realism

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
)

// open returns a recording's lines, unpacked.
func open(path string) (io.Reader, func() error, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	if !strings.HasSuffix(path, ".gz") {
		return f, f.Close, nil
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return z, f.Close, nil
}

// lines calls each for every line of a recording.
func lines(path string, each func(line []byte) error) (err error) {
	r, closeFile, err := open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeFile()) }()
	s := bufio.NewScanner(r)
	s.Buffer(nil, 16<<20)
	for n := 1; s.Scan(); n++ {
		if err := each(s.Bytes()); err != nil {
			return fmt.Errorf("%s:%d: %w", path, n, err)
		}
	}
	return s.Err()
}

// frame is what the readers need of a message and of a REST result.
type frame struct {
	Type string    `json:"type"`
	TS   int64     `json:"ts"`
	Data sideTexts `json:"data"`
}

type sideTexts struct {
	Bids [][2]string `json:"b"`
	Asks [][2]string `json:"a"`
	TS   int64       `json:"ts"`
}

// bookStream measures an order book topic: frames as the venue sent them, of snapshot and deltas.
func bookStream(m *Meter, path string) error {
	m.Stream = true
	bids, asks := make(map[int64]float64), make(map[int64]float64)
	return lines(path, func(line []byte) error {
		var f frame
		if err := json.Unmarshal(line, &f); err != nil {
			return err
		}
		if f.Type != "snapshot" && f.Type != "delta" {
			return nil // an acknowledgement
		}
		for _, s := range []struct {
			levels map[int64]float64
			texts  [][2]string
		}{{bids, f.Data.Bids}, {asks, f.Data.Asks}} {
			parsed, err := m.parse(s.texts)
			if err != nil {
				return err
			}
			for _, l := range parsed {
				if l.Qty == 0 {
					delete(s.levels, l.Price)
				} else {
					s.levels[l.Price] = l.Qty
				}
			}
		}
		m.Book(f.TS*1e6, sorted(bids, -1), sorted(asks, 1))
		return nil
	})
}

// bookPolls measures books that were asked for now and then.
func bookPolls(m *Meter, path string) error {
	return lines(path, func(line []byte) error {
		var poll struct {
			Raw sideTexts `json:"raw_data"`
		}
		if err := json.Unmarshal(line, &poll); err != nil {
			return err
		}
		bids, err := m.parse(poll.Raw.Bids)
		if err != nil {
			return err
		}
		asks, err := m.parse(poll.Raw.Asks)
		if err != nil {
			return err
		}
		m.Book(poll.Raw.TS*1e6, bids, asks)
		return nil
	})
}

func (m *Meter) parse(texts [][2]string) ([]Level, error) {
	levels := make([]Level, 0, len(texts))
	for _, t := range texts {
		price, err1 := strconv.ParseFloat(t[0], 64)
		qty, err2 := strconv.ParseFloat(t[1], 64)
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		levels = append(levels, Level{Price: int64(math.Round(price / m.Tick)), Qty: qty})
	}
	return levels, nil
}

// sorted returns a side, best first.
func sorted(levels map[int64]float64, direction int64) []Level {
	s := make([]Level, 0, len(levels))
	for price, qty := range levels {
		s = append(s, Level{price, qty})
	}
	slices.SortFunc(s, func(a, b Level) int { return int(direction * (a.Price - b.Price)) })
	return s
}

// tradePolls measures trades that were gathered by polls, each of which returned the latest ones, newest first. Between two
// polls trades are missing, so the time that is covered is the sum of what each poll covers.
func tradePolls(m *Meter, path string) error {
	var poll []Trade
	var all []Trade
	var covered int64
	flush := func() {
		if n := len(poll); n > 1 {
			covered += poll[0].At - poll[n-1].At
		}
		all, poll = append(all, poll...), poll[:0]
	}
	err := lines(path, func(line []byte) error {
		var t struct {
			Raw struct {
				Price, Size, Time, Seq string
			} `json:"raw_data"`
		}
		if err := json.Unmarshal(line, &t); err != nil {
			return err
		}
		price, err1 := strconv.ParseFloat(t.Raw.Price, 64)
		qty, err2 := strconv.ParseFloat(t.Raw.Size, 64)
		at, err3 := strconv.ParseInt(t.Raw.Time, 10, 64)
		seq, err4 := strconv.ParseUint(t.Raw.Seq, 10, 64)
		if err := errors.Join(err1, err2, err3, err4); err != nil {
			return err
		}
		if n := len(poll); n > 0 && at*1e6 > poll[n-1].At {
			flush()
		}
		poll = append(poll, Trade{At: at * 1e6, Price: price, Qty: qty, Order: seq})
		return nil
	})
	flush()
	slices.SortStableFunc(all, func(a, b Trade) int { return int(int64(a.Order) - int64(b.Order)) })
	for _, t := range all {
		m.Trade(t)
	}
	m.Covers(covered)
	return err
}

// tradeFile measures a file of public.bybit.com: CSV, newest first.
func tradeFile(m *Meter, path string) error {
	var rows [][]string
	if err := csvRows(path, func(row []string) error {
		rows = append(rows, row)
		return nil
	}); err != nil {
		return err
	}
	for i := len(rows) - 1; i > 0; i-- {
		at, err1 := strconv.ParseFloat(rows[i][0], 64)
		qty, err2 := strconv.ParseFloat(rows[i][3], 64)
		price, err3 := strconv.ParseFloat(rows[i][4], 64)
		if err := errors.Join(err1, err2, err3); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		m.Trade(Trade{At: int64(at*1e6) * 1000, Price: price, Qty: qty})
	}
	return nil
}

// bookRows measures the polls of a symbol in a CSV file of many: symbol in the second column, and in the last the levels of both
// sides as a list in single quotes, in no order.
func bookRows(m *Meter, path, symbol string) error {
	return csvRows(path, func(row []string) error {
		if row[1] != symbol {
			return nil
		}
		at, err := strconv.ParseInt(row[3], 10, 64)
		if err != nil {
			return err
		}
		var sides [2][][2]string
		if err := json.Unmarshal([]byte(strings.ReplaceAll(row[4], "'", `"`)), &sides); err != nil {
			return err
		}
		bids, err1 := m.parse(sides[0])
		asks, err2 := m.parse(sides[1])
		slices.SortFunc(bids, func(a, b Level) int { return int(b.Price - a.Price) })
		slices.SortFunc(asks, func(a, b Level) int { return int(a.Price - b.Price) })
		m.Book(at*1e6, bids, asks)
		return errors.Join(err1, err2)
	})
}

// csvRows calls each for every row of a CSV file.
func csvRows(path string, each func(row []string) error) (err error) {
	r, closeFile, err := open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeFile()) }()
	rows, err := csv.NewReader(r).ReadAll()
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for i, row := range rows {
		if err := each(row); err != nil {
			return fmt.Errorf("%s:%d: %w", path, i+1, err)
		}
	}
	return nil
}

// oldLevel is a level in a message of the interface of 2021.
type oldLevel struct {
	Price, Side string
	Size        float64
}

// oldStream measures the book of a symbol in a recording of orderBookL2_25: lines of a time, a colon and a message.
func oldStream(m *Meter, path, symbol string) error {
	m.Stream = true
	var sides [2]map[int64]float64
	return lines(path, func(line []byte) error {
		_, text, ok := bytes.Cut(line, []byte(": "))
		if !ok || !bytes.Contains(text, []byte(`"orderBookL2_25.`+symbol+`"`)) || !bytes.Contains(text, []byte(`"cross_seq"`)) {
			return nil
		}
		var f struct {
			Data json.RawMessage
			Time string `json:"timestamp_e6"`
		}
		if err := json.Unmarshal(text, &f); err != nil {
			return err
		}
		at, err := strconv.ParseInt(f.Time, 10, 64)
		if err != nil {
			return err
		}
		var delta struct {
			All                    []oldLevel `json:"order_book"`
			Delete, Update, Insert []oldLevel
		}
		if err := json.Unmarshal(f.Data, &delta); err != nil {
			return err
		}
		if len(delta.All) > 0 {
			sides = [2]map[int64]float64{make(map[int64]float64), make(map[int64]float64)}
		}
		for _, l := range delta.Delete {
			l.Size = 0
			delta.Update = append(delta.Update, l)
		}
		for _, l := range slices.Concat(delta.All, delta.Update, delta.Insert) {
			price, err := strconv.ParseFloat(l.Price, 64)
			if err != nil {
				return err
			}
			side, tick := sides[0], int64(math.Round(price/m.Tick))
			if l.Side == "Sell" {
				side = sides[1]
			}
			if side[tick] = l.Size; l.Size == 0 {
				delete(side, tick)
			}
		}
		m.Book(at*1000, sorted(sides[0], -1), sorted(sides[1], 1))
		return nil
	})
}
