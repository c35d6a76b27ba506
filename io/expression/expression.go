// Package expression reads the expressions of a spec, which are CEL (cel.dev), and evaluates them on the fields of
// records. Nothing else here knows CEL.
//
//	expression.go  Parse: text to what it asks of a record, and what is wrong with it
//	rewrite.go     fields and conditions among the parts of an expression
//	dollar.go      fields beside a record's value, which begin with a $
//	types.go       Check holds an expression against the types of a schema
//	program.go     evaluates; values.go: what a field's value is there
//	condition.go   what a mapping asks of one field
//
// An expression is made of literals, fields, operators and the functions of CEL's standard library. A name is a field
// of the record, or one beside its value ($key), a name after a point (or a text in brackets) one inside: user.id, user["e-mail"]. There are no macros
// but has(FIELD), so that nothing repeats; no clock; and limits: LongestText, mostNodes, deepest, CostLimit.
//
// FIELD == LITERAL, FIELD != LITERAL and FIELD in [LITERALS] are conditions as a mapping has them
// (Condition), wherever they stand. A field that is missing or null equals no literal; whatever else is done with it
// is an error of that record.
package expression

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/env"
	"cel.dev/cel-go/common/operators"
)

// Limits of an expression: its bytes, parts, how deep they lie in one another, and the instructions of a regular expression.
const (
	LongestText = 4096
	mostNodes   = 1000
	deepest     = 100
	regexSize   = 1000
)

// Expression is one that can be evaluated, as far as is known without a schema.
type Expression struct {
	// Fields are those that it reads, each once, in the order in which they are named first.
	Fields []Field
	// Conditions hold for all records for which the expression is true. It is evaluated only where they do.
	Conditions []Condition
	// Memberships are likewise those of which one holds: FIELD in [LITERALS].
	Memberships [][]Condition
	// Simple says that nothing else is asked: the expression is its conditions.
	Simple bool

	text string
	// value says that it gives any value, and need not be true or false.
	value bool
	// language and parts are of the compiled text; they do not change.
	language *cel.Env
	parts    *rewriter
}

// Field is one that an expression reads.
type Field struct {
	// Path is its path, see record.ParsePath.
	Path string
	Place
}

// Place is where something is in an expression; both count from 1, columns in characters.
type Place struct {
	Line, Column int
}

// String is the place in words.
func (p Place) String() string { return fmt.Sprintf("line %d, column %d", p.Line, p.Column) }

// Mistake is something wrong with an expression.
type Mistake struct {
	Place
	Message string
	// Type says that the text can be read, and its parts do not go together.
	Type bool
}

// Mistakes are all that is wrong with an expression; at least one.
type Mistakes []Mistake

// Error names each with its place.
func (m Mistakes) Error() string {
	all := make([]string, len(m))
	for i, one := range m {
		all[i] = fmt.Sprintf("%s of the expression: %s", one.Place, one.Message)
	}
	return strings.Join(all, "; ")
}

// language is CEL without macros.
var language = sync.OnceValues(func() (*cel.Env, error) {
	return cel.NewCustomEnv(
		cel.StdLib(cel.StdLibSubset(&env.LibrarySubset{DisableMacros: true})),
		cel.EnableIdentifierEscapeSyntax(),
		cel.CrossTypeNumericComparisons(true),
		cel.DefaultUTCTimeZone(true),
		cel.ParserExpressionSizeLimit(LongestText),
		cel.ExpressionNodeLimit(mostNodes),
		cel.ExpressionNestingDepthLimit(deepest),
		cel.RegexProgramSizeLimit(regexSize),
		cel.ASTValidators(cel.ValidateDurationLiterals(), cel.ValidateTimestampLiterals(), cel.ValidateRegexLiterals()),
	)
})

// Parse reads an expression whose value is true or false. The error is Mistakes.
func Parse(text string) (*Expression, error) { return parse(text, false) }

// ParseValue reads an expression whose value a field can have: true or false, a number, text, or null for none. The error is Mistakes.
func ParseValue(text string) (*Expression, error) { return parse(text, true) }

func parse(text string, value bool) (*Expression, error) {
	if len(text) > LongestText {
		return nil, Mistakes{{Place{1, 1}, fmt.Sprintf("has %d bytes, at most %d may be", len(text), LongestText), false}}
	}
	if !utf8.ValidString(text) {
		return nil, Mistakes{{Place{1, 1}, "is not UTF-8", false}}
	}
	language, found, err := compile(text, value, nil)
	if err != nil {
		return nil, err
	}
	e := &Expression{Fields: found.fields, text: text, value: value, language: language, parts: found}
	if !value {
		if root := found.checked.NativeRep().Expr(); root.Kind() == ast.IdentKind && len(found.tests) == 0 {
			return nil, Mistakes{{found.place(root.ID()), "is a field and no condition: write " + found.fields[0].Path + " == true, or another value", true}}
		}
		e.Conditions, e.Memberships, e.Simple = found.necessary, found.memberships, found.simple
	}
	if !e.Simple {
		_, err = e.Program()
	}
	return e, err
}

