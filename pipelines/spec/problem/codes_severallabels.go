package problem

// severalLabelCodes are about kinds with several labels, and labels with a type.
var severalLabelCodes = []Code{
	{
		ID: "T1440", Severity: SeverityError, Title: "label and labels of one kind",
		Cause: `label is the one label of a kind, which is called like the kind; labels are several,
each with a name of its own. A kind has one or the other.`,
		Bad: `
engagements:
  order: {inputs: orders/*.avro, view: view_id, time: ts, window: 1d, label: binary, labels: {value: {sum: price}}}`,
		Good: `
engagements:
  order: {inputs: orders/*.avro, view: view_id, time: ts, window: 1d, labels: {bought: binary, value: {sum: price}}}`,
	},
	{
		ID: "T1441", Severity: SeverityError, Title: "name that a label cannot have",
		Cause: `Labels are fields of samples, whose names are small letters, digits and _,
beginning with a letter.`,
		Bad: `
engagements:
  order: {inputs: orders/*.avro, view: view_id, time: ts, window: 1d, labels: {firstPrice: {first: price}}}`,
		Good: `
engagements:
  order: {inputs: orders/*.avro, view: view_id, time: ts, window: 1d, labels: {first_price: {first: price}}}`,
	},
	{
		ID: "T1442", Severity: SeverityError, Title: "reserved word as the name of a label",
		Cause: `The name is a field of samples, or a value such as true or null in YAML: where
samples are filtered or shown it would be unclear which is meant.`,
		Bad: `
engagements:
  order: {inputs: orders/*.avro, view: view_id, time: ts, window: 1d, labels: {positive: binary}}`,
		Good: `
engagements:
  order: {inputs: orders/*.avro, view: view_id, time: ts, window: 1d, labels: {bought: binary}}`,
	},
	{
		ID: "T1443", Severity: SeverityError, Title: "two labels of one name",
		Cause: `The labels of all kinds are the fields of one record, labels. A kind with label, or
without one, has a label that is called like the kind; and no label is called like
another kind, as delays are by kind.`,
		Bad: `
engagements:
  cart: {inputs: carts/*.avro, view: view_id, time: ts, window: 1d, labels: {many: count}}
  order: {inputs: orders/*.avro, view: view_id, time: ts, window: 1d, labels: {many: count, value: {sum: price}}}`,
		Good: `
engagements:
  cart: {inputs: carts/*.avro, view: view_id, time: ts, window: 1d, labels: {carts: count}}
  order: {inputs: orders/*.avro, view: view_id, time: ts, window: 1d, labels: {orders: count, value: {sum: price}}}`,
	},
	{
		ID: "T1444", Severity: SeverityError, Title: "type of a label that is always of one",
		Cause: `first and last carry a value of any type, and may be given one: text for Parquet, say.
The other labels are numbers of their own: a sum is a double, whatever is added up.`,
		Bad: `
engagements:
  order: {inputs: orders/*.avro, view: view_id, time: ts, window: 1d, label: {sum: {field: price, type: long}}}`,
		Good: `
engagements:
  order: {inputs: orders/*.avro, view: view_id, time: ts, window: 1d, label: {sum: price}}`,
	},
}
