package spec

// outputTopicRules looks at topics that are written.
func (r *reader) outputTopicRules(s *Spec) {
	outputs := s.Outputs.all()
	for i, out := range outputs {
		if out.topic == "" {
			continue
		}
		at := r.output(out.key)
		if r.isSet(at.key("topic")) {
			at = at.key("topic")
		}
		for _, in := range s.Inputs() {
			if in.Topic != out.topic || !s.sameCluster(in.Cluster, out.cluster) {
				continue
			}
			p := r.problem("T1616", r.at(at), at, "%s is read in line %d: what is written here would be joined again", out.topic, in.At.Line)
			p.Got, p.Hint = out.topic, "write "+out.key+" to a topic of its own"
			r.add(p)
			break
		}
		for _, other := range outputs[:i] {
			if other.topic == out.topic && s.sameCluster(other.cluster, out.cluster) {
				p := r.problem("T1617", r.at(at), at, "%s and %s are the same topic", other.key, out.key)
				p.Got, p.Hint = out.topic, "give each output a topic of its own"
				r.add(p)
				break
			}
		}
	}
}

// sameCluster tells whether two names mean one cluster: then they share a broker.
func (s *Spec) sameCluster(a, b string) bool {
	if a == b {
		return true
	}
	one, other := s.Cluster(a), s.Cluster(b)
	if one == nil || other == nil {
		return false
	}
	for _, x := range one.Brokers {
		for _, y := range other.Brokers {
			if x == y {
				return true
			}
		}
	}
	return false
}

// streamRules looks for settings that lose data, or do nothing.
func (r *reader) streamRules(s *Spec) {
	st := s.Stream
	if at := dotted("stream.idle_timeout"); r.isSet(at) && r.ok(at, "out_of_orderness") && 0 < st.IdleTimeout && st.IdleTimeout < s.OutOfOrderness {
		n := r.at(at)
		p := r.problem("T1618", n, at, "%s is shorter than out_of_orderness, %s: a partition that pauses is not waited for, and what it brings then is late",
			FormatDuration(st.IdleTimeout), FormatDuration(s.OutOfOrderness))
		p.Nearest = FormatDuration(s.OutOfOrderness)
		p.Fix, p.Hint = r.replaced(n, p.Nearest), "never waits for every partition"
		r.add(p)
	}
	if at := dotted("stream.start"); r.ok(at) && st.Start.From == StartCommitted {
		n := r.at(at)
		p := r.problem("T1624", n, at, "committed offsets tell what was read, not what was joined: views whose windows were open then are lost")
		p.Nearest, p.Fix = string(StartEarliest), r.replaced(n, string(StartEarliest))
		p.Hint = "a job that resumes from its checkpoint or from the log does not need it"
		r.add(p)
	}
	if at := dotted("stream.delivery"); st.Delivery == AtLeastOnce && r.isSet("stages") && s.Outputs.SamplesTopic() != nil && r.ok(at) {
		n := r.at(at)
		p := r.problem("T1630", n, at, "with stages a view has several samples in the topic, and only transactions keep them in order")
		p.Nearest, p.Fix = string(ExactlyOnce), r.replaced(n, string(ExactlyOnce))
		r.add(p)
	}
	if st.Delivery == AtLeastOnce {
		if at := dotted("outputs.commit_log"); r.isSet(at) {
			r.add(r.without("T1619", at, "with at_least_once no commit log is written"))
		}
		if at := dotted("stream.transaction_timeout"); r.isSet(at) {
			r.add(r.without("T1619", at, "with at_least_once there are no transactions"))
		}
	}
	if at := dotted("shards"); s.Shards > manyShards && st.Delivery == ExactlyOnce && r.ok(at, "stream.delivery") {
		p := r.problem("T1623", r.at(at), at, "%d shards are as many producers, each with several connections to each broker", s.Shards)
		p.Hint = "16 to 256 suit most streams"
		r.add(p)
	}
}
