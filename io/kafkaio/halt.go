package kafkaio

import (
	"errors"
	"fmt"
	"sync"
)

// ErrHalted is returned by sinks of a run that was halted.
var ErrHalted = errors.New("the run was halted")

// halted are the runs that were halted in this process.
var halted sync.Map

// Halt makes the sinks of a run in this process write nothing more, for good: those whose
// Writing.Halt is that. It is for runners like Prism, which drop what a failed bundle held
// and let the watermark go on without it: what is joined from then on is not whole, and must
// not be committed. Read and the sinks of such a run halt it before they return an error,
// and so before the runner learns of it. It must be halted before it is cancelled, too.
func Halt(run string) {
	if run != "" {
		halted.Store(run, true)
	}
}

// haltOn halts a run if something failed, and returns what did.
func haltOn(run string, err error) error {
	if err != nil {
		Halt(run)
	}
	return err
}

func checkHalted(run string) error {
	if _, ok := halted.Load(run); ok {
		return fmt.Errorf("%w: %s", ErrHalted, run)
	}
	return nil
}
