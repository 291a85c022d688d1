"""The flow as Dagster assets. The only place that imports dagster, and it holds no business logic."""
