#!/usr/bin/env bash
# Makes input of VIEWS views with every fault there is, joins it, and holds what came out
# against the truth, all by the command line. Prints a table and fails on any difference.
#
# usage: e2e.sh TRIBUTARY [VIEWS]      (needs jq)
set -euo pipefail

tributary=$(realpath "${1:?the command to test}") views=${2:-1000000}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0

row() { printf '%-28s %14s %14s  %s\n' "$@"; }

# compare NAME WANT GOT: a line of the table.
compare() {
  local verdict=ok
  [[ $2 == "$3" ]] || { verdict=DIFFERS failed=1; }
  row "$1" "$2" "$3" "$verdict"
}

# counts FILE: the figures of truth.json, or of a report, as lines `name value`.
counts() {
  jq -r '(.accounts // .) | (.views | to_entries[] | "views.\(.key) \(.value)"),
    (.engagements | to_entries[] | .key as $kind | .value | to_entries[] | "\($kind).\(.key) \(.value)")' "$1"
}

# truth FOLDER, samples FOLDER: a digest of a line for each view, in order: id, time,
# positive, and the label and delay of each kind. `purchase` is a sum of amounts, the others
# are binary. The views in the samples, their last field, would take jq most of its time.
truth() {
  "$tributary" show "$1" --limit 0 --json | jq -c '[.view_id, .view_time, .positive,
    (.labels | to_entries | sort_by(.key)[] | (if .key == "purchase" then .value.sum_amount else [.value.count, 1] | min end), .value.delay_ms)]' | digest
}
samples() {
  "$tributary" show "$1" --limit 0 --json | sed 's/,"view":{.*$/}/' | jq -c '[.view_id, .view_time, .positive,
    (.delay_ms as $delay | .labels | to_entries | sort_by(.key)[] | .value, $delay[.key])]' | digest
}
digest() { sha256sum | cut -c1-14; }

# check NAME FLAG...: makes, joins and compares.
check() {
  local name=$1 made=$dir/$1 begun=$SECONDS
  shift
  echo "== $name: $*"
  "$tributary" generate --out "$made" --views "$views" --duration 6h --spec "$@" >/dev/null 2>&1
  "$tributary" join "$made/spec.yaml" --json >"$made/report.json" 2>/dev/null
  row "" truth join ""
  local figure want got
  while read -r figure want; do
    got=$(counts "$made/report.json" | awk -v f="$figure" '$1 == f { print $2 }')
    compare "$figure" "$want" "${got:-none}"
  done < <(counts "$made/truth.json")
  compare balanced true "$(jq .balanced "$made/report.json")"
  want=$(truth "$made/truth")
  compare "rows, digest" "$want" "$(samples "$made/out/samples")"

  # The same in intervals, with half of them taken away again: the run goes on.
  "$tributary" join "$made/spec.yaml" --interval 1h --json >"$made/report.json" 2>/dev/null
  find "$made/out" -name '*-20260101T0[135]*' -delete
  "$tributary" join "$made/spec.yaml" --interval 1h --json >"$made/report.json" 2>/dev/null
  compare "intervals, digest" "$want" "$(samples "$made/out/samples")"
  compare "intervals, positives" "$(jq .views.positives "$made/truth.json")" "$(jq .accounts.views.positives "$made/report.json")"
  echo "   $((SECONDS - begun)) s"
  rm -rf "$made"
}

check plain
check hard --order file --partitions 7 --disorder 50s --clock-skew 2s --duplicates 5% --late 5% --orphans 5% \
  --malformed 2% --early 5% --edges 20% --corrupt-blocks 9 --evolve --codec zstandard
check times --view-time --partitions 3 --disorder 50s --clock-skew 1s --duplicates 5% --orphans 5% --edges 20% \
  --early 5% --codec deflate --file-records 50000

exit "$failed"
