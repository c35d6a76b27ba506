// Package all has every format register itself: to add one, import it here.
package all

import (
	_ "tributary/io/format/avro"     // registers avro
	_ "tributary/io/format/csv"      // registers csv
	_ "tributary/io/format/jsonl"    // registers json
	_ "tributary/io/format/parquet"  // registers parquet
	_ "tributary/io/format/protobuf" // registers protobuf
	_ "tributary/io/format/tfrecord" // registers tfrecord
)
