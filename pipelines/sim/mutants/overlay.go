package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	// switchEnv holds the ID of the bug that is wanted.
	switchEnv = "TRIBUTARY_MUTANT"
	// switchName is the variable with that ID in each package that has bugs, and the name of its file.
	switchName = "mutantSwitch"
)

// overlay is what `go build -overlay` reads.
type overlay struct {
	Replace map[string]string
}

// writeOverlay writes files with all bugs into dir, and what go has to know of them. It
// returns the file for -overlay. The error says for each bug that does not apply why.
func writeOverlay(root, dir string, all []*mutant) (string, error) {
	byFile := map[string][]*mutant{}
	for _, m := range all {
		byFile[m.File] = append(byFile[m.File], m)
	}
	o := overlay{Replace: map[string]string{}}
	var errs []error
	add := func(name, text string) {
		file := filepath.Join(dir, strings.ReplaceAll(name, "/", "-"))
		o.Replace[filepath.Join(root, name)] = file
		errs = append(errs, os.WriteFile(file, []byte(text), 0o600))
	}
	for name, mutants := range byFile {
		source, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			errs = append(errs, err)
			continue
		}
		text, pkg, err := insert(name, string(source), mutants)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		add(name, text)
		add(filepath.Join(filepath.Dir(name), switchName+".go"), switchFile(pkg))
	}
	file := filepath.Join(dir, "overlay.json")
	text, err := json.Marshal(o)
	if err := errors.Join(append(errs, err)...); err != nil {
		return "", err
	}
	return file, os.WriteFile(file, text, 0o600)
}

// switchFile is the file that a package with bugs gets in addition.
func switchFile(pkg string) string {
	return fmt.Sprintf(`package %s

import (
	"os"
	"strconv"
)

var %s, _ = strconv.Atoi(os.Getenv(%q))
`, pkg, switchName, switchEnv)
}

// insert gives a file its bugs: each function that has some begins with a copy of itself for
// each, as a function of its own, so that nothing changes for those who do not ask for it.
func insert(name, source string, mutants []*mutant) (text, pkg string, err error) {
	files := token.NewFileSet()
	tree, err := parser.ParseFile(files, name, source, parser.SkipObjectResolution)
	if err != nil {
		return "", "", err
	}
	offset := func(p token.Pos) int { return files.Position(p).Offset }
	copies := map[int]string{} // by where the body of their function begins
	var errs []error
	for _, m := range mutants {
		if n := strings.Count(source, m.from); n != 1 {
			errs = append(errs, fmt.Errorf("%s: %s: %s should have it once, and has it %d times: %s", m.at, m.Name, name, n, m.from))
			continue
		}
		at := strings.Index(source, m.from)
		i := slices.IndexFunc(tree.Decls, func(d ast.Decl) bool {
			f, ok := d.(*ast.FuncDecl)
			return ok && f.Body != nil && offset(f.Body.Lbrace) < at && at+len(m.from) <= offset(f.Body.Rbrace)
		})
		if i < 0 {
			errs = append(errs, fmt.Errorf("%s: %s: %s has it outside of a function", m.at, m.Name, name))
			continue
		}
		f := tree.Decls[i].(*ast.FuncDecl)
		start, end := offset(f.Body.Lbrace), offset(f.Body.Rbrace)+1
		body := source[start:at] + m.to + source[at+len(m.from):end]
		copies[start] += branch(m.ID, f.Type, body, func(n ast.Node) string { return source[offset(n.Pos()):offset(n.End())] })
	}
	if err := errors.Join(errs...); err != nil {
		return "", "", err
	}
	var b strings.Builder
	from := 0
	for _, start := range sorted(copies) {
		b.WriteString(source[from : start+1])
		b.WriteString(copies[start])
		from = start + 1
	}
	b.WriteString(source[from:])
	if _, err := parser.ParseFile(token.NewFileSet(), name, b.String(), parser.SkipObjectResolution); err != nil {
		return "", "", fmt.Errorf("with its bugs: %w", err)
	}
	return b.String(), tree.Name.Name, nil
}

// branch is what a function with that bug begins with. Its parameters are the copy's, too: they
// are of the body's own scope, where := does not make them anew.
func branch(id int, f *ast.FuncType, body string, text func(ast.Node) string) string {
	var params, args []string
	for _, field := range f.Params.List {
		for _, name := range field.Names {
			if name.Name == "_" {
				continue
			}
			params = append(params, name.Name+" "+text(field.Type))
			arg := name.Name
			if _, variadic := field.Type.(*ast.Ellipsis); variadic {
				arg += "..."
			}
			args = append(args, arg)
		}
	}
	results, give := "", "return "
	if f.Results != nil {
		results = text(f.Results) + " "
	} else {
		give = ""
	}
	call := fmt.Sprintf("func(%s) %s%s(%s)", strings.Join(params, ", "), results, body, strings.Join(args, ", "))
	return fmt.Sprintf("\nif %s == %d {\n%s%s\n%s}\n", switchName, id, give, call, map[bool]string{true: "return\n"}[give == ""])
}
