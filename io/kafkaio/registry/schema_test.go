package registry

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"
)

// TestReferences: what a schema refers to is in it, at any depth.
func TestReferences(t *testing.T) {
	registry := srfake.New()
	t.Cleanup(registry.Close)
	register := func(subject, schema string, refs ...sr.SchemaReference) int32 {
		id, _, err := registry.RegisterSchema(subject, sr.Schema{Schema: schema, References: refs})
		require.NoError(t, err)
		return int32(id)
	}
	country := sr.SchemaReference{Name: "geo.Country", Subject: "country", Version: 1}
	address := sr.SchemaReference{Name: "geo.Address", Subject: "address", Version: 1}
	register("country", `{"type":"enum","name":"geo.Country","symbols":["A","B"]}`)
	register("address", `{"type":"record","name":"geo.Address","fields":[{"name":"in","type":"geo.Country"}]}`, country)
	id := register("views-value", `{"type":"record","name":"View","fields":[{"name":"a","type":"geo.Address"},{"name":"b","type":"geo.Country"}]}`, address)
	r := &Config{URLs: []string{registry.URL()}}
	s, err := newFetcher(r)
	require.NoError(t, err)
	got, err := s.lookup(t.Context(), ID{Number: id})
	require.NoError(t, err)
	require.Equal(t, Avro, got.Type)
	require.Equal(t, []string{"View", "geo.Address", "geo.Country"}, got.Avro.Names())
	latest, err := r.Latest(t.Context(), "views-value")
	require.NoError(t, err)
	require.Equal(t, got.Avro.ID(), latest.Avro.ID())
}

// TestDeletedReference: a version that a schema was made of counts, whether it was deleted since or not.
func TestDeletedReference(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		a := answer{404, `{"error_code":40402,"message":"Version not found"}`}
		switch {
		case q.URL.Path == "/schemas/ids/1":
			a = schemaAnswer(`,"references":[{"name":"Other","subject":"other","version":4}]`)
		case q.URL.Path == "/subjects/other/versions/4" && q.URL.Query().Get("deleted") == "true":
			a = answer{200, `{"schema":"{\"type\":\"fixed\",\"name\":\"Other\",\"size\":1}"}`}
		}
		w.WriteHeader(a.status)
		_, _ = io.WriteString(w, a.body)
	}))
	t.Cleanup(server.Close)
	s, err := newFetcher(&Config{URLs: []string{server.URL}})
	require.NoError(t, err)
	_, err = s.lookup(t.Context(), ID{Number: 1})
	require.NoError(t, err)
}

// TestGUIDs: a schema by its GUID is the same; a registry that does not know the question is not waited for.
func TestGUIDs(t *testing.T) {
	registry := srfake.New()
	t.Cleanup(registry.Close)
	_, _, err := registry.RegisterSchema("views-value", sr.Schema{Schema: oneView})
	require.NoError(t, err)
	found, ok := registry.GetSchema("views-value", 1)
	require.True(t, ok)
	guid := uuid.MustParse(found.GUID)
	s, err := newFetcher(&Config{URLs: []string{registry.URL()}})
	require.NoError(t, err)
	got, err := s.lookup(t.Context(), ID{GUID: guid})
	require.NoError(t, err)
	require.Equal(t, oneView, got.Avro.String())

	const other = "11111111-2222-4333-8444-555555555555"
	_, err = s.lookup(t.Context(), ID{GUID: uuid.MustParse(other)})
	require.EqualError(t, err, "unknown schema id "+other+": the registry has no such schema")

	const noPath = `{"error_code":404,"message":"HTTP 404 Not Found"}`
	for _, tt := range []struct {
		name         string
		guids, types answer
		want         string
		waits        bool
	}{
		{"an older registry", answer{404, noPath}, answer{200, `["AVRO"]`}, "the registry does not know schemas by GUIDs", false},
		{"another's words for it", answer{404, proxyPage}, answer{200, `["AVRO"]`}, "the registry does not know schemas by GUIDs", false},
		{"nothing is there", answer{404, proxyPage}, answer{404, proxyPage}, "not in the words of a registry", true},
		{"it is away", answer{503, "no"}, answer{200, `["AVRO"]`}, "status 503", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := faked(t, func(path string) answer {
				switch path {
				case "/schemas/guids/" + other:
					return tt.guids
				case "/schemas/types":
					return tt.types
				}
				return answer{500, "asked for " + path}
			})
			_, err := s.fetch(t.Context(), ID{GUID: uuid.MustParse(other)})
			require.ErrorContains(t, err, tt.want)
			_, dead := whyUnusable(err)
			require.Equal(t, tt.waits, !dead)
		})
	}
}

// TestIDs: in both forms, before values and in headers.
func TestIDs(t *testing.T) {
	guid := uuid.MustParse("11111111-2222-4333-8444-555555555555")
	for _, tt := range []struct {
		name, bytes string
		want        ID
		rest, fails string
	}{
		{"a number", "\x00\x00\x00\x01\x02rest", ID{Number: 258}, "rest", ""},
		{"a GUID", "\x01" + string(guid[:]) + "rest", ID{GUID: guid}, "rest", ""},
		{"nothing", "", ID{}, "", "0 bytes are fewer than the 5 before each record"},
		{"half a number", "\x00\x00\x00\x01", ID{}, "", "4 bytes are fewer than the 5 before each record"},
		{"half a GUID", "\x01" + string(guid[:15]), ID{}, "", "16 bytes are fewer than the 17 of a GUID"},
		{"no GUID", "\x01" + string(make([]byte, 16)), ID{}, "", "a GUID of zeros names no schema"},
		{"JSON", `{"id":1}`, ID{}, "", "begins with byte 0x7b, not 0x00"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for at, cut := range map[string]func([]byte) (ID, []byte, error){
				"not in the registry's wire format": Unframe, "header __value_schema_id": InHeader,
			} {
				id, rest, err := cut([]byte(tt.bytes))
				require.Equal(t, tt.want, id)
				require.Equal(t, tt.rest, string(rest))
				if tt.fails != "" {
					require.EqualError(t, err, fmt.Sprintf("%s: %s", at, tt.fails))
				} else {
					require.NoError(t, err)
				}
			}
		})
	}
}
