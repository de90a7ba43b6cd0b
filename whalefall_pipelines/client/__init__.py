"""A client of whalefall's HTTP API for scripts and notebooks: `from whalefall_pipelines.client import Client`."""

from whalefall_pipelines.client.client import ApiError, Client, Rows

__all__ = ["ApiError", "Client", "Rows"]
