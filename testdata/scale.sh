#!/usr/bin/env bash
# What a join costs as its input grows: made input of each size, joined from Avro files of
# ~105-byte views with 10 % engagements to Avro samples, in intervals of an hour.
#
#   testdata/scale.sh TRIBUTARY EVENTS...      e.g. 1000000 10000000 50000000
#
# Needs about 170 bytes of disk an event. Event time grows with the input, as it does in a
# backfill: about a million events an hour.
set -euo pipefail
tributary=$(realpath "$1")
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
TIMEFORMAT='%U %S'
echo "      events  seconds   events/s  CPU µs/event  RSS MiB"
for events in "$@"; do
  "$tributary" generate --out "$work/in" --views $((events * 10 / 11)) --duration "$(((events + 999999) / 1000000))h" \
    --kinds 'like:10%' --disorder 5s --diurnal 0 >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
  { time "$tributary" join "$work/in/spec.yaml" --interval 1h --json >"$work/report" 2>"$work/log"; } 2>"$work/cpu" ||
    { cat "$work/log" >&2; exit 1; }
  python3 - "$work/report" "$work/cpu" <<'PYTHON'
import json, sys
speed = json.load(open(sys.argv[1]))["speed"]
cpu = sum(float(seconds) for seconds in open(sys.argv[2]).read().split())
events, seconds = speed["events"], speed["elapsed_ms"] / 1000
print(f"{events:12,} {seconds:8.1f} {events / seconds:10,.0f} {cpu / events * 1e6:13.2f} {speed['max_rss_bytes'] / 2**20:8.0f}")
PYTHON
  rm -rf "$work/in"
done
