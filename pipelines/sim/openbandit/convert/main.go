// Command convert writes views and clicks from the dataset's files: run it by
// `go generate ./pipelines/sim/openbandit`.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/gzip"

	"tributary/io/fileio"
	"tributary/pipelines/sim/openbandit"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: convert DIR")
		os.Exit(2)
	}
	for _, campaign := range openbandit.Campaigns {
		if err := convert(context.Background(), os.Args[1], campaign); err != nil {
			fmt.Fprintln(os.Stderr, "convert:", err)
			os.Exit(1)
		}
	}
}

// convert reads DIR/openbandit-CAMPAIGN-random.csv.gz and writes DIR/views/CAMPAIGN.avro
// and DIR/clicks/CAMPAIGN.avro.
func convert(ctx context.Context, dir, campaign string) (err error) {
	in, err := os.Open(filepath.Join(dir, "openbandit-"+campaign+"-random.csv.gz"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	rows, err := gzip.NewReader(in)
	if err != nil {
		return fmt.Errorf("%s: %w", in.Name(), err)
	}
	views, err := fileio.Create(ctx, filepath.Join(dir, "views", campaign+".avro"))
	if err != nil {
		return err
	}
	defer views.Abort()
	clicks, err := fileio.Create(ctx, filepath.Join(dir, "clicks", campaign+".avro"))
	if err != nil {
		return err
	}
	defer clicks.Abort()
	nViews, nClicks, err := openbandit.Convert(campaign, rows, views, clicks)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %d views, %d clicks\n", campaign, nViews, nClicks)
	return errors.Join(views.Commit(), clicks.Commit())
}
