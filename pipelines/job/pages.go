package job

import _ "embed"

// Pages for users and developers, in Markdown; "tributary help" shows them.
var (
	// FilesPage is about joins of files, and of topics that end.
	//go:embed files.md
	FilesPage string

	// OutputsPage is about every record of every file and topic that a join writes.
	//go:embed outputs.md
	OutputsPage string

	// StreamsPage is about joins of topics as they go on.
	//go:embed streams.md
	StreamsPage string

	// ValuesPage is about what ids, numbers and conditions are equal to.
	//go:embed values.md
	ValuesPage string

	// WeightsPage is about training on samples of stages: recipes, their formulas, and what is biased without.
	//go:embed weights.md
	WeightsPage string

	// WayPage is the way of a record from its source to its sample, with the encodings it has meanwhile.
	//go:embed way.md
	WayPage string
)
