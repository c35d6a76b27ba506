package spec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	"tributary/io/fileio"
	"tributary/pipelines/spec/problem"
)

// Limits of a spec file. The YAML parser takes time and memory that grow with the
// square of the lines of a mapping and of the length of a line: within these limits the
// worst that was found took a second or two.
const (
	maxBytes = 256 << 10
	maxLines = 8192
	maxLine  = 4096
	maxOpen  = 64 // brackets open at once
)

// Load reads and checks a spec file. The error is a problem.List if the spec is
// wrong; a spec that is returned may still have Warnings.
func Load(file string) (*Spec, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, unreadable(file, err)
	}
	defer func() { _ = f.Close() }() // only read
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, unreadable(file, errors.New("it is a folder"))
	}
	var buf bytes.Buffer
	// One byte more than is taken tells a file that is too large from one that fits.
	if _, err := buf.ReadFrom(io.LimitReader(f, maxBytes+1)); err != nil {
		return nil, unreadable(file, err)
	}
	return Parse(file, buf.Bytes())
}

// unreadable is the problem of a spec that cannot be read; specs that do stand in its
// folder are offered instead.
func unreadable(file string, err error) problem.List {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		err = pathError.Err
	}
	p := problem.New("T1000", problem.Position{File: file}, "", fmt.Sprintf("the spec cannot be read: %v", err))
	folder := filepath.Dir(file)
	if errors.Is(err, fs.ErrNotExist) || strings.Contains(err.Error(), "folder") {
		if strings.Contains(err.Error(), "folder") {
			folder = file
		}
		for _, ending := range []string{"*.yaml", "*.yml"} {
			found, _ := filepath.Glob(filepath.Join(fileio.Escape(folder), ending))
			p.Allowed = append(p.Allowed, found...)
		}
		if len(p.Allowed) > 10 {
			p.Allowed = p.Allowed[:10]
		}
		if folder != file {
			p.Nearest = Nearest(file, p.Allowed)
		}
	}
	return problem.List{p}
}

// Parse reads and checks the content of a spec file. Relative paths in it are taken
// from the folder of file; nothing is read from there. It returns either a spec or a
// problem.List with at least one error, all in the order of the file.
func Parse(file string, content []byte) (*Spec, error) {
	return parse(rootSection, built, file, content)
}

// parse is Parse for specs that hold what root declares, and combine what is built.
func parse(root *section, built combinations, file string, content []byte) (*Spec, error) {
	r := &reader{root: root, built: built, file: file, marks: map[string]mark{}, failed: map[dotted]bool{}, wanted: map[wanted]string{}, promised: map[wanted]bool{}, edits: map[int][]edit{}, moves: map[int]int{}, places: map[problem.Position]dotted{}}
	s := r.parse(content)
	if r.unlisted > 0 {
		last := &node{line: len(r.lines), column: 1}
		r.problems = append(r.problems, r.problem("T1004", last, "", "%d more problems are not listed", r.unlisted))
	}
	r.mergeFixes()
	r.problems.Sort()
	if len(r.problems.Errors()) > 0 {
		return nil, r.problems
	}
	s.Warnings = r.problems
	return s, nil
}

func (r *reader) parse(content []byte) *Spec {
	content = bytes.TrimPrefix(content, []byte("\ufeff"))
	if !r.checkText(content) {
		return nil
	}
	root := r.parseTree(content)
	if root == nil {
		if len(r.problems) == 0 {
			p := r.problem("T1012", &node{line: 1, column: 1}, "", "the spec is empty")
			p.Allowed = r.root.names()
			r.add(p)
		}
		return nil
	}
	r.hideSecrets(root)
	return r.spec(root)
}

// checkText looks at the bytes before YAML does: what it finds there would be
// reported less clearly later, or cost too much to parse.
func (r *reader) checkText(content []byte) bool {
	if len(content) > maxBytes {
		p := problem.New("T1004", problem.Position{File: r.file}, "", fmt.Sprintf("a spec has at most %d KiB", maxBytes>>10))
		p.Hint = "is this the right file?"
		r.add(p)
		return false
	}
	for _, line := range strings.Split(string(content), "\n") {
		r.lines = append(r.lines, strings.TrimSuffix(line, "\r"))
	}
	if len(r.lines) > maxLines+1 { // the last one may end with a newline
		r.lines = nil
		r.add(problem.New("T1004", problem.Position{File: r.file}, "", fmt.Sprintf("a spec has at most %d lines", maxLines)))
		return false
	}
	open := 0
	for i, line := range r.lines {
		at := &node{line: i + 1, column: 1}
		if !r.checkLine(line, at) {
			continue
		}
		open += strings.Count(line, "[") + strings.Count(line, "{") - strings.Count(line, "]") - strings.Count(line, "}")
		if open = max(open, 0); open > maxOpen {
			r.add(r.problem("T1004", at, "", "more than %d brackets are open here", maxOpen))
			break
		}
	}
	ok := len(r.problems) == 0
	for i, line := range r.lines {
		r.lines[i] = maskSecrets(line)
	}
	return ok
}

func (r *reader) checkLine(line string, at *node) bool {
	for i, c := range line {
		// A replacement character that is in the file is text; one that stands for a
		// broken byte is not.
		broken := c == utf8.RuneError && !strings.HasPrefix(line[i:], "\ufffd")
		if broken || c != '\t' && unicode.IsControl(c) {
			at.column = utf8.RuneCountInString(line[:i]) + 1
			p := r.problem("T1003", at, "", "this is not plain text in UTF-8: byte 0x%02x", line[i])
			p.Hint = "save the file as UTF-8, without control characters"
			r.add(p)
			return false
		}
	}
	indent := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
	if tab := strings.IndexByte(indent, '\t'); tab >= 0 && len(indent) < len(line) {
		at.column = tab + 1
		p := r.problem("T1002", at, "", "a tab in the indentation: YAML takes spaces only")
		p.Fix = strings.ReplaceAll(indent, "\t", "  ") + line[len(indent):]
		p.Hint = "replace each tab by two spaces"
		r.add(p)
		return false
	}
	if len(line) > maxLine {
		r.add(r.problem("T1004", at, "", "a line has at most %d bytes, this one has %d", maxLine, len(line)))
		return false
	}
	return true
}
