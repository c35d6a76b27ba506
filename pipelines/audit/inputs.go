package audit

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/source"
	"tributary/io/record"
	"tributary/pipelines/job"
	"tributary/pipelines/spec"
	"tributary/transforms/attribution/decode"
	"tributary/transforms/attribution/rules"
)

// checkInputs refuses what cannot be read again as the job has read it.
func checkInputs(s *spec.Spec) error {
	if s.ReadsStdin() || s.WritesStdout() {
		return fmt.Errorf("%s reads stdin or writes to stdout, and an audit reads again what was read, and what was written", s.File)
	}
	if s.ReadsTopics() && (s.Stream.Start.From == spec.StartLatest || s.Stream.Start.From == spec.StartCommitted) {
		return fmt.Errorf("%s: stream.start is %s: where the job began cannot be known again; an audit needs earliest or a time", s.File, s.Stream.Start.From)
	}
	return nil
}

// checkStarts refuses topics whose first records are gone, unless the range begins so much after those that are there that nothing in it came
// of the others: that would be taken for something that must not be there.
func checkStarts(ctx context.Context, s *spec.Spec, opt Options) error {
	if !s.ReadsTopics() {
		return nil
	}
	params, sources := job.Of(s)
	ranges, err := rangesOf(ctx, s, &params, sources)
	if err != nil {
		return err
	}
	starts, err := logStarts(ctx, s, ranges.all)
	if err != nil {
		return err
	}
	var gone []string
	earliest := int64(record.NoTime)
	for _, r := range ranges.all {
		// Where reading begins later than the log, it does so by the spec, as it did when the job read it.
		if r.From == 0 || r.From > starts[r.Partition] {
			continue
		}
		first, err := firstTime(ctx, &ranges, &params, r)
		if err != nil {
			return err
		}
		text := fmt.Sprintf("%s before offset %d", r.Partition, r.From)
		if first != record.NoTime {
			from := first + reach(s).Milliseconds()
			if !opt.From.IsZero() && opt.From.UnixMilli() >= from {
				continue
			}
			text += ", where event times are about " + momentOf(first)
			earliest = max(earliest, from)
		} else if !opt.From.IsZero() {
			continue // there is nothing in it that says when they were
		}
		gone = append(gone, text)
	}
	if len(gone) == 0 {
		return nil
	}
	const most = 5
	if more := len(gone) - most; more > 0 {
		gone = append(gone[:most], fmt.Sprintf("and %d more", more))
	}
	return goneError(s, gone, earliest)
}

// checkCompacted refuses topics that drop records for newer ones of their key: the join of today lacks what the job has read.
func checkCompacted(ctx context.Context, s *spec.Spec) error {
	type topic struct{ cluster, name string }
	asked := map[topic]bool{}
	for _, in := range s.Inputs() {
		of := topic{in.Cluster, in.Topic}
		if in.Topic == "" || asked[of] { // one topic may be that of several inputs
			continue
		}
		asked[of] = true
		compacted, err := isCompacted(ctx, job.Kafka(s.Cluster(in.Cluster)), in.Topic)
		if err != nil {
			return err
		}
		if compacted {
			return fmt.Errorf("topic %s of the inputs has cleanup.policy compact: it drops records that the job has read, and what they gave would be taken for wrong; such samples cannot be corrected from it", in.Topic)
		}
	}
	return nil
}

func isCompacted(ctx context.Context, kafka cluster.Config, topic string) (bool, error) {
	client, err := kafka.Connect(ctx)
	if err != nil {
		return false, err
	}
	defer client.Close()
	policy, err := cleanupPolicy(ctx, kadm.NewClient(client), topic)
	if err == nil && policy == "" {
		err = fmt.Errorf("the cluster does not tell the cleanup.policy of topic %s, without which nobody knows whether records are gone: the right to describe its configuration is needed", topic)
	}
	return strings.Contains(policy, "compact"), err
}

// cleanupPolicy is the setting of a topic; empty if the broker does not tell.
func cleanupPolicy(ctx context.Context, admin *kadm.Client, topic string) (policy string, err error) {
	configs, err := admin.DescribeTopicConfigs(ctx, topic)
	if err != nil {
		return "", fmt.Errorf("settings of topic %s: %w", topic, err)
	}
	for _, of := range configs {
		for _, one := range of.Configs {
			if one.Key == "cleanup.policy" && one.Value != nil {
				policy = *one.Value
			}
		}
	}
	return policy, nil
}

