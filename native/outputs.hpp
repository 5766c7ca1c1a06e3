// The compiled twins of chainrule.equations.costs and fused: cost and δ[L] of a panel. Examples are
// lanes, so sums over outputs (softmax, the costs) are plain vector sums.
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
        const DenseLayer &layer = net.layers[net.count - 1];
        const int n = layer.n_out, kind = layer.activation;
        const bool fused = net.fused && ((kind == softmax && net.cost == cross_entropy) ||
                                         (kind == sigmoid && net.cost == binary_cross_entropy) ||
                                         (kind == exponential && net.cost == poisson) ||
                                         (kind == identity && net.cost == mean_squared_error));
        if (!fused && kind != softmax) {
            // σ′ lands in δ and is multiplied below; without δ there is no use for it.
            Act::apply(kind, A, delta, n * ld, T(layer.parameter));
        }
        for (long v = 0; v < vectors; ++v) {
            T *a = A + v * S::lanes, *d = delta ? delta + v * S::lanes : nullptr;
            const T *y = Y + v * S::lanes;
            V C = V{};
            if (fused && kind == softmax) { // FU1
                V total;
                C = fused_softmax(a, y, n, ld, total);
                if (d) {
                    const V s = S::load(scale + v * S::lanes);
                    for (int j = 0; j < n; ++j) {
                        const V e = S::load(a + j * ld) * total - S::load(y + j * ld);
                        S::store(d + j * ld, S::select(s == T(0), V{}, e * s));
                    }
                }
            } else if (fused && kind == sigmoid) { // FU2
                const V s = d ? S::load(scale + v * S::lanes) : V{};
                for (int j = 0; j < n; ++j) {
                    const V z = S::load(a + j * ld), t = S::load(y + j * ld);
                    const typename Act::Sigmoids g = Act::sigmoids(z);
                    const V tail = F::log1p_unit(g.e);
                    C += t * (tail + S::select(z < T(0), -z, V{})) +
                         (T(1) - t) * (tail + S::select(z < T(0), V{}, z));
                    S::store(a + j * ld, g.s);
                    if (d) S::store(d + j * ld, S::select(s == T(0), V{}, (g.s - t) * s));
                }
            } else if (fused && kind == exponential) { // FU6
                const V s = d ? S::load(scale + v * S::lanes) : V{};
                for (int j = 0; j < n; ++j) {
                    const V z = S::load(a + j * ld), t = S::load(y + j * ld), e = F::exp(z);
                    C += times_own_logarithm(t) - t * z - t + e;
                    S::store(a + j * ld, e);
                    if (d) S::store(d + j * ld, S::select(s == T(0), V{}, (e - t) * s));
                }
            } else {
                C = long_way(net, kind, a, y, d, n, ld, fused);
                if (d) {
                    const V s = S::load(scale + v * S::lanes);
                    for (int j = 0; j < n; ++j) {
                        const V e = S::load(d + j * ld);
                        S::store(d + j * ld, S::select(s == T(0), V{}, e * s));
                    }
                }
            }
            S::store(costs + v * S::lanes, C);
        }
    }

  private:
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

    // C1 to C3 and C10 from A, ∇ₐC, and BP1 or BP1s.
    CHAINRULE_INLINE V long_way(const Network &net, int kind, T *a, const T *y, T *d, int n,
                                long ld, bool fused) {
        if (kind == softmax) softmax_columns(a, n, ld);
        V C = V{};
        for (int j = 0; j < n; ++j) {
            const V x = S::load(a + j * ld), t = S::load(y + j * ld);
            V g;
            if (net.cost == mean_squared_error) { // C1
                g = x - t;
                C += T(0.5) * (g * g);
            } else if (net.cost == binary_cross_entropy) { // C2
                const V p = positive(x), r = positive(T(1) - x);
                C -= t * F::log(p) + (T(1) - t) * F::log(r);
                g = (T(1) - t) / r - t / p;
            } else if (net.cost == poisson) { // C10
                const V p = positive(x);
                C += times_own_logarithm(t) - t * F::log(p) - t + x;
                g = T(1) - t / p;
            } else { // C3
                const V p = positive(x);
                C -= t * F::log(p);
                g = -t / p;
            }
            // BP1 (σ′ is in d already); the identity's fused form FU3 is g itself.
            if (d) S::store(d + j * ld, kind == softmax || fused ? g : g * S::load(d + j * ld));
        }
        if (d && kind == softmax) softmax_error(d, a, n, ld, 1);
        return C;
    }
};

} // namespace chainrule::CHAINRULE_ISA
