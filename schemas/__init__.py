"""What the data is: contracts, formats, codelists, publication rules.

Bottom of the house: nothing here imports from `pipelines`, reads a deposit or opens a database.
"""
