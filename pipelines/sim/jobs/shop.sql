.read lines.sql

-- Times are those of clocks in Berlin.
CREATE TABLE events AS
SELECT *, watermark(t, file, line) AS watermark
FROM (
  SELECT *, TRY_CAST(text AS JSON) AS r, epoch_ms(TRY_CAST(r->>'time' AS TIMESTAMP) AT TIME ZONE 'Europe/Berlin') AS t,
    TRY_CAST(r->>'amount' AS DECIMAL(18, 2)) AS amount
  FROM lines('events/*.jsonl'));

-- Views of products.
CREATE TABLE views AS
SELECT r->>'event_id' AS id, id AS key, t, file, line, 0 AS position, watermark, r->>'visitor' AS visitor, r->>'$.page.sku' AS sku,
  id IS NULL OR t IS NULL AS unreadable, false AS unusable
FROM events WHERE r->>'event' = 'page_view' AND r->>'$.page.type' = 'product';

-- What is given back is no purchase. A purchase without an amount cannot be told from that: it is a dead letter.
CREATE TABLE engagements AS
SELECT kind, r->>'page_view' AS key, 'all' AS credit, NULL AS after, r->>'event_id' AS event, t, file, line, watermark, lasts, amount AS value,
  key IS NULL OR t IS NULL OR kind = 'purchase' AND amount IS NULL AS unreadable
FROM events JOIN (VALUES ('cart', 'add_to_cart', 2 * 3_600_000), ('purchase', 'purchase', 24 * 3_600_000)) kinds(kind, event, lasts) ON r->>'event' = event
WHERE kind <> 'purchase' OR coalesce(amount, 1) > 0;

-- Lines that are no JSON are no event of any kind.
CREATE TABLE broken AS
SELECT role, count(*) AS n FROM events, (VALUES ('views'), ('cart'), ('purchase')) roles(role) WHERE r IS NULL GROUP BY role;

.read rules.sql

-- The samples: labels, delays and columns as the spec names them. What was paid is exact here, and a double there, held to the cent.
CREATE TABLE wanted AS
SELECT id AS view_id, t AS view_time, coalesce(c.n, p.n, 0) > 0 AS positive,
  coalesce(c.n, 0) AS cart, coalesce(p.total, 0) AS purchase, c.delay AS cart_delay, p.delay AS purchase_delay,
  coalesce(p.n, 0) AS label_purchases, p.earliest AS label_first_paid, visitor, sku
FROM seen
  LEFT JOIN (FROM counted WHERE kind = 'cart') c USING (id, t)
  LEFT JOIN (FROM counted WHERE kind = 'purchase') p USING (id, t)
WHERE outcome = 'samples';
