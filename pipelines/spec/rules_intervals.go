package spec

import (
	"slices"
	"time"
)

// filesFit tells whether files of samples may be made of buckets of a length, by intervalRules.
func (s *Spec) filesFit(bucket time.Duration) bool {
	return !slices.ContainsFunc(s.Outputs.SampleSinks(), func(o Output) bool {
		switch {
		case o.Path == "":
			return false
		case o.Compact > 0:
			return o.Compact%bucket != 0
		case o.Folders == FolderOfHour:
			return time.Hour%bucket != 0
		default:
			return bucket > day && s.ReadsTopics()
		}
	})
}

// intervalRules looks at whether what a file of samples is of lies in one folder, whole: a stream puts whole buckets
// together, and readers of a folder expect all of its time there and no other.
func (r *reader) intervalRules(s *Spec) {
	for i, o := range s.Outputs.SampleSinks() {
		at := dotted("outputs.samples")
		if r.isSet(at.index(i)) {
			at = at.index(i)
		}
		if o.Path == "" || s.Bucket <= 0 || !r.ok("bucket", at) {
			continue
		}
		folder, of := day, "a day"
		if o.Folders == FolderOfHour {
			folder, of = time.Hour, "an hour"
		}
		key := at.key("compact")
		switch {
		case o.Compact == 0 && o.Folders == FolderOfHour && folder%s.Bucket != 0:
			key = at.key("folders")
			p := r.problem("T1406", r.at(key), key, "the folders are of hours, and buckets of %s do not divide one", FormatDuration(s.Bucket))
			p.Hint = "set `bucket` to a length that does, like 5m"
			r.add(p)
		case o.Compact == 0 && s.Bucket > day && s.ReadsTopics():
			p := r.problem("T1406", r.at("bucket"), "bucket", "a stream has a file of samples for each bucket, and those of %s do not lie in one folder of a day", FormatDuration(s.Bucket))
			p.Hint = "write samples to a topic, or set `bucket` to 1d"
			r.add(p)
		case o.Compact == 0:
		case o.Compact%s.Bucket != 0:
			p := r.problem("T1406", r.at(key), key, "files of %s are not made of whole buckets, which are %s long", FormatDuration(o.Compact), FormatDuration(s.Bucket))
			p.Hint = "name a multiple of `bucket`"
			r.add(p)
		case folder%o.Compact != 0:
			p := r.problem("T1406", r.at(key), key, "files of %s do not divide %s, which the folders are of", FormatDuration(o.Compact), of)
			p.Hint = "name a length that does, like 1h"
			r.add(p)
		}
	}
}
