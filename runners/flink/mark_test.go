package flink

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestJobIsFoundByItsMark: a job that was there before is not asked about; one that Flink tells
// no options of is asked about again, even if it has ended meanwhile.
func TestJobIsFoundByItsMark(t *testing.T) {
	const overview = "GET /jobs/overview"
	list := func(ids ...string) string {
		text := ""
		for _, id := range ids {
			text += fmt.Sprintf(`,{"jid":%q,"name":"join","state":"FINISHED"}`, id)
		}
		return `{"jobs":[` + text[1:] + `]}`
	}
	options := func(mark string) string {
		return fmt.Sprintf(`{"execution-config":{"user-config":{"tributarySubmission":%q}}}`, mark)
	}
	fake, client := startFake(t, map[string]string{
		overview:                   list("before"),
		"GET /jobs/foreign/config": options("other"),
		"GET /jobs/mine/config":    `{"execution-config":{}}`,
		"GET /jobs/gone/config":    `404 {"errors":["Could not find Flink job (gone)"]}`,
	})
	others, err := client.ids(t.Context())
	require.NoError(t, err)
	fake.answers[overview] = list("before", "foreign", "gone", "mine")
	for range 2 {
		id, err := client.find(t.Context(), "mark", others)
		require.NoError(t, err)
		require.Empty(t, id)
	}
	fake.answers["GET /jobs/mine/config"] = options("mark")
	id, err := client.find(t.Context(), "mark", others)
	require.NoError(t, err)
	assert.Equal(t, "mine", id)
	asked := map[string]int{}
	for _, request := range fake.asked {
		asked[request]++
	}
	assert.Zero(t, asked["GET /jobs/before/config"])
	assert.Equal(t, 1, asked["GET /jobs/foreign/config"])
	assert.Equal(t, 3, asked["GET /jobs/mine/config"])
}
