package mappers

import (
	"errors"
	"reflect"
	"strings"

	"einvoice/connector"
	"einvoice/connector/setting"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"
	"github.com/govalues/decimal"
)

// expression is a compiled expression. Its numbers are decimals: a float is an
// error when the mapping is loaded.
type expression struct {
	text    string
	program *vm.Program
	uses    []selector
}

// expressionFailure is a value that a running expression could not read.
type expressionFailure struct {
	sel  selector
	flaw *flaw
}

// errExpression stops a running expression; the scope knows why.
var errExpression = errors.New("value cannot be read")

var (
	decimalType = reflect.TypeFor[decimal.Decimal]()
	stringType  = reflect.TypeFor[string]()
	boolType    = reflect.TypeFor[bool]()
	intType     = reflect.TypeFor[int]()
)

// compileExpression checks an expression whose result must be one of types.
func compileExpression(text string, p *places, types ...reflect.Type) (*expression, error) {
	e := &expression{text: text}
	selectors := &selectorPatch{places: p, uses: &e.uses}
	options := append(functions(), expr.Patch(selectors))
	program, err := expr.Compile(text, append(options, operators()...)...)
	if selectors.err != nil {
		return nil, selectors.err
	}
	if err != nil {
		if at, ok := errors.AsType[*file.Error](err); ok {
			return nil, misread(at)
		}
		return nil, setting.Say("not an expression: %v", err)
	}
	got := program.Node().Type()
	for _, t := range types {
		if got == t {
			e.program = program
			return e, nil
		}
	}
	return nil, wrongResult(got, types)
}

// misread tells where an expression is wrong, and what mostly makes it so.
func misread(at *file.Error) error {
	where := setting.Say("not an expression: %s (at its character %d)", at.Message, at.Column+1)
	if strings.Contains(at.Message, "float64") {
		return setting.Say(`%v; write decimals as dec("0.2")`, where)
	}
	return where
}

func wrongResult(got reflect.Type, types []reflect.Type) error {
	if got != nil && (got.Kind() == reflect.Float64 || got.Kind() == reflect.Float32) {
		return setting.Say(`the result is a floating-point number; write decimals as dec("0.2")`)
	}
	if got == nil || got.Kind() == reflect.Interface {
		return setting.Say("the type of the result is not known; make both sides of a choice the same, and use num() or dec() for numbers")
	}
	want := setting.Say("a text or a number")
	if types[0] == boolType {
		want = setting.Say("a condition (true or false)")
	}
	return setting.Say("the result is of type %s, but must be %v", got, want)
}

// run evaluates the expression; the result is a decimal, a string, a bool or an int.
func (e *expression) run(s *scope) (any, error) {
	s.failed = nil
	return s.machine.Run(e.program, s)
}

// selectorPatch turns col("Montant") into col($env, 3): names are checked and
// numbered when the mapping is loaded.
type selectorPatch struct {
	places *places
	uses   *[]selector
	err    error
}

func (p *selectorPatch) Visit(n *ast.Node) {
	switch t := (*n).(type) {
	case *ast.UnaryNode:
		p.negative(n, t)
	case *ast.CallNode:
		p.call(t)
	}
}

// negative makes -x of a decimal a subtraction, which is overloaded.
func (p *selectorPatch) negative(n *ast.Node, t *ast.UnaryNode) {
	if t.Operator != "-" {
		return
	}
	if _, literal := t.Node.(*ast.IntegerNode); !literal {
		ast.Patch(n, &ast.BinaryNode{Operator: "-", Left: &ast.IntegerNode{Value: 0}, Right: t.Node})
	}
}

func (p *selectorPatch) call(t *ast.CallNode) {
	callee, ok := t.Callee.(*ast.IdentifierNode)
	if !ok || callee.Value != "col" && callee.Value != "num" && callee.Value != "has" {
		return
	}
	if len(t.Arguments) != 1 {
		return // the type check says so, or it was patched before
	}
	name, ok := t.Arguments[0].(*ast.StringNode)
	if !ok {
		p.fail(setting.Say("%s() needs a name in quotes", callee.Value))
		return
	}
	sel, err := p.places.add(name.Value)
	if err != nil {
		p.fail(err)
		return
	}
	if callee.Value == "has" {
		p.places.list[sel.place].optional = true
	}
	*p.uses = append(*p.uses, sel)
	t.Callee = &ast.IdentifierNode{Value: "_" + callee.Value} // a fresh node: the old one remembers its type
	head := &ast.BoolNode{Value: sel.head}
	t.Arguments = []ast.Node{&ast.IdentifierNode{Value: "$env"}, &ast.IntegerNode{Value: sel.place}, head}
}

func (p *selectorPatch) fail(err error) {
	if p.err == nil {
		p.err = err
	}
}

