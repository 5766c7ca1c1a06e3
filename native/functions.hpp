// exp, log, cosines, sines and related functions of whole vectors. Error bounds are stated per
// function.
#pragma once

#include "simd.hpp"

namespace chainrule::CHAINRULE_ISA {

template <typename T, int BYTES> struct Functions : Simd<T, BYTES> {
    using S = Simd<T, BYTES>;
    using typename S::I;
    using typename S::M;
    using typename S::V;
    static constexpr bool single = sizeof(T) == 4;

    // ln 2 in two parts, the first with trailing zeros: n · hi is exact for |n| < 2^11.
    static constexpr T ln2_hi = single ? T(0.693359375) : T(6.93147180369123816490e-01);
    static constexpr T ln2_lo = single ? T(-2.12194440e-4) : T(1.90821492927058770002e-10);
    static constexpr T log2e = T(1.4426950408889634074);
    // Adding this rounds to a whole number, which is then in the low bits of the sum.
    static constexpr T rounder = single ? T(12582912.0) : T(6755399441055744.0);
    static constexpr int mantissa = single ? 23 : 52;
    static constexpr I bias = single ? 127 : 1023;
    static constexpr T largest_exponent = single ? T(88.72283) : T(709.782712893384);
    static constexpr T smallest_exponent = single ? T(-87.33654) : T(-708.3964185322641);

    struct Reduced {
        V r; // x − n ln 2, |r| ≤ ln 2 / 2
        M n;
    };

    CHAINRULE_INLINE Reduced reduce(V x) {
        const V shifted = x * log2e + rounder;
        const V n = shifted - rounder;
        return {(x - n * ln2_hi) - n * ln2_lo, S::bits(shifted) - S::bits(S::splat(rounder))};
    }

    CHAINRULE_INLINE V power_of_two(M n) { return S::from_bits((n + bias) << mantissa); }

    // e^r − 1 − r for |r| ≤ ln 2 / 2 by its Taylor series, within an eighth of an ulp of e^r.
    CHAINRULE_INLINE V exp_tail(V r) {
        V p;
        if constexpr (single) {
            p = S::splat(T(1.0 / 5040));
            p = p * r + T(1.0 / 720);
        } else {
            p = S::splat(T(1.0 / 6227020800.0));
            p = p * r + T(1.0 / 479001600.0);
            p = p * r + T(1.0 / 39916800.0);
            p = p * r + T(1.0 / 3628800.0);
            p = p * r + T(1.0 / 362880.0);
            p = p * r + T(1.0 / 40320.0);
            p = p * r + T(1.0 / 5040);
            p = p * r + T(1.0 / 720);
        }
        p = p * r + T(1.0 / 120);
        p = p * r + T(1.0 / 24);
        p = p * r + T(1.0 / 6);
        p = p * r + T(0.5);
        return p * (r * r);
    }

    // e^x within 2 ulp; 0 where it would be subnormal, inf above the largest number, NaN for NaN.
    CHAINRULE_INLINE V exp(V x) {
        const V inside = S::select(x > largest_exponent, S::splat(largest_exponent), x);
        const Reduced d = reduce(S::select(inside < smallest_exponent, V{}, inside));
        const M half = d.n >> 1;
        V e = (exp_tail(d.r) + d.r) + T(1);
        e = e * power_of_two(half) * power_of_two(d.n - half);
        e = S::select(x < smallest_exponent, V{}, e);
        const T infinity = single ? T(__builtin_huge_valf()) : T(__builtin_huge_val());
        return S::select(x > largest_exponent, S::splat(infinity), e);
    }

    // e^x − 1 for x ≤ 0, within 3 ulp, including near 0.
    CHAINRULE_INLINE V expm1_negative(V x) {
        const T bottom = single ? T(-20) : T(-45); // below it, e^x is less than half an ulp of 1
        const Reduced d = reduce(S::select(x < bottom, S::splat(bottom), x));
        const V scale = power_of_two(d.n);
        return (exp_tail(d.r) + d.r) * scale + (scale - T(1));
    }

    // tanh within 3 ulp, including near 0.
    CHAINRULE_INLINE V tanh(V x) {
        const V e = expm1_negative(T(-2) * S::abs(x));
        const V t = -e / (e + T(2));
        return S::select(x < T(0), -t, t);
    }

    // 2 atanh(s) for |s| ≤ 1/3.
    CHAINRULE_INLINE V twice_atanh(V s) {
        constexpr int terms = single ? 8 : 17;
        const V q = s * s;
        V p = S::splat(T(2.0 / (2 * terms + 1)));
        for (int k = terms - 1; k >= 1; --k)
            p = p * q + T(2.0) / T(2 * k + 1);
        return p * q * s + (s + s); // only one product can be fused, so rounding is well defined
    }

    // log(1 + e) for 0 ≤ e ≤ 1, within 3 ulp.
    CHAINRULE_INLINE V log1p_unit(V e) { return twice_atanh(e / (e + T(2))); }

    // log x within 3 ulp for normal x > 0; −inf at 0, NaN for negative x and for NaN.
    CHAINRULE_INLINE V log(V x) {
        const T root_half = T(0.70710678118654752440);
        const T smallest = single ? T(1.17549435e-38) : T(2.2250738585072014e-308);
        M n = ((S::bits(x) >> mantissa) & (2 * bias + 1)) - (bias - 1);
        const M kept = (S::bits(x) & ((I(1) << mantissa) - 1)) | ((bias - 1) << mantissa);
        V m = S::from_bits(kept); // in [1/2, 1)
        const M low = m < root_half;
        m = S::select(low, m + m, m);
        n = n + low; // a true comparison is −1
        const V count = __builtin_convertvector(n, V);
        const V f = m - T(1);
        V result = twice_atanh(f / (f + T(2))) + count * ln2_lo;
        result = result + count * ln2_hi;
        const T infinity = single ? T(__builtin_huge_valf()) : T(__builtin_huge_val());
        result = S::select(x == infinity, x, result);
        result = S::select(x < smallest, S::splat(-infinity), result);
        const V nan = S::splat(single ? T(__builtin_nanf("")) : T(__builtin_nan("")));
        return S::select((x < T(0)) | (x != x), nan, result);
    }

    struct Circle {
        V cosine, sine;
    };

    // cos 2πt and sin 2πt within 2 ulp for |t| < 2^20 (in double precision, 2^49); beyond that 1
    // and 0, and NaN for infinities and NaN. The argument is in turns because what is left of
    // it after whole quarters of a turn is exact. The coefficients are those of Chebyshev
    // interpolation on |q| ≤ 1/8 of (cos 2πq − 1)/q² and (sin 2πq)/q, which are series in q²; their
    // errors are below 4·10⁻⁹ (4·10⁻¹⁸).
    CHAINRULE_INLINE Circle circle(V t) {
        constexpr T largest = single ? T(0x1p20) : T(0x1p49);
        const V shifted = t * T(4) + rounder;
        const V q = t - (shifted - rounder) * T(0.25);
        const M quarters = S::bits(shifted);
        const V u = q * q;
        V c, s;
        if constexpr (single) {
            c = S::splat(T(59.424105981756473913));
            c = c * u + T(-85.448820089651071299);
            c = c * u + T(64.939369051419775696);
            c = c * u + T(-19.739208789987509716);
            s = S::splat(T(-75.401612702747458455));
            s = s * u + T(81.592542871301543294);
            s = s * u + T(-41.341662570547954912);
            s = s * u + T(6.2831852878129467414);
        } else {
            c = S::splat(T(-1.6990343940660636356));
            c = c * u + T(7.9032069115696784291);
            c = c * u + T(-26.426253275854721364);
            c = c * u + T(60.244641352702008933);
            c = c * u + T(-85.456817206643804246);
            c = c * u + T(64.939394022668242743);
            c = c * u + T(-19.73920880217871723);
            s = S::splat(T(3.7808689593022955184));
            s = s * u + T(-15.093804209987113512);
            s = s * u + T(42.058685020160894047);
            s = s * u + T(-76.705859704274550647);
            s = s * u + T(81.605249275948035209);
            s = s * u + T(-41.341702240399636207);
            s = s * u + T(6.2831853071795864572);
        }
        c = c * u + T(1);
        s = s * q;
        // A quarter of a turn takes (cos, sin) to (−sin, cos), and half a turn changes both signs.
        const M odd = -(quarters & 1);
        constexpr int sign = 8 * sizeof(T) - 2; // from bit 1 to the sign
        const V cosine =
            S::from_bits(S::bits(S::select(odd, s, c)) ^ (((quarters + 1) & 2) << sign));
        const V sine = S::from_bits(S::bits(S::select(odd, c, s)) ^ ((quarters & 2) << sign));
        const M far = !(S::abs(t) < largest);
        return {S::select(far, t * T(0) + T(1), cosine), S::select(far, t * T(0), sine)};
    }
};

} // namespace chainrule::CHAINRULE_ISA
