"""Real data sets, placed into landing as if their systems had sent them. Nothing here knows a source.

`real_data.yaml` says in which folder of DATA a set lies and which business date it stands for; its contracts say which
files it has. From landing on they go the same way as every other source.
"""

import filecmp
import os
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter

from pipeline.schema import contracts
from warehouse.settings import Settings

DATA_SETS = Path(__file__).with_name("real_data.yaml")


class RealDataMissing(RuntimeError):
    """A real data set is not where it is looked for; the message says what to do."""


class DataSet(BaseModel):
    """Where a real data set lies and what day it stands for.

    Attributes:
        folder: folder below the folder of all real data.
        business_date: the last day that the set describes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: Path
    business_date: date


def real_data_sets() -> dict[str, DataSet]:
    """The real data sets by source system."""
    described = yaml.safe_load(DATA_SETS.read_text(encoding="utf-8"))
    return TypeAdapter(dict[str, DataSet]).validate_python(described)


def land_real_data(
    settings: Settings, data_folder: Path, progress: Callable[[int, int, str], None] | None = None
) -> dict[str, date]:
    """Copy every contracted file of the real data sets to `landing/<source>/<business date>/`.

    A file that lies there with the same bytes is left as it is. Nothing is copied unless all files are there.

    Args:
        settings: whose landing it is.
        data_folder: folder that holds the sets in the folders that `real_data.yaml` names.
        progress: called after each file with (done, all, name).

    Returns:
        The business date of each source.

    Raises:
        RealDataMissing: the folder, a set's folder or one of its files is not there.
    """
    sets = real_data_sets()
    files = [
        (data_folder / data_set.folder / name, settings.landing / source / data_set.business_date.isoformat() / name)
        for source, data_set in sets.items()
        for name in (contract.file_name(data_set.business_date) for contract in contracts()[source].values())
    ]
    _check_there(data_folder, [sent for sent, _ in files])
    for position, (sent, landed) in enumerate(files, start=1):
        _place(sent, landed)
        if progress:
            progress(position, len(files), sent.name)
    return {source: data_set.business_date for source, data_set in sets.items()}


def _check_there(data_folder: Path, files: list[Path]) -> None:
    if not data_folder.is_dir():
        raise RealDataMissing(
            f"{data_folder} is no folder. Name the folder that holds the real data sets: make demo-real DATA=FOLDER"
        )
    missing = [path.relative_to(data_folder).as_posix() for path in files if not path.is_file()]
    if missing:
        raise RealDataMissing(
            f"{data_folder} lacks {', '.join(missing)}. Put the files there (docs/real_data.md says where they come "
            "from) or name another folder, then run the command again. Nothing was landed."
        )


def _place(sent: Path, landed: Path) -> None:
    if landed.is_file() and filecmp.cmp(sent, landed, shallow=False):
        return
    landed.parent.mkdir(parents=True, exist_ok=True)
    partial = landed.with_name(f".{landed.name}.partial")  # hidden: an ingest that looks now passes it over
    shutil.copyfile(sent, partial)
    os.replace(partial, landed)
