-- Whether an attribute of the account is true, a typed one or one of the engine's own.
-- Parameters: name.
-- Returns: answer; NULL: it is unknown, or is not a truth value.
select
    case %(name)s::text
        when 'can_login' then a.can_login
        when 'is_superuser' then a.is_superuser
        when 'is_locked' then a.is_locked
        when 'is_password_expired' then a.is_password_expired
        when 'has_empty_password' then a.has_empty_password
        else
            case
                when jsonb_typeof(a.attributes -> %(name)s::text) = 'boolean' then (a.attributes -> %(name)s::text)::boolean
            end
    end as answer
from classified_accounts as a
