package bucket

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"

	"tributary/io/record"
	"tributary/transforms/attribution/attributiontest"
	"tributary/transforms/attribution/rules"
	"tributary/transforms/label"
	"tributary/transforms/sample"
)

// A bucket in a test is written as lines, and what the join makes of it as lines too:
//
//	view v@1000 x=1              the view v at 1000 ms, with payload "1"
//	marker v@1000 x=1            the same as a dedup marker, of an earlier bucket or interval
//	like v@1500 value=3 id=e     an engagement of kind like: its label's field, its own id
//	like v@1500 vt=1000 closed=9  with its view's time; read when views at or before 9 had closed
//
// Records stand in the log in the order of the lines. What comes out:
//
//	v@1000 like=1+500            a sample: label and delay of each kind; "like=0" if nothing counts
//	duplicate, duplicate differs a view that was there before
//	sampled out                  a negative that was not kept
//	like v@1500: matched, final  what the bucket saw of the engagement (see PartialOutcome)

// coreCase is one such bucket. Its params are attributiontest.Params, changed by change.
type coreCase struct {
	name   string
	change func(p *rules.Params)
	bucket int64 // index
	in     string
	want   string
}

// onlyLike leaves one kind with that label and credit.
func onlyLike(f label.Func, credit rules.Count) func(*rules.Params) {
	return func(p *rules.Params) { p.Kinds = []rules.Kind{{Name: "like", Window: 1000, Label: f, Count: credit}} }
}

func withSkew(p *rules.Params)      { p.ClockSkew = 50 }
func likesOnly(p *rules.Params)     { p.Kinds = p.Kinds[:1] }
func shortBucket(p *rules.Params)   { p.Bucket = 1000; p.Kinds = p.Kinds[:1] }
func outOfOrder(p *rules.Params)    { p.OutOfOrderness = 500; p.Kinds = p.Kinds[:1] }
func logEndsAt3000(p *rules.Params) { p.LogEnd = 3000 }

// readBucket makes a bucket of the lines described at the top of this file.
func readBucket(t *testing.T, p *rules.Params, index int64, text string) *Bucket {
	t.Helper()
	b := &Bucket{Index: index}
	for offset, line := range linesOf(text) {
		words := strings.Fields(line)
		id, at, ok := strings.Cut(words[1], "@")
		require.True(t, ok, line)
		time, err := strconv.ParseInt(at, 10, 64)
		require.NoError(t, err, line)
		fields := map[string]string{}
		for _, w := range words[2:] {
			name, value, ok := strings.Cut(w, "=")
			require.True(t, ok, line)
			fields[name] = value
		}
		number := func(name string, otherwise int64) int64 {
			if fields[name] == "" {
				return otherwise
			}
			v, err := strconv.ParseInt(fields[name], 10, 64)
			require.NoError(t, err, line)
			return v
		}
		if words[0] == "view" || words[0] == "marker" {
			v := View{ID: []byte(id), Hash: rules.HashID([]byte(id)), Time: time, Offset: int64(offset), Payload: []byte(fields["x"])}
			if words[0] == "marker" {
				hash := v.payloadHash()
				v.DedupMarker, v.PayloadHash, v.Payload = true, hash, nil
			}
			b.Views = append(b.Views, v)
			continue
		}
		kind := slices.IndexFunc(p.Kinds, func(k rules.Kind) bool { return k.Name == words[0] })
		require.GreaterOrEqual(t, kind, 0, line)
		g := Engagement{
			Kind: kind, ViewID: []byte(id), Hash: rules.HashID([]byte(id)), Time: time, Offset: int64(offset), Partition: int32(number("p", 0)),
			ClosedThrough: number("closed", record.NoTime), ViewTime: number("vt", record.NoTime),
		}
		if fields["id"] != "" {
			g.EventID = []byte(fields["id"])
		}
		switch v := gjson.Parse(fields["value"]); {
		case v.Type == gjson.String:
			g.Value = record.Value{Kind: record.String, Text: []byte(v.String())}
		case v.Type == gjson.True:
			g.Value = record.Value{Kind: record.Bool, Int: 1}
		case v.Type == gjson.Number && strings.Contains(v.Raw, "."):
			g.Value = record.Value{Kind: record.Float, Float: v.Num}
		case v.Type == gjson.Number:
			g.Value = record.Value{Kind: record.Int, Int: v.Int()}
		}
		b.Engagements = append(b.Engagements, g)
	}
	return b
}

// joinLines joins b and returns what came out as sorted lines.
func joinLines(t *testing.T, p *rules.Params, j *Joiner, b *Bucket, maturity, payload bool) []string {
	t.Helper()
	o := &lineOutput{t: t, p: p, maturity: maturity, payload: payload}
	j.Join(b, o)
	slices.Sort(o.lines)
	return o.lines
}

// lineOutput writes down what a Joiner hands out.
type lineOutput struct {
	resent            int
	t                 *testing.T
	p                 *rules.Params
	maturity, payload bool
	quiet             bool                 // no lines
	sample            func(*sample.Sample) // instead of a line

	lines      []string
	sampledOut int
	seen       map[Outcome]int
}

func (o *lineOutput) Sample(s *sample.Sample, _ bool) {
	if o.sample != nil {
		o.sample(s)
		return
	}
	encoder := sample.Encoder{JSONViews: true}
	encoder.Columns = o.p.Columns()
	read := gjson.Parse(attributiontest.SampleJSON(o.t, o.p, encoder.Append(nil, s)))
	line := fmt.Sprintf("%s@%d", read.Get("view_id"), read.Get("view_time").Int())
	anyDelay := false
	for _, k := range o.p.Kinds {
		line += " " + k.Name + "=" + read.Get("labels."+k.Name).Raw
		if delay := read.Get("delay_ms." + k.Name); delay.Type != gjson.Null {
			line += "+" + delay.Raw
			anyDelay = true
		}
	}
	require.Equal(o.t, anyDelay, s.Positive, "a positive is one for which something counts")
	if o.maturity {
		line += " mature=" + read.Get("maturity_ms").Raw
	}
	if o.payload {
		line += " x=" + read.Get("view").String()
	}
	o.lines = append(o.lines, line)
}

func (o *lineOutput) SampledOut()             { o.sampledOut++ }
func (o *lineOutput) Withdraw(*sample.Sample) {}
func (o *lineOutput) Corrected(int)           {}

func (o *lineOutput) DuplicateView(differing, _ bool) {
	line := "duplicate"
	if differing {
		line += " differs"
	}
	o.lines = append(o.lines, line)
}

func (o *lineOutput) ResentView() { o.resent++ }

func (o *lineOutput) Overflow(kind int, values int64) {
	o.lines = append(o.lines, fmt.Sprintf("%s leaves out %d", o.p.Kinds[kind].Name, values))
}

func (o *lineOutput) PartialOutcome(g *Engagement, s PartialOutcome) {
	if o.seen == nil {
		o.seen = map[Outcome]int{}
	}
	o.seen[s.Outcome]++
	if o.quiet {
		return
	}
	names := []string{OutcomeNone: "nothing", OutcomeDuplicate: "duplicate", OutcomeOutside: "outside", OutcomeMatched: "matched"}
	line := fmt.Sprintf("%s %s@%d: %s", o.p.Kinds[g.Kind].Name, g.ViewID, g.Time, names[s.Outcome])
	if s.Owner {
		line += ", owner"
	}
	if s.Final {
		line += ", final"
	}
	o.lines = append(o.lines, line)
}

func linesOf(text string) (lines []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}
