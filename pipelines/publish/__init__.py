"""From `public.duckdb` to the public site: pages, pictures and files to download.

Nothing here knows ingestion, the warehouse's models or Dagster; the public database is the only input, read only.
"""
