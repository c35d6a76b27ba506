package kafkaio

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestShare(t *testing.T) {
	tests := []struct {
		name                string
		readers, processors int
		want                time.Duration
	}{
		{"alone", 1, 2, 2 * time.Second},
		{"one a processor", 2, 2, 2 * time.Second},
		{"two rounds", 4, 2, time.Second},
		{"an odd one", 5, 2, 2 * time.Second / 3},
		{"never too short", 100, 2, shortestPoll},
	}
	for _, tt := range tests {
		require.Equal(t, tt.want, share(2*time.Second, tt.readers, tt.processors, shortestPoll), tt.name)
	}
}
