package demo

import (
	"bytes"
	"context"
	_ "embed"
	"maps"
	"path/filepath"
	"text/template"
	"time"

	"tributary/io/fileio"
	"tributary/io/kafkaio/cluster"
	"tributary/pipelines/sim/generate"
	"tributary/pipelines/sim/replay"
	"tributary/pipelines/spec"
)

// partitions is how many views have, and engagements.
const partitions = 4

// traffic is views and engagements on their way to topics, with the truth about them.
type traffic struct {
	dir                string
	config             generate.Config
	views, engagements *replay.Source
	truth              *truth
}

// kinds are those of spec.yaml.
const kinds = "like:20%:window=2m,median=22s,repeat=10% share:3%:window=2m,median=40s buy:1.5%:window=4m,median=60s,amount=20"

// config is a feed for twenty minutes, with every fault of a real log. What the join has to
// know of it is in spec.yaml, too.
func config(opt Options, dir string) (c generate.Config, err error) {
	c = generate.Default()
	c.Out, c.Views, c.Seed, c.Duration, c.Diurnal = dir, opt.Views, opt.Seed, 20*time.Minute, 0
	c.Partitions, c.Order, c.Spec, c.Users, c.Items = partitions, generate.OrderFile, false, 5000, 2000
	c.OutOfOrderness, c.ClockSkew, c.Disorder, c.DuplicatesWithin = 30*time.Second, 2*time.Second, 20*time.Second, 10*time.Second
	c.Duplicates, c.Late, c.Orphans, c.Malformed, c.Early, c.Edges = 0.02, 0.01, 0.02, 0.005, 0.02, 0.05
	c.Kinds, err = generate.ParseKinds(kinds, 0)
	return c, err
}

// makeTraffic makes the files in dir, with the schema of engagements beside that of views.
func makeTraffic(ctx context.Context, opt Options, dir string) (*traffic, error) {
	c, err := config(opt, dir)
	if err != nil {
		return nil, err
	}
	counts, err := generate.Run(ctx, c, nil)
	if err != nil {
		return nil, err
	}
	t := &traffic{dir: dir, config: c}
	if t.truth, err = readTruth(ctx, dir+"/truth", counts); err != nil {
		return nil, err
	}
	// Topics get their names when it is known where they are.
	if t.views, err = replay.Open(ctx, dir+"/views", "views", "ts"); err != nil {
		return nil, err
	}
	if t.engagements, err = replay.Open(ctx, dir+"/engagements", "engagements", "ts"); err != nil {
		return nil, err
	}
	return t, fileio.WriteFile(ctx, filepath.Join(dir, "engagement.avsc"), []byte(t.engagements.Schema.String()+"\n"))
}

// specText is the spec with the names of a place to be filled in.
//
//go:embed spec.yaml
var specText string

// spec writes the spec of the join at a place, and names the topics that traffic goes to.
func (t *traffic) spec(ctx context.Context, on place) (*spec.Spec, error) {
	form, err := template.New("spec.yaml").Option("missingkey=error").Parse(specText)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	if err := form.Execute(&text, map[string]string{"Broker": on.broker(), "Prefix": on.prefix(), "Name": on.prefix() + "demo"}); err != nil {
		return nil, err
	}
	t.views.Topic, t.engagements.Topic = on.prefix()+"views", on.prefix()+"engagements"
	path := filepath.Join(t.dir, "stream.yaml")
	if err := fileio.WriteFile(ctx, path, text.Bytes()); err != nil {
		return nil, err
	}
	return spec.Parse(path, text.Bytes())
}

// ends are the ends of the topics once all is sent.
func (t *traffic) ends(name string) map[cluster.Partition]int64 {
	out := t.views.Ends(name)
	maps.Copy(out, t.engagements.Ends(name))
	return out
}

// speed is how much faster than the clock event time goes by, to send all views in so long.
func (t *traffic) speed(sending time.Duration) float64 {
	if sending == 0 {
		return 0
	}
	return float64(t.config.Duration) / float64(sending)
}
