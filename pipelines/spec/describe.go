package spec

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// clusterSettings lists what clusters resolve to; where secrets are, not what they are.
func (s *Spec) clusterSettings(add func(value any, path ...string)) {
	for _, c := range s.Clusters {
		at := func(key string) []string { return []string{"clusters", c.Name, key} }
		add(strings.Join(c.Brokers, ", "), at("brokers")...)
		if c.TLS == nil {
			add("none", at("tls")...)
		} else {
			add(c.TLS.text(), at("tls")...)
		}
		if c.SASL != nil {
			add(c.SASL.text(), at("sasl")...)
		}
		if g := c.Registry; g != nil {
			text := strings.Join(g.URLs, ", ")
			if g.TLS != nil {
				text += ", tls: " + g.TLS.text()
			}
			switch {
			case g.Password != (Secret{}):
				text += " as " + g.User.text() + ", password in " + g.Password.text()
			case g.Token.IsSet():
				text += ", token in " + g.Token.text()
			}
			add(text, at("registry")...)
		}
	}
}

func (s *Spec) streamSettings(add func(value any, path ...string)) {
	st := s.Stream
	add(st.Name, "stream", "name")
	add(st.Group, "stream", "group")
	add(st.Start.text(), "stream", "start")
	add(orNever(st.IdleAfter), "stream", "idle_after")
	add(orNever(st.MaxAhead), "stream", "max_ahead")
	add(st.Readers, "stream", "readers")
	add(st.OnTruncation, "stream", "on_truncation")
	add(st.Delivery, "stream", "delivery")
	if st.Delivery == ExactlyOnce {
		add(st.TransactionTimeout, "stream", "transaction_timeout")
	}
	samples := s.Outputs.Samples
	format := string(samples.Format)
	if samples.Registry {
		format += ", registry"
	}
	add(fmt.Sprintf("topic %s of %s (%s, %s)", samples.Topic, samples.Cluster, format, samples.Codec), "outputs", "samples")
	none := map[string]string{"orphans": "only counted", "ledger": "none, at least once"}
	for _, out := range s.Outputs.all()[1:] {
		if out.topic == "" {
			add(none[out.key], "outputs", out.key)
			continue
		}
		add("topic "+out.topic, "outputs", out.key)
	}
}

// reading says how a topic's values are decoded.
func (in Input) reading() string {
	text := string(in.Format)
	if in.Registry {
		text += ", registry"
	}
	if in.Schema != "" {
		text += ", schema " + in.Schema
	}
	return text
}

func (s Secret) text() string {
	switch {
	case s.Env != "":
		return "$" + s.Env
	case s.File != "":
		return s.File
	}
	return s.Text
}

func (t Token) text() string {
	if t.Command != nil {
		return "what `" + strings.Join(t.Command, " ") + "` prints"
	}
	return t.Secret.text()
}

func (s *SASL) text() string {
	switch {
	case s.Token.IsSet():
		return fmt.Sprintf("%s, token in %s", s.Mechanism, s.Token.text())
	case s.Credentials != nil:
		return fmt.Sprintf("%s, credentials in %s", s.Mechanism, Token{Command: s.Credentials}.text())
	case s.Mechanism == AWSMSKIAM:
		return fmt.Sprintf("%s, credentials in the environment or the files of AWS", s.Mechanism)
	}
	return fmt.Sprintf("%s as %s, password in %s", s.Mechanism, s.User.text(), s.Password.text())
}

func (t *TLS) text() string {
	var parts []string
	if t.CA != "" {
		parts = append(parts, "ca "+t.CA)
	}
	if t.Cert != "" {
		parts = append(parts, "certificate "+t.Cert)
	}
	if t.ServerName != "" {
		parts = append(parts, "for "+t.ServerName)
	}
	if len(parts) == 0 {
		return "the system's authorities"
	}
	return strings.Join(parts, ", ")
}

func (s Start) text() string {
	if s.From == StartAtTime {
		return s.Time.Format(time.RFC3339Nano)
	}
	return string(s.From)
}

func orNever(d time.Duration) string {
	if d == 0 {
		return never
	}
	return FormatDuration(d)
}

