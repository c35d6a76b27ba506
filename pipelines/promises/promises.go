// Package promises is the page on what holds when: each promise, its condition, its limits and the
// tests that show it.
package promises

import _ "embed"

//go:embed promises.md
var page string

// Page returns the page, in Markdown.
func Page() string { return page }
