package preflight

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"tributary/runners/flink"
)

// How RocksDB uses memory in Flink 1.19, and what a job of ours asks of it. All column families of a slot share a part of its managed memory
// for what is not flushed yet, and each takes an eighth of a write buffer as soon as it holds anything. Where that is more than there is, RocksDB
// flushes all the time, and compacts what it flushed: with stages, that was most of the CPU of a job. See Flink's options
// state.backend.rocksdb.memory.write-buffer-ratio and state.backend.rocksdb.writebuffer.size, and its RocksDBMemoryControllerUtils.
const (
	// familiesOfStage is how many column families the steps of a stage have, or of a join without stages: 61 were counted with three.
	familiesOfStage = 21
	writeBuffer     = 64 << 20 // bytes, if nothing is configured
	ofWriteBuffer   = 8        // a family takes this part of it
	writeShare      = 0.5      // of the managed memory, if nothing is configured
	mutableShare    = 7. / 8   // of that: what is more is flushed
)

// state looks at whether RocksDB has room for what it writes. It says nothing where Flink does not tell.
func (c *checker) state(ctx context.Context, url string) []Finding {
	client, err := flink.NewClient(url)
	if err != nil {
		return nil
	}
	slot, err := client.SlotMemory(ctx)
	if err != nil || slot == 0 {
		return nil
	}
	config, err := client.Config(ctx)
	if err != nil || config["state.backend.rocksdb.memory.managed"] == "false" {
		return nil
	}
	buffer, share := int64(writeBuffer), writeShare
	if text := config["state.backend.rocksdb.writebuffer.size"]; text != "" {
		if buffer, err = memorySize(text); err != nil {
			return nil
		}
	}
	if given, err := strconv.ParseFloat(config["state.backend.rocksdb.memory.write-buffer-ratio"], 64); err == nil {
		share = given
	}
	families := int64(familiesOfStage * (len(c.spec.Stages) + 1))
	takes, has := families*buffer/ofWriteBuffer, int64(float64(slot)*share*mutableShare)
	if takes <= has {
		return nil
	}
	return []Finding{{
		Status: Warning,
		Detail: fmt.Sprintf("a slot has %d MB to write state in, and %d column families of RocksDB take %d MB at once: it would flush and compact all the time, which can take more CPU than the job",
			has>>20, families, takes>>20),
		Fix: fmt.Sprintf("in Flink's configuration set state.backend.rocksdb.writebuffer.size: %dmb, or give TaskManagers more taskmanager.memory.managed.size; `tributary help streams` has all that serves",
			max(1, has*ofWriteBuffer/families>>20)),
	}}
}

// memorySize reads a size as Flink writes it: a number, and a unit or none.
func memorySize(text string) (int64, error) {
	digits := strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ")
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return 0, err
	}
	switch unit := strings.ToLower(strings.TrimSpace(text[len(digits):])); unit {
	case "", "b", "bytes":
		return n, nil
	case "k", "kb", "kibibytes":
		return n << 10, nil
	case "m", "mb", "mebibytes":
		return n << 20, nil
	case "g", "gb", "gibibytes":
		return n << 30, nil
	default:
		return 0, fmt.Errorf("%q is not a unit of memory", unit)
	}
}
