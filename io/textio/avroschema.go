package textio

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// avroKind is an Avro type, or a logical type that has text of its own in JSON.
type avroKind uint8

const (
	avroNull avroKind = iota
	avroBoolean
	avroInt
	avroLong
	avroFloat
	avroDouble
	avroBytes
	avroString
	avroRecord
	avroEnum
	avroArray
	avroMap
	avroUnion
	avroFixed
)

var kindNames = map[string]avroKind{
	"null": avroNull, "boolean": avroBoolean, "int": avroInt, "long": avroLong, "float": avroFloat,
	"double": avroDouble, "bytes": avroBytes, "string": avroString, "record": avroRecord, "error": avroRecord,
	"enum": avroEnum, "array": avroArray, "map": avroMap, "fixed": avroFixed,
}

// avroType is one type of a schema. Named types may contain themselves.
type avroType struct {
	kind     avroKind
	name     string // as written, for messages
	logical  logical
	fields   []avroField    // of a record
	index    map[string]int // of the fields by names and aliases, or of the symbols of an enum
	symbols  []string
	items    *avroType // of an array or a map
	branches []*avroType
	null     int // the branch of a union that is null, -1 if there is none
	size     int // of a fixed
	// precision and scale are those of a decimal.
	precision, scale int
}

type avroField struct {
	name string
	typ  *avroType
	// unset is the default, JSON text by the rules for defaults; nil if there is none.
	unset []byte
	// encoded is the default as Avro, once it has been checked.
	encoded []byte
}

// schemaText is a type of a schema as JSON, other than a union.
type schemaText struct {
	Type        json.RawMessage `json:"type"`
	Name        string          `json:"name"`
	Namespace   *string         `json:"namespace"`
	Fields      []fieldText     `json:"fields"`
	Symbols     []string        `json:"symbols"`
	Items       json.RawMessage `json:"items"`
	Values      json.RawMessage `json:"values"`
	Size        *int            `json:"size"`
	LogicalType string          `json:"logicalType"`
	Precision   int             `json:"precision"`
	Scale       int             `json:"scale"`
}

type fieldText struct {
	Name    string          `json:"name"`
	Aliases []string        `json:"aliases"`
	Type    json.RawMessage `json:"type"`
	Default json.RawMessage `json:"default"`
}

// schemaParser keeps the named types seen so far, by full name.
type schemaParser struct {
	named   map[string]*avroType
	records []*avroType
}

var avroName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// parseSchema parses the JSON text of an Avro schema.
func parseSchema(schema string) (*avroType, error) {
	p := &schemaParser{named: map[string]*avroType{}}
	text := []byte(strings.TrimSpace(schema))
	if !json.Valid(text) {
		if !avroName.Match(text) {
			return nil, errors.New("avro schema is not JSON")
		}
		text = appendString(nil, text) // a bare name, like: string
	}
	t, err := p.parse(text, "")
	if err != nil {
		return nil, fmt.Errorf("avro schema: %w", err)
	}
	if err := p.encodeDefaults(); err != nil {
		return nil, fmt.Errorf("avro schema: %w", err)
	}
	return t, nil
}

// parse parses a type inside of a namespace.
func (p *schemaParser) parse(text json.RawMessage, namespace string) (*avroType, error) {
	text = bytes.TrimSpace(text)
	if len(text) == 0 {
		return nil, errors.New("a type is missing")
	}
	switch text[0] {
	case '"':
		var name string
		if err := json.Unmarshal(text, &name); err != nil {
			return nil, err
		}
		return p.reference(name, namespace)
	case '[':
		return p.union(text, namespace)
	case '{':
		var s schemaText
		if err := json.Unmarshal(text, &s); err != nil {
			return nil, err
		}
		return p.complex(s, namespace)
	default:
		return nil, fmt.Errorf("%s is not a type", shortened(text))
	}
}

func (p *schemaParser) reference(name, namespace string) (*avroType, error) {
	if kind, ok := kindNames[name]; ok && kind <= avroString {
		return &avroType{kind: kind, name: name}, nil
	}
	if namespace != "" && !strings.Contains(name, ".") {
		if t := p.named[namespace+"."+name]; t != nil {
			return t, nil
		}
	}
	if t := p.named[name]; t != nil {
		return t, nil
	}
	return nil, fmt.Errorf("type %q is not defined before it is used", name)
}

