package folderio

import (
	"fmt"
	"path"
	"strings"
	"time"

	"tributary/io/format"
)

// Stamp is a time in the name of a file; milliseconds may follow the seconds.
const Stamp = "20060102T150405Z"

// IntervalFile names a file of what happened in [from, to) ms, in the folder of its day below root:
// root/dt=2026-01-02/kind-20260102T030000Z-20260102T040000Z and an ending; hourly, in root/dt=2026-01-02/hr=03.
// A rerun gives the same name.
func IntervalFile(root string, hourly bool, kind string, from, to int64, ending string) string {
	dated := "2006-01-02"
	if hourly {
		dated = "2006-01-02/hr=15"
	}
	// Not path.Join, which would take a slash from gs://.
	return strings.TrimSuffix(root, "/") + "/dt=" + time.UnixMilli(from).UTC().Format(dated) + "/" + kind + "-" + stampOf(from) + "-" + stampOf(to) + ending
}

func stampOf(ms int64) string {
	if ms%1000 == 0 {
		return time.UnixMilli(ms).UTC().Format(Stamp)
	}
	return time.UnixMilli(ms).UTC().Format("20060102T150405.000Z")
}

// file names the file of a shard's groups with IDs in [from, to).
func (c *Config) file(shard int32, from, to int64) string {
	ending := ""
	if in, err := format.Get[format.Writer](c.Format); err == nil { // else there is no file
		ending = in.Ending(c.Codec)
	}
	return IntervalFile(c.Path, c.Hourly, "part", from, to, fmt.Sprintf("-s%04d%s", shard, ending))
}

// within is a path in the folder that the job has for itself. Readers of records pass over what begins with _.
func (c *Config) within(name string) string {
	return strings.TrimSuffix(c.Path, "/") + "/_tributary/" + c.Job + "/" + name
}

// kept is where a group waits that is to be put together with others.
func (c *Config) kept(shard int32, id int64) string {
	return c.within("groups/" + path.Base(IntervalFile("", false, "part", id, id+c.Step, fmt.Sprintf("-s%04d.zst", shard))))
}

// Times are those in the name of a file that Write has written.
func Times(file string) (from, to int64, ok bool) {
	parts := strings.SplitN(path.Base(file), "-", 4)
	if len(parts) < 4 || parts[0] != "part" {
		return 0, 0, false
	}
	begin, err := time.Parse(Stamp, parts[1])
	end, endErr := time.Parse(Stamp, parts[2])
	return begin.UnixMilli(), end.UnixMilli(), err == nil && endErr == nil
}
