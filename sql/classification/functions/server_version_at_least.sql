-- Whether the version of the account's server is at least this one, by the first numbers of its version text.
-- Parameters: version (numbers with dots between).
-- Returns: answer; NULL: unknown.
select
    case
        when a.instance_id in (
            select i.instance_id from instances as i
            where
                string_to_array(substring(i.server_version from '[0-9]+(?:\.[0-9]+)*'), '.')::numeric[]
                >= string_to_array(%(version)s::text, '.')::numeric[]
        ) then true
        when a.instance_id in (
            select i.instance_id from instances as i where substring(i.server_version from '[0-9]+') is null
        ) then null
        else false
    end as answer
from classified_accounts as a
