"""The inventory in the store: instances, and the identities of their servers."""
