-- Nobody who only reads the store needs the digests of tokens, or who asked for what. Both expire.
-- Parameters: writer, reader (identifiers).
-- Returns: nothing.
revoke select on api_tokens, api_requests from {reader};
grant delete on api_tokens, api_requests to {writer}
