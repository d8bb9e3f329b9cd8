"""Who may feed a stream that is there already."""

import pytest

from gateway.claim import Caller, Claim

KEY, THEIRS, OTHERS = "k" * 22, "the same token", "another token"


@pytest.mark.parametrize(
    ("identity", "trusted", "silent", "expected"),
    [
        (THEIRS, True, True, Claim.RETURNED),
        (THEIRS, True, False, None),
        (OTHERS, True, True, None),
        (None, True, True, None),
    ],
)
def test_of_a_live_stream_only_its_owner_and_only_in_silence_takes_over(
    identity: str | None, trusted: bool, silent: bool, expected: Claim | None
):
    caller = Caller(trusted=trusted, identity=identity)
    assert caller.claims(KEY, THEIRS, free=False, silent=silent) is expected


def test_a_stream_whose_publisher_brought_a_key_is_not_taken_over_in_silence():
    assert Caller(trusted=True, identity=THEIRS).claims(KEY, None, free=False, silent=True) is None


def test_a_key_opens_whether_or_not_video_comes():
    for silent in (True, False):
        assert Caller(KEY).claims(KEY, None, free=False, silent=silent) is Claim.OWNER
        assert Caller("x" * 22).claims(KEY, None, free=False, silent=silent) is None