func (w *writer) clusters(clusters []Cluster) {
	if len(clusters) == 0 {
		return
	}
	w.line(0, "clusters", "")
	for _, c := range clusters {
		w.line(2, quoted(c.Name), "")
		w.line(4, "brokers", list(c.Brokers))
		if c.TLS != nil {
			w.line(4, "tls", c.TLS.yaml())
		}
		if c.SASL != nil {
			w.line(4, "sasl", c.SASL.yaml())
		}
		if g := c.Registry; g != nil {
			parts := []string{"url: " + list(g.URLs)}
			if g.TLS != nil {
				parts = append(parts, "tls: "+g.TLS.yaml())
			}
			if g.Token.IsSet() {
				parts = append(parts, "token: "+g.Token.yaml())
			}
			w.line(4, "registry", braced(append(parts, loginParts(g.User, g.Password, g.Insecure)...)))
		}
	}
}

func list(texts []string) string {
	out := make([]string, len(texts))
	for i, text := range texts {
		out[i] = quoted(text)
	}
	return "[" + strings.Join(out, ", ") + "]"
}

func braced(parts []string) string { return "{" + strings.Join(parts, ", ") + "}" }

func (t *TLS) yaml() string {
	var parts []string
	for _, part := range []struct{ key, value string }{{"ca", t.CA}, {"cert", t.Cert}, {"key", t.Key}, {"server_name", t.ServerName}} {
		if part.value != "" {
			parts = append(parts, part.key+": "+quoted(part.value))
		}
	}
	if len(parts) == 0 {
		return "true"
	}
	return braced(parts)
}

func loginParts(user, password Secret, insecure bool) (parts []string) {
	if user != (Secret{}) {
		parts = append(parts, "user: "+user.yaml())
	}
	if password != (Secret{}) {
		parts = append(parts, "password: "+password.yaml())
	}
	if insecure {
		parts = append(parts, "insecure: true")
	}
	return parts
}

func (t Token) yaml() string {
	if t.Command != nil {
		return "{command: " + list(t.Command) + "}"
	}
	return t.Secret.yaml()
}

func (s *SASL) yaml() string {
	parts := []string{"mechanism: " + string(s.Mechanism)}
	if s.Token.IsSet() {
		parts = append(parts, "token: "+s.Token.yaml())
	}
	if len(s.Extensions) > 0 {
		var all []string
		for _, name := range slices.Sorted(maps.Keys(s.Extensions)) {
			all = append(all, quoted(name)+": "+quoted(s.Extensions[name]))
		}
		parts = append(parts, "extensions: "+braced(all))
	}
	if s.Credentials != nil {
		parts = append(parts, "credentials: {command: "+list(s.Credentials)+"}")
	}
	return braced(append(parts, loginParts(s.User, s.Password, s.Insecure)...))
}

func (s Secret) yaml() string {
	switch {
	case s.Env != "":
		return "{env: " + quoted(s.Env) + "}"
	case s.File != "":
		return "{file: " + quoted(s.File) + "}"
	}
	return quoted(s.Text)
}

func (w *writer) stream(s Stream) {
	w.line(0, "stream", "")
	w.line(2, "name", quoted(s.Name))
	w.line(2, "group", quoted(s.Group))
	w.line(2, "start", quoted(s.Start.text()))
	w.line(2, "idle_after", orNever(s.IdleAfter))
	w.line(2, "max_ahead", orNever(s.MaxAhead))
	w.line(2, "readers", strconv.Itoa(s.Readers))
	w.line(2, "on_truncation", string(s.OnTruncation))
	w.line(2, "delivery", string(s.Delivery))
	if s.Delivery == ExactlyOnce {
		w.line(2, "transaction_timeout", FormatDuration(s.TransactionTimeout))
	}
}

func (in Input) topicParts() []string {
	parts := []string{"topic: " + quoted(in.Topic), "cluster: " + quoted(in.Cluster), "format: " + string(in.Format)}
	if in.Schema != "" {
		parts = append(parts, "schema: "+quoted(in.Schema))
	}
	return append(parts, "registry: "+strconv.FormatBool(in.Registry))
}

func (w *writer) topics(o Outputs) {
	w.line(0, "outputs", "")
	w.line(2, "samples", braced([]string{
		"topic: " + quoted(o.Samples.Topic), "cluster: " + quoted(o.Samples.Cluster), "format: " + string(o.Samples.Format),
		"registry: " + strconv.FormatBool(o.Samples.Registry), "codec: " + quoted(string(o.Samples.Codec)),
	}))
	for _, out := range o.all()[1:] {
		if out.topic != "" {
			w.line(2, out.key, "{topic: "+quoted(out.topic)+"}")
		}
	}
}
