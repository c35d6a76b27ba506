package cluster

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/sasl/aws"
)

// credentials finds the key pair of AWS, in the order in which its tools do.
func (s *SASL) credentials(ctx context.Context) (aws.Auth, error) {
	if s.Credentials != nil {
		return credentialProcess(ctx, s.Credentials)
	}
	found := aws.Auth{
		AccessKey: os.Getenv("AWS_ACCESS_KEY_ID"), SecretKey: os.Getenv("AWS_SECRET_ACCESS_KEY"), SessionToken: os.Getenv("AWS_SESSION_TOKEN"),
	}
	if found.AccessKey == "" && found.SecretKey == "" {
		return credentialsFile()
	}
	if found.AccessKey == "" || found.SecretKey == "" {
		return aws.Auth{}, fmt.Errorf("%w: of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY one is not set", ErrNoSecret)
	}
	return found, nil
}

// credentialProcess runs a command that prints credentials as AWS describes it for
// credential_process in its configuration: so does `aws configure export-credentials`.
func credentialProcess(ctx context.Context, argv []string) (aws.Auth, error) {
	type answer struct {
		Version                                    int
		AccessKeyId, SecretAccessKey, SessionToken string //nolint:revive // AWS spells it so
		Expiration                                 time.Time
	}
	text, err := commands.run(ctx, argv, func(text string) time.Time {
		var a answer
		_ = json.Unmarshal([]byte(text), &a) // judged below
		return a.Expiration
	})
	if err != nil {
		return aws.Auth{}, fmt.Errorf("credentials: %w", err)
	}
	var a answer
	// An error of json would quote what is secret.
	if json.Unmarshal([]byte(text), &a) != nil || a.Version != 1 || a.AccessKeyId == "" || a.SecretAccessKey == "" {
		return aws.Auth{}, fmt.Errorf("credentials: %s does not print what a credential_process of AWS prints: JSON with Version 1, AccessKeyId and SecretAccessKey", commandName(argv))
	}
	return aws.Auth{AccessKey: a.AccessKeyId, SecretKey: a.SecretAccessKey, SessionToken: a.SessionToken}, nil
}

// credentialsFile reads the file that AWS's tools share, the section of AWS_PROFILE or default.
func credentialsFile() (aws.Auth, error) {
	path := os.Getenv("AWS_SHARED_CREDENTIALS_FILE")
	if path == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return aws.Auth{}, fmt.Errorf("credentials of AWS: %w", err)
		}
		path = filepath.Join(home, ".aws", "credentials")
	}
	profile := os.Getenv("AWS_PROFILE")
	if profile == "" {
		profile = "default"
	}
	file, err := os.Open(path)
	if err != nil {
		return aws.Auth{}, fmt.Errorf("credentials of AWS: AWS_ACCESS_KEY_ID is not set, and %w", err)
	}
	defer file.Close() //nolint:errcheck // only read
	var found aws.Auth
	within := false
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if section, ok := strings.CutPrefix(line, "["); ok {
			within = strings.TrimSpace(strings.TrimSuffix(section, "]")) == profile
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok || !within || strings.HasPrefix(line, "#") || strings.HasPrefix(line, ";") {
			continue
		}
		value = strings.TrimSpace(value)
		switch strings.ToLower(strings.TrimSpace(key)) {
		case "aws_access_key_id":
			found.AccessKey = value
		case "aws_secret_access_key":
			found.SecretKey = value
		case "aws_session_token":
			found.SessionToken = value
		}
	}
	if err := lines.Err(); err != nil {
		return aws.Auth{}, fmt.Errorf("credentials of AWS: %s: %w", path, err)
	}
	if found.AccessKey == "" || found.SecretKey == "" {
		return aws.Auth{}, fmt.Errorf("credentials of AWS: %w: %s has no aws_access_key_id with aws_secret_access_key in [%s]", ErrNoSecret, path, profile)
	}
	return found, nil
}
