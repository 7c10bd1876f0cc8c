package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	exprfile "github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"

	"github.com/bywire/bywire/decimal"
)

// rule is an expression over fields, compiled. It is safe for use by several
// goroutines, each with facts of its own.
//
// The library compiles and runs it; what may stand in it is decided here. A rule
// has three kinds of values: numbers, which are exact decimals, texts, and truth.
// Every literal becomes the decimal that its text says, and every operator on
// numbers a function on decimals, so that no float is ever involved. What the
// language has beyond that (arrays, closures, its own functions) is refused.
type rule struct {
	name    string // of --if NAME=EXPR, else ""
	text    string
	fields  []watchField // those that it uses, in the order of the text
	sources sourceSet
	program *vm.Program
}

// kind is what a part of a rule is.
type kind uint8

const (
	kindNone kind = iota // not known, an error has been found
	kindNumber
	kindText
	kindTruth
)

func (k kind) String() string {
	return [...]string{"nothing", "a number", "a text", "true or false"}[k]
}

// maxRule bounds the text of a rule, in bytes: more is a file by mistake.
const maxRule = 4 << 10

// maxNodes bounds the parts of a rule.
const maxNodes = 500

// numberFunctions are what a rule may call.
var numberFunctions = []string{"abs", "min", "max"}

// compileRule compiles a rule. The error is in one line, names the column, and
// says what there is.
func compileRule(name, text string) (*rule, error) {
	if strings.TrimSpace(text) == "" {
		return nil, errors.New("an empty rule; one looks like 'fundingRate > 0.0005'")
	}
	if len(text) > maxRule {
		return nil, fmt.Errorf("%d bytes long; a rule has at most %d", len(text), maxRule)
	}
	r := &rule{name: name, text: text}
	shape := &ruleShape{source: []rune(text), kinds: make(map[ast.Node]kind)}
	options := []expr.Option{
		expr.Env(sampleFacts()), expr.DisableAllBuiltins(), expr.MaxNodes(maxNodes),
		expr.AsBool(), expr.Patch(shape),
	}
	options = append(options, decimalFunctions()...)
	program, err := expr.Compile(text, options...)
	switch {
	case shape.err != nil: // says more than the library could
		return nil, shape.err
	case shape.root == kindNumber || shape.root == kindText:
		return nil, fmt.Errorf("the rule is %s and must be true or false, like 'fundingRate > 0.0005'", shape.root)
	case err != nil:
		return nil, shape.libraryError(err)
	case len(shape.fields) == 0:
		return nil, errors.New("names no field, so it never changes; " + fieldsHelp())
	}
	r.program, r.fields = program, shape.fields
	for _, f := range r.fields {
		r.sources |= f.source.set()
	}
	return r, nil
}

// eval decides the rule. It is undecided where a field is not known yet, and
// where a number gets out of range, which the error says.
func (r *rule) eval(f *facts) (judgement, error) {
	env := make(map[string]any, len(r.fields))
	for _, field := range r.fields {
		value, ok := f.value(field)
		if !ok {
			return undecided, nil
		}
		env[field.name] = value
	}
	out, err := expr.Run(r.program, env)
	if err != nil {
		var where *exprfile.Error
		if errors.As(err, &where) && where.Prev != nil {
			err = where.Prev
		}
		return undecided, fmt.Errorf("%s: %s", r.text, arithmetic(err))
	}
	if truth, ok := out.(bool); ok && truth {
		return holds, nil
	}
	return fails, nil
}

// arithmetic says why a number cannot be computed.
func arithmetic(err error) string {
	switch {
	case errors.Is(err, decimal.ErrDivisionByZero):
		return "division by zero"
	case errors.Is(err, decimal.ErrRange):
		return fmt.Sprintf("out of range: a number of more than %d digits", decimal.MaxDigits)
	}
	return err.Error()
}

