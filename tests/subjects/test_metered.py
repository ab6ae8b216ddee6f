"""What calls may take follows from what calls took; a hang is confirmed, and what can't be afforded is not called."""

from __future__ import annotations

import numpy as np
import pytest

from xentfuzz.implementation import Implementation
from xentfuzz.subjects.limits import Limits
from xentfuzz.subjects.metered import Allowance, Metered, Unaffordable
from xentfuzz.subjects.outcome import NOT_TRIED, Crash, Outcome
from xentfuzz.subjects.specialisation import Specialisations, specialisation

HANG = Outcome(crash=Crash("hang", "it did not return"))


class Timed:
    """A subject on a clock of its own: `seconds` says what a call takes, None that it never returns."""

    isolated = True

    def __init__(self, seconds):
        self.implementation = Implementation("timed", "nowhere:function")
        self.specialisations = Specialisations()
        self.notices = set()
        self.seconds = seconds
        self.now = 0.0
        self.limits = []

    def describe(self):
        return {}

    def close(self):
        self.specialisations.forget()

    def call(self, call):
        self.limits.append(call.seconds)
        taken = self.seconds(call)
        if taken is None or taken > call.seconds:
            self.now += call.seconds
            self.close()
            return HANG
        self.now += taken
        key = specialisation(call)
        new = self.specialisations.is_new(key)
        self.specialisations.note(key, call, taken)
        return Outcome({"value": 0.0}, seconds=taken, compiled=new)


def metered(seconds, **allowance):
    timed = Timed(seconds)
    subject = Metered(timed, Limits(call_seconds=5, first_call_seconds=20), clock=lambda: timed.now)
    subject.allow(Allowance(**allowance))
    return subject


def rows(make_call, count):
    return make_call(logits=np.zeros((count, 3), np.float32), target=np.zeros(count, np.int64))


def test_a_call_that_once_takes_too_long_is_made_again_with_more_time(make_call):
    slow_once = iter([0.1, 8.0, 8.0, 0.1])
    subject = metered(lambda _: next(slow_once))
    subject.call(make_call())
    assert subject.call(make_call()).results == {"value": 0.0}
    assert not subject.inner.specialisations.hung


def test_a_hang_is_confirmed_once_and_bounded(make_call):
    subject = metered(lambda call: None if call.arrays["logits"].shape == (2, 3) else 0.0)
    subject.call(rows(make_call, 3))
    assert subject.call(make_call()).crash.kind == "hang"
    assert subject.call(make_call()).crash.kind == "hang"
    assert subject.inner.limits[1:] == [5, 10, 2.5]


def test_a_first_call_that_takes_as_long_as_a_compiler_is_no_hang(make_call):
    subject = metered(lambda _: 30.0)
    assert subject.call(make_call()).results == {"value": 0.0}


def test_calls_known_to_take_long_may_take_long(make_call):
    subject = metered(lambda call: 0.5 * call.arrays["logits"].shape[0])
    for count in (1, 2, 4, 8):
        subject.call(rows(make_call, count))
    assert subject.call(rows(make_call, 100)).results == {"value": 0.0}


def test_after_a_call_that_did_not_come_back_only_smaller_ones_are_made(make_call):
    subject = metered(lambda call: None if call.arrays["logits"].shape[0] >= 10 else 0.0, smaller_after_crash=True)
    subject.call(rows(make_call, 1))
    assert subject.call(rows(make_call, 10)).crash is not None
    with pytest.raises(Unaffordable):
        subject.call(rows(make_call, 20))
    assert subject.call(rows(make_call, 9)).results == {"value": 0.0}


def test_a_function_that_costs_too_much_in_hangs_is_given_up_and_no_other(make_call):
    subject = metered(lambda call: None if call.function == "backward" else 0.0, crash_seconds=10)
    subject.call(make_call())
    backward = make_call("backward", grad_output=np.float32(1))
    subject.call(backward)
    assert subject.given_up("backward")
    with pytest.raises(Unaffordable):
        subject.call(backward)
    assert subject.call(make_call()).results == {"value": 0.0}
    subject.allow(Allowance())
    assert not subject.given_up("backward")


def test_a_call_whose_size_can_not_be_afforded_is_not_made(make_call):
    subject = metered(lambda call: 0.05 * call.arrays["logits"].shape[0], size_seconds=1)
    for count in (1, 2, 4, 8, 16):
        subject.call(rows(make_call, count))
    made = len(subject.inner.limits)
    with pytest.raises(Unaffordable):
        subject.call(rows(make_call, 46_666))
    assert len(subject.inner.limits) == made


def test_a_call_that_is_slow_whatever_its_size_is_made(make_call):
    subject = metered(lambda _: 3.0, size_seconds=1)
    for count in (1, 2, 4, 8, 16, 1000):
        assert subject.call(rows(make_call, count)).results == {"value": 0.0}


def test_nothing_is_called_when_the_time_is_over(make_call):
    subject = metered(lambda _: 3.0)
    subject.until = 5.0
    subject.call(make_call())
    subject.call(make_call())
    with pytest.raises(Unaffordable):
        subject.call(make_call())


def test_what_a_probe_has_no_time_for_counts_as_taken(make_call):
    subject = metered(lambda _: 3.0, probing=True)
    subject.until = 0.0
    assert subject.call(make_call()) is NOT_TRIED
