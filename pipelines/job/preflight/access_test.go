package preflight

import (
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"tributary/pipelines/job/topics"
	"tributary/pipelines/spec"
)

// signedIn is the access of a user of a fake cluster.
func signedIn(t *testing.T, address, password string) string {
	t.Helper()
	t.Setenv("TEST_KAFKA_PASSWORD", password)
	return at(address) + "\n    sasl: {mechanism: scram-sha-256, user: joiner, password: {env: TEST_KAFKA_PASSWORD}}"
}

func TestSignIn(t *testing.T) {
	c, address := newCluster(t, kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-256", "joiner", "right"))
	skipped := []string{"skipped topic main", "skipped rights main", "skipped transactions main"}

	found := check(t, parse(t, signedIn(t, address, "canary"), outputs), Targets{Timeout: 2 * time.Second})
	require.Equal(t, []string{"ok broker " + address, "problem sign-in main"}, lines(found, OK, Problem))
	require.Equal(t, skipped, lines(found, Skipped))
	require.Contains(t, find(t, found, "sign-in", "main").Fix, "user or password is wrong")
	require.NotContains(t, fmt.Sprintf("%+v", found), "canary")

	found = check(t, parse(t, at(address), outputs), Targets{Timeout: 2 * time.Second})
	require.Equal(t, []string{"problem sign-in main"}, lines(found, Problem), "no sasl at all")
	require.Equal(t, "the broker wants a user: add clusters.main.sasl", find(t, found, "sign-in", "main").Fix)

	found = check(t, parse(t, at(address)+"\n    sasl: {mechanism: scram-sha-256, user: joiner, password: {env: TEST_KAFKA_UNSET}}", outputs), Targets{})
	require.Contains(t, find(t, found, "sign-in", "main").Detail, "environment variable TEST_KAFKA_UNSET is not set")

	found = check(t, parse(t, at(address)+"\n    tls: true", outputs), Targets{Timeout: 2 * time.Second})
	require.Contains(t, find(t, found, "sign-in", "main").Fix, "may not speak TLS")

	s := parse(t, signedIn(t, address, "right"), outputs)
	create(t, s)
	found = check(t, s, Targets{})
	require.True(t, Passed(found), Text(found))
	require.Contains(t, find(t, found, "sign-in", "main").Detail, "user joiner")

	// Kafka answers a wrong password, where the fake above closes the connection.
	c.ControlKey(int16(kmsg.SASLAuthenticate), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		resp := req.ResponseKind().(*kmsg.SASLAuthenticateResponse)
		resp.ErrorCode = kerr.SaslAuthenticationFailed.Code
		return resp, nil, true
	})
	found = check(t, s, Targets{})
	require.Contains(t, find(t, found, "sign-in", "main").Detail, "SASL_AUTHENTICATION_FAILED")
	require.Contains(t, find(t, found, "sign-in", "main").Fix, "user or password is wrong")
}

// TestTokenSignIn: what can go wrong with a token is told apart.
func TestTokenSignIn(t *testing.T) {
	c, address := newCluster(t, kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-256", "joiner", "right"))
	with := func(sasl string) *spec.Spec {
		return parse(t, at(address)+"\n    sasl: {"+sasl+", insecure: true}", outputs)
	}
	t.Setenv("TEST_KAFKA_TOKEN", "canary")
	token := with("mechanism: oauthbearer, token: {env: TEST_KAFKA_TOKEN}")
	f := find(t, check(t, token, Targets{Timeout: 2 * time.Second}), "sign-in", "main")
	require.Contains(t, f.Fix, "the broker does not take oauthbearer")
	f = find(t, check(t, with(`mechanism: oauthbearer, token: {command: [/no/such/get-token]}`), Targets{}), "sign-in", "main")
	require.Contains(t, f.Detail, "token: command get-token: fork/exec /no/such/get-token: no such file")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/no/such/credentials")
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	f = find(t, check(t, with("mechanism: aws_msk_iam"), Targets{}), "sign-in", "main")
	require.Contains(t, f.Detail, "AWS_ACCESS_KEY_ID is not set, and open /no/such/credentials")

	// A broker that takes tokens, and not this one.
	c.ControlKey(int16(kmsg.SASLHandshake), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		return req.ResponseKind(), nil, true
	})
	c.ControlKey(int16(kmsg.SASLAuthenticate), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		resp := req.ResponseKind().(*kmsg.SASLAuthenticateResponse)
		resp.SASLAuthBytes = []byte(`{"status":"invalid_token"}`)
		return resp, nil, true
	})
	f = find(t, check(t, token, Targets{}), "sign-in", "main")
	require.Contains(t, f.Detail, `the broker refuses the token: {"status":"invalid_token"}`)
	require.Contains(t, f.Fix, "see whether it has expired")
	require.NotContains(t, fmt.Sprint(f), "canary")
}

