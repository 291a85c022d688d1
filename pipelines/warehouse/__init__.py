"""From staging to the two databases: SQL models, their checks, disclosure control.

Knows the contracts in `schemas/`, never the reading of files nor the pages, and never Dagster.
"""
