"""Fixtures for all tests."""

import pytest

pytest_plugins = ["support.dlib", "support.user_runs", "support.other_process"]
pytest.register_assert_rewrite("support.runs")
