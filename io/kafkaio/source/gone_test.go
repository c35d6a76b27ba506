package source

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tributary/io/kafkaio/internal/kafkatest"
)

// testDeleted: a topic that is deleted while it is read ends the reading with an error, and
// so does one that is made anew, whatever it then holds: its offsets mean other records.
func testDeleted(t *testing.T, b *kafkatest.Broker) {
	defer func(d time.Duration) { absentFor = d }(absentFor)
	absentFor = time.Second
	tests := []struct {
		name string
		// partitions of the topic that takes its place; 0 for none.
		partitions int32
		values     []string
	}{
		{"for good", 0, nil},
		{"with fewer partitions", 1, nil},
		{"with as much in it", 3, []string{kafkatest.At(1), kafkatest.At(2), kafkatest.At(3)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			topic := b.Topic(3)
			for p := range int32(3) {
				b.Produce(topic, p, kafkatest.At(1), kafkatest.At(2))
			}
			r := readingOf(b, topic)
			r.Stop = Stop{}
			s := newSession(t, r, 0)
			s.until(func() bool { return len(kafkatest.Records(t, s.batches)) == 6 })
			_, err := b.Admin.DeleteTopics(t.Context(), topic)
			require.NoError(t, err)
			if tt.partitions > 0 {
				require.Eventually(t, func() bool {
					_, err := b.Admin.CreateTopic(t.Context(), tt.partitions, 1, nil, topic)
					return err == nil
				}, 10*time.Second, 50*time.Millisecond)
				b.Client = b.Writer()
				b.Produce(topic, 0, tt.values...)
			}
			for range 2 { // a runner that begins again is told the same
				err = nil
				for deadline := time.Now().Add(30 * time.Second); err == nil && time.Now().Before(deadline); {
					err = s.slice()
				}
				require.ErrorContains(t, err, "topic "+topic+" is not the one that was read so far: ")
				s.restart()
			}
			require.Len(t, kafkatest.Records(t, s.batches), 6, "nothing of the other log")
		})
	}
}
