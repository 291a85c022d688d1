"""Open data fetched into the inbox, where it takes the path of every deposit. Nothing here reads it."""
