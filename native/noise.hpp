// Counter-based random numbers: the compiled twins of chainrule.network.random.
#pragma once

#include <cstdint>

#include "order.hpp"
#include "simd.hpp"

namespace chainrule::CHAINRULE_ISA {

// The key of all random numbers of one step.
CHAINRULE_INLINE std::uint64_t step_noise(std::uint64_t key, std::uint64_t step) {
    return mixed(key ^ mixed(step));
}

// The dropout factors of one unit for the examples first, first + 1, … of the batch: 0 with
// probability `rate`, otherwise 1/(1 − rate). They depend only on (seed, step, layer, unit,
// example).
template <typename T>
void dropout_factors(std::uint64_t noise, int layer, long unit, std::uint32_t first, double rate,
                     T *factors, long count) {
    const std::uint64_t own = mixed(mixed(noise + std::uint64_t(layer)) + std::uint64_t(unit));
    const std::uint32_t low = std::uint32_t(own), high = std::uint32_t(own >> 32);
    const std::uint32_t limit = std::uint32_t(rate * 0x1p32);
    const T kept = T(1 / (1 - rate));
    for (long i = 0; i < count; ++i) {
        std::uint32_t x = (first + std::uint32_t(i)) * 0x9e3779b9u + low;
        x = (x ^ (x >> 16)) * 0x7feb352du;
        x = (x ^ (x >> 15) ^ high) * 0x846ca68bu;
        x ^= x >> 16;
        factors[i] = x < limit ? T(0) : kept;
    }
}

} // namespace chainrule::CHAINRULE_ISA
