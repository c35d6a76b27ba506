package spec

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// Defaults of stream. That of IdleAfter is OutOfOrderness if that is longer; that of MaxAhead
// is OutOfOrderness, or leastAhead: as far ahead as a clock can be that makes nothing late.
const (
	DefaultReaders            = 4
	DefaultIdleAfter          = time.Minute
	DefaultTransactionTimeout = time.Minute

	leastAhead = time.Second

	maxReaders = 256
	// Shorter ones end while a slow broker answers; brokers by default take no longer ones.
	minTransactionTimeout = 10 * time.Second
	maxTransactionTimeout = 15 * time.Minute
)

// never is how idle_after says that no partition is given up, and max_ahead that no event
// time is too far ahead.
const never = "never"

const (
	streamPattern    = `^[a-zA-Z0-9._-]{1,200}$`
	startTimePattern = `^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?( ?([Zz]|UTC|GMT|[+-][0-9]{2}(:?[0-9]{2})?))?)?$`
)

var (
	streamForm    = regexp.MustCompile(streamPattern)
	startTimeForm = regexp.MustCompile(startTimePattern)
	startWords    = []string{string(StartEarliest), string(StartLatest), string(StartCommitted)}
)

func (r *reader) stream(s *Stream, n *node, at dotted, above *fields) {
	f := r.fields(n, at, streamShape, above)
	if f == nil {
		return
	}
	if n, at := f.get("name"); n != nil {
		s.Name = r.streamName(n, at)
	}
	if n, at := f.get("group"); n != nil {
		s.Group = r.streamName(n, at)
	}
	if n, at := f.get("start"); n != nil {
		s.Start = r.start(n, at)
	}
	if n, at := f.get("idle_after"); n != nil && (n.kind != textKind || n.text != never) {
		s.IdleAfter = r.duration(n, at, time.Millisecond)
	}
	if n, at := f.get("max_ahead"); n != nil && (n.kind != textKind || n.text != never) {
		s.MaxAhead = r.duration(n, at, time.Millisecond)
	}
	if n, at := f.get("readers"); n != nil {
		s.Readers = int(r.whole(n, at, 1, maxReaders))
	}
	if n, at := f.get("on_truncation"); n != nil {
		s.OnTruncation = OnTruncation(r.choice(n, at, []string{string(TruncationFails), string(TruncationSkips)}))
	}
	if n, at := f.get("delivery"); n != nil {
		s.Delivery = Delivery(r.choice(n, at, []string{string(ExactlyOnce), string(AtLeastOnce)}))
	}
	if n, at := f.get("transaction_timeout"); n != nil {
		s.TransactionTimeout = r.transactionTimeout(n, at)
	}
}

func (r *reader) streamName(n *node, at dotted) string {
	text := r.text(n, at)
	if text == "" || streamForm.MatchString(text) {
		return text
	}
	p := r.problem("T1621", n, at, "this cannot be the name of a job or a group")
	p.Got, p.Allowed = text, []string{"up to 200 letters, digits, ., _ and -"}
	r.add(p)
	return ""
}

// start reads a word or a time.
func (r *reader) start(n *node, at dotted) Start {
	text := r.text(n, at)
	if text == "" {
		return Start{}
	}
	if slices.Contains(startWords, text) {
		return Start{From: StartFrom(text)}
	}
	if startTimeForm.MatchString(text) {
		if t, err := ParseTime(text); err == nil {
			return Start{From: StartAtTime, Time: t}
		}
	}
	p := r.problem("T1614", n, at, "%q is not where reading can start", text)
	p.Got, p.Allowed = text, append(slices.Clone(startWords), "a time like 2026-01-02T15:04:05Z")
	p.Nearest = Nearest(text, startWords)
	switch strings.ToLower(text) {
	case "beginning", "first", "oldest", "smallest":
		p.Nearest = string(StartEarliest)
	case "end", "last", "newest", "largest", "now":
		p.Nearest = string(StartLatest)
	}
	p.Fix = r.replaced(n, p.Nearest)
	r.add(p)
	return Start{}
}

