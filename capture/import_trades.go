package capture

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/bywire/bywire/bybit"
	"github.com/bywire/bywire/decimal"
	"github.com/bywire/bywire/internal/wire"
)

// maxTradesPerMessage is the venue's own bound of a publicTrade message.
const maxTradesPerMessage = 1024

// maxNewestFirst bounds the trades of a file that lists them newest first,
// because such a file has to be read whole before its first trade is known: about
// 500 bytes each.
const maxNewestFirst = 10_000_000

// orderSample is how many steps from one time to another tell whether a file is
// newest first. Neighbours may be out of order in either kind.
const orderSample = 100

// tradeRow is one row of a trade file.
type tradeRow struct {
	place
	at      time.Time
	channel bybit.Channel
	trade   bybit.Trade
}

// tradeItems reads the venue's trade history. Trades of one symbol and one
// time, which is one order that took from the book, become one publicTrade
// message; its time is theirs.
func (s *source) tradeItems() iter.Seq2[item, error] {
	return func(yield func(item, error) bool) {
		table := &tradeTable{source: s}
		rows, stop := iter.Pull2(table.rows())
		defer stop()
		head, newestFirst, err := peekOrder(rows)
		if err == nil && newestFirst {
			if head, err = readRest(head, rows); err != nil {
				yield(item{}, err)
				return
			}
			slices.Reverse(head)
			slices.SortStableFunc(head, func(a, b tradeRow) int { return a.at.Compare(b.at) })
		}
		next := func() (tradeRow, error, bool) {
			if len(head) > 0 {
				row := head[0]
				head = head[1:]
				return row, nil, true
			}
			if err != nil {
				return tradeRow{}, err, true
			}
			return rows()
		}
		var group tradeGroup
		for {
			row, err, ok := next()
			ok = ok && err == nil
			if ok && group.takes(row) {
				group.add(row)
				continue
			}
			if len(group.message.Trades) > 0 && !yield(group.item(), nil) {
				return
			}
			if err != nil {
				yield(item{}, err)
			}
			if !ok {
				return
			}
			s.report.timed(timesFromTS)
			group.begin(row)
		}
	}
}

// peekOrder reads rows until it has seen orderSample steps in time, and says
// whether most of them went back. Rows of one time only are taken as they come.
func peekOrder(rows func() (tradeRow, error, bool)) (head []tradeRow, newestFirst bool, err error) {
	for rising, falling := 0, 0; rising+falling < orderSample; {
		row, err, ok := rows()
		if err != nil || !ok {
			return head, falling > rising, err
		}
		if len(head) > 0 {
			switch row.at.Compare(head[len(head)-1].at) {
			case 1:
				rising++
			case -1:
				falling++
			}
			newestFirst = falling > rising
		}
		head = append(head, row)
	}
	return head, newestFirst, nil
}

// readRest reads the rest of the rows.
func readRest(head []tradeRow, rows func() (tradeRow, error, bool)) ([]tradeRow, error) {
	for {
		row, err, ok := rows()
		if err != nil || !ok {
			return head, err
		}
		if len(head) == maxNewestFirst {
			return nil, fmt.Errorf("more than %d trades, newest first: split the file", maxNewestFirst)
		}
		head = append(head, row)
	}
}

// tradeGroup gathers the trades of one message.
type tradeGroup struct {
	place
	channel bybit.Channel
	at      time.Time
	message bybit.TradesMessage
	buf     []byte
}

func (g *tradeGroup) takes(row tradeRow) bool {
	trades := g.message.Trades
	return len(trades) > 0 && len(trades) < maxTradesPerMessage && row.at.Equal(g.at) && trades[0].Symbol == row.trade.Symbol
}

func (g *tradeGroup) begin(row tradeRow) {
	g.at, g.place, g.channel = row.at, row.place, row.channel
	g.message = bybit.TradesMessage{
		Topic: bybit.Trades(row.trade.Symbol), Type: bybit.TypeSnapshot, Time: row.at, Trades: g.message.Trades[:0],
	}
	g.add(row)
}

func (g *tradeGroup) add(row tradeRow) { g.message.Trades = append(g.message.Trades, row.trade) }

func (g *tradeGroup) item() item {
	g.buf = g.message.AppendJSON(g.buf[:0], g.channel)
	return item{
		Record: Record{Kind: Frame, Channel: string(g.channel), Received: g.at, Data: g.buf},
		place:  g.place, data: true, trades: len(g.message.Trades),
	}
}

// tradeTable reads the rows of a trade file by the names in its header.
type tradeTable struct {
	*source
	in      *document // that the header belongs to
	columns map[string]int
	spot    bool
	symbol  string // of a spot file, which has no column for it
}

// rows yields the trades in the file's order. Rows that are none are refused.
// Each member of an archive has a header, and so has each file of several that
// were joined.
func (t *tradeTable) rows() iter.Seq2[tradeRow, error] {
	return func(yield func(tradeRow, error) bool) {
		for row, err := range t.lines() {
			if err != nil {
				yield(tradeRow{}, err)
				return
			}
			if row.in != t.in || isHeader(row.text) {
				if err := t.header(row); err != nil {
					yield(tradeRow{}, err)
					return
				}
				continue
			}
			t.report.Rows++
			trade, err := t.row(row)
			if err != nil {
				t.report.refuse(row.place, err)
				continue
			}
			if !yield(trade, nil) {
				return
			}
		}
	}
}

