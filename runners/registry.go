package runners

import (
	"fmt"
	"slices"
	"strings"
)

// registry holds the runners in order of their names. It is complete when all inits have run.
var registry []Runner

// Register adds a runner, as it is without options. It is called in the init of its package, and panics if the name is taken.
// Commands know it by its name once they import that package.
func Register(r Runner) {
	at, taken := slices.BinarySearchFunc(registry, r.Name(), func(have Runner, name string) int { return strings.Compare(have.Name(), name) })
	if taken {
		panic(fmt.Sprintf("runners.Register: two runners are called %s", r.Name()))
	}
	registry = slices.Insert(registry, at, r)
}

// Names are those of all runners, in order.
func Names() (names []string) {
	for _, r := range registry {
		names = append(names, r.Name())
	}
	return names
}

// Get returns the runner of a name, nil if there is none.
func Get(name string) Runner {
	for _, r := range registry {
		if r.Name() == name {
			return r
		}
	}
	return nil
}
