.read lines.sql

CREATE TABLE impressions AS
SELECT *, watermark(t, file, line) AS watermark
FROM (SELECT *, TRY_CAST(text AS JSON) AS r, TRY_CAST(r->>'ts' AS BIGINT) AS t FROM lines('impressions/*.jsonl'));

CREATE TABLE actions AS
SELECT *, watermark(t, file, line) AS watermark
FROM (
  SELECT *, TRY_CAST(text AS JSON) AS r, TRY_CAST(r->>'ts' AS BIGINT) AS t, TRY_CAST(r->>'amount' AS DECIMAL(18, 2)) AS amount
  FROM lines('actions/*.jsonl'));

CREATE TABLE views AS
SELECT r->>'imp' AS id, part(r->>'$.user.id') || '|' || part(r->>'$.ad.campaign') AS key, t, file, line, 0 AS position, watermark,
  r->>'$.ad.campaign' AS campaign, r->>'$.ad.creative' AS creative, id IS NULL OR key IS NULL OR t IS NULL AS unreadable, false AS unusable
FROM impressions WHERE r IS NOT NULL;

-- What was bought without an amount counts, and adds nothing; what is no amount is a dead letter.
CREATE TABLE engagements AS
SELECT kind, part(r->>'user') || '|' || part(r->>'campaign') AS key, credit, after, r->>'id' AS event, t, file, line, watermark, lasts,
  CASE kind WHEN 'revenue' THEN amount END AS value,
  key IS NULL OR t IS NULL OR kind = 'revenue' AND coalesce(r->>'amount', '') <> '' AND amount IS NULL AS unreadable
FROM actions JOIN (
  VALUES ('click', 'click', 30 * 60_000, 'last', NULL), ('revenue', 'purchase', 24 * 3_600_000, 'last', 'click'), ('assist', 'purchase', 24 * 3_600_000, 'even', NULL)
) kinds(kind, action, lasts, credit, after) ON r->>'action' = action;

-- Lines that are no JSON are no event of any kind.
CREATE TABLE broken AS
SELECT 'views' AS role, count(*) AS n FROM impressions WHERE r IS NULL
UNION ALL SELECT kind, count(*) FROM actions, (VALUES ('click'), ('revenue'), ('assist')) kinds(kind) WHERE r IS NULL GROUP BY kind;

.read rules.sql

-- The samples: labels, delays and columns as the spec names them. Sums and parts are doubles there, held to the cent and to a millionth.
CREATE TABLE wanted AS
SELECT id AS view_id, t AS view_time, coalesce(c.n, r.n, a.n, 0) > 0 AS positive,
  (c.n IS NOT NULL)::INT AS click, coalesce(r.total, 0)::DECIMAL(18, 2) AS revenue, least(coalesce(a.part, 0), 1)::DECIMAL(18, 6) AS assist,
  c.delay AS click_delay, r.delay AS revenue_delay, a.delay AS assist_delay, campaign, creative
FROM seen
  LEFT JOIN (FROM counted WHERE kind = 'click') c USING (id, t)
  LEFT JOIN (FROM counted WHERE kind = 'revenue') r USING (id, t)
  LEFT JOIN (FROM counted WHERE kind = 'assist') a USING (id, t)
WHERE outcome = 'samples';
