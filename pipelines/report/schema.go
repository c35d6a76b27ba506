package report

import (
	_ "embed"
	"encoding/json"
	"regexp"
	"strings"

	"tributary/transforms/account"
)

//go:embed report.schema.json
var schema string

// placeholder is a line of the schema that stands for what the tables of counts and rules say: as a
// property, {views}: {}, for the counts of a subject; as an element of a list for their keys.
var placeholder = regexp.MustCompile(`(?m)^( *)"\{(\w+)\}"(: \{\})?(,?)\n`)

var subjects = map[string]account.Subject{"views": account.OfViews, "engagements": account.OfEngagements, "input": account.OfInput, "stage": account.OfStage}

// Schema returns the JSON Schema (draft 2020-12) of what JSON writes.
func Schema() []byte {
	return []byte(placeholder.ReplaceAllStringFunc(schema, func(line string) string {
		parts := placeholder.FindStringSubmatch(line)
		indent, name, isProperty, comma := parts[1], parts[2], parts[3] != "", parts[4]
		lines := listed(name)
		if isProperty {
			lines = described(subjects[name])
		}
		return indent + strings.ReplaceAll(strings.Join(lines, ",\n"), "\n", "\n"+indent) + comma + "\n"
	}))
}

// listed are the codes of rules, or the keys of counts that are always there.
func listed(name string) (lines []string) {
	if name == "codes" {
		for _, r := range rules() {
			lines = append(lines, quoted(r.code))
		}
		return lines
	}
	for _, row := range account.Table() {
		if use := row.In(subjects[name]); use != nil && !use.Optional {
			lines = append(lines, quoted(row.Key))
		}
	}
	return lines
}

// described are the counts of a subject as properties.
func described(s account.Subject) (lines []string) {
	for _, row := range account.Table() {
		if use := row.In(s); use != nil {
			lines = append(lines, quoted(row.Key)+": {\n  \"description\": "+quoted(use.Doc)+",\n  \"type\": \"integer\",\n  \"minimum\": 0\n}")
		}
	}
	return lines
}

func quoted(text string) string {
	out, _ := json.Marshal(text) // strings always can be
	return string(out)
}
