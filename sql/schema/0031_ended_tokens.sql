-- Tokens that ended long ago and the audit log expire. A token that goes is looked for among the requests, which the index makes a look.
-- Parameters: none.
-- Returns: nothing.
create index api_requests_by_token on api_requests (token_id) where token_id is not null;
