package format

// Values is a Format of the values of a topic's records.
type Values interface {
	Format
	// Schemas says that values are Avro records, all of the topic's schema or each of the one that the
	// number before it names in a registry. Otherwise Record makes text of them.
	Schemas() bool
	// Record returns the record in a value, the text of a JSON object; it may be value itself. The error
	// says why there is none.
	Record(value []byte) ([]byte, error)
}

// Registered is a Values whose values may name the schema that they were written with in a registry.
type Registered interface {
	Values
	// SchemaType is what registries call schemas of the format.
	SchemaType() string
	// Alone says that values can be read without the registry, too.
	Alone() bool
}
