package draft

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"tributary/io/record"
	"tributary/pipelines/report"
	"tributary/pipelines/spec"
)

// writer writes the guess as a spec.
type writer struct {
	join   *joined
	opt    Options
	folder string
	b      strings.Builder
	open   []string
	used   map[string]bool // names of kinds
}

// commentAt is the column at which comments begin, if the line is no longer.
const commentAt = 34

// line writes a line of the spec with a comment, if there is one.
func (w *writer) line(text, comment string, args ...any) {
	if comment == "" {
		w.b.WriteString(text + "\n")
		return
	}
	comment = report.Harmless(fmt.Sprintf(comment, args...))
	fmt.Fprintf(&w.b, "%-*s # %s\n", commentAt-1, text, comment)
}

func (w *writer) write(ctx context.Context, files int) ([]byte, error) {
	w.line(fmt.Sprintf("# Guessed from %s, up to %s records of each. Look at each line; what it was guessed", report.Number(int64(files), "file"), report.Count(int64(w.opt.Records))), "")
	w.line("# by stands beside it. Then: tributary check SPEC --inputs, and tributary join SPEC.", "")
	w.line("version: 1", "")
	w.line("views:", "")
	if err := w.inputs(ctx, "  ", append([]*group{w.join.views}, w.join.also...)...); err != nil {
		return nil, err
	}
	w.views()
	if id := w.join.viewID; len(id) > 0 {
		w.line("  id: "+idText(id), "%s", w.whyID())
	} else {
		w.blank("  ", "views.id", "id", w.join.views)
	}
	if len(w.join.key) > 0 {
		w.line("  key: "+idText(w.join.key), "%s", w.join.whyKey())
	}
	w.time("  ", "views", w.join.views)
	w.line("engagements:", "")
	for i := range w.join.engagements {
		if err := w.engagements(ctx, &w.join.engagements[i]); err != nil {
			return nil, err
		}
	}
	w.common()
	w.line("outputs:", "")
	w.line("  samples: out/samples", "a folder; late, dead letters and accounts are beside it")
	return []byte(w.b.String()), nil
}

// views writes which records of a log are views.
func (w *writer) views() {
	v := w.join.views
	if v.only == nil {
		return
	}
	w.where("  ", v, v.only.column, kind{value: v.only.values[0], count: v.profile.Records})
	if len(v.only.others) > 0 {
		w.line(fmt.Sprintf("  # Neither views nor engagements, by their names: %s.", report.Harmless(strings.Join(v.only.others, ", "))), "")
	}
}

// where writes which records are of a kind.
func (w *writer) where(indent string, g *group, column string, k kind) {
	w.line(fmt.Sprintf("%swhere: {%s: %s}", indent, spec.Quote(column), spec.Quote(k.value)), "%s of %s records", report.Count(k.count), report.Count(g.looked()))
}

// blank is a line that a person has to fill in.
func (w *writer) blank(indent, place, key string, g *group) {
	w.open = append(w.open, place)
	// A name for each: an id and a time may not be the same field.
	w.line(indent+key+": "+Blank+"_"+strings.ToUpper(key), "one of %s", fieldNames(g))
}

func (w *writer) inputs(ctx context.Context, indent string, groups ...*group) error {
	w.line(indent+"inputs:", "")
	for _, g := range groups {
		patterns, err := g.patterns(ctx)
		if err != nil {
			return err
		}
		for i, p := range patterns {
			comment := ""
			if i == 0 {
				comment = fmt.Sprintf("%s, records looked at: %s", report.Number(int64(len(g.files)), "file"), report.Count(g.looked()))
			}
			if !strings.Contains(p, "://") && !filepath.IsAbs(p) {
				if p, err = filepath.Rel(w.folder, p); err != nil {
					return fmt.Errorf("a path from the spec's folder: %w", err)
				}
			}
			text := spec.Quote(p)
			if !g.told || g.delimiter != "" {
				text = "path: " + text
				if !g.told {
					text += ", format: " + g.format.Name()
				}
				if g.delimiter != "" {
					text += ", delimiter: " + string(g.delimiter)
				}
				text = "{" + text + "}"
			}
			w.line(indent+"  - "+text, "%s", comment)
		}
	}
	return nil
}

