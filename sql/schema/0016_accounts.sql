-- Who can get in (domain.md section 8): the accounts of every instance, and what they were, of whom they were members and what they might
-- do, from which day until which. A fact that does not change costs nothing per day: a day is a range predicate over the versions, and what
-- was granted or revoked is where versions begin and end. `valid_until` is the first day on which a fact no longer held; NULL: it holds.
-- Parameters: none.
-- Returns: nothing.

create table instance_accounts (
    account_id integer generated always as identity primary key,
    instance_id integer not null references instances,
    account_name text not null check (account_name <> ''),
    -- the server's own identifier: an account with another one is another account, whatever its name
    native_id text,
    account_kind text not null check (account_kind in ('user', 'role', 'group', 'application', 'anonymous')),
    is_built_in boolean not null default false,
    -- every account is a member without a membership: PUBLIC, or the public role of one database
    is_everyone boolean not null default false,
    -- the only database in which it exists; NULL: the whole server
    database_name text,
    is_active boolean not null default true,
    first_seen_date date not null,
    -- NULL while it is active: it was listed by the last observation of its instance
    last_seen_date date check (last_seen_date >= first_seen_date),
    -- the first day whose listing lacked it while the guard kept it
    absent_since_date date,
    deleted_at timestamptz,
    last_login_at timestamptz,
    check (is_active = (deleted_at is null)),
    check (is_active = (last_seen_date is null))
);
create unique index instance_accounts_active on instance_accounts (instance_id, account_name) where is_active;
create index instance_accounts_by_name on instance_accounts (account_name, instance_id);

create table account_attribute_versions (
    account_id integer not null references instance_accounts,
    valid_from date not null,
    valid_until date check (valid_until > valid_from),
    account_name text not null,
    can_login boolean,
    is_superuser boolean,
    is_locked boolean,
    is_password_expired boolean,
    has_empty_password boolean,
    password_changed_at timestamptz,
    password_expires_at timestamptz,
    authentication text,
    attributes jsonb not null default '{}' check (jsonb_typeof(attributes) = 'object'),
    primary key (account_id, valid_from)
);
create index account_attribute_versions_by_name on account_attribute_versions (account_name);
create index account_attribute_versions_by_start on account_attribute_versions using brin (valid_from) with (autosummarize = on);
create index account_attribute_versions_by_end on account_attribute_versions (valid_until) where valid_until is not null;
create unique index account_attribute_versions_current on account_attribute_versions (account_id) where valid_until is null;

create table account_membership_versions (
    member_id integer not null references instance_accounts,
    role_id integer not null references instance_accounts,
    valid_from date not null,
    valid_until date check (valid_until > valid_from),
    inherits boolean not null,
    can_set boolean not null,
    can_admin boolean not null,
    is_default boolean not null,
    -- the only database in which it holds; NULL: everywhere
    database_name text
);
create unique index account_membership_versions_key on account_membership_versions (member_id, role_id, valid_from, database_name)
nulls not distinct;
create index account_membership_versions_by_role on account_membership_versions (role_id);
create index account_membership_versions_by_start on account_membership_versions using brin (valid_from) with (autosummarize = on);
create index account_membership_versions_by_end on account_membership_versions (valid_until) where valid_until is not null;

-- The length before each name keeps the names of a fact apart, and NULL from the empty name.
create function digest_account_fact(
    scope text,
    database_name text,
    schema_name text,
    object_name text,
    column_name text,
    privilege text,
    is_grantable boolean,
    origin text,
    effect text,
    grantor_name text,
    traits text
) returns uuid language sql immutable parallel safe as $$
    select md5(
        scope || '/' || coalesce(length(database_name), -1)::text || '/' || coalesce(database_name, '')
        || '/' || coalesce(length(schema_name), -1)::text || '/' || coalesce(schema_name, '')
        || '/' || coalesce(length(object_name), -1)::text || '/' || coalesce(object_name, '')
        || '/' || coalesce(length(column_name), -1)::text || '/' || coalesce(column_name, '')
        || '/' || coalesce(length(grantor_name), -1)::text || '/' || coalesce(grantor_name, '')
        || '/' || privilege || '/' || origin || '/' || effect || '/' || traits || '/' || is_grantable::integer::text
    )::uuid
$$;

