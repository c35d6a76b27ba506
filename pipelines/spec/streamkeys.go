package spec

import "time"

// streamSection holds what matters only when topics are read.
var streamSection = &section{
	name: "stream",
	keys: []key{
		{
			name: "name", example: "feed",
			doc: "The job's own name, which must stay: transactions are named after it.",
			value: at(jobType, func(s *Stream) *string { return &s.Name }).
				orElse("the topic or folder of the samples", func(s *Spec, _ *Stream) string { return s.usualName() }),
		},
		{
			name: "group", example: "feed",
			doc: "The consumer group that offsets are committed to, for tools that show lag.",
			value: at(jobType, func(s *Stream) *string { return &s.Group }).
				orElse("the name", func(_ *Spec, s *Stream) string { return s.Name }),
		},
		{
			name: "start", example: "2026-01-02T15:04:05Z",
			doc:   "Where reading begins: earliest, latest, committed, or a time.",
			value: at(startType, func(s *Stream) *Start { return &s.Start }).or(Start{From: StartEarliest}),
		},
		{
			name: "idle_timeout", was: "idle_after", example: "5m",
			doc: "How long a partition without records holds the watermark back; never gives no partition up.",
			value: at(orNever(lengthType), func(s *Stream) *time.Duration { return &s.IdleTimeout }).
				orElse("1m, or out_of_orderness if that is longer", func(s *Spec, _ *Stream) time.Duration { return max(time.Minute, s.OutOfOrderness) }),
		},
		{
			name: "max_future_skew", was: "max_ahead", example: "10m",
			doc: "How far a record's event time may lie ahead of its timestamp in Kafka and, where producers set that, of the reader's clock; beyond that it is a dead letter. Also how far one record alone moves the watermark: one clock that is ahead would close windows. never takes any.",
			value: at(orNever(lengthType), func(s *Stream) *time.Duration { return &s.MaxFutureSkew }).
				orElse("out_of_orderness, 1s at least", func(s *Spec, _ *Stream) time.Duration { return UsualFutureSkew(s.OutOfOrderness) }),
		},
		{
			name: "source_parallelism", was: "readers", example: "6",
			doc:   "How many readers the partitions are divided among: a few more than there are slots.",
			value: at(whole[int](1, maxSourceParallelism), func(s *Stream) *int { return &s.SourceParallelism }).or(4),
		},
		{
			name: "on_offset_out_of_range", was: "on_truncation", example: "skip",
			doc:   "What happens when offsets that were to be read are gone: the job fails, or skips and counts them.",
			value: at(choice([]OnOffsetOutOfRange{OutOfRangeFails, OutOfRangeSkips}), func(s *Stream) *OnOffsetOutOfRange { return &s.OnOffsetOutOfRange }).or(OutOfRangeFails),
		},
		{
			name: "delivery", example: "at_least_once",
			doc:   "How often a sample may be in its topic.",
			value: at(choice([]Delivery{ExactlyOnce, AtLeastOnce}), func(s *Stream) *Delivery { return &s.Delivery }).or(ExactlyOnce),
		},
		{
			name: "transaction_timeout", example: "2m",
			doc:   "How long the broker keeps an open transaction, 10s to 15m.",
			value: at(transactionType, func(s *Stream) *time.Duration { return &s.TransactionTimeout }).or(time.Minute),
		},
	},
}

// jobType is the name of a job or a group.
var jobType = textLike(about{what: "a name", schema: ref("job")}, (*reader).streamName)

// startType is a word or a time.
var startType = valueType[Start]{
	about: about{
		what: "a word or a time", words: startWords,
		schema: object{{"anyOf", []any{oneOf(startWords...), matching(startTimePattern)}}},
	},
	read:   func(r *reader, n *node, at dotted, _ *fields) Start { return r.start(n, at) },
	inline: func(s Start) string { return quoted(s.text()) },
	text:   Start.text,
}

func (s Start) text() string {
	if s.From == StartAtTime {
		return s.Time.Format(time.RFC3339Nano)
	}
	return string(s.From)
}

// transactionType is a duration that brokers take; 0 where there are no transactions.
var transactionType = func() valueType[time.Duration] {
	f := durationType
	f.read = func(r *reader, n *node, at dotted, _ *fields) time.Duration { return r.transactionTimeout(n, at) }
	f.absent = empty[time.Duration]
	return f
}()
