package spec

import "tributary/io/record"

// matching is the schema of text of a form.
func matching(pattern string) object { return object{{"type", "string"}, {"pattern", pattern}} }

// unlike is the schema of what does not match a pattern.
func unlike(pattern string) object { return object{{"not", object{{"pattern", pattern}}}} }

// definitions are the types of values that the JSON Schema has under names.
var definitions = object{
	{"text", matching(`\S`)},
	{"duration", matching(durationPattern).with(member{"examples", []string{"10s", "30m", "1d12h"}})},
	{"length", object{{"allOf", []any{ref("duration"), object{{"pattern", "[1-9]"}}}}}},
	{"field", append(
		object{{"description", `The path of a field: names with dots between them, user.id for the id of the user. A name that holds a dot or a double quote stands in double quotes, with each quote in it twice, within the quotes of YAML: '"event.id"'.`}},
		append(matching(fieldPattern), unlike(record.ForeignPattern)...)...,
	)},
	{"time", object{{"anyOf", []any{ref("field"), timeSection.schema()}}}},
	// A path, here, on gs://, s3:// or az://, without what is secret.
	{"place", ref("text").with(member{"allOf", []any{
		object{{"anyOf", []any{object{{"pattern", bucketPattern}}, unlike("://")}}},
		unlike(`^~|\$`),
		unlike(`://[^/\s'",\[\]{}]*@`),
		unlike(`://.*[?&](access_token|token|sig|signature|key|secret|password|googleaccessid|[Xx]-[Gg]oog-[A-Za-z-]+)=`),
	}})},
	{"files", ref("place").with(member{"allOf", []any{unlike("/$"), unlike(devices), object{{"not", ref("unread_ending")}}}})},
	{"unread_ending", object{{"pattern", unreadEndings}}},
	{"known_ending", object{{"pattern", knownEnding()}}},
	{"known_file", ref("files").with(member{"allOf", []any{ref("known_ending")}})},
	{"schema_file", ref("place").with(member{"pattern", `^[^*?\[{]*\.(avsc|json)$`})},
	{"inputs", object{
		{"description", "Files or topics: a path or pattern, or a list of paths and mappings."},
		{"anyOf", []any{ref("known_file"), object{{"type", "array"}, {"minItems", 1}, {"items", ref("input")}}}},
	}},
	{"input", object{{"anyOf", []any{ref("known_file"), fileSection.schema(), topicSection.schema()}}}},
	{"folder", ref("place").with(member{"allOf", []any{
		unlike(`[*?\[\]{}]`),
		object{{"not", ref("known_ending")}},
		object{{"not", ref("unread_ending")}},
		object{{"not", oneOf(".", "..", "/", "./", "../", Standard)}},
		unlike(devices),
	}})},
	{"samples_folder", object{{"anyOf", []any{ref("folder"), object{{"const", Standard}}}}}},
	{"samples", object{{"anyOf", []any{ref("samples_folder"), samplesSection.schema(), samplesTopicSection.schema()}}}},
	{"topic", object{{"type", "string"}, {"minLength", 1}, {"maxLength", longestTopic}, {"pattern", topicPattern}}},
	{"output_topic", outputTopicSection.schema()},
	{"output", object{{"anyOf", []any{ref("folder"), ref("output_topic")}}}},
	{"only_avro_framed", object{
		{"if", object{{"properties", object{{"format", object{{"const", JSON}}}}}, {"required", []string{"format"}}}},
		{"then", object{{"properties", object{{"registry", object{{"not", object{{"const", true}}}}}}}}},
	}},
	{"job", matching(streamPattern)},
	{"small_file", ref("text").with(unlike("^~|\\$|://|-----BEGIN|\n")...)},
	{"secret", secretSection.schema()},
	{"token", tokenSection.schema()},
	{"user", object{{"anyOf", []any{ref("text"), ref("secret")}}}},
	{"command", object{{"type", "array"}, {"minItems", 1}, {"items", ref("text")}}},
	{"tls", object{{"anyOf", []any{object{{"type", "boolean"}}, tlsSection.schema()}}}},
	{"records", object{{"type", "array"}, {"items", object{{"type", "object"}}}}},
}
