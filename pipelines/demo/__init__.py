"""The demonstration: fictitious funders' files in `raw/exemple-*/`, made from a fixed seed, and what they must give.

Nothing of the pipeline imports this package; it knows only `schemas`, whose titles and labels its workbooks carry.
Every body is invented; only the names and codes of communes and départements of Occitanie are real.
"""
