package report

// Count writes a count as reports do: 1,234,567.
func Count(n int64) string { return grouped(n) }

// Share writes part of whole as reports do, so that a little is not 0 %, nor nearly all 100 %.
func Share(part, whole int64) string { return percent(part, whole) }

// Size writes a number of bytes as reports do: 1.5 KiB.
func Size(n int64) string { return size(n) }
