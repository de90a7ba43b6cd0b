"""The documented columns of tokens and requests. A test compares them with the catalogue of the store."""

from whalefall_pipelines.area import Column

COLUMNS: dict[str, tuple[Column, ...]] = {
    "api_tokens": (
        ("token_id", "integer", "key"),
        ("kind", "text", "token, link or browser"),
        ("name", "text", "who uses it; unique among valid tokens"),
        ("scope", "text", "read, operate or admin"),
        ("has_access", "boolean", "whether it may read accounts"),
        ("digest", "bytea", "SHA-256 of the secret, which is not stored"),
        ("parent_id", "integer", "the token with which a browser signed in; NULL for others"),
        ("created_by", "text", "who created it"),
        ("created_at", "timestamp with time zone", "when it was created"),
        ("expires_at", "timestamp with time zone", "when it expires; NULL if never"),
        ("last_used_on", "date", "the last day on which it was used"),
        ("revoked_at", "timestamp with time zone", "when it was revoked or, for a link, used; NULL while it is valid"),
    ),
    "api_requests": (
        ("request_id", "text", "key; the header X-Request-Id of the answer"),
        ("requested_at", "timestamp with time zone", "when it was made"),
        ("caller", "text", "the name of the token or of the person"),
        ("token_id", "integer", "the token; NULL behind a proxy that signs people in"),
        ("method", "text", "POST or DELETE; COMMAND for a command"),
        ("path", "text", "the path, or the command"),
        ("idempotency_key", "text", "the key under which it can be repeated for a day; NULL without one"),
        ("body_digest", "bytea", "SHA-256 of the query and the body, which is not stored"),
        ("status", "integer", "the status of the answer; NULL if the request is running or was interrupted"),
        ("completed_at", "timestamp with time zone", "when it was answered"),
        ("session_id", "uuid", "the session that it launched; NULL for others"),
        ("run_id", "text", "the Dagster run that it launched"),
        ("answer", "jsonb", "the answer, if it may be repeated; never with a secret"),
    ),
}
