-- A version that began today is replaced by a second reading of today; the dictionary of facts only grows. Views are only read.
-- Parameters: writer (identifier).
-- Returns: nothing.
revoke insert, update on account_privilege_versions, account_change_log from {writer};
revoke update on account_privilege_facts from {writer};
grant delete on account_attribute_versions, account_membership_versions, account_privileges, account_reach_versions, account_gaps
to {writer}
