package tap

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// show writes entries, no more in a second than the rate, and counts those that it leaves out.
type show struct {
	out io.Writer
	opt Options
	now func() time.Time

	began  time.Time // of the second
	within int       // shown in it
	// untold are left out and not told of yet.
	untold      int64
	shown, left map[What]int64
}

func newShow(out io.Writer, opt Options) *show {
	return &show{out: out, opt: opt, now: time.Now, shown: map[What]int64{}, left: map[What]int64{}}
}

// take shows an entry or leaves it out. It tells whether enough are shown.
func (s *show) take(e *Entry) (enough bool, err error) {
	if now := s.now(); now.Sub(s.began) >= time.Second {
		if err := s.tell(); err != nil {
			return false, err
		}
		s.began, s.within = now, 0
	}
	if s.opt.Rate > 0 && s.within >= s.opt.Rate {
		s.left[e.What]++
		s.untold++
		return false, nil
	}
	s.within++
	s.shown[e.What]++
	if err := s.write(e, e.text); err != nil {
		return false, err
	}
	return s.opt.Count > 0 && sum(s.shown) >= s.opt.Count, nil
}

// leftOut is told, as JSON, in the place of entries that are not shown.
type leftOut struct {
	What    string `json:"what"`
	LeftOut int64  `json:"left_out"`
}

// tell writes how many were left out since it did so before.
func (s *show) tell() error {
	if s.untold == 0 {
		return nil
	}
	n := s.untold
	s.untold = 0
	return s.write(leftOut{"left_out", n}, func() string { return fmt.Sprintf("... %d left out: more than %d in a second (--rate)", n, s.opt.Rate) })
}

func (s *show) write(of any, text func() string) error {
	if !s.opt.JSON {
		_, err := io.WriteString(s.out, text()+"\n")
		return err
	}
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(of); err != nil {
		return fmt.Errorf("print an entry: %w", err)
	}
	_, err := s.out.Write(line.Bytes())
	return err
}

// end says how many were shown and left out.
func (s *show) end(say io.Writer) error {
	if err := s.tell(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(say, "%s shown, %s left out\n", counts(s.shown), counts(s.left))
	return err
}

func sum(of map[What]int64) (n int64) {
	for _, one := range of {
		n += one
	}
	return n
}

// counts is a sum with what it is of.
func counts(of map[What]int64) string {
	var parts []string
	for _, w := range All() {
		if of[w] > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", w, of[w]))
		}
	}
	if len(parts) == 0 {
		return "0"
	}
	return fmt.Sprintf("%d (%s)", sum(of), strings.Join(parts, ", "))
}
