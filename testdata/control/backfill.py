"""The join of files by DuckDB: what somebody would write who has a log in files, DuckDB and no tributary.

backfill.py convert DATA                       writes the Avro files of DATA as Parquet, into DATA/parquet
backfill.py join DATA FORMAT FILE WINDOW TMP   joins the files of that format into FILE, of the same format
backfill.py answer FILE                        prints samples, positives and the sum of their delays in ms, of a Parquet file

THREADS and MEMORY are taken from the environment.
"""
import glob
import os
import sys

import duckdb

con = duckdb.connect(config={
    "threads": os.environ.get("THREADS", "2"), "memory_limit": os.environ.get("MEMORY", "2GB"), "allow_unsigned_extensions": True,
})


def load_avro():
    import duckdb_extension_avro
    here = os.path.dirname(duckdb_extension_avro.__file__)
    con.load_extension(glob.glob(here + "/extensions/*/avro.duckdb_extension")[0])


def convert(data):
    load_avro()
    for log in "views", "engagements":
        os.makedirs(f"{data}/parquet/{log}", exist_ok=True)
        for path in sorted(glob.glob(f"{data}/{log}/*.avro")):
            out = f"{data}/parquet/{log}/{os.path.basename(path)[:-len('.avro')]}.parquet"
            con.execute(f"COPY (FROM read_avro('{path}')) TO '{out}' (FORMAT parquet)")


# A view has all engagements of its window in one row; one without any stands for itself.
JOIN = """
COPY (
  SELECT v.*, e.engagements IS NOT NULL AS positive, coalesce(e.engagements, 0) AS engagements, e.first AS first
  FROM {views} v
  LEFT JOIN (
    SELECT w.view_id, w.ts, count(DISTINCT e.event_id) AS engagements, min(e.ts) AS first
    FROM {views} w JOIN {engagements} e
      ON e.view_id = w.view_id AND e.kind = 'like' AND e.ts >= w.ts AND e.ts < w.ts + INTERVAL '{window}'
    GROUP BY w.view_id, w.ts
  ) e ON e.view_id = v.view_id AND e.ts = v.ts
) TO '{out}' (FORMAT {format})"""


def join(data, form, out, window, tmp):
    con.execute(f"SET temp_directory = '{tmp}'")
    tables = {log: f"read_parquet('{data}/parquet/{log}/*.parquet')" for log in ("views", "engagements")}
    if form == "avro":
        load_avro()
        tables = {log: f"read_avro('{data}/{log}/*.avro')" for log in tables}
    con.execute(JOIN.format(**tables, window=window, out=out, format=form))


def answer(path):
    load = f"read_parquet('{path}')"
    if path.endswith(".avro"):
        load_avro()
        load = f"read_avro('{path}')"
    print(*con.execute(
        f"SELECT count(*), count(*) FILTER (positive), coalesce(sum(epoch_ms(first) - epoch_ms(ts)), 0)::BIGINT FROM {load}").fetchone())


{"convert": convert, "join": join, "answer": answer}[sys.argv[1]](*sys.argv[2:])
