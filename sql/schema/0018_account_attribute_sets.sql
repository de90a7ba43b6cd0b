-- Attributes of an engine are alike for most accounts of a fleet, and were two thirds of the bytes of an account: they are entered once in
-- a dictionary, without the user and the host of MySQL, which no two accounts share. `account_attribute_versions` shows what it always
-- showed, as a view.
-- Parameters: none.
-- Returns: nothing.

drop view account_change_log;

create table account_attribute_sets (
    set_id integer generated always as identity primary key,
    attributes jsonb not null check (jsonb_typeof(attributes) = 'object'),
    digest uuid not null unique generated always as (md5(attributes::text)::uuid) stored
);

alter table account_attribute_versions rename to account_attributes;
alter index account_attribute_versions_pkey rename to account_attributes_pkey;
alter index account_attribute_versions_by_name rename to account_attributes_by_name;
alter index account_attribute_versions_by_start rename to account_attributes_by_start;
alter index account_attribute_versions_by_end rename to account_attributes_by_end;
alter index account_attribute_versions_current rename to account_attributes_current;
alter table account_attributes
add column user_name text,
add column host_name text,
add column set_id integer references account_attribute_sets;
insert into account_attribute_sets (attributes)
select distinct attributes - '{user,host}'::text[] as attributes from account_attributes
order by attributes;
update account_attributes as v
set
    user_name = v.attributes ->> 'user',
    host_name = v.attributes ->> 'host',
    set_id = s.set_id
from account_attribute_sets as s
where v.attributes - '{user,host}'::text[] = s.attributes;
alter table account_attributes alter column set_id set not null;
alter table account_attributes drop column attributes;

create view account_attribute_versions as
select
    v.account_id,
    v.valid_from,
    v.valid_until,
    v.account_name,
    v.can_login,
    v.is_superuser,
    v.is_locked,
    v.is_password_expired,
    v.has_empty_password,
    v.password_changed_at,
    v.password_expires_at,
    v.authentication,
    case
        when v.user_name is null then s.attributes
        else s.attributes || jsonb_build_object('user', v.user_name, 'host', v.host_name)
    end as attributes
from account_attributes as v
inner join account_attribute_sets as s on v.set_id = s.set_id;

-- Names repeat over a fleet, and an index over names alone keeps each of them once.
drop index instance_accounts_by_name;
create index instance_accounts_by_name on instance_accounts (account_name);
-- The few accounts that have what nobody granted them.
create index instance_accounts_everyone on instance_accounts (instance_id) where is_everyone;
create index account_attributes_superusers on account_attributes (account_id) where is_superuser;

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
            when p.valid_until = v.valid_from then 'modify_other'
            -- an account that was seen before exists again, even if its earlier versions have expired
            when p.account_id is null and w.first_seen_date >= v.valid_from then 'add'
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
    inner join instance_accounts as w on v.account_id = w.account_id
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

comment on table account_attribute_sets is 'The dictionary of account_attributes: the attributes of an engine, each combination once';
comment on table account_attributes is 'What an account was by itself, from valid_from to the day before valid_until';
comment on view account_attribute_versions is 'What every account was by itself with its validity, written out';
comment on view account_change_log is 'What was granted, revoked, added, dropped or changed on which day';
