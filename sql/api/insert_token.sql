-- Adds a token, a link or the sign-in of a browser.
-- Parameters: kind, name, scope, has_access, digest (bytea), parent_id (NULL for none), created_by, created_at, expires_at (NULL for
-- never).
-- Returns: token_id; no row where another living token has the name.
insert into api_tokens (kind, name, scope, has_access, digest, parent_id, created_by, created_at, expires_at)
values (
    %(kind)s, %(name)s, %(scope)s, %(has_access)s, %(digest)s, %(parent_id)s, %(created_by)s, %(created_at)s, %(expires_at)s
)
on conflict do nothing
returning token_id
