"""The points on which the contract of a loss allows several outcomes; numbers are positions in POLICIES + 1, as a Block counts them."""

from __future__ import annotations

from xentfuzz.operations.operation import Policy

POLICIES = (
    Policy("mean of nothing kept", "every row is ignored, or there are no rows: NaN, or 0"),
    Policy("gradient of a mean of nothing kept", "0, or NaN"),
    Policy("mean with weights of zero", "every kept row has weight 0: NaN (0/0), or 0"),
    Policy("gradient of a mean with weights of zero", "NaN, or 0"),
    Policy("gradient of an ignored row with NaN", "an ignored row that holds NaN, +inf or nothing but -inf: 0, or NaN"),
    Policy("row of -inf", "all logits of a row are -inf: NaN, or +inf"),
    Policy("+inf in a row", "NaN (inf - inf), or the limit"),
    Policy("zero probability at -inf", "q_c = 0 where log p_c = -inf: NaN (0 * inf), or that class dropped"),
    Policy("zero weight times an infinite or NaN loss", "NaN (0 * inf), or 0"),
    Policy("gradient where the loss is infinite", "p S - q, or NaN"),
    Policy(
        "overflow of an intermediate",
        "a sum or a log-probability leaves the arithmetic format while the result does not: inf, or the result",
    ),
    Policy("weight of NaN or infinity", "anything in rows that read it"),
)

MEAN_OF_NOTHING = 1
GRADIENT_OF_MEAN_OF_NOTHING = 2
MEAN_OF_ZERO_WEIGHT = 3
GRADIENT_OF_MEAN_OF_ZERO_WEIGHT = 4
IGNORED_ROW = 5
ALL_MINUS_INFINITY_ROW = 6
PLUS_INFINITY_ROW = 7
ZERO_PROBABILITY = 8
ZERO_WEIGHT = 9
GRADIENT_OF_INFINITE_LOSS = 10
OVERFLOW = 11
UNUSUAL_WEIGHT = 12
