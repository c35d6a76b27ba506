package audit

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"tributary/io/fileio"
	"tributary/io/folderio"
	"tributary/io/format"
	"tributary/transforms/attribution/rules"
)

// readFolder gives the samples of a folder to the parts.
func (k *sink) readFolder(ctx context.Context, to *parts, c *comparison) error {
	return k.eachFile(ctx, func(of *stage, path, name string) error { return k.readFile(ctx, of, path, name, to, c) })
}

// eachFile visits the files of samples in a folder, stage by stage; name is what the path is below the folder.
func (k *sink) eachFile(ctx context.Context, visit func(of *stage, path, name string) error) error {
	for i := range k.stages {
		of := &k.stages[i]
		files, err := fileio.List(ctx, fileio.Escape(of.folder.Config.Path)+"/dt=*/**/*")
		if none := (*fileio.NoMatchError)(nil); errors.As(err, &none) {
			continue
		}
		if err != nil {
			return err
		}
		for _, file := range files {
			if err := visit(of, file.Path, strings.TrimPrefix(file.Path, strings.TrimSuffix(k.output.Path, "/")+"/")); err != nil {
				return err
			}
		}
	}
	return nil
}

func (k *sink) readFile(ctx context.Context, of *stage, path, name string, to *parts, c *comparison) error {
	shard := shardOf(name)
	c.there[name] = true
	at := int64(0)
	take := func(source *samples, raw []byte) error {
		one := entry{side: sideHave, schema: source.schema, raw: raw, partition: shard, offset: at, producer: noProducer, file: name, folder: of.name}
		at++
		if err := source.keys(raw, &one); err != nil {
			c.unreadable(Finding{Stage: of.name, File: name, Offset: &one.offset, Note: err.Error()})
			return nil //nolint:nilerr // it is a finding
		}
		if !c.inRange(of, one.time) {
			return nil
		}
		return to.put(&one)
	}
	damaged := func(err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		c.unreadable(Finding{Stage: of.name, File: name, Note: err.Error()})
		return nil
	}
	return c.schemas.each(ctx, path, take, damaged)
}

// noShard is that of a file of several.
const noShard = -1

// shardOf is the shard in the name of a file of a stream.
func shardOf(name string) int32 {
	_, rest, found := strings.Cut(name[strings.LastIndexByte(name, '/')+1:], "-s")
	if !found {
		return noShard
	}
	n, err := strconv.ParseInt(rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789"))], 10, 32)
	if err != nil {
		return noShard
	}
	return int32(n)
}

// place is the shard of a sample that a stream's folder must hold, and its file; false where it cannot be told.
func (k *sink) place(of *stage, e *entry, keyed bool) (shard int32, file string, ok bool) {
	if !of.streamed || of.folder == nil || keyed || of.folder.Config.Shards < 1 {
		return noShard, "", false
	}
	config := &of.folder.Config
	each := config.Step
	if config.Compact > 0 {
		each = config.Compact
	}
	shard = int32(rules.HashID(e.id) % uint64(config.Shards))
	from := floor(e.time, each)
	in, err := format.Get[format.Writer](config.Format)
	if err != nil {
		return noShard, "", false
	}
	file = folderio.IntervalFile(config.Path, config.Hourly, "part", from, from+each, fmt.Sprintf("-s%04d%s", shard, in.Ending(config.Codec)))
	return shard, strings.TrimPrefix(file, strings.TrimSuffix(k.output.Path, "/")+"/"), true
}

// inRange tells whether a view's time is in the range of a stage, and counts it if it is not.
func (c *comparison) inRange(of *stage, time int64) bool {
	switch n := c.stage(of.name); {
	case time >= of.closed, !of.within(time):
		n.NotClosed++
	case time < of.from, time >= of.to:
		n.Outside++
	default:
		return true
	}
	return false
}
