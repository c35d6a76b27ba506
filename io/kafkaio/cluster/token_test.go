package cluster

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/sasl/aws"

	"tributary/io/kafkaio/internal/kafkatest"
)

func TestJWTExpiry(t *testing.T) {
	at := time.Unix(1_800_000_000, 0)
	require.Equal(t, at, jwtExpiry(kafkatest.Unsigned("u", at.Add(-time.Hour), at)))
	for name, token := range map[string]string{
		"opaque": "abc", "three parts of nothing": "a.b.c", "no claims": "e30.e30.", "a claim that is text": "e30.eyJleHAiOiJ4In0.",
		"a year of twenty digits": "e30.eyJleHAiOjEwMDAwMDAwMDAwMDAwMDAwMDAwfQ.", "negative": "e30.eyJleHAiOi0xfQ.",
	} {
		require.Zero(t, jwtExpiry(token), name)
	}
}

// TestTokenRead: what is no token goes nowhere, and is not shown.
func TestTokenRead(t *testing.T) {
	t.Setenv("TEST_TOKEN", "abc.def-_~+/==")
	got, err := Token{Secret: Secret{Env: "TEST_TOKEN"}}.Read(t.Context())
	require.NoError(t, err)
	require.Equal(t, "abc.def-_~+/==", got)
	for _, wrong := range []string{kafkatest.Canary + " x", kafkatest.Canary + "\r\nX-Admin: yes", kafkatest.Canary + "\x01a=b", "{" + kafkatest.Canary + "}", "=" + kafkatest.Canary} {
		t.Setenv("TEST_TOKEN", wrong)
		_, err := Token{Secret: Secret{Env: "TEST_TOKEN"}}.Read(t.Context())
		require.ErrorContains(t, err, "environment variable TEST_TOKEN holds no bearer token")
		require.NotContains(t, err.Error(), kafkatest.Canary)
	}
	token := Token{Command: []string{"/bin/get-token", "--audience", "kafka"}}
	text, err := json.Marshal(&SASL{Mechanism: OAuthBearer, Token: token})
	require.NoError(t, err)
	require.JSONEq(t, `{"Mechanism":"OAUTHBEARER","Token":{"Command":["/bin/get-token","--audience","kafka"]}}`, string(text))
	require.Equal(t, "the output of command get-token", token.String())
}

func TestCommands(t *testing.T) {
	sh := func(script string) []string { return []string{"/bin/sh", "-c", script} }
	for _, tt := range []struct{ name, script, want string }{
		{"a token", "printf 'abc\r\n'", ""},
		{"nothing", ":", "no secret: command sh prints nothing"},
		{"fails", "echo " + kafkatest.Canary + "; echo " + kafkatest.Canary + " >&2; exit 3", "command sh: exit status 3: run it by hand"},
		{"prints too much", "while :; do echo " + kafkatest.Canary + kafkatest.Canary + kafkatest.Canary + "; done", "command sh prints more than 64 KiB"},
		{"leaves a child with its output", "echo abc; sleep 60 &", "command sh: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCommandCache()
			got, err := c.run(t.Context(), sh(tt.script), jwtExpiry)
			if tt.want == "" {
				require.NoError(t, err)
				require.Equal(t, "abc", got)
				return
			}
			require.ErrorContains(t, err, tt.want)
			require.NotContains(t, err.Error(), kafkatest.Canary)
		})
	}
	c := newCommandCache()
	_, err := c.run(t.Context(), []string{filepath.Join(t.TempDir(), "missing")}, jwtExpiry)
	require.ErrorIs(t, err, os.ErrNotExist)
	c.denied.Store(true)
	_, err = c.run(t.Context(), sh("echo abc"), jwtExpiry)
	require.ErrorIs(t, err, errDenied)
}

// TestCommandIsAskedAgain: before the token expires, and not for every connection; and one that
// cannot be had anew is used as long as it is good.
func TestCommandIsAskedAgain(t *testing.T) {
	dir := t.TempDir()
	counted, failing, script := filepath.Join(dir, "counted"), filepath.Join(dir, "failing"), filepath.Join(dir, "token.sh")
	require.NoError(t, os.WriteFile(script, []byte("#!/bin/sh\necho x >>"+counted+"\n[ ! -e "+failing+" ] && echo abc\n"), 0o700)) //nolint:gosec // it is run
	times := func() int {
		text, err := os.ReadFile(counted)
		require.NoError(t, err)
		return strings.Count(string(text), "x")
	}
	logged := kafkatest.CaptureLog(t)
	expires := time.Time{}
	c := newCommandCache()
	read := func() error {
		got, err := c.run(t.Context(), []string{script}, func(string) time.Time { return expires })
		if err == nil {
			require.Equal(t, "abc", got)
		}
		return err
	}
	key := script
	last := func(change func(*printed)) {
		p, err := c.known.Take(t.Context(), key, func() (*printed, error) { return nil, errors.New("it has not run") })
		require.NoError(t, err)
		defer c.known.Give(key, p)
		change(p)
	}
	set := func(until time.Duration) { last(func(p *printed) { p.until = time.Now().Add(until) }) }

	for range 3 {
		require.NoError(t, read())
	}
	require.Equal(t, 1, times(), "connections that are made at once share it")
	set(0)
	expires = time.Now().Add(time.Hour)
	require.NoError(t, read())
	require.Equal(t, 2, times())
	last(func(p *printed) {
		require.WithinRange(t, p.until, time.Now().Add(47*time.Minute), time.Now().Add(48*time.Minute))
	})

	require.NoError(t, os.WriteFile(failing, nil, 0o600))
	set(0)
	require.NoError(t, read(), "the last one is good for twelve minutes more")
	require.Equal(t, 3, times())
	require.Contains(t, logged.String(), "command token.sh: exit status 1")
	require.Contains(t, logged.String(), "what it printed last is used until ")
	set(0)
	last(func(p *printed) { p.expires = time.Now() })
	require.ErrorContains(t, read(), "exit status 1")

	require.NoError(t, os.Remove(failing))
	expires = time.Now().Add(-time.Minute)
	require.ErrorContains(t, read(), "command token.sh prints what has expired at ")
}

