package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"strconv"
	"strings"

	"github.com/parquet-go/parquet-go"
)

// Columns of parquet are what the values are: a time is TIMESTAMP in UTC to the millisecond,
// a number DECIMAL(38, 18), which holds every price, size and rate exactly, null if the exchange
// has none; the rest is text.

// parquetDecimal is a DECIMAL(38, 18): two's complement, the highest byte first.
type parquetDecimal [16]byte

const exactScale = 18

type (
	klineRecord struct {
		Category string          `parquet:"category,dict"`
		Symbol   string          `parquet:"symbol,dict"`
		Interval string          `parquet:"interval,dict"`
		Time     int64           `parquet:"time,timestamp(millisecond)"`
		Open     *parquetDecimal `parquet:"open,decimal(18:38)"`
		High     *parquetDecimal `parquet:"high,decimal(18:38)"`
		Low      *parquetDecimal `parquet:"low,decimal(18:38)"`
		Close    *parquetDecimal `parquet:"close,decimal(18:38)"`
		Volume   *parquetDecimal `parquet:"volume,decimal(18:38)"`
		Turnover *parquetDecimal `parquet:"turnover,decimal(18:38)"`
	}
	fundingRecord struct {
		Category string          `parquet:"category,dict"`
		Symbol   string          `parquet:"symbol,dict"`
		Time     int64           `parquet:"time,timestamp(millisecond)"`
		Rate     *parquetDecimal `parquet:"rate,decimal(18:38)"`
	}
	openInterestRecord struct {
		Category     string          `parquet:"category,dict"`
		Symbol       string          `parquet:"symbol,dict"`
		Interval     string          `parquet:"interval,dict"`
		Time         int64           `parquet:"time,timestamp(millisecond)"`
		OpenInterest *parquetDecimal `parquet:"openInterest,decimal(18:38)"`
	}
	tradeRecord struct {
		Category   string          `parquet:"category,dict"`
		Symbol     string          `parquet:"symbol,dict"`
		ID         string          `parquet:"id"`
		Time       int64           `parquet:"time,timestamp(millisecond)"`
		Side       string          `parquet:"side,dict"`
		Price      *parquetDecimal `parquet:"price,decimal(18:38)"`
		Size       *parquetDecimal `parquet:"size,decimal(18:38)"`
		BlockTrade bool            `parquet:"blockTrade"`
		RPITrade   bool            `parquet:"rpiTrade"`
		Seq        int64           `parquet:"seq"`
	}
)

// exactly is a number as the columns hold it; nil, which is null, if there is none.
func exactly(s string) (*parquetDecimal, error) {
	if s == "" {
		return nil, nil
	}
	whole, fraction, _ := strings.Cut(s, ".")
	if len(fraction) > exactScale {
		return nil, fmt.Errorf("%s has more than %d places, which parquet's columns here do not hold; take csv", s, exactScale)
	}
	n, ok := new(big.Int).SetString(whole+fraction+strings.Repeat("0", exactScale-len(fraction)), 10)
	if !ok || n.BitLen() > 126 {
		return nil, fmt.Errorf("%q is no number that parquet's columns here hold", s)
	}
	if n.Sign() < 0 {
		n.Add(n, new(big.Int).Lsh(big.NewInt(1), 128))
	}
	var e parquetDecimal
	n.FillBytes(e[:])
	return &e, nil
}

// exactOf is exactly for several numbers.
func exactOf(values []string, into ...**parquetDecimal) error {
	for i, e := range into {
		var err error
		if *e, err = exactly(values[i]); err != nil {
			return err
		}
	}
	return nil
}

// writeParquet makes a parquet file of the lines of NDJSON. It is renamed into place when it
// is whole.
func writeParquet(file string, text *rowText, kind *historyKind, lines io.Reader) error {
	about := text.about
	switch kind.name {
	case "klines":
		return parquetFile(file, text, lines, func(row *historyRow) (klineRecord, error) {
			r := klineRecord{Category: about[0], Symbol: about[1], Interval: about[2], Time: row.at.UnixMilli()}
			return r, exactOf(row.values[1:], &r.Open, &r.High, &r.Low, &r.Close, &r.Volume, &r.Turnover)
		})
	case "funding":
		return parquetFile(file, text, lines, func(row *historyRow) (fundingRecord, error) {
			r := fundingRecord{Category: about[0], Symbol: about[1], Time: row.at.UnixMilli()}
			return r, exactOf(row.values[1:], &r.Rate)
		})
	case "open-interest":
		return parquetFile(file, text, lines, func(row *historyRow) (openInterestRecord, error) {
			r := openInterestRecord{Category: about[0], Symbol: about[1], Interval: about[2], Time: row.at.UnixMilli()}
			return r, exactOf(row.values[1:], &r.OpenInterest)
		})
	case "trades":
		return parquetFile(file, text, lines, func(row *historyRow) (tradeRecord, error) {
			v := row.values
			r := tradeRecord{Category: about[0], Symbol: about[1], ID: v[0], Time: row.at.UnixMilli(), Side: v[2], BlockTrade: v[5] == "true", RPITrade: v[6] == "true"}
			r.Seq, _ = strconv.ParseInt(v[7], 10, 64) // written by strconv too
			return r, exactOf(v[3:], &r.Price, &r.Size)
		})
	}
	return fmt.Errorf("history %s has no columns of parquet", kind.name)
}

// parquetRows is how many rows a group of the file holds: what is in memory at once.
const parquetRows = 100_000

func parquetFile[T any](file string, text *rowText, lines io.Reader, record func(*historyRow) (T, error)) (err error) {
	f, err := os.Create(file + ".tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	w := parquet.NewGenericWriter[T](f, parquet.Compression(&parquet.Snappy), parquet.MaxRowsPerRowGroup(parquetRows))
	in := bufio.NewReaderSize(lines, 1<<20)
	for {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		row, err := text.parse(line)
		if err != nil {
			return fmt.Errorf("a line is %w", err)
		}
		r, err := record(row)
		if err != nil {
			return err
		}
		if _, err := w.Write([]T{r}); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), file)
}
