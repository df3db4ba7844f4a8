"""Failures inside the story are explained as those inside a test are."""

import pytest

pytest.register_assert_rewrite("tests.story")