func (r *reader) transactionTimeout(n *node, at dotted) time.Duration {
	d := r.duration(n, at, 0)
	if d >= minTransactionTimeout && d <= maxTransactionTimeout || !r.ok(at) {
		return d
	}
	p := r.problem("T1622", n, at, "must lie between %s and %s, got %s", FormatDuration(minTransactionTimeout), FormatDuration(maxTransactionTimeout), n.text)
	p.Got, p.Allowed = n.text, []string{FormatDuration(minTransactionTimeout) + " to " + FormatDuration(maxTransactionTimeout)}
	p.Nearest = FormatDuration(min(max(d, minTransactionTimeout), maxTransactionTimeout))
	p.Fix = r.replaced(n, p.Nearest)
	r.add(p)
	return 0
}

// complete fills in what depends on other parts of the spec: clusters that are not
// named, registries, names made of others.
func (r *reader) complete(s *Spec) {
	only := ""
	if len(s.Clusters) == 1 {
		only = s.Clusters[0].Name
	} else if s.Cluster("default") != nil {
		only = "default"
	}
	complete := func(cluster *string, registry *bool, format Format, schema string, at dotted) {
		if *cluster == "" && !r.isSet(at.key("cluster")) {
			*cluster = only
		}
		c := s.Cluster(*cluster)
		if c != nil && c.Registry != nil && format == Avro && schema == "" && !r.isSet(at.key("registry")) {
			*registry = true
		}
	}
	inputs := func(inputs []Input) {
		for i := range inputs {
			if in := &inputs[i]; in.Topic != "" {
				complete(&in.Cluster, &in.Registry, in.Format, in.Schema, r.places[in.At])
			}
		}
	}
	inputs(s.Views.Inputs)
	for _, e := range s.Engagements {
		inputs(e.Inputs)
	}
	samples := &s.Outputs.Samples
	if samples.Topic == "" {
		s.Stream = Stream{} // of no effect, which rules tell
		return
	}
	complete(&samples.Cluster, &samples.Registry, samples.Format, "", "outputs.samples")
	r.completeStream(s)
	topics := &s.Outputs.Topics
	for _, other := range []struct {
		key, ending string
		topic       *string
	}{
		{"late", ".late", &topics.Late},
		{"dead_letters", ".dead", &topics.DeadLetters},
		{"ledger", ".ledger", &topics.Ledger},
		{"marks", ".marks", &topics.Marks},
		{"accounts", ".accounts", &topics.Accounts},
	} {
		if r.isSet(dotted("outputs").key(other.key)) {
			continue
		}
		*other.topic = samples.Topic + other.ending
	}
	if s.Stream.Delivery == AtLeastOnce {
		topics.Ledger, s.Stream.TransactionTimeout = "", 0 // of no effect, which rules tell
	}
}

// UsualAhead is how far ahead a record may be where nothing else is said.
func UsualAhead(outOfOrderness time.Duration) time.Duration { return max(leastAhead, outOfOrderness) }

// MaxAhead is how far ahead of all others in its partition one record still moves the
// watermark; 0 for any distance. In topics, records further ahead of the time of their
// writing are dead letters.
func (s *Spec) MaxAhead() time.Duration {
	if s.Streams() {
		return s.Stream.MaxAhead
	}
	return UsualAhead(s.OutOfOrderness)
}

func (r *reader) completeStream(s *Spec) {
	set := func(key string) bool { return r.isSet(dotted("stream").key(key)) }
	st := &s.Stream
	if !set("name") {
		st.Name = s.Outputs.Samples.Topic
	}
	if !set("group") {
		st.Group = st.Name
	}
	if !set("start") {
		st.Start.From = StartEarliest
	}
	if !set("idle_after") {
		st.IdleAfter = max(DefaultIdleAfter, s.OutOfOrderness)
	}
	if !set("max_ahead") {
		st.MaxAhead = UsualAhead(s.OutOfOrderness)
	}
	if !set("readers") {
		st.Readers = DefaultReaders
	}
	if !set("on_truncation") {
		st.OnTruncation = TruncationFails
	}
	if !set("delivery") {
		st.Delivery = ExactlyOnce
	}
	if !set("transaction_timeout") {
		st.TransactionTimeout = DefaultTransactionTimeout
	}
}
