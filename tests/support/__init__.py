"""What the tests share; on the path of the tests as `support` (pyproject.toml)."""
