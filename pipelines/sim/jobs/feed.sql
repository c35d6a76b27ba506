.read lines.sql

CREATE TABLE impressions AS
SELECT *, watermark(t, file, line) AS watermark
FROM (SELECT *, TRY_CAST(text AS JSON) AS r, epoch_ms(TRY_CAST(r->>'at' AS TIMESTAMPTZ)) AS t FROM lines('impressions/*.jsonl'));

CREATE TABLE actions AS
SELECT *, watermark(t, file, line) AS watermark
FROM (SELECT *, TRY_CAST(text AS JSON) AS r, TRY_CAST(r->>'at_ms' AS BIGINT) AS t FROM lines('actions/*.jsonl'));

-- Every item of the home feed that is no ad.
CREATE TABLE views AS
SELECT part(r->>'request_id') || '|' || part(i->>'id') AS id, id AS key, t, file, line, position, watermark,
  r->>'$.user.id' AS user, i->>'score' AS written, TRY_CAST(written AS DOUBLE) AS score,
  id IS NULL OR t IS NULL AS unreadable, coalesce(written, '') <> '' AND score IS NULL AS unusable
FROM (SELECT *, unnest(r->'$.items[*]') AS i, unnest(range(len(r->'$.items[*]'))) AS position FROM impressions)
WHERE r->>'surface' = 'home' AND coalesce(i->>'kind', '') <> 'ad';

CREATE TABLE engagements AS
SELECT kind, part(r->>'request_id') || '|' || part(r->>'$.item.id') AS key, 'all' AS credit, NULL AS after, r->>'action_id' AS event, t, file, line, watermark, lasts,
  CASE kind WHEN 'dwell' THEN r->>'seconds' END AS written, TRY_CAST(written AS DOUBLE) AS value,
  key IS NULL OR t IS NULL OR coalesce(written, '') <> '' AND value IS NULL AS unreadable
FROM actions JOIN (VALUES ('like', 30 * 60_000), ('dwell', 10 * 60_000)) kinds(kind, lasts) ON r->>'action' = kind;

-- Lines that are no JSON are no event of any kind.
CREATE TABLE broken AS
SELECT 'views' AS role, count(*) AS n FROM impressions WHERE r IS NULL
UNION ALL SELECT kind, count(*) FROM actions, (VALUES ('like'), ('dwell')) kinds(kind) WHERE r IS NULL GROUP BY kind;

.read rules.sql

-- The samples: labels, delays and columns as the spec names them.
CREATE TABLE wanted AS
SELECT id AS view_id, t AS view_time, coalesce(l.n, d.n, 0) > 0 AS positive,
  (l.n IS NOT NULL)::INT AS "like", d.most AS dwell, l.delay AS like_delay, d.delay AS dwell_delay, "user", position, score
FROM seen
  LEFT JOIN (FROM counted WHERE kind = 'like') l USING (id, t)
  LEFT JOIN (FROM counted WHERE kind = 'dwell') d USING (id, t)
WHERE outcome = 'samples';
