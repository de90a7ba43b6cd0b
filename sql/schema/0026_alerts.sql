-- Alerts (domain.md section 11): rules as data, one alert for each rule and subject, what happened to it, what channels were told, and the
-- messages that are still to be delivered. A message is written by the transaction that makes it due.
-- Parameters: none.
-- Returns: nothing.

create table alert_rules (
    rule_id integer generated always as identity primary key,
    rule_name text not null unique check (rule_name <> ''),
    condition text not null check (condition ~ '^[a-z_]+$'),
    -- the servers with all of these tags; of several rules of one condition, a server has the one with the most tags
    tags jsonb not null default '{}' check (jsonb_typeof(tags) = 'object'),
    -- what differs from the defaults of the condition
    thresholds jsonb not null default '{}' check (jsonb_typeof(thresholds) = 'object'),
    examples jsonb not null default '[]' check (jsonb_typeof(examples) = 'array'),
    is_active boolean not null default true,
    changed_by text not null default 'whalefall',
    changed_at timestamptz not null default now()
);
insert into alert_rules (rule_name, condition) values
('runway', 'runway'),
('headroom', 'headroom'),
('jump_room', 'jump_room'),
('step', 'step'),
('shrink', 'shrink'),
('vanished', 'vanished'),
('coverage', 'coverage'),
('missing_days', 'missing_days'),
('collector_stale', 'collector_stale'),
('login_rejected', 'login_rejected'),
('unfinished_sessions', 'unfinished_sessions'),
('partitions_ahead', 'partitions_ahead'),
('footprint', 'footprint'),
('privileged_account', 'privileged_account'),
('class_changed', 'class_changed'),
('forecast_unreliable', 'forecast_unreliable');

create table alert_channels (
    channel_id integer generated always as identity primary key,
    channel_name text not null unique check (channel_name <> ''),
    kind text not null check (kind in ('apprise', 'webhook')),
    -- references, never the secret itself
    url text not null check (url ~ '^(env|file):.'),
    signing_key text check (signing_key ~ '^(env|file):.' and kind = 'webhook'),
    least_severity text not null default 'info' check (least_severity in ('info', 'warning', 'critical')),
    tags jsonb not null default '{}' check (jsonb_typeof(tags) = 'object'),
    most_per_hour smallint not null default 20 check (most_per_hour between 1 and 1000),
    has_reports boolean not null default true,
    is_active boolean not null default true
);

create table alert_blackouts (
    blackout_name text primary key check (blackout_name <> ''),
    cron text not null,
    minutes integer not null check (minutes between 1 and 10080),
    tags jsonb not null default '{}' check (jsonb_typeof(tags) = 'object'),
    passes_critical boolean not null default false
);

create table alerts (
    alert_id integer generated always as identity primary key,
    rule_id integer not null references alert_rules,
    -- NULL: the fleet
    instance_id integer references instances,
    -- NULL: the server
    database_id integer check (database_id is null or instance_id is not null),
    status text not null default 'pending' check (status in ('pending', 'open', 'acknowledged', 'cleared')),
    severity text not null check (severity in ('info', 'warning', 'critical')),
    peak_severity text not null check (peak_severity in ('info', 'warning', 'critical')),
    figures jsonb not null default '{}',
    occurred_on date,
    episode integer not null default 0,
    flaps integer not null default 0,
    met_days integer not null default 0,
    clear_days integer not null default 0,
    opened_on date,
    cleared_on date,
    unknown_since date,
    acknowledged_by text,
    acknowledged_note text,
    acknowledged_until date,
    changed_at timestamptz not null default now(),
    unique nulls not distinct (rule_id, instance_id, database_id),
    check ((status = 'acknowledged') = (acknowledged_by is not null)),
    check (status not in ('open', 'acknowledged') or opened_on is not null)
);
create index alerts_live on alerts (rule_id) where status <> 'cleared';
create index alerts_by_cleared on alerts (cleared_on) where status = 'cleared';
create index alerts_by_instance on alerts (instance_id);

