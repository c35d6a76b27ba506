-- The rules of a join, over the views and engagements that a job's own SQL has read: times t are in ms, watermark is that of the
-- file before the line, lasts is the window of a kind. Engagements name views by key, which is their id or what they share; credit is for
-- which of those an engagement counts: all, first, last or even, and after the kind that a view must have had by then, if any.

SET VARIABLE longest = (SELECT max(lasts) FROM engagements);

-- A view closes when the watermark reaches its time plus the longest window. One that comes then is late.
CREATE TABLE seen AS
SELECT *, CASE WHEN unreadable THEN 'dead' WHEN t + getvariable('longest') <= watermark THEN 'late' WHEN unusable THEN 'dead' ELSE 'samples' END AS outcome
FROM views;

-- Of views with one id, one that is at most 10 s after the one before it is a duplicate: the first counts.
UPDATE seen SET outcome = 'duplicates'
FROM (
  SELECT file, line, position, t - lag(t) OVER (PARTITION BY id ORDER BY t, file, line, position) AS since
  FROM seen WHERE outcome = 'samples') before
WHERE (seen.file, seen.line, seen.position) = (before.file, before.line, before.position) AND since <= 10_000;

-- An engagement is late once all views that it may be of, those up to its own time, have closed.
CREATE TABLE happened AS
SELECT *, t + getvariable('longest') <= watermark AS late FROM engagements WHERE NOT unreadable;

-- It meets the views that it names, if they had not closed; sent again, it meets each once. Views are in order of time and log (nth); since
-- is the time through which views had closed when one was read.
CREATE TABLE met AS
WITH named AS (
  SELECT v.id, v.t, v.key, e.kind, e.credit, e.after, e.event, e.t AS happened_at, e.t - v.t AS delay, e.value, e.file, e.line, delay >= 0 AND delay < lasts AS counts,
    v.watermark - getvariable('longest') AS since, e.watermark - getvariable('longest') AS read_since, dense_rank() OVER (ORDER BY v.t, v.file, v.line, v.position) AS nth
  FROM happened e JOIN seen v ON v.key = e.key AND v.outcome = 'samples' AND v.t + getvariable('longest') > e.watermark
  WHERE NOT late),
-- A view that has had what an engagement counts after is known to have once both had been read.
preceded AS (
  SELECT e.kind, e.file, e.line, e.nth, min(b.read_since) AS before_since
  FROM named e JOIN named b ON b.kind = e.after AND b.nth = e.nth AND b.counts AND b.happened_at <= e.happened_at
  GROUP BY ALL),
eligible AS (
  SELECT named.* REPLACE (greatest(since, coalesce(before_since, since)) AS since)
  FROM named LEFT JOIN preceded USING (kind, file, line, nth)
  WHERE counts AND (after IS NULL OR before_since IS NOT NULL)),
-- The last view is the first that knew none after it. Each has an even part that the first knew, and the first itself.
chosen AS (
  SELECT *, coalesce(min(since) OVER (after ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) >= t, true) AS last,
    nth = min(nth) OVER one AS first, first OR since < min(t) OVER one AS even
  FROM eligible
  WINDOW one AS (PARTITION BY kind, file, line), after AS (PARTITION BY kind, file, line ORDER BY nth)),
credited AS (
  SELECT kind, file, line, nth, count(*) OVER (PARTITION BY kind, file, line) AS parts
  FROM chosen WHERE credit = 'all' OR credit = 'first' AND first OR credit = 'last' AND last OR credit = 'even' AND even
  QUALIFY credit <> 'last' OR nth = min(nth) OVER (PARTITION BY kind, file, line))
SELECT named.* EXCLUDE counts, parts IS NOT NULL AS counts, CASE credit WHEN 'even' THEN parts ELSE 1 END AS parts
FROM named LEFT JOIN credited USING (kind, file, line, nth)
QUALIFY coalesce(happened_at - lag(happened_at) OVER (PARTITION BY nth, kind, event ORDER BY happened_at, file, line) > 10_000, true);

-- What counts for a view.
CREATE TABLE counted AS
SELECT id, t, kind, count(*) AS n, sum(1 / parts) AS part, sum(value) AS total, max(value) AS most, first(value ORDER BY delay, file, line) AS earliest, min(delay) AS delay
FROM met WHERE counts GROUP BY ALL;

-- What became of each engagement.
CREATE TABLE became AS
SELECT kind, CASE
    WHEN late THEN 'late'
    WHEN (kind, file, line) IN (SELECT (kind, file, line) FROM met WHERE counts) THEN 'matched'
    WHEN t - lag(t) OVER (PARTITION BY kind, key, event, late ORDER BY t, file, line) <= 10_000 THEN 'duplicates'
    -- Its view is known, up to a minute (out_of_orderness) beyond where it would count.
    WHEN (kind, file, line) IN (SELECT (kind, file, line) FROM met WHERE delay >= -60_000 AND delay < getvariable('longest') + 60_000) THEN 'outside_window'
    -- Its view may be one of those that had closed.
    WHEN t + getvariable('longest') - lasts < watermark THEN 'late'
    ELSE 'orphans' END AS outcome
FROM happened;

CREATE TABLE totals AS
SELECT 'views' AS role, outcome, count(*) AS n FROM seen GROUP BY ALL
UNION ALL SELECT kind, outcome, count(*) FROM became GROUP BY ALL
UNION ALL SELECT kind, 'dead', count(*) FROM engagements WHERE unreadable GROUP BY kind
UNION ALL SELECT role, 'dead', n FROM broken
UNION ALL SELECT kind, 'positives', count(*) FROM counted GROUP BY kind;
