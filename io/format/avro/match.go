package avro

import (
	"fmt"
	"slices"
	"strings"
)

// How well a reader's type fits a writer's.
const (
	matchNone     = iota
	matchPromoted // the writer's values can be turned into the reader's
	matchShort    // the name, or an alias, agrees but for the namespace
	matchAlias    // the writer's name is an alias of the reader's
	matchExact
)

// match compares two types that are not unions, without what is inside them.
func match(w, r *Type) int {
	switch {
	case w.Kind != r.Kind:
		if promotes(w.Kind, r.Kind) || w.asText() && r.Kind == KindString {
			return matchPromoted
		}
		return matchNone
	case !w.Kind.named() || w.Name == r.Name:
		return matchExact
	case slices.Contains(r.Aliases, w.Name):
		return matchAlias
	case slices.ContainsFunc(append([]string{r.Name}, r.Aliases...), func(name string) bool {
		return shortName(name) == shortName(w.Name)
	}):
		return matchShort
	default:
		return matchNone
	}
}

func shortName(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

// promotes tells whether Avro turns values of kind w into values of kind r.
func promotes(w, r Kind) bool {
	switch w {
	case KindInt:
		return r == KindLong || r == KindFloat || r == KindDouble
	case KindLong:
		return r == KindFloat || r == KindDouble
	case KindFloat:
		return r == KindDouble
	case KindString:
		return r == KindBytes
	case KindBytes:
		return r == KindString
	default:
		return false
	}
}

// branchFor returns the branch of the reader's union for values of type w, -1 if there
// is none: the best match, and the first of several as good. Avro's text says the first
// match; but then a long written for a reader of [double, long] would lose digits, so
// the implementations look for the same type first, and so does this.
func branchFor(w *Type, branches []*Type) int {
	best, rank := -1, matchNone
	for i, b := range branches {
		if m := match(w, b); m > rank {
			best, rank = i, m
		}
	}
	return best
}

// fieldsFor returns, for each of the reader's fields, the index of the writer's field
// it takes its value from, -1 if there is none. Names go before aliases.
func fieldsFor(w, r *Type) []int {
	from := make([]int, len(r.Fields))
	taken := make([]bool, len(w.Fields))
	find := func(name string) int {
		i := slices.IndexFunc(w.Fields, func(f RecordField) bool { return f.Name == name })
		if i < 0 || taken[i] {
			return -1
		}
		taken[i] = true
		return i
	}
	for i, f := range r.Fields {
		from[i] = find(f.Name)
	}
	for i, f := range r.Fields {
		for _, alias := range f.Aliases {
			if from[i] < 0 {
				from[i] = find(alias)
			}
		}
	}
	return from
}

// symbolsFor returns, for each of the writer's symbols, its index among the reader's,
// -1 if it has none and there is no default.
func symbolsFor(w, r *Type) []int {
	to := make([]int, len(w.Symbols))
	for i, s := range w.Symbols {
		if to[i] = slices.Index(r.Symbols, s); to[i] < 0 && r.Default != "" {
			to[i] = slices.Index(r.Symbols, r.Default)
		}
	}
	return to
}

// mismatch says why values of type w cannot be read as r, of the two alone; empty if
// they can.
func mismatch(w, r *Type) string {
	switch m := match(w, r); {
	case m == matchNone && w.Kind == r.Kind:
		return fmt.Sprintf("writer has %s, reader wants %s; an alias in the reader's schema would make them one", typeName(w), typeName(r))
	case m == matchNone:
		return fmt.Sprintf("writer has %s, reader wants %s", typeName(w), typeName(r))
	case w.Kind == KindFixed && w.Size != r.Size:
		return fmt.Sprintf("writer has %d bytes of %s, reader wants %d", w.Size, typeName(w), r.Size)
	case w.Logical == "decimal" && r.Logical == "decimal" && (w.Scale != r.Scale || w.Precision != r.Precision):
		return fmt.Sprintf("writer has decimal(%d,%d), reader wants decimal(%d,%d)", w.Precision, w.Scale, r.Precision, r.Scale)
	case isTime(w) && isTime(r) && timeUnit(w) != timeUnit(r):
		// Avro lets the numbers through as they are: times wrong by a factor of 1000.
		return fmt.Sprintf("writer has %s, reader wants %s; Avro does not convert between them", w.Logical, r.Logical)
	default:
		return ""
	}
}

func isTime(t *Type) bool { return strings.Contains(t.Logical, "time") }

func timeUnit(t *Type) string { return strings.TrimPrefix(t.Logical, "local-") }

// passes tells whether every encoded w is the same value as an r, byte for byte, so
// that resolution has nothing to do and cannot fail. assumed holds the pairs being
// looked at, which a recursive type comes back to.
func passes(w, r *Type, assumed map[[2]*Type]bool) bool {
	pair := [2]*Type{w, r}
	if assumed[pair] {
		return true
	}
	assumed[pair] = true
	switch {
	case w.Kind == KindUnion && r.Kind == KindUnion:
		for i, b := range w.Branches {
			if branchFor(b, r.Branches) != i || !passes(b, r.Branches[i], assumed) {
				return false
			}
		}
		return true
	case w.Kind == KindUnion || r.Kind == KindUnion || mismatch(w, r) != "":
		return false
	}
	switch w.Kind {
	case KindInt:
		return r.Kind == KindInt || r.Kind == KindLong
	case KindBytes:
		return r.Kind == KindBytes // a string would have to be UTF-8
	case KindLong, KindFloat:
		return r.Kind == w.Kind
	case KindArray, KindMap:
		return passes(w.Items, r.Items, assumed)
	case KindEnum:
		if r.Kind != KindEnum {
			return false
		}
		for i, to := range symbolsFor(w, r) {
			if i != to {
				return false
			}
		}
	case KindRecord:
		if len(w.Fields) != len(r.Fields) {
			return false
		}
		for i, from := range fieldsFor(w, r) {
			if i != from || !passes(w.Fields[i].Type, r.Fields[i].Type, assumed) {
				return false
			}
		}
	default: // the same bytes, as nothing mismatched
	}
	return true
}
