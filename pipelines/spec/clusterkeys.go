package spec

import "strings"

// clustersSection is what holds the clusters; its keys are names.
var clustersSection = &section{name: "clusters"}

// clustersType is clusters, each by its name.
var clustersType = valueType[[]Cluster]{
	about: about{
		what: "a mapping of names to clusters", inner: []*section{clusterSection}, named: "CLUSTER",
		schema: object{
			{"type", "object"},
			{"minProperties", 1},
			{"propertyNames", object{{"pattern", clusterPattern}}},
			{"additionalProperties", clusterSection.schema()},
		},
	},
	read:   (*reader).clusters,
	absent: func(all []Cluster) bool { return len(all) == 0 },
	block: func(w *writer, indent int, name string, all []Cluster) {
		w.line(indent, name, "")
		for _, c := range all {
			w.line(indent+2, quoted(c.Name), "")
			clusterSection.write(w, indent+4, &c)
		}
	},
	show: func(l *lister, path []string, all []Cluster) {
		for _, c := range all {
			clusterSection.show(l, append(path, c.Name), &c)
		}
	},
}

var clusterSection = &section{
	name: "a cluster",
	keys: []key{
		{
			name: "brokers", example: "[kafka-1:9092, kafka-2:9092]", required: true,
			doc:   "HOST:PORT of some of the brokers; the others are learnt from them.",
			value: at(orList(brokerType, "broker"), func(c *Cluster) *[]string { return &c.Brokers }),
		},
		{
			name: "tls", example: "{ca: ca.pem}",
			doc:   "How connections are encrypted; true trusts the system's authorities.",
			value: at(tlsType, func(c *Cluster) **TLS { return &c.TLS }).orElse("false", nil).orShow("none"),
		},
		{
			name: "sasl", example: "{mechanism: scram-sha-512, user: tributary, password: {env: KAFKA_PASSWORD}}",
			doc:   "Who the client is.",
			value: at(saslType, func(c *Cluster) **SASL { return &c.SASL }),
		},
		{
			name: "registry", example: `{url: "https://registry:8081"}`,
			doc:   "The schema registry.",
			value: at(registryType, func(c *Cluster) **Registry { return &c.Registry }),
		},
	},
}

var brokerType = textLike(about{what: "HOST:PORT", schema: matching(brokerPattern)}, (*reader).broker)

// tlsType is true, false, or a mapping.
var tlsType = valueType[*TLS]{
	about:  about{what: "true, false, or a mapping", schema: ref("tls"), inner: []*section{tlsSection}},
	read:   (*reader).tls,
	absent: empty[*TLS],
	inline: func(t *TLS) string {
		if *t == (TLS{}) {
			return "true"
		}
		return tlsSection.inline(t)
	},
	text: (*TLS).text,
}

var tlsSection = &section{
	name: "tls",
	keys: []key{
		{
			name: "ca", example: "ca.pem",
			doc:   "The file of the authority's certificate.",
			value: at(smallFileType, func(t *TLS) *string { return &t.CA }),
		},
		{
			name: "cert", example: "client.pem",
			doc:   "The file of the client's certificate.",
			value: at(smallFileType, func(t *TLS) *string { return &t.Cert }),
		},
		{
			name: "key", example: "client-key.pem",
			doc:   "The file of the client's key.",
			value: at(smallFileType, func(t *TLS) *string { return &t.Key }),
		},
		{
			name: "server_name", example: "kafka",
			doc:   "What the server's certificate is for.",
			value: at(textType, func(t *TLS) *string { return &t.ServerName }).orElse("the host", nil),
		},
	},
	rules: []any{object{{"dependentRequired", object{{"cert", []string{"key"}}, {"key", []string{"cert"}}}}}},
}

// smallFileType is a local file that is read when a client is made.
var smallFileType = textLike(about{what: "a local file", schema: ref("small_file")}, (*reader).smallFile)

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
	return commas(parts)
}

func commas(parts []string) string { return strings.Join(parts, ", ") }
