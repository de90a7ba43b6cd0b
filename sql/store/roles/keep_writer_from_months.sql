-- The writer is never the owner: months are made and expired by the owner's own `whalefall partitions`.
-- Parameters: owner, writer (identifiers).
-- Returns: nothing.
revoke {owner} from {writer}
