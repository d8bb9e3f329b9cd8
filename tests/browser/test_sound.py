"""What a real Chromium hears of the sound that it sent."""

from pathlib import Path

import pytest

from tests.browser.lip_sync import played


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_chromium_hears_its_sound_and_understands_when_it_was_captured(tmp_path: Path):
    found = await played(tmp_path, samples=5)
    # The fake microphone beeps once a second.
    assert found.sound["totalAudioEnergy"] > 0.01
    assert found.sound["packetsLost"] == 0
    # How exactly depends on the machine, see `lip_sync`; wrong reports are out by far more.
    assert all(abs(apart) < 1000 for apart in found.apart)
