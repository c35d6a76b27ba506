package generate

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"tributary/pipelines/spec"
)

// Kind is one kind of engagement.
type Kind struct {
	// Name is how the spec and the records call it.
	Name string
	// Rate is the chance that a view gets one, Repeat the chance of another after each.
	Rate, Repeat float64
	// Window is the attribution window.
	Window time.Duration
	// Median and Sigma shape the log-normal delay after the view. Delays that would lie
	// outside all reach of the join are drawn again.
	Median time.Duration
	Sigma  float64
	// Amount is the mean of the amount field; 0 makes every amount 1. Amounts are
	// multiples of 1/4, so that sums do not depend on their order.
	Amount float64
}

const (
	// maxKinds and maxRepeats fit an engagement's number into its event id (see eventKey).
	maxKinds   = 64
	maxRepeats = 256
	// maxSpan is the longest duration that a spec takes.
	maxSpan = 366 * 24 * time.Hour
	// maxAmount keeps amounts exact in the float of the older schema.
	maxAmount = 10_000
)

// kindName is what the spec takes for a kind's name.
var kindName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// Validate reports everything that is wrong with k at once.
func (k *Kind) Validate() error {
	var errs []error
	fail := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("kind %s: "+format, append([]any{k.Name}, args...)...))
	}
	if !kindName.MatchString(k.Name) {
		errs = append(errs, fmt.Errorf("kind %q: a name is a lower-case letter and then letters, digits and _", k.Name))
	}
	if !(k.Rate >= 0 && k.Rate <= 1) {
		fail("rate must be in [0, 1], got %v", k.Rate)
	}
	if !(k.Repeat >= 0 && k.Repeat <= 0.9) {
		fail("repeat must be in [0, 0.9], got %v", k.Repeat)
	}
	if k.Window <= 0 || k.Window > maxSpan || k.Window%time.Millisecond != 0 {
		fail("window must be whole milliseconds, up to %s, got %s", maxSpan, k.Window)
	}
	// With the median inside the window at least every other draw is of use.
	if k.Median <= 0 || k.Median > k.Window || k.Median%time.Millisecond != 0 {
		fail("median must be whole milliseconds, and no longer than the window %s, got %s", k.Window, k.Median)
	}
	if !(k.Sigma >= 0 && k.Sigma <= 10) {
		fail("sigma must be in [0, 10], got %v", k.Sigma)
	}
	if !(k.Amount >= 0 && k.Amount <= maxAmount) {
		fail("amount must be in [0, %v], got %v", maxAmount, k.Amount)
	}
	return errors.Join(errs...)
}

// String returns k as ParseKinds reads it.
func (k Kind) String() string {
	number := func(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }
	return fmt.Sprintf("%s:%s:window=%s,median=%s,sigma=%s,repeat=%s,amount=%s",
		k.Name, number(k.Rate), spec.FormatDuration(k.Window), spec.FormatDuration(k.Median), number(k.Sigma), number(k.Repeat), number(k.Amount))
}

// ParseKinds reads kinds of engagement separated by spaces, each
//
//	NAME:RATE[:OPTION=VALUE,...]
//
// where RATE is like 10% or 0.1 and the options are window, median (durations), sigma,
// repeat and amount (numbers). Without one, window is what is given here, median 22s or
// the window if that is shorter, sigma 1.2, repeat and amount 0. The error tells all
// that is wrong.
func ParseKinds(text string, window time.Duration) ([]Kind, error) {
	var kinds []Kind
	var errs []error
	for _, one := range strings.Fields(text) {
		k, err := parseKind(one, window)
		if err != nil {
			errs = append(errs, fmt.Errorf("kind %q: %w", one, err))
			continue
		}
		if err := k.Validate(); err != nil {
			errs = append(errs, err)
		}
		kinds = append(kinds, k)
	}
	return kinds, errors.Join(errs...)
}

func parseKind(text string, window time.Duration) (Kind, error) {
	name, rest, found := strings.Cut(text, ":")
	if !found {
		return Kind{}, errors.New("must be NAME:RATE or NAME:RATE:OPTION=VALUE,..., like like:10%:median=22s")
	}
	rate, options, _ := strings.Cut(rest, ":")
	k := Kind{Name: name, Window: window, Sigma: 1.2}
	var errs []error
	var err error
	if k.Rate, err = ParseRate(rate); err != nil {
		errs = append(errs, fmt.Errorf("rate: %w", err))
	}
	for _, option := range strings.FieldsFunc(options, func(r rune) bool { return r == ',' }) {
		key, value, _ := strings.Cut(option, "=")
		switch key {
		case "window":
			k.Window, err = spec.ParseDuration(value)
		case "median":
			k.Median, err = spec.ParseDuration(value)
		case "sigma":
			k.Sigma, err = strconv.ParseFloat(value, 64)
		case "repeat":
			k.Repeat, err = ParseRate(value)
		case "amount":
			k.Amount, err = strconv.ParseFloat(value, 64)
		default:
			err = errors.New("no such option; there are window, median, sigma, repeat and amount")
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", key, err))
		}
	}
	if k.Median == 0 {
		k.Median = min(22*time.Second, k.Window)
	}
	return k, errors.Join(errs...)
}

// ParseRate reads a rate, like 10% or 0.1.
func ParseRate(text string) (float64, error) {
	number, percent := strings.CutSuffix(text, "%")
	rate, err := strconv.ParseFloat(number, 64)
	if percent {
		rate /= 100
	}
	if err != nil || !(rate >= 0 && rate <= 1) {
		return 0, fmt.Errorf("%q is no rate from 0 to 1 or from 0%% to 100%%", text)
	}
	return rate, nil
}
