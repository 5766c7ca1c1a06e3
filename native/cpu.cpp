#include "cpu.hpp"

#include <thread>

#if defined(__linux__)
#include <sched.h>
#endif

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

namespace chainrule {

namespace {

bool has(std::uint32_t word, int bit) {
    return (word >> bit) & 1u;
}

bool all(std::uint64_t word, std::uint64_t mask) {
    return (word & mask) == mask;
}

#if defined(__x86_64__) || defined(__i386__)

struct Leaf {
    unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
};

Leaf cpuid(unsigned leaf, unsigned subleaf) {
    Leaf r;
    __get_cpuid_count(leaf, subleaf, &r.eax, &r.ebx, &r.ecx, &r.edx);
    return r;
}

// XCR0 can only be read if the operating system has enabled it (OSXSAVE).
std::uint64_t saved_register_files(const Leaf &basic) {
    if (!has(basic.ecx, 27)) {
        return 0;
    }
    unsigned low = 0, high = 0;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (static_cast<std::uint64_t>(high) << 32) | low;
}

#endif

} // namespace

CpuWords cpu_words() {
    CpuWords words;
#if defined(__x86_64__) || defined(__i386__)
    const Leaf basic = cpuid(1, 0), extended = cpuid(7, 0), extended1 = cpuid(7, 1);
    words.xcr0 = saved_register_files(basic);
    words.ecx1 = basic.ecx;
    words.ebx7 = extended.ebx;
    words.edx7 = extended.edx;
    words.eax7_1 = extended1.eax;
#endif
    return words;
}

std::vector<std::string> cpu_features(const CpuWords &w) {
    std::vector<std::string> features;
    const bool avx2 = all(w.xcr0, 0x6) && has(w.ecx1, 12) && has(w.ebx7, 5);
    const bool avx512 = avx2 && all(w.xcr0, 0xe6) && has(w.ebx7, 16) && has(w.ebx7, 17) &&
                        has(w.ebx7, 30) && has(w.ebx7, 31);
    const bool avx512_bf16 = avx512 && has(w.eax7_1, 5);
    // Since 5.16, Linux grants a process the tile registers on request (arch_prctl 0x1023 for 18).
    // The request belongs before the first kernel that uses them, not here, where the CPU is only
    // examined.
    const bool amx_bf16 = avx512 && all(w.xcr0, 0x60000) && has(w.edx7, 22) && has(w.edx7, 24);
    if (avx2) features.emplace_back("avx2");
    if (avx512) features.emplace_back("avx512");
    if (avx512_bf16) features.emplace_back("avx512_bf16");
    if (amx_bf16) features.emplace_back("amx_bf16");
    return features;
}

int core_count() {
#if defined(__linux__)
    cpu_set_t mask;
    CPU_ZERO(&mask);
    if (sched_getaffinity(0, sizeof mask, &mask) == 0) {
        return CPU_COUNT(&mask);
    }
#endif
    const unsigned n = std::thread::hardware_concurrency();
    return n ? static_cast<int>(n) : 1;
}

} // namespace chainrule
