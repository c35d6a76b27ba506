package chaos

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"

	"tributary/io/kafkaio/commitlog"
	"tributary/pipelines/job"
	"tributary/pipelines/job/stream"
	"tributary/transforms/account"
)

// AuditTopics reads all topics of a stream from their start and holds them against the
// batch: the samples, each once; the job's commit log; the records that are late or dead; the
// accounts of what became of all events; and the input as it lies in Kafka, without which the
// rest would mean nothing. A job that has ended by itself must have written a sample for each
// view; one that was stopped may lack those that are not mature.
func AuditTopics(ctx context.Context, s *Stream, ended bool) error {
	return errors.Join(s.auditInput(ctx), s.auditSamples(ctx, ended), s.auditRejected(ctx), s.auditAccounts(ctx, ended))
}

// auditInput checks that the topics hold what was to be published, in order.
func (s *Stream) auditInput(ctx context.Context) error {
	for _, topic := range []string{"views", "engagements"} {
		logs := map[int32][]Record{}
		for _, log := range s.Input.Logs {
			if log.Topic == topic {
				logs[log.Partition] = log.Records
			}
		}
		var wrong error
		err := s.readAll(ctx, s.topic(topic), func(r *kgo.Record) {
			if f, ok := s.foreign[place{r.Topic, r.Partition, r.Offset}]; ok {
				if wrong == nil && !bytes.Equal(f.value, r.Value) {
					wrong = fmt.Errorf("%s/%d@%d is not the foreign record that was written", r.Topic, r.Partition, r.Offset)
				}
				return
			}
			rest := logs[r.Partition]
			value, err := s.schemas.first(topic, r.Value)
			if wrong == nil && (err != nil || len(rest) == 0 || !bytes.Equal(rest[0].Value, value)) {
				wrong = fmt.Errorf("%s/%d@%d is not the record that was to be published", r.Topic, r.Partition, r.Offset)
			}
			if len(rest) > 0 {
				logs[r.Partition] = rest[1:]
			}
		})
		if err := errors.Join(err, wrong); err != nil {
			return err
		}
		for partition, rest := range logs {
			if len(rest) > 0 {
				return fmt.Errorf("%s/%d lacks %d records that were published", s.topic(topic), partition, len(rest))
			}
		}
	}
	return nil
}

// auditSamples checks samples and commit log.
func (s *Stream) auditSamples(ctx context.Context, ended bool) error {
	if s.Outputs.SamplesFolder() != nil {
		return s.auditFolder(ctx)
	}
	audit := NewAudit(s.Input.Samples)
	records := int64(0)
	err := s.readAll(ctx, s.Outputs.Samples.Topic, func(r *kgo.Record) {
		records++
		s.take(audit, r)
	})
	if err != nil {
		return err
	}
	errs := []error{audit.Err()}
	if missing := audit.Missing(s.Input.Last); len(missing) > 0 {
		errs = append(errs, fmt.Errorf("%d samples are missing: %s", len(missing), audit.Describe(missing)))
	}
	if found := audit.Found(); ended && found != len(s.Input.Samples) {
		errs = append(errs, fmt.Errorf("%d samples, want %d, those of views near the end of the log included", found, len(s.Input.Samples)))
	}
	for stage := range max(1, len(s.Stages)) {
		log := job.StageConfig(job.SampleConfig(s.Spec), s.Spec, stage).CommitLog
		written, err := commitlog.ReadAll(ctx, job.Kafka(s.Cluster(s.Outputs.Samples.Cluster)), log)
		if err != nil {
			return err
		}
		for shard, commits := range written {
			for _, group := range commits.Groups {
				records -= group.Records
				if group.Version != 1 {
					errs = append(errs, fmt.Errorf("%s: group %d of shard %d was corrected %d times: the job did not make the same samples again", log, group.ID, shard, group.Version-1))
				}
			}
		}
	}
	tooLarge, err := s.tooLarge(ctx)
	if err != nil {
		return err
	}
	records += tooLarge
	if records != 0 {
		errs = append(errs, fmt.Errorf("%s has %d records more than its commit log says", s.Outputs.Samples.Topic, records))
	}
	return errors.Join(errs...)
}

