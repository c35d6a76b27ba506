package job

import (
	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/source"
)

// Partitions name the partitions of all inputs by their rank (record.Batch.Partition).
//
// Of what ends, ranks are counted through: files, each of which is one, and partitions of topics that are read as far as they
// go. Topics that go on have a slot of ranks each, behind that of the files; partitions that records in files name are in
// the last one. So the order is the same as if the topics ended.
type Partitions struct {
	Files  []string
	Topics source.Ranks
	Named  []string
}

// Name is that of a partition, empty if there is none of that rank.
func (p *Partitions) Name(rank int32) string {
	if topic := p.Topics.Partition(rank); topic != (cluster.Partition{}) {
		return topic.String()
	}
	return p.OfFiles(rank)
}

// OfFiles is the name of a partition that is not of a topic that goes on, empty if it is.
func (p *Partitions) OfFiles(rank int32) string {
	names, n := p.Files, rank
	if slot, within := source.Slot(rank); len(p.Topics) > 0 && int(slot) == len(p.Topics) {
		names, n = p.Named, within
	}
	if n < 0 || int(n) >= len(names) {
		return ""
	}
	return names[n]
}
