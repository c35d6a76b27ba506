package source

import (
	"encoding/binary"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"
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

func recordsOf(t *testing.T, batches []record.Batch) (texts []string) {
	t.Helper()
	for _, r := range kafkatest.Records(t, batches) {
		texts = append(texts, r.Value)
	}
	return texts
}

// avroReading reads one topic of registered Avro.
func avroReadingOf(b *kafkatest.Broker, topic, url string) Config {
	r := readingOf(b, topic)
	r.Topics[0].Format, r.Topics[0].Time = RegistryAvro, Field{Path: "t"}
	r.Topics[0].Registry = &registry.Config{URLs: []string{url}}
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
	require.Contains(t, details[8], "is of type JSON, not AVRO")
}

// TestReferredTypes: batches carry the schema with what it refers to, so that whoever decodes them needs nothing else.
func TestReferredTypes(t *testing.T) {
	schemas := srfake.New()
	t.Cleanup(schemas.Close)
	const stamp = `{"type":"record","name":"Stamp","fields":[{"name":"t","type":{"type":"long","logicalType":"timestamp-millis"}}]}`
	registerSchema(t, schemas, "stamp", stamp, sr.TypeAvro)
	id, _, err := schemas.RegisterSchema("views", sr.Schema{
		Schema:     `{"type":"record","name":"View","fields":[{"name":"at","type":"Stamp"}]}`,
		References: []sr.SchemaReference{{Name: "Stamp", Subject: "stamp", Version: 1}},
	})
	require.NoError(t, err)
	b := kafkatest.NewBroker(t)
	topic := b.Topic(1)
	r := avroReadingOf(b, topic, schemas.URL())
	r.Topics[0].Time = Field{Path: "at.t"}
	b.Produce(topic, 0, framed(int32(id), avroOne(1_000)), framed(int32(id), avroOne(900)))
	s := newSession(t, r, 0)
	s.finish()
	require.Empty(t, s.rejected)
	require.Len(t, s.batches, 1)
	require.Equal(t, fingerprint(t, `{"type":"record","name":"View","fields":[{"name":"at","type":`+stamp+`}]}`), s.batches[0].Schema)
	require.Equal(t, s.batches[0].Schema, fingerprint(t, s.batches[0].SchemaText))
	require.Equal(t, int64(1_000), s.at.Partitions[0].Clock.Largest)
}

// TestRegisteredJSON: what precedes the text is taken off, and records of other types of schemas are none.
func TestRegisteredJSON(t *testing.T) {
	schemas := srfake.New()
	t.Cleanup(schemas.Close)
	one := registerSchema(t, schemas, "views", `{"type":"object"}`, sr.TypeJSON)
	other := registerSchema(t, schemas, "others", schemaOne, sr.TypeAvro)
	b := kafkatest.NewBroker(t)
	topic := b.Topic(1)
	r := avroReadingOf(b, topic, schemas.URL())
	r.Topics[0].Format, r.Topics[0].Time = RegistryJSON, Field{Path: "t", Unit: record.UnitEpochMs}
	b.Produce(topic, 0, framed(one, []byte(`{"t":1000}`)), `{"t":1100}`, framed(other, avroOne(1_200)), framed(one, []byte(`{"t":1300}`)), framed(77, []byte(`{"t":1400}`)))
	s := newSession(t, r, 0)
	s.finish()
	require.Equal(t, []string{`{"t":1000}`, `{"t":1300}`}, recordsOf(t, s.batches))
	require.Zero(t, s.batches[0].Schema)
	require.Equal(t, int64(1_300), s.at.Partitions[0].Clock.Largest)
	var details []string
	for _, r := range s.rejected {
		details = append(details, r.Detail)
	}
	require.Equal(t, []string{
		"not in the registry's wire format: begins with byte 0x7b, not 0x00",
		fmt.Sprintf("schema id %d: is of type AVRO, not JSON", other),
		"unknown schema id 77: the registry has no such schema",
	}, details)
}

// TestRegisteredProtobuf: messages are read as JSON, each as the message of the schema that its indexes name, and others are none.
func TestRegisteredProtobuf(t *testing.T) {
	schemas := srfake.New()
	t.Cleanup(schemas.Close)
	registerSchema(t, schemas, "stamp", `syntax = "proto3"; message Stamp { int64 t = 1; }`, sr.TypeProtobuf)
	id, _, err := schemas.RegisterSchema("views", sr.Schema{
		Schema:     `syntax = "proto3"; import "stamp.proto"; message No {} message View { message In { Stamp at = 2; } int64 t = 1; }`,
		Type:       sr.TypeProtobuf,
		References: []sr.SchemaReference{{Name: "stamp.proto", Subject: "stamp", Version: 1}},
	})
	require.NoError(t, err)
	bad := registerSchema(t, schemas, "bad", `message {`, sr.TypeProtobuf)
	found, ok := schemas.GetSchema("views", 1)
	require.True(t, ok)
	guid := uuid.MustParse(found.GUID)
	b := kafkatest.NewBroker(t)
	topic := b.Topic(1)
	r := avroReadingOf(b, topic, schemas.URL())
	r.Topics[0].Format, r.Topics[0].Time = RegistryProtobuf, Field{Path: "t", Unit: record.UnitEpochMs}
	one := int32(id)
	b.Produce(topic, 0,
		framed(one, []byte("\x02\x02\x08\xe8\x07")), framed(one, []byte("\x00")), framed(one, []byte("\x04\x02\x00\x12\x02\x08\x05")),
		framed(one, []byte("\x02\x04")), framed(one, []byte("\x02\x02\xff")), framed(one, nil), framed(bad, []byte("\x00")), framed(77, []byte("\x00")))
	require.NoError(t, b.Client.ProduceSync(t.Context(), &kgo.Record{
		Topic: topic, Value: []byte("\x08\xe9\x07"), Headers: []kgo.RecordHeader{{Key: registry.Header, Value: []byte("\x01" + string(guid[:]) + "\x02\x02")}},
	}).FirstErr())
	s := newSession(t, r, 0)
	s.finish()
	require.Equal(t, []string{`{"t":1000}`, `{}`, `{"at":{"t":5}}`, `{"t":1001}`}, recordsOf(t, s.batches))
	require.Equal(t, int64(1_001), s.at.Partitions[0].Clock.Largest)
	var details []string
	for _, r := range s.rejected {
		require.Equal(t, record.ReasonMalformed, r.Reason)
		details = append(details, r.Detail)
	}
	require.Len(t, details, 5)
	require.Equal(t, fmt.Sprintf("schema id %d: message indexes [2]: there are 2 messages where 2 is one", id), details[0])
	require.Equal(t, fmt.Sprintf("schema id %d: message View: cannot parse invalid wire-format data", id), details[1])
	require.Equal(t, "message indexes: 0 bytes end in the middle of them", details[2])
	require.Contains(t, details[3], fmt.Sprintf("schema id %d: parse Protobuf schema: ", bad))
	require.Equal(t, "unknown schema id 77: the registry has no such schema", details[4])
}

// TestIDInHeader: the values are bare, of records whose header says which schema they have, and as ever of others; the first
// of several headers counts.
func TestIDInHeader(t *testing.T) {
	schemas := srfake.New()
	t.Cleanup(schemas.Close)
	one := registerSchema(t, schemas, "views", schemaOne, sr.TypeAvro)
	found, ok := schemas.GetSchema("views", 1)
	require.True(t, ok)
	guid := uuid.MustParse(found.GUID)
	b := kafkatest.NewBroker(t)
	topic := b.Topic(1)
	r := avroReadingOf(b, topic, schemas.URL())
	record := func(value []byte, headers ...string) *kgo.Record {
		r := &kgo.Record{Topic: topic, Value: value, Headers: []kgo.RecordHeader{{Key: "other", Value: []byte{9}}}}
		for _, h := range headers {
			r.Headers = append(r.Headers, kgo.RecordHeader{Key: "__value_schema_id", Value: []byte(h)})
		}
		return r
	}
	require.NoError(t, b.Client.ProduceSync(t.Context(),
		record(avroOne(1_000), "\x01"+string(guid[:])),
		record(avroOne(1_100), framed(one, nil), "nonsense"),
		record([]byte(framed(one, avroOne(1_200)))),
		record(avroOne(1_300), "\x01"+string(guid[:4])),
		record(avroOne(1_400), "\x01"+string(guid[:15])+"\x00"),
	).FirstErr())
	s := newSession(t, r, 0)
	s.finish()
	require.Equal(t, []string{string(avroOne(1_000)), string(avroOne(1_100)), string(avroOne(1_200))}, recordsOf(t, s.batches))
	require.Len(t, s.rejected, 2)
	require.Equal(t, "header __value_schema_id: 5 bytes are fewer than the 17 of a GUID", s.rejected[0].Detail)
	require.Regexp(t, "^unknown schema id .*00: the registry has no such schema$", s.rejected[1].Detail)
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
	of := r.Topics[0].Registry
	of.User, of.Password, of.AllowPlaintext = cluster.User{Name: "user"}, cluster.Secret{Env: "REGISTRY_PASSWORD"}, true
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
