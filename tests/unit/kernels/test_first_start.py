"""A new home is furnished once: what stands there already is the person's own."""

from pathlib import Path

from kernels.workbench_server.first_start import furnish


def _source(folder: Path) -> tuple[Path, Path]:
    (folder / "tutorials").mkdir(parents=True)
    (folder / "Start.md").write_text("new", encoding="utf-8")
    (folder / "tutorials" / "one.ipynb").write_text("{}", encoding="utf-8")
    return folder / "Start.md", folder / "tutorials"


def test_start_page_and_tutorials_are_put_into_a_new_home(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    furnish(home, *_source(tmp_path / "source"))
    assert sorted(str(path.relative_to(home)) for path in home.rglob("*.*")) == ["Start.md", "tutorials/one.ipynb"]


def test_what_a_person_wrote_stays(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "tutorials").mkdir(parents=True)
    (home / "Start.md").write_text("my own", encoding="utf-8")
    (home / "tutorials" / "one.ipynb").write_text("my work", encoding="utf-8")
    furnish(home, *_source(tmp_path / "source"))
    assert (home / "Start.md").read_text(encoding="utf-8") == "my own"
    assert (home / "tutorials" / "one.ipynb").read_text(encoding="utf-8") == "my work"
