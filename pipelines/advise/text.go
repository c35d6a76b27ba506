package advise

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"tributary/pipelines/report"
)

// count writes a number as reports do.
func count(n float64) string { return report.Count(int64(n + 0.5)) }

// String is the number, with its bounds if it has some.
func (f Figure) String() string {
	if f.Low == nil {
		return count(f.N)
	}
	return fmt.Sprintf("%s (%s–%s)", count(f.N), count(*f.Low), count(*f.High))
}

// text is the share, with its bounds.
func (s *Share) text() string {
	if s == nil {
		return "–"
	}
	low, high := s.digits(s.Low), s.digits(s.High)
	return fmt.Sprintf("%s %% (%s–%s)", s.digits(s.Value), low, high)
}

// digits writes a part of the share in percent, finely enough that its bounds are told apart.
func (s *Share) digits(v float64) string {
	digits := 1
	for step := 10.0; digits < 4 && 100*(s.High-s.Low)*step < 2; step *= 10 {
		digits++
	}
	return strconv.FormatFloat(100*v, 'f', digits, 64)
}

// Text writes the result for people, in so many columns.
func (r *Result) Text(w io.Writer, width int) error {
	t := &text{width: cmp.Or(width, 80)}
	read := &r.Read
	t.line("%s: %s views and %s engagements, views from %s, the data end at %s", report.Harmless(r.Spec), report.Count(read.Views), report.Count(read.Engagements), report.Moment(read.From), report.Moment(read.To))
	if read.Dead+read.Filtered > 0 {
		t.line("  beside them %s dead and %s filtered", report.Count(read.Dead), report.Count(read.Filtered))
	}
	if read.Kept < 1 {
		t.line("  kept are %s events, of 1 in %.0f ids", report.Count(read.EventsKept), 1/read.Kept)
	}
	t.prose("  ", "* is now, > is advised. within: the time after its view by which a sample is there at most, state: what waits meanwhile, of the whole join. "+
		"fake neg.: views without a label of which there is an engagement after all. shuffled: records through the shuffle for each one read.")
	for i := range r.Kinds {
		r.kindText(t, i)
	}
	r.disorderText(t)
	r.stageText(t)
	r.layoutText(t)
	r.adviceText(t)
	t.line("")
	for _, note := range r.Notes {
		t.prose("note: ", report.Harmless(note))
	}
	if _, err := io.WriteString(w, t.b.String()); err != nil {
		return fmt.Errorf("write the advice: %w", err)
	}
	return nil
}

type text struct {
	b     strings.Builder
	width int
}

func (t *text) line(format string, args ...any) { fmt.Fprintf(&t.b, format+"\n", args...) }

// prose writes a sentence over as many lines as it takes, behind a lead.
func (t *text) prose(lead, sentence string) {
	for _, line := range report.Lines(sentence, max(40, t.width)-len(lead)) {
		t.line("%s%s", lead, line)
		lead = strings.Repeat(" ", len(lead))
	}
}

func (t *text) table(header []string, rows [][]string) {
	t.b.WriteString(strings.TrimRight(report.Table(t.width, header, rows), "\n") + "\n")
}

// marked is a value with a mark if it is the one there is (*), or advised (>).
func marked(value string, now, advised bool) string {
	mark := " "
	if now {
		mark = "*"
	}
	if advised {
		mark = ">" + strings.TrimSpace(mark)
	}
	return fmt.Sprintf("%-2s %s", mark, value)
}

func (r *Result) kindText(t *text, kind int) {
	k := &r.Kinds[kind]
	t.line("\n%s: share of engagements by delay, of %s that come within %s of their view", report.Harmless(k.Kind), report.Count(k.Engagements), short(r.HorizonMs))
	if len(k.curve) > 0 {
		t.line("\n%s", k.plot(r.HorizonMs, t.width))
	}
	header := []string{"window", "share (95 %)", "caught", "late"}
	if len(k.Windows) > 0 && k.Windows[0].Outcome.Positives != nil {
		header = append(header, "fake neg.")
	}
	header = append(header, "within", "state")
	var rows [][]string
	for i := range k.Windows {
		row := &k.Windows[i]
		of := &row.Outcome.Kinds[kind]
		cells := []string{marked(short(row.WindowMs), row.Now, row.Advised), row.Share.text(), of.Caught.String(), of.Late.String()}
		if of.FakeNegatives != nil {
			cells = append(cells, of.FakeNegatives.String())
		}
		rows = append(rows, append(cells, short(row.Cost.SamplesWithinMs), report.Size(row.Cost.StateBytes)))
	}
	t.line("")
	t.table(header, rows)
}

