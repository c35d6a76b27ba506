package spill

import "context"

// Keeper keeps the values of a bundle, each with a K that says what is to be done with its reference. The zero value
// is ready. It is for one goroutine.
type Keeper[K any] struct {
	file *Writer
	kept []kept[K]
}

type kept[K any] struct {
	with K
	ref  Ref
}

// Keep writes a value to the file of the bundle, in a folder.
func (k *Keeper[K]) Keep(ctx context.Context, folder string, with K, value []byte) (err error) {
	if k.file == nil {
		if k.file, err = Create(ctx, folder); err != nil {
			return err
		}
	}
	ref, err := k.file.Put(value)
	k.kept = append(k.kept, kept[K]{with, ref})
	return err
}

// Commit ends the bundle and emits the references, in the order of their values.
func (k *Keeper[K]) Commit(emit func(with K, ref Ref)) error {
	if k.file == nil {
		return nil
	}
	if err := k.file.Commit(); err != nil {
		return err
	}
	for _, one := range k.kept {
		emit(one.with, one.ref)
	}
	k.file, k.kept = nil, k.kept[:0]
	return nil
}

// Abort undoes what was written since the last Commit: a bundle that failed.
func (k *Keeper[K]) Abort() {
	if k.file != nil {
		k.file.Abort()
	}
	k.file, k.kept = nil, k.kept[:0]
}
