-- Nobody who only reads the store needs the digests of tokens, or who asked for what.
-- Parameters: reader (identifier).
-- Returns: nothing.
revoke select on api_tokens, api_requests from {reader}
