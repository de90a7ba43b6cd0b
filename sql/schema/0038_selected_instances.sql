-- Which registered instances a list is about, in one place for every list and its count. The planner expands it like a view.
-- Parameters: none.
-- Returns: nothing.
create function selected_instances(instance_ids integer[], engines text[], zone_name text, tag_name text, tag_value text)
returns setof instances
language sql stable
as $$
    select i.*
    from instances as i
    where
        i.deleted_at is null
        and (instance_ids is null or i.instance_id = any(instance_ids))
        and (engines is null or i.engine = any(engines))
        and (zone_name is null or coalesce(i.zone, 'centre') = zone_name)
        and (tag_name is null or i.tags ->> tag_name = coalesce(tag_value, i.tags ->> tag_name))
$$;
comment on function selected_instances(integer[], text[], text, text, text) is
'Registered instances by id, engine, zone and tag; NULL selects all, and a NULL value any value of the tag';
