"""From landed files to raw tables: contracts, readers, validation, quarantine, ledger."""
