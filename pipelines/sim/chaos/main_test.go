package chaos

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"tributary/runners/devcluster/servicestest"
)

var (
	faults = flag.Int("faults", 0, "how many faults to inject (default 9, and 2 where samples go to a folder): each group of kinds once, in an order by the seed, before any comes again")
	only   = flag.String("only", "", "inject only faults whose kinds match this regular expression")
	seed   = flag.Uint64("seed", 1, "seed of the schedule of faults; 0: another one each time")
	older  = flag.String("older", "", "the source tree of an earlier release, which runs the job at first, and whose savepoints do not serve (default: this one)")
	views  = flag.Int64("views", 500_000, "how many views to join at size")
)

// binaries is where releases are built, once for all tests.
var binaries string

func TestMain(m *testing.M) {
	flag.Parse()
	beam.Init()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	var err error
	if binaries, err = os.MkdirTemp("", "tributary-releases-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := servicestest.Main(m)
	if code == 0 { // else the logs of workers are in it
		err = os.RemoveAll(binaries)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	return code
}
