"""whalefall: one honest size for every database on every server, for every day. The entry for Dagster is `definitions`."""
