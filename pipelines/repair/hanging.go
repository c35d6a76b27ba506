// Package repair mends what a job cannot mend itself.
//
//	correct.go  samples that are out and must be others, for engagements that came late or as an audit found
//	hanging.go  transactions that nobody ends, which hold back every reader
//	text.go     what was found as tables
package repair

import (
	"context"
	"fmt"
	"slices"

	"tributary/io/kafkaio/cluster"
	"tributary/pipelines/job/topics"
	"tributary/pipelines/spec"
)

// Options are the choices of ending.
type Options struct {
	// DryRun ends nothing, and says what would be ended.
	DryRun bool
	// AbortUnknown aborts those that hang and of which nobody can tell any more how they ended.
	AbortUnknown bool
}

// Hanging is what was found in the topics of a spec.
type Hanging struct {
	Transactions []Transaction `json:"transactions"`
	// Ended is how many were ended, or would be in a dry run; Left how many hang of which nobody can tell how they ended, and Failed
	// how many could not be ended.
	Ended  int  `json:"ended"`
	Left   int  `json:"left"`
	Failed int  `json:"failed"`
	DryRun bool `json:"dry_run"`
	// Errors are of partitions that could not be asked for.
	Errors []string `json:"errors,omitempty"`
}

// Transaction is one that was open.
type Transaction struct {
	Cluster string `json:"cluster"`
	// ID is empty if no coordinator knows the transaction.
	ID         string                  `json:"transactional_id,omitempty"`
	Producer   int64                   `json:"producer_id"`
	Epoch      int16                   `json:"producer_epoch"`
	Partitions []cluster.OpenPartition `json:"partitions"`
	Fate       cluster.Fate            `json:"fate"`
	// Done is what was done with it, or would be.
	Done  Done   `json:"done"`
	Error string `json:"error,omitempty"`
}

// Done is what is done with a transaction.
type Done string

// What is done.
const (
	Nothing   Done = "nothing"
	Committed Done = "committed"
	Aborted   Done = "aborted"
	Failed    Done = "failed"
)

// EndHanging ends the transactions in the topics of a spec, inputs and outputs, that nobody ends any more, as their coordinators had
// decided. The job may run meanwhile. What could not be ended, or asked for, is told in the result; the error is of a cluster that does not
// answer, or refuses.
func EndHanging(ctx context.Context, s *spec.Spec, opt Options) (*Hanging, error) {
	found := &Hanging{Transactions: []Transaction{}, DryRun: opt.DryRun}
	needed := topics.Needed(s)
	for i := range s.Clusters {
		c := &s.Clusters[i]
		var names []string
		for _, t := range needed {
			if t.Cluster == c.Name {
				names = append(names, t.Name)
			}
		}
		if len(names) == 0 {
			continue
		}
		if err := found.end(ctx, c, names, opt); err != nil {
			return nil, fmt.Errorf("cluster %s: %w", c.Name, err)
		}
	}
	return found, nil
}

func (h *Hanging) end(ctx context.Context, c *spec.Cluster, names []string, opt Options) error {
	client, err := topics.Connect(ctx, c)
	if err != nil {
		return err
	}
	defer client.Close()
	open, err := cluster.OpenTransactions(ctx, client, slices.Compact(slices.Sorted(slices.Values(names)))...)
	switch {
	case err != nil && len(open) == 0:
		return err
	case err != nil:
		h.Errors = append(h.Errors, fmt.Sprintf("cluster %s: %v", c.Name, err))
	}
	for _, t := range open {
		one := Transaction{Cluster: c.Name, ID: t.ID, Producer: t.Producer, Epoch: t.Epoch, Partitions: t.Partitions, Fate: t.Fate, Done: Nothing}
		switch {
		case t.Fate == cluster.LostCommit:
			one.Done = Committed
		case t.Fate == cluster.LostAbort, opt.AbortUnknown && t.Fate != cluster.GoesOn:
			one.Done = Aborted
		case t.Fate != cluster.GoesOn:
			h.Left++
		}
		if one.Done != Nothing && !opt.DryRun {
			if err := t.End(ctx, client, one.Done == Committed); err != nil {
				one.Done, one.Error = Failed, cluster.OneLine(err)
			}
		}
		switch one.Done {
		case Nothing:
		case Failed:
			h.Failed++
		default:
			h.Ended++
		}
		h.Transactions = append(h.Transactions, one)
	}
	return nil
}
