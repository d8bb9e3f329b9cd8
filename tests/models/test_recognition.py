from pathlib import Path

from models.evaluation.recognition import examine


def test_every_way_of_looking_is_examined_on_every_room(material: Path) -> None:
    found = examine(material, 2)
    assert found["rooms"] == 2
    lost = found["lost"]
    assert isinstance(lost, dict)
    assert set(lost) >= {"still", "shadow", "turned 2%", "another room"}
    assert all(0 <= share <= 1 for share in lost.values())
