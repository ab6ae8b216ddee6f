"""Libraries of others, one adapter in each module. An adapter translates calls and arrays; what a library lacks is left out of `supports`.

None of these is part of a run unless it is named: each is `named_only`.
"""
