"""Settings of ingestion; each can be set as an environment variable `C360_INGEST_<NAME>`."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class IngestOptions(BaseSettings):
    """How files are read and when a file is refused."""

    model_config = SettingsConfigDict(env_prefix="C360_INGEST_", frozen=True)

    block_bytes: int = Field(4 << 20, ge=64, description="bytes of a file that are held and checked at once")
    workbook_bytes: int = Field(256 << 20, ge=1 << 10, description="bytes of an Excel workbook when it is unpacked")
    rows_per_block: int = Field(100_000, ge=1, description="rows of Parquet or Excel that are held and checked at once")
    blocks_ahead: int = Field(2, ge=1, description="checked blocks that may wait for COPY")
    reject_threshold: float = Field(0.05, ge=0, le=1, description="share of rejected rows that refuses the file")
    rejects_allowed: int = Field(5, ge=0, description="rejected rows that never refuse a file, however small it is")
    rejects_kept_of_refused: int = Field(10_000, ge=0, description="rejected rows kept in quarantine of a refused file")
    raw_text_characters: int = Field(4_000, ge=1, description="characters of a rejected row kept in quarantine")
    new_columns: int = Field(100, ge=0, description="columns beside the contract's that a file, or raw table, may have")
    keys_in_memory: int = Field(2_000_000, ge=1, description="key hashes of a run in memory; longer runs on disk")
    analyze_share: float = Field(0.1, ge=0, description="ANALYZE after a load that adds this share of the table's rows")
    analyze_target: int = Field(20, ge=1, le=10_000, description="statistics target of that ANALYZE (300 rows each)")
