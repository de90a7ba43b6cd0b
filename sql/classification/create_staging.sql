-- Where one evaluation works: the accounts of the day, what could not be read, nested memberships, what each rule matched, and what that
-- changes. Gone with the transaction.
-- Parameters: none.
-- Returns: nothing.
create temporary table if not exists classified_accounts (
    account_id integer primary key,
    instance_id integer not null,
    engine text not null,
    account_name text not null,
    -- without the host (MySQL) or the database (SQL Server)
    short_name text not null,
    account_kind text not null,
    is_built_in boolean not null,
    is_everyone boolean not null,
    database_name text,
    can_login boolean,
    is_superuser boolean,
    is_locked boolean,
    is_password_expired boolean,
    has_empty_password boolean,
    password_changed_at timestamptz,
    password_expires_at timestamptz,
    attributes jsonb not null,
    first_seen_date date not null,
    last_login_at timestamptz
) on commit drop;
create temporary table if not exists classified_gaps (
    instance_id integer not null,
    engine text not null,
    scope text,
    database_name text,
    attribute text
) on commit drop;
create temporary table if not exists nested_memberships (
    member_id integer not null,
    role_id integer not null,
    inherits boolean not null,
    can_set boolean not null,
    is_default boolean not null,
    database_name text
) on commit drop;
create temporary table if not exists matches (
    rule_id integer not null,
    account_id integer not null
) on commit drop;
create temporary table if not exists differences (
    account_id integer not null,
    rule_id integer not null,
    is_match boolean not null
) on commit drop
