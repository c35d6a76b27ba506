package source

import (
	"encoding/binary"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"tributary/io/format/avro"
	"tributary/io/kafkaio/cluster"
	"tributary/io/kafkaio/internal/kafkatest"
	"tributary/io/kafkaio/registry"
	"tributary/io/record"
)

const (
	schemaOne = `{"type":"record","name":"View","fields":[{"name":"t","type":{"type":"long","logicalType":"timestamp-millis"}}]}`
	schemaTwo = `{"type":"record","name":"View","fields":[{"name":"id","type":"string"},{"name":"t","type":{"type":"long","logicalType":"timestamp-micros"}}]}`
	noTime    = `{"type":"record","name":"View","fields":[{"name":"id","type":"string"}]}`
)

// framed is an Avro record in wire format.
func framed(id int32, record []byte) string {
	return string(append(binary.BigEndian.AppendUint32([]byte{0}, uint32(id)), record...))
}

// registerSchema registers a schema and returns its id.
func registerSchema(t *testing.T, schemas *srfake.Registry, subject, schema string, kind sr.SchemaType) int32 {
	t.Helper()
	id, _, err := schemas.RegisterSchema(subject, sr.Schema{Schema: schema, Type: kind})
	require.NoError(t, err)
	return int32(id)
}

func avroOne(ms int64) []byte { return binary.AppendVarint(nil, ms) }

func avroTwo(id string, ms int64) []byte {
	out := binary.AppendVarint(nil, int64(len(id)))
	return binary.AppendVarint(append(out, id...), ms*1000)
}

func fingerprint(t *testing.T, schema string) uint64 {
	t.Helper()
	s, err := avro.ParseSchema(schema)
	require.NoError(t, err)
	return s.ID()
}

// avroReading reads one topic of registered Avro.
func avroReadingOf(b *kafkatest.Broker, topic, url string) Config {
	r := readingOf(b, topic)
	r.Topics[0].Format, r.Topics[0].Time = RegistryAvro, Field{Path: "t"}
	r.Registry = &registry.Config{URLs: []string{url}}
	return r
}

// TestSchemaChanges: records of schemas that turn up while the job runs, and of those that
// nobody can read, between each other.
func TestSchemaChanges(t *testing.T) {
	schemas := srfake.New()
	t.Cleanup(schemas.Close)
	one := registerSchema(t, schemas, "views", schemaOne, sr.TypeAvro)
	b := kafkatest.NewBroker(t)
	topic := b.Topic(1)
	r := avroReadingOf(b, topic, schemas.URL())
	r.Stop = Stop{}
	s := newSession(t, r, 0)
	b.Produce(topic, 0, framed(one, avroOne(1_000)), framed(one, avroOne(900)))
	s.until(func() bool { return len(s.batches) == 1 })

	two := registerSchema(t, schemas, "views", schemaTwo, sr.TypeAvro)
	useless := registerSchema(t, schemas, "others", noTime, sr.TypeAvro)
	text := registerSchema(t, schemas, "texts", `{"type":"object"}`, sr.TypeJSON)
	b.Produce(
		topic, 0,
		framed(one, avroOne(1_500)), framed(two, avroTwo("v", 1_700)), "not framed", "", framed(7777, nil),
		framed(useless, []byte{0}), framed(text, []byte("{}")), framed(two, []byte{9}), framed(one, avroOne(1_600)),
	)
	s.until(func() bool { return s.at.Partitions[0].Next == 11 })
	first, second := fingerprint(t, schemaOne), fingerprint(t, schemaTwo)
	type came struct {
		offset, maxTime int64
		schema          uint64
		text            string
		count           int32
	}
	var got []came
	for _, batch := range s.batches {
		got = append(got, came{batch.Offset, batch.MaxTime, batch.Schema, batch.SchemaText, batch.Count})
	}
	require.Equal(t, []came{
		{0, record.NoTime, first, schemaOne, 2},
		{2, 1_000, first, schemaOne, 1},
		{3, 1_500, second, schemaTwo, 2}, // the second cannot be decoded: that is told further on
		{10, 1_700, first, schemaOne, 1},
	}, got)
	details := map[int64]string{}
	for _, r := range s.rejected {
		require.Equal(t, record.ReasonMalformed, r.Reason)
		details[r.Offset] = r.Detail
	}
	require.Len(t, details, 5)
	require.Equal(t, "not in the registry's wire format: begins with byte 0x6e, not 0x00", details[4])
	require.Equal(t, "not in the registry's wire format: 0 bytes are fewer than the 5 before each record", details[5])
	require.Equal(t, "unknown schema id 7777: the registry has no such schema", details[6])
	require.Contains(t, details[7], "event time: ")
	require.Contains(t, details[8], "is of type JSON, not Avro")
}

