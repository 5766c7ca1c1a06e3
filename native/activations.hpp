// The compiled twins of chainrule.equations.activations: σ(z) and σ′(z) together, because they
// share their exponentials.
#pragma once

#include "functions.hpp"
#include "plan.hpp"

namespace chainrule::CHAINRULE_ISA {

template <typename T, int BYTES> struct Activations : Functions<T, BYTES> {
    using F = Functions<T, BYTES>;
    using S = Simd<T, BYTES>;
    using typename S::V;

    struct Pair {
        V value, derivative;
    };

    struct Sigmoids {
        V s, reflected; // σ(z), σ(−z)
        V e;            // e^{−|z|}
    };

    CHAINRULE_INLINE Sigmoids sigmoids(V z) {
        const V e = F::exp(-S::abs(z));
        const V large = T(1) / (T(1) + e), small = e * large;
        return {S::select(z < T(0), small, large), S::select(z < T(0), large, small), e};
    }

    // AC11, and −log σ(−z).
    CHAINRULE_INLINE V softplus(V z) {
        const V e = F::exp(-S::abs(z));
        return S::select(z < T(0), V{}, z) + F::log1p_unit(e);
    }

    // Σ cₙ Tₙ(t), the coefficients of chainrule.equations.activations.gelu.
    CHAINRULE_INLINE V chebyshev(V t) {
        constexpr double c[] = {
            1.1775789345674017541,      -0.0045900545806464773309,  -0.084249133366517915584,
            0.059209939998191890498,    -0.026658668435305752277,   0.0090749976707052650939,
            -0.0024131635404176081909,  0.00049077583652580863229,  -0.000069169733025012063671,
            4.1390279860730101675e-6,   7.7403830661984906686e-7,   -2.1886401049234395661e-7,
            1.0764999465670910377e-8,   4.5219598112182868979e-9,   -7.7544002088313511065e-10,
            -6.3180883408866844944e-11, 2.8687950109306698981e-11,  1.945586854577734722e-13,
            -9.6546967484334389067e-13, 3.2525481481487398382e-14,  3.3478119482868053912e-14,
            -1.8645628804193130174e-15, -1.2507950530688646168e-15, 7.4182352566240487744e-17,
            5.068148904796110099e-17};
        constexpr int terms = F::single ? 14 : 25;
        V above = V{}, series = V{};
        for (int k = terms - 1; k >= 1; --k) {
            const V next = (t + t) * series - above + T(c[k]);
            above = series;
            series = next;
        }
        return t * series - above + T(c[0]);
    }

    template <int KIND> CHAINRULE_INLINE Pair both(V z, T parameter) {
        const V one = S::splat(T(1));
        if constexpr (KIND == identity) { // AC1
            return {z, one};
        } else if constexpr (KIND == sigmoid) { // AC2
            const Sigmoids s = sigmoids(z);
            return {s.s, s.s * s.reflected};
        } else if constexpr (KIND == tanh_) { // AC3
            const V t = F::tanh(z);
            return {t, T(1) - t * t};
        } else if constexpr (KIND == relu) { // AC4
            return {S::select(z < T(0), V{}, z), S::select(z > T(0), one, V{})};
        } else if constexpr (KIND == leaky_relu) { // AC5
            return {S::select(z < T(0), z * parameter, z),
                    S::select(z > T(0), one, S::splat(parameter))};
        } else if constexpr (KIND == elu || KIND == selu) { // AC6, AC7
            const T scale = KIND == selu ? T(1.0507009873554805) : T(1);
            const V e = F::expm1_negative(S::select(z < T(0), z, V{})) * parameter;
            return {S::select(z < T(0), e, z) * scale,
                    S::select(z > T(0), one, e + parameter) * scale};
        } else if constexpr (KIND == gelu) { // AC8
            const V x = S::abs(z) * T(0.70710678118654752440);
            const V density = F::exp(-x * x); // √(2π) φ(z)
            const V series = chebyshev(T(1) - T(7.5) / (x + T(3.75)));
            const V tail = T(0.5) * density / (x + x + T(1)) * series;
            const V distribution = S::select(z < T(0), tail, T(1) - tail);
            return {z * distribution, distribution + z * density * T(0.39894228040143267794)};
        } else if constexpr (KIND == silu) { // AC9
            const Sigmoids s = sigmoids(z);
            return {z * s.s, s.s * (T(1) + z * s.reflected)};
        } else if constexpr (KIND == mish) { // AC10: tanh(softplus(z)) from one exponential
            const Sigmoids s = sigmoids(z);
            const V square = s.e * s.e;
            const V top = S::select(z < T(0), square + s.e + s.e, T(1) + s.e + s.e);
            const V rest = S::select(z < T(0), S::splat(T(2)), square + square);
            const V t = top / (top + rest);
            return {z * t, t + z * (T(1) - t * t) * s.s};
        } else if constexpr (KIND == exponential) { // AC13
            const V e = F::exp(z);
            return {e, e};
        } else { // AC11
            const Sigmoids s = sigmoids(z);
            return {S::select(z < T(0), V{}, z) + F::log1p_unit(s.e), s.s};
        }
    }

    // F2 over a block: A holds Z and becomes A; D, where wanted, becomes σ′(Z).
    template <int KIND> static void apply_kind(T *A, T *D, long n, T parameter) {
        for (long i = 0; i < n; i += S::lanes) {
            const Pair p = both<KIND>(S::load(A + i), parameter);
            S::store(A + i, p.value);
            if (D) S::store(D + i, p.derivative);
        }
    }

    static void apply(int kind, T *A, T *D, long n, T parameter) {
        switch (kind) {
        case sigmoid:
            return apply_kind<sigmoid>(A, D, n, parameter);
        case tanh_:
            return apply_kind<tanh_>(A, D, n, parameter);
        case relu:
            return apply_kind<relu>(A, D, n, parameter);
        case leaky_relu:
            return apply_kind<leaky_relu>(A, D, n, parameter);
        case elu:
            return apply_kind<elu>(A, D, n, parameter);
        case selu:
            return apply_kind<selu>(A, D, n, parameter);
        case gelu:
            return apply_kind<gelu>(A, D, n, parameter);
        case silu:
            return apply_kind<silu>(A, D, n, parameter);
        case mish:
            return apply_kind<mish>(A, D, n, parameter);
        case softplus_:
            return apply_kind<softplus_>(A, D, n, parameter);
        case exponential:
            return apply_kind<exponential>(A, D, n, parameter);
        default:
            return apply_kind<identity>(A, D, n, parameter);
        }
    }
};

} // namespace chainrule::CHAINRULE_ISA
