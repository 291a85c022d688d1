"""One identity for each organisation: its identifiers, decisions made by hand, then names."""
