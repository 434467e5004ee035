"""The README's drawing of the packages comes from the code, and goes stale with it."""

from pathlib import Path

import pytest

from local import package_drawing


def test_an_arrow_that_follows_from_others_is_left_out():
    arrows = {"sync": {"connections", "platform"}, "connections": {"platform"}, "platform": set()}
    assert package_drawing.reduced(arrows) == {"sync": {"connections"}, "connections": {"platform"}, "platform": set()}


def test_who_imports_most_comes_first():
    arrows = {"platform": set(), "sync": {"connections"}, "connections": {"platform"}}
    assert package_drawing.ordered(arrows) == ["sync", "connections", "platform"]


def test_a_drawing_that_the_code_has_left_behind_is_noticed(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{package_drawing.BEGIN}\nold\n{package_drawing.END}\nafter\n")
    assert package_drawing.main(["--check"], readme) == 1
    assert "make drawing" in capsys.readouterr().err
    assert package_drawing.main(["--write"], readme) == 0
    assert package_drawing.main(["--check"], readme) == 0
    assert readme.read_text().startswith("before\n")
    assert "  connections --> events\n" in readme.read_text()


def test_a_readme_without_a_place_for_the_drawing_is_a_mistake(tmp_path: Path):
    readme = tmp_path / "README.md"
    readme.write_text("nothing here\n")
    with pytest.raises(ValueError, match="substring not found"):
        package_drawing.main(["--write"], readme)
