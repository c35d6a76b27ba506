package folderio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"tributary/io/fileio"
)

// header is what a run's log says: whose the folder's files are, and how far they go. Of a job's logs the one with
// the largest number counts.
type header struct {
	Job string `json:"job"`
	// FencingEpoch is the log's number: how often the job was begun or recovered.
	FencingEpoch int64 `json:"fencing_epoch"`
	// Run tells two runs apart that want the same number.
	Run    string `json:"run"`
	Step   int64  `json:"step_ms"`
	Layout string `json:"layout"`
	// CommittedBefore: all groups with smaller IDs are in their files, and what else belongs to the job is written;
	// NoID if that is not known of any. They stay as they are.
	CommittedBefore int64 `json:"committed_before_ms"`
	// Since is what CommittedBefore was when the run began.
	Since int64 `json:"since_ms"`
	// ProvisionalFrom: later groups may be written again with other content.
	ProvisionalFrom int64 `json:"provisional_from_ms,omitempty"`
	// RewrittenBefore: of the groups with smaller IDs some were removed, to be written anew.
	RewrittenBefore int64 `json:"rewritten_before_ms,omitempty"`
	// Recovering says that files of the run before may still be there that are to go.
	Recovering bool              `json:"recovering,omitempty"`
	Meaning    map[string]string `json:"meaning,omitempty"`
	State      map[string]string `json:"state,omitempty"`
}

func (c *Config) logPath(epoch int64) string { return c.within(fmt.Sprintf("%06d.json", epoch)) }

// latest is the log that counts, nil if there is none.
func (s steps) latest(ctx context.Context, c *Config) (*header, error) {
	logs, err := s.list(ctx, c.within(""), "*.json")
	if err != nil || len(logs) == 0 {
		return nil, err
	}
	var epochs []int64
	for _, file := range logs {
		epoch, err := strconv.ParseInt(strings.TrimSuffix(path.Base(file.Path), ".json"), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%s is no log of a job: %w", file.Path, err)
		}
		epochs = append(epochs, epoch)
	}
	return s.read(ctx, c, slices.Max(epochs))
}

func (s steps) read(ctx context.Context, c *Config, epoch int64) (*header, error) {
	content, err := s.readFile(ctx, c.logPath(epoch))
	if err != nil {
		return nil, err
	}
	h := &header{}
	if err := json.Unmarshal(content, h); err != nil {
		return nil, fmt.Errorf("%s: %w", c.logPath(epoch), err)
	}
	if h.Job != c.Job || h.FencingEpoch != epoch {
		return nil, fmt.Errorf("%s says that it is log %d of job %s", c.logPath(epoch), h.FencingEpoch, h.Job)
	}
	return h, nil
}

func (h *header) text() ([]byte, error) {
	content, err := json.MarshalIndent(h, "", "  ")
	return append(content, '\n'), err
}

// create writes a log that is not there yet: one of the runs that try can.
func (s steps) createLog(ctx context.Context, c *Config, h *header) error {
	content, err := h.text()
	if err != nil {
		return err
	}
	err = s.do(func() error { return fileio.WriteNew(ctx, c.logPath(h.FencingEpoch), content) })
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%w, at the same time", ErrFenced)
	}
	return err
}

// rewrite changes the run's own log.
func (s steps) rewriteLog(ctx context.Context, c *Config, h *header) error {
	content, err := h.text()
	if err != nil {
		return err
	}
	return s.writeFile(ctx, c.logPath(h.FencingEpoch), content)
}

// fence returns ErrFenced if another run has come after this one, and else the run's log.
func (w *Writer) fence(ctx context.Context) (*header, error) {
	h, err := w.steps.read(ctx, &w.c, w.c.FencingEpoch)
	if err != nil {
		return nil, err
	}
	next := w.c.logPath(w.c.FencingEpoch + 1)
	there, err := w.steps.exists(ctx, next)
	if err == nil && there {
		err = fmt.Errorf("job %s: %w: %s says so", w.c.Job, ErrFenced, next)
	}
	return h, err
}

// note notes that all groups with IDs up to through are written, and removes what nobody needs any more.
func (w *Writer) note(ctx context.Context, through int64) error {
	h, err := w.fence(ctx)
	if err != nil {
		return err
	}
	if before := through + w.c.Step; before > h.CommittedBefore {
		h.CommittedBefore = before
		if err := w.steps.rewriteLog(ctx, &w.c, h); err != nil {
			return err
		}
	}
	for _, where := range []string{"groups", "staged"} {
		if _, err := w.steps.removeFiles(ctx, w.c.within(where), "*", func(_, to int64) bool { return to <= h.CommittedBefore }); err != nil {
			return err
		}
	}
	return nil
}

// removeFiles removes the files of groups that match, by their times, and returns the latest end of one.
func (s steps) removeFiles(ctx context.Context, folder, pattern string, which func(from, to int64) bool) (latest int64, err error) {
	files, err := s.list(ctx, folder, pattern)
	if err != nil {
		return 0, err
	}
	for _, file := range files {
		from, to, ok := Times(file.Path)
		if !ok || !which(from, to) {
			continue
		}
		latest = max(latest, to)
		if err := s.remove(ctx, file.Path); err != nil {
			return 0, err
		}
	}
	return latest, nil
}

// Jobs names the jobs that write, or have written, to a folder, or to those in it that a pattern matches, if it is not empty.
func Jobs(ctx context.Context, folder, pattern string) ([]string, error) {
	logs, err := steps{}.list(ctx, folder, path.Join(pattern, "_tributary/*/*.json"))
	if err != nil {
		return nil, err
	}
	var jobs []string
	for _, file := range logs {
		jobs = append(jobs, path.Base(path.Dir(file.Path)))
	}
	slices.Sort(jobs)
	return slices.Compact(jobs), nil
}
