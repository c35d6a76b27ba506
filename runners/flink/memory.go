package flink

import (
	"context"
	"fmt"
	"math"
)

// SlotMemory is how many bytes of managed memory, which RocksDB uses, a slot of the cluster has: those of the TaskManager whose slots have
// least. It is 0 while there is no TaskManager.
func (c *Client) SlotMemory(ctx context.Context) (int64, error) {
	var answer struct {
		TaskManagers []struct {
			ID     string `json:"id"`
			Slots  int64  `json:"slotsNumber"`
			Memory struct {
				Managed int64 `json:"managedMemory"`
			} `json:"memoryConfiguration"`
		} `json:"taskmanagers"`
	}
	if err := c.get(ctx, "/taskmanagers", &answer); err != nil {
		return 0, err
	}
	least := int64(math.MaxInt64)
	for _, t := range answer.TaskManagers {
		if t.Slots <= 0 || t.Memory.Managed <= 0 {
			return 0, fmt.Errorf("flink at %s: TaskManager %s has %d slots and %d bytes of managed memory", c.base, t.ID, t.Slots, t.Memory.Managed)
		}
		least = min(least, t.Memory.Managed/t.Slots)
	}
	if least == math.MaxInt64 {
		return 0, nil
	}
	return least, nil
}
