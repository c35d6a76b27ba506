// Package reading is the page on how others read samples: Python, Spark and DuckDB.
package reading

import _ "embed"

//go:embed reading.md
var page string

// Page returns the page, in Markdown.
func Page() string { return page }
