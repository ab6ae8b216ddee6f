"""What the words of reports mean: for `xentfuzz explain WORD`."""

from __future__ import annotations

from xentfuzz.errors import UnknownName
from xentfuzz.failures.failure import KINDS

WORDS = {
    "agreement": "How often two implementations gave the same numbers for the same cases. It is no verdict: the exact result is.",
    "allowed error": "How far a number may be from the exact result. It follows from the roundings that the declared grade admits for "
    "that very input, never from a fixed tolerance. error / allowed up to 1 is right.",
    "baseline": "The implementation that the speed of the others is a multiple of.",
    "card": "What an implementation takes and gives: dtypes, ranks, targets, options, layouts. Declared by its author, or assumed "
    "after a few tiny calls.",
    "case": "The arguments of one call: arrays and options.",
    "check": "A named property that is demanded of every case, such as value or inputs_unchanged. `xentfuzz explain` lists them.",
    "choice": "What an implementation does where the contract allows several outcomes; reports call the point a policy. Never a finding.",
    "comparison": "One case judged by one check.",
    "corpus": "The cases that all implementations of a run are given, drawn from the seed alone.",
    "exact result": "The result of the same, already rounded inputs, computed in a wider format: what every implementation is held to.",
    "expected finding": "A finding that is known, with its reason, in a file of expected failures. It changes no exit status.",
    "feature": "A part of the contract that a kernel may take or not: a dtype, a rank, a kind of targets, an option, the gradient.",
    "finding": "Something that an implementation does and the contract does not allow, with the smallest input found that shows it.",
    "grade": "How accurate an implementation promises to be: FORM/SUMMATION, such as lse/any. `xentfuzz explain lse/any` tells each.",
    "layout": "How an array lies in memory: contiguous, transposed, with gaps, negative strides, read-only and others.",
    "needs": "What the smallest failing input has that similar inputs, which pass, have not.",
    "policy": "A point on which the contract allows several outcomes, such as the mean over no rows (NaN or 0). Reports say which one was "
    "chosen; it is never a finding.",
    "probe": "The few tiny calls by which xentfuzz finds out what something undeclared takes.",
    "profile": "How much is run: quick, default or thorough.",
    "recipe": "A case as one line of JSON: shape, dtype, regimes, layouts, options, a seed and a few edits. It gives the same bits on "
    "every machine, and `xentfuzz replay` takes it.",
    "regime": "The kind of numbers that an array is filled with: ordinary, swamp, offset, near_ties and others. `xentfuzz explain swamp` "
    "tells each.",
    "relation": "Two results that must agree whatever the exact one is: of a permuted batch, of nll_loss(log_softmax), of another layout.",
    "roof": "The speed that this machine's memory and arithmetic allow, measured in the same run.",
    "script": "A program that shows a finding alone, in the implementation's own library and without xentfuzz.",
    "seed": "The number that the cases are drawn from: the same seed and versions give the same cases.",
    "shrink": "To look for a smaller input that still fails.",
    "simulator": "Numba's simulator of CUDA, which runs a kernel's steps on the processor, slowly: it says nothing about speed.",
    "ulp": "Unit in the last place: the distance between neighbouring numbers of a format. A rounded result is off by up to half of one.",
    "unsupported": "Not taken by the implementation, so that nothing could be compared. Never a failure, and always told.",
}

GRADES = {
    "shift": "The loss is computed as (x - max) - log(sum), so that a large common offset costs no accuracy.",
    "lse": "Any algebraic form is admitted, such as log-sum-exp minus the logit, which loses digits where both are large.",
    "fast-math": "As lse, with approximate exponentials, logarithms and quotients, as a GPU's fast instructions have them.",
    "staged": "Intermediate results may be rounded to 16 bits, as torch does for 16-bit inputs on a CPU.",
}
SUMMATIONS = {
    "pairwise": "Sums are formed in a tree, or as accurately.",
    "blocked": "Sums are formed of at least 16 partial sums, whatever the processor.",
    "any": "Sums may be formed in any order, one after the other too.",
}

REGIMES = {
    "ordinary": "Normally distributed numbers, from small to large scales.",
    "exact_ties": "Small integers, so that many classes have the same logit.",
    "signed_zeros": "Zeros of both signs: the sign of a zero changes nothing.",
    "all_equal": "All classes of a row have the same logit.",
    "near_ties": "Logits of a row differ by thousandths.",
    "confident_right": "The target's logit is far above all others: the loss is nearly 0.",
    "confident_wrong": "Another class's logit is far above the target's: the loss is large.",
    "dominant": "One class's logit is far above all others.",
    "late": "The largest logit is in the last quarter of the classes, where online sums have to be rescaled.",
    "offset": "A large number is added to all logits, which changes no result and costs digits.",
    "offset_of_each_row": "Each row has an offset of its own.",
    "ascending": "Logits grow from class to class: an online maximum changes at every step.",
    "descending": "Logits fall from class to class.",
    "outliers": "A few logits are far larger than the others.",
    "two_levels": "Logits are 0 or one negative number.",
    "decades": "Numbers of every size from 2**-14 to 2**6, of both signs.",
    "swamp": "One large logit, and many that each add about half a unit in the last place to a sum that holds 1: together they decide, one "
    "by one they are lost.",
    "storage_swamp": "As swamp, for a kernel that sums in the format of the logits.",
    "subnormal": "Logits below the smallest normal number of the format.",
    "near_the_end": "Numbers near both ends of the format, whose differences overflow it.",
    "all_at_the_end": "All logits at one end of the format: without subtracting the maximum, the exponential overflows.",
    "ends_apart": "The target at one end of the format, all others at the other.",
}

LAYOUTS = {
    "contiguous": "The elements lie one after the other, the last axis fastest.",
    "inside_larger_buffer": "Contiguous, with other memory before and after it, where nothing may be read or written.",
    "fortran": "The first axis lies fastest in memory, as in Fortran's arrays.",
    "transposed": "The first two axes are exchanged in memory.",
    "channels_last": "The class axis lies fastest in memory.",
    "sliced_rows": "Every second row of a larger array: x[::2].",
    "sliced_columns": "Every second element along the last axis of a larger array: x[..., ::2].",
    "first_columns": "The first columns of a wider array: a row does not begin where the one before it ends.",
    "negative_stride": "Backwards along every axis.",
    "broadcast": "The first row again and again, without a copy: a stride of 0.",
    "broadcast_last": "One element for the whole of the last axis, without a copy: a stride of 0.",
    "expanded": "One element everywhere, without a copy: all strides are 0.",
    "unaligned": "One byte off the address that the format asks for.",
    "read_only": "An array that must not be written.",
}


def meaning(word: str) -> str:
    """What a word of a report means. Raises UnknownName."""
    tables = (WORDS, REGIMES, LAYOUTS, KINDS, GRADES, SUMMATIONS)
    for table in tables:
        if word in table:
            return table[word]
    form, _, summation = word.partition("/")
    if form in GRADES and summation in SUMMATIONS:
        return f"{GRADES[form]} {SUMMATIONS[summation]}"
    from xentfuzz.checks.registry import check_names  # noqa: PLC0415 - needed for the message alone

    raise UnknownName("check or word", word, [*check_names(), *(name for table in tables for name in table)])