// ruleShape is the visitor that checks a rule and makes it exact. Children come
// before their parents.
type ruleShape struct {
	source []rune
	kinds  map[ast.Node]kind
	fields []watchField
	root   kind
	err    error
}

// fail records the first error, with its place. Columns count from 1.
func (s *ruleShape) fail(n ast.Node, format string, args ...any) kind {
	if s.err == nil {
		s.err = fmt.Errorf("column %d: %s", n.Location().From+1, fmt.Sprintf(format, args...))
	}
	return kindNone
}

// Visit implements ast.Visitor.
func (s *ruleShape) Visit(node *ast.Node) {
	if s.err != nil {
		return
	}
	if _, done := s.kinds[*node]; done {
		return // a part that stands at two places, as in 0 < a < 1
	}
	k := s.check(node)
	s.kinds[*node] = k
	s.root = k // the last one visited is the whole
}

// check finds the kind of one node, and replaces it where it would not be
// exact.
func (s *ruleShape) check(node *ast.Node) kind {
	switch n := (*node).(type) {
	case *ast.IntegerNode, *ast.FloatNode:
		return s.literal(node)
	case *ast.StringNode:
		return kindText
	case *ast.BoolNode:
		return kindTruth
	case *ast.ConstantNode:
		return s.kinds[n]
	case *ast.IdentifierNode:
		return s.identifier(n)
	case *ast.UnaryNode:
		return s.unary(node, n)
	case *ast.BinaryNode:
		return s.binary(node, n)
	case *ast.ConditionalNode:
		if k := s.kinds[n.Cond]; k != kindTruth {
			return s.fail(n.Cond, "%s, and what stands before ? is true or false", k)
		}
		a, b := s.kinds[n.Exp1], s.kinds[n.Exp2]
		if a != b {
			return s.fail(n.Exp2, "%s, and the other choice is %s", b, a)
		}
		return a
	case *ast.ArrayNode:
		for _, item := range n.Nodes {
			if k := s.kinds[item]; k != kindText {
				return s.fail(item, "%s; a list has texts only, as in side in [\"Buy\"]", k)
			}
		}
		return kindNone // binary knows
	case *ast.CallNode:
		return s.call(n)
	}
	return s.fail(*node, "not part of a rule; there are fields, numbers, texts in quotes, %s, and the functions %s", operatorsHelp, strings.Join(numberFunctions, ", "))
}

const operatorsHelp = "+ - * / < <= > >= == != and or not, ? :"

// literal replaces a number by the decimal that its text says.
func (s *ruleShape) literal(node *ast.Node) kind {
	at := (*node).Location()
	if at.From < 0 || at.To > len(s.source) || at.From >= at.To {
		return s.fail(*node, "no number")
	}
	text := strings.ReplaceAll(string(s.source[at.From:at.To]), "_", "")
	plain := strings.TrimLeft(text, "0")
	if plain == "" || plain[0] < '0' || plain[0] > '9' {
		plain = "0" + plain // ".5", "0", "0.5"
	}
	plain = strings.TrimSuffix(plain, ".")
	d, err := decimal.Parse(plain)
	if err != nil {
		if errors.Is(err, decimal.ErrRange) {
			return s.fail(*node, "%s has more than %d digits", text, decimal.MaxDigits)
		}
		return s.fail(*node, "%s is no decimal number", text)
	}
	ast.Patch(node, &ast.ConstantNode{Value: d})
	return kindNumber
}

func (s *ruleShape) identifier(n *ast.IdentifierNode) kind {
	if slices.Contains(numberFunctions, n.Value) {
		return kindNone // call knows; alone it is refused by the library
	}
	f, ok := fieldNamed(n.Value)
	if !ok {
		if near := nearestField(n.Value); near != "" {
			return s.fail(n, "no field %s; meant %s?", n.Value, near)
		}
		return s.fail(n, "no field %s; %s", n.Value, fieldsHelp())
	}
	if !slices.ContainsFunc(s.fields, func(k watchField) bool { return k.name == f.name }) {
		s.fields = append(s.fields, f)
	}
	return f.kind
}

