package why

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"tributary/pipelines/audit"
	"tributary/pipelines/report"
	"tributary/transforms/attribution/bucket"
)

// mostRows bounds the rows of a table; JSON has them all.
const mostRows = 50

// Text writes the result for people.
func (r *Result) Text(w io.Writer) error {
	var b strings.Builder
	table(&b, "Records, by event time:", []string{"", "at", "event time", "watermark", "names", "became"}, r.recordRows())
	table(&b, "Views, by stage:", []string{"stage", "at", "bucket", "closes at", "shard", "labels", "became"}, r.stageRows())
	table(&b, "Engagements and views:", []string{"stage", "engagement", "view", "is"}, r.pairRows())
	table(&b, "Samples as they are written:", []string{"stage", "at", "written", "state", "labels", "is"}, r.sampleRows())
	for _, note := range r.Notes {
		fmt.Fprintf(&b, "note: %s\n", report.Harmless(note))
	}
	if len(r.Notes) > 0 {
		b.WriteByte('\n')
	}
	b.WriteString(r.Sentence + "\n")
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write what was found: %w", err)
	}
	return nil
}

// table writes rows of text below a header, without those columns that are empty in all rows.
func table(b *strings.Builder, title string, header []string, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	more := len(rows) - mostRows
	rows = append([][]string{header}, rows[:min(len(rows), mostRows)]...)
	b.WriteString(title + "\n")
	widths := make([]int, len(header))
	for n, row := range rows {
		for i := range row {
			if row[i] = report.Harmless(row[i]); n > 0 {
				widths[i] = max(widths[i], utf8.RuneCountInString(row[i]))
			}
		}
	}
	for _, row := range rows {
		line := " "
		for i, cell := range row {
			if widths[i] > 0 {
				line += " " + cell + strings.Repeat(" ", max(widths[i], utf8.RuneCountInString(header[i]))-utf8.RuneCountInString(cell)) + " "
			}
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	if more > 0 {
		fmt.Fprintf(b, "  and %d more, which --json has\n", more)
	}
	b.WriteByte('\n')
}

func (r *Result) recordRows() (rows [][]string) {
	for i := range r.Records {
		one := &r.Records[i]
		became := one.Fate
		switch {
		case one.DuplicateOf != nil:
			became += " of " + one.DuplicateOf.String()
		case one.LateMs != nil:
			became += " by " + report.Duration(time.Duration(*one.LateMs)*time.Millisecond)
		case one.PartlyLate:
			became += ", partly late"
		}
		if one.Detail != "" && one.Fate == fateDead {
			became += ": " + one.Detail
		}
		names := cmp.Or(one.Key, one.ViewID)
		if one.Key != "" && one.ViewID != "" {
			names = one.ViewID + " of key " + one.Key
		}
		if one.EventID != "" {
			names += " (" + one.EventID + ")"
		}
		rows = append(rows, []string{one.Role, one.String(), when(one.Time), when(one.Watermark), names, became})
	}
	return rows
}

func when(t *time.Time) string {
	if t == nil {
		return ""
	}
	return exactly(*t)
}

func (r *Result) stageRows() (rows [][]string) {
	for i := range r.Records {
		said := false
		for k := range r.Records[i].Stages {
			st := &r.Records[i].Stages[k]
			rows = append(rows, []string{st.Stage, r.Records[i].String(), exactly(st.Bucket), exactly(st.Closes), strconv.FormatInt(st.Shard, 10), labels(st.Sample), st.became(said)})
			said = said || st.Given
		}
	}
	return rows
}

// became is what the view has become at the stage, and where it is; said tells whether a stage before has given a sample of it.
func (st *StageOfView) became(said bool) string {
	text := st.Fate
	switch {
	case st.Fate == fateSample && st.Positive:
		text = "positive"
	case st.Fate == fateSample:
		text = "negative"
	case st.Withdrawn:
		text += ", taken back"
	}
	if st.Fate == fateSample && !st.Given {
		text += pick(said, ", as said before", ", which this stage does not give")
	}
	for _, sink := range st.Sinks {
		text += ", " + sink.State + " in " + sink.name()
		if c := sink.Commit; c != nil {
			text += commit(c)
		}
	}
	return text
}

// commit is the line of a commit log.
func commit(c *audit.Commit) string {
	switch {
	case c.Forgotten:
		return fmt.Sprintf(" (commit log: %d/%d is written)", c.Shard, c.Group)
	case c.Partial:
		return fmt.Sprintf(" (commit log: %d/%d version %d, the first %d records)", c.Shard, c.Group, c.Version, c.Records)
	default:
		return fmt.Sprintf(" (commit log: %d/%d version %d, %d records)", c.Shard, c.Group, c.Version, c.Records)
	}
}

// labels are those of a sample as JSON, in one line.
func labels(sample []byte) string {
	if len(sample) == 0 {
		return ""
	}
	var all []string
	gjson.GetBytes(sample, "labels").ForEach(func(name, value gjson.Result) bool {
		all = append(all, name.String()+"="+value.String())
		return true
	})
	return strings.Join(all, " ")
}

func (r *Result) pairRows() (rows [][]string) {
	for i := range r.Records {
		one := &r.Records[i]
		for k := range one.Stages {
			st := &one.Stages[k]
			for g := range st.Engagements {
				pair := &st.Engagements[g]
				rows = append(rows, []string{st.Stage, pair.Role + " " + pair.String(), one.ViewID + " " + one.String(), pair.is()})
			}
		}
	}
	return rows
}

// is is what an engagement is to a view.
func (g *Pair) is() string {
	if g.Fate == bucket.PairCounts {
		return "counts"
	}
	return g.notCounting()
}

func (r *Result) sampleRows() (rows [][]string) {
	for i := range r.Samples {
		s := &r.Samples[i]
		is := "not the join's"
		switch {
		case s.Corrected != nil:
			is = "a repair's"
		case s.Wanted && len(s.Fields) == 0:
			is = "the join's"
		case s.Wanted:
			is = s.differs()
		}
		state := s.State
		if s.Version > 1 {
			state += fmt.Sprintf(", version %d", s.Version)
		}
		rows = append(rows, []string{s.Stage, s.at(), when(s.WrittenAt), state, labels(s.Sample), is})
	}
	return rows
}