// builtins are what the expression library has for texts.
var builtins = [...]string{"lower", "upper", "trim", "len", "replace", "split", "hasPrefix", "hasSuffix", "indexOf"}

// functions are all that an expression can call: nothing that gives a float,
// reads a clock or a file.
func functions() []expr.Option {
	options := []expr.Option{expr.Env(&scope{}), expr.DisableAllBuiltins()}
	for _, name := range builtins {
		options = append(options, expr.EnableBuiltin(name))
	}
	return append(options,
		// The names that people write have a type only; the patch calls the others.
		expr.Function("col", nil, new(func(string) string)),
		expr.Function("has", nil, new(func(string) bool)),
		expr.Function("num", nil, new(func(string) decimal.Decimal)),
		expr.Function("_col", func(a ...any) (any, error) {
			text, _ := a[0].(*scope).text(selector{place: a[1].(int), head: a[2].(bool)})
			return trimSpace(text), nil
		}, new(func(any, int, bool) string)),
		expr.Function("_has", func(a ...any) (any, error) {
			_, ok := a[0].(*scope).text(selector{place: a[1].(int), head: a[2].(bool)})
			return ok, nil
		}, new(func(any, int, bool) bool)),
		expr.Function("_num", func(a ...any) (any, error) {
			return a[0].(*scope).number(selector{place: a[1].(int), head: a[2].(bool)})
		}, new(func(any, int, bool) decimal.Decimal)),
		expr.Function("dec", func(a ...any) (any, error) {
			if n, ok := a[0].(int); ok {
				return decimal.New(int64(n), 0)
			}
			v, err := connector.ParseAmount(a[0].(string))
			return v.Or0(), err
		}, new(func(string) decimal.Decimal), new(func(int) decimal.Decimal)),
		expr.Function("round", func(a ...any) (any, error) {
			return connector.Round(a[0].(decimal.Decimal), min(max(a[1].(int), 0), 12)), nil
		}, new(func(decimal.Decimal, int) decimal.Decimal)),
		expr.Function("abs", func(a ...any) (any, error) {
			return a[0].(decimal.Decimal).Abs(), nil
		}, new(func(decimal.Decimal) decimal.Decimal)),
	)
}

// number reads a cell as a decimal; an empty one is 0.
func (s *scope) number(sel selector) (any, error) {
	text, _ := s.text(sel)
	if text = trimSpace(text); text == "" {
		return decimal.Zero, nil
	}
	a, bad := s.format.numbers.parse(text)
	if bad != nil {
		if s.failed == nil {
			s.failed = &expressionFailure{sel: sel, flaw: bad}
		}
		return nil, errExpression
	}
	return a.Or0(), nil
}

// operators make + - * / and comparisons work between decimals and whole numbers.
func operators() []expr.Option {
	type dec = decimal.Decimal
	arithmetic := func(name, op string, f func(a, b dec) (dec, error)) []expr.Option {
		return []expr.Option{expr.Function(name, func(a ...any) (any, error) {
			l, err := decimalOf(a[0])
			if err != nil {
				return nil, err
			}
			r, err := decimalOf(a[1])
			if err != nil {
				return nil, err
			}
			return f(l, r)
		}, new(func(dec, dec) dec), new(func(dec, int) dec), new(func(int, dec) dec)), expr.Operator(op, name)}
	}
	comparison := func(name, op string, f func(order int) bool) []expr.Option {
		return []expr.Option{expr.Function(name, func(a ...any) (any, error) {
			l, err := decimalOf(a[0])
			if err != nil {
				return nil, err
			}
			r, err := decimalOf(a[1])
			return f(l.Cmp(r)), err
		}, new(func(dec, dec) bool), new(func(dec, int) bool), new(func(int, dec) bool)), expr.Operator(op, name)}
	}
	var all []expr.Option
	all = append(all, arithmetic("_add", "+", dec.Add)...)
	all = append(all, arithmetic("_sub", "-", dec.Sub)...)
	all = append(all, arithmetic("_mul", "*", dec.Mul)...)
	all = append(all, arithmetic("_quo", "/", dec.Quo)...)
	all = append(all, comparison("_eq", "==", func(o int) bool { return o == 0 })...)
	all = append(all, comparison("_ne", "!=", func(o int) bool { return o != 0 })...)
	all = append(all, comparison("_lt", "<", func(o int) bool { return o < 0 })...)
	all = append(all, comparison("_le", "<=", func(o int) bool { return o <= 0 })...)
	all = append(all, comparison("_gt", ">", func(o int) bool { return o > 0 })...)
	return append(all, comparison("_ge", ">=", func(o int) bool { return o >= 0 })...)
}

func decimalOf(v any) (decimal.Decimal, error) {
	if n, ok := v.(int); ok {
		return decimal.New(int64(n), 0)
	}
	return v.(decimal.Decimal), nil
}