func (r *Result) disorderText(t *text) {
	if len(r.Disorder) == 0 {
		return
	}
	t.line("\nOut of order: how far records are behind the largest time before them in their partition")
	t.line("")
	var rows [][]string
	for i := range r.Inputs {
		in := &r.Inputs[i]
		if !in.Ordered {
			rows = append(rows, []string{in.Input, report.Count(in.Records), "no order", "–", "–", "–"})
			continue
		}
		quantile := func(q float64) string {
			return report.Duration(time.Duration(in.Behind.Quantile(q)) * time.Millisecond)
		}
		rows = append(rows, []string{in.Input, report.Count(in.Records), report.Share(in.Displaced, in.Records), quantile(0.99), quantile(0.999), quantile(1)})
	}
	t.table([]string{"input", "records", "displaced", "99 %", "99.9 %", "all"}, rows)
	t.line("")
	t.prose("", "With the windows of now, so many are late by out_of_orderness; what is advised is so with the windows that are advised:")
	t.line("")
	header := []string{"allowed", "late (95 %)", "views", "eng."}
	fakes := r.Disorder[0].Outcome.Positives != nil
	if fakes {
		header = append(header, "positives")
	}
	header = append(header, "within", "state")
	rows = nil
	for i := range r.Disorder {
		row := &r.Disorder[i]
		o := &row.Outcome
		late := 0.0
		for k := range o.Kinds {
			late += o.Kinds[k].Late.N
		}
		cells := []string{marked(short(row.OutOfOrdernessMs), row.Now, row.Advised), row.Late.text(), o.LateViews.String(), count(late)}
		if fakes {
			cells = append(cells, o.Positives.String())
		}
		rows = append(rows, append(cells, short(row.Cost.SamplesWithinMs), report.Size(row.Cost.StateBytes)))
	}
	t.table(header, rows)
}

func (r *Result) stageText(t *text) {
	if len(r.Stages) == 0 {
		return
	}
	t.line("\nA first stage (stages: [...]): what is known of the %s positives by then", count(r.Stages[0].Final.N))
	t.line("")
	var rows [][]string
	for i := range r.Stages {
		s := &r.Stages[i]
		rows = append(rows, []string{
			short(s.AfterMs), s.Positives.String(), report.Share(int64(s.Positives.N), int64(s.Final.N)), s.LateViews.String(), short(s.Cost.SamplesWithinMs),
			report.Size(s.Cost.StateBytes), fmt.Sprintf("%.1f", s.Cost.CPU),
		})
	}
	t.table([]string{"after", "positives", "share", "late views", "within", "state", "shuffled"}, rows)
}

func (r *Result) layoutText(t *text) {
	var rows [][]string
	for i := range r.Buckets {
		b := &r.Buckets[i]
		rows = append(rows, []string{
			marked(short(b.BucketMs), b.Now, false), short(b.Cost.SamplesWithinMs), strconv.FormatInt(b.Cost.EngagementCopies, 10), fmt.Sprintf("%.1f", b.Cost.CPU),
			report.Size(b.Cost.StateBytes), report.Count(b.Piece.Samples), report.Size(b.Piece.Bytes),
		})
	}
	if len(rows) > 0 {
		t.line("\nbucket: changes no sample, and nothing is late by it; samples, and bytes at once, are of one shard")
		t.line("")
		t.table([]string{"bucket", "within", "copies", "shuffled", "state", "samples", "at once"}, rows)
	}
	rows = nil
	for i := range r.Shards {
		s := &r.Shards[i]
		rows = append(rows, []string{marked(strconv.Itoa(s.Shards), s.Now, false), report.Count(s.Piece.Samples), report.Size(s.Piece.Bytes), report.Count(s.Piece.Transactions)})
	}
	t.line("\nshards: of a bucket, what one has in memory at once")
	t.line("")
	t.table([]string{"shards", "samples", "at once", "transactions"}, rows)
	rows = nil
	for i := range r.Readers {
		one := &r.Readers[i]
		rows = append(rows, []string{marked(strconv.Itoa(one.Readers), one.Now, false), report.Count(one.Partitions), fmt.Sprintf("%.1f", one.EventsPerSecond)})
	}
	if len(rows) > 0 {
		t.line("\nstream.source_parallelism: partitions of a reader, and what it reads in real time")
		t.line("")
		t.table([]string{"readers", "partitions", "events/s"}, rows)
	}
}

func (r *Result) adviceText(t *text) {
	if len(r.Advice) == 0 {
		t.line("\nAdvice: none: what was read speaks for no change")
		return
	}
	t.line("\nAdvice:")
	for i := range r.Advice {
		one := &r.Advice[i]
		t.line("")
		t.prose("  ", fmt.Sprintf("%s: %s -> %s: %s", report.Harmless(one.Key), one.From, one.To, report.Harmless(one.Because)))
		if one.Line == 0 {
			t.line("    %s, to be added: %s", report.Harmless(one.File), report.Harmless(one.Then))
			continue
		}
		t.line("    %s:%d", report.Harmless(one.File), one.Line)
		t.line("    - %s", report.Harmless(one.Now))
		t.line("    + %s", report.Harmless(one.Then))
	}
	t.line("\nWith all of it, of the same records:")
	t.line("")
	header, now, then := []string{""}, []string{"now"}, []string{"then"}
	add := func(name string, n, m string) {
		header, now, then = append(header, name), append(now, n), append(then, m)
	}
	for i := range r.Now.Outcome.Kinds {
		n, m := &r.Now.Outcome.Kinds[i], &r.After.Outcome.Kinds[i]
		add(report.Harmless(n.Name)+" caught", n.Caught.String(), m.Caught.String())
		if n.FakeNegatives != nil {
			add("fake negatives", n.FakeNegatives.String(), m.FakeNegatives.String())
		}
		add("late", n.Late.String(), m.Late.String())
	}
	add("late views", r.Now.Outcome.LateViews.String(), r.After.Outcome.LateViews.String())
	add("samples within", short(r.Now.Cost.SamplesWithinMs), short(r.After.Cost.SamplesWithinMs))
	add("state", report.Size(r.Now.Cost.StateBytes), report.Size(r.After.Cost.StateBytes))
	t.table(header, [][]string{now, then})
}