func (s *ruleShape) unary(node *ast.Node, n *ast.UnaryNode) kind {
	k := s.kinds[n.Node]
	switch {
	case (n.Operator == "!" || n.Operator == "not") && k == kindTruth:
		return kindTruth
	case n.Operator == "-" && k == kindNumber:
		s.replace(node, "$neg", n.Node)
		return kindNumber
	case n.Operator == "+" && k == kindNumber:
		s.replace(node, "max", n.Node) // of one number, itself
		return kindNumber
	}
	return s.fail(n, "%s of what is %s", n.Operator, k)
}

// onNumbers are the operators on numbers: their function and what comes out.
var onNumbers = map[string]struct {
	function string
	kind     kind
}{
	"+": {"$add", kindNumber}, "-": {"$sub", kindNumber}, "*": {"$mul", kindNumber}, "/": {"$quo", kindNumber},
	"<": {"$lt", kindTruth}, "<=": {"$le", kindTruth}, ">": {"$gt", kindTruth}, ">=": {"$ge", kindTruth},
	"==": {"$eq", kindTruth}, "!=": {"$ne", kindTruth},
}

func (s *ruleShape) binary(node *ast.Node, n *ast.BinaryNode) kind {
	a, b := s.kinds[n.Left], s.kinds[n.Right]
	switch n.Operator {
	case "&&", "and", "||", "or":
		if a == kindTruth && b == kindTruth {
			return kindTruth
		}
		wrong, k := n.Left, a
		if a == kindTruth {
			wrong, k = n.Right, b
		}
		return s.fail(wrong, "%s; %s joins what is true or false", k, n.Operator)
	case "in":
		if _, list := n.Right.(*ast.ArrayNode); list && a == kindText {
			return kindTruth
		}
		return s.fail(n, "in takes a text and a list of texts, as in side in [\"Buy\"]")
	case "==", "!=":
		if a == b && (a == kindText || a == kindTruth) {
			return kindTruth
		}
	}
	op, known := onNumbers[n.Operator]
	switch {
	case !known:
		return s.fail(n, "no operator %s; there are %s", n.Operator, operatorsHelp)
	case a == kindNumber && b == kindNumber:
		s.replace(node, op.function, n.Left, n.Right)
		return op.kind
	case a != b:
		return s.fail(n, "%s between %s and %s", n.Operator, a, b)
	}
	return s.fail(n, "%s is for numbers, and here is %s", n.Operator, a)
}

// replace puts a call in the place of an operator.
func (s *ruleShape) replace(node *ast.Node, function string, args ...ast.Node) {
	ast.Patch(node, &ast.CallNode{Callee: &ast.IdentifierNode{Value: function}, Arguments: args})
}

func (s *ruleShape) call(n *ast.CallNode) kind {
	callee, ok := n.Callee.(*ast.IdentifierNode)
	if !ok || !slices.Contains(numberFunctions, callee.Value) {
		return s.fail(n, "no such function; there are %s", strings.Join(numberFunctions, ", "))
	}
	if len(n.Arguments) == 0 || callee.Value == "abs" && len(n.Arguments) > 1 {
		return s.fail(n, "%s takes numbers, as in abs(basisRate) and max(bestBid, lastPrice)", callee.Value)
	}
	for _, arg := range n.Arguments {
		if k := s.kinds[arg]; k != kindNumber {
			return s.fail(arg, "%s, and %s takes numbers", k, callee.Value)
		}
	}
	return kindNumber
}

