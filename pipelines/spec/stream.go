package spec

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
)

const (
	// leastFutureSkew is how far ahead a clock may be that makes nothing late.
	leastFutureSkew = time.Second

	maxSourceParallelism = 256
	// Shorter ones end while a slow broker answers; brokers by default take no longer ones.
	minTransactionTimeout = 10 * time.Second
	maxTransactionTimeout = 15 * time.Minute
)

// never is how idle_timeout says that no partition is given up, and max_future_skew that no event
// time is too far ahead.
const never = "never"

const (
	streamPattern    = `^[a-zA-Z0-9._-]{1,200}$`
	longestName      = 200
	startTimePattern = `^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?( ?([Zz]|UTC|GMT|[+-][0-9]{2}(:?[0-9]{2})?))?)?$`
)

var (
	streamForm    = regexp.MustCompile(streamPattern)
	startTimeForm = regexp.MustCompile(startTimePattern)
	startWords    = []string{string(StartEarliest), string(StartLatest), string(StartCommitted)}
)

// notInName is what no name of a job has.
var notInName = regexp.MustCompile(`[^a-zA-Z0-9._-]+`)

// usualName is the name of a job whose spec gives it none.
func (s *Spec) usualName() string {
	name := notInName.ReplaceAllString(path.Base(s.Outputs.Samples.Path), "-")
	if topic := s.Outputs.SamplesTopic(); topic != nil {
		name = topic.Topic
	}
	return name[:min(len(name), longestName)]
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

// UsualFutureSkew is how far ahead a record may be where nothing else is said.
func UsualFutureSkew(outOfOrderness time.Duration) time.Duration {
	return max(leastFutureSkew, outOfOrderness)
}

// MaxFutureSkew is how far ahead of all others in its partition one record still moves the
// watermark; 0 for any distance. In topics, records further ahead of the time of their
// writing are dead letters.
func (s *Spec) MaxFutureSkew() time.Duration {
	if s.ReadsTopics() {
		return s.Stream.MaxFutureSkew
	}
	return UsualFutureSkew(s.OutOfOrderness)
}
