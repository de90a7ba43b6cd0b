-- Add a version of a rule.
-- Parameters: rule_group_id, rule_version, rule_name, classification_code, engine, description, expression (json text), benchmark,
-- benchmark_version, section, section_title, examples (json text), origin, created_by.
-- Returns: nothing.
insert into classification_rules (
    rule_group_id, rule_version, rule_name, classification_id, engine, description, expression, benchmark, benchmark_version, section,
    section_title, examples, origin, created_by
)
select
    %(rule_group_id)s,
    %(rule_version)s,
    %(rule_name)s,
    c.classification_id,
    %(engine)s,
    %(description)s,
    %(expression)s::jsonb,
    %(benchmark)s,
    %(benchmark_version)s,
    %(section)s,
    %(section_title)s,
    %(examples)s::jsonb,
    %(origin)s,
    %(created_by)s
from account_classifications as c
where c.code = %(classification_code)s