func TestKeep(t *testing.T) {
	for good, want := range map[time.Duration]time.Duration{time.Hour: 48 * time.Minute, 150 * time.Second: 2 * time.Minute, time.Minute: 30 * time.Second, 4 * time.Second: 2 * time.Second} {
		require.Equal(t, want, keep(good), good)
	}
}

// TestAWSCredentials are found where AWS's tools find them, and read again each time.
func TestAWSCredentials(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "credentials")
	write := func(text string) { require.NoError(t, os.WriteFile(file, []byte(text), 0o600)) }
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", file)
	s := &SASL{Mechanism: AWSMSKIAM}
	_, err := s.mechanism()
	require.ErrorContains(t, err, "AWS_ACCESS_KEY_ID is not set, and open "+file)
	write("[other]\naws_access_key_id = A1\naws_secret_access_key = " + kafkatest.Canary + "\n")
	_, err = s.credentials(t.Context())
	require.ErrorContains(t, err, file+" has no aws_access_key_id with aws_secret_access_key in [default]")
	require.NotContains(t, err.Error(), kafkatest.Canary)
	write("# mine\n[default]\naws_access_key_id=A2\naws_secret_access_key = S=2\nregion = x\n[other]\naws_access_key_id = A1\naws_secret_access_key = S1\naws_session_token = T1\n")
	got, err := s.credentials(t.Context())
	require.NoError(t, err)
	require.Equal(t, aws.Auth{AccessKey: "A2", SecretKey: "S=2"}, got)
	t.Setenv("AWS_PROFILE", "other")
	got, err = s.credentials(t.Context())
	require.NoError(t, err)
	require.Equal(t, aws.Auth{AccessKey: "A1", SecretKey: "S1", SessionToken: "T1"}, got)
	t.Setenv("AWS_ACCESS_KEY_ID", "A3")
	_, err = s.credentials(t.Context())
	require.ErrorContains(t, err, "of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY one is not set")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "S3")
	got, err = s.credentials(t.Context())
	require.NoError(t, err)
	require.Equal(t, aws.Auth{AccessKey: "A3", SecretKey: "S3"}, got)

	s.Credentials = []string{"/bin/sh", "-c", `echo '{"Version":1,"AccessKeyId":"A4","SecretAccessKey":"S4","SessionToken":"T4","Expiration":"2999-01-01T00:00:00Z"}'`}
	got, err = s.credentials(t.Context())
	require.NoError(t, err)
	require.Equal(t, aws.Auth{AccessKey: "A4", SecretKey: "S4", SessionToken: "T4"}, got)
	for _, wrong := range []string{`{"Version":2,"AccessKeyId":"` + kafkatest.Canary + `","SecretAccessKey":"x"}`, kafkatest.Canary, `{"Version":1,"AccessKeyId":"x"}`} {
		s.Credentials = []string{"/bin/sh", "-c", "echo '" + wrong + "'"}
		_, err = s.credentials(t.Context())
		require.ErrorContains(t, err, "command sh does not print what a credential_process of AWS prints")
		require.NotContains(t, err.Error(), kafkatest.Canary)
	}
}

// TestAWSMechanism: what is shown to a broker is a signature for its host.
func TestAWSMechanism(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", kafkatest.Canary)
	t.Setenv("AWS_SESSION_TOKEN", "")
	synctest.Test(t, func(t *testing.T) { // for the time in it
		m, err := (&SASL{Mechanism: AWSMSKIAM}).mechanism()
		require.NoError(t, err)
		require.Equal(t, "AWS_MSK_IAM", m.Name())
		_, first, err := m.Authenticate(t.Context(), "b-1.x.c2.kafka.eu-west-1.amazonaws.com:9098")
		require.NoError(t, err)
		var got map[string]string
		require.NoError(t, json.Unmarshal(first, &got))
		require.Equal(t, "AKIDEXAMPLE/20000101/eu-west-1/kafka-cluster/aws4_request", got["x-amz-credential"])
		require.Equal(t, "b-1.x.c2.kafka.eu-west-1.amazonaws.com", got["host"])
		require.Len(t, got["x-amz-signature"], 64)
		require.NotContains(t, string(first), kafkatest.Canary)
	})
}
