"""The database: engine and transactions, tables, migrations, the embedded server."""
