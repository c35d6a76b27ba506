package spec

import (
	"path"
	"regexp"
	"strings"

	"tributary/io/packed"
)

// unreadEndings are the endings of files that are not read, whatever the spec says of their
// format. That of tables with tabs is none of them: some are called .tsv and are CSV.
var unreadEndings = `\.(orc|arrow|feather|tfrecord` + packedEndings + `|xlsx?|bz2|xz|lzo|snappy|br|zip|tar|tgz|7z|rar|db|sqlite3?|duckdb)$`

var unreadForm = regexp.MustCompile(unreadEndings)

// unread names what is not read, by ending or by format, and says what to do instead.
var unread = map[string]struct{ name, instead string }{
	"orc":      {"ORC", "write Avro, JSON lines or CSV"},
	"arrow":    {"Arrow", "write Avro, JSON lines or CSV"},
	"feather":  {"Feather", "write Avro, JSON lines or CSV"},
	"tfrecord": {"TFRecord", "write Avro, JSON lines or CSV"},
	"xlsx":     {"Excel", "save it as CSV in UTF-8"},
	"xls":      {"Excel", "save it as CSV in UTF-8"},
	"tsv":      {"text with tabs", "if it is CSV with tabs, say format: csv and delimiter: tab"},
	"tab":      {"text with tabs", "if it is CSV with tabs, say format: csv and delimiter: tab"},
	"psv":      {"text with bars", "if it is CSV with bars, say format: csv and delimiter: bar"},
	"xml":      {"XML", "write Avro, JSON lines or CSV"},
	"yaml":     {"YAML", "write Avro, JSON lines or CSV"},
	"yml":      {"YAML", "write Avro, JSON lines or CSV"},
	"bson":     {"BSON", "write Avro or JSON lines"},
	"proto":    {"Protocol Buffers", "write Avro or JSON lines"},
	"pb":       {"Protocol Buffers", "write Avro or JSON lines"},
	"avsc":     {"an Avro schema", "name it with the key schema, and the files with data as inputs"},
	"snappy":   {"compression with Snappy", "compress text with gzip, zstd or lz4; Avro files may have it inside (codec snappy)"},
	"bz2":      {"compression with bzip2", "compress text with gzip, zstd or lz4"},
	"xz":       {"compression with xz", "compress text with gzip, zstd or lz4"},
	"lzo":      {"compression with LZO", "compress text with gzip, zstd or lz4"},
	"br":       {"compression with Brotli", "compress text with gzip, zstd or lz4"},
	"zip":      {"an archive", "unpack it; compress text with gzip, zstd or lz4, file by file"},
	"tar":      {"an archive", "unpack it; compress text with gzip, zstd or lz4, file by file"},
	"tgz":      {"an archive", "unpack it; compress text with gzip, zstd or lz4, file by file"},
	"7z":       {"an archive", "unpack it; compress text with gzip, zstd or lz4, file by file"},
	"rar":      {"an archive", "unpack it; compress text with gzip, zstd or lz4, file by file"},
	"db":       {"a database", "write its table as CSV, JSON lines or Avro"},
	"sqlite":   {"a database", "write its table as CSV, JSON lines or Avro"},
	"sqlite3":  {"a database", "write its table as CSV, JSON lines or Avro"},
	"duckdb":   {"a database", "write its table as CSV, JSON lines or Avro"},
}

// unreadFile says what of a path keeps its files from being read, and what to do; empty for
// nothing that is known.
func unreadFile(name string) (what, instead string) {
	plain, codec := packed.Cut(name)
	if inside := map[string]string{".avro": "Avro", ".parquet": "Parquet"}[path.Ext(plain)]; codec != "" && inside != "" {
		return codec + " around " + inside, "unpack it; " + inside + " files are compressed inside"
	}
	ending := strings.TrimPrefix(path.Ext(plain), ".")
	return unread[ending].name, unread[ending].instead
}

// elsewhere says how to bring files to where they are read from, by the scheme of a URL.
var elsewhere = map[string]string{
	"hdfs": "copy them here first, as with `hdfs dfs -get`", "webhdfs": "copy them here first, as with `hdfs dfs -get`",
	"http": "download them first", "https": "download them first", "ftp": "download them first", "sftp": "download them first",
	"dbfs": "copy them here first, as with `databricks fs cp`", "bigquery": "export the table to gs:// as Avro first", "bq": "export the table to gs:// as Avro first",
	"jdbc": "write the table as CSV, JSON lines or Avro first", "kafka": "write a topic as `{topic: NAME}`, with its brokers under clusters",
}
