package job

import _ "embed"

// Pages for users and developers, in Markdown; "tributary help" shows them.
var (
	// FilesPage is about joins of files, and of topics that end.
	//go:embed files.md
	FilesPage string

	// StreamsPage is about joins of topics as they go on.
	//go:embed streams.md
	StreamsPage string

	// ValuesPage is about what ids, numbers and conditions are equal to.
	//go:embed values.md
	ValuesPage string
)
