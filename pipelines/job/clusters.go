package job

import (
	"strings"

	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/registry"
	"tributary/pipelines/spec"
)

// Kafka translates a cluster of a spec for clients. It is the only place that does.
func Kafka(c *spec.Cluster) cluster.Config {
	out := cluster.Config{Name: c.Name, Brokers: c.Brokers, TLS: encryption(c.TLS)}
	if s := c.SASL; s != nil {
		out.SASL = &cluster.SASL{
			Mechanism: cluster.Mechanism(strings.ToUpper(string(s.Mechanism))), User: User(s.User), Password: Secret(s.Password),
			Token: token(s.Token), Extensions: s.Extensions, Credentials: s.Credentials,
		}
		out.AllowPlaintext = s.Insecure
	}
	return out
}

// Registry translates the registry of a cluster of a spec; nil for none.
func Registry(c *spec.Cluster) *registry.Config {
	g := c.Registry
	if g == nil {
		return nil
	}
	return &registry.Config{
		URLs: g.URLs, TLS: encryption(g.TLS), AllowPlaintext: g.Insecure,
		User: User(g.User), Password: Secret(g.Password), Token: token(g.Token),
	}
}

func encryption(t *spec.TLS) *cluster.TLS {
	if t == nil {
		return nil
	}
	return &cluster.TLS{CAFile: t.CA, CertFile: t.Cert, KeyFile: t.Key, ServerName: t.ServerName}
}

func token(t spec.Token) cluster.Token {
	return cluster.Token{Secret: Secret(t.Secret), Command: t.Command}
}

// User translates the name of a user.
func User(s spec.Secret) cluster.User { return cluster.User{Name: s.Text, Secret: Secret(s)} }

// Secret translates where a secret is found.
func Secret(s spec.Secret) cluster.Secret { return cluster.Secret{Env: s.Env, File: s.File} }
