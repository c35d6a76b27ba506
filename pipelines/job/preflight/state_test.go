package preflight

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"tributary/pipelines/spec"
)

// TestState: a cluster on which RocksDB would flush all the time is told of, with what to set.
func TestState(t *testing.T) {
	plain, err := spec.Load("../../../testdata/specs/feed.yaml")
	require.NoError(t, err)
	staged := *plain
	staged.Stages = make([]spec.Stage, 2)
	for _, c := range []struct {
		name, managers, config string
		spec                   *spec.Spec
		detail, fix            string
	}{
		{"as Flink comes", `{"id":"a","slotsNumber":4,"memoryConfiguration":{"managedMemory":805306368}}`, ``, plain, "a slot has 84 MB to write state in, and 21 column families of RocksDB take 168 MB", "writebuffer.size: 32mb"},
		{"with stages", `{"id":"a","slotsNumber":4,"memoryConfiguration":{"managedMemory":805306368}}`, `{"key":"state.backend.rocksdb.writebuffer.size","value":"16 mb"}`, &staged, "63 column families of RocksDB take 126 MB", "writebuffer.size: 10mb"},
		{"what is advised", `{"id":"a","slotsNumber":4,"memoryConfiguration":{"managedMemory":805306368}}`, `{"key":"state.backend.rocksdb.writebuffer.size","value":"10mb"}`, &staged, "", ""},
		{"the smallest slot counts", `{"id":"a","slotsNumber":1,"memoryConfiguration":{"managedMemory":8053063680}},{"id":"b","slotsNumber":2,"memoryConfiguration":{"managedMemory":67108864}}`, ``, plain, "a slot has 14 MB", "writebuffer.size: 5mb"},
		{"room enough", `{"id":"a","slotsNumber":4,"memoryConfiguration":{"managedMemory":8053063680}}`, ``, plain, "", ""},
		{"another share", `{"id":"a","slotsNumber":4,"memoryConfiguration":{"managedMemory":1610612736}}`, `{"key":"state.backend.rocksdb.memory.write-buffer-ratio","value":"0.25"}`, plain, "a slot has 84 MB", "32mb"},
		{"memory of its own", `{"id":"a","slotsNumber":4,"memoryConfiguration":{"managedMemory":805306368}}`, `{"key":"state.backend.rocksdb.memory.managed","value":"false"}`, plain, "", ""},
		{"no TaskManager", ``, ``, plain, "", ""},
		{"a size of another kind", `{"id":"a","slotsNumber":4,"memoryConfiguration":{"managedMemory":805306368}}`, `{"key":"state.backend.rocksdb.writebuffer.size","value":"many"}`, plain, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				answer := `{"taskmanagers":1,"slots-total":4,"slots-available":3,"flink-version":"1.19.3"}`
				switch r.URL.Path {
				case "/taskmanagers":
					answer = `{"taskmanagers":[` + c.managers + `]}`
				case "/jobmanager/config":
					answer = `[` + c.config + `]`
				}
				_, _ = w.Write([]byte(answer))
			}))
			defer server.Close()
			found := check(t, c.spec, Targets{Flink: server.URL})
			if c.detail == "" {
				require.Empty(t, lines(found, Warning), Text(found))
				return
			}
			require.Equal(t, []string{"warning flink " + server.URL}, lines(found, Warning), Text(found))
			for _, f := range found {
				if f.Status == Warning {
					require.Contains(t, f.Detail, c.detail)
					require.Contains(t, f.Fix, c.fix)
				}
			}
		})
	}
}