// TestTLS: a certificate that nobody knows, and one that ca knows.
func TestTLS(t *testing.T) {
	https := httptest.NewUnstartedServer(nil)
	https.StartTLS()
	defer https.Close()
	_, address := newCluster(t, kfake.TLS(&tls.Config{Certificates: https.TLS.Certificates}))
	ca := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: https.Certificate().Raw}), 0o600))

	s := parse(t, at(address)+"\n    tls: {ca: "+ca+", server_name: example.com}", outputs)
	create(t, s)
	found := check(t, s, Targets{})
	require.True(t, Passed(found), Text(found))

	for name, c := range map[string]struct{ tls, fix string }{
		"no authority": {"tls: true", "set clusters.main.tls.ca"},
		"other name":   {"tls: {ca: " + ca + ", server_name: kafka.internal}", "or server_name"},
		"no file":      {"tls: {ca: /no/such/ca.pem}", "correct the path"},
		"not TLS":      {"registry: {url: \"http://r\"}", "wants TLS"},
	} {
		found := check(t, parse(t, at(address)+"\n    "+c.tls, outputs), Targets{Timeout: 2 * time.Second})
		f := find(t, found, "sign-in", "main")
		require.Equal(t, Problem, f.Status, name)
		require.Contains(t, f.Fix, c.fix, "%s: %s", name, f.Detail)
	}
}

// TestRights: a user with exactly the rights that it needs passes; each one that is
// missing is named, with the command that grants it.
func TestRights(t *testing.T) {
	acl := func(resource kmsg.ACLResourceType, name string, op kmsg.ACLOperation) kfake.ACL {
		pattern := kmsg.ACLResourcePatternTypeLiteral
		if strings.HasSuffix(name, "-") {
			pattern = kmsg.ACLResourcePatternTypePrefixed
		}
		return kfake.ACL{Resource: resource, Name: name, Pattern: pattern, Operation: op, Allow: true}
	}
	const topic, group, txn = kmsg.ACLResourceTypeTopic, kmsg.ACLResourceTypeGroup, kmsg.ACLResourceTypeTransactionalId
	// Exactly what `topics --acls` grants.
	var needed []kfake.ACL
	kinds := map[string]kmsg.ACLResourceType{"topic": topic, "group": group, "transactional-id": txn}
	ops := map[string]kmsg.ACLOperation{"Read": kmsg.ACLOperationRead, "Write": kmsg.ACLOperationWrite, "DescribeConfigs": kmsg.ACLOperationDescribeConfigs}
	for _, r := range topics.Rights(parse(t, signedIn(t, "127.0.0.1:1", "right"), outputs)) {
		require.Equal(t, "User:joiner", r.Principal)
		require.Equal(t, strings.HasSuffix(r.Name, "-"), r.Prefixed)
		for _, op := range r.Operations {
			needed = append(needed, acl(kinds[r.Resource], r.Name, ops[op]))
		}
	}
	for _, c := range []struct {
		name    string
		without kfake.ACL
		// Which finding there is then, how grave, and what part of its fix.
		status       Status
		step, target string
		fix          string
	}{
		{"views not read", acl(topic, "views", kmsg.ACLOperationRead), Problem, "rights", "views", "--operation Read --topic views"},
		{"samples not written", acl(topic, "samples", kmsg.ACLOperationWrite), Problem, "topic", "samples", "--operation Describe --topic samples"},
		{"ledger not read", acl(topic, "samples.ledger", kmsg.ACLOperationRead), Problem, "rights", "samples.ledger", "User:joiner --operation Read"},
		{"marks not written", acl(topic, "samples.marks", kmsg.ACLOperationWrite), Problem, "rights", "samples.marks", "--operation Write"},
		{"no settings", acl(topic, "views", kmsg.ACLOperationDescribeConfigs), Warning, "topic", "views", "--operation DescribeConfigs"},
		{"no group", acl(group, "samples", kmsg.ACLOperationRead), Warning, "rights", "samples", "--operation Read --group samples"},
		{"no transactions", acl(txn, "samples-", kmsg.ACLOperationWrite), Problem, "transactions", "samples-check", "--transactional-id samples- --resource-pattern-type prefixed"},
		{"nothing missing", kfake.ACL{}, OK, "rights", "main", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var acls []kfake.ACL
			for _, a := range needed {
				if a != c.without {
					acls = append(acls, a)
				}
			}
			// Views may always be seen, so that what is missing is the right to read.
			acls = append(acls, acl(topic, "views", kmsg.ACLOperationDescribe))
			_, address := newCluster(t, kfake.EnableSASL(), kfake.EnableACLs(), kfake.Superuser("SCRAM-SHA-256", "admin", "admin"), kfake.User("SCRAM-SHA-256", "joiner", "right", acls...))
			t.Setenv("TEST_KAFKA_ADMIN", "admin")
			create(t, parse(t, at(address)+"\n    sasl: {mechanism: scram-sha-256, user: admin, password: {env: TEST_KAFKA_ADMIN}}", outputs))
			found := check(t, parse(t, signedIn(t, address, "right"), outputs), Targets{})
			bad := lines(found, Problem, Warning)
			if c.status == OK {
				require.Empty(t, bad, Text(found))
			} else {
				require.Equal(t, []string{fmt.Sprintf("%s %s %s", c.status, c.step, c.target)}, bad, Text(found))
			}
			require.Contains(t, find(t, found, c.step, c.target).Fix, c.fix)
		})
	}
}