func (p *schemaParser) union(text json.RawMessage, namespace string) (*avroType, error) {
	var branches []json.RawMessage
	if err := json.Unmarshal(text, &branches); err != nil {
		return nil, err
	}
	t := &avroType{kind: avroUnion, null: -1}
	seen := map[string]bool{}
	var names []string
	for i, text := range branches {
		branch, err := p.parse(text, namespace)
		if err != nil {
			return nil, err
		}
		if branch.kind == avroUnion || seen[branch.name] {
			return nil, fmt.Errorf("a union holds %s", map[bool]string{true: "a union", false: branch.name + " twice"}[branch.kind == avroUnion])
		}
		if branch.kind == avroNull {
			t.null = i
		}
		seen[branch.name] = true
		names = append(names, branch.name)
		t.branches = append(t.branches, branch)
	}
	if len(branches) == 0 {
		return nil, errors.New("a union is empty")
	}
	t.name = "one of " + strings.Join(names, ", ")
	return t, nil
}

func (p *schemaParser) complex(s schemaText, namespace string) (*avroType, error) {
	var name string
	if json.Unmarshal(s.Type, &name) != nil {
		return p.parse(s.Type, namespace) // {"type": {...}} and {"type": [...]}
	}
	kind, ok := kindNames[name]
	if !ok {
		return p.reference(name, namespace)
	}
	t := &avroType{kind: kind, name: name}
	var err error
	switch kind {
	case avroArray, avroMap:
		text := s.Items
		if kind == avroMap {
			text = s.Values
		}
		if t.items, err = p.parse(text, namespace); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	case avroRecord, avroEnum, avroFixed:
		if err = p.define(t, s, namespace); err != nil {
			return nil, err
		}
	default: // nothing but its name
	}
	return t, t.setLogical(s)
}

// define parses a type that has a name of its own.
func (p *schemaParser) define(t *avroType, s schemaText, namespace string) error {
	full := s.Name
	switch i := strings.LastIndexByte(full, '.'); {
	case i >= 0:
		namespace = full[:i]
	case s.Namespace != nil:
		namespace = *s.Namespace
		fallthrough
	default:
		if namespace != "" {
			full = namespace + "." + full
		}
	}
	// Names of other letters than Avro's are taken, as avroio takes them.
	if full == "" || strings.HasSuffix(full, ".") {
		return fmt.Errorf("%s: %q is not a name", t.name, full)
	}
	if p.named[full] != nil {
		return fmt.Errorf("type %q is defined twice", full)
	}
	p.named[full] = t
	t.name = full
	t.index = map[string]int{}
	switch t.kind {
	case avroFixed:
		if s.Size == nil || *s.Size < 0 {
			return fmt.Errorf("fixed %s: it has no size", full)
		}
		t.size = *s.Size
	case avroEnum:
		t.symbols = s.Symbols
		for i, symbol := range s.Symbols {
			if _, twice := t.index[symbol]; twice {
				return fmt.Errorf("enum %s: symbol %q is there twice", full, symbol)
			}
			t.index[symbol] = i
		}
	case avroRecord:
		p.records = append(p.records, t)
		return p.fields(t, s, namespace)
	default: // no other type is named
	}
	return nil
}

func (p *schemaParser) fields(t *avroType, s schemaText, namespace string) error {
	if s.Fields == nil {
		return fmt.Errorf("record %s: it has no fields", t.name)
	}
	for i, f := range s.Fields {
		if _, twice := t.index[f.Name]; twice || f.Name == "" {
			return fmt.Errorf("record %s: field %q has no name, or is there twice", t.name, f.Name)
		}
		typ, err := p.parse(f.Type, namespace)
		if err != nil {
			return fmt.Errorf("record %s: field %s: %w", t.name, f.Name, err)
		}
		t.index[f.Name] = i
		t.fields = append(t.fields, avroField{name: f.Name, typ: typ, unset: f.Default})
	}
	for i, f := range s.Fields {
		for _, alias := range f.Aliases {
			if _, taken := t.index[alias]; !taken {
				t.index[alias] = i
			}
		}
	}
	return nil
}

// encodeDefaults checks the defaults and turns them into Avro. Defaults may rest on
// those of records inside, which is why all types must be known.
func (p *schemaParser) encodeDefaults() error {
	var errs []error
	for _, record := range p.records {
		for i := range record.fields {
			f := &record.fields[i]
			if f.unset == nil {
				continue
			}
			e := encoding{rules: rulesDefault, budget: scanBudget(len(f.unset))}
			e.value(f.typ, f.unset)
			if err := e.misfit(); err != nil {
				errs = append(errs, fmt.Errorf("record %s: default of field %s: %w", record.name, f.name, err))
			}
			f.encoded = append(make([]byte, 0, len(e.dst)), e.dst...)
		}
	}
	return errors.Join(errs...)
}
