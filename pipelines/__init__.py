"""The pipeline: `ingest` (files to checked lines), `warehouse` (lines to figures), `publish` (figures to pages).

The three know `schemas` and not each other; `defs` wires them in Dagster; `cli` is the same flow for a terminal.
"""
