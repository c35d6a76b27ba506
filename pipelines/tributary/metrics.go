package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/spf13/cobra"

	"tributary/pipelines/metrics"
	"tributary/pipelines/metrics/exporter"
	"tributary/pipelines/serving"
	"tributary/pipelines/spec"
)

func metricsCmd() *cobra.Command {
	var (
		opt              exporter.Options
		serve            serving.Options
		interval, audits durationFlag
		once             bool
		rules, dashboard bool
	)
	cmd := &cobra.Command{
		Use:   "metrics SPEC | --rules | --dashboard",
		Short: "Serve the metrics of a stream to Prometheus; print alert rules and a dashboard",
		Long: `Serve the metrics of a stream to Prometheus, at /metrics: what became of every event, delays
of labels, watermark and lag of each partition, what each stage has committed and how late,
transactions. It reads the topics that the job writes, every --interval and not at each
scrape, by the code of "tributary report": its numbers are the report's, and exact whatever
was restarted. With --flink it has the job's checkpoints, with --audit-every what audits
find. "tributary help metrics" lists all metrics, "tributary help alerts" the alerts with
what to do.

On an address that other machines reach it needs --token-file, the file of a token that
Prometheus brings (authorization: {credentials_file: ...}), or else --let-anyone-read. On
loopback it answers only who asks for 127.0.0.1 or localhost.

--rules prints the alert rules for Prometheus, --dashboard a dashboard for Grafana.`,
		Example: `  tributary metrics stream.yaml
  tributary metrics stream.yaml --flink flink:8081 --audit-every 1h
  tributary metrics stream.yaml --listen 0.0.0.0:9464 --token-file token
  tributary metrics stream.yaml --once | grep views
  tributary metrics --rules >tributary.rules.yaml
  tributary metrics --dashboard >tributary.json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if rules || dashboard {
				if len(args) > 0 || rules && dashboard {
					return usageError{errors.New("--rules and --dashboard stand alone: they are the same for every stream")}
				}
				text := metrics.Dashboard()
				if rules {
					text = metrics.Rules()
				}
				_, err := cmd.OutOrStdout().Write(text)
				return err
			}
			if len(args) == 0 {
				return usageError{errors.New("a spec is needed, or --rules or --dashboard")}
			}
			if err := checkJobFlags(opt.Flink, opt.Job); err != nil {
				return err
			}
			s, err := spec.Load(args[0])
			if err != nil {
				return err
			}
			opt.Interval, opt.AuditEvery = time.Duration(interval), time.Duration(audits)
			opt.Version = thisBuild().Version
			opt.Log = slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
			e, err := exporter.New(s, opt)
			if err != nil {
				return usageError{err}
			}
			beam.Init()
			if once {
				return e.Text(cmd.Context(), cmd.OutOrStdout())
			}
			serve.Ready = func(at string) { tellServed(cmd.ErrOrStderr(), at) }
			if err := e.Serve(cmd.Context(), serve); errors.Is(err, serving.ErrOpen) {
				return usageError{fmt.Errorf("%w: give a --token-file, listen on 127.0.0.1, or say --let-anyone-read", err)}
			} else if err != nil {
				return err
			}
			return nil
		},
	}
	interval = durationFlag(exporter.DefaultInterval)
	flags := cmd.Flags()
	flags.StringVar(&serve.Listen, "listen", "127.0.0.1:9464", "address for Prometheus")
	flags.StringVar(&serve.TokenFile, "token-file", "", "file of a token that each scrape must bring (default: none is needed)")
	flags.BoolVar(&serve.Open, "let-anyone-read", false, "serve whoever reaches the address from other machines, without a token")
	flags.Var(&interval, "interval", "how often the topics are read")
	flags.Var(&audits, "audit-every", "how often the job is audited, each time all that its topics hold (default: never)")
	flags.StringVar(&opt.Scratch, "scratch", "", "a folder on a local disk for audits (default: the system's for temporary files)")
	jobFlags(flags, &opt.Flink, &opt.Job, "the job's checkpoints")
	flags.BoolVar(&once, "once", false, "read once, print the metrics to stdout, and end")
	flags.BoolVar(&rules, "rules", false, "print alert rules for Prometheus")
	flags.BoolVar(&dashboard, "dashboard", false, "print a dashboard for Grafana")
	must(cmd.MarkFlagDirname("scratch"))
	return cmd
}

func tellServed(w io.Writer, at string) { tell(w, "metrics at %s/metrics\n", at) }
