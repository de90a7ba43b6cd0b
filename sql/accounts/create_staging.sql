-- Where the accounts of one instance land by COPY before they are compared with the store; emptied at the end of the transaction.
-- Parameters: none.
-- Returns: nothing.
create temporary table if not exists staged_accounts (
    account_id integer,
    account_name text not null,
    native_id text,
    account_kind text not null,
    is_built_in boolean not null,
    is_everyone boolean not null,
    database_name text,
    last_login_at timestamptz,
    can_login boolean,
    is_superuser boolean,
    is_locked boolean,
    is_password_expired boolean,
    has_empty_password boolean,
    password_changed_at timestamptz,
    password_expires_at timestamptz,
    authentication text,
    user_name text,
    host_name text,
    attributes jsonb not null,
    digest uuid generated always as (md5(attributes::text)::uuid) stored
) on commit delete rows;
create temporary table if not exists staged_memberships (
    member_name text not null,
    role_name text not null,
    inherits boolean not null,
    can_set boolean not null,
    can_admin boolean not null,
    is_default boolean not null,
    database_name text
) on commit delete rows;
-- Each different fact once, and who has which by its number.
create temporary table if not exists staged_facts (
    number integer not null,
    scope text not null,
    database_name text,
    schema_name text,
    object_name text,
    column_name text,
    privilege text not null,
    is_grantable boolean not null,
    origin text not null,
    effect text not null,
    grantor_name text,
    traits text not null,
    digest uuid generated always as (
        digest_account_fact(
            scope, database_name, schema_name, object_name, column_name, privilege, is_grantable, origin, effect, grantor_name, traits
        )
    ) stored
) on commit delete rows;
create temporary table if not exists staged_privileges (
    account_name text not null,
    number integer not null
) on commit delete rows;
create temporary table if not exists staged_reaches (
    account_name text not null,
    database_name text not null,
    owned_count integer not null,
    granted_count integer not null,
    policy_count integer not null
) on commit delete rows;
create temporary table if not exists staged_gaps (
    account_id integer,
    scope text,
    database_name text,
    attribute text,
    reason text not null,
    detail text not null,
    cure text
) on commit delete rows
