package jsontext

import (
	"fmt"
	"strconv"
	"strings"
)

// Misfit is one value that its schema does not allow.
type Misfit struct {
	Path    string // like user.tags[2]; empty for the record itself
	Problem string
}

// MisfitError holds all that does not fit in one record.
type MisfitError struct {
	Misfits []Misfit // the first maxMisfits
	More    int      // how many others there are
}

const (
	// maxMisfits bounds what is noted of one record: an array may hold a million
	// values of a wrong type.
	maxMisfits = 50
	// shownMisfits is how many of them the message tells.
	shownMisfits = 10
	maxPath      = 200 // bytes
)

func (e *MisfitError) Error() string {
	var out strings.Builder
	for i, m := range e.Misfits {
		if i == shownMisfits {
			break
		}
		if i > 0 {
			out.WriteString("; ")
		}
		if m.Path != "" {
			out.WriteString(m.Path + ": ")
		}
		out.WriteString(m.Problem)
	}
	if more := max(0, len(e.Misfits)-shownMisfits) + e.More; more > 0 {
		fmt.Fprintf(&out, "; and %d more", more)
	}
	return out.String()
}

// misfit returns what has been noted as an error, nil if all fits.
func (e *encoding) misfit() error {
	if len(e.misfits) == 0 {
		return nil
	}
	return &MisfitError{Misfits: append([]Misfit{}, e.misfits...), More: e.more}
}

// report notes that a value does not fit.
func (e *encoding) report(problem string) {
	if len(e.misfits) < maxMisfits {
		e.misfits = append(e.misfits, Misfit{Problem: problem})
	} else {
		e.more++
	}
}

// wrong notes that value is not what the type wants.
func (e *encoding) wrong(want string, value []byte) {
	got := kindName(value[0])
	if value[0] != '{' && value[0] != '[' && value[0] != 'n' {
		got = shortened(value)
	}
	e.report("want " + want + ", got " + got)
}

// within puts the name of a field or of a map's key before the paths of the misfits
// noted since there were so many.
func (e *encoding) within(noted int, name string) {
	for i := noted; i < len(e.misfits); i++ {
		m := &e.misfits[i]
		switch {
		case len(m.Path) > maxPath: // a long chain of records: its end tells enough
			if !strings.HasPrefix(m.Path, "...") {
				m.Path = "..." + m.Path
			}
		case m.Path == "" || m.Path[0] == '[':
			m.Path = name + m.Path
		default:
			m.Path = name + "." + m.Path
		}
	}
}

// withinItem does the same for an item of an array.
func (e *encoding) withinItem(noted, item int) {
	if noted < len(e.misfits) {
		e.within(noted, "["+strconv.Itoa(item)+"]")
	}
}
