package repair

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"tributary/io/kafkaio/cluster"
)

// fates are what became of transactions, in words.
var fates = map[cluster.Fate]string{
	cluster.GoesOn:     "goes on, or is being ended",
	cluster.LostCommit: "was committed, and the brokers lost its end",
	cluster.LostAbort:  "was aborted, and the brokers lost its end",
	cluster.Nobodys:    "no coordinator knows it any more",
	cluster.Unclear:    "was ended, and no log says how any more",
}

// Text writes what was found as a table, and what was done in a sentence.
func (h *Hanging) Text(w io.Writer) error {
	var b strings.Builder
	if len(h.Transactions) == 0 {
		b.WriteString("no transaction is open in the topics of the spec\n")
	} else {
		h.table(&b)
	}
	for _, t := range h.Transactions {
		if t.Error != "" {
			fmt.Fprintln(&b, t.Error)
		}
	}
	for _, err := range h.Errors {
		fmt.Fprintf(&b, "not all could be asked for: %s\n", err)
	}
	if h.Left > 0 {
		fmt.Fprintf(&b, "of %d nobody can tell how they ended: --abort-unknown aborts them, and tributary help streams says what that means\n", h.Left)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (h *Hanging) table(b *strings.Builder) {
	done, ended := "DONE", "ended"
	if h.DryRun {
		done, ended = "WOULD BE DONE", "would be ended"
	}
	table := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "TRANSACTION\tPARTITION\tFROM\tLAST WRITTEN\tWHAT BECAME OF IT\t%s\n", done)
	for _, t := range h.Transactions {
		id := t.ID
		if id == "" {
			id = fmt.Sprintf("of producer %d", t.Producer)
		}
		for _, p := range t.Partitions {
			fmt.Fprintf(table, "%s\t%s/%d\t%d\t%s\t%s\t%s\n", id, p.Topic, p.Partition, p.Offset, p.Written.UTC().Format(time.RFC3339), fates[t.Fate], t.Done)
		}
	}
	_ = table.Flush() // a Builder takes everything
	fmt.Fprintf(b, "of %d that are open %d %s\n", len(h.Transactions), h.Ended, ended)
}
