-- The rules, each by its current version; an older version by its number.
-- Parameters: rule_name (NULL: all), rule_version (NULL: the current one), active_only (boolean), origin (NULL: any).
-- Returns: the columns of classification_rules but classification_id, with classification_code and axis.
select
    r.rule_id,
    r.rule_group_id,
    r.rule_version,
    r.rule_name,
    c.code as classification_code,
    c.axis,
    r.engine,
    r.description,
    r.expression,
    r.benchmark,
    r.benchmark_version,
    r.section,
    r.section_title,
    r.examples,
    r.origin,
    r.created_by,
    r.created_at,
    r.is_active,
    r.superseded_at
from classification_rules as r
inner join account_classifications as c on r.classification_id = c.classification_id
where
    (
        %(rule_name)s::text is null
        or r.rule_group_id in (
            select n.rule_group_id from classification_rules as n where n.rule_name = %(rule_name)s and n.superseded_at is null
        )
    )
    and case when %(rule_version)s::integer is null then r.superseded_at is null else r.rule_version = %(rule_version)s end
    and (not %(active_only)s or (r.is_active and c.is_active))
    and (%(origin)s::text is null or r.origin = %(origin)s)
order by c.axis, c.risk_level, c.priority desc, r.engine, r.rule_name
