// Vectors of T in registers of a given number of bytes, by the compiler's vector extensions: one
// source for every instruction set. Everything here is in a namespace that is named after the
// instruction set (CHAINRULE_ISA), so that the linker never merges an inline function compiled for
// one CPU into code for another.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__AVX512VL__)
#include <immintrin.h>
#endif

#define CHAINRULE_INLINE static inline __attribute__((always_inline))

namespace chainrule::CHAINRULE_ISA {

template <typename T> struct IntOf;
template <> struct IntOf<float> {
    using type = std::int32_t;
};
template <> struct IntOf<double> {
    using type = std::int64_t;
};

template <typename T, int BYTES> struct Simd {
    static constexpr int lanes = BYTES / static_cast<int>(sizeof(T));
    using I = typename IntOf<T>::type;
    typedef T V __attribute__((vector_size(BYTES)));
    typedef I M __attribute__((vector_size(BYTES)));
    typedef T U __attribute__((vector_size(BYTES), aligned(sizeof(T)), may_alias));

    CHAINRULE_INLINE V load(const T *p) { return *reinterpret_cast<const U *>(p); }
    CHAINRULE_INLINE void store(T *p, V v) { *reinterpret_cast<U *>(p) = v; }
    // x − 0 equals x for every x, −0 included. (0 + x does not, and would cost an addition.)
    CHAINRULE_INLINE V splat(T x) { return x - V{}; }
    CHAINRULE_INLINE V select(M mask, V yes, V no) { return mask ? yes : no; }
    CHAINRULE_INLINE M bits(V v) { return reinterpret_cast<M>(v); }
    CHAINRULE_INLINE V from_bits(M m) { return reinterpret_cast<V>(m); }
    CHAINRULE_INLINE V abs(V v) {
        return from_bits(bits(v) & ~(M{} + (I(1) << (sizeof(T) * 8 - 1))));
    }
    // 1 or −1; 0 and NaN are unchanged.
    CHAINRULE_INLINE V sign(V v) {
        return select(v > T(0), splat(T(1)), select(v < T(0), splat(T(-1)), v));
    }
    CHAINRULE_INLINE V max(V a, V b) { return a > b ? a : b; }

    // Returns v, but keeps the compiler from fusing the product that gave it with an addition that
    // follows. Whether it would fuse them depends on the surrounding code, and so would the bits.
    CHAINRULE_INLINE V rounded(V v) {
#if defined(__AVX512F__)
        asm("" : "+v"(v));
#elif defined(__x86_64__) || defined(__i386__)
        asm("" : "+x"(v));
#elif defined(__aarch64__)
        asm("" : "+w"(v));
#else
        asm("" : "+m"(v));
#endif
        return v;
    }

    // Keeps the compiler from computing a pointer anew from others wherever it is used.
    CHAINRULE_INLINE void keep(const T *&pointer) { asm("" : "+r"(pointer)); }

    // The sum of the lanes in a fixed order (halves, quarters, …).
    CHAINRULE_INLINE T sum(V v) {
        T x[lanes];
        std::memcpy(x, &v, sizeof v);
        for (int n = lanes / 2; n > 0; n /= 2) {
            for (int i = 0; i < n; ++i)
                x[i] += x[i + n];
        }
        return x[0];
    }

    // Correctly rounded square roots; the compiler turns the loop into one instruction.
    CHAINRULE_INLINE V sqrt(V v) {
        V r;
        for (int i = 0; i < lanes; ++i) {
            if constexpr (sizeof(T) == 4) {
                r[i] = __builtin_sqrtf(v[i]);
            } else {
                r[i] = __builtin_sqrt(v[i]);
            }
        }
        return r;
    }

    // a / d for a divisor d ≥ 0 by multiplications: the divider is busy with roots where this is
    // used. With fused multiply-adds, within 0.51 ulp if |a| > 2^−100 (in double precision,
    // 2^−960), and otherwise within 10^−5 |a / d|, since what corrects the last digits is flushed
    // to 0; the bits are the same on every CPU. Without them, the division itself. Divisors of more
    // than 2^126 (2^1022) count as infinite; 0/0 and ∞/∞ are NaN.
    CHAINRULE_INLINE V quotient(V a, V d) {
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
        constexpr bool single = sizeof(T) == 4;
        // The bits of a number are about its logarithm: y is 1/d, and e = 1 − d y, within 5.1 %.
        constexpr I minus_log = single ? I(0x7ef311c7) : I(0x7fde623822835eea);
        V y = from_bits(minus_log - bits(d));
        V e = T(1) - d * y;
        y = y * e + y; // e²
        e = e * e;
        y = y * e + y; // e⁴: 7 · 10⁻⁶
        if constexpr (!single) {
            e = T(1) - d * y;
            y = y * e + y;
        }
        const V q = rounded(a * y);
        const V quotient = (a - d * q) * y + q;
        constexpr T largest = single ? T(0x1p126) : T(0x1p1022);
        return select(d > largest, a * T(0), quotient);
#else
        return a / d;
#endif
    }

    // A part of a vector, for the end of an array: other lanes are read as 0 and are not written.
    CHAINRULE_INLINE V load_part(const T *p, int n) {
#if defined(__AVX512VL__)
        const unsigned some = (1u << n) - 1;
        if constexpr (BYTES == 64 && sizeof(T) == 4) return V(_mm512_maskz_loadu_ps(some, p));
        if constexpr (BYTES == 64 && sizeof(T) == 8) return V(_mm512_maskz_loadu_pd(some, p));
        if constexpr (BYTES == 32 && sizeof(T) == 4) return V(_mm256_maskz_loadu_ps(some, p));
        if constexpr (BYTES == 32 && sizeof(T) == 8) return V(_mm256_maskz_loadu_pd(some, p));
#endif
        T x[lanes] = {};
        std::memcpy(x, p, sizeof(T) * static_cast<unsigned>(n));
        return load(x);
    }
    CHAINRULE_INLINE void store_part(T *p, V v, int n) {
#if defined(__AVX512VL__)
        const unsigned some = (1u << n) - 1;
        if constexpr (BYTES == 64 && sizeof(T) == 4)
            return _mm512_mask_storeu_ps(p, some, __m512(v));
        if constexpr (BYTES == 64 && sizeof(T) == 8)
            return _mm512_mask_storeu_pd(p, some, __m512d(v));
        if constexpr (BYTES == 32 && sizeof(T) == 4)
            return _mm256_mask_storeu_ps(p, some, __m256(v));
        if constexpr (BYTES == 32 && sizeof(T) == 8)
            return _mm256_mask_storeu_pd(p, some, __m256d(v));
#endif
        std::memcpy(p, &v, sizeof(T) * static_cast<unsigned>(n));
    }
};

} // namespace chainrule::CHAINRULE_ISA
