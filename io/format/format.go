// Package format is what a format of records is to the rest, and the registry of those there are.
//
// A format is a package below this one that registers itself in its init: it says what it can do by
// which of Files, Writer and Values it is. Package all imports every one of them, and a program that
// imports all has them all. Nothing else names a format, but for the defaults of specs.
//
// To add one:
//
//  1. Write a package below this one with a type that is a Files: its name and endings, what a file says
//     of its records (Head), and its chunks, at any of which reading can begin again. What is text, a
//     record after another, needs no more than a jsontext.Layout; package ltsv in io/iotest is one whole.
//  2. Let it be a Writer if samples are written in it, a Values if topics have it.
//  3. Call Register in its init, and import it in package all.
//  4. Run iotest.RunFormat in its tests.
//
// Specs, their JSON Schema, check, init, show and the join then know it by its name.
//
//	format.go   the registry
//	files.go    files that are read; delimiter.go: what stands between the cells of tables
//	writer.go   files that are written; stream.go: compressed as a whole, or not at all
//	values.go   values of topics
//	avro/ csv/ jsonl/ parquet/ protobuf/ tfrecord/   the formats; jsontext/ what text has in common; all/ imports them
package format

import (
	"fmt"
	"slices"
	"strings"
)

// Format is a way in which records are encoded, in files, in the values of a topic, or both.
type Format interface {
	// Name is what specs call it.
	Name() string
}

// registry holds the formats in order of their names. It is complete when all inits have run.
var registry []Format

// Register adds a format. It is called in the init of its package, and panics if the name is taken.
func Register(f Format) {
	at, taken := slices.BinarySearchFunc(registry, f.Name(), func(have Format, name string) int { return strings.Compare(have.Name(), name) })
	if taken {
		panic(fmt.Sprintf("format.Register: two formats are called %s", f.Name()))
	}
	registry = slices.Insert(registry, at, f)
}

// All are the formats that are a T, in order of their names: All[Files], say.
func All[T Format]() (all []T) {
	for _, f := range registry {
		if t, ok := f.(T); ok {
			all = append(all, t)
		}
	}
	return all
}

// Names are those of All.
func Names[T Format]() (names []string) {
	for _, f := range All[T]() {
		names = append(names, f.Name())
	}
	return names
}

// Get returns the format of a name that is a T. The error tells those there are.
func Get[T Format](name string) (T, error) {
	for _, f := range All[T]() {
		if f.Name() == name {
			return f, nil
		}
	}
	var none T
	return none, fmt.Errorf("format %q: there are %s", name, strings.Join(Names[T](), ", "))
}
