"""What the commands of the area ask, here or of a server elsewhere."""

from whalefall_pipelines.inventory.api_views import InstanceView, instance_view
from whalefall_pipelines.inventory.fleet import registered_instances
from whalefall_pipelines.runtime.source import Question
from whalefall_pipelines.store.database import Database


def _list_instances(database: Database) -> tuple[InstanceView, ...]:
    return tuple(map(instance_view, registered_instances(database)))


INSTANCES = Question(_list_instances, "/instances")
