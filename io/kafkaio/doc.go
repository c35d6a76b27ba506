// Package kafkaio reads Kafka topics as batches of raw records and writes to them.
//
// Reading is a function of the logs: what a record's batch says about it depends on the
// records before it in its partition and on nothing else, whichever reader, bundle or
// attempt brings it.
package kafkaio
