package metrics

import _ "embed"

// dashboard is built by a test: the library that knows Grafana's form is not linked into the command.
//
//go:embed dashboard.json
var dashboardJSON []byte

// Dashboard is the dashboard for Grafana, as JSON to import.
func Dashboard() []byte { return dashboardJSON }
