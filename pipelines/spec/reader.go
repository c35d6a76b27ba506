package spec

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"tributary/pipelines/spec/problem"
)

// reader turns nodes into a Spec and collects what is wrong on the way. A value with
// a problem is left at zero, and rules that depend on it are not tried.
type reader struct {
	// built is what jobs can run.
	built combinations
	// root declares what a spec holds.
	root     *section
	file     string
	lines    []string
	problems problem.List
	// unlisted counts the problems beyond mostProblems.
	unlisted int
	marks    map[string]mark
	// failed holds the paths of values with an error.
	failed map[dotted]bool
	// wanted holds the fields of required keys that are missing.
	wanted map[wanted]string
	// promised are those that were found where they do not belong.
	promised map[wanted]bool
	// edits are the changes that problems propose, by line.
	edits map[int][]edit
	// moves are the indentations that lines should have.
	moves map[int]int
	// places are the paths of inputs, by where they stand.
	places map[problem.Position]dotted
	// hidden are texts that no problem may show.
	hidden []string
}

// mostProblems is how many are listed: a file with more is no spec at all, and nobody
// reads that far.
const mostProblems = 500

// dotted is the path of a value with dots between keys, empty for the whole spec.
type dotted string

func (p dotted) key(key string) dotted {
	if p == "" {
		return dotted(key)
	}
	return p + dotted("."+key)
}

func (p dotted) index(i int) dotted {
	return p.key(strconv.Itoa(i))
}

// problem starts a problem at a node.
func (r *reader) problem(code string, at *node, field dotted, format string, args ...any) problem.Problem {
	position := problem.Position{File: r.file, Line: at.line, Column: at.column}
	p := problem.New(code, position, string(field), fmt.Sprintf(format, args...))
	p.Width = at.width
	p.Source = r.line(at.line)
	return p
}

// position is where a node stands.
func (r *reader) position(n *node) problem.Position {
	return problem.Position{File: r.file, Line: n.line, Column: n.column}
}

func (r *reader) add(p problem.Problem) {
	p.Got, p.Message, p.Field = r.masked(p.Got), r.masked(p.Message), r.masked(p.Field)
	if len(r.problems) < mostProblems {
		r.problems = append(r.problems, p)
	} else {
		r.unlisted++
	}
	if p.Severity == problem.SeverityError {
		r.failed[dotted(p.Field)] = true
	}
}

// drop takes back a problem that another one has explained; its field stays failed.
func (r *reader) drop(code, field string) {
	r.problems = slices.DeleteFunc(r.problems, func(p problem.Problem) bool { return p.Code == code && p.Field == field })
}

// ok tells whether none of the values has an error, nor anything they are part of.
func (r *reader) ok(paths ...dotted) bool {
	for _, p := range paths {
		for p != "" {
			if r.failed[p] {
				return false
			}
			p = p[:max(0, strings.LastIndexByte(string(p), '.'))]
		}
	}
	return true
}

func (r *reader) line(number int) string {
	if number < 1 || number > len(r.lines) {
		return ""
	}
	return r.lines[number-1]
}

// replaced returns the line of a scalar with another text in its place; empty if the
// scalar is not written there in one piece.
func (r *reader) replaced(n *node, text string) string {
	if text == "" {
		return ""
	}
	return r.edited(n.line, edit{n.column - 1, n.column - 1 + n.width, text})
}

// written is a scalar as it stands in the file: True, where its text is true.
func (r *reader) written(n *node) string {
	line := []rune(r.line(n.line))
	if end := n.column - 1 + n.width; n.column >= 1 && end <= len(line) && strings.EqualFold(string(line[n.column-1:end]), n.text) {
		return string(line[n.column-1 : end])
	}
	return n.text
}

// text reads a value that must be text, and not empty.
func (r *reader) text(n *node, at dotted) string {
	switch n.kind {
	case badKind:
		r.failed[at] = true
	case textKind:
		if strings.TrimSpace(n.text) != "" {
			return n.text
		}
		r.add(r.problem("T1012", n, at, "must not be empty"))
	case nullKind:
		r.add(r.problem("T1012", n, at, "has no value"))
	case boolKind, intKind, floatKind:
		p := r.problem("T1010", n, at, "must be text, got %s", n.kind)
		p.Got, p.Fix = n.text, r.replaced(n, strconv.Quote(r.written(n)))
		r.add(p)
	default:
		r.add(r.problem("T1010", n, at, "must be text, got %s", n.kind))
	}
	return ""
}

// choice reads one of several words.
func (r *reader) choice(n *node, at dotted, allowed []string) string {
	text := r.text(n, at)
	if text == "" || slices.Contains(allowed, text) {
		return text
	}
	r.add(r.notAllowed(n, at, text, allowed))
	return ""
}

func (r *reader) notAllowed(n *node, at dotted, text string, allowed []string) problem.Problem {
	p := r.problem("T1013", n, at, "%q is not one of the values that may stand here", text)
	p.Got, p.Allowed = text, allowed
	if p.Nearest = Nearest(text, allowed); p.Nearest != "" {
		p.Fix = r.replaced(n, p.Nearest)
	}
	return p
}

