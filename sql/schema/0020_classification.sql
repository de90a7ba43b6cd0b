-- Classes of accounts (domain.md section 9). Rules are data with immutable versions: an edit is a new version in the same group. What a
-- rule matched is an assignment with validity, so that any past day is a range predicate; a run closes and opens assignments in one
-- transaction. `valid_until` is the first day on which an assignment no longer held; NULL: it holds.
-- Parameters: none.
-- Returns: nothing.

create table account_classifications (
    classification_id integer generated always as identity primary key,
    code text not null unique check (code ~ '^[a-z][a-z0-9_]{0,62}$'),
    display_name text not null check (display_name <> ''),
    description text not null default '',
    axis text not null check (axis in ('power', 'state')),
    risk_level smallint not null check (risk_level between 1 and 6),
    priority integer not null default 0,
    is_system boolean not null default false,
    is_active boolean not null default true,
    created_at timestamptz not null default now()
);

create table classification_rules (
    rule_id integer generated always as identity primary key,
    rule_group_id uuid not null,
    rule_version integer not null check (rule_version >= 1),
    rule_name text not null check (rule_name <> ''),
    classification_id integer not null references account_classifications,
    engine text not null check (engine <> ''),
    description text not null default '',
    expression jsonb not null check (expression ->> 'version' = '4' and jsonb_typeof(expression -> 'expr') = 'object'),
    benchmark text,
    benchmark_version text,
    section text,
    section_title text,
    examples jsonb not null default '[]' check (jsonb_typeof(examples) = 'array'),
    -- a shipped version may be replaced by a newer shipped one; a person's never
    origin text not null check (origin in ('shipped', 'person', 'imported')),
    created_by text not null,
    created_at timestamptz not null default now(),
    is_active boolean not null default true,
    superseded_at timestamptz,
    unique (rule_group_id, rule_version),
    check (superseded_at is null or not is_active),
    check (num_nonnulls(benchmark, benchmark_version, section, section_title) in (0, 4))
);
create unique index classification_rules_current on classification_rules (rule_group_id) where superseded_at is null;
create unique index classification_rules_by_name on classification_rules (rule_name) where superseded_at is null;
create index classification_rules_by_class on classification_rules (classification_id);

-- A version says for ever what it said when it matched.
create function guard_rule_version() returns trigger language plpgsql as $$
begin
    if to_jsonb(new) - '{is_active,superseded_at}'::text[] <> to_jsonb(old) - '{is_active,superseded_at}'::text[] then
        raise exception 'version % of the rule % is immutable: an edit is a new version', old.rule_version, old.rule_name
            using errcode = 'check_violation', constraint = 'classification_rules_are_immutable';
    end if;
    if old.superseded_at is not null and new.superseded_at is distinct from old.superseded_at then
        raise exception 'version % of the rule % was superseded', old.rule_version, old.rule_name
            using errcode = 'check_violation', constraint = 'classification_rules_are_immutable';
    end if;
    return new;
end $$;
create trigger classification_rules_are_immutable before update on classification_rules
for each row execute function guard_rule_version();

create function guard_classification_code() returns trigger language plpgsql as $$
begin
    raise exception 'the code of the class % is immutable', old.code
        using errcode = 'check_violation', constraint = 'account_classifications_code_is_immutable';
end $$;
create trigger account_classifications_code_is_immutable before update on account_classifications
for each row when (new.code <> old.code) execute function guard_classification_code();

create table account_classification_assignments (
    account_id integer not null references instance_accounts,
    classification_id integer not null references account_classifications,
    rule_id integer references classification_rules,
    rule_version integer,
    assignment_type text not null check (assignment_type in ('auto', 'manual')),
    assigned_by text not null,
    notes text,
    valid_from date not null,
    valid_until date check (valid_until > valid_from),
    check ((assignment_type = 'auto') = (rule_id is not null)),
    check ((rule_id is null) = (rule_version is null))
);
create unique index account_classification_assignments_key on account_classification_assignments (
    account_id, classification_id, rule_id, valid_from
) nulls not distinct;
create index account_classification_assignments_by_rule on account_classification_assignments (rule_id) where valid_until is null;
create index account_classification_assignments_by_class on account_classification_assignments (classification_id);
create index account_classification_assignments_by_start on account_classification_assignments using brin (valid_from)
with (autosummarize = on);
create index account_classification_assignments_by_end on account_classification_assignments (valid_until)
where valid_until is not null;

-- What a rule matched on a day; a rule that matched nothing on an instance has no row.
create table classification_daily_counts (
    day date not null,
    classification_id integer not null references account_classifications,
    -- NULL: assigned by hand
    rule_id integer references classification_rules,
    engine text not null,
    instance_id integer not null references instances,
    matched_accounts integer not null check (matched_accounts > 0)
);
create unique index classification_daily_counts_key on classification_daily_counts (day, instance_id, classification_id, rule_id)
nulls not distinct;

-- rules look for a privilege by its name on every server
create index account_privilege_facts_by_privilege on account_privilege_facts (privilege, scope);

comment on table account_classifications is 'The classes that accounts are put into, on the axes power and state';
comment on table classification_rules is 'The versions of the rules that put accounts into classes';
comment on table account_classification_assignments is 'Which account was in which class, from valid_from to the day before valid_until';
comment on table classification_daily_counts is 'How many accounts of an instance a rule matched on a day';
