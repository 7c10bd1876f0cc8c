package engine_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/bywire/bywire/exchange/internal/engine"
	"github.com/bywire/bywire/exchange/internal/engine/naive"
)

var update = flag.Bool("update", false, "write the events and ladders of testdata/*.txt as they are")

// The files of testdata tell the rules as a trader would: prose, a ladder, "> " and a command, what happened, the ladder
// after it. In a ladder stand the orders by name, with what is left of them; at one price whoever is named first trades
// first, RPI orders are in brackets. The letter of a name is its owner. The first ladder of a case ("== ") says what
// rests when it begins; all others, and what happens, are what the books do. Both of them have to tell the same story.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := tell(t, string(want), func(cfg engine.Config) book { return engine.New(cfg) })
			if *update && got != string(want) {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				want = []byte(got)
			}
			compare(t, "the engine", got, string(want))
			compare(t, "the oracle", tell(t, string(want), func(cfg engine.Config) book { return naive.New(cfg) }), string(want))
		})
	}
}

// compare points at the first line that differs.
func compare(t *testing.T, who, got, want string) {
	t.Helper()
	gots, wants := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(gots), len(wants)) {
		var g, w string
		if i < len(gots) {
			g = gots[i]
		}
		if i < len(wants) {
			w = wants[i]
		}
		if g != w {
			t.Errorf("%s, line %d:\n%s\nwant\n%s", who, i+1, g, w)
			return
		}
	}
}

// A story is a scenario being told.
type story struct {
	testing.TB
	make  func(engine.Config) book
	book  book
	begun bool // the case has had its ladder or a command
	names map[uint64]string
	out   strings.Builder
}

// tell runs a scenario and returns its text as the book would have it.
func tell(tb testing.TB, text string, newBook func(engine.Config) book) string {
	s := &story{TB: tb, make: newBook}
	s.fresh(engine.Config{})
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		switch {
		case isRow(line):
			j := i
			for j < len(lines) && isRow(lines[j]) {
				j++
			}
			if !s.begun {
				s.setUp(lines[i:j])
			}
			s.draw()
			i = j - 1
		case strings.HasPrefix(line, "> "):
			s.out.WriteString(line + "\n")
			s.command(line[2:])
			for i+1 < len(lines) && strings.HasPrefix(lines[i+1], "  ") && !isRow(lines[i+1]) {
				i++ // what happened when this was written
			}
		default:
			if strings.HasPrefix(line, "== ") {
				s.fresh(engine.Config{})
			}
			s.out.WriteString(line + "\n")
		}
	}
	return s.out.String()
}

func isRow(line string) bool { return strings.HasPrefix(line, " ") && strings.Count(line, "|") == 2 }

func (s *story) fresh(cfg engine.Config) {
	s.book, s.begun, s.names = s.make(cfg), false, make(map[uint64]string)
}

// setUp places the orders of a ladder.
func (s *story) setUp(rows []string) {
	s.begun = true
	for _, row := range rows {
		cells := strings.Split(row, "|")
		for side, cell := range []string{cells[0], cells[2]} {
			words := strings.Fields(cell)
			for i := 0; i+1 < len(words); i += 2 {
				o := engine.Order{Side: engine.Side(side), Price: s.number(strings.TrimSpace(cells[1]))}
				name, qty := words[i], words[i+1]
				if strings.HasPrefix(name, "(") {
					name, qty, o.TIF = name[1:], strings.TrimSuffix(qty, ")"), engine.RPI
				}
				s.name(&o, name)
				o.Qty = s.number(qty)
				if got := s.book.Place(&o); len(got) != 1 || got[0].Kind != engine.Rested {
					s.Fatalf("%s does not rest: %+v", name, got)
				}
			}
		}
	}
}

