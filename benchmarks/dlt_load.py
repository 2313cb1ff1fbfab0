"""dlt's fastest way into PostgreSQL that is known to us: Arrow tables, Parquet files, ADBC.

It runs in dlt's own environment. Arguments: file, address of the database, folder for dlt's state. Prints the seconds
of the run, without the imports.
"""

import json
import os
import sys
import time

import dlt
import pyarrow
from pyarrow import csv

TYPES = {
    "posting_id": pyarrow.int64(),
    "posted_at": pyarrow.timestamp("us"),
    "value_date": pyarrow.date32(),
    "amount": pyarrow.decimal128(18, 2),
}
TEXTS = ("card_no", "account_no", "currency", "mcc", "merchant", "auth_code", "direction", "channel")


def tables(path: str):
    """The file as Arrow tables of the columns' own types, part by part."""
    types = TYPES | {name: pyarrow.string() for name in TEXTS}
    reader = csv.open_csv(
        path,
        read_options=csv.ReadOptions(block_size=32 << 20),
        convert_options=csv.ConvertOptions(column_types=types, strings_can_be_null=True),
    )
    for batch in reader:
        yield pyarrow.Table.from_batches([batch])


def main() -> None:
    """Load the file as a new table."""
    path, address, state = sys.argv[1:]
    os.environ["DESTINATION__POSTGRES__CREDENTIALS"] = address
    begun = time.perf_counter()
    pipeline = dlt.pipeline(
        "bench", destination="postgres", dataset_name="dlt_bench", pipelines_dir=state, progress=None
    )
    pipeline.drop()
    postings = dlt.resource(lambda: tables(path), name="card_posting", write_disposition="replace")
    pipeline.run(postings, loader_file_format="parquet")
    print(json.dumps({"seconds": time.perf_counter() - begun}))


if __name__ == "__main__":
    main()
