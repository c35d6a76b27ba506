"""Holds the samples of a job against what SQL finds in its raw lines. Arguments: the folder of the job, that of its samples, and the file of SQL,
in which `.read FILE` stands for another one. Samples are read by fastavro or DuckDB. Prints the totals as JSON: of each role how many of each outcome, and of every day
of views the samples and the positives of each kind."""

import glob
import json
import os
import re
import sys

import duckdb
import fastavro
import pandas

job, samples, sql = sys.argv[1:]
os.chdir(os.path.dirname(sql))
script = re.sub(r"^\.read (.*)$", lambda file: open(file[1]).read(), open(sql).read(), flags=re.MULTILINE)
os.chdir(job)
db = duckdb.connect()
db.execute(script)
columns = [name for name, *_ in db.sql("DESCRIBE wanted").fetchall()]
kinds = [name.removesuffix("_delay") for name in columns if name.endswith("_delay")]
fields = columns[3 + 2 * len(kinds) :]



def column(name):
    """A column of samples: that of the SQL, or a label of another name than its kind's, which is called label_NAME there."""
    label = name.removeprefix("label_")
    return f'"{name}"' if label == name else f'labels."{label}"'


if files := glob.glob(samples + "/**/*.avro", recursive=True):
    rows = pandas.DataFrame([record for path in files for record in fastavro.reader(open(path, "rb"))])
    source = "rows"
else:
    source = f"read_parquet('{samples}/**/*.parquet', hive_partitioning=false)"
got = ["view_id", "epoch_ms(view_time)", "positive"] + [f'labels."{kind}"' for kind in kinds] + [f'delay_ms."{kind}"' for kind in kinds] + [column(name) for name in fields]
db.execute("CREATE TABLE got AS FROM wanted LIMIT 0")
db.execute(f"INSERT INTO got SELECT {', '.join(got)} FROM {source}")
for kind, (one, other) in {"missing": ("wanted", "got"), "not expected": ("got", "wanted")}.items():
    if differing := db.sql(f"FROM {one} EXCEPT ALL FROM {other} ORDER BY ALL").fetchall():
        sys.exit("\n".join([f"{len(differing)} samples are {kind}: {columns}", *map(str, differing[:10])]))

totals = {}
for role, outcome, n in db.sql("SELECT role, outcome, sum(n)::BIGINT FROM totals GROUP BY ALL").fetchall():
    totals.setdefault(role, {})[outcome] = n
times = {}
positives = ", ".join(f'count("{kind}_delay")' for kind in kinds)
for start, samples, *n in db.sql(f"SELECT view_time // 86_400_000 * 86_400_000, count(*), {positives} FROM wanted GROUP BY 1").fetchall():
    times[start] = {"samples": samples, "positives": dict(zip(kinds, n))}
print(json.dumps({"totals": totals, "times": times}))
