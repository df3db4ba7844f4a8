"""API keys and the endpoints of providers (contract section 7)."""

import time

import pytest

from tests.api.clinic import ANN, Clinic, fresh
from tests.api.conftest import Open

QUESTION = {"number": ANN, "purpose": "recall"}


def test_a_key_is_shown_once_and_works_at_once(clinic: Clinic) -> None:
    """Issued, used, listed without its secret."""
    answer = clinic.issues_key("sender", "campaign tool")
    assert answer.status == 201
    clinic.post("/v1/checks", "campaign tool", **QUESTION).is_allowed("no_consent_needed")
    clinic.get("/v1/keys", "campaign tool").problem(403, "role-not-allowed")
    listed = clinic.get("/v1/keys")["items"]
    (item,) = [each for each in listed if each["key_id"] == answer["key_id"]]
    assert (item["role"], item["name"], item["revoked_at"]) == ("sender", "campaign tool", None)
    assert answer["key"] not in str(listed)
    assert len(listed) == 5


@pytest.mark.parametrize("role", ["sender", "agent", "admin", "auditor"])
def test_a_key_of_each_role_is_of_that_role(clinic: Clinic, role: str) -> None:
    """The prefix tells a person what it may do."""
    assert clinic.issues_key(role, "new")["key"].startswith(f"clk_{role}_")
    assert clinic.get("/v1/reviews", "new").status == (200 if role == "admin" else 403)
    clinic.issues_key("owner").problem(422, "invalid-body", "/role")


def test_a_revoked_key_stops_within_a_second(clinic: Clinic) -> None:
    """401 from then on, in a process that knew it too; revoking again is no error."""
    answer = clinic.issues_key("sender", "lost")
    clinic.post("/v1/checks", "lost", **QUESTION).is_allowed("no_consent_needed")
    path = f"/v1/keys/{answer['key_id']}"
    assert clinic.call("DELETE", path)["revoked"] is True
    time.sleep(1.1)
    clinic.post("/v1/checks", "lost", **QUESTION).problem(401, "key-missing-or-unknown")
    assert clinic.call("DELETE", path)["revoked"] is True
    listed = {item["key_id"]: item["revoked_at"] for item in clinic.get("/v1/keys")["items"]}
    assert listed[answer["key_id"]] is not None
    clinic.call("DELETE", "/v1/keys/no-such-key").problem(404, "not-found")


def test_a_key_lies_in_no_table_and_no_log(clinic: Clinic) -> None:
    """The database holds a digest; a copy of it opens nothing."""
    logged = clinic.service.log_size
    key = clinic.issues_key("admin", "new")["key"]
    clinic.get("/v1/policy", "new")
    rows = clinic.service.rows("SELECT * FROM api_keys WHERE account_id = %s", clinic.account_id)
    assert key not in str(rows)
    assert key not in clinic.service.log_since(logged)


def test_an_endpoint_tells_its_url_and_never_its_secret(clinic: Clinic) -> None:
    """The secret is kept encrypted: who reads the database cannot sign."""
    name = fresh()
    body = {"provider": "twilio", "secret": "a-very-secret-token"}
    answer = clinic.put(f"/v1/provider-endpoints/{name}", **body)
    assert answer["url"] == f"{clinic.service.base_url}/v1/webhooks/twilio/{name}"
    assert "a-very-secret-token" not in answer.response.text
    rows = clinic.service.rows("SELECT secret FROM provider_endpoints WHERE endpoint = %s", name)
    assert b"a-very-secret-token" not in bytes(rows[0][0])


def test_an_endpoint_belongs_to_one_account(open_clinic: Open) -> None:
    """Another account's name is taken, and its secret stays what it was."""
    mine, other = open_clinic(), open_clinic()
    path = f"/v1/provider-endpoints/{fresh()}"
    assert mine.put(path, provider="twilio", secret="mine").status == 200
    with mine.unchanged(), other.unchanged():
        other.put(path, provider="twilio", secret="theirs").problem(409, "endpoint-taken")
    mine.put(path, provider="nobody", secret="x").problem(422, "invalid-body", "/provider")
