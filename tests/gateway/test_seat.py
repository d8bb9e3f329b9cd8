"""What the seats of all kinds of rooms have in common."""

from pathlib import Path

from gateway.rooms.seat import Keys
from tests.gateway.loopback import running


async def test_keys_are_kept_as_long_as_their_streams_and_no_longer(tmp_path: Path):
    async with running(tmp_path) as gateway:
        keys = Keys(gateway.worker)
        async with gateway.worker.feeding("ada", keys.of("ada")) as feed:
            assert keys.of("ada") == feed.stream.key
            for number in range(50):
                keys.of(f"guest-{number}")
            assert keys.of("ada") == feed.stream.key
            assert len(keys) == 1
        # No frame ever came: it does not linger.
        assert keys.of("ada") != feed.stream.key