// IsField tells whether the expression is a field, and nothing else.
func (e *Expression) IsField() bool {
	return e.value && len(e.parts.tests) == 0 && e.parts.checked.NativeRep().Expr().Kind() == ast.IdentKind
}

// Taken are the fields of which the value of the expression may be one, as it is: the field that it is, and those that it chooses between.
func (e *Expression) Taken() (fields []Field) {
	var walk func(ast.Expr)
	walk = func(x ast.Expr) {
		switch {
		case x.Kind() == ast.IdentKind:
			for _, f := range e.Fields {
				if variable(f.Path) == x.AsIdent() {
					fields = append(fields, f)
				}
			}
		case x.Kind() == ast.CallKind && x.AsCall().FunctionName() == operators.Conditional:
			walk(x.AsCall().Args()[1])
			walk(x.AsCall().Args()[2])
		}
	}
	walk(e.parts.checked.NativeRep().Expr())
	return fields
}

// parsed reads the text, and names its fields and conditions. Each call gives parts of its own.
func parsed(text string) (*cel.Env, *cel.Ast, *ast.SourceInfo, error) {
	language, err := language()
	if err != nil {
		return nil, nil, nil, err
	}
	text, dollars := hideDollars(text)
	tree, issues := language.Parse(text)
	if issues.Err() != nil {
		// What follows the first may be a consequence of it.
		return nil, nil, nil, mistakes(issues.Errors()[:1], false)
	}
	showDollars(tree, dollars)
	return language, tree, tree.NativeRep().SourceInfo(), nil
}

// compile checks an expression, of any value or of true and false, with the types of its fields, any for nil. With types,
// conditions are compared as CEL does; without, they are variables.
func compile(text string, value bool, types func(path string) Type) (*cel.Env, *rewriter, error) {
	language, tree, source, err := parsed(text)
	if err != nil {
		return nil, nil, err
	}
	w := &rewriter{source: source, types: types, value: value, slots: map[string]int{}}
	w.begin(tree.NativeRep().Expr())
	if len(w.wrong) > 0 {
		return nil, nil, w.wrong
	}
	vars := make([]cel.EnvOption, 0, len(w.fields)+len(w.tests))
	for _, f := range w.fields {
		t := cel.DynType
		if types != nil {
			t = types(f.Path).cel()
		}
		vars = append(vars, cel.Variable(variable(f.Path), t))
	}
	for i := range w.tests {
		vars = append(vars, cel.Variable(testName(i), cel.BoolType))
	}
	if language, err = language.Extend(vars...); err != nil {
		return nil, nil, fmt.Errorf("fields of the expression: %w", err)
	}
	checked, issues := language.Check(tree)
	if issues.Err() != nil {
		return nil, nil, mistakes(issues.Errors(), true)
	}
	w.checked = checked
	wanted, given := "true or false", []*cel.Type{cel.BoolType}
	if value {
		wanted, given = "true or false, a number or text", []*cel.Type{cel.BoolType, cel.IntType, cel.UintType, cel.DoubleType, cel.StringType}
	}
	if t := checked.OutputType(); t.Kind() != cel.DynKind && !slices.ContainsFunc(given, t.IsAssignableType) {
		return nil, nil, Mistakes{{w.place(tree.NativeRep().Expr().ID()), "must be " + wanted + ", and is " + typeName(t), true}}
	}
	return language, w, nil
}

// mistakes are those that CEL found.
func mistakes(found []*common.Error, types bool) Mistakes {
	var all Mistakes
	for _, one := range found {
		message := plain(one.Message)
		place := Place{max(one.Location.Line(), 1), max(one.Location.Column(), 0) + 1}
		all = append(all, Mistake{place, message, types && !strings.Contains(message, "limit")})
	}
	return all
}

// CEL's names for operators, and for types that may be null.
var (
	operatorName = regexp.MustCompile(`_?([-+*/%<>=!&|?:]+)_`)
	optionalType = regexp.MustCompile(`wrapper\(([a-z]+)\)`)
)

// plain is a message of CEL without its own names for things.
func plain(message string) string {
	message, _, _ = strings.Cut(message, "\n")
	message = strings.TrimPrefix(message, "Syntax error: ")
	if list, ok := strings.CutPrefix(message, "found no matching overload for "); ok {
		message = "does not go with these types: " + list
	}
	if strings.HasPrefix(message, "no such overload") {
		message = "does not go with these types"
	}
	if name, ok := strings.CutPrefix(message, "undeclared reference to "); ok {
		name, _, _ = strings.Cut(name, " (")
		message = "there is no function " + name
	}
	if strings.HasPrefix(message, "token recognition error at: '=") {
		message = "equal is ==, not ="
	}
	message, _, _ = strings.Cut(message, " expecting {")
	message = strings.ReplaceAll(message, "<EOF>", "the end")
	message = operatorName.ReplaceAllString(strings.ReplaceAll(message, "'the end'", "the end"), "$1")
	message = strings.ReplaceAll(message, "@in", "in")
	return optionalType.ReplaceAllString(strings.ReplaceAll(message, variablePrefix, ""), "optional $1")
}

// AsMistakes returns what is wrong with an expression.
func AsMistakes(err error) (Mistakes, bool) {
	var found Mistakes
	ok := errors.As(err, &found)
	return found, ok
}
