package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/spf13/cobra"

	"tributary/pipelines/serving"
	"tributary/pipelines/spec"
	"tributary/pipelines/ui"
)

func uiCmd() *cobra.Command {
	var (
		opt   ui.Options
		serve serving.Options
		every durationFlag
	)
	cmd := &cobra.Command{
		Use:   "ui SPEC",
		Short: "Serve a page about a stream: what it is like now, what holds it back, why a sample is as it is",
		Long: `Serve a page about a stream. It shows what "tributary top" shows, by the same code: which
partition holds the watermark back and why, watermark and lag of each, rates, what became of
every record, how many engagements found their view and when, stages, commits, transactions
that are open, and with --flink the job's checkpoints; the newest samples, late records, dead
letters and orphans, as "tributary tap" does; and it looks up what became of a view or an
engagement, as "tributary why" does. It is live while somebody looks, and reads nothing while
nobody does. It changes nothing.

The page is in the binary, and loads nothing from elsewhere. On loopback it answers only who
asks for 127.0.0.1 or localhost, and no page of another site. On an address that other
machines reach it needs --token-file, the file of a token that a browser asks for as a
password (any user name), and --tls-cert and --tls-key. --mask shows places and times of
records, and not what they hold.`,
		Example: `  tributary ui stream.yaml
  tributary ui stream.yaml --flink flink:8081
  tributary ui stream.yaml --listen 0.0.0.0:8443 --token-file token --tls-cert cert.pem --tls-key key.pem --mask`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkJobFlags(opt.Flink, opt.Job); err != nil {
				return err
			}
			if (serve.CertFile == "") != (serve.KeyFile == "") {
				return usageError{errors.New("--tls-cert and --tls-key go together")}
			}
			s, err := spec.Load(args[0])
			if err != nil {
				return err
			}
			opt.Every, opt.Within, opt.Version = time.Duration(every), topWithin, thisBuild().Version
			page, err := ui.New(s, opt)
			if err != nil {
				return usageError{err}
			}
			beam.Init()
			serve.Ready = func(at string) {
				tell(cmd.ErrOrStderr(), "the page of stream %s is at %s; ctrl-C ends it\n", s.Stream.Name, at)
			}
			err = page.Serve(cmd.Context(), serve)
			switch {
			case errors.Is(err, serving.ErrOpen):
				return usageError{fmt.Errorf("%w: give a --token-file, --tls-cert and --tls-key, or listen on 127.0.0.1", err)}
			case errors.Is(err, serving.ErrPlain):
				return usageError{fmt.Errorf("%w: give --tls-cert and --tls-key, or listen on 127.0.0.1", err)}
			}
			return err
		},
	}
	every = durationFlag(ui.DefaultEvery)
	flags := cmd.Flags()
	flags.StringVar(&serve.Listen, "listen", "127.0.0.1:8400", "address of the page")
	flags.StringVar(&serve.TokenFile, "token-file", "", "file of a token that a browser must give as its password (default: none is needed)")
	flags.StringVar(&serve.CertFile, "tls-cert", "", "file of the certificate for TLS, PEM (default: no TLS)")
	flags.StringVar(&serve.KeyFile, "tls-key", "", "file of its key, PEM")
	flags.Var(&every, "interval", "how often the topics are read while somebody looks")
	flags.BoolVar(&opt.Mask, "mask", false, "show places and times of records, and not what they hold")
	jobFlags(flags, &opt.Flink, &opt.Job, "the state of the job and its checkpoints")
	return cmd
}
