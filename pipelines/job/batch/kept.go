package batch

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"

	"tributary/pipelines/spec/problem"
)

// Kept are the files that a stream reads, by the input that they are of (attribution.Input.Name): a run that goes on reads
// the same.
type Kept map[string]KeptInput

// KeptInput are the files that an input meant when the job began.
type KeptInput struct {
	// Pattern is what the spec says of them.
	Pattern string     `json:"pattern"`
	Files   []KeptFile `json:"files"`
}

// KeptFile is a file as it was read: its size, what told this version of it from others (fileio.File), and a hash of its bytes.
type KeptFile struct {
	Path    string `json:"path"`
	Size    int64  `json:"size"`
	Version string `json:"version"`
	Content uint64 `json:"content"`
}

// Text is k in few bytes, for ParseKept. Paths are much alike: a file takes some twenty.
func (k Kept) Text() (string, error) {
	plain, err := json.Marshal(k)
	if err != nil {
		return "", err
	}
	packed, err := pack(plain)
	return base64.StdEncoding.EncodeToString(packed), err
}

// ParseKept reads what Text wrote; nothing if that is empty.
func ParseKept(text string) (k Kept, err error) {
	if text == "" {
		return nil, nil
	}
	packed, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("files of the run before: %w", err)
	}
	plain, err := unpack(packed)
	if err == nil {
		err = json.Unmarshal(plain, &k)
	}
	if err != nil {
		return nil, fmt.Errorf("files of the run before: %w", err)
	}
	return k, nil
}

// keep leaves out files that the run before did not read, and refuses that one it did is gone. What an input means now counts
// where the spec has another pattern.
func (p *plan) keep(kept Kept) error {
	var problems problem.List
	for i := range p.sources {
		src := &p.sources[i]
		was, ok := kept[p.params.Inputs[i].Name]
		if !ok || src.Topic != "" || was.Pattern != src.Path {
			continue
		}
		wanted := map[string]bool{}
		for _, f := range was.Files {
			wanted[f.Path] = true
		}
		for _, f := range p.files {
			f.roles = slices.DeleteFunc(f.roles, func(r role) bool { return r.source == i && !wanted[f.Path] })
			delete(wanted, f.Path)
		}
		for _, f := range was.Files {
			if wanted[f.Path] {
				problems = append(problems, p.problem(codeFileChanged, f.Path+" is gone, which the run before has read", src))
			}
		}
	}
	files := p.files[:0]
	for _, f := range p.files {
		if len(f.roles) > 0 {
			files = append(files, f)
		}
	}
	p.files = files
	problems.Sort()
	return asError(problems)
}

// unchanged refuses files that are not as the run before has read them.
func (p *plan) unchanged(kept Kept) error {
	var problems problem.List
	for _, f := range p.files {
		for _, r := range f.roles {
			src := &p.sources[r.source]
			was := kept[p.params.Inputs[r.source].Name]
			for _, k := range was.Files {
				if was.Pattern != src.Path || k.Path != f.Path || k.Content == f.Content {
					continue
				}
				problems = append(problems, p.problem(codeFileChanged, fmt.Sprintf("%s is not as the run before has read it: then %d bytes of version %s, now %d of %s",
					f.Path, k.Size, k.Version, f.Size, f.Version), src))
			}
		}
	}
	for i := range problems {
		problems[i].Hint = "bring it back as it was, or begin another job, with a stream.name and outputs of its own"
	}
	problems.Sort()
	return asError(problems)
}

// kept are the files of the plan.
func (p *plan) kept() Kept {
	kept := Kept{}
	for _, f := range p.files {
		for _, r := range f.roles {
			name := p.params.Inputs[r.source].Name
			k := kept[name]
			k.Pattern = p.sources[r.source].Path
			k.Files = append(k.Files, KeptFile{f.Path, f.Size, f.Version, f.Content})
			kept[name] = k
		}
	}
	return kept
}
