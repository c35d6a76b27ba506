package draft

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/io/record"
)

// TestWaysOfWriting: every pattern that is looked for is one, and each reads what it says.
func TestWaysOfWriting(t *testing.T) {
	require.Len(t, ways(), len(patterns)+1)
	for value, want := range map[string]string{
		"2026-03-04 05:06:07":                "",
		"2026-03-04T05:06:07.5":              "",
		"2026/03/04 05:06":                   "%Y/%m/%d %H:%M",
		"2026.03.04, 05:06:07,250":           "%Y.%m.%d, %H:%M:%S,%f",
		"31.12.2026 05:06":                   "%d.%m.%Y %H:%M",
		"31.12.26 05:06":                     "%d.%m.%y %H:%M",
		"12/31/2026 5:06 am":                 "%m/%d/%Y %I:%M %p",
		"12/31/2026 05:06PM":                 "%m/%d/%Y %I:%M%p",
		"04 Mar 2026 05:06:07":               "%d %b %Y %H:%M:%S",
		"Mar 4, 2026 5:06:07 PM":             "%b %d, %Y %I:%M:%S %p",
		"Wed, 04 Mar 2026 05:06:07 GMT":      "%a, %d %b %Y %H:%M:%S %z",
		"04/Mar/2026:05:06:07 +0100":         "%d/%b/%Y:%H:%M:%S %z",
		"Wed Mar  4 05:06:07 2026":           "%a %b %d %H:%M:%S %Y",
		"20260304T050607":                    "",
		"20260304050607":                     "%Y%m%d%H%M%S",
		"2026-03-04 05:06:07 in the morning": "none",
		"2026-03-04":                         "none",
		"5:06":                               "none",
		"v1":                                 "none",
	} {
		got := "none"
		if all := candidatesFor(value); len(all) > 0 {
			got = all[0].pattern
			ms, err := all[0].reader.Millis(record.Value{Kind: record.String, Text: []byte(value)})
			require.NoError(t, err)
			require.Positive(t, ms)
		}
		require.Equal(t, want, got, value)
	}
}
