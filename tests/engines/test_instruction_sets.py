"""What a CPU offers and what can be chosen are one list, on CPUs that are not at hand as well."""

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.engines import extension

native = extension.native
pytestmark = pytest.mark.skipif(native is None, reason="there is no compiled core")

# XCR0, and CPUID's ECX of leaf 1, EBX and EDX of leaf 7, EAX of leaf 7.1 and EBX of leaf 0, from
# Intel's Software Developer's Manual, volumes 1 (13.1) and 2A (CPUID).

FMA = 1 << 12
AVX2 = 1 << 5
AVX512 = 1 << 16 | 1 << 17 | 1 << 30 | 1 << 31  # F, DQ, BW, VL
AMX = 1 << 22 | 1 << 24  # BF16, TILE
AVX512_BF16 = 1 << 5
INTEL = int.from_bytes(b"Genu", "little")
AMD = int.from_bytes(b"Auth", "little")

CPUS = {
    "an old one": ((0, 0, 0, 0, 0, INTEL), []),
    "Haswell": ((0b111, FMA, AVX2, 0, 0, INTEL), ["avx2"]),
    "Skylake-X": ((0xE7, FMA, AVX2 | AVX512, 0, 0, INTEL), ["avx2", "avx512"]),
    "Cooper Lake": (
        (0xE7, FMA, AVX2 | AVX512, 0, AVX512_BF16, INTEL),
        ["avx2", "avx512", "avx512_bf16"],
    ),
    "Zen 5": (
        (0xE7, FMA, AVX2 | AVX512, 0, AVX512_BF16, AMD),
        ["avx2", "avx512", "avx512_bf16"],
    ),
    "Sapphire Rapids": (
        (0x600E7, FMA, AVX2 | AVX512, AMX, AVX512_BF16, INTEL),
        ["avx2", "avx512", "avx512_bf16", "amx_bf16"],
    ),
    "Sapphire Rapids, whose system saves no tiles": (
        (0xE7, FMA, AVX2 | AVX512, AMX, AVX512_BF16, INTEL),
        ["avx2", "avx512", "avx512_bf16"],
    ),
    "Sapphire Rapids, whose system saves no more than SSE": (
        (0b11, FMA, AVX2 | AVX512, AMX, AVX512_BF16, INTEL),
        [],
    ),
}
WORDS = st.tuples(st.integers(0, 2**64 - 1), *[st.integers(0, 2**32 - 1)] * 5)
EVERYTHING = (2**64 - 1, *[2**32 - 1] * 5)


@pytest.mark.parametrize(("words", "features"), CPUS.values(), ids=CPUS)
def test_a_cpu_has_what_its_words_say_and_its_system_saves(words, features):
    assert native.cpu_info(words)["features"] == features


@pytest.mark.parametrize("words", [words for words, _ in CPUS.values()], ids=CPUS)
def test_a_set_is_listed_where_the_cpu_has_it_and_the_build_has_kernels_for_it(words):
    built = native.cpu_info(EVERYTHING)["instruction_sets"]
    info = native.cpu_info(words)
    assert info["instruction_sets"] == [
        name for name in built if name in ("generic", *info["features"])
    ]


def test_the_set_that_emulates_tiles_is_in_no_list():
    assert "amx_bf16_emulated" not in native.cpu_info(EVERYTHING)["instruction_sets"]


USUAL = {
    "Haswell": "avx2",
    "Skylake-X": "avx512",
    # There products of bfloat16 in vectors are slower than those of float32.
    "Cooper Lake": "avx512",
    "Zen 5": "avx512_bf16",
    "Sapphire Rapids": "amx_bf16",
    "Sapphire Rapids, whose system saves no tiles": "avx512",
}


@pytest.mark.skipif(
    "avx2" not in native.cpu_info(EVERYTHING)["instruction_sets"] if native else True,
    reason="a build for x86-64 alone",
)
@pytest.mark.parametrize(("cpu", "usual"), USUAL.items())
def test_a_cpu_uses_the_strongest_set_that_gains_something(cpu, usual):
    assert native.cpu_info(CPUS[cpu][0])["usual"] == usual


@given(words=WORDS)
def test_any_cpu_runs_generic_and_further_sets_in_their_order(words):
    every = native.cpu_info(EVERYTHING)["instruction_sets"]
    found = native.cpu_info(words)["instruction_sets"]
    assert found[0] == "generic"
    assert found == [name for name in every if name in found]
    assert native.cpu_info(words)["usual"] in found[-2:]


def test_each_set_that_is_listed_can_be_chosen():
    before = native.instruction_set()
    try:
        for name in native.cpu_info()["instruction_sets"]:
            native.use_instruction_set(name)
            assert native.instruction_set() == name
    finally:
        native.use_instruction_set(before)


def test_the_usual_set_is_used_unless_another_is_chosen():
    environment = {k: v for k, v in os.environ.items() if k != "CHAINRULE_ISA"}
    code = "from chainrule import _native as n; print(n.instruction_set())"
    found = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == native.cpu_info()["usual"]


@pytest.mark.parametrize("name", ["avx2", "avx512", "avx512_bf16", "amx_bf16", "mmx"])
def test_what_is_not_listed_is_refused_with_the_list(name):
    offered = native.cpu_info()["instruction_sets"]
    if name in offered:
        pytest.skip(f"this CPU runs {name}")
    before = native.instruction_set()
    with pytest.raises(ValueError, match=f"expected one of {', '.join(offered)}; got {name}$"):
        native.use_instruction_set(name)
    assert native.instruction_set() == before
