"""The pipeline: `ingest` (files to checked lines), `warehouse` (lines to figures), `publish` (figures to pages).

The three know `schemas` and not each other; `defs` wires them in Dagster; `cli` is the same flow for a terminal.
"""

import os

os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:100,muzzy_decay_ms:0")
"""Read by the allocator of Polars when it is loaded: what is let go returns to the system within a tenth of a second.

Left to itself it keeps some 200 MB of a million lines; given back at once, reading them takes a quarter longer.
"""
