package kafkaio

import _ "tributary/io/format/all" // registers the formats of values
