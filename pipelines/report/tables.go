package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"tributary/transforms/account"
)

// kindWidth is how much of a kind's name a table shows.
const kindWidth = 16

func name(kind string) string { return text.Snip(Harmless(kind), kindWidth, "…") }

func (p *page) joinRate(r *Report) {
	kinds := r.kinds()
	if len(kinds) == 0 {
		return
	}
	v := r.Accounts.Views
	p.section("Join rate")
	var rows []table.Row
	for _, k := range kinds {
		rows = append(rows, table.Row{
			name(k.Name), grouped(k.N[account.Read]), grouped(k.N[account.Matched]), percent(k.N[account.Matched], k.N[account.Read]),
			grouped(k.N[account.Positives]), percent(k.N[account.Positives], v.N[account.Samples]),
		})
	}
	if len(kinds) > 1 {
		rows = append(rows, table.Row{"any of them", "", "", "", grouped(v.N[account.Positives]), percent(v.N[account.Positives], v.N[account.Samples])})
	}
	p.table(table.Row{"", "engagements", "matched", "of read", "positives", "of samples"}, rows...)
	p.prose("  ", title, samplesInWords(v))
}

// samplesInWords says what the positive rates are shares of.
func samplesInWords(v account.Views) string {
	words := fmt.Sprintf("%s of %s.", number(v.N[account.Samples], "sample"), number(v.N[account.Read], "view"))
	if v.N[account.SampledOut] > 0 {
		words += fmt.Sprintf(" Negatives are sampled: of all distinct views, %s are positive.", percent(v.N[account.Positives], v.N[account.Samples]+v.N[account.SampledOut]))
	}
	return words
}

