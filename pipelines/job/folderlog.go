package job

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"strings"
	"time"

	"tributary/io/fileio"
	"tributary/io/kafkaio/commitlog"
	"tributary/io/kafkaio/sink"
)

// folderLog is what a folder of samples says of the job that writes it, in a file that readers of samples
// do not look at: its name begins with _. The files of samples are the rest of the commit log.
type folderLog struct {
	Job string `json:"job"`
	// FencingEpoch counts how often the job was begun or recovered. Who has a smaller one steps back.
	FencingEpoch int64 `json:"fencing_epoch"`
	Step         int64 `json:"step_ms"`
	Shards       int32 `json:"shards"`
	// CommittedBefore: all files of earlier buckets are written, and what else belongs to the job;
	// commitlog.NoID if that is not known of any.
	CommittedBefore int64             `json:"committed_before_ms"`
	Meaning         map[string]string `json:"meaning,omitempty"`
	State           map[string]string `json:"state,omitempty"`
}

func folderLogPath(folder, job string) string {
	return strings.TrimSuffix(folder, "/") + "/_tributary/" + job + ".json"
}

// readFolderLog returns nil if there is none.
func readFolderLog(ctx context.Context, folder, job string) (*folderLog, error) {
	path := folderLogPath(folder, job)
	content, err := fileio.ReadFile(ctx, path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	l := &folderLog{}
	if err := json.Unmarshal(content, l); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return l, nil
}

func (l *folderLog) write(ctx context.Context, folder string) error {
	content, err := json.MarshalIndent(l, "", "  ")
	if err != nil {
		return err
	}
	file, err := fileio.Create(ctx, folderLogPath(folder, l.Job))
	if err != nil {
		return err
	}
	defer file.Abort()
	if _, err := file.Write(append(content, '\n')); err != nil {
		return err
	}
	return file.Commit()
}

func (l *folderLog) progress() commitlog.Progress {
	return commitlog.Progress{CommittedBefore: l.CommittedBefore, FencingEpoch: l.FencingEpoch, Meaning: l.Meaning, State: l.State}
}

// ReadProgress returns how far the job has come, as commitlog.ReadProgress does.
func (f *SampleFolder) ReadProgress(ctx context.Context, w sink.Config) (commitlog.Progress, error) {
	l, err := readFolderLog(ctx, f.Path, w.Job)
	if err != nil {
		return commitlog.Progress{}, err
	}
	if l == nil {
		l = &folderLog{CommittedBefore: commitlog.NoID}
	}
	return l.progress(), nil
}

// Begin makes this run the one that writes, as sink.Begin does: a job that has written is sink.ErrBegun.
func (f *SampleFolder) Begin(ctx context.Context, w sink.Config) (commitlog.Progress, error) {
	l, err := readFolderLog(ctx, f.Path, w.Job)
	if err != nil {
		return commitlog.Progress{}, err
	}
	if l != nil {
		return commitlog.Progress{}, fmt.Errorf("begin job %s: %w: %s says so", w.Job, sink.ErrBegun, folderLogPath(f.Path, w.Job))
	}
	return f.claim(ctx, w, &folderLog{CommittedBefore: commitlog.NoID})
}

// Recover makes this run the one that writes, as sink.Recover does. Files of buckets that are not known to be
// complete go, if records mean something else now or are spread over other shards: they are written anew.
func (f *SampleFolder) Recover(ctx context.Context, w sink.Config) (commitlog.Progress, error) {
	l, err := readFolderLog(ctx, f.Path, w.Job)
	if err != nil {
		return commitlog.Progress{}, err
	}
	if l == nil {
		l = &folderLog{CommittedBefore: commitlog.NoID, Step: w.Step, Shards: w.Shards, Meaning: w.Meaning}
	}
	if l.Step != w.Step {
		return commitlog.Progress{}, fmt.Errorf("%s is of buckets of %s, not %s: their length stays as it is for as long as the samples are in one folder",
			folderLogPath(f.Path, w.Job), time.Duration(l.Step)*time.Millisecond, time.Duration(w.Step)*time.Millisecond)
	}
	if l.Shards != w.Shards || !maps.Equal(l.Meaning, w.Meaning) {
		if err := f.removeFrom(ctx, l.CommittedBefore); err != nil {
			return commitlog.Progress{}, err
		}
	}
	return f.claim(ctx, w, l)
}

func (f *SampleFolder) claim(ctx context.Context, w sink.Config, l *folderLog) (commitlog.Progress, error) {
	next := &folderLog{
		Job: w.Job, FencingEpoch: l.FencingEpoch + 1, Step: w.Step, Shards: w.Shards, CommittedBefore: l.CommittedBefore, Meaning: w.Meaning, State: w.State,
	}
	return next.progress(), next.write(ctx, f.Path)
}

// removeFrom removes the files of buckets from one on.
func (f *SampleFolder) removeFrom(ctx context.Context, start int64) error {
	files, err := fileio.List(ctx, strings.TrimSuffix(f.Path, "/")+"/dt=*/part-*-s*")
	if none := (*fileio.NoMatchError)(nil); errors.As(err, &none) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, file := range files {
		name := file.Path[strings.LastIndexByte(file.Path, '/')+1:]
		from, _, _ := strings.Cut(strings.TrimPrefix(name, "part-"), "-")
		at, err := time.Parse(Stamp, from)
		if err != nil || at.UnixMilli() < start {
			continue
		}
		if err := fileio.Remove(ctx, file.Path); err != nil {
			return err
		}
	}
	return nil
}

// folderProgressFn notes the largest bucket of each window, when the window closes.
type folderProgressFn struct {
	Folder, Job           string
	FencingEpoch          int64
	Step, ProvisionalFrom int64

	// through is the largest bucket seen, noted the last one that was written down.
	through, noted int64
}

func (f *folderProgressFn) Setup() { f.through, f.noted = commitlog.NoID, commitlog.NoID }

func (f *folderProgressFn) ProcessElement(_ int64, starts func(*int64) bool) {
	var start int64
	for starts(&start) {
		if f.ProvisionalFrom == 0 || start < f.ProvisionalFrom {
			f.through = max(f.through, start)
		}
	}
}

func (f *folderProgressFn) FinishBundle(ctx context.Context) error {
	if f.through <= f.noted {
		return nil
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	l, err := readFolderLog(ctx, f.Folder, f.Job)
	if err != nil {
		return err
	}
	if l == nil || l.FencingEpoch != f.FencingEpoch {
		return fmt.Errorf("%s is of another run: job %s was begun or resumed since", folderLogPath(f.Folder, f.Job), f.Job)
	}
	if before := f.through + f.Step; before > l.CommittedBefore {
		l.CommittedBefore = before
		if err := l.write(ctx, f.Folder); err != nil {
			return err
		}
	}
	f.noted = f.through
	return nil
}
