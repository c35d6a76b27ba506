package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// ticks is USER_HZ, in which Linux counts a process's time: 100 on every platform it is
// built for.
const ticks = 100

// process is one that is measured.
type process struct {
	name string
	pid  int
}

// usage is what processes have used, by name.
type usage map[string]time.Duration

func (u usage) total() time.Duration {
	var sum time.Duration
	for _, d := range u {
		sum += d
	}
	return sum
}

// since is what was used after before.
func (u usage) since(before usage) usage {
	out := usage{}
	for name, d := range u {
		out[name] = d - before[name]
	}
	return out
}

// cpu reads the processor time of processes.
func cpu(processes []process) (usage, error) {
	out := usage{}
	for _, p := range processes {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.pid))
		if err != nil {
			return nil, fmt.Errorf("processor time of %s: %w", p.name, err)
		}
		fields := statFields(stat)
		// utime and stime, fields 14 and 15 of proc(5); the first two are cut off.
		user, err1 := strconv.ParseInt(fields[11], 10, 64)
		system, err2 := strconv.ParseInt(fields[12], 10, 64)
		if err1 != nil || err2 != nil {
			return nil, fmt.Errorf("processor time of %s: unexpected %q", p.name, stat)
		}
		out[p.name] += time.Duration(user+system) * time.Second / ticks
	}
	return out, nil
}

// statFields are the fields behind the name, which may hold spaces.
func statFields(stat []byte) []string {
	return strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
}

// forgetPeaks makes peaks begin anew with what is used now.
func forgetPeaks(processes []process) error {
	for _, p := range processes {
		if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.pid), []byte("5"), 0o600); err != nil {
			return fmt.Errorf("peak memory of %s: %w", p.name, err)
		}
	}
	return nil
}

// peaks reads the largest resident memory of processes in bytes, by name.
func peaks(processes []process) (map[string]int64, error) {
	out := map[string]int64{}
	for _, p := range processes {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.pid))
		if err != nil {
			return nil, fmt.Errorf("peak memory of %s: %w", p.name, err)
		}
		_, after, found := bytes.Cut(status, []byte("VmHWM:"))
		if !found {
			return nil, fmt.Errorf("peak memory of %s: the kernel does not tell it", p.name)
		}
		kilobytes, err := strconv.ParseInt(string(bytes.Fields(after)[0]), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("peak memory of %s: %w", p.name, err)
		}
		out[p.name] += kilobytes << 10
	}
	return out, nil
}

// named are the main classes of what is measured.
var named = map[string]string{
	"StandaloneSessionClusterEntrypoint": "jobmanager",
	"TaskManagerRunner":                  "taskmanager",
	"FlinkJobServerDriver":               "jobserver",
	"kafka.Kafka":                        "kafka",
}

// inGroup finds the named processes of a process group.
func inGroup(group int) ([]process, error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	var out []process
	for _, path := range stats {
		stat, err := os.ReadFile(path) //nolint:gosec // of the glob above
		if err != nil || statFields(stat)[2] != strconv.Itoa(group) {
			continue // it has ended, or is another's
		}
		dir := filepath.Dir(path)
		line, err := os.ReadFile(dir + "/cmdline") //nolint:gosec // of the glob above
		if err != nil || !bytes.HasPrefix(line, []byte("java\x00")) {
			continue
		}
		for class, name := range named {
			if bytes.Contains(line, []byte(class)) {
				pid, err := strconv.Atoi(filepath.Base(dir))
				if err != nil {
					return nil, err
				}
				out = append(out, process{name, pid})
			}
		}
	}
	return out, nil
}