// duration reads a duration of at least least.
func (r *reader) duration(n *node, at dotted, least time.Duration) time.Duration {
	text := n.text
	switch n.kind {
	case textKind, intKind, floatKind:
	case mapKind, listKind, boolKind:
		p := r.problem("T1010", n, at, "must be a duration, got %s", n.kind)
		p.Hint = "a number with a unit, like 30m or 1d12h"
		r.add(p)
		return 0
	default:
		r.text(n, at) // which reports that there is none
		return 0
	}
	d, err := ParseDuration(text)
	if err == nil && d >= least {
		return d
	}
	code := "T1201"
	var message string
	switch {
	case err == nil:
		code, message = "T1202", fmt.Sprintf("must be at least %s, got %s", FormatDuration(least), text)
	case strings.HasPrefix(text, "-"):
		code, message = "T1202", fmt.Sprintf("must not be negative, got %s", text)
	case durationForm.MatchString(text):
		code, message = "T1203", err.Error()
	case n.kind != textKind:
		message = fmt.Sprintf("%s has no unit", text)
	default:
		message = err.Error()
	}
	p := r.problem(code, n, at, "%s", message)
	p.Got = text
	switch code {
	case "T1201":
		p.Allowed = []string{"numbers with the units d, h, m, s or ms, like 1d12h"}
	case "T1202":
		p.Allowed = []string{FormatDuration(least) + " or longer"}
	case "T1203":
		p.Allowed = []string{"whole milliseconds, up to " + FormatDuration(longestDuration)}
	}
	guess := guessDuration(text)
	if g, err := ParseDuration(guess); err == nil && g >= least && guess != text {
		p.Nearest, p.Fix = guess, r.replaced(n, guess)
	} else if _, err := strconv.ParseFloat(text, 64); err == nil && code == "T1201" {
		p.Hint = fmt.Sprintf("write the unit: %ss, %sm, %sh or %sd", text, text, text, text)
	}
	r.add(p)
	return 0
}

// whole reads a whole number in [lo, hi].
func (r *reader) whole(n *node, at dotted, lo, hi int64) int64 {
	if n.kind != intKind {
		r.wrongNumber(n, at, "a whole number")
		return 0
	}
	i, ok := r.decimal(n, at, false)
	if !ok {
		return 0
	}
	if i < lo || i > hi {
		p := r.problem("T1014", n, at, "must lie between %d and %d, got %s", lo, hi, n.text)
		nearest := strconv.FormatInt(min(max(i, lo), hi), 10)
		p.Got, p.Allowed, p.Fix = n.text, []string{fmt.Sprintf("%d to %d", lo, hi)}, r.replaced(n, nearest)
		r.add(p)
		return 0
	}
	return i
}

// decimal reads a whole number that has one meaning only: 010 is eight to some
// readers of YAML and ten to others. Where text may stand as well, quotes mend it.
func (r *reader) decimal(n *node, at dotted, orText bool) (int64, bool) {
	i, err := strconv.ParseInt(n.text, 10, 64)
	if err == nil && strconv.FormatInt(i, 10) == n.text {
		return i, true
	}
	p := r.problem("T1015", n, at, "%s is read as different numbers by different readers of YAML, or does not fit 64 bits", n.text)
	p.Got, p.Hint = n.text, "write a plain decimal number"
	plain := strings.ReplaceAll(n.text, "_", "")
	if strings.HasPrefix(plain, "0") && strings.ContainsAny(plain, "89") { // else it may be octal
		plain = strings.TrimLeft(plain, "0")
	}
	if orText {
		p.Hint = "put it in quotes if it is text, else write a plain decimal number"
		p.Fix = r.replaced(n, strconv.Quote(n.text))
	} else if i, err := strconv.ParseUint(plain, 10, 63); err == nil && strconv.FormatUint(i, 10) == plain {
		p.Nearest, p.Fix = plain, r.replaced(n, plain)
	}
	r.add(p)
	return 0, false
}

// rate reads a number in (0, 1].
func (r *reader) rate(n *node, at dotted) float64 {
	n = n.number()
	if n.kind != intKind && n.kind != floatKind {
		r.wrongNumber(n, at, "a number")
		return 0
	}
	f, err := strconv.ParseFloat(n.text, 64)
	if err == nil && f > 0 && f <= 1 {
		return f
	}
	p := r.problem("T1014", n, at, "must be above 0 and at most 1, got %s", n.text)
	p.Got, p.Allowed = n.text, []string{"above 0 to 1"}
	if err == nil && f > 1 && f <= 100 {
		p.Hint = fmt.Sprintf("it is a share: %s %% is %s, one of %s is %s", n.text, number(f/100), n.text, strconv.FormatFloat(1/f, 'g', 3, 64))
	}
	r.add(p)
	return 0
}

func (r *reader) wrongNumber(n *node, at dotted, want string) {
	switch n.kind {
	case badKind:
		r.failed[at] = true
		return
	case nullKind:
		r.add(r.problem("T1012", n, at, "has no value"))
		return
	default: // a value of the wrong kind
	}
	p := r.problem("T1010", n, at, "must be %s, got %s", want, n.kind)
	if n.kind == textKind {
		p.Got = n.text
		percent := strings.TrimSuffix(n.text, "%")
		if f, err := strconv.ParseFloat(percent, 64); err == nil && !math.IsInf(f, 0) && !math.IsNaN(f) {
			if percent != n.text {
				f /= 100
			}
			p.Fix = r.replaced(n, strconv.FormatFloat(f, 'f', -1, 64))
		}
	}
	r.add(p)
}

// mark remembers where a value stands.
func (r *reader) mark(at dotted, key, value *node) {
	r.marks[string(at)] = mark{
		key:   problem.Position{File: r.file, Line: key.line, Column: key.column},
		value: problem.Position{File: r.file, Line: value.line, Column: value.column},
		width: value.width,
	}
}
