"""The version of programs is that of their content."""

from pathlib import Path

from warehouse.code_version import code_version


def test_a_version_changes_with_the_programs_and_with_nothing_else(tmp_path: Path) -> None:
    def version_of(name: str, **files: bytes) -> str:
        for file, content in files.items():
            path = tmp_path / name / f"{file}.py"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
        return code_version("*.py", checkout=tmp_path / name)

    first = version_of("first", a=b"x = 1\n", b=b"y = 2\n")
    assert first == version_of("line_ends", a=b"x = 1\r\n", b=b"y = 2\n")
    others = {
        version_of("value", a=b"x = 2\n", b=b"y = 2\n"),
        version_of("name", a=b"x = 1\n", c=b"y = 2\n"),
        version_of("moved", a=b"x = 1\ny = 2\n", b=b""),
    }
    assert len(others | {first}) == 4
