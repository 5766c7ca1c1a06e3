#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace chainrule {

/// What an x86 CPU says of itself (CPUID: register, leaf and subleaf) and which register files the
/// operating system saves at a context switch (XCR0); all 0 on other CPUs.
struct CpuWords {
    std::uint64_t xcr0 = 0;
    std::uint32_t ecx1 = 0, ebx7 = 0, edx7 = 0, eax7_1 = 0, ebx0 = 0;
};

/// The words of this CPU.
CpuWords cpu_words();

/// What a CPU with these words has, weakest first, so far as the operating system lets it be used.
/// Whether there are kernels for it is another question: `runnable` of dispatch.hpp.
std::vector<std::string> cpu_features(const CpuWords &words);

/// Whether a CPU with these words multiplies pairs of bfloat16 numbers in vectors as fast as
/// float32 numbers: AMD's do; Intel's have the instruction, at a quarter of that rate.
bool fast_bfloat16_vectors(const CpuWords &words);

/// Whether the operating system lends this process the tile registers of AMX; asks it, once.
bool tiles_granted();

/// Cores that this process may run on: its affinity mask, not the number in the machine.
int core_count();

} // namespace chainrule