// auditRejected counts late and dead records. A restart may write them again, as the same
// bytes: what is distinct is counted.
func (s *Stream) auditRejected(ctx context.Context) error {
	distinct := func(topic string) (map[string]bool, error) {
		values := map[string]bool{}
		return values, s.readAll(ctx, topic, func(r *kgo.Record) { values[string(r.Value)] = true })
	}
	late, err := distinct(s.Outputs.Topics.Late)
	if err != nil {
		return err
	}
	dead, err := distinct(s.Outputs.Topics.DeadLetters)
	if err != nil {
		return err
	}
	sheet := s.Input.Report.Accounts
	wantLate, wantDead := sheet.Views.N[account.Late], sheet.Views.N[account.Dead]
	for _, e := range sheet.Engagements {
		wantLate, wantDead = wantLate+e.N[account.PartlyLate], wantDead+e.N[account.Dead]
	}
	for _, f := range s.foreign {
		wantLate += f.views(becomesLate)
		wantDead += f.views(becomesDead) + f.engagements(becomesDead)*int64(len(s.Engagements))
	}
	tooLarge, err := s.tooLarge(ctx)
	if err != nil {
		return err
	}
	wantDead += tooLarge
	// Accounts count engagements that are late for some views, or for all.
	for value := range late {
		if strings.Contains(value, `"reason":"late"`) && !strings.Contains(value, `"role":"views"`) {
			wantLate++
		}
	}
	if int64(len(late)) != wantLate || int64(len(dead)) != wantDead {
		return fmt.Errorf("%d late records and %d dead letters, want %d and %d", len(late), len(dead), wantLate, wantDead)
	}
	return nil
}

// tooLarge is how many samples are dead letters because they are too large. Each view that is must have one at the last stage,
// and may have one at each of those before that give all: it may be late for them.
func (s *Stream) tooLarge(ctx context.Context) (int64, error) {
	found := map[string]map[string]bool{}
	err := s.readAll(ctx, s.Outputs.Topics.DeadLetters, func(r *kgo.Record) {
		if key := string(r.Key); strings.HasPrefix(key, "samples ") {
			if found[key] == nil {
				found[key] = map[string]bool{}
			}
			found[key][string(r.Value)] = true
		}
	})
	n, views := int64(0), int64(0)
	for _, values := range found {
		n += int64(len(values))
		if len(values) > max(1, s.Input.whole) {
			return n, fmt.Errorf("a sample that is too large is a dead letter %d times: %v", len(values), values)
		}
	}
	for _, f := range s.foreign {
		views += f.views(becomesTooLarge)
	}
	if err == nil && int64(len(found)) != views {
		err = fmt.Errorf("samples of %d views are dead letters because they are too large, want %d", len(found), views)
	}
	return n, err
}

// auditAccounts adds up what the job has told of all events. All must have been read. What
// became of them is known once no window is open any more.
func (s *Stream) auditAccounts(ctx context.Context, ended bool) error {
	told, err := stream.Report(ctx, s.Spec)
	if err != nil {
		return err
	}
	if err := told.Accounts.Check(); err != nil {
		return err
	}
	want, got := s.withForeign(s.Input.Report.Accounts), *told.Accounts
	want.Views.N[account.Immature], got.Views.N[account.Immature] = 0, 0 // a stream waits for the end of windows
	if !ended {
		want, got = read(&want), read(&got)
	}
	if len(s.foreign) > 0 || !ended {
		want.Stages, got.Stages = nil, nil
	}
	wantText, err := json.Marshal([]any{want.Views, want.Engagements, want.Stages})
	if err != nil {
		return err
	}
	gotText, err := json.Marshal([]any{got.Views, got.Engagements, got.Stages})
	if err != nil {
		return err
	}
	if !bytes.Equal(wantText, gotText) {
		return fmt.Errorf("accounts of %s, want %s", gotText, wantText)
	}
	return nil
}

// withForeign adds the foreign records to the batch's accounts, as far as a job knows what becomes of them
// when it reads them.
func (s *Stream) withForeign(l *account.Sheet) account.Sheet {
	out := *l
	out.Engagements = map[string]*account.Engagements{}
	for kind, e := range l.Engagements {
		with := *e
		out.Engagements[kind] = &with
	}
	for _, f := range s.foreign {
		for _, fate := range []fate{becomesDead, becomesTooLarge, becomesLate, becomesSample} {
			out.Views.N[account.Read] += f.views(fate)
			for _, e := range out.Engagements {
				e.N[account.Read] += f.engagements(fate)
			}
		}
		out.Views.N[account.Dead] += f.views(becomesDead)
		out.Views.N[account.Late] += f.views(becomesLate)
		out.Views.N[account.Tombstones] += f.views(becomesTombstone)
		for _, e := range out.Engagements {
			e.N[account.Dead] += f.engagements(becomesDead)
			e.N[account.Tombstones] += f.engagements(becomesTombstone)
		}
	}
	return out
}

// read is the part of accounts that is known as soon as events are read.
func read(l *account.Sheet) account.Sheet {
	out := account.Sheet{Views: account.Views{N: account.Values{account.Read: l.Views.N[account.Read], account.Late: l.Views.N[account.Late], account.Dead: l.Views.N[account.Dead], account.Tombstones: l.Views.N[account.Tombstones]}.Counts()}, Engagements: map[string]*account.Engagements{}}
	for kind, e := range l.Engagements {
		out.Engagements[kind] = &account.Engagements{N: account.Values{account.Read: e.N[account.Read], account.Dead: e.N[account.Dead], account.Tombstones: e.N[account.Tombstones]}.Counts()}
	}
	return out
}
