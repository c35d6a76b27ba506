package draft

import (
	"context"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"tributary/io/fileio"
	"tributary/io/format"
	"tributary/io/format/avro"
	"tributary/pipelines/profile"
)

// group is files that are read alike: they are one input.
type group struct {
	files     []fileio.File
	format    format.Files
	anyFields bool // each record names its own
	// told says that the ending of the files tells the format.
	told bool
	// delimiter is that of tables, empty for a comma.
	delimiter format.Delimiter
	// folder and ending are what the files' names have in common: views/dt=*, .csv.gz.
	folder, ending string
	// words are those of the files' names, or of their folder's where those say nothing.
	words []string

	// only are the kinds that the group is of, if it is not all of the files.
	only *only

	schema  *avro.Schema // of the first Avro file
	types   map[string]profile.Typed
	profile *profile.Profile
	time    *timeGuess
}

// filesOfGroup is how many files of a group are looked into.
const filesOfGroup = 20

// groupFiles sorts files into groups by their names and their fields, in the order of the
// files, and profiles each.
func groupFiles(ctx context.Context, files []fileio.File, records int) ([]*group, error) {
	byName := map[string]*group{}
	var groups []*group
	for _, f := range files {
		g := groupOf(f)
		key := g.folder + "\x00" + strings.Join(g.words, " ") + "\x00" + g.ending
		if known := byName[key]; known != nil {
			known.files = append(known.files, f)
			continue
		}
		g.files = []fileio.File{f}
		byName[key] = g
		groups = append(groups, g)
	}
	for _, g := range groups {
		if err := g.look(ctx, records); err != nil {
			return nil, err
		}
	}
	var merged []*group
	for _, g := range groups {
		if at := slices.IndexFunc(merged, g.alike); at >= 0 {
			merged[at].files = append(merged[at].files, g.files...)
			if !slices.Equal(merged[at].words, g.words) {
				merged[at].words = folderWords(g.folder) // what the names do not have in common is no name of a kind
			}
			if err := merged[at].look(ctx, records); err != nil {
				return nil, err
			}
			continue
		}
		merged = append(merged, g)
	}
	for i, g := range merged {
		shared := slices.ContainsFunc(merged, func(other *group) bool { return other != merged[i] && other.folder == g.folder })
		if words := folderWords(g.folder); !shared && roleWord(g.words) == "" && roleWord(words) != "" {
			g.words = words // of hosts and the like
		}
	}
	return merged, nil
}

var (
	pairPart = regexp.MustCompile(`^([A-Za-z_]\w*)=.*$`)
	ending   = regexp.MustCompile(`(\.(avro|parquet|json|jsonl|ndjson|csv|tsv|tab|psv))?(\.(gz|zstd?|lz4))?$`)
	uuid     = regexp.MustCompile(`[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}`)
	wordOf   = regexp.MustCompile(`[A-Z]?[a-z]+|[A-Z]+`)
	// void words name no content.
	void = []string{"part", "data", "file", "files", "chunk", "export", "snappy", "c", "out", "output", "input", "of", "the", "run", "log", "logs", "raw", "tmp"}
)

// groupOf is the group that a file would be in, by its name.
func groupOf(f fileio.File) *group {
	folder, name := path.Split(f.Path)
	parts := strings.Split(strings.TrimSuffix(folder, "/"), "/")
	for i, part := range parts {
		parts[i] = pairPart.ReplaceAllString(fileio.Escape(part), "$1=*")
	}
	g := &group{folder: strings.Join(parts, "/")}
	if strings.HasPrefix(folder, "/") && g.folder == "" {
		g.folder = "/"
	}
	g.ending = ending.FindString(name)
	g.words = wordsOf(strings.TrimSuffix(name, g.ending))
	if len(g.words) == 0 {
		g.words = folderWords(g.folder)
	}
	return g
}

// folderWords are the words of the innermost folder whose name says anything.
func folderWords(folder string) []string {
	parts := strings.Split(folder, "/")
	for i := len(parts) - 1; i >= 0; i-- {
		if words := wordsOf(parts[i]); len(words) > 0 && !strings.Contains(parts[i], "=") {
			return words
		}
	}
	return nil
}

// wordsOf splits a name into its words, in small letters, without those that say nothing.
func wordsOf(name string) []string {
	var words []string
	for _, word := range wordOf.FindAllString(uuid.ReplaceAllString(name, ""), -1) {
		if word = strings.ToLower(word); !slices.Contains(void, word) {
			words = append(words, word)
		}
	}
	return words
}

// look profiles the group's first files.
func (g *group) look(ctx context.Context, records int) error {
	g.profile, g.types = profile.New(valuesKept), map[string]profile.Typed{}
	for i, f := range g.files[:min(len(g.files), filesOfGroup)] {
		files, told, err := formatOf(ctx, f.Path)
		if err != nil {
			return err
		}
		if i == 0 {
			g.format, g.told = files, told
			if g.delimiter, err = guessDelimiter(ctx, f.Path, files); err != nil {
				return err
			}
		}
		file, err := eachRecord(ctx, f.Path, files, g.delimiter, records, g.only.of(func(text []byte) error {
			g.profile.Add(text)
			return nil
		}))
		if err != nil {
			return err
		}
		if i == 0 {
			g.anyFields = file.anyFields
		}
		if file.schema != nil && i == 0 {
			g.schema = file.schema
			for _, t := range profile.OfSchema(file.schema) {
				g.types[t.Path] = t
			}
		}
	}
	if g.profile.Records == 0 {
		return fmt.Errorf("%s: there is no record in it to guess from", g.files[0].Path)
	}
	return nil
}

// alike tells whether the files of two groups are one input: beside each other, with the same
// fields, and not told apart by what their names say of their role.
func (g *group) alike(other *group) bool {
	if g.folder != other.folder || g.ending != other.ending || g.format != other.format || g.delimiter != other.delimiter {
		return false
	}
	if a, b := roleWord(g.words), roleWord(other.words); a != b {
		return false
	}
	common, all := 0, map[string]bool{}
	for _, f := range other.profile.Fields {
		all[f.Path] = true
		if g.profile.Field(f.Path) != nil {
			common++
		}
	}
	for _, f := range g.profile.Fields {
		all[f.Path] = true
	}
	// Where each record names its fields one may be missing for want of a value.
	return common == len(all) || g.anyFields && common*5 >= len(all)*4
}

// patterns are what the group's files are called in a spec: one pattern if it matches no others.
func (g *group) patterns(ctx context.Context) ([]string, error) {
	if len(g.files) > 1 && g.told {
		pattern := "*" + g.ending
		if g.folder != "" {
			pattern = strings.TrimSuffix(g.folder, "/") + "/" + pattern
		}
		found, err := fileio.List(ctx, pattern)
		if err != nil {
			return nil, err
		}
		same := func(a, b fileio.File) bool { return a.Path == b.Path }
		slices.SortFunc(g.files, func(a, b fileio.File) int { return strings.Compare(a.Path, b.Path) })
		if slices.EqualFunc(found, g.files, same) {
			return []string{pattern}, nil
		}
	}
	paths := make([]string, len(g.files))
	for i, f := range g.files {
		paths[i] = fileio.Escape(f.Path)
	}
	return paths, nil
}
