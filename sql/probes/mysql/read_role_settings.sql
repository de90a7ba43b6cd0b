-- Which roles everybody has on a MySQL, whether all granted roles are active at login, and whether mysql.db has names or patterns.
-- Parameters: none.
-- Returns: mandatory_roles (as in SET), activates_all, has_partial_revokes.
select
    @@mandatory_roles as mandatory_roles,
    @@activate_all_roles_on_login as activates_all,
    @@partial_revokes as has_partial_revokes
