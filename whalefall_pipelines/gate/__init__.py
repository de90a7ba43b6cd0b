"""The one web process: signs people and scripts in, and stands before the API, the console and the Dagster UI."""
