package spec

import (
	"path"
	"regexp"
	"strings"
)

// unreadEndings are the endings of files that are not read, whatever the spec says of their
// format. That of tables with tabs is none of them: some are called .tsv and are CSV.
const unreadEndings = `\.(parquet|orc|arrow|feather|xlsx?|zst|zstd|bz2|xz|lz4|lzo|snappy|br|zip|tar|tgz|7z|rar|db|sqlite3?|duckdb)$`

var unreadForm = regexp.MustCompile(unreadEndings)

// unread names what is not read, by ending or by format, and says what to do instead.
var unread = map[string]struct{ name, instead string }{
	"parquet": {"Parquet", "write Avro, JSON lines or CSV"},
	"orc":     {"ORC", "write Avro, JSON lines or CSV"},
	"arrow":   {"Arrow", "write Avro, JSON lines or CSV"},
	"feather": {"Feather", "write Avro, JSON lines or CSV"},
	"xlsx":    {"Excel", "save it as CSV in UTF-8"},
	"xls":     {"Excel", "save it as CSV in UTF-8"},
	"tsv":     {"text with tabs", "write CSV, with commas"},
	"tab":     {"text with tabs", "write CSV, with commas"},
	"psv":     {"text with bars", "write CSV, with commas"},
	"xml":     {"XML", "write Avro, JSON lines or CSV"},
	"yaml":    {"YAML", "write Avro, JSON lines or CSV"},
	"yml":     {"YAML", "write Avro, JSON lines or CSV"},
	"bson":    {"BSON", "write Avro or JSON lines"},
	"proto":   {"Protocol Buffers", "write Avro or JSON lines"},
	"pb":      {"Protocol Buffers", "write Avro or JSON lines"},
	"avsc":    {"an Avro schema", "name it with the key schema, and the files with data as inputs"},
	"zst":     {"compression with Zstandard", "compress text with gzip; Avro files may have it inside (codec zstandard)"},
	"zstd":    {"compression with Zstandard", "compress text with gzip; Avro files may have it inside (codec zstandard)"},
	"snappy":  {"compression with Snappy", "compress text with gzip; Avro files may have it inside (codec snappy)"},
	"bz2":     {"compression with bzip2", "compress text with gzip"},
	"xz":      {"compression with xz", "compress text with gzip"},
	"lz4":     {"compression with LZ4", "compress text with gzip"},
	"lzo":     {"compression with LZO", "compress text with gzip"},
	"br":      {"compression with Brotli", "compress text with gzip"},
	"zip":     {"an archive", "unpack it; compress text with gzip, file by file"},
	"tar":     {"an archive", "unpack it; compress text with gzip, file by file"},
	"tgz":     {"an archive", "unpack it; compress text with gzip, file by file"},
	"7z":      {"an archive", "unpack it; compress text with gzip, file by file"},
	"rar":     {"an archive", "unpack it; compress text with gzip, file by file"},
	"db":      {"a database", "write its table as CSV, JSON lines or Avro"},
	"sqlite":  {"a database", "write its table as CSV, JSON lines or Avro"},
	"sqlite3": {"a database", "write its table as CSV, JSON lines or Avro"},
	"duckdb":  {"a database", "write its table as CSV, JSON lines or Avro"},
}

// unreadFile says what of a path keeps its files from being read, and what to do; empty for
// nothing that is known.
func unreadFile(name string) (what, instead string) {
	if strings.HasSuffix(name, ".avro.gz") {
		return "gzip around Avro", "unpack it; Avro files are compressed inside"
	}
	if strings.HasSuffix(name, ".tar.gz") {
		name = ".tar"
	}
	ending := strings.TrimPrefix(path.Ext(strings.TrimSuffix(name, ".gz")), ".")
	return unread[ending].name, unread[ending].instead
}

// elsewhere says how to bring files to where they are read from, by the scheme of a URL.
var elsewhere = map[string]string{
	"s3": "copy them here first, as with `aws s3 sync`", "s3a": "copy them here first, as with `aws s3 sync`", "s3n": "copy them here first, as with `aws s3 sync`",
	"hdfs": "copy them here first, as with `hdfs dfs -get`", "webhdfs": "copy them here first, as with `hdfs dfs -get`",
	"http": "download them first", "https": "download them first", "ftp": "download them first", "sftp": "download them first",
	"abfs": "copy them here first, as with `azcopy copy`", "abfss": "copy them here first, as with `azcopy copy`",
	"wasb": "copy them here first, as with `azcopy copy`", "wasbs": "copy them here first, as with `azcopy copy`", "az": "copy them here first, as with `azcopy copy`",
	"dbfs": "copy them here first, as with `databricks fs cp`", "bigquery": "export the table to gs:// as Avro first", "bq": "export the table to gs:// as Avro first",
	"jdbc": "write the table as CSV, JSON lines or Avro first", "kafka": "write a topic as `{topic: NAME}`, with its brokers under clusters",
}
