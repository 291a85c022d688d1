"""One module a report; adding a module adds a report, and nothing else has to be touched."""