// isHeader reports whether a line names columns: every header has this one.
func isHeader(text []byte) bool {
	if !bytes.Contains(text, []byte("timestamp")) {
		return false
	}
	names, err := fields(text)
	return err == nil && slices.Contains(names, "timestamp")
}

// header learns the columns. Derivatives have symbol, size and tickDirection;
// spot has volume, and its symbol in the file's name.
func (t *tradeTable) header(r line) error {
	if r.err != nil {
		return r.err
	}
	names, err := fields(r.text)
	if err != nil {
		return err
	}
	t.in = r.in
	t.columns = make(map[string]int, len(names))
	for i, name := range names {
		if _, ok := t.columns[name]; ok {
			return fmt.Errorf("two columns %q in the header %q", name, r.text)
		}
		t.columns[name] = i
	}
	need := []string{"timestamp", "side", "size", "price", "symbol"}
	if _, t.spot = t.columns["volume"]; t.spot {
		need = []string{"timestamp", "side", "volume", "price"}
	}
	for _, name := range need {
		if _, ok := t.columns[name]; !ok {
			return fmt.Errorf("no column %q in the header %.200q; derivatives have timestamp, symbol, side, size, price, spot has timestamp, price, volume, side", name, r.text)
		}
	}
	if !t.spot {
		return nil
	}
	for _, name := range t.in.names {
		symbol, ok := symbolOfFile(name)
		if ok {
			t.symbol = symbol
			return nil
		}
	}
	return fmt.Errorf("spot trades have no symbol column and the file name %q does not begin with one, as BTCUSDT_2024-11-08.csv.gz does", t.in.names[0])
}

// row reads one trade.
func (t *tradeTable) row(r line) (tradeRow, error) {
	if r.err != nil {
		return tradeRow{}, r.err
	}
	values, err := fields(r.text)
	if err != nil {
		return tradeRow{}, err
	}
	if len(values) != len(t.columns) {
		return tradeRow{}, fmt.Errorf("%d columns, the header has %d", len(values), len(t.columns))
	}
	get := func(name string) string {
		if i, ok := t.columns[name]; ok {
			return values[i]
		}
		return ""
	}
	at, err := parseTime(get("timestamp"))
	if err != nil {
		return tradeRow{}, err
	}
	trade := bybit.Trade{Time: at, Symbol: get("symbol"), TickDirection: bybit.TickDirection(get("tickDirection"))}
	size := get("size")
	trade.ID = get("trdMatchID")
	if t.spot {
		trade.Symbol, size, trade.ID = t.symbol, get("volume"), get("id")
	}
	switch strings.ToLower(get("side")) {
	case "buy":
		trade.Side = bybit.Buy
	case "sell":
		trade.Side = bybit.Sell
	default:
		return tradeRow{}, fmt.Errorf("side %q is neither Buy nor Sell", get("side"))
	}
	if trade.Symbol == "" {
		return tradeRow{}, errors.New("no symbol")
	}
	if trade.Price, err = decimal.Parse(get("price")); err != nil {
		return tradeRow{}, fmt.Errorf("price: %w", err)
	}
	if trade.Size, err = decimal.Parse(size); err != nil {
		return tradeRow{}, fmt.Errorf("size: %w", err)
	}
	if trade.Price.Sign() <= 0 || trade.Size.Sign() <= 0 {
		return tradeRow{}, fmt.Errorf("price %s and size %s are not both above zero", trade.Price, trade.Size)
	}
	trade.Mark(bybit.TradeBlock)
	switch rpi := strings.ToLower(cmp.Or(get("rpi"), get("RPI"))); rpi {
	case "":
	case "0", "1", "false", "true":
		trade.RPI = rpi == "1" || rpi == "true"
		trade.Mark(bybit.TradeRPI)
	default:
		return tradeRow{}, fmt.Errorf("rpi %q is neither 0 nor 1", rpi)
	}
	channel, err := t.channelOf(trade.Symbol)
	if err != nil {
		return tradeRow{}, err
	}
	return tradeRow{at: at, place: r.place, channel: channel, trade: trade}, nil
}

// channelOf returns the channel of a row's symbol: spot files are known by their
// columns, contracts by the category of the import or else by their name.
func (t *tradeTable) channelOf(symbol string) (bybit.Channel, error) {
	if t.spot {
		return bybit.Spot, nil
	}
	if t.opts.Category != "" {
		return t.channel("")
	}
	channel, ok := wire.CategoryOf(symbol)
	if !ok {
		return "", fmt.Errorf("symbol %q does not tell its category: name one for the import", symbol)
	}
	return bybit.Channel(channel), nil
}

// fields splits one CSV line.
func fields(text []byte) ([]string, error) {
	if bytes.IndexByte(text, '"') < 0 {
		return strings.Split(string(text), ","), nil
	}
	values, err := csv.NewReader(bytes.NewReader(text)).Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("empty row")
	}
	return values, err
}
