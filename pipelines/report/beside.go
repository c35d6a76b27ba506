package report

import "tributary/transforms/account"

// besideRow is a count that is part of others in the balance, or beside it: of the views,
// then of each kind.
type besideRow struct {
	Name  string
	Cells []string
}

// beside has the counts that do not balance with others, in the order of their table, without those
// that are 0 everywhere. A cell is empty where there is no such count.
func (r *Report) beside() (rows []besideRow) {
	for i, row := range account.Table() {
		count := account.Count(i)
		ofViews, ofKinds := row.Views, row.Engagements
		if !isBeside(ofViews) && !isBeside(ofKinds) || !r.some(count) {
			continue
		}
		cells := []string{cell(ofViews, r.Accounts.Views.N[count])}
		for _, k := range r.kinds() {
			cells = append(cells, cell(ofKinds, k.N[count]))
		}
		rows = append(rows, besideRow{row.Label, cells})
	}
	return rows
}

func isBeside(use *account.Use) bool { return use != nil && use.Side == account.Beside }

func cell(use *account.Use, n int64) string {
	if use == nil {
		return ""
	}
	return grouped(n)
}
