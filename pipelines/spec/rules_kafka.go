package spec

import (
	"slices"
	"strings"

	"tributary/pipelines/spec/problem"
)

// A producer for each shard holds several connections to each broker.
const manyShards = 256

// topicRules checks what concerns topics and clusters.
func (r *reader) topicRules(s *Spec) {
	if r.notBuilt(s) {
		return
	}
	used := map[string]bool{}
	r.clusterRules(s, used)
	r.readingRules(s)
	r.timesOfTopics(s)
	if !s.usesTopics() {
		if used := len(used) > 0; !used && !r.anyFailed("outputs", "views", "engagements") {
			for _, key := range []dotted{"stream", "clusters"} {
				if r.isSet(key) {
					r.add(r.without("T1620", key, "this spec joins files, and %s is about topics", key))
				}
			}
		}
		return
	}
	for _, c := range s.Clusters {
		at := dotted("clusters").key(c.Name)
		if !used[c.Name] && !r.anyFailed("outputs", "views", "engagements") {
			r.add(r.without("T1620", at, "no input or output is in this cluster"))
		}
		r.cleartext(c, at)
	}
	r.outputTopicRules(s)
	r.streamRules(s)
}

// without is a warning about something of no effect.
func (r *reader) without(code string, at dotted, format string, args ...any) problem.Problem {
	n := r.at(at)
	if m, ok := r.marks[string(at)]; ok {
		n = &node{kind: textKind, line: m.key.Line, column: m.key.Column, width: 1}
	}
	p := r.problem(code, n, at, format, args...)
	p.Hint = "leave it out"
	return p
}

// clusterRules looks at where topics are, and notes the clusters that are used.
func (r *reader) clusterRules(s *Spec, used map[string]bool) {
	names := make([]string, len(s.Clusters))
	for i, c := range s.Clusters {
		names[i] = c.Name
	}
	toldNone := false
	check := func(cluster string, registry bool, at dotted) {
		clusterAt := at.key("cluster")
		used[cluster] = true
		c := s.Cluster(cluster)
		switch {
		case !r.ok(clusterAt, "clusters"):
			return
		case cluster == "" && len(names) == 0:
			if r.isSet("clusters") || toldNone {
				return
			}
			toldNone = true
			p := r.problem("T1604", r.at(at), at, "the spec names no cluster for this topic to be in")
			p.Hint = "for example `clusters: {main: {brokers: [kafka-1:9092]}}`"
			r.add(p)
			return
		case cluster == "":
			p := r.problem("T1604", r.at(at), at, "there are several clusters, and this topic does not say which it is in")
			p.Allowed, p.Hint = names, "add `cluster: "+names[0]+"`, or name the usual one default"
			r.add(p)
			return
		case c == nil:
			n := r.at(clusterAt)
			p := r.problem("T1604", n, clusterAt, "there is no cluster %q", cluster)
			p.Got, p.Allowed = cluster, names
			if p.Nearest = Nearest(cluster, names); p.Nearest != "" {
				p.Fix = r.replaced(n, p.Nearest)
			}
			r.add(p)
			return
		}
		if registry && c.Registry == nil && r.ok(dotted("clusters").key(cluster).key("registry")) {
			n := r.at(at.key("registry"))
			p := r.problem("T1612", n, at.key("registry"), "cluster %s has no registry", cluster)
			p.Hint = "add it there, like `registry: {url: https://registry:8081}`"
			r.add(p)
		}
	}
	for _, in := range s.Inputs() {
		if in.Topic == "" {
			continue
		}
		at := r.places[in.At]
		check(in.Cluster, in.Registry, at)
		if in.Format.schemas() && in.Schema == "" && !in.Registry && r.ok(at, at.key("schema"), at.key("registry"), "clusters") && !r.anyFailed("clusters.") && s.Cluster(in.Cluster) != nil {
			p := r.problem("T1611", r.at(at), at, "values in avro cannot be read without the schema that they were written with")
			p.Hint = "name it (`schema: view.avsc`), or a registry in the cluster; or write `format: json`"
			r.add(p)
		}
		if in.Format.needsRegistry() && !in.Registry && r.ok(at, at.key("registry"), "clusters") && !r.anyFailed("clusters.") && s.Cluster(in.Cluster) != nil {
			p := r.problem("T1635", r.at(at), at, "values in %s cannot be read without the registry that has their schemas", in.Format)
			p.Hint = "add one to the cluster, like `registry: {url: https://registry:8081}`"
			r.add(p)
			continue
		}
		if in.Subject != "" && (!in.Registry || in.Schema != "") && r.ok(at, at.key("subject"), at.key("registry"), at.key("schema"), "clusters") && !r.anyFailed("clusters.") && s.Cluster(in.Cluster) != nil {
			r.subjectOfNothing(&in, at)
		}
	}
	for i, o := range s.Outputs.SampleSinks() {
		if o.Topic != "" {
			check(o.Cluster, o.Registry, r.output(s.Outputs.all()[i].key))
		}
	}
}

