package exporter

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// ErrUnread says that a source could not be read.
var ErrUnread = errors.New("not all could be read")

// Text reads the metrics once, audits if that is asked for, and writes them as Prometheus takes them. Of what could not be read, which the log
// says, it writes that, and returns ErrUnread.
func (e *Exporter) Text(ctx context.Context, w io.Writer) error {
	e.Read(ctx)
	if e.opt.AuditEvery > 0 {
		e.audit(ctx)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	own := prometheus.NewRegistry()
	own.MustRegister(e)
	families, err := own.Gather()
	if err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	encoder := expfmt.NewEncoder(w, expfmt.NewFormat(expfmt.TypeTextPlain).WithEscapingScheme(model.UnderscoreEscaping))
	for _, family := range families {
		if err := encoder.Encode(family); err != nil {
			return fmt.Errorf("write metrics: %w", err)
		}
	}
	if failed := e.failed(); len(failed) > 0 {
		return fmt.Errorf("%w: %s", ErrUnread, strings.Join(failed, ", "))
	}
	return nil
}

// failed are the sources that could not be read.
func (e *Exporter) failed() (names []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for name, r := range e.read {
		if !r.up {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
