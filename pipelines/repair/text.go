package repair

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"tributary/io/kafkaio/cluster"
	"tributary/pipelines/report"
)

// fates are what became of transactions, in words.
var fates = map[cluster.Fate]string{
	cluster.GoesOn:     "goes on, or is being ended",
	cluster.LostCommit: "was committed, and the brokers lost its end",
	cluster.LostAbort:  "was aborted, and the brokers lost its end",
	cluster.Nobodys:    "no coordinator knows it any more",
	cluster.Unclear:    "was ended, and no log says how any more",
}

// Text writes what was found as a table, and what was done in a sentence.
func (h *Hanging) Text(w io.Writer) error {
	var b strings.Builder
	if len(h.Transactions) == 0 {
		b.WriteString("no transaction is open in the topics of the spec\n")
	} else {
		h.table(&b)
	}
	for _, t := range h.Transactions {
		if t.Error != "" {
			fmt.Fprintln(&b, t.Error)
		}
	}
	for _, err := range h.Errors {
		fmt.Fprintf(&b, "not all could be asked for: %s\n", err)
	}
	if h.Left > 0 {
		fmt.Fprintf(&b, "of %d nobody can tell how they ended: --abort-unknown aborts them, and tributary help streams says what that means\n", h.Left)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (h *Hanging) table(b *strings.Builder) {
	done, ended := "DONE", "ended"
	if h.DryRun {
		done, ended = "WOULD BE DONE", "would be ended"
	}
	table := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "TRANSACTION\tPARTITION\tFROM\tLAST WRITTEN\tWHAT BECAME OF IT\t%s\n", done)
	for _, t := range h.Transactions {
		id := t.ID
		if id == "" {
			id = fmt.Sprintf("of producer %d", t.Producer)
		}
		for _, p := range t.Partitions {
			fmt.Fprintf(table, "%s\t%s/%d\t%d\t%s\t%s\t%s\n", id, p.Topic, p.Partition, p.Offset, p.Written.UTC().Format(time.RFC3339), fates[t.Fate], t.Done)
		}
	}
	_ = table.Flush() // a Builder takes everything
	fmt.Fprintf(b, "of %d that are open %d %s\n", len(h.Transactions), h.Ended, ended)
}

// takeBack says how what is left is taken back all the same.
const takeBack = "; --take-back, without --late, takes it back"

// Text writes what was corrected as a table, and in a sentence.
func (c *Corrected) Text(w io.Writer) error {
	var b strings.Builder
	is, would := "corrected", ""
	if c.DryRun {
		is, would = "would be corrected", "; this was a dry run, and nothing is written"
	}
	fmt.Fprintf(&b, "topic %s, views %s: %s of %s views %s\n", c.Topic, c.ranged(), report.Count(c.Missing+c.Different+c.Extra), report.Count(c.Views), is)
	if c.Cut {
		fmt.Fprintf(&b, "not to the end of the range: the job has completed what is before %s\n", c.Closed.Format(time.RFC3339))
	}
	for _, one := range []struct {
		n    int64
		text string
	}{
		{c.Different, "have another sample now"},
		{c.Missing, "had none: negatives that were not kept and are positives, or samples that were lost"},
		{c.Extra, "must have none: taken back, with weight 0"},
		{c.Losing, "of those with another sample lose a label"},
	} {
		if one.n > 0 {
			fmt.Fprintf(&b, "  %s %s\n", report.Count(one.n), one.text)
		}
	}
	c.changes(&b)
	for _, one := range []struct {
		n    int64
		text string
	}{
		{c.Left.ForLate, "were corrected for late engagements, which --late alone lets count"},
		{c.Left.Gone, "have none in the topic, which may have had one and let go of it"},
		{c.Left.TooLarge, "have one that the topic does not take"},
		{c.Left.Replaced, "are of an id that a later view has in the compacted topic"},
		{c.Left.Unknown, "have a sample that the join does not give: perhaps another job has written it" + takeBack},
		{c.Left.Deleted, "are of an id that was deleted from the topic"},
		{c.Left.Losing, "would lose a label: perhaps records that gave it are gone" + takeBack},
		{c.Left.Early, "are there at an early stage only, and must have none"},
		{c.Left.Several, "share id and time with a view of another key"},
	} {
		if one.n > 0 {
			fmt.Fprintf(&b, "left: %s %s\n", report.Count(one.n), one.text)
		}
	}
	for _, note := range c.Notes {
		fmt.Fprintf(&b, "note: %s\n", note)
	}
	if c.Written > 0 {
		fmt.Fprintf(&b, "%s written in %s\n", report.Number(c.Written, "correction"), report.Number(c.Transactions, "transaction"))
	}
	fmt.Fprintf(&b, "%s events joined again%s\n", report.Count(c.Events), would)
	_, err := io.WriteString(w, b.String())
	return err
}

// ranged says which views were compared.
func (c *Corrected) ranged() string {
	text := "before " + c.To.Format(time.RFC3339)
	if c.From != nil {
		text = "from " + c.From.Format(time.RFC3339) + " to " + c.To.Format(time.RFC3339)
	}
	return text
}

// mostShown are how many changes of a field are shown.
const mostShown = 5

// changes shows what changes of labels.
func (c *Corrected) changes(b *strings.Builder) {
	var fields []string
	for field := range c.Changes {
		if strings.HasPrefix(field, "labels.") || field == "weight" {
			fields = append(fields, field)
		}
	}
	if len(fields) == 0 {
		return
	}
	slices.Sort(fields)
	table := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "FIELD\tFROM\tTO\tSAMPLES\n")
	for _, field := range fields {
		all := c.Changes[field]
		for _, change := range all[:min(len(all), mostShown)] {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", field, report.Harmless(string(change.From)), report.Harmless(string(change.To)), report.Count(change.Samples))
		}
		if more := len(all) - mostShown; more > 0 {
			rest := int64(0)
			for _, change := range all[mostShown:] {
				rest += change.Samples
			}
			fmt.Fprintf(table, "%s\tother\tother\t%s\n", field, report.Count(rest))
		}
	}
	_ = table.Flush() // a Builder takes everything
}
