package parquet

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/parquet-go/parquet-go/deprecated"
	meta "github.com/parquet-go/parquet-go/format"
)

// tree is how columns of a file make up an Avro record, or a part of one.
type tree struct {
	name string
	kind treeKind
	// nullable is optional, repeated a field that comes any number of times.
	nullable, repeated bool
	below              []*tree // the fields of a record, the item of a list, the key and value of a map
	encode             encodeValue
	physical           meta.Type // of a leaf
	// first is its first column, end the one behind its last. def and rep are the levels of what is there.
	first, end int
	def, rep   int
	// itemDef and itemRep are the levels of an item of a list or map.
	itemDef, itemRep int
	// avro is its Avro type, without null.
	avro any
	// refused says why it cannot be read, with its path.
	refused error
}

type treeKind uint8

const (
	treeLeaf treeKind = iota
	treeRecord
	treeList
	treeMap
)

// maxDepth bounds groups within groups, maxElements columns and groups: a footer may say anything.
const maxDepth, maxElements = 64, 100_000

// rowName is the name of the Avro record that a row becomes, and the namespace of those within it.
const rowName = "row"

// treeOf lays out the schema of a file. The error says that it is none.
func treeOf(elements []meta.SchemaElement) (*tree, error) {
	if len(elements) == 0 || len(elements) > maxElements {
		return nil, fmt.Errorf("its schema has %d elements", len(elements))
	}
	p := &treeParser{rest: elements[1:]}
	root := &tree{name: rowName, kind: treeRecord}
	if err := p.fields(root, &elements[0], 0); err != nil {
		return nil, err
	}
	if len(p.rest) > 0 {
		return nil, fmt.Errorf("%d elements follow its schema", len(p.rest))
	}
	root.end = p.column
	root.fieldsOfRecord()
	names := namer{}
	names.fields(root, []string{rowName}, nil)
	return root, nil
}

type treeParser struct {
	rest   []meta.SchemaElement
	column int
}

func (p *treeParser) fields(t *tree, group *meta.SchemaElement, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("its groups lie more than %d deep", maxDepth)
	}
	for range group.NumChildren.V {
		below, err := p.next(t, depth)
		if err != nil {
			return err
		}
		t.below = append(t.below, below)
	}
	return nil
}

// next lays out the next element, in the group t, and all below it.
func (p *treeParser) next(in *tree, depth int) (*tree, error) {
	if len(p.rest) == 0 {
		return nil, errors.New("its schema ends in the middle of a group")
	}
	e := &p.rest[0]
	p.rest = p.rest[1:]
	t := &tree{name: e.Name, first: p.column, def: in.def, rep: in.rep}
	switch e.RepetitionType.V {
	case meta.Optional:
		t.nullable = true
		t.def++
	case meta.Repeated:
		t.repeated = true
		t.def, t.rep = t.def+1, t.rep+1
	default: // required
	}
	if e.Type.Valid {
		p.column++
		t.leaf(e)
	} else {
		if err := p.fields(t, e, depth+1); err != nil {
			return nil, err
		}
		t.group(e)
	}
	t.end = p.column
	return t, nil
}

// group decides what a group is whose fields are there.
func (t *tree) group(e *meta.SchemaElement) {
	t.kind = treeRecord
	_, list := e.LogicalType.Value.(*meta.ListType)
	_, pairs := e.LogicalType.Value.(*meta.MapType)
	converted := e.ConvertedType.V
	list = list || e.ConvertedType.Valid && converted == deprecated.List
	pairs = pairs || e.ConvertedType.Valid && (converted == deprecated.Map || converted == deprecated.MapKeyValue)
	if other := e.LogicalType.Value; other != nil && !list && !pairs {
		t.refuse("%s", other)
		return
	}
	if (list || pairs) && len(t.below) == 1 && t.below[0].repeated {
		one := t.below[0]
		t.itemDef, t.itemRep = one.def, one.rep
		switch {
		case pairs && one.kind == treeRecord && len(one.below) == 2:
			key := one.below[0]
			if key.nullable || key.repeated || key.kind != treeLeaf || key.avro != "string" {
				t.refuse("a map whose keys are not text")
			}
			t.kind, t.below = treeMap, one.below
			one.below[1].asField(t)
			return
		case list:
			t.kind, t.below = treeList, []*tree{one}
			// Old writers have no group around an item; one around it has the item alone.
			if one.kind == treeRecord && len(one.below) == 1 && !one.below[0].repeated && one.name != "array" && one.name != t.name+"_tuple" {
				t.below[0] = one.below[0]
			} else {
				one.repeated = false
				if one.kind == treeRecord {
					one.fieldsOfRecord()
				}
			}
			return
		}
	}
	t.fieldsOfRecord()
}