insert into sync_state_moves (table_name, from_status, to_status) values
('alerts', 'pending', 'open'),
('alerts', 'pending', 'cleared'),
('alerts', 'open', 'acknowledged'),
('alerts', 'open', 'cleared'),
('alerts', 'acknowledged', 'open'),
('alerts', 'acknowledged', 'cleared'),
('alerts', 'cleared', 'pending'),
('alert_outbox', 'queued', 'sent'),
('alert_outbox', 'queued', 'failed'),
('alert_outbox', 'failed', 'queued');
create trigger alerts_moves before update on alerts for each row execute function guard_sync_state();
create trigger alerts_start before insert on alerts for each row execute function guard_sync_start('pending');

create table alert_events (
    event_id bigint generated always as identity primary key,
    alert_id integer not null references alerts,
    event text not null check (
        event in (
            'pending', 'dropped', 'opened', 'reopened', 'worse', 'again', 'acknowledged', 'acknowledgement_ended', 'cleared'
        )
    ),
    day date not null,
    happened_at timestamptz not null default now(),
    severity text not null,
    figures jsonb not null default '{}',
    person text,
    note text
);
create index alert_events_by_alert on alert_events (alert_id, event_id);
create index alert_events_by_day on alert_events (day);

-- What a channel was told of an alert: what is due is the difference between this and the alert.
create table alert_notices (
    alert_id integer not null references alerts,
    channel_id integer not null references alert_channels,
    episode integer not null,
    severity text not null check (severity in ('info', 'warning', 'critical')),
    occurred_on date,
    sent_count integer not null check (sent_count > 0),
    last_at timestamptz not null,
    is_cleared boolean not null default false,
    primary key (alert_id, channel_id)
);

create table alert_outbox (
    message_id uuid primary key,
    channel_id integer not null references alert_channels,
    kind text not null check (
        kind in (
            'opened', 'reopened', 'worse', 'again', 'reminder', 'cleared', 'digest', 'common_cause', 'report', 'test'
        )
    ),
    subject text not null,
    body text not null,
    html text,
    document jsonb not null default '{}',
    alert_ids integer[] not null default '{}',
    status text not null default 'queued' check (status in ('queued', 'sent', 'failed')),
    attempts smallint not null default 0,
    next_attempt_at timestamptz not null,
    created_at timestamptz not null,
    sent_at timestamptz,
    error text,
    check ((status = 'sent') = (sent_at is not null)),
    check (status <> 'failed' or error is not null)
);
create index alert_outbox_queued on alert_outbox (next_attempt_at) where status = 'queued';
create index alert_outbox_failed on alert_outbox (created_at) where status = 'failed';
create index alert_outbox_by_channel on alert_outbox (channel_id, created_at);
create trigger alert_outbox_moves before update on alert_outbox for each row execute function guard_sync_state();
create trigger alert_outbox_start before insert on alert_outbox for each row execute function guard_sync_start('queued');

create table alert_mutes (
    mute_id integer generated always as identity primary key,
    -- NULL: any
    rule_id integer references alert_rules,
    instance_id integer references instances,
    database_id integer check (database_id is null or instance_id is not null),
    owner text not null check (owner <> ''),
    reason text not null check (reason <> ''),
    created_at timestamptz not null default now(),
    until_at timestamptz not null check (until_at > created_at and until_at <= created_at + interval '90 days'),
    -- nobody mutes everything
    check (num_nonnulls(rule_id, instance_id) > 0)
);
create index alert_mutes_by_end on alert_mutes (until_at);

-- A closed day is evaluated once.
create table alert_evaluations (
    day date primary key,
    evaluated_at timestamptz not null,
    heartbeat_at timestamptz
);

comment on table alert_rules is 'What is watched, on which servers, with which thresholds';
comment on table alert_channels is 'Where messages go; URLs and keys are references';
comment on table alert_blackouts is 'Windows of time in which messages wait';
comment on table alerts is 'One row for each rule and subject';
comment on table alert_events is 'What happened to the alerts; append-only';
comment on table alert_notices is 'What each channel was told of each alert';
comment on table alert_outbox is 'Messages, written by the transaction that makes them due';
comment on table alert_mutes is 'Messages that a person does not want for a while';
comment on table alert_evaluations is 'The closed days that were evaluated';
