"""The documented columns of sessions and their records. A test compares them with the catalogue of the store."""

from whalefall_pipelines.area import Column

COLUMNS: dict[str, tuple[Column, ...]] = {
    "sync_sessions": (
        ("session_id", "uuid", "key"),
        ("run_id", "text", "the Dagster run; NULL if there is none"),
        ("sync_category", "text", "the kind of work"),
        ("sync_type", "text", "what started the session"),
        ("zone", "text", "the zone that its run was for; NULL for the centre and for a run without a zone"),
        ("status", "text", "running, completed, failed or cancelled"),
        ("total_instances", "integer", "the number of instances"),
        ("successful_instances", "integer", "how many of them succeeded"),
        ("failed_instances", "integer", "how many of them failed"),
        ("skipped_instances", "integer", "how many of them had nothing to do"),
        ("first_day", "date", "the first day of the work"),
        ("last_day", "date", "the last day of the work"),
        ("started_at", "timestamp with time zone", "when the session began"),
        ("completed_at", "timestamp with time zone", "when it ended; NULL while it is running"),
        ("alive_at", "timestamp with time zone", "the last heartbeat of its process"),
        ("retry_of", "uuid", "the session that this one retries"),
        ("error_code", "text", "why the session as a whole failed; NULL if only instances failed"),
        ("error_message", "text", "the same as a sentence"),
    ),
    "sync_instance_records": (
        ("session_id", "uuid", "key, with instance_id"),
        ("instance_id", "integer", "the server"),
        ("status", "text", "pending, running, completed or failed"),
        ("is_skipped", "boolean", "whether there was nothing to do"),
        ("attempts", "integer", "the number of attempts"),
        ("started_at", "timestamp with time zone", "when the work began; NULL if it has not begun"),
        ("completed_at", "timestamp with time zone", "when it ended; NULL while it is running"),
        ("items_synced", "integer", "the number of databases or periods that were processed"),
        ("items_created", "integer", "how many of them are new"),
        ("items_updated", "integer", "how many of them were updated"),
        ("items_deleted", "integer", "how many of them are gone"),
        ("error_code", "text", "why it failed; NULL if it did not"),
        ("error_message", "text", "the same as a sentence"),
        ("sync_details", "jsonb", "details of the work, such as reasons and notices"),
    ),
}