-- What a privilege is on, once for everybody who has it: most accounts of a fleet have the privileges of others.
create table account_privilege_facts (
    fact_id integer generated always as identity primary key,
    scope text not null,
    database_name text,
    schema_name text,
    object_name text,
    column_name text,
    privilege text not null,
    is_grantable boolean not null,
    origin text not null check (origin in ('grant', 'ownership', 'default', 'public', 'built_in')),
    effect text not null check (effect in ('grant', 'deny', 'revoke')),
    grantor_name text,
    traits text not null default '',
    -- names may be longer than an index entry, so the digest of them all is unique
    digest uuid not null unique generated always as (
        digest_account_fact(
            scope, database_name, schema_name, object_name, column_name, privilege, is_grantable, origin, effect, grantor_name, traits
        )
    ) stored
);
create index account_privilege_facts_by_object on account_privilege_facts (object_name, schema_name);

create table account_privileges (
    account_id integer not null references instance_accounts,
    fact_id integer not null references account_privilege_facts,
    valid_from date not null,
    valid_until date check (valid_until > valid_from),
    primary key (account_id, fact_id, valid_from)
);
create index account_privileges_by_fact on account_privileges (fact_id);
create index account_privileges_by_start on account_privileges using brin (valid_from) with (autosummarize = on);
create index account_privileges_by_end on account_privileges (valid_until) where valid_until is not null;

create view account_privilege_versions as
select
    p.account_id,
    f.scope,
    f.database_name,
    f.schema_name,
    f.object_name,
    f.column_name,
    f.privilege,
    f.is_grantable,
    f.origin,
    f.effect,
    f.grantor_name,
    f.traits,
    p.valid_from,
    p.valid_until
from account_privileges as p
inner join account_privilege_facts as f on p.fact_id = f.fact_id;

-- What the server tells of a database that could not be read: how many of its objects an account owns or is named by.
create table account_reach_versions (
    account_id integer not null references instance_accounts,
    database_name text not null,
    valid_from date not null,
    valid_until date check (valid_until > valid_from),
    owned_count integer not null,
    granted_count integer not null,
    policy_count integer not null,
    primary key (account_id, database_name, valid_from)
);

create table account_observations (
    instance_id integer not null references instances,
    observed_on date not null,
    observed_at timestamptz not null,
    method text not null,
    account_count integer not null,
    membership_count integer not null,
    privilege_count integer not null,
    unread_count integer not null,
    -- NULL: the listing was not taken over as it was, so that an equal one tomorrow must be looked at again
    facts_digest uuid,
    session_id uuid,
    primary key (instance_id, observed_on)
);
create index account_observations_by_day on account_observations using brin (observed_on) with (autosummarize = on);

-- What could not be read, from which day until which. It covers every fact of this scope in this database (NULL: any); with an attribute,
-- that attribute of every account and no fact. The scope `account` is the listing itself: nothing was read at all.
create table account_gaps (
    instance_id integer not null references instances,
    -- the account that the guard keeps although the listing lacks it; NULL: every account
    account_id integer references instance_accounts,
    scope text,
    database_name text,
    attribute text,
    valid_from date not null,
    valid_until date check (valid_until > valid_from),
    reason text not null,
    detail text not null,
    -- the statement that makes it readable; NULL: there is none
    cure text
);
create unique index account_gaps_key on account_gaps (instance_id, account_id, scope, database_name, attribute, valid_from)
nulls not distinct;

-- The versions are the log. What was there when an instance, or a scope of it, was read for the first time is no change.
create view account_change_log as
with beginnings as (
    select
        instance_id,
        min(observed_on) as first_day
    from account_observations
    group by instance_id
),

