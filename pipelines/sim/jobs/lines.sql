-- How a log is read: lines in order, and the watermark before each.

SET TimeZone = 'UTC';

CREATE MACRO lines(files) AS TABLE
SELECT parse_filename(filename) AS file, unnest(range(len(texts))) AS line, unnest(texts) AS text
FROM (SELECT filename, string_split(rtrim(content, chr(10)), chr(10)) AS texts FROM read_text(files));

-- The two largest times before a line.
CREATE MACRO largest(t, file, line) AS max(t, 2) OVER (PARTITION BY file ORDER BY line ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING);

-- The watermark of a file before a line: the largest time so far less out_of_orderness (a minute). A time that is more than a minute ahead
-- of all others does not count, unless it is the first. Before any time it is long ago.
CREATE MACRO watermark(t, file, line) AS coalesce(
  CASE WHEN largest(t, file, line)[1] - largest(t, file, line)[2] > 60_000
    AND largest(t, file, line)[1] <> first_value(t IGNORE NULLS) OVER (PARTITION BY file ORDER BY line)
  THEN largest(t, file, line)[2] ELSE largest(t, file, line)[1] END - 60_000, 0);

-- A part of an id of several fields.
CREATE MACRO part(id) AS replace(replace(id, '\', '\\'), '|', '\|');
