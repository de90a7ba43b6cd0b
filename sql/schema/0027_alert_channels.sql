-- A channel of apprise has no signing key: NULL made the check of it false, so that there could be none.
-- Parameters: none.
-- Returns: nothing.
alter table alert_channels drop constraint alert_channels_check;
alter table alert_channels add constraint alert_channels_signing_key check (
    signing_key is null or (signing_key ~ '^(env|file):.' and kind = 'webhook')
);
