package report

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"tributary/transforms/account"
)

// input is what the accounts say of one input.
type input struct {
	*account.Input
	name string // in the spec: engagements.like.inputs.1
	kind string // empty for views
	n    int    // of those of its role
	// only says that it is the only one of its role, or that what is so of it is so of all.
	only bool
	// kindFiltered says that `where` let nothing through of any input of the role, views or a kind.
	kindFiltered bool
}

// inputs returns the inputs in the spec's order, as far as the accounts have them.
func (r *Report) inputs() []input {
	var all []input
	roles := map[string]*account.Input{}
	of := map[string]int{}
	for name, counts := range r.Accounts.Inputs {
		in := input{Input: counts, name: name}
		parts := strings.Split(name, ".")
		if len(parts) > 2 && parts[0] == "engagements" {
			in.kind = strings.Join(parts[1:len(parts)-2], ".")
		}
		in.n, _ = strconv.Atoi(parts[len(parts)-1]) // a name without one stands first
		all = append(all, in)
		if roles[in.kind] == nil {
			roles[in.kind] = &account.Input{}
		}
		role := roles[in.kind]
		role.N[account.Read], role.N[account.Late], role.N[account.Dead] = role.N[account.Read]+counts.N[account.Read], role.N[account.Late]+counts.N[account.Late], role.N[account.Dead]+counts.N[account.Dead]
		of[in.kind]++
	}
	order := r.order()
	rank := func(in input) int {
		if in.kind == "" {
			return -1
		}
		return slices.Index(order, in.kind)
	}
	slices.SortFunc(all, func(a, b input) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.n, b.n), cmp.Compare(a.name, b.name))
	})
	for i := range all {
		role := roles[all[i].kind]
		all[i].only = of[all[i].kind] == 1 || role.N[account.Read] > 0 && role.N[account.Late]+role.N[account.Dead] == role.N[account.Read]
		all[i].kindFiltered = role.N[account.Read] == 0
	}
	return all
}

// order is the kinds in the spec's order; those it does not name follow by name.
func (r *Report) order() []string {
	order := slices.Clone(r.Kinds)
	for _, kind := range slices.Sorted(maps.Keys(r.Accounts.Engagements)) {
		if !slices.Contains(order, kind) {
			order = append(order, kind)
		}
	}
	return order
}
