#include "cpu.hpp"

#include <thread>

#if defined(__linux__)
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

namespace chainrule {

namespace {

#if defined(__x86_64__) || defined(__i386__)

struct Leaf {
    unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
};

Leaf cpuid(unsigned leaf, unsigned subleaf) {
    Leaf r;
    __get_cpuid_count(leaf, subleaf, &r.eax, &r.ebx, &r.ecx, &r.edx);
    return r;
}

// XCR0: the register files that the operating system saves for us at a context switch. A set that
// the CPU has but the system does not save must not be used.
unsigned long long saved_register_files() {
    if (!(cpuid(1, 0).ecx & (1u << 27))) { // OSXSAVE
        return 0;
    }
    unsigned low = 0, high = 0;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (static_cast<unsigned long long>(high) << 32) | low;
}

bool has(unsigned word, int bit) {
    return (word >> bit) & 1u;
}

bool all(unsigned long long word, unsigned long long mask) {
    return (word & mask) == mask;
}

// Linux hands out the AMX tile registers on request only (arch_prctl, since 5.16).
bool request_amx() {
#if defined(__linux__) && defined(__x86_64__)
    constexpr long request_permission = 0x1023, tile_data = 18;
    return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
#else
    return false;
#endif
}

#endif

} // namespace

std::vector<std::string> instruction_sets() {
    std::vector<std::string> sets{"generic"};
#if defined(__x86_64__) || defined(__i386__)
    const unsigned long long xcr0 = saved_register_files();
    const Leaf basic = cpuid(1, 0), extended = cpuid(7, 0), extended1 = cpuid(7, 1);
    const bool avx2 = all(xcr0, 0x6) && has(basic.ecx, 12) && has(extended.ebx, 5);
    const bool avx512 = avx2 && all(xcr0, 0xe6) && has(extended.ebx, 16) && has(extended.ebx, 17) &&
                        has(extended.ebx, 30) && has(extended.ebx, 31);
    const bool avx512_bf16 = avx512 && has(extended1.eax, 5);
    const bool amx_bf16 = avx512 && all(xcr0, 0x60000) && has(extended.edx, 22) &&
                          has(extended.edx, 24) && request_amx();
    if (avx2) sets.emplace_back("avx2");
    if (avx512) sets.emplace_back("avx512");
    if (avx512_bf16) sets.emplace_back("avx512_bf16");
    if (amx_bf16) sets.emplace_back("amx_bf16");
#endif
    return sets;
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
