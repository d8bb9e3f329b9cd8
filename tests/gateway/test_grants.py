import pytest

from gateway.grants import full_grants, scoped_grants

TOKEN = "correct-horse-battery"


def test_an_operators_own_token_opens_everything():
    (grant,) = full_grants((TOKEN,))
    assert grant.full
    assert grant.allows(("publish",), "desk")
    assert grant.allows(("watch",), None)


def test_a_scoped_token_opens_its_scope_alone():
    (grant,) = scoped_grants("watch", (TOKEN,))
    assert not grant.full
    assert grant.allows(("watch",), "desk")
    assert not grant.allows(("publish",), "desk")
    assert grant.allows(("publish", "watch"), None)


def test_a_token_for_one_stream_opens_no_other():
    (grant,) = scoped_grants("publish", (f"{TOKEN}@desk",))
    assert (grant.token, grant.stream) == (TOKEN, "desk")
    assert grant.allows(("publish",), "desk")
    assert not grant.allows(("publish",), "door")
    assert grant.allows(("publish",), None)


@pytest.mark.parametrize("entry", ["short", f"{TOKEN}@", f"{TOKEN}@a b", "short@desk"])
def test_what_is_no_token_is_refused(entry: str):
    with pytest.raises(ValueError, match=r"token|stream's name"):
        scoped_grants("publish", (entry,))
