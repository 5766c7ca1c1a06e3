// Products of pairs of bfloat16 numbers, summed in float32, by an instruction of AVX-512-BF16.
// AMD's CPUs execute it as fast as a float32 instruction, Intel's a quarter as fast.
#pragma once

#include "bfloat16.hpp"

namespace chainrule::CHAINRULE_ISA {

struct PairProducts : Simd<float, 64> {
    // A word in every lane.
    CHAINRULE_INLINE V spread(const float *word) {
        std::int32_t bits;
        std::memcpy(&bits, word, sizeof bits);
        return reinterpret_cast<V>(_mm512_set1_epi32(bits));
    }
    // Adds two products per lane to the sum. Subnormal numbers count as zero.
    CHAINRULE_INLINE V add(V sum, V a, V b) {
        return reinterpret_cast<V>(_mm512_dpbf16_ps(reinterpret_cast<__m512>(sum),
                                                    reinterpret_cast<__m512bh>(a),
                                                    reinterpret_cast<__m512bh>(b)));
    }
};

// Combines rows 2k and 2k + 1 of an array into one row of words. If the number of rows is odd, the
// last row is paired with zeros. `width` is a multiple of the vector length; the
// caller pads shorter rows to it.
static inline void pair_rows(const float *from, long stride, long rows, long width, float *words,
                             long words_stride) {
    using S = Bfloat16::S;
    for (long k = 0; k < rows; k += 2) {
        const float *a = from + k * stride, *b = a + stride;
        for (long i = 0; i < width; i += S::lanes) {
            const S::V second = k + 1 < rows ? S::load(b + i) : S::V{};
            S::store(words + k / 2 * words_stride + i, Bfloat16::words(S::load(a + i), second));
        }
    }
}

// Combines entries 2i and 2i + 1 of a row into one word.
static inline void pair_neighbours(const float *from, long count, float *words) {
    for (long i = 0; i < count; i += 16) {
        const long left = count - i < 16 ? count - i : 16;
        const __mmask16 part = static_cast<__mmask16>((1u << left) - 1);
        const __m256i numbers =
            reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(part, from + i)));
        const __mmask8 some = static_cast<__mmask8>((1u << ((left + 1) / 2)) - 1);
        _mm256_mask_storeu_epi32(words + i / 2, some, numbers);
    }
}

} // namespace chainrule::CHAINRULE_ISA