// fieldsOfRecord has repeated fields be lists.
func (t *tree) fieldsOfRecord() {
	for i, f := range t.below {
		t.below[i] = f.listed(t)
	}
}

// asField has the value of a map be a list if it is repeated.
func (t *tree) asField(in *tree) {
	if t.repeated {
		in.below[1] = t.listed(in)
	}
}

// listed is the list of a repeated field, in a group; the field itself if it is none.
func (t *tree) listed(in *tree) *tree {
	if !t.repeated {
		return t
	}
	t.repeated = false
	return &tree{name: t.name, kind: treeList, below: []*tree{t}, first: t.first, end: t.end, def: in.def, rep: in.rep, itemDef: t.def, itemRep: t.rep}
}

func (t *tree) refuse(format string, args ...any) {
	if t.refused == nil {
		t.refused = fmt.Errorf("%s is not read", fmt.Sprintf(format, args...))
	}
}

// namer gives the records of a file their names, each once.
type namer map[string]bool

// name makes one of a path: that of the record without namespace is the last of it.
func (n namer) name(path []string) string {
	clean := make([]string, len(path))
	for i, part := range path {
		clean[i] = strings.Map(func(r rune) rune {
			if r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
				return r
			}
			return '_'
		}, part)
		if clean[i] == "" || clean[i][0] <= '9' {
			clean[i] = "_" + clean[i]
		}
	}
	base := strings.Join(clean, ".")
	name := base
	for i := 2; n[name]; i++ {
		name = base + "_" + strconv.Itoa(i)
	}
	n[name] = true
	return name
}

// fields sets the types of the fields of a record, and notes which of them cannot be read, each with its path.
func (n namer) fields(t *tree, path, fields []string) {
	seen := map[string]*tree{}
	for _, f := range t.below {
		n.set(f, append(path[:len(path):len(path)], f.name), append(fields[:len(fields):len(fields)], f.name))
		if before := seen[f.name]; before != nil {
			before.refused = fmt.Errorf("%s: two columns have this name", strings.Join(append(fields[:len(fields):len(fields)], f.name), "."))
			f.refused = before.refused
		}
		seen[f.name] = f
	}
}

// set sets the type of a tree and all below it. path is that of its name, fields that of its field.
func (n namer) set(t *tree, path, fields []string) {
	if t.refused != nil {
		t.refused = fmt.Errorf("%s: %w", strings.Join(fields, "."), t.refused)
		return
	}
	below := func(name string, sub *tree) any {
		n.set(sub, append(path[:len(path):len(path)], name), append(fields[:len(fields):len(fields)], name))
		t.refused = errors.Join(t.refused, sub.refused)
		return sub.avroType()
	}
	switch t.kind {
	case treeRecord:
		name := n.name(path)
		if len(t.below) == 0 {
			t.refused = fmt.Errorf("%s: a group without fields is not read", strings.Join(fields, "."))
			return
		}
		n.fields(t, path, fields)
		for _, f := range t.below {
			t.refused = errors.Join(t.refused, f.refused)
		}
		t.avro = recordOf(name, t.below)
	case treeList:
		t.avro = map[string]any{"type": "array", "items": below("item", t.below[0])}
	case treeMap:
		t.avro = map[string]any{"type": "map", "values": below("value", t.below[1])}
	default:
		if fixed, ok := t.avro.(map[string]any); ok && fixed["type"] == "fixed" {
			fixed["name"] = n.name(path)
		}
	}
}

func recordOf(name string, below []*tree) map[string]any {
	fields := []any{}
	for _, f := range below {
		field := map[string]any{"name": f.name, "type": f.avroType()}
		if f.nullable {
			field["default"] = nil
		}
		fields = append(fields, field)
	}
	return map[string]any{"type": "record", "name": name, "fields": fields}
}

func (t *tree) avroType() any {
	if t.nullable {
		return []any{"null", t.avro}
	}
	return t.avro
}