// idText is an id as a spec has it: a field, or several in brackets.
func idText(fields []string) string {
	if len(fields) == 1 {
		return spec.Quote(fields[0])
	}
	quoted := make([]string, len(fields))
	for i, f := range fields {
		quoted[i] = spec.Quote(f)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

func (w *writer) whyID() string {
	if len(w.join.key) > 0 {
		if w.join.apart > 0 {
			return fmt.Sprintf("together they tell %.1f %% of views apart, as no field alone does; no engagement names it", 100*w.join.apart)
		}
		return "its own, by its name; no engagement names it"
	}
	var by []string
	for _, e := range w.join.engagements {
		if e.found > 0 {
			by = append(by, fmt.Sprintf("%.0f %% of %s in %s are ids of these views", 100*e.found, strings.Join(e.view, " and "), e.called()))
		}
	}
	if len(w.join.viewID) > 1 {
		by = append(by, "none of these fields alone tells views apart")
	}
	if len(by) == 0 {
		return "by its name: no id of an engagement is among the records looked at"
	}
	return strings.Join(by, ", ")
}

// time writes the time field of a group.
func (w *writer) time(indent, place string, g *group) {
	t := g.time
	if t == nil {
		w.blank(indent, place+".time", "time", g)
		return
	}
	comment := t.why
	if len(t.others) > 0 {
		comment += "; not " + strings.Join(t.others, ", ")
	}
	if how := t.written; how != nil {
		text := "{field: " + spec.Quote(t.path)
		if how.pattern != "" {
			text += ", pattern: " + strconv.Quote(how.pattern)
		}
		if how.zone != "" {
			text += ", zone: " + how.zone
		}
		w.line(indent+"time: "+text+"}", "%s", comment)
		return
	}
	if t.unit == record.UnitAuto || t.unit == record.UnitRFC3339 {
		w.line(indent+"time: "+spec.Quote(t.path), "%s", comment)
		return
	}
	w.line(fmt.Sprintf("%stime: {field: %s, unit: %s}", indent, spec.Quote(t.path), t.unit), "%s", comment)
}

func (w *writer) engagements(ctx context.Context, e *engagements) error {
	if len(e.passed) > 0 {
		w.line(fmt.Sprintf("  # No kind was made of %s %s.", report.Harmless(e.column), report.Harmless(strings.Join(e.passed, ", "))), "")
	}
	for _, k := range e.kinds {
		name := k.name
		for n := 2; w.used[name]; n++ {
			name = k.name + "_" + strconv.Itoa(n)
		}
		w.used[name] = true
		place := "engagements." + name
		w.line("  "+name+":", "")
		if err := w.inputs(ctx, "    ", e.group); err != nil {
			return err
		}
		if e.column != "" {
			w.where("    ", e.group, e.column, k)
		}
		switch {
		case len(e.key) > 0:
			w.line("    key: "+idText(e.key), "")
			w.line("    credit: last", "for the last view with its key before it; or first, all, even: tributary help values")
		case len(e.view) > 0:
			w.line("    view: "+idText(e.view), "")
		default:
			w.blank("    ", place+".view", "view", e.group)
		}
		w.time("    ", place, e.group)
		if e.id != "" {
			w.line("    id: "+spec.Quote(e.id), "its own, so that a resent one counts once")
		}
		window, within, seen := w.join.window(cmp.Or(k.only, e.group))
		if seen > 0 {
			w.line("    window: "+spec.FormatDuration(window), "99 %% of %s come within %s", report.Number(int64(seen), "engagement"), spec.FormatDuration(roundUp(within)))
		} else {
			w.line("    window: "+spec.FormatDuration(window), "a guess: no delay could be seen")
		}
		if before, by := w.join.early(e.group); before > 0 {
			w.line(fmt.Sprintf("    # %s of %s come before their view, most of them by %s: look at the zones of times.",
				report.Count(int64(before)), report.Number(int64(len(w.join.measured.delays[e.group])), "engagement"), spec.FormatDuration(by)), "")
		}
		if field := e.amount(); field != "" {
			w.line("    # label: {sum: "+spec.Quote(field)+"}", "instead of 0 or 1")
		}
	}
	return nil
}

// common writes what all kinds share.
func (w *writer) common() {
	if measured := w.join.measured.behind; len(w.join.key) > 0 && measured > windows[len(windows)-1] {
		w.line("# The inputs are in no order of time: records are up to "+spec.FormatDuration(roundUp(measured))+" behind in their file.", "")
		return
	}
	behind := rounded(w.join.measured.behind, append([]time.Duration{time.Minute}, windows...))
	w.line("out_of_orderness: "+spec.FormatDuration(behind), "matters only for inputs with an order; records are up to %s behind in their file", spec.FormatDuration(roundUp(w.join.measured.behind)))
	if skew := w.join.skew(); skew > 0 {
		w.line("clock_skew: "+spec.FormatDuration(roundUp(skew)), "engagements are stamped up to so much before their view")
	}
}

// roundUp makes a measured time one to read: to the second, or the minute above ten.
func roundUp(d time.Duration) time.Duration {
	step := time.Second
	if d > 10*time.Minute {
		step = time.Minute
	}
	if down := d.Truncate(step); down < d {
		return down + step
	}
	return d
}
