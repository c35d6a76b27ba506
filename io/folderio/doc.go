// Package folderio writes groups of records into a folder, local, gs://, s3:// or az://, exactly once: a file for each group, or
// one for all groups of an hour, which appears whole or not at all and holds the same bytes whenever it is written.
//
// No store of objects changes several files at once, so whoever lists a folder must find it right after every
// single change:
//
//   - A file is written aside, in _tributary/JOB/staged, where readers of records do not look, and gets its name
//     by one move. A replay moves the same bytes there again.
//   - Small files that are to be put together are never shown (as Flink's FileSink has it): they stay in
//     _tributary/JOB/groups until their hour is closed, and readers see the hour's file alone.
//   - Each run of a job creates the next of its logs, _tributary/JOB/000001.json and up, which only one can (as
//     commits of Delta Lake are), and then removes what is staged. A run looks for the next log after it has staged
//     its files, and before it moves them. So one that was left behind, wherever it was stopped, either sees that
//     there is a next one or has nothing left to move.
//
// The log also says up to where all is written. What is before that is never written again.
//
//	config.go    where and how to write; names.go: names of files
//	group.go     groups, and what acknowledges them
//	bundle.go    the groups of a bundle: staged, fenced, moved; steps.go: what is asked of the store
//	kept.go      groups that wait to be put together; compact.go: puts them together
//	log.go       the logs of a job; recover.go: Begin, Recover
//	write.go     the composites and their DoFns
package folderio
