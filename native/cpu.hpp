#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace chainrule {

/// An x86 CPU's feature words (CPUID; members are named by register and leaf), and the register
/// files that the operating system saves at a context switch (XCR0). All 0 on other CPUs.
struct CpuWords {
    std::uint64_t xcr0 = 0;
    std::uint32_t ecx1 = 0, ebx7 = 0, edx7 = 0, eax7_1 = 0;
};

/// The words of this CPU.
CpuWords cpu_words();

/// The features of a CPU with these words that the operating system enables, weakest first. Whether
/// this build has kernels for them is told by `runnable` in dispatch.hpp.
std::vector<std::string> cpu_features(const CpuWords &words);

/// The number of cores that this process may run on (its affinity mask), not that of the machine.
int core_count();

} // namespace chainrule
