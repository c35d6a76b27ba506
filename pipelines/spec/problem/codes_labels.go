package problem

// labelCodes are about kinds of engagement and their labels.
var labelCodes = []Code{
	{
		ID: "T1301", Severity: SeverityError, Title: "name that a kind cannot have",
		Cause: `Kinds become fields of samples, whose names are small letters, digits and _,
beginning with a letter.`,
		Bad: `
engagements:
  addToCart: {inputs: carts/*.avro, view: view_id, time: ts, window: 30m}`,
		Good: `
engagements:
  add_to_cart: {inputs: carts/*.avro, view: view_id, time: ts, window: 30m}`,
	},
	{
		ID: "T1302", Severity: SeverityError, Title: "reserved word as the name of a kind",
		Cause: `The name is a field of samples, or a value such as true or null in YAML: where
samples are filtered or shown it would be unclear which is meant.`,
		Bad: `
engagements:
  view: {inputs: detail/*.avro, view: view_id, time: ts, window: 30m}`,
		Good: `
engagements:
  detail_view: {inputs: detail/*.avro, view: view_id, time: ts, window: 30m}`,
	},
	{
		ID: "T1303", Severity: SeverityError, Title: "label with a field too many or too few",
		Cause: `binary, count and time_to_first look at the engagements themselves and take no
field; sum, min, max, first and last take the field whose values they look at. A
label has one function: several labels of a kind have names, in labels.`,
		Bad: `
engagements:
  order: {inputs: orders/*.avro, view: view_id, time: ts, window: 1d, label: sum}`,
		Good: `
engagements:
  order: {inputs: orders/*.avro, view: view_id, time: ts, window: 1d, label: {sum: price}}`,
	},
	{
		ID: "T1304", Severity: SeverityWarning, Title: "count that the label does not go with",
		Cause: `count: first or last lets one engagement count. A count is 0 or 1 then, and
the first of one engagement is also its last.`,
		Bad: `
engagements:
  like: {inputs: likes/*.avro, view: view_id, time: ts, window: 30m, label: count, count: first}`,
		Good: `
engagements:
  like: {inputs: likes/*.avro, view: view_id, time: ts, window: 30m, label: count, count: all}`,
	},
}
