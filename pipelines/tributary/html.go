package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"tributary/io/fileio"
	"tributary/pipelines/report"
	"tributary/pipelines/spec"
	"tributary/pipelines/spec/problem"
)

// checkHTML refuses a page that cannot be written, or that would take the place of something
// else, before any work is done: only an empty file and a report of ours are written over.
func checkHTML(ctx context.Context, path string, s *spec.Spec) error {
	if path == "" {
		return nil
	}
	why := whyNot(ctx, path, s)
	for _, in := range s.InputPaths() {
		if why == nil && fileio.Matches(in, path) {
			why = fmt.Errorf("the input %s would read it", in)
		}
	}
	if why == nil {
		return nil
	}
	return problem.List{{
		Code: "T2010", Severity: problem.SeverityError, Field: "--html", Message: fmt.Sprintf("%s: %v", path, why),
		Hint: "name a file that is not there, or an older report",
	}}
}

// whyNot tells what is in the way of writing a page.
func whyNot(ctx context.Context, path string, s *spec.Spec) error {
	size := int64(0)
	if strings.Contains(path, "://") {
		there, err := fileio.Stat(ctx, path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		size = there.Size
	} else {
		info, err := os.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return err
		case info.IsDir():
			return errors.New("it is a folder")
		case !info.Mode().IsRegular():
			return errors.New("it is no plain file")
		default:
			size = info.Size()
		}
	}
	if size > 0 {
		ours, err := isReport(ctx, path)
		if err != nil {
			return err
		}
		if !ours {
			return errors.New("there is a file already, and it is not a report")
		}
	}
	if strings.Contains(path, "://") {
		return fileio.Writable(ctx, path[:strings.LastIndexByte(path, '/')])
	}
	folder := filepath.Dir(path)
	samples := ""
	if o := s.Outputs.SamplesFolder(); o != nil {
		samples = o.Path
	}
	if _, err := os.Stat(folder); err != nil && !holds(folder, samples) {
		return err // a folder that is not there is a slip, rather than a wish
	}
	return fileio.Writable(ctx, folder)
}

// holds tells whether a local path is below a folder: whoever makes it makes the folder.
func holds(folder, path string) bool {
	if path == "" || strings.Contains(path, "://") {
		return false
	}
	inside, err := filepath.Abs(path)
	if err != nil {
		return false
	}
	folder, err = filepath.Abs(folder)
	return err == nil && strings.HasPrefix(inside, folder+string(filepath.Separator))
}

func isReport(ctx context.Context, path string) (bool, error) {
	file, err := fileio.Open(ctx, path)
	if err != nil {
		return false, err
	}
	defer file.Close() //nolint:errcheck // only read
	start := make([]byte, 4<<10)
	n, err := io.ReadFull(file, start)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return false, err
	}
	return report.IsPage(start[:n]), nil
}

// writeHTML writes the page whole or not at all, where a link leads to if it is one.
func writeHTML(ctx context.Context, path string, r *report.Report) error {
	var page bytes.Buffer
	if err := r.HTML(&page); err != nil {
		return err
	}
	if resolved, err := filepath.EvalSymlinks(path); err == nil {
		path = resolved
	}
	return fileio.WriteFile(ctx, path, page.Bytes())
}