changes as (
    select
        v.valid_from as day,
        v.account_id,
        case
            when p.account_id is null then 'add'
            when p.valid_until = v.valid_from then 'modify_other'
            else 'restore'
        end as change_type,
        null::text as scope,
        null::text as database_name,
        case
            when p.valid_until = v.valid_from
                then jsonb_build_object('before', to_jsonb(p) - '{account_id,valid_from,valid_until}'::text[])
            else '{}'
        end || jsonb_build_object('after', to_jsonb(v) - '{account_id,valid_from,valid_until}'::text[]) as detail,
        true as is_opened
    from account_attribute_versions as v
    left join lateral (
        select * from account_attribute_versions as e
        where e.account_id = v.account_id and e.valid_until <= v.valid_from
        order by e.valid_until desc
        limit 1
    ) as p on true
    union all
    select
        v.valid_until,
        v.account_id,
        'delete',
        null,
        null,
        jsonb_build_object('before', to_jsonb(v) - '{account_id,valid_from,valid_until}'::text[]),
        false
    from account_attribute_versions as v
    where
        v.valid_until is not null
        and not exists (
            select 1 from account_attribute_versions as e
            where e.account_id = v.account_id and e.valid_from = v.valid_until
        )
    union all
    select
        v.valid_from,
        v.member_id,
        'modify_privilege',
        'membership',
        v.database_name,
        jsonb_build_object(
            'what', 'granted', 'role', r.account_name, 'inherits', v.inherits, 'can_set', v.can_set, 'can_admin', v.can_admin,
            'is_default', v.is_default
        ),
        true
    from account_membership_versions as v
    inner join instance_accounts as r on v.role_id = r.account_id
    union all
    select
        v.valid_until,
        v.member_id,
        'modify_privilege',
        'membership',
        v.database_name,
        jsonb_build_object(
            'what', 'revoked', 'role', r.account_name, 'inherits', v.inherits, 'can_set', v.can_set, 'can_admin', v.can_admin,
            'is_default', v.is_default
        ),
        false
    from account_membership_versions as v
    inner join instance_accounts as r on v.role_id = r.account_id
    where v.valid_until is not null
    union all
    select
        v.valid_from,
        v.account_id,
        'modify_privilege',
        v.scope,
        v.database_name,
        jsonb_strip_nulls(jsonb_build_object(
            'what', 'granted', 'privilege', v.privilege, 'scope', v.scope, 'database', v.database_name, 'schema', v.schema_name,
            'object', v.object_name, 'column', v.column_name, 'is_grantable', v.is_grantable, 'origin', v.origin, 'effect', v.effect,
            'grantor', v.grantor_name, 'traits', nullif(v.traits, '')
        )),
        true
    from account_privilege_versions as v
    union all
    select
        v.valid_until,
        v.account_id,
        'modify_privilege',
        v.scope,
        v.database_name,
        jsonb_strip_nulls(jsonb_build_object(
            'what', 'revoked', 'privilege', v.privilege, 'scope', v.scope, 'database', v.database_name, 'schema', v.schema_name,
            'object', v.object_name, 'column', v.column_name, 'is_grantable', v.is_grantable, 'origin', v.origin, 'effect', v.effect,
            'grantor', v.grantor_name, 'traits', nullif(v.traits, '')
        )),
        false
    from account_privilege_versions as v
    where v.valid_until is not null
)

select
    c.day,
    a.instance_id,
    c.account_id,
    a.account_name,
    c.change_type,
    c.detail,
    o.session_id
from changes as c
inner join instance_accounts as a on c.account_id = a.account_id
inner join beginnings as b on a.instance_id = b.instance_id
left join account_observations as o on a.instance_id = o.instance_id and c.day = o.observed_on
where
    c.day > b.first_day
    and not (
        c.is_opened
        and c.change_type = 'modify_privilege'
        and exists (
            select 1 from account_gaps as g
            where
                g.instance_id = a.instance_id
                and g.valid_until = c.day
                and g.account_id is null
                and g.attribute is null
                and (g.scope is null or g.scope = c.scope)
                and (g.database_name is null or g.database_name = c.database_name)
        )
    );

comment on table instance_accounts is 'Every account that was ever listed on an instance';
comment on table account_attribute_versions is 'What an account was by itself, from valid_from to the day before valid_until';
comment on table account_membership_versions is 'Of which roles an account was a member, from valid_from to the day before valid_until';
comment on table account_privilege_facts is 'The dictionary of account_privileges: one row for each different privilege';
comment on table account_privileges is 'Which privileges an account had, from valid_from to the day before valid_until';
comment on view account_privilege_versions is 'The privileges of every account with their validity, written out';
comment on table account_reach_versions is 'How many objects of an unread database an account owns or is named by';
comment on table account_observations is 'The days on which the accounts of an instance were read';
comment on table account_gaps is 'What could not be read, why, and the statement that cures it';
comment on view account_change_log is 'What was granted, revoked, added, dropped or changed on which day';