// goneError says which records are not there any more, and from when on an audit is possible, if that is known.
func goneError(s *spec.Spec, gone []string, earliest int64) error {
	text := fmt.Sprintf("records of the inputs are gone, and what the job made of them cannot be made again (%s): give --from, a time at least %s after that of the first records that are there",
		strings.Join(gone, "; "), spec.FormatDuration(reach(s)))
	if earliest != record.NoTime {
		text += ": " + momentOf(earliest) + " or later"
	}
	return errors.New(text)
}

// reach is how long after records that are gone samples may have come of them.
func reach(s *spec.Spec) time.Duration { return 2*s.LongestWindow() + s.OutOfOrderness }

// momentOf is an event time in ms as text, to the next whole second.
func momentOf(ms int64) string { return time.UnixMilli(ms + 999).UTC().Format(time.RFC3339) }

// logStarts are the first offsets that the logs of the partitions of some ranges have.
func logStarts(ctx context.Context, s *spec.Spec, ranges []source.Range) (map[cluster.Partition]int64, error) {
	type topic struct{ cluster, name string }
	starts, listed := map[cluster.Partition]int64{}, map[topic]bool{}
	for _, r := range ranges {
		of := topic{r.Partition.Cluster, r.Partition.Topic}
		if listed[of] {
			continue
		}
		listed[of] = true
		client, err := job.Kafka(s.Cluster(of.cluster)).Connect(ctx)
		if err != nil {
			return nil, err
		}
		found, err := cluster.ListOffsets(ctx, of.name, kadm.NewClient(client).ListStartOffsets)
		client.Close()
		if err != nil {
			return nil, err
		}
		for partition, offset := range found {
			starts[cluster.Partition{Cluster: of.cluster, Topic: of.name, Partition: partition}] = offset
		}
	}
	return starts, nil
}

// firstRecords are so many that a few which are late or early do not move their median.
const firstRecords = 21

// firstTime is the median of the event times of the first records of a range, record.NoTime if its first chapter has none.
func firstTime(ctx context.Context, in *inputRanges, p *rules.Params, r source.Range) (int64, error) {
	r.To, r.Clock = min(r.To, record.ChapterStart(record.Chapter(r.From)+1)), record.NoClock
	if r.From >= r.To {
		return record.NoTime, nil
	}
	known := *p
	known.Schemas = maps.Clone(p.Schemas)
	if known.Schemas == nil {
		known.Schemas = map[uint64]string{}
	}
	var times []int64
	enough := errors.New("enough")
	err := in.reading.ReadRange(ctx, r, func(b record.Batch) error {
		if b.Schema != 0 && b.SchemaText != "" {
			known.Schemas[b.Schema] = b.SchemaText
		}
		scanner, err := decode.NewScanner(&known, int(b.Input), b.Schema)
		if err != nil {
			return nil //nolint:nilerr // these records are dead letters
		}
		scanner.Scan(b, func(found decode.Scanned) {
			if found.Time != record.NoTime && len(times) < firstRecords {
				times = append(times, found.Time)
			}
		})
		if len(times) == firstRecords {
			return enough
		}
		return nil
	}, func(record.Rejected) error { return nil })
	if err != nil && !errors.Is(err, enough) {
		return record.NoTime, fmt.Errorf("the first records of %s: %w", r.Partition, err)
	}
	if len(times) == 0 {
		return record.NoTime, nil
	}
	slices.Sort(times)
	return times[len(times)/2], nil
}

// inputRanges are what there is now of the topics of the inputs, with what reads them.
type inputRanges struct {
	topics  *job.InputTopics
	reading source.Config
	all     []source.Range
}

// rangesOf finds them; the parameters get the schemas that are known of topics.
func rangesOf(ctx context.Context, s *spec.Spec, p *rules.Params, sources []job.Source) (r inputRanges, err error) {
	topics, err := job.FindTopics(ctx, s, p, sources)
	if err != nil {
		return r, err
	}
	r.topics, r.reading = topics, topics.Reading()
	r.reading.Job, r.reading.Stop = "audit", source.Stop{At: source.StopAtEnd}
	if r.reading, err = r.reading.Resolve(ctx); err == nil {
		r.all, err = r.reading.Ranges(ctx)
	}
	return r, err
}
