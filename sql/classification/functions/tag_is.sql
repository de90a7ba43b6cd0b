-- Whether the server of the account has a tag.
-- Parameters: name, value.
-- Returns: answer.
select a.instance_id in (select i.instance_id from instances as i where i.tags ->> %(name)s::text = %(value)s::text) as answer
from classified_accounts as a
