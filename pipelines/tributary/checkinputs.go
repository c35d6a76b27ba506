package main

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/pflag"

	"tributary/pipelines/job/preview"
	"tributary/pipelines/spec"
)

// recordsOfFile is how many records of each file are looked at by default: enough to see what
// is wrong with a whole file, read in milliseconds.
const recordsOfFile = 1000

// inputsFlag is whether inputs are looked at, and how many records of each file; 0 for all.
type inputsFlag struct {
	set     bool
	records int64
}

func (f *inputsFlag) add(flags *pflag.FlagSet) {
	f.records = recordsOfFile
	flags.Var(inputsValue{f}, "inputs", "look into every file too: at the first records of each, or with --inputs=all at all of them")
	flags.Lookup("inputs").NoOptDefVal = "first"
	flags.Var(recordsValue{f}, "records", "how many records of each file --inputs looks at; 0 for all")
}

type inputsValue struct{ of *inputsFlag }

func (v inputsValue) String() string {
	if v.of == nil || !v.of.set {
		return ""
	}
	return "first"
}

func (inputsValue) Type() string { return "first|all" }

func (v inputsValue) Set(text string) error {
	switch text {
	case "first", "true": // as --inputs alone
	case "all":
		v.of.records = 0
	case "false":
		v.of.set = false
		return nil
	default:
		return fmt.Errorf("must be first or all, got %q", text)
	}
	v.of.set = true
	return nil
}

// recordsValue asks for a look at inputs as well.
type recordsValue struct{ of *inputsFlag }

func (v recordsValue) String() string {
	if v.of == nil {
		return ""
	}
	return strconv.FormatInt(v.of.records, 10)
}

func (recordsValue) Type() string { return "int" }

func (v recordsValue) Set(text string) error {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return fmt.Errorf("must be a whole number, 0 or more, got %q", text)
	}
	v.of.records, v.of.set = n, true
	return nil
}

// look opens the files of the spec, and reads stdin if that is one of its inputs.
func (c *checked) look(ctx context.Context, s *spec.Spec, records int64, stdin io.Reader) error {
	inputs, problems, err := preview.Check(ctx, s, preview.Options{Records: records, Stdin: stdin})
	if err != nil {
		return err
	}
	c.Inputs = inputs
	c.Problems = append(c.Problems, problems...)
	c.Problems.Sort()
	c.OK = c.OK && len(problems.Errors()) == 0 && !preview.Failed(inputs)
	return nil
}
