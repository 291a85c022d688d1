"""From a file to checked lines: take, read, recognise, map, normalise, validate, stage, answer.

Nothing here knows the warehouse, the pages or Dagster.
"""
