"""Settings of the warehouse: read from the environment, with defaults that need none of it.

Every variable is prefixed `C360_`, except `DATABASE_URL`, which other tools know under that name too.
"""

from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

CHECKOUT = Path(__file__).resolve().parents[1]
"""The folder that holds the rooms, and `.c360` where no other home is named."""


class Settings(BaseSettings):
    """What the environment says about this warehouse (DESIGN, decision 17)."""

    model_config = SettingsConfigDict(env_prefix="C360_", populate_by_name=True, extra="ignore")

    home: Path = Field(CHECKOUT / ".c360", description="folder of all state: cluster, landing, output, logs, secrets")
    database_url: str | None = Field(
        None, alias="DATABASE_URL", description="owner's URL of a given server; none: the embedded server is used"
    )
    database: str = Field("c360", description="database of the embedded server; DATABASE_URL names its own")
    data: Path | None = Field(None, description="folder of real public data for tests and `make demo-real`")
    data_docs_runs: int = Field(40, ge=1, description="runs of checks that Data Docs show; ops.check_result keeps all")
    log_level: str = Field("INFO", description="level of the program's log")
    postgres: Path | None = Field(None, description="bin folder of a PostgreSQL ≥ 16 that goes before the wheel's")
    server_account: str | None = Field(
        None, description="account that runs the embedded server when started by root; none: postgres, else nobody"
    )
    server_settings: dict[str, str] = Field(
        default_factory=dict, description='JSON of PostgreSQL settings over ours, e.g. {"shared_buffers": "1GB"}'
    )

    identity_memory: str = Field("1GB", description="memory that comparing customers may take; more goes to disk")
    identity_threads: int = Field(2, ge=1, description="threads that comparing customers may take")

    @field_validator("database_url", "data", "postgres", "server_account", mode="before")
    @classmethod
    def _empty_means_unset(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("home")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @property
    def landing(self) -> Path:
        """Extracts as received: `landing/<source>/<business date>/<file>`."""
        return self.home / "landing"

    @property
    def truth(self) -> Path:
        """The ground truth of a simulated world, where there is one."""
        return self.home / "truth"

    @property
    def out(self) -> Path:
        """What the warehouse shows: Data Docs, dbt docs, reports, packages."""
        return self.home / "out"

    @property
    def logs(self) -> Path:
        """Logs of the server and of the steps."""
        return self.home / "logs"


def get_settings() -> Settings:
    """The settings as the environment stands at this call (not cached: tests change it)."""
    return Settings()  # type: ignore[call-arg]
