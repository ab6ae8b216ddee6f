"""Exit statuses."""

OK = 0
FINDINGS = 1
USAGE = 2
INTERNAL = 3
CANNOT_RUN = 125  # git bisect skips a revision that answers this
INTERRUPTED = 130
BROKEN_PIPE = 141  # as a shell reports a program that SIGPIPE ended
