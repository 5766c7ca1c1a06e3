// The compiled twins of chainrule.equations' costs, robust_costs, focal, counts and fused: one
// struct per cost, and the list of the structs. A cost whose δ simplifies with a certain output
// activation, its partner, also has a fused form.
#pragma once

#include "activations.hpp"

namespace chainrule::CHAINRULE_ISA {

template <typename T, int BYTES> struct Costs : Functions<T, BYTES> {
    using F = Functions<T, BYTES>;
    using S = Simd<T, BYTES>;
    using Act = Activations<T, BYTES>;
    using typename S::V;
    using Set = Settings<T>;

    // C of one output, and ∂C/∂a.
    struct Pair {
        V cost, gradient;
    };

    // The destination of δ[L] for one vector of examples; false if δ is not needed. Errors are
    // multiplied by each example's share of the mean, which is 0 in padding lanes.
    struct Delta {
        T *to;
        V share;
        long ld;
        explicit operator bool() const { return to != nullptr; }
        // Always inlined, because its arguments are vectors. The selection keeps NaN and infinity
        // in padding lanes out of δ: multiplied by a share of 0, they would give NaN.
        __attribute__((always_inline)) void put(int j, V error) const {
            S::store(to + j * ld, S::select(share == T(0), V{}, error * share));
        }
    };

    // A cost that has no fused form.
    struct Cost {
        using Partner = void;
        static constexpr Names settings{};
    };

    // At least the smallest normal number: its logarithm and its reciprocal are finite.
    CHAINRULE_INLINE V positive(V a) {
        const T smallest = F::single ? T(1.17549435e-38) : T(2.2250738585072014e-308);
        return S::select(a < smallest, S::splat(smallest), a);
    }

    // C1; FU3: δ is ∇ₐC itself.
    struct MeanSquaredError : Cost {
        static constexpr const char *name = "mse";
        using Partner = typename Act::Identity;
        CHAINRULE_INLINE Pair of(V a, V y, const Set &) {
            const V e = a - y;
            return {T(0.5) * (e * e), e};
        }
        CHAINRULE_INLINE V fused(T *a, const T *y, const Delta &delta, int n, long ld,
                                 const Set &own) {
            V C = V{};
            for (int j = 0; j < n; ++j) {
                const Pair c = of(S::load(a + j * ld), S::load(y + j * ld), own);
                C += c.cost;
                if (delta) delta.put(j, c.gradient);
            }
            return C;
        }
    };

    // C2, FU2
    struct BinaryCrossEntropy : Cost {
        static constexpr const char *name = "binary_cross_entropy";
        using Partner = typename Act::Sigmoid;
        CHAINRULE_INLINE Pair of(V a, V y, const Set &) {
            const V p = positive(a), r = positive(T(1) - a);
            return {-(y * F::log(p) + (T(1) - y) * F::log(r)), (T(1) - y) / r - y / p};
        }
        CHAINRULE_INLINE V fused(T *a, const T *y, const Delta &delta, int n, long ld,
                                 const Set &) {
            V C = V{};
            for (int j = 0; j < n; ++j) {
                const V z = S::load(a + j * ld), t = S::load(y + j * ld);
                const typename Act::Sigmoids g = Act::sigmoids(z);
                const V tail = F::log1p_unit(g.e);
                // −log σ(z) = log(1 + e^{−|z|}) + max(−z, 0), accurate even where σ(z) rounds to 0.
                C += t * (tail + S::select(z < T(0), -z, V{})) +
                     (T(1) - t) * (tail + S::select(z < T(0), V{}, z));
                S::store(a + j * ld, g.s);
                if (delta) delta.put(j, g.s - t);
            }
            return C;
        }
    };

    // C3; AC12 and the FU1 cost Σ y (log Σ − (z − max)) in one function.
    struct CrossEntropy : Cost {
        static constexpr const char *name = "cross_entropy";
        using Partner = typename Act::Softmax;
        CHAINRULE_INLINE Pair of(V a, V y, const Set &) {
            const V p = positive(a);
            return {-(y * F::log(p)), -y / p};
        }
        CHAINRULE_INLINE V fused(T *a, const T *y, const Delta &delta, int n, long ld,
                                 const Set &) {
            const V largest = Partner::largest(a, n, ld);
            V sum = V{}, weighted = V{}, total = V{};
            for (int j = 0; j < n; ++j) {
                const V shifted = S::load(a + j * ld) - largest, t = S::load(y + j * ld);
                const V e = F::exp(shifted);
                // A target of 0 adds 0 even where z − max is −∞.
                weighted += S::select(t == T(0), V{}, t * shifted);
                total += t;
                sum += e;
                S::store(a + j * ld, e);
            }
            const V scale = T(1) / sum, log_sum = F::log(sum);
            for (int j = 0; j < n; ++j)
                S::store(a + j * ld, S::load(a + j * ld) * scale);
            for (int j = 0; delta && j < n; ++j)
                delta.put(j, S::load(a + j * ld) * total - S::load(y + j * ld));
            return total * log_sum - weighted;
        }
    };

    // C4
    struct AbsoluteError : Cost {
        static constexpr const char *name = "absolute_error";
        CHAINRULE_INLINE Pair of(V a, V y, const Set &) {
            const V e = a - y;
            return {S::abs(e), S::sign(e)};
        }
    };

    // C5
    struct Huber : Cost {
        static constexpr const char *name = "huber";
        static constexpr Names settings{"delta"};
        CHAINRULE_INLINE Pair of(V a, V y, const Set &own) {
            const V e = a - y, r = S::abs(e), d = S::splat(own[0]);
            const V inner = S::select(r > d, d, r);
            return {inner * (r - T(0.5) * inner), S::select(e > d, d, S::select(e < -d, -d, e))};
        }
    };

    // C6
    struct Quantile : Cost {
        static constexpr const char *name = "quantile";
        static constexpr Names settings{"quantile"};
        CHAINRULE_INLINE Pair of(V a, V y, const Set &own) {
            const V e = a - y;
            const V slope = S::select(e > T(0), S::splat(T(1) - own[0]), S::splat(own[0]));
            return {slope * S::abs(e), S::sign(e) * slope};
        }
    };

    // C7
    struct LogCosh : Cost {
        static constexpr const char *name = "log_cosh";
        // Near 0, ½ log(1 + sinh² e), which avoids cancellation; elsewhere from e^{−2|e|} − 1.
        CHAINRULE_INLINE V value(V e) {
            const V r = S::abs(e), q = F::expm1_negative(T(-2) * r);
            const typename S::M near = r < T(0.875);
            const V square = S::select(near, q * q / (T(4) * (T(1) + q)), V{}); // sinh² r
            return S::select(near, T(0.5) * F::log1p_unit(square),
                             r + F::twice_atanh(q / (q + T(4))));
        }
        CHAINRULE_INLINE Pair of(V a, V y, const Set &) {
            const V e = a - y;
            return {value(e), F::tanh(e)};
        }
    };

    // f(p) = −(1 − p)^γ log p of C8 and C9, and p f′(p).
    struct FocalTerm {
        V cost, scaled_slope;
    };
    CHAINRULE_INLINE FocalTerm focal_term(V p, V rest, V log_p, T gamma) {
        // x^γ for x > 0, within 3 + γ |log x| ulp. Only for probabilities, whose powers are at
        // most 1.
        const V r = positive(rest), weight = F::exp(gamma * F::log(r));
        return {-weight * log_p, gamma * (weight / r) * (p * log_p) - weight};
    }

    // C8; AC2, the FU5 cost from Z, and δ = y (1 − a) a f′(a) − (1 − y) a (1 − a) f′(1 − a).
    struct BinaryFocal : Cost {
        static constexpr const char *name = "binary_focal";
        static constexpr Names settings{"gamma"};
        using Partner = typename Act::Sigmoid;
        CHAINRULE_INLINE Pair of(V a, V y, const Set &own) {
            const V rest = T(1) - a, p = positive(a), r = positive(rest);
            const FocalTerm up = focal_term(a, rest, F::log(p), own[0]);
            const FocalTerm down = focal_term(rest, a, F::log(r), own[0]);
            return {y * up.cost + (T(1) - y) * down.cost,
                    y * up.scaled_slope / p - (T(1) - y) * down.scaled_slope / r};
        }
        CHAINRULE_INLINE V fused(T *a, const T *y, const Delta &delta, int n, long ld,
                                 const Set &own) {
            V C = V{};
            for (int j = 0; j < n; ++j) {
                const V z = S::load(a + j * ld), t = S::load(y + j * ld);
                const typename Act::Sigmoids g = Act::sigmoids(z);
                const V tail = F::log1p_unit(g.e);
                const V log_p = -(tail + S::select(z < T(0), -z, V{}));
                const V log_rest = -(tail + S::select(z < T(0), V{}, z));
                const FocalTerm up = focal_term(g.s, g.reflected, log_p, own[0]);
                const FocalTerm down = focal_term(g.reflected, g.s, log_rest, own[0]);
                C += t * up.cost + (T(1) - t) * down.cost;
                S::store(a + j * ld, g.s);
                if (delta)
                    delta.put(j, t * g.reflected * up.scaled_slope -
                                     (T(1) - t) * g.s * down.scaled_slope);
            }
            return C;
        }
    };

    // C9; AC12, and the FU4 cost Σ y (1 − a)^γ (log Σ − (z − max)) with δ = h − a Σ h, h = y a
    // f′(a).
    struct Focal : Cost {
        static constexpr const char *name = "focal";
        static constexpr Names settings{"gamma"};
        using Partner = typename Act::Softmax;
        CHAINRULE_INLINE Pair of(V a, V y, const Set &own) {
            const V rest = T(1) - a, p = positive(a);
            const FocalTerm up = focal_term(a, rest, F::log(p), own[0]);
            return {y * up.cost, y * up.scaled_slope / p};
        }
        CHAINRULE_INLINE V fused(T *a, const T *y, const Delta &delta, int n, long ld,
                                 const Set &own) {
            const V largest = Partner::largest(a, n, ld);
            V sum = V{}, C = V{}, total = V{};
            for (int j = 0; j < n; ++j)
                sum += F::exp(S::load(a + j * ld) - largest);
            const V scale = T(1) / sum, log_sum = F::log(sum);
            for (int j = 0; j < n; ++j) {
                const V shifted = S::load(a + j * ld) - largest, t = S::load(y + j * ld);
                const V p = F::exp(shifted) * scale;
                const FocalTerm f = focal_term(p, T(1) - p, shifted - log_sum, own[0]);
                const V h = S::select(t == T(0), V{}, t * f.scaled_slope);
                C += S::select(t == T(0), V{}, t * f.cost);
                total += h;
                S::store(a + j * ld, p);
                // δ's memory holds h until Σ h is known.
                if (delta) S::store(delta.to + j * ld, h);
            }
            for (int j = 0; delta && j < n; ++j)
                delta.put(j, S::load(delta.to + j * ld) - S::load(a + j * ld) * total);
            return S::select(sum == sum, C, sum); // a NaN output gives NaN for any target
        }
    };

    // C10, FU6
    struct Poisson : Cost {
        static constexpr const char *name = "poisson";
        using Partner = typename Act::Exponential;
        // y log y; at y = 0 its limit, 0.
        CHAINRULE_INLINE V times_own_logarithm(V y) {
            return y * F::log(S::select(y > T(0), y, S::splat(T(1))));
        }
        CHAINRULE_INLINE Pair of(V a, V y, const Set &) {
            return {times_own_logarithm(y) - y * F::log(positive(a)) - y + a,
                    T(1) - y / positive(a)};
        }
        CHAINRULE_INLINE V fused(T *a, const T *y, const Delta &delta, int n, long ld,
                                 const Set &) {
            V C = V{};
            for (int j = 0; j < n; ++j) {
                const V z = S::load(a + j * ld), t = S::load(y + j * ld), e = F::exp(z);
                C += times_own_logarithm(t) - t * z - t + e;
                S::store(a + j * ld, e);
                if (delta) delta.put(j, e - t);
            }
            return C;
        }
    };

    using List = Types<MeanSquaredError, BinaryCrossEntropy, CrossEntropy, AbsoluteError, Huber,
                       Quantile, LogCosh, BinaryFocal, Focal, Poisson>;
};

} // namespace chainrule::CHAINRULE_ISA
