package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
)

// stopAndEnd cancels the job, has another one run to where the topics end by then, and goes on from
// the log: the one that ends must leave what the rest of the log decides.
func stopAndEnd(ctx context.Context, s *System, _ *rand.Rand) error {
	if err := s.Stop(ctx); err != nil {
		return err
	}
	s.killFollower()
	if err := s.RunToEnd(ctx, "--resume", fromLog); err != nil {
		return err
	}
	return s.submit(ctx, fromLog)
}

// spareKind is a kind of engagement that no record is of, so that its window changes the meaning of
// the spec and not a single sample. Each change makes it a millisecond longer.
const spareKind = "spare:0%:window=9001ms"

// changeSpec stops the job with a savepoint and tries to go on with another window, which must be
// refused and leave all as it was: the spec that was goes on from there. From the log the other
// window is taken up.
func changeSpec(ctx context.Context, s *System, _ *rand.Rand) error {
	savepoint, err := s.stopWithSavepoint(ctx)
	if err != nil {
		return err
	}
	s.killFollower()
	was, is := fmt.Sprintf("window: 9s%dms\n", 1+s.changes), fmt.Sprintf("window: 9s%dms\n", 2+s.changes)
	s.changes++
	if err := s.Stream.edit(was, is); err != nil {
		return err
	}
	refused := s.submit(ctx, savepoint)
	if refused == nil {
		return errors.New("a savepoint was taken up with another window")
	}
	for _, part := range []string{"engagements.spare: ", "--resume log"} {
		if !strings.Contains(refused.Error(), part) {
			return fmt.Errorf("another window was refused without %q: %w", part, refused)
		}
	}
	if err := s.Stream.edit(is, was); err != nil {
		return err
	}
	if err := s.submit(ctx, savepoint); err != nil {
		return fmt.Errorf("the spec that was, after another one was refused: %w", err)
	}
	if err := s.Stop(ctx); err != nil {
		return err
	}
	s.killFollower()
	if err := s.Stream.edit(was, is); err != nil {
		return err
	}
	return s.submit(ctx, fromLog)
}
