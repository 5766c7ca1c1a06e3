// bfloat16: float32 with 8 bits of precision instead of 24. A 32-bit word holds a pair of such
// numbers, which products multiply by another pair: entries 2k and 2k + 1 of a chain, the first in
// the lower half. Words are stored in arrays of float, but are never used as float numbers.
//
// A float32 number x is the sum of three bfloat16 numbers, its pieces: p₁ is x rounded, p₂ the rest
// x − p₁ rounded, p₃ the rest of that. The sum is exact, except that pieces smaller than the
// smallest normal number, 2⁻¹²⁶, count as 0: x has all of its 24 bits from about 2⁻¹⁰³ on. A number
// so large that p₁ would be rounded to infinity has its upper bits as p₁ instead. Pieces of an
// infinite number are not, so that its products are NaN.
#pragma once

#if defined(__AVX512BF16__)
#include <immintrin.h>
#endif

#include "simd.hpp"

namespace chainrule::CHAINRULE_ISA {

struct Bfloat16 : Simd<float, 64> {
    using S = Simd<float, 64>;

#if defined(__AVX512BF16__)
    // Rounding is to nearest, ties to even. Subnormal numbers become zero, and NaN stays NaN.
    //
    // Sixteen words, one for each lane: the pair of low and high.
    CHAINRULE_INLINE V words(V low, V high) {
        // The instruction puts all of `low` before all of `high`: this order interleaves them.
        const __m512i order =
            _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7,
                             22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
        return reinterpret_cast<V>(
            _mm512_permutexvar_epi16(order, reinterpret_cast<__m512i>(row(low, high))));
    }
    // Sixteen words from 32 numbers in a row: the pairs of neighbours.
    CHAINRULE_INLINE V row(V first, V second) {
        return reinterpret_cast<V>(
            _mm512_cvtne2ps_pbh(reinterpret_cast<__m512>(second), reinterpret_cast<__m512>(first)));
    }
#else
    // The same functions for CPUs without AVX-512-BF16.
    CHAINRULE_INLINE V words(V low, V high) {
        return S::from_bits(rounded_bits(low) | (rounded_bits(high) << 16));
    }
    CHAINRULE_INLINE V row(V first, V second) {
        const M a = rounded_bits(first), b = rounded_bits(second);
        const M even{0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30};
        return S::from_bits(__builtin_shuffle(a, b, even) |
                            (__builtin_shuffle(a, b, even + 1) << 16));
    }
#endif

    // The pieces of x, as float32 numbers. A single piece is x itself: it is rounded when packed.
    CHAINRULE_INLINE void pieces(V x, V (&p)[1]) { p[0] = x; }
    CHAINRULE_INLINE void pieces(V x, V (&p)[3]) {
        const Bits bits = reinterpret_cast<Bits>(x);
        const Bits largest = Bits{} + 0x7f7f8000u; // from here on, rounding gives infinity
        p[0] = reinterpret_cast<V>((bits & 0x7fffffffu) >= largest ? bits & 0xffff0000u
                                                                   : nearest(bits));
        const V rest = x - p[0];
        p[1] = reinterpret_cast<V>(nearest(reinterpret_cast<Bits>(rest)));
        p[2] = rest - p[1];
    }

  private:
    typedef std::uint32_t Bits __attribute__((vector_size(64)));

    // Rounded to the upper 16 bits: adds half a unit of the last kept bit, minus 1 if that bit is
    // 0, so that ties round to even.
    CHAINRULE_INLINE Bits nearest(Bits x) { return (x + 0x7fffu + ((x >> 16) & 1u)) & 0xffff0000u; }
    CHAINRULE_INLINE M rounded_bits(V v) {
        const Bits x = reinterpret_cast<Bits>(v), size = x & 0x7fffffffu;
        const Bits subnormal = size < 0x00800000u ? (x >> 16) & 0x8000u : nearest(x) >> 16;
        // Bit 0x40 keeps a NaN from becoming an infinity when its lower bits are cut off.
        return reinterpret_cast<M>(size > 0x7f800000u ? (x >> 16) | 0x40u : subnormal);
    }
};

} // namespace chainrule::CHAINRULE_ISA
