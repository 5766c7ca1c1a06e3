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

    // The sums of the lanes of each vector, by halves as in Simd::sum: lane i holds that of x[i].
    CHAINRULE_INLINE V sums(V (&x)[lanes]) {
        add_halves<lanes>(x);
        return x[0];
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

  private:
    // Adds the halves of each WIDE lanes, and so on until a lane is left of each vector.
    template <int WIDE> CHAINRULE_INLINE void add_halves(V (&x)[lanes]) {
#pragma GCC unroll 8
        for (int i = 0; i < WIDE / 2; ++i) {
            const V a = x[2 * i], b = x[2 * i + 1];
            x[i] = half<WIDE, 0>(a, b) + half<WIDE, WIDE / 2>(a, b);
        }
        if constexpr (WIDE > 2) add_halves<WIDE / 2>(x);
    }

    // WIDE / 2 lanes, beginning at lane FIRST, of each WIDE lanes of a, then of b.
    template <int WIDE, int FIRST> CHAINRULE_INLINE V half(V a, V b) {
        M order;
        for (int i = 0; i < lanes; ++i)
            order[i] = i / (WIDE / 2) * WIDE + FIRST + i % (WIDE / 2);
        return __builtin_shuffle(a, b, order);
    }
};

} // namespace chainrule::CHAINRULE_ISA