// TestRegistryDown: nothing is lost while the registry does not answer, and all goes on once
// it does.
func TestRegistryDown(t *testing.T) {
	schemas := srfake.New()
	t.Cleanup(schemas.Close)
	one := registerSchema(t, schemas, "views", schemaOne, sr.TypeAvro)
	var down atomic.Bool
	var asked atomic.Int64
	down.Store(true)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		asked.Add(1)
		if down.Load() {
			http.Error(w, "no", http.StatusServiceUnavailable)
			return
		}
		http.Redirect(w, q, schemas.URL()+q.URL.Path, http.StatusTemporaryRedirect)
	}))
	t.Cleanup(front.Close)
	b := kafkatest.NewBroker(t)
	topic := b.Topic(1)
	b.Produce(topic, 0, framed(one, avroOne(5)), framed(one, avroOne(6)))
	r := avroReadingOf(b, topic, front.URL)
	r.PollBudget = 300 * time.Millisecond
	s := newSession(t, r, 0)
	for range 3 {
		require.NoError(t, s.slice())
	}
	require.Empty(t, s.batches)
	require.Zero(t, s.at.Partitions[0].Next)
	require.GreaterOrEqual(t, asked.Load(), int64(3))
	down.Store(false)
	s.finish()
	require.Len(t, kafkatest.Records(t, s.batches), 2)
	before := asked.Load()
	b.Produce(topic, 0, framed(one, avroOne(7)))
	again := newSession(t, r, 0)
	again.finish()
	require.Len(t, kafkatest.Records(t, again.batches), 3)
	require.Equal(t, before, asked.Load(), "a schema is fetched once")
}

// TestRegistryRefuses: without rights nothing can be read, which is waited for and said: whoever
// gives them back must not find the job gone, or its records among the dead letters.
func TestRegistryRefuses(t *testing.T) {
	t.Setenv("REGISTRY_PASSWORD", kafkatest.Canary)
	schemas := srfake.New()
	t.Cleanup(schemas.Close)
	one := registerSchema(t, schemas, "views", schemaOne, sr.TypeAvro)
	schemas.Intercept(func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusForbidden)
		return true
	})
	b := kafkatest.NewBroker(t)
	topic := b.Topic(1)
	b.Produce(topic, 0, framed(one, avroOne(5)))
	r := avroReadingOf(b, topic, schemas.URL())
	r.Registry.User, r.Registry.Password, r.Registry.AllowPlaintext = cluster.User{Name: "user"}, cluster.Secret{Env: "REGISTRY_PASSWORD"}, true
	r.PollBudget = 200 * time.Millisecond
	logged := kafkatest.CaptureLog(t)
	s := newSession(t, r, 0)
	require.NoError(t, s.slice())
	require.Zero(t, s.at.Partitions[0].Next)
	require.Contains(t, logged.String(), "waiting for the schema registry at "+schemas.URL()+": schema 1: access refused (status 403)")
	require.NotContains(t, logged.String(), kafkatest.Canary)
	schemas.ClearInterceptors()
	s.finish() // the same reader, whose client is past the record
	require.Empty(t, s.rejected)
	require.Len(t, kafkatest.Records(t, s.batches), 1)
}
