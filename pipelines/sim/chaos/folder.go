package chaos

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"tributary/io/fileio"
	"tributary/io/folderio"
)

// folder is a folder of samples as those see it that list it.
type folder struct {
	*Stream
	// files are those that were found, by path, and what they held.
	files map[string]found
	// taken are those that a consumer has taken, who takes each once.
	taken map[string]bool
}

// found is a file in a version.
type found struct {
	version string
	samples map[string]string // by view
}

func (s *Stream) openFolder() *folder { return &folder{s, map[string]found{}, map[string]bool{}} }

// list lists the folder, and reads what is new there. In each listing a sample is there once at most.
func (f *folder) list(ctx context.Context) ([]fileio.File, error) {
	files, err := fileio.List(ctx, f.Outputs.Samples.Path+"/")
	if none := (*fileio.NoMatchError)(nil); errors.As(err, &none) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var there []fileio.File
	at := map[string]string{}
	for _, file := range files {
		samples, err := f.read(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue // it went since: a run that goes on from the log brings it again
		}
		if err != nil {
			return nil, err
		}
		there = append(there, file)
		for view := range samples {
			if other := at[view]; other != "" {
				return nil, fmt.Errorf("the sample of view %s is in %s and in %s", view, other, file.Path)
			}
			at[view] = file.Path
		}
	}
	return there, nil
}

// read returns the samples of a file. One that was written again holds the same.
func (f *folder) read(file fileio.File) (map[string]string, error) {
	was, known := f.files[file.Path]
	if known && was.version == file.Version {
		return was.samples, nil
	}
	now := found{file.Version, map[string]string{}}
	_, err := eachRecord(file.Path, func(record []byte, row sampleRow) error {
		if now.samples[row.ViewID] != "" {
			return fmt.Errorf("the sample of view %s is there twice", row.ViewID)
		}
		now.samples[row.ViewID] = string(record)
		return nil
	})
	if err != nil {
		return nil, err
	}
	f.files[file.Path] = now
	return now.samples, nil
}

// follow gives the samples of each file to an audit, once all of its time is complete, as the job's log says.
func (f *folder) follow(ctx context.Context, a *Audit) error {
	progress, err := folderio.ReadProgress(ctx, folderio.Config{Path: f.Outputs.Samples.Path, Job: f.Stream.Stream.Name})
	if err != nil {
		return err
	}
	files, err := f.list(ctx)
	if err != nil {
		return err
	}
	for _, file := range files {
		_, to, ok := folderio.Times(file.Path)
		if !ok {
			return fmt.Errorf("%s is no file of samples", file.Path)
		}
		if to > progress.CommittedBefore || f.taken[file.Path] {
			continue
		}
		f.taken[file.Path] = true
		for view, sample := range f.files[file.Path].samples {
			a.Take(view, sample)
		}
	}
	return nil
}

// followFolder does so until the context ends.
func (s *Stream) followFolder(ctx context.Context, a *Audit) error {
	f := s.openFolder()
	for {
		if err := f.follow(ctx, a); err != nil && ctx.Err() == nil {
			return err
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return nil
		}
	}
}

// auditFolder checks all samples that are in the folder, and that nothing else is.
func (s *Stream) auditFolder(ctx context.Context) error {
	f, audit := s.openFolder(), NewAudit(s.Input.Samples)
	files, err := f.list(ctx)
	if err != nil {
		return err
	}
	var order []string
	for _, file := range files {
		order = append(order, file.Path)
		for view, sample := range f.files[file.Path].samples {
			audit.Take(view, sample)
		}
	}
	if !slices.ContainsFunc(order, func(path string) bool { return strings.Contains(path, "/hr=") }) {
		return fmt.Errorf("%s has no folders of hours", s.Outputs.Samples.Path)
	}
	if missing := audit.Missing(s.Input.Last); len(missing) > 0 {
		err = fmt.Errorf("%d samples are missing: %s", len(missing), audit.Describe(missing))
	}
	return errors.Join(audit.Err(), err)
}
