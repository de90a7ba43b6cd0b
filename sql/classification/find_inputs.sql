-- What an evaluation should have seen: the newest observation of accounts and the newest change of a rule, as a digest. An evaluation that
-- died changes it, at most three times, so that it is repeated; one in which a rule failed does not. It is asked every half minute, so that
-- it looks only at observations and sessions since a day.
-- Parameters: first_day, rule_failed (the error code of sessions in which a rule failed).
-- Returns: digest (NULL: no rule was ever written), is_reading (accounts are being read).
select
    (
        select
            md5(
                max(r.created_at)::text || coalesce(max(r.superseded_at)::text, '') || count(*) filter (where r.is_active)::text
                || coalesce((select max(o.observed_at)::text from account_observations as o where o.observed_on >= %(first_day)s), '')
                || (
                    select least(count(*), 3)::text
                    from sync_sessions as d
                    where
                        d.sync_category = 'classification'
                        and d.started_at >= %(first_day)s
                        and d.status = 'failed'
                        and d.error_code is distinct from %(rule_failed)s
                )
            )
        from classification_rules as r
    ) as digest,
    exists(select 1 from sync_sessions as s where s.sync_category = 'account' and s.status = 'running') as is_reading