func (p *page) delays(r *Report) {
	header := table.Row{"", "window"}
	for _, q := range quantiles {
		header = append(header, q.name)
	}
	var rows []table.Row
	for _, k := range r.kinds() {
		if k.Delay.Count() == 0 {
			continue
		}
		row := table.Row{name(k.Name), none}
		if k.Window > 0 {
			row[1] = duration(k.Window)
		}
		for _, q := range quantiles {
			row = append(row, delayCell(k, q.q))
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		return
	}
	p.section("Delay to the first engagement, and its share of the window")
	p.table(header, rows...)
}

// delayCell is a quantile of a kind's delay, and its share of the window.
func delayCell(k kind, q float64) string {
	value, ms := k.delay(q), k.Delay.Quantile(q)
	if k.Window > 0 {
		return fmt.Sprintf("%s %6s", value, percent(ms, k.Window.Milliseconds()))
	}
	return value
}

// delay is a quantile of a kind's delay, the largest to the millisecond if it is of one day.
func (k kind) delay(q float64) string {
	d := millis(k.Delay.Quantile(q))
	if q == 1 && d < 24*time.Hour {
		return Duration(d)
	}
	return duration(d)
}

// entry is a part of what was read: an outcome and how many had it.
type entry struct {
	*account.Row
	n int64
}

// openEvents counts what a stream has read but not joined yet.
func (r *Report) openEvents() int64 {
	n := r.Accounts.Views.N[account.Open]
	for _, k := range r.kinds() {
		n += k.N[account.Open]
	}
	return n
}

func (r *Report) open() bool { return r.openEvents() != 0 }

// entries are the parts of what was read of a subject. Parts that are optional are there if views or
// any kind have some.
func (r *Report) entries(s account.Subject, n *account.Counts) (entries []entry) {
	for _, count := range account.All(s, account.Part) {
		row := count.Row()
		if !row.In(s).Optional || r.some(count) {
			entries = append(entries, entry{row, n[count]})
		}
	}
	return entries
}

// some says that views or any kind have some of a count.
func (r *Report) some(count account.Count) bool {
	some := r.Accounts.Views.N[count] != 0
	for _, k := range r.kinds() {
		some = some || k.N[count] != 0
	}
	return some
}

func (r *Report) viewEntries() []entry { return r.entries(account.OfViews, &r.Accounts.Views.N) }

func (r *Report) engagementEntries(e *account.Engagements) []entry {
	return r.entries(account.OfEngagements, &e.N)
}

func (p *page) accounts(r *Report) {
	p.section("Accounts: what was read, and what became of it")
	v := r.Accounts.Views
	row := table.Row{"views", grouped(v.N[account.Read]), "="}
	header := table.Row{"", "read", ""}
	for _, e := range r.viewEntries() {
		header, row = append(header, e.Label), append(row, grouped(e.n))
	}
	p.table(header, row)

	kinds := r.kinds()
	if len(kinds) > 0 {
		p.line("")
		header = table.Row{"", "read", ""}
		for _, e := range r.engagementEntries(kinds[0].Engagements) {
			header = append(header, strings.Replace(e.Label, "outside window", "outside", 1))
		}
		var rows []table.Row
		for _, k := range kinds {
			row := table.Row{name(k.Name), grouped(k.N[account.Read]), "="}
			for _, e := range r.engagementEntries(k.Engagements) {
				row = append(row, grouped(e.n))
			}
			rows = append(rows, row)
		}
		p.table(header, rows...)
	}
	for _, words := range accountsInWords(r) {
		p.prose("  ", title, words)
	}
}

// accountsInWords explains what the bare figures leave open, above all which late
// events could have mattered.
func accountsInWords(r *Report) []string {
	var words []string
	if r.open() {
		words = append(words, "Open ones wait for the end of windows: what becomes of them will be known then.")
	}
	if v := r.Accounts.Views; v.N[account.Late] > 0 {
		words = append(words, fmt.Sprintf("Late views have no sample: the windows of %s had closed by their partition's watermark.", grouped(v.N[account.Late])))
	}
	if n := r.Accounts.Views.N[account.Filtered]; n > 0 {
		words = append(words, fmt.Sprintf("views: their inputs have %s that are no views (where).", number(n, "further record")))
	}
	if n := r.Accounts.Views.N[account.Tombstones]; n > 0 {
		words = append(words, fmt.Sprintf("views: their topics have %s without a value (tombstones).", number(n, "further record")))
	}
	for _, k := range r.kinds() {
		kind := Harmless(k.Name)
		if k.N[account.Late] > 0 {
			words = append(words, fmt.Sprintf("%s: late ones could have mattered: each of %s may have belonged to a view whose window had closed, and may have made its sample positive.", kind, grouped(k.N[account.Late])))
		}
		if k.N[account.PartlyLate] > 0 {
			words = append(words, fmt.Sprintf("%s: for %s, only some of the views they may refer to had closed. Those whose view was open were joined as usual; the rest are among the late.", kind, grouped(k.N[account.PartlyLate])))
		}
		if k.N[account.Filtered] > 0 {
			words = append(words, fmt.Sprintf("%s: its inputs have %s of other kinds (where).", kind, number(k.N[account.Filtered], "further record")))
		}
		if n := k.N[account.Tombstones]; n > 0 {
			words = append(words, fmt.Sprintf("%s: its topics have %s without a value (tombstones).", kind, number(n, "further record")))
		}
	}
	return words
}

// station is a place on the way of the data where its bytes are counted.
type station struct {
	Name  string
	Bytes int64
	Words string // its ratio to another station
}

func stations(b account.Bytes) []station {
	ratio := func(part, whole int64, format string) string {
		if part <= 0 || whole <= 0 {
			return ""
		}
		return fmt.Sprintf(format, float64(part)/float64(whole))
	}
	all := []station{
		{"read from files", b.In, ""},
		{"decompressed", b.Records, ratio(b.Records, b.In, "%.2f of what was read")},
		{"blocks, shuffle and state", b.Blocks, ratio(b.Blocks, b.Records, "%.2f of decompressed")},
		{"samples, encoded", b.Samples, ratio(b.Samples, b.Blocks, "%.2f of the blocks")},
		{"samples, as written", b.Out, ratio(b.Out, b.Samples, "%.2f of encoded")},
	}
	if b.JSON > 0 { // of few samples none is taken for the estimate
		all = append(all, station{"as JSON lines, estimated", b.JSON, ratio(b.Out, b.JSON, "written takes %.2f of it")})
	}
	return all
}

func (p *page) bytes(r *Report) {
	if r.Accounts.Bytes == (account.Bytes{}) {
		return
	}
	p.section("Bytes")
	var rows []table.Row
	for _, s := range stations(r.Accounts.Bytes) {
		rows = append(rows, table.Row{text.Pad(s.Name, 28, ' '), size(s.Bytes), text.Pad(s.Words, 26, ' ')})
	}
	if text.LongestLineLen(render(nil, rows)) > p.width {
		for i := range rows {
			rows[i] = table.Row{strings.TrimSpace(fmt.Sprint(rows[i][0])), rows[i][1]}
		}
	}
	p.table(nil, rows...)
}
