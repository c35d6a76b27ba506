package chaos

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"
)

// schemas are those of the records of a stream, in a registry. Records of input begin with the id of
// the newest schema of their topic, and samples with that of theirs.
type schemas struct {
	registry *srfake.Registry
	prefix   string // of topics

	mu  sync.Mutex
	ids map[string][]int // of a topic, by its ending: each schema has a field more than the one before
	// later is how many fields more the schema of a sample has, by its id.
	later map[int]int
}

// frameSize is the zero and the id before each record.
const frameSize = 5

// laterField begins the names of fields that the first schemas do not have. They are null.
const laterField = "later_"

// newSchemas begins a registry with the schemas beside the input. Close it.
func newSchemas(in *Input, prefix string) (*schemas, error) {
	s := &schemas{registry: srfake.New(), prefix: prefix, ids: map[string][]int{}, later: map[int]int{}}
	for _, topic := range []string{"views", "engagements"} {
		text, err := os.ReadFile(filepath.Join(in.Dir, topic+".avsc"))
		if err == nil {
			err = s.register(topic, string(text))
		}
		if err != nil {
			s.registry.Close()
			return nil, err
		}
	}
	return s, nil
}

func (s *schemas) register(topic, text string) error {
	id, _, err := s.registry.RegisterSchema(s.prefix+"."+topic+"-value", sr.Schema{Type: sr.TypeAvro, Schema: text})
	if err != nil {
		return fmt.Errorf("register a schema of %s: %w", topic, err)
	}
	s.ids[topic] = append(s.ids[topic], id)
	return nil
}

// grow registers a schema with one field more for a topic, of which records are from now on.
func (s *schemas) grow(topic string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	text, err := s.text(s.ids[topic][len(s.ids[topic])-1])
	if err != nil {
		return err
	}
	var schema map[string]any
	if err := json.Unmarshal([]byte(text), &schema); err != nil {
		return err
	}
	fields, _ := schema["fields"].([]any)
	schema["fields"] = append(fields, map[string]any{
		"name": fmt.Sprint(laterField, len(s.ids[topic])), "type": []string{"null", "string"}, "default": nil,
	})
	grown, err := json.Marshal(schema)
	if err != nil {
		return err
	}
	return s.register(topic, string(grown))
}

func (s *schemas) text(id int) (string, error) {
	client, err := sr.NewClient(sr.URLs(s.registry.URL()))
	if err != nil {
		return "", err
	}
	schema, err := client.SchemaByID(context.Background(), id)
	return schema.Schema, err
}

// frame makes a record of the first schema one of the newest.
func (s *schemas) frame(topic string, record []byte) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := s.ids[topic]
	out := binary.BigEndian.AppendUint32([]byte{0}, uint32(ids[len(ids)-1]))
	return append(append(out, record...), make([]byte, len(ids)-1)...) // a null is a zero
}

// first makes what frame has returned the record that it was.
func (s *schemas) first(topic string, framed []byte) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(framed) < frameSize {
		return nil, errors.New("too short for a frame")
	}
	id := int(binary.BigEndian.Uint32(framed[1:]))
	return cut(framed, slices.Index(s.ids[topic], id))
}

// sample makes a sample the one that the batch makes of a view of the first schema: the view is the
// last of its fields.
func (s *schemas) sample(framed []byte) ([]byte, error) {
	if len(framed) < frameSize {
		return nil, errors.New("too short for a frame")
	}
	id := int(binary.BigEndian.Uint32(framed[1:]))
	s.mu.Lock()
	defer s.mu.Unlock()
	later, ok := s.later[id]
	if !ok {
		text, err := s.text(id)
		if err != nil {
			return nil, err
		}
		later = strings.Count(text, laterField)
		s.later[id] = later
	}
	return cut(framed, later)
}

// cut takes the frame away and as many nulls.
func cut(framed []byte, nulls int) ([]byte, error) {
	record := framed[frameSize:]
	if nulls < 0 || nulls > len(record) || slices.ContainsFunc(record[len(record)-nulls:], func(b byte) bool { return b != 0 }) {
		return nil, fmt.Errorf("%x does not end with %d nulls", framed, nulls)
	}
	return record[:len(record)-nulls], nil
}
