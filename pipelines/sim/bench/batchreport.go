package main

import (
	"cmp"
	"fmt"
	"runtime"
	"slices"

	"github.com/jedib0t/go-pretty/v6/table"
)

// BatchReport is what was measured of joins of files.
type BatchReport struct {
	Processors int            `json:"processors"`
	Rows       []*BatchResult `json:"rows"`
}

// BatchResult is a contestant with its turns.
type BatchResult struct {
	Contestant
	Log log `json:"log"`
	// Events is how many there were; Answer is what all contestants gave.
	Events int64  `json:"events"`
	Answer answer `json:"answer"`
	Turns  []Turn `json:"turns"`
}

// Turn is one join of all files.
type Turn struct {
	Seconds    float64 `json:"seconds"`
	CPUSeconds float64 `json:"cpu_seconds"`
	// Peak is the largest resident memory in bytes.
	Peak int64 `json:"peak_bytes"`

	answer answer
}

func newBatchReport() *BatchReport { return &BatchReport{Processors: runtime.NumCPU()} }

func (r *BatchReport) add(of batchTurn, t Turn) {
	i := slices.IndexFunc(r.Rows, func(row *BatchResult) bool { return row.Contestant == of.by.Contestant && row.Log == of.in.log })
	if i < 0 {
		i = len(r.Rows)
		r.Rows = append(r.Rows, &BatchResult{Contestant: of.by.Contestant, Log: of.in.log, Events: of.in.events, Answer: t.answer})
	}
	r.Rows[i].Turns = append(r.Rows[i].Turns, t)
}

// middle is the turn with the middle processor time, and the memory of the largest.
func (b *BatchResult) middle() Turn {
	turns := slices.SortedFunc(slices.Values(b.Turns), func(x, y Turn) int { return cmp.Compare(x.CPUSeconds, y.CPUSeconds) })
	out := turns[(len(turns)-1)/2]
	for _, t := range turns {
		out.Peak = max(out.Peak, t.Peak)
	}
	return out
}

func (r *BatchReport) table() table.Writer {
	t := newTable("files, from first byte to last", "windows", "from, to", "events", "samples", "positive", "turns", "events/s", "CPU s per million", "against the first", "peak memory, GB")
	perEvent := func(row *BatchResult) float64 { return row.middle().CPUSeconds / float64(row.Events) }
	for _, row := range r.Rows {
		m := row.middle()
		t.AppendRow(table.Row{
			row.Name, row.Log.Name, row.From + ", " + row.To, thousands(float64(row.Events)), thousands(float64(row.Answer.Samples)), thousands(float64(row.Answer.Positives)),
			len(row.Turns), thousands(float64(row.Events) / m.Seconds), fmt.Sprintf("%.2f", perEvent(row)*1e6), fmt.Sprintf("%.2f ×", perEvent(row)/perEvent(r.Rows[0])),
			fmt.Sprintf("%.2f", float64(m.Peak)/1e9),
		})
	}
	return t
}

// omissions tells what each contestant does with what the figures do not show.
func (r *BatchReport) omissions() table.Writer {
	t := table.NewWriter()
	t.AppendHeader(table.Row{"what becomes of", "duplicates", "late records", "accounts", "an id is"})
	for _, row := range r.Rows {
		if row.Log != r.Rows[0].Log {
			continue
		}
		t.AppendRow(table.Row{row.Name, row.Duplicates, row.Late, row.Accounts, row.IDs})
	}
	return t
}
