package metrics

import (
	"fmt"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// rulesFile is a file of rules as Prometheus reads it.
type rulesFile struct {
	Groups []rulesGroup `yaml:"groups"`
}

type rulesGroup struct {
	Name  string `yaml:"name"`
	Rules []rule `yaml:"rules"`
}

type rule struct {
	Alert       string      `yaml:"alert"`
	Expr        string      `yaml:"expr"`
	For         string      `yaml:"for,omitempty"`
	Labels      labels      `yaml:"labels"`
	Annotations annotations `yaml:"annotations"`
}

type labels struct {
	Severity string `yaml:"severity"`
}

type annotations struct {
	Summary     string `yaml:"summary"`
	Description string `yaml:"description"`
	Runbook     string `yaml:"runbook"`
}

// Rules are the alerts as a file of rules for Prometheus.
func Rules() []byte {
	group := rulesGroup{Name: "tributary"}
	for _, a := range Alerts {
		r := rule{
			Alert: a.Name, Expr: a.Expr, Labels: labels{a.Severity},
			Annotations: annotations{Summary: a.Summary, Description: a.Means, Runbook: "tributary help alerts, " + a.Name},
		}
		if a.For > 0 {
			r.For = fmt.Sprintf("%dm", a.For/time.Minute)
		}
		group.Rules = append(group.Rules, r)
	}
	text, err := yaml.Marshal(rulesFile{[]rulesGroup{group}})
	if err != nil {
		panic(fmt.Sprintf("metrics: the rules as YAML: %v", err)) // of constants
	}
	return append([]byte("# Alert rules of tributary, as `tributary metrics --rules` prints them. `tributary help alerts` has what to do.\n"), text...)
}

// Playbooks are what to do when an alert comes, as a page.
func Playbooks() string {
	var b strings.Builder
	b.WriteString("Alerts for Prometheus: \"tributary metrics --rules\" prints the rules. Each with what it means,\nhow to look, and what to do; the gravest first.\n")
	for _, a := range Alerts {
		after := "at once"
		if a.For > 0 {
			after = fmt.Sprintf("after %d minutes", a.For/time.Minute)
			if a.For == time.Minute {
				after = "after a minute"
			}
		}
		fmt.Fprintf(&b, "\n%s (%s, %s)\n\n  %s\n", a.Name, a.Severity, after, a.Expr)
		for _, part := range []struct {
			title string
			items []string
		}{{"What it means", []string{a.Means}}, {"How to look", a.Look}, {"What to do", a.Do}} {
			fmt.Fprintf(&b, "\n  %s\n", part.title)
			for _, item := range part.items {
				fmt.Fprintf(&b, "    - %s\n", wrap(item, 86, "      "))
			}
		}
	}
	return b.String()
}
