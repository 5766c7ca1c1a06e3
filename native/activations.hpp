// The compiled twins of chainrule.equations.activations: one struct per activation, and the list of
// the structs. σ(z) and σ′(z) are computed together, because they share their exponentials.
#pragma once

#include "functions.hpp"
#include "types.hpp"

namespace chainrule::CHAINRULE_ISA {

// What turns ∂C/∂A[l] into δ[l]: the second factor of BP2.
enum class Through {
    unchanged,
    rectifier,  // σ′ follows from A: not stored
    derivative, // stored in D
    jacobian,   // couples all units of a layer: BP1s
};

template <typename T, int BYTES> struct Activations : Functions<T, BYTES> {
    using F = Functions<T, BYTES>;
    using S = Simd<T, BYTES>;
    using typename S::V;
    using Set = Settings<T>;

    struct Pair {
        V value, derivative;
    };

    // An activation that acts on each unit separately.
    struct ElementWise {
        static constexpr bool element_wise = true;
        static constexpr Through through = Through::derivative;
        static constexpr Names settings{};
    };

    struct Sigmoids {
        V s, reflected; // σ(z), σ(−z)
        V e;            // e^{−|z|}
    };

    // From e^{−|z|}, which cannot overflow.
    CHAINRULE_INLINE Sigmoids sigmoids(V z) {
        const V e = F::exp(-S::abs(z));
        const V large = T(1) / (T(1) + e), small = e * large;
        return {S::select(z < T(0), small, large), S::select(z < T(0), large, small), e};
    }

    // Σ cₙ Tₙ(t) by Clenshaw's recurrence, with the coefficients of
    // chainrule.equations.activations.gelu.
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

    CHAINRULE_INLINE Pair exponential_linear(V z, T alpha, T scale) {
        const V e = F::expm1_negative(S::select(z < T(0), z, V{})) * alpha;
        return {S::select(z < T(0), e, z) * scale,
                S::select(z > T(0), S::splat(T(1)), e + alpha) * scale};
    }

    // AC1
    struct Identity : ElementWise {
        static constexpr const char *name = "identity";
        static constexpr Through through = Through::unchanged;
        CHAINRULE_INLINE Pair both(V z, const Set &) { return {z, S::splat(T(1))}; }
    };

    // AC2
    struct Sigmoid : ElementWise {
        static constexpr const char *name = "sigmoid";
        CHAINRULE_INLINE Pair both(V z, const Set &) {
            const Sigmoids s = sigmoids(z);
            return {s.s, s.s * s.reflected};
        }
    };

    // AC3
    struct Tanh : ElementWise {
        static constexpr const char *name = "tanh";
        CHAINRULE_INLINE Pair both(V z, const Set &) {
            const V t = F::tanh(z);
            return {t, T(1) - t * t};
        }
    };

    // AC4
    struct Relu : ElementWise {
        static constexpr const char *name = "relu";
        static constexpr Through through = Through::rectifier;
        CHAINRULE_INLINE Pair both(V z, const Set &) {
            return {S::select(z < T(0), V{}, z), S::select(z > T(0), S::splat(T(1)), V{})};
        }
    };

    // AC5
    struct LeakyRelu : ElementWise {
        static constexpr const char *name = "leaky_relu";
        static constexpr Names settings{"slope"};
        CHAINRULE_INLINE Pair both(V z, const Set &own) {
            const T slope = own[0];
            return {S::select(z < T(0), z * slope, z),
                    S::select(z > T(0), S::splat(T(1)), S::splat(slope))};
        }
    };

    // AC6
    struct Elu : ElementWise {
        static constexpr const char *name = "elu";
        static constexpr Names settings{"alpha"};
        CHAINRULE_INLINE Pair both(V z, const Set &own) {
            return exponential_linear(z, own[0], T(1));
        }
    };

    // AC7
    struct Selu : ElementWise {
        static constexpr const char *name = "selu";
        CHAINRULE_INLINE Pair both(V z, const Set &) {
            return exponential_linear(z, T(1.6732632423543772), T(1.0507009873554805));
        }
    };

    // AC8
    struct Gelu : ElementWise {
        static constexpr const char *name = "gelu";
        CHAINRULE_INLINE Pair both(V z, const Set &) {
            const V x = S::abs(z) * T(0.70710678118654752440);
            const V density = F::exp(-x * x); // √(2π) φ(z)
            const V series = chebyshev(T(1) - T(7.5) / (x + T(3.75)));
            const V tail = T(0.5) * density / (x + x + T(1)) * series;
            const V distribution = S::select(z < T(0), tail, T(1) - tail);
            return {z * distribution, distribution + z * density * T(0.39894228040143267794)};
        }
    };

    // AC9
    struct Silu : ElementWise {
        static constexpr const char *name = "silu";
        CHAINRULE_INLINE Pair both(V z, const Set &) {
            const Sigmoids s = sigmoids(z);
            return {z * s.s, s.s * (T(1) + z * s.reflected)};
        }
    };

    // AC10: tanh(softplus(z)) from one exponential.
    struct Mish : ElementWise {
        static constexpr const char *name = "mish";
        CHAINRULE_INLINE Pair both(V z, const Set &) {
            const Sigmoids s = sigmoids(z);
            const V square = s.e * s.e;
            const V top = S::select(z < T(0), square + s.e + s.e, T(1) + s.e + s.e);
            const V rest = S::select(z < T(0), S::splat(T(2)), square + square);
            const V t = top / (top + rest);
            return {z * t, t + z * (T(1) - t * t) * s.s};
        }
    };

    // AC14
    struct HardSwish : ElementWise {
        static constexpr const char *name = "hard_swish";
        CHAINRULE_INLINE Pair both(V z, const Set &) {
            const V shifted = z + T(3), cut = S::select(shifted < T(0), V{}, shifted);
            const V gate = S::select(cut > T(6), S::splat(T(6)), cut);
            const V inside = S::select(z > T(3), S::splat(T(1)), (z + z + T(3)) / T(6));
            return {z * (gate / T(6)), S::select(z > T(-3), inside, V{})};
        }
    };

    // AC11
    struct Softplus : ElementWise {
        static constexpr const char *name = "softplus";
        CHAINRULE_INLINE Pair both(V z, const Set &) {
            const Sigmoids s = sigmoids(z);
            return {S::select(z < T(0), V{}, z) + F::log1p_unit(s.e), s.s};
        }
    };

    // AC13
    struct Exponential : ElementWise {
        static constexpr const char *name = "exponential";
        CHAINRULE_INLINE Pair both(V z, const Set &) {
            const V e = F::exp(z);
            return {e, e};
        }
    };

    // AC12, which couples all units of a layer. Each lane is an example, so the sum over units is a
    // plain sum of vectors.
    struct Softmax {
        static constexpr const char *name = "softmax";
        static constexpr bool element_wise = false;
        static constexpr Through through = Through::jacobian;
        static constexpr Names settings{};

        CHAINRULE_INLINE V largest(const T *A, int n, long ld) {
            V largest = S::load(A);
            for (int j = 1; j < n; ++j) {
                const V z = S::load(A + j * ld);
                // A NaN takes precedence, so that it reaches the output.
                largest = S::select((z > largest) | (z != z), z, largest);
            }
            return largest;
        }

        // Softmax of one vector of examples, in place. Exponents are at most 0 after the largest z
        // is subtracted, so nothing overflows.
        CHAINRULE_INLINE void columns(T *A, int n, long ld) {
            const V most = largest(A, n, ld);
            V sum = V{};
            for (int j = 0; j < n; ++j) {
                const V e = F::exp(S::load(A + j * ld) - most);
                S::store(A + j * ld, e);
                sum += e;
            }
            const V scale = T(1) / sum;
            for (int j = 0; j < n; ++j)
                S::store(A + j * ld, S::load(A + j * ld) * scale);
        }

        // BP1s, in place on δ, which holds ∂C/∂A.
        static void error(T *delta, const T *A, int n, long ld, long vectors) {
            for (long v = 0; v < vectors; ++v, delta += S::lanes, A += S::lanes) {
                V dot = V{};
                for (int j = 0; j < n; ++j)
                    dot += S::load(delta + j * ld) * S::load(A + j * ld);
                for (int j = 0; j < n; ++j) {
                    const V g = S::load(delta + j * ld);
                    S::store(delta + j * ld, S::load(A + j * ld) * (g - dot));
                }
            }
        }
    };

    using List = Types<Identity, Sigmoid, Tanh, Relu, LeakyRelu, Elu, Selu, Gelu, Silu, Mish,
                       HardSwish, Softplus, Exponential, Softmax>;

    static Through through(const Choice &chosen) {
        Through way{};
        List::visit(chosen.kind, [&](auto tag) { way = decltype(tag)::Type::through; });
        return way;
    }

    // F2 of one kind over an array: A holds Z and becomes A; D, if not nullptr, becomes σ′(Z).
    template <typename Kind> static void apply_kind(T *A, T *D, long count, Set own) {
        for (long i = 0; i < count; i += S::lanes) {
            const Pair p = Kind::both(S::load(A + i), own);
            S::store(A + i, p.value);
            if (D) S::store(D + i, p.derivative);
        }
    }

    // F2 of n units, for at least `vectors` vectors of examples. Element-wise activations also take
    // the padding: the array is then one contiguous range.
    static void apply(const Choice &chosen, T *A, T *D, long n, long ld, long vectors) {
        List::visit(chosen.kind, [&](auto tag) {
            using Kind = typename decltype(tag)::Type;
            if constexpr (Kind::element_wise) {
                apply_kind<Kind>(A, D, n * ld, Set(chosen));
            } else {
                for (long v = 0; v < vectors; ++v)
                    Kind::columns(A + v * S::lanes, int(n), ld);
            }
        });
    }

    // BP1 of an activation that couples the units of a layer, in place on δ, which holds ∂C/∂A.
    static void error(const Choice &chosen, T *delta, const T *A, long n, long ld, long vectors) {
        List::visit(chosen.kind, [&](auto tag) {
            using Kind = typename decltype(tag)::Type;
            if constexpr (!Kind::element_wise) Kind::error(delta, A, int(n), ld, vectors);
        });
    }
};

} // namespace chainrule::CHAINRULE_ISA
