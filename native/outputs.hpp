// The compiled twins of chainrule.equations' costs, robust_costs, focal and fused: cost and δ[L] of
// a panel. Examples are lanes, so sums over outputs (softmax, the costs) are plain vector sums.
#pragma once

#include "activations.hpp"

namespace chainrule::CHAINRULE_ISA {

template <typename T, int BYTES> struct Outputs : Functions<T, BYTES> {
    using F = Functions<T, BYTES>;
    using S = Simd<T, BYTES>;
    using Act = Activations<T, BYTES>;
    using typename S::V;

    CHAINRULE_INLINE V column_maximum(const T *A, int n, long ld) {
        V largest = S::load(A);
        for (int j = 1; j < n; ++j) {
            const V z = S::load(A + j * ld);
            largest = S::select((z > largest) | (z != z), z, largest); // a NaN wins, as it should
        }
        return largest;
    }

    // AC12 over one vector of examples, in place.
    CHAINRULE_INLINE void softmax_columns(T *A, int n, long ld) {
        const V largest = column_maximum(A, n, ld);
        V sum = V{};
        for (int j = 0; j < n; ++j) {
            const V e = F::exp(S::load(A + j * ld) - largest);
            S::store(A + j * ld, e);
            sum += e;
        }
        const V scale = T(1) / sum;
        for (int j = 0; j < n; ++j)
            S::store(A + j * ld, S::load(A + j * ld) * scale);
    }

    // BP1s, in place on δ, which holds ∂C/∂A.
    static void softmax_error(T *delta, const T *A, int n, long ld, long vectors) {
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

    CHAINRULE_INLINE V positive(V a) {
        const T smallest = F::single ? T(1.17549435e-38) : T(2.2250738585072014e-308);
        return S::select(a < smallest, S::splat(smallest), a);
    }

    // A holds Z[L] and becomes A[L]; delta, where wanted, becomes δ[L] times `scale` (the weight of
    // each example in the mean; 0 in the lanes that pad); costs gets C of each example.
    static void run(const Network &net, T *A, const T *Y, T *delta, const T *scale, T *costs,
                    long ld, long vectors) {
        if (net.heads == 0) {
            const Layer &layer = net.layers[net.count - 1];
            const Head all{layer.n_out, layer.activation,   layer.parameter,
                           net.cost,    net.cost_parameter, 1};
            return run_head<false>(all, net.fused, A, Y, delta, scale, costs, ld, vectors);
        }
        for (long v = 0; v < vectors; ++v)
            S::store(costs + v * S::lanes, V{});
        for (int h = 0; h < net.heads; ++h) { // HD1 to HD3
            const Head &head = net.head[h];
            run_head<true>(head, net.fused, A, Y, delta, scale, costs, ld, vectors);
            A += head.units * ld;
            Y += head.units * ld;
            if (delta) delta += head.units * ld;
        }
    }

    // A[L] from Z[L], for a prediction.
    static void activate(const Network &net, T *A, long ld, long count) {
        const Layer &layer = net.layers[net.count - 1];
        const Head all{layer.n_out, layer.activation, layer.parameter, 0, 0, 1};
        const Head *head = net.heads ? net.head : &all;
        for (int h = 0; h < (net.heads ? net.heads : 1); A += head[h].units * ld, ++h) {
            if (head[h].activation == softmax) {
                for (long e = 0; e < count; e += S::lanes)
                    softmax_columns(A + e, head[h].units, ld);
            } else {
                Act::apply(head[h].activation, A, nullptr, head[h].units * ld,
                           T(head[h].parameter));
            }
        }
    }

  private:
    // PART: one head of several, whose cost is added by its weight, and whose δ has that weight.
    template <bool PART>
    static void run_head(const Head &head, bool may_fuse, T *A, const T *Y, T *delta,
                         const T *scale, T *costs, long ld, long vectors) {
        const int n = head.units, kind = head.activation;
        const bool fused = may_fuse && is_pair(kind, head.cost);
        const T weight = PART ? T(head.weight) : T(1);
        const auto share = [&](long v) {
            const V s = S::load(scale + v * S::lanes);
            return PART ? s * weight : s;
        };
        if (!fused && kind != softmax) {
            // σ′ lands in δ and is multiplied below; without δ there is no use for it.
            Act::apply(kind, A, delta, n * ld, T(head.parameter));
        }
        for (long v = 0; v < vectors; ++v) {
            T *a = A + v * S::lanes, *d = delta ? delta + v * S::lanes : nullptr;
            const T *y = Y + v * S::lanes;
            V C = V{};
            if (fused && head.cost == cross_entropy) { // FU1
                V total;
                C = fused_softmax(a, y, n, ld, total);
                if (d) {
                    const V s = share(v);
                    for (int j = 0; j < n; ++j) {
                        const V e = S::load(a + j * ld) * total - S::load(y + j * ld);
                        S::store(d + j * ld, S::select(s == T(0), V{}, e * s));
                    }
                }
            } else if (fused && head.cost == binary_cross_entropy) { // FU2
                const V s = d ? share(v) : V{};
                for (int j = 0; j < n; ++j) {
                    const V z = S::load(a + j * ld), t = S::load(y + j * ld);
                    const typename Act::Sigmoids g = Act::sigmoids(z);
                    const V tail = F::log1p_unit(g.e);
                    C += t * (tail + S::select(z < T(0), -z, V{})) +
                         (T(1) - t) * (tail + S::select(z < T(0), V{}, z));
                    S::store(a + j * ld, g.s);
                    if (d) S::store(d + j * ld, S::select(s == T(0), V{}, (g.s - t) * s));
                }
            } else if (fused && head.cost == poisson) { // FU6
                const V s = d ? share(v) : V{};
                for (int j = 0; j < n; ++j) {
                    const V z = S::load(a + j * ld), t = S::load(y + j * ld), e = F::exp(z);
                    C += times_own_logarithm(t) - t * z - t + e;
                    S::store(a + j * ld, e);
                    if (d) S::store(d + j * ld, S::select(s == T(0), V{}, (e - t) * s));
                }
            } else {
                const T parameter = T(head.cost_parameter);
                if (fused && head.cost == focal) {
                    C = fused_softmax_focal(a, y, d, n, ld, parameter);
                } else if (fused && head.cost == binary_focal) {
                    C = fused_sigmoid_focal(a, y, d, n, ld, parameter);
                } else {
                    C = long_way(head.cost, parameter, kind, a, y, d, n, ld, fused);
                }
                if (d) {
                    const V s = share(v);
                    for (int j = 0; j < n; ++j) {
                        const V e = S::load(d + j * ld);
                        S::store(d + j * ld, S::select(s == T(0), V{}, e * s));
                    }
                }
            }
            T *const cost = costs + v * S::lanes;
            S::store(cost, PART ? S::load(cost) + weight * C : C);
        }
    }

    // AC12 and the FU1 cost Σ y (log Σ − (z − max)) in one go; total becomes Σ y.
    CHAINRULE_INLINE V fused_softmax(T *a, const T *y, int n, long ld, V &total) {
        const V largest = column_maximum(a, n, ld);
        V sum = V{}, weighted = V{};
        total = V{};
        for (int j = 0; j < n; ++j) {
            const V shifted = S::load(a + j * ld) - largest, t = S::load(y + j * ld);
            const V e = F::exp(shifted);
            weighted += S::select(t == T(0), V{}, t * shifted);
            total += t;
            sum += e;
            S::store(a + j * ld, e);
        }
        const V scale = T(1) / sum, log_sum = F::log(sum);
        for (int j = 0; j < n; ++j)
            S::store(a + j * ld, S::load(a + j * ld) * scale);
        return total * log_sum - weighted;
    }

    // y log y, 0 at y = 0: its limit.
    CHAINRULE_INLINE V times_own_logarithm(V y) {
        return y * F::log(S::select(y > T(0), y, S::splat(T(1))));
    }

    static bool is_pair(int activation, int cost) {
        return (activation == softmax && (cost == cross_entropy || cost == focal)) ||
               (activation == sigmoid && (cost == binary_cross_entropy || cost == binary_focal)) ||
               (activation == exponential && cost == poisson) ||
               (activation == identity && cost == mean_squared_error);
    }

    // x^γ for x > 0, within 3 + γ |log x| ulp: for probabilities, whose powers are at most 1.
    CHAINRULE_INLINE V power(V x, T gamma) { return F::exp(gamma * F::log(x)); }

    // f(p) = −(1 − p)^γ log p of C8 and C9, and p f′(p).
    struct Focal {
        V cost, scaled_slope;
    };
    CHAINRULE_INLINE Focal focal_term(V p, V rest, V log_p, T gamma) {
        const V r = positive(rest), weight = power(r, gamma);
        return {-weight * log_p, gamma * (weight / r) * (p * log_p) - weight};
    }

    // AC12, and the FU4 cost Σ y (1 − a)^γ (log Σ − (z − max)) with δ = h − a Σ h, h = y a f′(a).
    CHAINRULE_INLINE V fused_softmax_focal(T *a, const T *y, T *d, int n, long ld, T gamma) {
        const V largest = column_maximum(a, n, ld);
        V sum = V{}, C = V{}, total = V{};
        for (int j = 0; j < n; ++j)
            sum += F::exp(S::load(a + j * ld) - largest);
        const V scale = T(1) / sum, log_sum = F::log(sum);
        for (int j = 0; j < n; ++j) {
            const V shifted = S::load(a + j * ld) - largest, t = S::load(y + j * ld);
            const V p = F::exp(shifted) * scale;
            const Focal f = focal_term(p, T(1) - p, shifted - log_sum, gamma);
            const V h = S::select(t == T(0), V{}, t * f.scaled_slope);
            C += S::select(t == T(0), V{}, t * f.cost);
            total += h;
            S::store(a + j * ld, p);
            if (d) S::store(d + j * ld, h);
        }
        C = S::select(sum == sum, C, sum); // NaN where an output is, whatever its target
        for (int j = 0; d && j < n; ++j)
            S::store(d + j * ld, S::load(d + j * ld) - S::load(a + j * ld) * total);
        return C;
    }

    // AC2, the FU5 cost from Z, and δ = y (1 − a) a f′(a) − (1 − y) a (1 − a) f′(1 − a).
    CHAINRULE_INLINE V fused_sigmoid_focal(T *a, const T *y, T *d, int n, long ld, T gamma) {
        V C = V{};
        for (int j = 0; j < n; ++j) {
            const V z = S::load(a + j * ld), t = S::load(y + j * ld);
            const typename Act::Sigmoids g = Act::sigmoids(z);
            const V tail = F::log1p_unit(g.e);
            const V log_p = -(tail + S::select(z < T(0), -z, V{}));
            const V log_rest = -(tail + S::select(z < T(0), V{}, z));
            const Focal up = focal_term(g.s, g.reflected, log_p, gamma);
            const Focal down = focal_term(g.reflected, g.s, log_rest, gamma);
            C += t * up.cost + (T(1) - t) * down.cost;
            S::store(a + j * ld, g.s);
            if (d) {
                S::store(d + j * ld,
                         t * g.reflected * up.scaled_slope - (T(1) - t) * g.s * down.scaled_slope);
            }
        }
        return C;
    }

    // log cosh e: ½ log(1 + sinh² e) next to 0, where nothing may cancel, else from e^{−2|e|} − 1.
    CHAINRULE_INLINE V log_cosh_of(V e) {
        const V r = S::abs(e), q = F::expm1_negative(T(-2) * r);
        const typename S::M near = r < T(0.875);
        const V square = S::select(near, q * q / (T(4) * (T(1) + q)), V{}); // sinh² r
        return S::select(near, T(0.5) * F::log1p_unit(square), r + F::twice_atanh(q / (q + T(4))));
    }

    struct Pair {
        V cost, gradient;
    };

    // C1 to C10 of one output and their ∂C/∂a.
    CHAINRULE_INLINE Pair pair_of(int cost, T parameter, V x, V t) {
        const V e = x - t;
        if (cost == mean_squared_error) { // C1
            return {T(0.5) * (e * e), e};
        } else if (cost == binary_cross_entropy) { // C2
            const V p = positive(x), r = positive(T(1) - x);
            return {-(t * F::log(p) + (T(1) - t) * F::log(r)), (T(1) - t) / r - t / p};
        } else if (cost == cross_entropy) { // C3
            const V p = positive(x);
            return {-(t * F::log(p)), -t / p};
        } else if (cost == poisson) { // C10
            return {times_own_logarithm(t) - t * F::log(positive(x)) - t + x,
                    T(1) - t / positive(x)};
        } else if (cost == absolute_error) { // C4
            return {S::abs(e), S::sign(e)};
        } else if (cost == huber) { // C5
            const V r = S::abs(e), d = S::splat(parameter);
            const V inner = S::select(r > d, d, r);
            return {inner * (r - T(0.5) * inner), S::select(e > d, d, S::select(e < -d, -d, e))};
        } else if (cost == quantile) { // C6
            const V slope = S::select(e > T(0), S::splat(T(1) - parameter), S::splat(parameter));
            return {slope * S::abs(e), S::sign(e) * slope};
        } else if (cost == log_cosh) { // C7
            return {log_cosh_of(e), F::tanh(e)};
        } else { // C8, C9
            const V rest = T(1) - x, p = positive(x), r = positive(rest);
            const Focal up = focal_term(x, rest, F::log(p), parameter);
            if (cost == focal) return {t * up.cost, t * up.scaled_slope / p};
            const Focal down = focal_term(rest, x, F::log(r), parameter);
            return {t * up.cost + (T(1) - t) * down.cost,
                    t * up.scaled_slope / p - (T(1) - t) * down.scaled_slope / r};
        }
    }

    // A cost from A, ∇ₐC, and BP1 or BP1s.
    CHAINRULE_INLINE V long_way(int cost, T parameter, int kind, T *a, const T *y, T *d, int n,
                                long ld, bool fused) {
        if (kind == softmax) softmax_columns(a, n, ld);
        V C = V{};
        for (int j = 0; j < n; ++j) {
            const Pair c = pair_of(cost, parameter, S::load(a + j * ld), S::load(y + j * ld));
            C += c.cost;
            // BP1 (σ′ is in d already); the identity's fused form FU3 is g itself.
            if (d) {
                S::store(d + j * ld,
                         kind == softmax || fused ? c.gradient : c.gradient * S::load(d + j * ld));
            }
        }
        if (d && kind == softmax) softmax_error(d, a, n, ld, 1);
        return C;
    }
};

} // namespace chainrule::CHAINRULE_ISA
