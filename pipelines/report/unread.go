package report

import (
	"bytes"
	"fmt"
	"strings"
	"time"
)

// Unread counts the files of the inputs that were left unread, because the user asked for
// part of the time and for trust in the names of dated folders.
type Unread struct {
	Files int64 `json:"files"`
	Bytes int64 `json:"bytes"`
}

// Stale are output files of an earlier run, from a time that the inputs no longer reach to.
type Stale struct {
	Files int64 `json:"files"`
	// Example is the path of one of them; From and To bound their times.
	Example string    `json:"example"`
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	// Removed says that they were.
	Removed bool `json:"removed"`
}

// namesShown is how many names a note lists.
const namesShown = 3

var (
	ruleUnread       = &rule{"unread", Warning, "Files left unread", "The names of their folders say that they lie outside the time asked for. Where records are not where their folder says, labels are missing; without --trust-folders all files are read."}
	ruleEmptyFolders = &rule{"empty_folders", Info, "Folders that match an input, but hold no data files", "Names that begin with a dot or an underscore are passed over."}
	ruleStale        = &rule{"stale", Warning, "Files of an earlier run", "The inputs no longer reach there, so they are as they were. Keep them if their input was moved away, or remove them with --prune."}
	rulePruned       = &rule{"pruned", Info, "Files of an earlier run, removed", "The inputs no longer reach there, and --prune asks for it."}
)

// files notes what was found about files before and after the join.
func (n *notes) files(r *Report) {
	if u := r.Unread; u.Files > 0 {
		n.say(ruleUnread, ruleUnread.severity, subject{}, u.Files, fmt.Sprintf("%s (%s)", grouped(u.Files), size(u.Bytes)))
	}
	if len(r.EmptyFolders) > 0 {
		n.say(ruleEmptyFolders, ruleEmptyFolders.severity, subject{}, int64(len(r.EmptyFolders)), someOf(r.EmptyFolders))
	}
	if s := r.Stale; s.Files > 0 {
		about := ruleStale
		if s.Removed {
			about = rulePruned
		}
		n.say(about, about.severity, subject{}, s.Files, fmt.Sprintf("%s of %s to %s UTC, like %s", grouped(s.Files), moment(s.From), moment(s.To), Harmless(s.Example)))
	}
}

// someOf lists the first of the names, and how many more there are.
func someOf(names []string) string {
	shown := make([]string, 0, namesShown+1)
	for _, name := range names[:min(len(names), namesShown)] {
		shown = append(shown, Harmless(name))
	}
	if more := len(names) - len(shown); more > 0 {
		shown = append(shown, grouped(int64(more))+" more")
	}
	return strings.Join(shown, ", ")
}

// marks are what pages begin with, now and before they were marked.
var marks = [][]byte{
	[]byte(`<meta name="generator" content="tributary">`),
	[]byte("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'"),
}

// IsPage tells whether a file that begins so is a page that HTML wrote.
func IsPage(start []byte) bool {
	return bytes.Contains(start, marks[0]) || bytes.HasPrefix(start, marks[1])
}