// draw writes the orders of the book as a ladder.
func (s *story) draw() {
	cells := make(map[int64]*[2]string)
	var prices []int64
	width, digits := 7, 5
	for side := range engine.Sell + 1 {
		for _, r := range s.book.Orders(nil, side) {
			if cells[r.Price] == nil {
				cells[r.Price] = new([2]string)
				prices = append(prices, r.Price)
			}
			cell := fmt.Sprintf("%s %d", s.names[r.ID], r.Left)
			if r.TIF == engine.RPI {
				cell = "(" + cell + ")"
			}
			cells[r.Price][side] += "  " + cell
			width = max(width, len(cells[r.Price][engine.Buy]))
			digits = max(digits, len(strconv.FormatInt(r.Price, 10)))
		}
	}
	slices.Sort(prices)
	for _, p := range slices.Backward(prices) {
		row := fmt.Sprintf("  %*s  | %*d | %s", width, cells[p][engine.Buy], digits, p, strings.TrimPrefix(cells[p][engine.Sell], "  "))
		s.out.WriteString(strings.TrimRight(row, " ") + "\n")
	}
	if len(prices) == 0 {
		fmt.Fprintf(&s.out, "  %*s  | empty |\n", width, "")
	}
}

func (s *story) number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		s.Fatalf("%q is no number", text)
	}
	return n
}

// name gives an order the id and the account of a name: the A of A7 is account 1.
func (s *story) name(o *engine.Order, name string) {
	if len(name) < 2 || name[0] < 'A' || name[0] > 'Z' {
		s.Fatalf("%q is no name of an order", name)
	}
	o.Account = uint32(name[0]-'A') + 1
	o.ID = sparse(uint64(o.Account)<<32 | uint64(s.number(name[1:])))
	s.names[o.ID] = name
}

// command runs a command in words and writes what happened.
func (s *story) command(words string) {
	first := !s.begun
	s.begun = true
	var n, m int64
	var name string
	scan := func(format string, args ...any) bool {
		got, err := fmt.Sscanf(words, format, args...)
		return err == nil && got == len(args)
	}
	switch {
	case first && scan("an order makes at most %d trades", &n):
		s.fresh(engine.Config{MaxMatches: int(n)})
	case words == "the book halts":
		s.happened(s.book.Halt())
	case words == "the book resumes":
		s.happened(s.book.Resume())
	case words == "the book restarts":
		s.happened(s.book.Restart())
	case words == "the contract is settled":
		s.happened(s.book.Clear(engine.BySettlement))
	case words == "show the counters":
		fmt.Fprintf(&s.out, "  seq %d: the bids changed at %d, the asks at %d\n", s.book.Seq(), s.book.Version(engine.Buy), s.book.Version(engine.Sell))
	case words == "show what takers see":
		s.seen(false)
	case words == "show what RPI takers see":
		s.seen(true)
	case scan("sell from %d, buy up to %d", &n, &m):
		s.book.SetLimits(n, m)
	case scan("%s is cancelled", &name) && strings.HasSuffix(words, "cancelled"):
		s.happened(s.book.Cancel(s.id(name), engine.ByUser))
	case scan("%s is amended to %d at %d", &name, &n, &m):
		s.happened(s.book.Amend(s.id(name), m, n))
	default:
		o := s.order(words)
		s.happened(s.book.Place(&o))
	}
}

func (s *story) id(name string) uint64 {
	var o engine.Order
	s.name(&o, name)
	return o.ID
}

// seen writes the levels.
func (s *story) seen(rpi bool) {
	for _, side := range []engine.Side{engine.Sell, engine.Buy} {
		text := []string{}
		for _, l := range s.book.Levels(nil, side, 10, rpi) {
			level := fmt.Sprintf("%d at %d", l.Qty, l.Price)
			if rpi {
				level = fmt.Sprintf("%d and %d RPI at %d", l.Qty, l.RPI, l.Price)
			}
			text = append(text, level)
		}
		if len(text) == 0 {
			text = append(text, "nothing")
		}
		fmt.Fprintf(&s.out, "  %s: %s\n", []string{"bids", "asks"}[side], strings.Join(text, ", "))
	}
}

