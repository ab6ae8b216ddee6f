"""Rows from examinations and from stored results: what counts as found, missed, not tried."""

from __future__ import annotations

import pytest

from xentfuzz.errors import RecordError
from xentfuzz.gallery.mutants import mutants
from xentfuzz.power.comparison.row import BUGS, EQUIVALENT, HONEST, MUTANTS, OWN, USUAL, Row, Verdicts
from xentfuzz.power.comparison.rows import stored_rows, usual_rows
from xentfuzz.power.measurement import Measurement
from xentfuzz.power.summary import summaries
from xentfuzz.power.usual.examination import Examination


def test_examinations_are_counted_by_method_and_set():
    examinations = [
        Examination("quack", "R04", "", 7, 0.5, left_out=2),
        Examination("quack", "R02", "loss differs", 3, 9.0, left_out=2),
        Examination("quack", "R43", "", 0),
        Examination("quack", "fused", "", 7, 0.5, "loss differs", left_out=2),
        Examination("quack", "sequential_sums", "loss differs", 2, 9.0, left_out=2),
        Examination("numpy.allclose", "R02", "", 13, 0.1),
    ]
    first, second = usual_rows(examinations)
    assert (first.name, second.name) == ("numpy.allclose", "quack")
    assert (second.kind, second.cases, second.dropped, second.seconds) == (USUAL, 7, 2, 0.5)
    assert second.sets[BUGS] == Verdicts(["R02"], ["R04"], ["R43"], [])
    assert second.sets[HONEST] == Verdicts(["sequential_sums"], ["fused"], [], ["fused"])


def document(profile, *runs, **more):
    return {"profile": profile, "reports": [summary.to_dict() for summary in summaries(runs)], **more}


def run(name, seed, *, found, profile="quick", **more):
    return Measurement(name, seed, profile, found=found, cases=100, seconds=2.0, **more)


def test_seeds_of_one_profile_may_lie_in_several_files():
    files = [
        document("quick", run("R02", 0, found=True), run("R04", 0, found=True), run("fused", 0, found=False)),
        document("quick", run("R02", 1, found=True), run("R04", 1, found=False), run("fused", 1, found=False)),
        document("default", run("fused", 0, found=True, profile="default")),
    ]
    quick, default = stored_rows(files)
    assert (quick.name, quick.kind, quick.cases, quick.seconds) == ("xentfuzz quick", OWN, 100, 2.0)
    assert "2 seeds" in quick.about
    # R04 is found by one seed of two; only profile thorough can find R60.
    assert quick.sets[BUGS] == Verdicts(["R02"], ["R04"], ["R60"])
    assert quick.sets[HONEST] == Verdicts([], ["fused"])
    assert default.sets == {HONEST: Verdicts(["fused"], [])}


def test_what_is_stored_is_sorted_by_what_the_gallery_knows_now():
    equivalent = next(name for name, mutant in mutants().items() if mutant.honest)
    stored = Row("a way", USUAL, "", sets={MUTANTS: Verdicts(["M001"], [equivalent])}).to_dict()
    (row,) = stored_rows([{"comparison": [stored], "reports": []}])
    assert row.sets == {MUTANTS: Verdicts(["M001"]), EQUIVALENT: Verdicts([], [equivalent])}


def test_what_the_gallery_no_longer_has_is_refused():
    stored = Row("a way", USUAL, "", sets={BUGS: Verdicts(["R00"])}).to_dict()
    with pytest.raises(RecordError, match="R00"):
        stored_rows([{"comparison": [stored], "reports": []}])


def test_an_error_of_the_harness_is_not_found():
    (row,) = stored_rows([document("quick", run("R02", 0, found=False, error="TypeError"))])
    assert row.sets[BUGS].missed == ["R02"]


def test_the_same_seed_given_twice_counts_once():
    one = document("quick", run("R04", 0, found=False), run("R02", 0, found=True))
    (row,) = stored_rows([one, one])
    assert "1 seed;" in row.about


def test_stored_comparisons_are_kept_and_own_results_replace_theirs():
    (usual,) = usual_rows([Examination("quack", "R02", "", 7)])
    (old,) = stored_rows([document("quick", run("R02", 0, found=False))])
    stored = {"reports": [], "comparison": [usual.to_dict(), old.to_dict()]}
    assert stored_rows([stored]) == [usual, old]
    rows = stored_rows([stored, document("quick", run("R02", 0, found=True))])
    assert [row.name for row in rows] == ["quack", "xentfuzz quick"]
    assert rows[1].sets[BUGS].found == ["R02"]


def test_fields_of_another_version_are_left_out():
    newer = document("quick", run("R02", 0, found=True))
    newer["reports"][0]["runs"][0]["colour"] = "red"
    (row,) = stored_rows([newer])
    assert row.sets[BUGS].found == ["R02"]