// libraryError says in one line what the library found, with the place.
func (s *ruleShape) libraryError(err error) error {
	var at *exprfile.Error
	if !errors.As(err, &at) {
		return errors.New(oneLine(err.Error()))
	}
	message := at.Message
	// What follows shows kinds of tokens, which tell a person nothing.
	for _, token := range []string{"Operator", "Bracket", "Identifier", "Number", "String"} {
		message = strings.ReplaceAll(message, "token "+token+"(", "token (")
	}
	if strings.HasPrefix(message, "unexpected token EOF") {
		message = "the rule ends too early"
	}
	switch {
	case strings.Contains(message, "exceeds maximum allowed nodes"):
		return fmt.Errorf("more than %d parts", maxNodes)
	case strings.HasPrefix(message, "invalid integer literal"), strings.HasPrefix(message, "invalid float literal"):
		return errors.New("holds a number that is out of range") // the place is not told as it is elsewhere
	}
	if name, ok := strings.CutPrefix(message, "unknown name "); ok {
		message = "no such function " + name + "; there are " + strings.Join(numberFunctions, ", ")
	}
	return fmt.Errorf("column %d: %s", at.From+1, oneLine(message))
}

// quoScales are the places after the point to which a quotient is rounded, half
// to even: the first at which it has no more than 28 digits.
var quoScales = [...]int{18, 12, 6, 0}

func quo(a, b decimal.Decimal) (d decimal.Decimal, err error) {
	for _, scale := range quoScales {
		if d, err = a.Quo(b, scale, decimal.HalfEven); !errors.Is(err, decimal.ErrRange) {
			return d, err
		}
	}
	return d, err
}

// decimalFunctions are what operators on numbers become. Names with a dollar
// cannot be written in a rule: the library allows one only by itself.
func decimalFunctions() []expr.Option {
	type d = decimal.Decimal
	binary := func(name string, f func(a, b d) (d, error)) expr.Option {
		return expr.Function(name, func(p ...any) (any, error) {
			a, b, err := pair(p)
			if err != nil {
				return nil, err
			}
			return f(a, b)
		}, new(func(d, d) d))
	}
	compare := func(name string, f func(c int) bool) expr.Option {
		return expr.Function(name, func(p ...any) (any, error) {
			a, b, err := pair(p)
			if err != nil {
				return nil, err
			}
			return f(a.Cmp(b)), nil
		}, new(func(d, d) bool))
	}
	// fold is a function of one number or more.
	fold := func(name string, f func(a, b d) d) expr.Option {
		return expr.Function(name, func(p ...any) (any, error) {
			var best d
			for i, v := range p {
				n, ok := v.(d)
				if !ok {
					return nil, errNoNumber
				}
				if i == 0 {
					best = f(n, n)
				} else {
					best = f(best, n)
				}
			}
			return best, nil
		}, new(func(...d) d))
	}
	return []expr.Option{
		binary("$add", d.Add), binary("$sub", d.Sub), binary("$mul", d.Mul), binary("$quo", quo),
		compare("$lt", func(c int) bool { return c < 0 }), compare("$le", func(c int) bool { return c <= 0 }),
		compare("$gt", func(c int) bool { return c > 0 }), compare("$ge", func(c int) bool { return c >= 0 }),
		compare("$eq", func(c int) bool { return c == 0 }), compare("$ne", func(c int) bool { return c != 0 }),
		fold("$neg", func(a, _ d) d { return a.Neg() }),
		fold("abs", func(a, _ d) d { return a.Abs() }),
		fold("min", func(a, b d) d {
			if b.Cmp(a) < 0 {
				return b
			}
			return a
		}),
		fold("max", func(a, b d) d {
			if b.Cmp(a) > 0 {
				return b
			}
			return a
		}),
	}
}

// errNoNumber cannot happen in a rule that was checked.
var errNoNumber = errors.New("not a number")

func pair(p []any) (a, b decimal.Decimal, err error) {
	if len(p) == 2 {
		x, ok := p[0].(decimal.Decimal)
		y, also := p[1].(decimal.Decimal)
		if ok && also {
			return x, y, nil
		}
	}
	return a, b, errNoNumber
}
