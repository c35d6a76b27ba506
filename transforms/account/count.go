package account

import (
	"fmt"
	"slices"
)

// Count is a count that accounts have, an index into Counts. Define makes one.
type Count int

// maxCounts is how many counts there can be; a sheet has room for all of them.
const maxCounts = 64

// Counts holds a number for each Count.
type Counts [maxCounts]int64

// add adds other to c: all counts are merged by adding.
func (c *Counts) add(other *Counts) {
	for i, n := range other {
		c[i] += n
	}
}

// Values is how Counts are written down: those that are not 0.
type Values map[Count]int64

// Counts returns the values as Counts.
func (v Values) Counts() (c Counts) {
	for i, n := range v {
		c[i] = n
	}
	return c
}

// Row declares a count. How it is encoded, merged, checked, described in the JSON Schema, shown in
// tables and noted in reports follows from it.
type Row struct {
	// Key names it in JSON; Label in tables.
	Key, Label string
	// Views, Engagements, Input and Stage say what it counts of each; nil where there is no such count.
	Views, Engagements, Input, Stage *Use
	// Colour is the class of a part's colour on pages: kept, spare, orphan, double, late or dead.
	Colour string
	// Note says what a reader is told where it is not 0; nil for nothing.
	Note *Note
}

// Use is what a Row counts of views, of a kind of engagement, or of an input.
type Use struct {
	// Doc says what it counts, for the schema.
	Doc  string
	Side Side
	// Within lists counts that together are no less than this one.
	Within []Count
	// Optional: it is left out of JSON and of tables while it is 0.
	Optional bool
	// Metric names the runner's counter, behind the kind for engagements; empty for none.
	Metric string
}

// Side is where a count stands in the balance, read = the sum of the parts. Of an input the parts are
// no more than what was read.
type Side uint8

// Sides of the balance.
const (
	Beside Side = iota
	Whole
	Part
)

// Note is what a report says of a count that is not 0. Its text is: Title: how many. Advice
type Note struct {
	// Code names the note in reports for programs.
	Code, Title, Advice string
	// After is the code of the note that it follows in the order of importance; empty: it is the last.
	After string
	// Form says how the count is written.
	Form Form
	// Of is what it is a share or a part of.
	Of Count
	// Remark: it is worth knowing, and no reason to worry.
	Remark bool
}

// Form is how a note writes a count.
type Form uint8

// Forms of a count in a note.
const (
	Share   Form = iota // 12 (0.5 %)
	Portion             // 12 of 300, or all 300
	AtLeast             // at least 12
	Places              // in 12 places
)

var table []*Row

// Define adds a row to the table and returns its count. It is for variables of packages: all counts
// must be there before the first sheet is. It panics if the key is taken or the table is full.
func Define(r Row) Count {
	if len(table) == maxCounts || slices.ContainsFunc(table, func(other *Row) bool { return other.Key == r.Key }) {
		panic(fmt.Sprintf("account.Define: %s: the key is taken, or there are %d counts", r.Key, maxCounts))
	}
	table = append(table, &r)
	return Count(len(table) - 1)
}

// Row is the count's declaration.
func (c Count) Row() *Row { return table[c] }

// Subject is what has counts.
type Subject uint8

// Subjects.
const (
	OfViews Subject = iota
	OfEngagements
	OfInput
	OfStage
)

// In is what a row counts of a subject, nil for nothing.
func (r *Row) In(s Subject) *Use {
	switch s {
	case OfViews:
		return r.Views
	case OfEngagements:
		return r.Engagements
	case OfStage:
		return r.Stage
	default:
		return r.Input
	}
}

// All returns the counts of a subject that stand on one of the sides, in the order of the table.
func All(s Subject, sides ...Side) (counts []Count) {
	for i, r := range table {
		if use := r.In(s); use != nil && slices.Contains(sides, use.Side) {
			counts = append(counts, Count(i))
		}
	}
	return counts
}

// EachMetric calls do for each count of a sheet that has a metric and is not 0: with the subject, the name of the kind or stage (empty
// for views), the row, and the count.
func (l *Sheet) EachMetric(do func(s Subject, name string, row *Row, n int64)) {
	each := func(s Subject, name string, counts *Counts) {
		for i, row := range table {
			if use := row.In(s); use != nil && use.Metric != "" && counts[i] != 0 {
				do(s, name, row, counts[i])
			}
		}
	}
	each(OfViews, "", &l.Views.N)
	for kind, e := range l.Engagements {
		each(OfEngagements, kind, &e.N)
	}
	for stage, n := range l.Stages {
		each(OfStage, stage, &n.N)
	}
}

// Table returns the rows of all counts: a Count is an index into it.
func Table() []*Row { return slices.Clone(table) }
