"""The database and its platform: settings, server, connections, migrations, roles, calendar, publication."""
