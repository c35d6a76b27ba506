package topics

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"regexp"
	"slices"
	"strings"

	"tributary/pipelines/job"
	"tributary/pipelines/spec"
)

// Right is what a job may do with one resource of a cluster. All rights of a cluster together are
// the least that a job can do its work with.
type Right struct {
	// Cluster is the name of the cluster in the spec.
	Cluster string `json:"cluster"`
	// Principal is who the job is to the brokers, as they write it.
	Principal string `json:"principal"`
	// Resource is topic, group or transactional-id.
	Resource string `json:"resource"`
	Name     string `json:"name"`
	// Prefixed says that Name is what names begin with.
	Prefixed bool `json:"prefixed,omitempty"`
	// Operations are Read, Write and DescribeConfigs; the former two imply Describe.
	Operations []string `json:"operations"`
}

// Operations that a job needs rights for.
const (
	opRead            = "Read"
	opWrite           = "Write"
	opDescribeConfigs = "DescribeConfigs"
)

// Rights lists the rights that a spec's job needs, topics first. It is empty for a spec of files. A
// principal that cannot be told is PRINCIPAL.
//
// Creating topics is not among them: whoever sets the job up does that.
func Rights(s *spec.Spec) []Right {
	var out []Right
	add := func(cluster, resource, name string, prefixed bool, operations ...string) {
		out = append(out, Right{cluster, Principal(s.Cluster(cluster)), resource, name, prefixed, operations})
	}
	for _, t := range Needed(s) {
		// What is compacted is read again when a job starts again, or is reported on.
		switch {
		case !t.Output:
			add(t.Cluster, "topic", t.Name, false, opRead, opDescribeConfigs)
		case t.Compacted:
			add(t.Cluster, "topic", t.Name, false, opRead, opWrite, opDescribeConfigs)
		default:
			add(t.Cluster, "topic", t.Name, false, opWrite, opDescribeConfigs)
		}
	}
	if len(out) == 0 {
		return nil
	}
	var read []string
	for _, in := range s.Inputs() {
		if in.Topic != "" && !slices.Contains(read, in.Cluster) {
			read = append(read, in.Cluster)
			add(in.Cluster, "group", s.Stream.Group, false, opRead)
		}
	}
	switch cluster := s.OutputCluster(); {
	case s.Outputs.SamplesTopic() != nil && s.Stream.Delivery == spec.ExactlyOnce:
		add(cluster, "transactional-id", s.Stream.Name+"-", true, opWrite)
	case s.Outputs.Topics.Accounts != "": // they are put together in transactions, whatever the delivery
		add(cluster, "transactional-id", s.Stream.Name+"-accounts", false, opWrite)
	}
	return out
}

// unknownPrincipal stands for one that brokers make of what only they and who gives it out know.
const unknownPrincipal = "PRINCIPAL"

// Principal is who a client is to the brokers of a cluster, with User: before it: the user, or the
// subject of the client's certificate as RFC 2253 writes it. It reads files and the environment.
func Principal(c *spec.Cluster) string {
	switch {
	case c == nil:
		return "User:ANONYMOUS"
	case c.SASL != nil && c.SASL.User != (spec.Secret{}):
		if user, err := job.User(c.SASL.User).Read(); err == nil {
			return "User:" + user
		}
		return "User:" + c.SASL.User.Env + c.SASL.User.File
	case c.SASL != nil:
		return unknownPrincipal
	case c.TLS != nil && c.TLS.Cert != "":
		return subject(c.TLS.Cert)
	}
	return "User:ANONYMOUS"
}

func subject(file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return unknownPrincipal
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return unknownPrincipal
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return unknownPrincipal
	}
	return "User:" + certificate.Subject.String()
}

// Command grants a right, as a line of a shell.
func (r Right) Command(brokers []string) string {
	words := []string{"kafka-acls.sh", "--bootstrap-server", strings.Join(brokers, ","), "--command-config", "admin.properties", "--add", "--allow-principal", r.Principal}
	for _, op := range r.Operations {
		words = append(words, "--operation", op)
	}
	words = append(words, "--"+r.Resource, r.Name)
	if r.Prefixed {
		words = append(words, "--resource-pattern-type", "prefixed")
	}
	for i, word := range words {
		words[i] = shellWord(word)
	}
	return strings.Join(words, " ")
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:=,@+-]+$`)

// shellWord quotes what a shell would take apart.
func shellWord(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// RightsText is a script that grants all rights, a cluster after another.
func RightsText(s *spec.Spec) string {
	var w strings.Builder
	rights := Rights(s)
	for i := range s.Clusters {
		c := &s.Clusters[i]
		of := slices.DeleteFunc(slices.Clone(rights), func(r Right) bool { return r.Cluster != c.Name })
		if len(of) == 0 {
			continue
		}
		w.WriteString("# cluster " + c.Name + "; admin.properties says how an administrator signs in\n")
		switch {
		case c.SASL != nil && c.SASL.Mechanism == spec.AWSMSKIAM:
			w.WriteString("# with aws_msk_iam, rights are policies of IAM and not these: kafka-cluster:Connect and DescribeTopic, ReadData for Read,\n" +
				"# WriteData and WriteDataIdempotently for Write, DescribeTopicDynamicConfiguration for DescribeConfigs, AlterGroup and\n" +
				"# DescribeGroup for the group, AlterTransactionalId and DescribeTransactionalId for transactional ids\n")
		case of[0].Principal == unknownPrincipal:
			w.WriteString("# PRINCIPAL is who the job is to the brokers: User: and the subject of its token or certificate, unless they map it\n")
		}
		for _, r := range of {
			w.WriteString(r.Command(c.Brokers) + "\n")
		}
	}
	return w.String()
}
