package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"tributary/runners/devcluster/servicestest"
)

// lab has the tests of all packages that bugs name, compiled with all bugs.
type lab struct {
	options
	root, dir string
	progress  io.Writer
	// random are the packages whose tests take flags of rapid.
	random map[string]bool
}

func moduleRoot(ctx context.Context) (string, error) {
	mod, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	return filepath.Dir(strings.TrimSpace(string(mod))), err
}

// compile compiles the tests of the packages that chosen name, with all bugs of the tables.
func (l *lab) compile(ctx context.Context, all, chosen []*mutant) error {
	file, err := writeOverlay(l.root, l.dir, all)
	if err != nil {
		return err
	}
	l.random = map[string]bool{}
	for _, m := range chosen {
		for _, t := range m.Tests {
			if _, ok := l.random[t.pkg]; ok {
				continue
			}
			begun := time.Now()
			if _, err := l.goTool(ctx, "test", "-c", "-vet=off", "-overlay", file, "-o", l.binary(t.pkg), "./"+t.pkg); err != nil {
				return err
			}
			imports, err := l.goTool(ctx, "list", "-f", "{{.TestImports}} {{.XTestImports}}", "./"+t.pkg)
			if err != nil {
				return err
			}
			l.random[t.pkg] = strings.Contains(imports, "pgregory.net/rapid")
			_, _ = fmt.Fprintf(l.progress, "compiled the tests of %s in %s\n", t.pkg, time.Since(begun).Round(time.Second/10))
		}
	}
	return nil
}

func (l *lab) goTool(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = l.root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, &stderr)
	}
	return string(out), nil
}

func (l *lab) binary(pkg string) string {
	return filepath.Join(l.dir, strings.ReplaceAll(pkg, "/", "-")+".test")
}

// control runs all tests that are named without any bug. They have to pass, and every pattern
// to name some.
func (l *lab) control(ctx context.Context, chosen []*mutant) error {
	patterns := map[string]map[string]string{} // by package, and where they are from
	for _, m := range chosen {
		for _, t := range m.Tests {
			if patterns[t.pkg] == nil {
				patterns[t.pkg] = map[string]string{}
			}
			patterns[t.pkg][t.pattern] = m.at
		}
	}
	for _, pkg := range sorted(patterns) {
		begun := time.Now()
		tests := place{pkg, strings.Join(sorted(patterns[pkg]), "|")}
		out, err := l.test(ctx, 0, tests)
		if err != nil {
			return fmt.Errorf("the tests of %s do not pass without any bug: %w\n%s", pkg, err, out)
		}
		listed, err := l.command(ctx, 0, pkg, "-test.list=.").Output()
		if err != nil {
			return fmt.Errorf("list the tests of %s: %w", pkg, err)
		}
		for pattern, at := range patterns[pkg] {
			for one := range strings.SplitSeq(pattern, "|") {
				top, _, _ := strings.Cut(one, "/")
				if re, err := regexp.Compile("(?m)" + top); err != nil || !re.Match(listed) {
					return fmt.Errorf("%s: no test of %s matches %s", at, pkg, one)
				}
			}
		}
		_, _ = fmt.Fprintf(l.progress, "%s passes without any bug in %s\n", pkg, time.Since(begun).Round(time.Second/10))
	}
	return nil
}

// tryAll tries all bugs.
func (l *lab) tryAll(ctx context.Context, chosen []*mutant) (*report, error) {
	r := &report{Bugs: make([]finding, len(chosen))}
	var done atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(l.atOnce)
	for i, m := range chosen {
		group.Go(func() error {
			begun := time.Now()
			f := finding{mutant: m}
			for _, t := range m.Tests {
				out, err := l.test(ctx, m.ID, t)
				if ctx.Err() != nil {
					return ctx.Err()
				}
				var failed *exec.ExitError
				if err != nil && !errors.As(err, &failed) {
					return err
				}
				if err != nil {
					f.Caught, f.By = true, t.pkg+" "+culprit(out)
					break
				}
			}
			f.Seconds = time.Since(begun).Seconds()
			r.Bugs[i] = f
			_, _ = fmt.Fprintf(l.progress, "%d of %d: %s: %s\n", done.Add(1), len(chosen), m.Name, f.text())
			return nil
		})
	}
	return r, group.Wait()
}

// test runs tests with a bug, and returns what they have printed.
func (l *lab) test(ctx context.Context, id int, t place) (string, error) {
	args := []string{"-test.failfast", "-test.timeout=" + l.timeout.String()}
	if !l.whole {
		args = append(args, "-test.run="+t.pattern)
	} else if id == 0 {
		args[1] = "-test.timeout=10m" // all of them take longer than one that hangs
	}
	if l.random[t.pkg] {
		args = append(args, "-rapid.nofailfile")
		if l.seed != 0 {
			args = append(args, "-rapid.seed="+strconv.FormatUint(l.seed, 10))
		}
	}
	cmd := l.command(ctx, id, t.pkg, args...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// command is the test binary of a package, with a bug or none.
func (l *lab) command(ctx context.Context, id int, pkg string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, l.binary(pkg), args...)
	cmd.Dir = filepath.Join(l.root, pkg)
	cmd.Env = append(os.Environ(), servicestest.NoneEnv+"=1", switchEnv+"="+strconv.Itoa(id))
	cmd.WaitDelay = time.Second // processes that a killed test has left behind hold its output
	return cmd
}

var (
	failedTest = regexp.MustCompile(`--- FAIL: (\S+)`)
	hungTest   = regexp.MustCompile(`running tests:\s+(\S+)`)
	crashed    = regexp.MustCompile(`(?m)^(?:panic|fatal error): (.*)$`)
)

// culprit names the test that failed, by what was printed.
func culprit(out string) string {
	if m := hungTest.FindStringSubmatch(out); m != nil {
		return m[1] + " (hangs)"
	}
	if m := failedTest.FindAllStringSubmatch(out, -1); m != nil {
		return m[len(m)-1][1] // the subtest
	}
	if m := crashed.FindStringSubmatch(out); m != nil {
		return "crashes: " + m[1]
	}
	return "fails before the first test"
}

func sorted[K ~int | ~string, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
