"""The command line: arguments and exit statuses only; each command in a file of its own."""