func TestTransactions(t *testing.T) {
	_, address := newCluster(t, kfake.BrokerConfigs(map[string]string{"transaction.max.timeout.ms": "30000"}), kfake.MaxVersions(kversion.V3_8_0()))
	s := parse(t, at(address), outputs)
	create(t, s)
	found := check(t, s, Targets{})
	require.Equal(t, []string{"problem transactions samples-check"}, lines(found, Problem), Text(found))
	require.Contains(t, find(t, found, "transactions", "samples-check").Fix, "stream.transaction_timeout to at most 30s")
	version := find(t, found, "transaction.version", "main")
	require.Equal(t, Warning, version.Status)
	require.Contains(t, version.Fix, "transaction.version=2")

	_, newer := newCluster(t)
	cl, err := kgo.NewClient(kgo.SeedBrokers(newer))
	require.NoError(t, err)
	defer cl.Close()
	_, err = kadm.NewClient(cl).UpdateFeatures(t.Context(), false, kadm.FeatureUpdate{Feature: "transaction.version", MaxVersionLevel: 1, UpgradeType: 3})
	require.NoError(t, err)
	version = find(t, check(t, parse(t, at(newer), outputs), Targets{}), "transaction.version", "main")
	require.Equal(t, Warning, version.Status, version.Detail)

	once := check(t, parse(t, at(address), outputs+"stream: {delivery: at_least_once}\n"), Targets{})
	require.Empty(t, lines(once, Problem, Warning), "at least once takes no transactions")
}

// TestCoordinatorLoads: a broker that has just been started, or is the coordinator only now,
// refuses until it has read its log.
func TestCoordinatorLoads(t *testing.T) {
	c, address := newCluster(t)
	s := parse(t, at(address), outputs)
	create(t, s)
	asked := 0
	c.ControlKey(int16(kmsg.InitProducerID), func(req kmsg.Request) (kmsg.Response, error, bool) {
		if asked++; asked == 3 {
			return nil, nil, false
		}
		c.KeepControl()
		resp := req.ResponseKind().(*kmsg.InitProducerIDResponse)
		resp.ErrorCode = kerr.CoordinatorLoadInProgress.Code
		return resp, nil, true
	})
	found := check(t, s, Targets{})
	require.Empty(t, lines(found, Problem), Text(found))
	require.Equal(t, OK, find(t, found, "transactions", "samples-check").Status)
	require.Equal(t, 3, asked)
}

// TestCoordinatorSilent: brokers whose transaction log cannot be made never answer.
func TestCoordinatorSilent(t *testing.T) {
	c, address := newCluster(t)
	s := parse(t, at(address), outputs)
	create(t, s)
	c.ControlKey(int16(kmsg.InitProducerID), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		resp := req.ResponseKind().(*kmsg.InitProducerIDResponse)
		resp.ErrorCode = kerr.CoordinatorNotAvailable.Code
		return resp, nil, true
	})
	found := check(t, s, Targets{Timeout: time.Second})
	require.Equal(t, []string{"problem transactions samples-check"}, lines(found, Problem), Text(found))
	require.Contains(t, find(t, found, "transactions", "samples-check").Fix, "transaction.state.log.replication.factor")
}
