package kafkatest

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/log"
)

// Canary is a secret that must be in no log, error or JSON.
const Canary = "canary-6f1d2e"

// Unsigned is a JSON Web Token as a broker takes it that verifies no signatures.
func Unsigned(subject string, from, to time.Time) string {
	part := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	return part(`{"alg":"none"}`) + "." + part(fmt.Sprintf(`{"sub":%q,"iat":%d,"exp":%d}`, subject, from.Unix(), to.Unix())) + "."
}

// LogLines keeps what is logged.
type LogLines struct {
	mu   sync.Mutex
	text strings.Builder
}

// Log implements log.Logger.
func (l *LogLines) Log(_ context.Context, _ log.Severity, _ int, msg string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.WriteString(msg + "\n")
}

// String is all that was logged, a line each.
func (l *LogLines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// CaptureLog returns what is logged from now until the test ends.
func CaptureLog(t *testing.T) *LogLines {
	lines := &LogLines{}
	log.SetLogger(lines)
	t.Cleanup(func() { log.SetLogger(&log.Standard{Level: log.SevWarn}) })
	return lines
}
