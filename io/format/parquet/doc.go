// Package parquet reads records of Parquet files, and writes samples as such: a typed column for every field of the records' Avro
// schema, by parquet-go.
//
// # Writing
//
// Records become groups, ["null", T] an optional T, arrays lists, maps maps, strings and enums UTF-8 text.
// Dates, times, timestamps, UUIDs and decimals keep their logical types: a decimal of up to 18 digits is a number of
// 32 or 64 bits, a longer one bytes, all of one length. Columns keep the order of the fields. What Parquet has no column for is
// refused before anything is written (Fits): other unions, null alone, records without fields, records within
// themselves.
//
// The same records are the same bytes: a file says nothing of when, where or by whom it was written.
//
// # Reading
//
// A row becomes a record of an Avro schema that is made of the file's: the name of a group within it is row and its path. Optional is
// ["null", T] with null as default, LIST and repeated fields (those of old writers too) arrays, MAP with keys of text a map. Text, ENUM and
// JSON are strings, DATE, TIME, TIMESTAMP, DECIMAL (as bytes) and UUID keep their logical types, INT96 is a timestamp-nanos,
// whole numbers are int or long, bytes bytes, of one length fixed. Refused, each by its path (format.Head.Refused), are whole numbers of 64 bits
// without a sign, TIME in nanoseconds, INTERVAL, FLOAT16, VARIANT, maps with other keys, groups without fields, and two fields of one name.
//
// A chunk is a row group. Of it the columns that are wanted are read, those beside each other at once, and held as they are stored, with its
// records as Avro: both bound memory, and records of more than 1 GiB are refused as damage. Pages are decoded one by one for each column,
// and a page may say that it has up to 2 GiB. What is wrong with a row group loses all rows of it, since values of columns stand apart.
// Checksums of pages are checked where there are any; without them damage within a page may be read as other values.
//
//	format.go     the format.Writer
//	schema.go     columns for an Avro schema
//	shred.go      encoded records cut into values of columns
//	read.go       the format.Files: footer, row groups, the bytes that are wanted
//	tree.go       an Avro schema for columns
//	leaf.go       types of columns, and their values as Avro
//	assemble.go   rows put together from values of columns
package parquet
