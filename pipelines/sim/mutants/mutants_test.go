package main

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTablesApply: every bug still has its place in the code, once, and compiles there.
func TestTablesApply(t *testing.T) {
	root, err := moduleRoot(t.Context())
	require.NoError(t, err)
	all, err := readTables(root)
	require.NoError(t, err)
	overlay, err := writeOverlay(root, t.TempDir(), all)
	require.NoError(t, err)
	packages := map[string]bool{}
	for _, m := range all {
		packages["./"+m.pkg()] = true
	}
	l := lab{root: root}
	_, err = l.goTool(t.Context(), append([]string{"build", "-overlay", overlay}, sorted(packages)...)...)
	require.NoError(t, err)
	for _, m := range all {
		for _, tests := range m.Tests {
			found, err := filepath.Glob(filepath.Join(root, tests.pkg, "*_test.go"))
			require.NoError(t, err)
			require.NotEmpty(t, found, "%s: no tests in %s", m.at, tests.pkg)
		}
	}
}

// TestInsert: a function with bugs is what it was, behind a copy for each.
func TestInsert(t *testing.T) {
	const source = `package p

func sum(of ...int) (total int, err error) {
	for _, n := range of {
		total += n
	}
	return total, nil
}

func (r *T[K]) clear(_ int, name string) {
	delete(r.kept, name)
}
`
	text, pkg, err := insert("p.go", source, []*mutant{
		{ID: 1, from: "total += n", to: "total -= n"},
		{ID: 7, from: "delete(r.kept, name)", to: ""},
	})
	require.NoError(t, err)
	require.Equal(t, "p", pkg)
	require.Contains(t, text, `
if mutantSwitch == 1 {
return func(of ...int) (total int, err error) {
	for _, n := range of {
		total -= n
	}
	return total, nil
}(of...)
}
`)
	require.Contains(t, text, `
if mutantSwitch == 7 {
func(name string) {
	
}(name)
return
}
`)
	for _, m := range []struct{ from, want string }{
		{"int", "should have it once, and has it 3 times"},
		{"package p", "has it outside of a function"},
		{"total int", "has it outside of a function"},
	} {
		_, _, err := insert("p.go", source, []*mutant{{from: m.from}})
		require.ErrorContains(t, err, m.want)
	}
	_, _, err = insert("p.go", source, []*mutant{{from: "total += n", to: "total +="}})
	require.ErrorContains(t, err, "with its bugs: p.go")
	_, err = parser.ParseFile(token.NewFileSet(), "", switchFile("p"), 0)
	require.NoError(t, err)
}

func TestParseTable(t *testing.T) {
	all, err := parseTable("t.txt", `# what this is

mutant one: too many
file   a/b.go
tests  a TestX|TestY/z
tests  c TestZ
-	if a {
-		b()
+	if !a {

mutant two
file   a/c.go
chaos  broker killed: a fake does not die
-x
+
`)
	require.NoError(t, err)
	require.Equal(t, []*mutant{
		{Name: "one: too many", File: "a/b.go", Tests: []place{{"a", "TestX|TestY/z"}, {"c", "TestZ"}}, from: "\tif a {\n\t\tb()", to: "\tif !a {", at: "t.txt:3"},
		{Name: "two", File: "a/c.go", Chaos: "broker killed: a fake does not die", from: "x", at: "t.txt:11"},
	}, all)
	_, err = parseTable("t.txt", "-x\n\nmutant a\nfile b\n-x\n+x\n\nmutant b\nbroken\n")
	require.ErrorContains(t, err, `t.txt:1: a bug begins with "mutant" and its name, got "-x"`)
	require.ErrorContains(t, err, "t.txt:3: a: it lacks a change")
	require.ErrorContains(t, err, `t.txt:9: want mutant, file, tests, chaos, - or +, got "broken"`)
	require.ErrorContains(t, err, "t.txt:8: b: it lacks a line with its file")
	_, err = parseTable("t.txt", "mutant a\nfile b\n-x\n+y\n")
	require.ErrorContains(t, err, "it lacks tests, or the fault of chaos that shows it")
}

func TestCulprit(t *testing.T) {
	for out, want := range map[string]string{
		"--- FAIL: TestA (0.1s)\n    --- FAIL: TestA/b (0.0s)\n":                         "TestA/b",
		"panic: test timed out after 1m0s\n\trunning tests:\n\t\tTestA (1m0s)\n\nFAIL":   "TestA (hangs)",
		"panic: runtime error: index out of range [recovered]\n\ngoroutine 7 [running]:": "crashes: runtime error: index out of range [recovered]",
		"exit status 2": "fails before the first test",
	} {
		require.Equal(t, want, culprit(out))
	}
}

// TestVerdict: less than the bar fails, and so does a survivor of which nothing is known.
func TestVerdict(t *testing.T) {
	r := &report{}
	for range 19 {
		r.Bugs = append(r.Bugs, finding{mutant: &mutant{Name: "x", File: "a/b.go"}, Caught: true, By: "a TestX"})
	}
	r.Bugs = append(r.Bugs, finding{mutant: &mutant{ID: 20, Name: "y", File: "c/d.go", Chaos: "broker killed: why"}})
	require.NoError(t, r.verdict())
	var b strings.Builder
	require.NoError(t, r.print(&b))
	require.Contains(t, b.String(), "SURVIVED: chaos, broker killed: why")
	require.Regexp(t, `(?m)^a +19 of 19 +100.0 %\nc +0 of 1 +0.0 %\nall +19 of 20 +95.0 %`, b.String())
	r.Bugs[19].Chaos = ""
	require.EqualError(t, r.verdict(), "y: survived, and names no fault of chaos that shows it")
	r.Bugs[0].Caught, r.Bugs[0].mutant = false, r.Bugs[19].mutant
	require.ErrorContains(t, r.verdict(), "18 of 20 bugs were caught, want 95 %")
}

// TestNothingIsLeftBehind: the code itself knows nothing of all this.
func TestNothingIsLeftBehind(t *testing.T) {
	root, err := moduleRoot(t.Context())
	require.NoError(t, err)
	all, err := readTables(root)
	require.NoError(t, err)
	for _, m := range all {
		require.NoFileExists(t, filepath.Join(root, m.pkg(), switchName+".go"))
		text, err := os.ReadFile(filepath.Join(root, m.File))
		require.NoError(t, err)
		require.NotContains(t, string(text), switchName)
	}
}
