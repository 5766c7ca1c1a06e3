// Memory allocation, and integer helpers for offsets.
#pragma once

#include <cstdlib>
#include <cstring>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "simd.hpp"

namespace chainrule::CHAINRULE_ISA {

CHAINRULE_INLINE long smaller(long a, long b) {
    return a < b ? a : b;
}
CHAINRULE_INLINE long larger(long a, long b) {
    return a > b ? a : b;
}
CHAINRULE_INLINE long divided_up(long a, long b) {
    return (a + b - 1) / b;
}
CHAINRULE_INLINE long rounded_up(long a, long b) {
    return divided_up(a, b) * b;
}

// Returns zeroed memory, or nullptr. Large arrays use huge pages if the system has them: products
// access panels that are megabytes apart, and with small pages would wait for TLB misses.
template <typename U> U *allocate(long count) {
    constexpr unsigned long large = 2ul << 20;
    const unsigned long bytes = static_cast<unsigned long>(count) * sizeof(U);
    const unsigned long unit = bytes >= 2 * large ? large : 64;
    void *p = std::aligned_alloc(unit, (bytes / unit + 1) * unit);
#if defined(__linux__)
    if (p && unit == large) madvise(p, (bytes / unit + 1) * unit, MADV_HUGEPAGE);
#endif
    if (p) std::memset(p, 0, bytes);
    return static_cast<U *>(p);
}

} // namespace chainrule::CHAINRULE_ISA
