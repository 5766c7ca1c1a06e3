#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace chainrule {

/// What an x86 CPU says of itself (CPUID: register, leaf and subleaf) and which register files the
/// operating system saves at a context switch (XCR0); all 0 on other CPUs.
struct CpuWords {
    std::uint64_t xcr0 = 0;
    std::uint32_t ecx1 = 0, ebx7 = 0, edx7 = 0, eax7_1 = 0;
};

/// The words of this CPU.
CpuWords cpu_words();

/// What a CPU with these words has, weakest first, so far as the operating system lets it be used.
/// Whether there are kernels for it is another question: `runnable` of dispatch.hpp.
std::vector<std::string> cpu_features(const CpuWords &words);

/// Cores that this process may run on: its affinity mask, not the number in the machine.
int core_count();

} // namespace chainrule
