package spec

import (
	"math"
	"time"
)

// Defaults of what a spec may leave out, where others need them.
const (
	DefaultDedupWindow    = 10 * time.Second
	DefaultOutOfOrderness = time.Minute

	maxShards = 4096
)

// rootSection is the whole spec.
var rootSection = &section{
	name: "the spec", doc: "One join of views with engagements into labelled samples.",
	keys: []key{
		{
			name: "version", example: "2",
			doc:   "The spec's own version, written into each sample. Raise it when labels change their meaning.",
			value: at(whole[int32](1, math.MaxInt32), func(s *Spec) *int32 { return &s.Version }).or(1),
		},
		{
			name: "views", example: "{inputs: views/*.avro, id: view_id, time: ts}", required: true,
			doc:   "Where views are, and which of their fields identify and date them.",
			value: at(mapping[Views](viewsSection), func(s *Spec) *Views { return &s.Views }),
		},
		{
			name: "engagements", example: "{like: {inputs: likes/*.avro, view: view_id, time: ts, window: 30m}}", required: true,
			doc:   "Kinds of engagement, each by its name: like, share, click.",
			value: at(kindsType, func(s *Spec) *[]Engagement { return &s.Engagements }),
		},
		{
			name: "out_of_orderness", example: "2m",
			doc:   "How far out of order the records of one partition may be. What comes later than that is late, where an input has an order.",
			value: at(durationType, func(s *Spec) *time.Duration { return &s.OutOfOrderness }).or(DefaultOutOfOrderness),
		},
		{
			name: "clock_skew", example: "1s",
			doc:   "How long before its view an engagement may be stamped and still count.",
			value: at(durationType, func(s *Spec) *time.Duration { return &s.ClockSkew }).or(0),
		},
		{
			name: "bucket", example: "10m",
			doc: "Length of the pieces of time that are joined at once, at most a day. Where credit chooses between views of a key it may be as long as the longest window: check shows what it costs.",
			value: at(lengthType, func(s *Spec) *time.Duration { return &s.Bucket }).
				orElse("about a sixth of the longest window, or the window itself where credit chooses between views, but at most a day", func(s, _ *Spec) time.Duration { return s.usualBucket() }),
		},
		{
			name: "stages", example: "[10s, 1m]",
			doc:   "When views get samples: so long after each, with what is known by then. The longest window is always the last stage, and need not be named. Without stages it is the only one.",
			value: at(stagesType, func(s *Spec) *[]Stage { return &s.Stages }),
		},
		{
			name: "shards", example: "32",
			doc:   "Into how many parts views are divided by a hash of their id. More shards take less memory each.",
			value: at(whole[int](1, maxShards), func(s *Spec) *int { return &s.Shards }).or(16),
		},
		{
			name: "negatives", example: "{keep: 0.1}",
			doc:   "What becomes of views without an engagement that counts.",
			value: at(mapping[float64](negativesSection), func(s *Spec) *float64 { return &s.Keep }),
		},
		{
			name: "clusters", example: `{main: {brokers: ["kafka-1:9092"]}}`,
			doc:   "Kafka clusters, each by a name. Where there is one, or one is called default, topics need not name it.",
			value: at(clustersType, func(s *Spec) *[]Cluster { return &s.Clusters }),
		},
		{
			name: "stream", example: "{name: feed}",
			doc:   "How topics are read and written. It matters only where inputs are topics.",
			value: at(mapping[Stream](streamSection), func(s *Spec) *Stream { return &s.Stream }).unless(empty[Stream]),
		},
		{
			name: "sample", example: "{fields: [user.id, {pos: ctx.position}], view: none}",
			doc:   "What samples hold of their view, in all outputs.",
			value: at(mapping[Sample](shapeSection), func(s *Spec) *Sample { return &s.Sample }).unless(Sample.whole),
		},
		{
			name: "outputs", example: "{samples: out/samples}", required: true,
			doc:   "Folders or topics that results are written to.",
			value: at(mapping[Outputs](outputsSection), func(s *Spec) *Outputs { return &s.Outputs }),
		},
		{
			name:  "tests",
			doc:   "Small joins with the samples they must give.",
			value: at(testsType, func(s *Spec) *[]Test { return &s.Tests }).readBy((*reader).tests),
		},
	},
}

// negativesSection holds the share of negatives that are kept.
var negativesSection = &section{
	name: "negatives",
	keys: []key{
		{
			name: "keep", example: "0.1", required: true,
			doc:   "The share of negatives that become samples, chosen by a hash of the view's id. Their weight is 1 / keep.",
			value: at(rateType, func(keep *float64) *float64 { return keep }).or(1),
		},
	},
}

// viewsSection says where views are.
var viewsSection = &section{
	name: "views",
	keys: []key{
		{
			name: "inputs", example: "[data/*.avro]", required: true,
			doc:   "The files or topics that views are in. Kinds of engagement may have the same: each reads them for itself.",
			value: at(inputsType, func(v *Views) *[]Input { return &v.Inputs }),
		},
		{
			name: "where", example: "{event: impression}",
			doc:   "Only records whose fields have these values, or for which an expression is true, are views, as in a kind's where. Without it every record is one.",
			value: at(whereType, func(v *Views) *Where { return &v.Where }),
		},
		{
			name: "fields", example: `{pair: 'user + "/" + item'}`,
			doc:   "Fields that are computed, each by an expression on fields of the record, and used like them: in id, time, where, sample. A record of which one cannot be computed is a dead letter. Not lists of each, nor partitions and offsets.",
			value: at(computedType, func(v *Views) *[]ComputedField { return &v.Fields }),
		},
		{
			name: "each", example: "items",
			doc:   "A list in the record of which every element is a view, also in the sample: fields are then those of the record with the element in place of the list, so that items.id is the element's, and $index is its position, from 0. Records are of any format but CSV. A record whose list is empty, null or absent counts as filtered.",
			value: at(fieldType, func(v *Views) *string { return &v.Each }).unless(empty[string]),
		},
		{
			name: "id", example: "view_id", required: true,
			doc:   "The field that identifies the view, like view_id or user.id, or several that do so together: [request_id, item.id].",
			value: at(idType, func(v *Views) *[]string { return &v.ID }),
		},
		{
			name: "key", example: "[user_id, item_id]",
			doc:   "The field, or fields, that views share and engagements name where they do not name the view: the views of one key share its engagements.",
			value: at(idType, func(v *Views) *[]string { return &v.Key }),
		},
		{
			name: "time", example: "ts", required: true,
			doc:   "The field with the view's time.",
			value: at(timeType, func(v *Views) *TimeField { return &v.Time }),
		},
		{
			name: "dedup_window", was: "duplicates_within", example: "30s",
			doc:   "A view with the id of another one at most this long before it is a duplicate: the earlier counts.",
			value: at(durationType, func(v *Views) *time.Duration { return &v.DedupWindow }).or(DefaultDedupWindow),
		},
	},
}