// subjectOfNothing reports a subject that nobody asks the registry for.
func (r *reader) subjectOfNothing(in *Input, at dotted) {
	at = at.key("subject")
	p := r.problem("T1634", r.at(at), at, "no schema of this subject is asked for: the input does not use the registry")
	p.Hint = "write `registry: true` beside it if values begin with the number of a schema, or leave the subject out"
	if in.Registry {
		p.Message = "no schema of this subject is asked for: the input is read with " + in.Schema
		p.Hint = "leave out the subject, or the schema"
	}
	p.Got = in.Subject
	r.add(p)
}

// readingRules looks for topics that are read twice.
func (r *reader) readingRules(s *Spec) {
	lists := [][]Input{s.Views.Inputs}
	for _, e := range s.Engagements {
		lists = append(lists, e.Inputs)
	}
	var seen []Input
	for _, list := range lists {
		for i, in := range list {
			if in.Topic == "" {
				continue
			}
			at := r.places[in.At]
			same := func(other Input) bool { return other.name() == in.name() }
			if first := slices.IndexFunc(list[:i], same); first >= 0 {
				p := r.problem("T1109", r.at(at), at, "this topic is listed twice; the first is in line %d", list[first].At.Line)
				p.Hint = "keep one of the two: records read twice are duplicates"
				r.add(p)
				continue
			}
			if first := slices.IndexFunc(seen, same); first >= 0 {
				other := seen[first]
				if other.Format != in.Format || other.Schema != in.Schema || other.Registry != in.Registry {
					p := r.problem("T1615", r.at(at), at, "topic %s is read in another way in line %d: %s, here %s", in.Topic, other.At.Line, other.reading(), in.reading())
					p.Hint = "give both the same format, schema and registry"
					r.add(p)
				}
			}
			seen = append(seen, in)
		}
	}
}

// timesOfTopics looks for topics that are read by two times: what is late there is decided by one.
func (r *reader) timesOfTopics(s *Spec) {
	type reading struct {
		time   TimeField
		fields []ComputedField
	}
	first := map[string]reading{}
	look := func(inputs []Input, time TimeField, fields []ComputedField, at dotted) {
		for _, in := range inputs {
			if in.Topic == "" || time.Field == "" || !r.ok(at) {
				continue
			}
			other, known := first[in.name()]
			if !known {
				first[in.name()] = reading{time, fields}
				continue
			}
			if other.time == time && sameComputed(other.fields, fields, time.Field) {
				continue
			}
			p := r.problem("T1459", r.at(at), at, "topic %s is read by another time above, %s, by which its watermark moves: what is late depends on both, and on where the topic is cut into batches, so that a stream and a batch may differ", in.Topic, other.time.text())
			p.Got, p.Hint = time.text(), "compute one time of all its records, like `fields: {at: 'has(a) ? a : b'}`, and name it in both"
			r.add(p)
			return
		}
	}
	look(s.Views.Inputs, s.Views.Time, s.Views.Fields, "views.time")
	for _, e := range s.Engagements {
		look(e.Inputs, e.Time, e.Fields, dotted("engagements").key(e.Kind).key("time"))
	}
}

func (r *reader) cleartext(c Cluster, at dotted) {
	sent := map[Mechanism]string{"plain": "the password as it is", OAuthBearer: "the token as it is", AWSMSKIAM: "a signature that can be used by others"}
	if c.SASL != nil && sent[c.SASL.Mechanism] != "" && c.TLS == nil && !c.SASL.Insecure && r.ok(at.key("tls"), at.key("sasl").key("insecure")) {
		sasl := at.key("sasl").key("mechanism")
		p := r.problem("T1607", r.at(sasl), sasl, "%s sends %s, and without tls everybody on the way can read it", c.SASL.Mechanism, sent[c.SASL.Mechanism])
		p.Hint = "add `tls: true` to the cluster, or use scram-sha-512; `insecure: true` beside it where nobody else is on the network"
		r.add(p)
	}
	if at := at.key("registry"); c.Registry != nil && r.ok(at.key("url"), at.key("tls")) && !r.anyFailed(string(at.key("url"))+".") {
		r.registryEncryption(c.Registry, at)
	}
}

// registryEncryption looks for addresses without any, where something counts on it.
func (r *reader) registryEncryption(g *Registry, at dotted) {
	secret := r.isSet(at.key("password")) || r.isSet(at.key("token"))
	for i, address := range g.URLs {
		if !strings.HasPrefix(address, "http://") {
			continue
		}
		url := at.key("url")
		if item := url.index(i); r.isSet(item) {
			url = item
		}
		var p problem.Problem
		switch {
		case secret && !g.Insecure && r.ok(at.key("insecure")):
			p = r.problem("T1607", r.at(url), url, "http sends the secret as it is, and everybody on the way can read it")
			p.Hint = "`insecure: true` beside it where nobody else is on the network"
		case g.TLS != nil:
			p = r.problem("T1627", r.at(url), url, "http is not encrypted, whatever tls says")
		default:
			continue
		}
		p.Nearest = "https" + strings.TrimPrefix(address, "http")
		p.Fix = r.replaced(r.at(url), p.Nearest)
		r.add(p)
	}
}
