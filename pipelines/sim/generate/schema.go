package generate

import (
	"fmt"
	"strings"
)

// schemaTexts are the Avro schemas of what is written.
type schemaTexts struct {
	views, engagements [2]string // the newer and the older form
	truth              string
}

// newSchemas returns the schemas for c. Join fields are nullable only if malformed
// records need it: a null costs every record a byte.
func newSchemas(c *Config) schemaTexts {
	id, ts := `"string"`, `{"type":"long","logicalType":"timestamp-millis"}`
	viewTime := ""
	if c.ViewTime {
		viewTime = `{"name":"view_ts","type":` + ts + `},`
	}
	if c.Malformed > 0 {
		id, ts = `["null",`+id+`]`, `["null",`+ts+`]`
	}
	head := `{"type":"record","name":"%s","namespace":"tributary.made","fields":[{"name":"view_id","type":` + id + `},`
	view, engagement := fmt.Sprintf(head, "View"), fmt.Sprintf(head, "Engagement")
	var s schemaTexts
	s.views[0] = view + `{"name":"user_id","type":"long"},{"name":"post_id","type":"long"},{"name":"ts","type":` + ts + `},` +
		`{"name":"surface","type":"string","default":"unknown"},{"name":"pos","type":"int"},` +
		`{"name":"features","type":{"type":"array","items":"float"}}]}`
	// The older program knew no surfaces, and had users enough in an int.
	s.views[1] = view + `{"name":"pos","type":"int"},{"name":"user_id","type":"int"},{"name":"post_id","type":"long"},` +
		`{"name":"ts","type":` + ts + `},{"name":"features","type":{"type":"array","items":"float"}}]}`
	s.engagements[0] = engagement + viewTime + `{"name":"kind","type":"string"},{"name":"ts","type":` + ts + `},` +
		`{"name":"amount","type":"double"},{"name":"event_id","type":"string"}]}`
	// Here amounts were floats, and the event's id stood elsewhere.
	s.engagements[1] = engagement + viewTime + `{"name":"event_id","type":"string"},{"name":"kind","type":"string"},` +
		`{"name":"ts","type":` + ts + `},{"name":"amount","type":"float"}]}`
	s.truth = truthSchema(c.Kinds)
	return s
}

// truthSchema is the schema of the truth: one record for each view that must become a
// sample, in order of (view_time, view_id).
func truthSchema(kinds []Kind) string {
	var labels strings.Builder
	for i, k := range kinds {
		label := `"Label"`
		if i == 0 {
			label = `{"type":"record","name":"Label","fields":[{"name":"count","type":"long"},` +
				`{"name":"sum_amount","type":"double"},{"name":"delay_ms","type":["null","long"]}]}`
		} else {
			labels.WriteByte(',')
		}
		fmt.Fprintf(&labels, `{"name":%q,"type":%s}`, k.Name, label)
	}
	return `{"type":"record","name":"Truth","namespace":"tributary.made","fields":[{"name":"view_id","type":"string"},` +
		`{"name":"view_time","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"positive","type":"boolean"},` +
		`{"name":"pos","type":"int"},{"name":"labels","type":{"type":"record","name":"Labels","fields":[` + labels.String() + `]}}]}`
}
