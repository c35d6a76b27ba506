#!/usr/bin/env bash
# Breaks the join on purpose, one bug at a time, in a copy of the module: the tests of the
# join must catch each. Prints a table; fails if a bug survives or no longer applies.
#
#   testdata/mutants.sh
set -euo pipefail
cd "$(dirname "$0")/.."
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$copy" 2>/dev/null || true
join=$copy/transforms/attribution
survived=0

# mutant NAME FILE FROM TO: replaces the text FROM, which must occur once.
mutant() {
  local name=$1 file=$join/$2 verdict
  cp "$file" "$copy/kept"
  if ! FROM=$3 TO=$4 perl -0pi -e '$n = s/\Q$ENV{FROM}\E/$ENV{TO}/g; END { exit($n == 1 ? 0 : 1) }' "$file"; then
    verdict='DOES NOT APPLY'
    survived=1
  elif (cd "$copy" && go test -count=1 ./transforms/attribution -rapid.nofailfile >"$copy/log" 2>&1); then
    verdict=SURVIVED
    survived=1
  elif grep -q 'build failed' "$copy/log"; then
    verdict='DOES NOT BUILD'
    survived=1
  else
    verdict="caught by $(grep -o -m1 -- '--- FAIL: Test[A-Za-z]*' "$copy/log" | cut -d' ' -f3)"
  fi
  cp "$copy/kept" "$file"
  printf '%-44s %s\n' "$name" "$verdict"
}

mutant 'window: its end counts' sightings.go \
  'g.Time < v.Time+j.p.Kinds[g.Kind].Window' 'g.Time <= v.Time+j.p.Kinds[g.Kind].Window'
mutant 'dedup: the edge of duplicates within' views.go \
  't.duplicate = v.Time-last.time <= j.p.DuplicatesWithin' 't.duplicate = v.Time-last.time < j.p.DuplicatesWithin'
mutant 'lateness: at the closing time' pack.go \
  't+k.longest <= watermark {' 't+k.longest < watermark {'
mutant 'bucket: the first one rounded up' pack.go \
  'k.p.bucketOf(max(s.foundFrom, floor+1))' 'k.p.bucketOf(max(s.foundFrom, floor+1)+k.p.Bucket-1)'
mutant 'attribution: last credits the first' label.go \
  'credited = rest[n-1 : n]' 'credited = rest[:1]'
mutant 'engagements: not sent on to meet duplicates' params.go \
  's.shadowTo = s.foundTo + p.DuplicatesWithin' 's.shadowTo = s.foundTo'
mutant 'views: not sent on to meet duplicates' pack.go \
  'min(k.p.bucketOf(v.Time+k.p.DuplicatesWithin), k.lastBucket)' 'min(k.p.bucketOf(v.Time), k.lastBucket)'
mutant 'partly late: joined with a view just closed' engagements.go \
  'if g.Floor >= viewTime {' 'if g.Floor > viewTime {'
mutant 'watermark: includes the record itself' pack.go \
  'watermark := k.watermark(c)' 'c.clock.Add(t); watermark := k.watermark(c)'
mutant 'event time: a bucket too early' params.go \
  'return (b+1)*p.Bucket + p.longestWindow() - 1' 'return b*p.Bucket + p.longestWindow() - 1'
mutant 'fate: an orphan outranks a match' fate.go \
  's.seen = max(s.seen, Seen(' 's.seen = min(s.seen, Seen('
mutant 'negatives: sampled the other way' label.go \
  'if !keeps(v.Hash, j.p.Keep) {' 'if keeps(v.Hash, j.p.Keep) {'
exit $survived
