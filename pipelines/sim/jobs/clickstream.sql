.read lines.sql

-- One log without an order: nothing in it is late. Lines are in the order in which they stand there.
CREATE TABLE events AS
SELECT *, 'ecom' AS file, row_number() OVER () AS line, 0 AS watermark, epoch_ms(timestamp::TIMESTAMP) AS t
FROM read_csv('testdata/clickstream/ecom.csv.gz', header = true, all_varchar = true);

CREATE TABLE views AS
SELECT part(user_id) || '|' || part(timestamp) AS id, part(user_id) AS key, t, file, line, 0 AS position, watermark, user_id, platform, acquisition_channel,
  false AS unreadable, false AS unusable
FROM events WHERE event = 'product_view';

-- Events have no id of their own: each is one.
CREATE TABLE engagements AS
SELECT kind, part(user_id) AS key, credit, NULL AS after, line AS event, t, file, line, watermark, lasts, NULL::DOUBLE AS value, false AS unreadable
FROM events JOIN (
  VALUES ('cart', 'add_to_cart', 30 * 60_000, 'last'), ('first_look', 'purchase', 24 * 3_600_000, 'first'), ('purchase', 'purchase', 7 * 24 * 3_600_000, 'even')
) kinds(kind, event, lasts, credit) USING (event);

CREATE TABLE broken(role VARCHAR, n BIGINT);

.read rules.sql

CREATE TABLE wanted AS
SELECT id AS view_id, t AS view_time, coalesce(c.n, f.n, p.n, 0) > 0 AS positive,
  coalesce(c.n, 0) AS cart, (f.n IS NOT NULL)::INT AS first_look, least(coalesce(p.part, 0), 1)::DECIMAL(18, 6) AS purchase,
  c.delay AS cart_delay, f.delay AS first_look_delay, p.delay AS purchase_delay, user_id AS "user", platform, acquisition_channel AS channel
FROM seen
  LEFT JOIN (FROM counted WHERE kind = 'cart') c USING (id, t)
  LEFT JOIN (FROM counted WHERE kind = 'first_look') f USING (id, t)
  LEFT JOIN (FROM counted WHERE kind = 'purchase') p USING (id, t)
WHERE outcome = 'samples';
