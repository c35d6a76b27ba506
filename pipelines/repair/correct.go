package repair

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/sink"
	"tributary/pipelines/audit"
	"tributary/pipelines/job"
	"tributary/pipelines/spec"
)

// CorrectOptions are the choices of Correct.
type CorrectOptions struct {
	audit.CorrectOptions
	// DryRun writes nothing, and says what would be written.
	DryRun bool
	// AtOnce is how many corrections are written in one transaction; 0 for DefaultAtOnce.
	AtOnce int
}

// DefaultAtOnce bounds what a repair that is killed has to begin again, and how long it holds back readers.
const DefaultAtOnce = 10_000

// writerName ends the transactional id of a repair, which is the job's name, a dash and this.
const writerName = "repair"

// Corrected says what was written to a topic of samples, or would be in a dry run.
type Corrected struct {
	audit.Corrections
	DryRun bool `json:"dry_run"`
	// Late says that late engagements count.
	Late bool `json:"late"`
	// Written is how many corrections are committed, in so many Transactions.
	Written      int64 `json:"written"`
	Transactions int64 `json:"transactions"`
	// Changes counts the fields that change from one value to another, by field; the most frequent first, up to MostChanges of a field.
	Changes map[string][]Change `json:"changes"`
}

// Change is what becomes of a value in so many samples. null is none.
type Change struct {
	From    json.RawMessage `json:"from"`
	To      json.RawMessage `json:"to"`
	Samples int64           `json:"samples"`
}

// MostChanges bounds the values that are told of a field: the rest are put together, as from and to "other".
const MostChanges = 20

// other stands for the rest of the values of a field.
const other = `"other"`

// Correct joins a range again and writes, behind the samples that the topic of a spec has, those that must count instead, see
// audit.FindCorrections. The job may go on meanwhile.
//
// Exactly once: of those who correct a job's samples the newest alone can write, since it fences off the others before it reads what the topic
// has; what one before it has committed is there then. So a run that is repeated, or repeated after it was killed, writes no correction again.
func Correct(ctx context.Context, s *spec.Spec, opt CorrectOptions) (_ *Corrected, returned error) {
	opt.AtOnce = cmp.Or(opt.AtOnce, DefaultAtOnce)
	opt.Values = !opt.DryRun
	out := &Corrected{DryRun: opt.DryRun, Late: opt.Late}
	w := &writing{out: out, atOnce: opt.AtOnce, changes: map[string]map[[2]string]int64{}}
	if err := audit.CheckCorrectable(s, opt.Late); err != nil {
		return nil, err
	}
	if !opt.DryRun {
		var err error
		if w.to, err = sink.OpenAppender(ctx, job.SampleConfig(s), writerName); err != nil {
			return nil, err
		}
		defer w.to.Close()
	}
	found, err := audit.FindCorrections(ctx, s, opt.CorrectOptions, func(c *audit.Correction) error { return w.take(ctx, c) })
	if err == nil {
		err = w.flush(ctx)
	}
	if err != nil {
		if out.Transactions > 0 {
			err = fmt.Errorf("after %d corrections were written, which stay: %w", out.Written, err)
		}
		if errors.Is(err, sink.ErrFenced) {
			err = fmt.Errorf("another repair of job %s has begun, or a transaction took longer than stream.transaction_timeout: %w", s.Stream.Name, err)
		}
		return nil, err
	}
	out.Corrections = *found
	out.Missing, out.Different, out.Extra = w.counts[audit.Missing], w.counts[audit.Different], w.counts[audit.Extra]
	out.Left.TooLarge += w.tooLarge
	out.Changes = changesOf(w.changes)
	return out, nil
}

// writing writes corrections, and counts them.
type writing struct {
	to       *sink.Appender // nil in a dry run
	out      *Corrected
	atOnce   int
	records  []*kgo.Record
	bytes    int
	tooLarge int64
	counts   map[audit.Class]int64
	changes  map[string]map[[2]string]int64
}

func (w *writing) take(ctx context.Context, c *audit.Correction) error {
	if w.counts == nil {
		w.counts = map[audit.Class]int64{}
	}
	if w.to != nil {
		text, err := json.Marshal(c.Corrected)
		if err != nil {
			return fmt.Errorf("what is corrected of view %s: %w", c.ViewID, err)
		}
		r := &kgo.Record{Key: slices.Clone(c.Key), Value: c.Value, Headers: []kgo.RecordHeader{
			{Key: sink.VersionHeader, Value: strconv.AppendInt(nil, c.Version, 10)},
			{Key: sink.CorrectedHeader, Value: text},
		}}
		if !w.to.Takes(r) {
			w.tooLarge++
			return nil
		}
		w.records = append(w.records, r)
		w.bytes += len(r.Key) + len(r.Value) + len(text)
	}
	w.counts[c.Class]++
	for field, values := range c.Changed {
		if w.changes[field] == nil {
			w.changes[field] = map[[2]string]int64{}
		}
		key := [2]string{string(values[0]), string(values[1])}
		if _, known := w.changes[field][key]; !known && len(w.changes[field]) >= mostValues {
			key = [2]string{other, other}
		}
		w.changes[field][key]++
	}
	if len(w.records) >= w.atOnce || w.bytes >= sink.DefaultTransactionBytes {
		return w.flush(ctx)
	}
	return nil
}

// mostValues bounds the pairs of values that are counted of a field: delays are as many as there are samples.
const mostValues = 1000

// flush writes what was gathered in one transaction.
func (w *writing) flush(ctx context.Context) error {
	if len(w.records) == 0 {
		return nil
	}
	if err := w.to.Append(ctx, w.records); err != nil {
		return err
	}
	w.out.Written += int64(len(w.records))
	w.out.Transactions++
	w.records, w.bytes = nil, 0
	return nil
}

// changesOf are the counts of each field, the most frequent first.
func changesOf(all map[string]map[[2]string]int64) map[string][]Change {
	out := map[string][]Change{}
	for field, counts := range all {
		keys := slices.SortedFunc(maps.Keys(counts), func(a, b [2]string) int {
			return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1]))
		})
		var told []Change
		rest := counts[[2]string{other, other}]
		for _, key := range keys {
			switch {
			case key == [2]string{other, other}:
			case len(told) == MostChanges:
				rest += counts[key]
			default:
				told = append(told, Change{json.RawMessage(key[0]), json.RawMessage(key[1]), counts[key]})
			}
		}
		if rest > 0 {
			told = append(told, Change{json.RawMessage(other), json.RawMessage(other), rest})
		}
		out[field] = told
	}
	return out
}
