package spec

// ordering is the order of an input; the fields are set for OrderField only.
type ordering struct {
	order             Order
	partition, offset string
}

// orderType is none, file, or the fields with partition and offset.
var orderType = valueType[ordering]{
	about: about{
		what: "a word or a mapping", words: []string{string(OrderNone), string(OrderFile)}, inner: []*section{orderSection},
		schema: object{{"anyOf", []any{oneOf(string(OrderNone), string(OrderFile)), orderSection.schema()}}},
	},
	read: (*reader).order,
	inline: func(o ordering) string {
		if o.order == OrderField {
			return orderSection.inline(&o)
		}
		return string(o.order)
	},
}

var orderSection = &section{
	name: "order",
	keys: []key{
		{
			name: "partition", example: "log.partition",
			doc:   "The field with the partition of the log.",
			value: at(fieldType, func(o *ordering) *string { return &o.partition }),
		},
		{
			name: "offset", example: "log.offset",
			doc:   "The field with the offset in the partition.",
			value: at(fieldType, func(o *ordering) *string { return &o.offset }),
		},
	},
	rules: []any{object{{"required", []string{"partition", "offset"}}}},
}

func (r *reader) order(n *node, at dotted, above *fields) ordering {
	allowed := []string{string(OrderNone), string(OrderFile), "{partition: FIELD, offset: FIELD}"}
	if n.kind != mapKind {
		text := r.text(n, at)
		if text != "" && text != string(OrderNone) && text != string(OrderFile) {
			r.add(r.notAllowed(n, at, text, allowed))
		}
		if text != string(OrderFile) {
			return ordering{order: OrderNone}
		}
		return ordering{order: OrderFile}
	}
	o := ordering{order: OrderField}
	f := orderSection.read(r, n, at, above, &o)
	for _, key := range orderSection.keys {
		if v, vAt := f.get(key.name); v == nil {
			p := r.problem("T1106", n, vAt, "the order of records needs both partition and offset, %s is missing", key.name)
			p.Allowed, p.Hint = allowed, "for example `order: {partition: partition, offset: offset}`"
			r.add(p)
		}
	}
	if o.partition != "" && o.partition == o.offset {
		v, vAt := f.get("offset")
		p := r.problem("T1108", v, vAt, "partition and offset are the same field")
		p.Hint = "name the two fields that say where the record stood in the log"
		r.add(p)
	}
	return o
}
