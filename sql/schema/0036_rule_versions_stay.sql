-- A version of a rule stays: assignments and counts of past days name it. Assignments need no foreign key for it then, which cost a fifth
-- of the time in which a large fleet is classified: the statement that writes them reads the versions.
-- Parameters: none.
-- Returns: nothing.
create function guard_rule_version_deletion() returns trigger language plpgsql as $$
begin
    raise exception 'version % of the rule % stays: disable the rule instead', old.rule_version, old.rule_name
        using errcode = 'check_violation', constraint = 'classification_rules_stay';
end $$;
create trigger classification_rules_stay before delete on classification_rules
for each row execute function guard_rule_version_deletion();

alter table account_classification_assignments drop constraint account_classification_assignments_rule_id_fkey;
