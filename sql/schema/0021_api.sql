-- Who may call the API, and what was asked for: tokens by the digest of their secret, and every request that changes something.
-- Parameters: none.
-- Returns: nothing.

-- One row for each secret that opens the gate: a token of a script, the sign-in of a browser, a link that signs in once. A browser and a
-- link have the token that they come from as their parent, and end with it.
create table api_tokens (
    token_id integer generated always as identity primary key,
    kind text not null check (kind in ('token', 'link', 'browser')),
    name text not null check (name <> ''),
    scope text not null check (scope in ('read', 'operate', 'admin')),
    has_access boolean not null default false,
    -- SHA-256 of 256 random bits, which nobody can guess from it
    digest bytea not null unique check (length(digest) = 32),
    parent_id integer references api_tokens,
    created_by text not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz check (expires_at > created_at),
    -- a day, so that a busy token costs one update a day
    last_used_on date,
    revoked_at timestamptz
);
create unique index api_tokens_by_name on api_tokens (name) where kind = 'token' and revoked_at is null;
create index api_tokens_by_parent on api_tokens (parent_id);

-- Append-only: audit, answers to repeated requests, and the runs that were launched. A request that broke has no status.
create table api_requests (
    request_id text primary key,
    requested_at timestamptz not null default now(),
    caller text not null,
    token_id integer references api_tokens,
    method text not null,
    path text not null,
    idempotency_key text,
    body_digest bytea,
    status integer,
    completed_at timestamptz,
    session_id uuid,
    run_id text,
    answer jsonb,
    check ((status is null) = (completed_at is null))
);
create unique index api_requests_by_key on api_requests (caller, idempotency_key) where idempotency_key is not null;
create index api_requests_by_time on api_requests (requested_at desc, request_id);
create index api_requests_by_session on api_requests (session_id) where session_id is not null;