// order reads "D1 buys 8 at 102, IOC, cancel maker".
func (s *story) order(words string) engine.Order {
	var o engine.Order
	parts := strings.Split(words, ", ")
	head := strings.Fields(parts[0])
	if len(head) < 4 {
		s.Fatalf("%q is no command", words)
	}
	s.name(&o, head[0])
	switch head[1] {
	case "buys":
	case "sells":
		o.Side = engine.Sell
	default:
		s.Fatalf("%q: neither buys nor sells", words)
	}
	if head[2] == "for" {
		o.Value = s.number(head[3])
	} else {
		o.Qty = s.number(head[2])
	}
	switch at := strings.TrimPrefix(strings.Join(head[len(head)-2:], " "), "at "); {
	case at == "market":
		o.Market = true
	case strings.HasPrefix(at, "bid ") || strings.HasPrefix(at, "ask "):
		o.Best = uint8(s.number(at[4:]))
		o.BestOpposite = (at[:3] == "ask") == (o.Side == engine.Buy)
	default:
		o.Price = s.number(at)
	}
	for _, option := range parts[1:] {
		var n int64
		switch {
		case option == "IOC":
			o.TIF = engine.IOC
		case option == "FOK":
			o.TIF = engine.FOK
		case option == "post only":
			o.TIF = engine.PostOnly
		case option == "RPI":
			o.TIF = engine.RPI
		case option == "sees RPI":
			o.SeesRPI = true
		case option == "cancel maker":
			o.Prevent = engine.CancelMaker
		case option == "cancel taker":
			o.Prevent = engine.CancelTaker
		case option == "cancel both":
			o.Prevent = engine.CancelBoth
		case option == "repriced":
			o.Reprice = true
		case option == "liquidation":
			o.Tag = engine.TagLiquidation
		case scanned(option, "group %d", &n):
			o.Group = uint32(n)
		case scanned(option, "no worse than %d", &n):
			o.Bounded, o.Worst = true, n
		default:
			s.Fatalf("%q: what is %q?", words, option)
		}
	}
	return o
}

func scanned(text, format string, n *int64) bool {
	got, err := fmt.Sscanf(text, format, n)
	return got == 1 && err == nil
}

// happened writes events in words.
func (s *story) happened(events []engine.Event) {
	for _, e := range events {
		s.out.WriteString("  " + s.words(e) + "\n")
	}
	if len(events) == 0 {
		s.out.WriteString("  nothing happens\n")
	}
}

func (s *story) words(e engine.Event) string {
	left := func(n int64) string {
		if n == 0 {
			return "filled"
		}
		return fmt.Sprintf("%d left", n)
	}
	name := s.names[e.ID]
	if e.Tag != engine.TagNone {
		name += " [" + e.Tag.String() + "]"
	}
	maker := s.names[e.Maker]
	switch e.Kind {
	case engine.Rested:
		return fmt.Sprintf("%s rests at %d, %d left", name, e.Price, e.Left)
	case engine.Traded:
		if e.RPI {
			maker = "(" + maker + ")"
		}
		verb := []string{"buys %d at %d from", "sells %d at %d to"}[e.Side]
		return fmt.Sprintf("%s "+verb+" %s: %s %s, %s %s", name, e.Qty, e.Price, maker, maker, left(e.MakerLeft), name, left(e.Left))
	case engine.Cancelled:
		text := fmt.Sprintf("%s is cancelled, %d left: %v", name, e.Left, e.Reason)
		if maker != "" {
			text += " with " + maker
		}
		return text
	case engine.Amended:
		return fmt.Sprintf("%s is amended from %d to %d, %d left", name, e.Was, e.Price, e.Left)
	case engine.Refused:
		return fmt.Sprintf("%s is refused: %v", name, e.Reason)
	}
	return fmt.Sprintf("the book is %s", strings.ToLower(e.Kind.String()))
}
