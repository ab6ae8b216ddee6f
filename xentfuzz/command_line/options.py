"""The options of all commands, each defined once: what it is called, what it does, what holds where it isn't given."""

from __future__ import annotations

from typing import Annotated, Any

import typer

Text = str | None
Texts = list[str] | None


def _option(name: str, metavar: str, words: str, default: str = "", **more: Any) -> Any:
    """default: in words, "" for the value itself."""
    return typer.Option(*name.split("/"), metavar=metavar, help=words, show_default=default or True, **more)


Profile = Annotated[
    str, _option("--profile/-p", "quick|default|thorough", "Choose how much is run: at most 90 s, 10 min or 2 h per operation.")
]
Seed = Annotated[int | None, _option("--seed/-s", "N", "Draw the cases from this number.", "a fresh one; 0 with CI=true", min=0)]
Expect = Annotated[Text, _option("--expect", "FILE.toml", "Read expected failures from this file.", "none but those shipped")]
Json = Annotated[Text, _option("--json", "FILE", "Write the results as JSON; - is standard output.", "none")]
Out = Annotated[Text, _option("--out/-o", "DIR", "Write the report to this folder.", "reports/<UTC time>")]
Page = Annotated[Text, _option("--out/-o", "FILE", "Write the Markdown page to this file; - is standard output.", "- without --html")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.", show_default="a table")]

_TARGET = "Take a registered name, module:attribute or file.py:attribute."
Targets = Annotated[Texts, typer.Argument(metavar="TARGET", help=_TARGET, show_default="all available")]
RequiredTargets = Annotated[list[str], typer.Argument(metavar="TARGET", help=_TARGET)]
Record = Annotated[str, typer.Argument(metavar="FAILURE.json|RECIPE", help="Run this record (its number will do), or a recipe's line.")]
ReplayTarget = Annotated[
    Text,
    typer.Argument(metavar="TARGET", help="Run it on this target.", show_default="the registered one"),
]
Word = Annotated[Text, typer.Argument(metavar="CHECK|WORD", help="Explain this check, or this word of a report.", show_default="list all")]
Results = Annotated[list[str], typer.Argument(metavar="RESULTS.json", help="Read these results files; several are merged.")]


# The two versions that `compare` holds against each other.
OldTarget = Annotated[str, typer.Argument(metavar="OLD", help=f"The old version. {_TARGET}")]
NewTarget = Annotated[str, typer.Argument(metavar="NEW", help="The new version, likewise.")]
PythonOld = Annotated[Text, _option("--python-old", "P", "Run OLD by this Python interpreter.", "the one that runs xentfuzz")]
PythonNew = Annotated[Text, _option("--python-new", "P", "Run NEW by this Python interpreter.", "the one that runs xentfuzz")]

# What a target is, where it doesn't say so itself.
Operation = Annotated[Text, _option("--operation", "OP", "Check it as this operation.", "cross_entropy, or what it declares")]
Backward = Annotated[Text, _option("--backward", "T", "Take this target as its backward.", "its attribute, or autodiff")]
ValueAndGrad = Annotated[Text, _option("--value-and-grad", "T", "Take this target for value and gradient in one call.", "none")]
Library = Annotated[Text, _option("--array", "numpy|torch|jax|cuda", "Give it arrays of this library.", "found by a probe")]
Device = Annotated[Text, _option("--device", "D", "Put the arrays on this device.", "cpu, or what it declares")]
Dtypes = Annotated[Texts, _option("--dtype", "D", "Check this dtype only; may be repeated.", "all it takes")]
TimedDtypes = Annotated[Texts, _option("--dtype", "D", "Time this dtype only; may be repeated.", "the profile's")]

# What `bench` times.
TimedOperations = Annotated[Texts, _option("--operation", "OP", "Time this operation; may be repeated.", "the profile's")]
Rows = Annotated[Text, _option("--rows", "N,...", "Time so many rows.", "the profile's")]
Classes = Annotated[
    Text, _option("--classes", "C,...", "Time so many classes; all of one size in bytes where no rows are given.", "the profile's")
]
Shapes = Annotated[Texts, _option("--shape", "NxCx...", "Time this shape, such as 8x21x128x128; may be repeated.", "the profile's")]
Threads = Annotated[int | None, _option("--threads", "N", "Give each implementation so many threads.", "one for each core", min=1)]
Quick = Annotated[bool, typer.Option("--quick", help="Choose the profile quick.", show_default="no")]
Growth = Annotated[
    bool, typer.Option("--growth", help="Time how cost grows too: over classes, rows, threads.", show_default="default and thorough")
]
RelativeTo = Annotated[Text, _option("--relative-to", "NAME", "Give speed relative to this implementation.", "the profiles'")]
Baseline = Annotated[Text, _option("--baseline", "FILE", "Compare with the times in this results file.", "none")]
FailOnRegression = Annotated[
    Text, _option("--fail-on-regression", "PERCENT", "End with status 1 where something is so much slower than the baseline.", "never")
]
BenchmarkJson = Annotated[Text, _option("--benchmark-json", "FILE", "Write what `pytest-benchmark compare` reads.", "none")]
Grade = Annotated[
    Text, _option("--grade", "G", "Hold it to this grade: FORM/any, FORM of shift, lse, fast-math, staged.", "lse/any, or what it declares")
]
Python = Annotated[
    Text, _option("--python", "PATH", "Run it by this Python interpreter: NumPy and its library are enough.", "the one that runs xentfuzz")
]
Variables = Annotated[Texts, _option("--env", "K=V", "Set this variable for its worker; may be repeated.", "none")]

Renames = Annotated[Texts, _option("--rename", "OURS=THEIRS", "Spell this argument or option its way; may be repeated.", "none")]
Fixed = Annotated[Texts, _option("--fixed", "NAME=VALUE", "Always pass this argument of its own; may be repeated.", "none")]
Reduction = Annotated[Text, _option("--reduction", "none|mean|sum", "Take it for a loss of this reduction alone.", "found by a probe")]
Supports = Annotated[
    Texts, _option("--supports", "KEY=VALUE", "Say so of `supports`, such as ranks=1,2; may be repeated.", "found by a probe")
]
MaxClasses = Annotated[int | None, _option("--max-classes", "N", "Give it no more classes.", "any number", min=1)]
MaxLogit = Annotated[float | None, _option("--max-logit", "X", "Give it no finite logit beyond X or -X.", "any number")]
MaxRows = Annotated[int | None, _option("--max-rows", "N", "Give it no more rows.", "any number", min=1)]

# What is checked, and how long.
Checks = Annotated[Texts, _option("--check", "NAME", "Run this check only; may be repeated.", "all")]
Require = Annotated[Text, _option("--require", "FEATURE,...", "Fail where one of these features is unsupported.", "none")]
MaxExamples = Annotated[int | None, _option("--max-examples", "N", "Draw so many cases per check and dtype.", "the profile's", min=1)]
Budget = Annotated[float | None, _option("--budget", "S", "Take so many seconds in all, whatever the profile has.", "the profile's", min=0)]
Input = Annotated[Text, _option("--input", "FILE.npz", "Add recorded arrays: logits, target, weight.", "none")]
Isolate = Annotated[bool, typer.Option("--isolate/--no-isolate", help="Call it in a process of its own.")]

# What is written.
WriteExpected = Annotated[Text, _option("--write-expected", "FILE.toml", "Add what is found to this file of expected failures.", "none")]
Junit = Annotated[Text, _option("--junit", "FILE", "Write the results as JUnit XML.", "none")]
Markdown = Annotated[Text, _option("--markdown", "FILE", "Write the results as a Markdown page.", "none")]

Html = Annotated[Text, _option("--html", "FILE", "Write the results as an HTML page.", "none")]

Folder = Annotated[str, typer.Argument(metavar="DIR", help="Write to this folder.")]
StarterArray = Annotated[str, _option("--array", "numpy|torch|jax", "Write an adapter for arrays of this library.")]

Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="Print every check, all findings, and what was left out.", show_default="no")
]
Summary = Annotated[Text, _option("--summary", "FILE", "Append the Markdown page to this file.", "none")]

# What `power` measures.
Select = Annotated[Texts, _option("--select", "NAME", "Measure this entry or category, faulty or honest; may be repeated.", "all")]
Seeds = Annotated[int, _option("--seeds", "N", "Run every entry with so many seeds.", min=1)]
Jobs = Annotated[int | None, _option("--jobs", "N", "Use so many processes.", "one for each core", min=1)]
Shrink = Annotated[bool, typer.Option("--shrink", help="Find the smallest case of each bug too.", show_default="no")]
Usual = Annotated[bool, typer.Option("--usual", help="Measure the usual ways of checking instead of ours.", show_default="no")]
Causes = Annotated[
    bool,
    typer.Option("--causes", help="Count what each bug, or target FILE.py:NAME selected, is told as.", show_default="no"),
]
Compare = Annotated[Texts, _option("--compare", "FILE.json", "Compare stored results of this command; may be repeated.", "none")]
ComparisonFolder = Annotated[Text, _option("--out/-o", "DIR", "Write the comparison to this folder: page, plot, JSON.", "none")]
