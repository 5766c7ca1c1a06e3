// Transposing blocks of lanes × lanes in registers.
#pragma once

#include "simd.hpp"

namespace chainrule::CHAINRULE_ISA {

template <typename T, int BYTES> struct Transpose : Simd<T, BYTES> {
    using S = Simd<T, BYTES>;
    using typename S::M;
    using typename S::V;
    static constexpr int lanes = S::lanes;

    // Interleaves the lanes of a and b, beginning with lane `first` of each.
    CHAINRULE_INLINE V interleave(V a, V b, int first) {
        M order;
        for (int i = 0; i < lanes; ++i)
            order[i] = first + i / 2 + (i % 2) * lanes;
        return __builtin_shuffle(a, b, order);
    }

    // log₂(lanes) perfect shuffles of a whole block transpose it.
    CHAINRULE_INLINE void block(V (&x)[lanes]) {
#pragma GCC unroll 4
        for (int stage = 1; stage < lanes; stage *= 2) {
            V y[lanes];
#pragma GCC unroll 16
            for (int i = 0; i < lanes / 2; ++i) {
                y[2 * i] = interleave(x[i], x[i + lanes / 2], 0);
                y[2 * i + 1] = interleave(x[i], x[i + lanes / 2], lanes / 2);
            }
#pragma GCC unroll 16
            for (int i = 0; i < lanes; ++i)
                x[i] = y[i];
        }
    }
};

} // namespace chainrule::CHAINRULE_ISA
