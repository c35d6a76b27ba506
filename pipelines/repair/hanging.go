// Package repair mends what a job cannot mend itself.
//
//	hanging.go  transactions that nobody ends, which hold back every reader
//	text.go     what was found as a table
package repair

import (
	"context"
	"fmt"
	"slices"

	"tributary/io/kafkaio/cluster"
	"tributary/pipelines/job/topics"
	"tributary/pipelines/spec"
)

// Hanging is what was found in the topics of a spec.
type Hanging struct {
	Transactions []Transaction `json:"transactions"`
	// Ended is how many were ended, or would be in a dry run; Left how many hang of which nobody can tell how they ended.
	Ended  int  `json:"ended"`
	Left   int  `json:"left"`
	DryRun bool `json:"dry_run"`
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
	Done Done `json:"done"`
}

// Done is what is done with a transaction.
type Done string

// What is done.
const (
	Nothing   Done = "nothing"
	Committed Done = "committed"
	Aborted   Done = "aborted"
)

// EndHanging ends the transactions in the topics of a spec, inputs and outputs, that nobody ends any more: as their coordinator had decided, and
// those that no coordinator knows by aborting them. In a dry run it ends none. The job may run meanwhile. The error is of a cluster
// that does not answer, or refuses; what was ended before stays so.
func EndHanging(ctx context.Context, s *spec.Spec, dry bool) (*Hanging, error) {
	found := &Hanging{Transactions: []Transaction{}, DryRun: dry}
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
		if err := found.end(ctx, c, names); err != nil {
			return nil, fmt.Errorf("cluster %s: %w", c.Name, err)
		}
	}
	return found, nil
}

func (h *Hanging) end(ctx context.Context, c *spec.Cluster, names []string) error {
	client, err := topics.Connect(ctx, c)
	if err != nil {
		return err
	}
	defer client.Close()
	open, err := cluster.OpenTransactions(ctx, client, slices.Compact(slices.Sorted(slices.Values(names)))...)
	if err != nil {
		return err
	}
	for _, t := range open {
		done := Nothing
		switch {
		case t.Commits():
			done = Committed
		case t.Endable():
			done = Aborted
		case t.Fate == cluster.Unclear:
			h.Left++
		}
		if done != Nothing {
			if !h.DryRun {
				if err := t.End(ctx, client); err != nil {
					return err
				}
			}
			h.Ended++
		}
		h.Transactions = append(h.Transactions, Transaction{Cluster: c.Name, ID: t.ID, Producer: t.Producer, Epoch: t.Epoch, Partitions: t.Partitions, Fate: t.Fate, Done: done})
	}
	return nil
}
