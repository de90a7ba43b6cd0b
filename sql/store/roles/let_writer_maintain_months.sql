-- The writer makes and expires months as the owner, for the length of one transaction: only an owner attaches and detaches.
-- Parameters: owner, writer (identifiers).
-- Returns: nothing. Taken away and given again, because PostgreSQL 16 and later keep with a membership whether it is inherited.
revoke {owner} from {writer};
grant {owner} to {writer}
