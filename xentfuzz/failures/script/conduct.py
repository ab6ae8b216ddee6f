"""What a script decides about conduct: memory beyond the arguments, results that are overwritten or never written, the process's state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from xentfuzz.failures.failure import Failure
from xentfuzz.failures.layout import is_plain
from xentfuzz.failures.script.libraries import Library
from xentfuzz.failures.script.shown import Shown


class State(NamedTuple):
    """A part of the process's state. expression: reads it; lasting: no library changes it by being imported or used for the first time.

    restore: puts the first of `states` back, after which a call that changes it to the same again shows. definition: lines that the
    expression needs.
    """

    expression: str
    lasting: bool = True
    restore: str = ""
    definition: tuple[str, ...] = ()


CONTROL_WORD = (
    "",
    "def control_word():",
    '    """Rounding mode, precision and traps, without the flags that arithmetic sets."""',
    "    state = ctypes.create_string_buffer(32)",
    '    ctypes.CDLL("libm.so.6").fegetenv(state)',
    '    words = struct.unpack("<8I", state)',
    '    if platform.machine() == "aarch64":',
    "        return words[0] & ~0x01080000  # FPCR",
    "    return words[0] & 0x0F3F, words[7] & 0x7F80  # that of the x87, and MXCSR",
    "",
    "",
)


# As findings name it -> the state.
STATES = {
    "the floating-point rounding mode, precision and traps:": State("control_word()", definition=CONTROL_WORD),
    "NumPy's error state:": State("np.geterr()"),
    "NumPy's global random state": State("pickle.dumps(np.random.get_state())"),
    "Python's global random state": State("random.getstate()", lasting=False),
    "the current directory": State("os.getcwd()"),
    "environment variables:": State("dict(os.environ)", lasting=False, restore="os.environ.clear(), os.environ.update(states[0])"),
    "warning filters": State("list(warnings.filters)", lasting=False, restore="warnings.filters[:] = states[0]"),
    "the number of open files": State('len(os.listdir("/proc/self/fd"))', lasting=False),
    "sys.stdout": State("id(sys.stdout)", lasting=False),
    "sys.stderr": State("id(sys.stderr)", lasting=False),
    "torch's default dtype": State("torch.get_default_dtype()"),
    "torch's gradient mode": State("torch.is_grad_enabled()"),
    "torch's number of threads": State("torch.get_num_threads()"),
    "torch's use of deterministic algorithms": State("torch.are_deterministic_algorithms_enabled()"),
    "torch's global random state": State("pickle.dumps(torch.get_rng_state())"),
    "torch's anomaly detection": State("torch.is_anomaly_enabled()"),
    "Numba's number of threads": State("numba.get_num_threads()", lasting=False, restore="numba.set_num_threads(states[0])"),
}
PRINTED = "prints to standard output"
# What fresh memory holds in turn: a moderate number in every format, and NaN in every format.
BYTES = "(0x42, 0xFF)"


def same_within_other_surroundings(failure: Failure, shown: Sequence[Shown], library: Library) -> list[str]:
    """The calls have the same arguments, and other memory around them."""
    first, second = (library.bits(call.output(failure)) for call in shown[-2:])
    return [
        f"ok = {first} == {second}",
        'print("the same result" if ok else "another result", "where other memory lies around the arguments")',
    ]


def untouched_surroundings(failure: Failure, shown: Sequence[Shown], library: Library) -> list[str]:
    """What lies in an argument itself is put back after the call: only what was written beside it is left to be seen."""
    del failure
    call = shown[-1]
    surrounded = ", ".join(f'"{name}": {name}' for argument, name in call.arguments.items() if not is_plain(call.case.arrays[argument]))
    return [
        f"arguments = {{{surrounded}}}",
        f"values = {{name: {library.copied('array')} for name, array in arguments.items()}}",
        f"before = {{name: {library.storage('array')} for name, array in arguments.items()}}",
        *call.statements,
        "for name, array in arguments.items():",
        f"    {library.put_back('array', 'values[name]')}",
        f"written = [name for name, array in arguments.items() if {library.storage('array')} != before[name]]",
        'print("written beside an argument:", ", ".join(written) or "nothing")',
        "ok = not written",
    ]


def own_memory(failure: Failure, shown: Sequence[Shown], library: Library) -> list[str]:
    """A result shares no memory with an argument, and is left alone by the next call."""
    first, *later = shown
    variable = first.output(failure)
    if not later:
        arguments = ", ".join(f'"{name}": {name}' for name in first.arguments.values())
        return [
            *first.statements,
            f"arguments = {{{arguments}}}",
            f"shared = [name for name, array in arguments.items() if {library.share_memory(variable, 'array')}]",
            f'print("{variable} shares memory with", ", ".join(shared) or "no argument")',
            "ok = not shared",
        ]
    return [
        *first.statements,
        f"kept = {library.bits(variable)}",
        *(line for call in later for line in call.statements),
        f"ok = {library.bits(variable)} == kept",
        f'print("{variable} is", "left alone" if ok else "overwritten", "by the next call")',
    ]


def complete(failure: Failure, shown: Sequence[Shown], library: Library) -> list[str]:
    """A result is the same a while after it was returned."""
    variable = shown[-1].output(failure)
    return [
        *shown[-1].statements,
        f"returned = {library.bits(variable)}",
        "time.sleep(0.5)",
        f"ok = {library.bits(variable)} == returned",
        f'print("{variable} is", "as it was returned" if ok else "another one by now, with no call between")',
    ]


def independent_of_fresh_memory(failure: Failure, shown: Sequence[Shown], library: Library) -> list[str]:
    """The same call with memory that holds one byte, then another."""
    call = shown[-1]
    variable = call.output(failure)
    return [
        "",
        "def fill_free_memory(byte):",
        '    """What malloc hands out from now on holds `byte`; so do the small blocks that glibc and NumPy keep for themselves."""',
        "    libc = ctypes.CDLL(None)",
        "    libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]",
        "    libc.mallopt(-4, 0)  # M_MMAP_MAX: no fresh pages, which are zero",
        "    libc.mallopt(-6, 0x100 | byte ^ 0xFF)  # M_PERTURB, which writes the opposite",
        "    blocks = [(libc.malloc(size), size) for size in range(24, 1040, 16) for _ in range(7)]",
        "    for address, size in blocks:",
        "        ctypes.memset(address, byte, size)",
        "    for address, _ in blocks:",
        "        libc.free(address)",
        *library.fill_own_blocks(),
        "",
        "",
        *call.statements,
        "seen = set()",
        f"for byte in {BYTES}:",
        "    fill_free_memory(byte)",
        *(f"    {statement}" for statement in call.statements),
        f'    print(f"{variable} where fresh memory holds 0x{{byte:02x}}: {{{variable}}}")',
        f"    seen.add({library.bits(variable)})",
        "ok = len(seen) == 1",
    ]


def leaves_the_process_alone(failure: Failure, shown: Sequence[Shown], library: Library) -> list[str]:
    del library
    call = shown[-1]
    if PRINTED in failure.headline:
        return _prints(call)
    name = next((name for name in STATES if f" changes {name}" in failure.headline), None)
    return _closes_streams(call) if name is None else _changes_state(call, name)


def _changes_state(call: Shown, name: str) -> list[str]:
    """A first call may change what does not last, as libraries open files and import modules then."""
    state = STATES[name]
    return [
        *state.definition,
        f"states = [{state.expression}]",
        *call.statements,
        *([state.restore] if state.restore else []),
        f"states.append({state.expression})",
        *call.statements,
        f"states.append({state.expression})",
        f"ok = {'states[0] == states[1] == states[2]' if state.lasting else 'states[1] == states[2]'}",
        f'print("{name.rstrip(":")}:", "left alone" if ok else "changed by the call")',
    ]


def _prints(call: Shown) -> list[str]:
    return [
        *call.statements,
        "with tempfile.TemporaryFile() as file:",
        "    sys.stdout.flush()",
        "    saved = os.dup(1)",
        "    os.dup2(file.fileno(), 1)",
        *(f"    {statement}" for statement in call.statements),
        "    sys.stdout.flush()",
        "    ctypes.CDLL(None).fflush(None)  # what a C library has buffered",
        "    os.dup2(saved, 1)",
        "    ok = os.fstat(file.fileno()).st_size == 0",
        'print("printed by the call:", "nothing" if ok else "something")',
    ]


def _closes_streams(call: Shown) -> list[str]:
    return [
        "report = os.dup(2)",
        *call.statements,
        "closed = []",
        "for number, name in enumerate(['standard input', 'standard output', 'standard error']):",
        "    try:",
        "        os.fstat(number)",
        "    except OSError:",
        "        closed.append(name)",
        "closed += [name for name in ('stdout', 'stderr') if getattr(sys, name).closed]",
        "os.write(report, f\"closed by the call: {closed or 'nothing'}\\n\".encode())",
        "# Python's own end would fail on a closed stream.",
        "os._exit(1 if closed else 0)",
    ]
