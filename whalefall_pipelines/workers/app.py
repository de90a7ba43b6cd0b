"""The Celery app by its name, for the command of a worker: `celery --app whalefall_pipelines.workers.app`."""

from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.workers.queues import make_queues

app = make_queues(load_settings())
