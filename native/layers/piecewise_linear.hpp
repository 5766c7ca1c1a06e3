// Piecewise-linear embeddings, PL1: the units below, followed by one unit for each bin.
#pragma once

#include "kind.hpp"

namespace chainrule::CHAINRULE_ISA {

template <typename T, int BYTES> struct PiecewiseLinear : LayerKind<T, BYTES> {
    using C = Context<T, BYTES>;
    using S = Simd<T, BYTES>;
    using V = typename S::V;

    static constexpr const char *name = "piecewise_linear_embedding";
    static constexpr Names settings{"columns", "lower", "width"}; // of each bin
    static constexpr bool lists = true;

    enum Setting { columns, lower, width };
    static long column(const Layer &layer, long bin) {
        return long(layer.settings[columns][int(bin)]);
    }

    static const char *check(const Layer &layer, bool) {
        const Values *own = layer.settings;
        const int bins = own[columns].count;
        if (Activations<T, BYTES>::through(layer.activation) != Through::unchanged)
            return "bins have no activation";
        if (layer.block_count || layer.n_out != layer.n_in + bins || own[lower].count != bins ||
            own[width].count != bins)
            return "bins are units beside those below";
        for (int k = 0; k < bins; ++k) {
            const double j = own[columns][k];
            if (!(j >= 0 && j < layer.n_in && j == __builtin_trunc(j) && own[width][k] > 0))
                return "a bin has a unit below and a width";
        }
        return nullptr;
    }

    // PL1
    static void forward(const C &c, int l, const PanelSpan &some) {
        const Layer &layer = c.layer(l);
        const long n = layer.n_in, bins = layer.n_out - n, ld = c.ws.ld;
        for (long q = 0; q < some.count; ++q) {
            const T *below = c.at(some.first + q, c.ws.place[l - 1].A);
            T *A = c.at(some.first + q, c.ws.place[l].A);
            std::memcpy(A, below, sizeof(T) * n * ld);
            A += n * ld;
            for (long k = 0; k < bins; ++k, A += ld) {
                const T *x = below + column(layer, k) * ld;
                const V low = S::splat(T(layer.settings[lower][int(k)]));
                const V wide = S::splat(T(layer.settings[width][int(k)]));
                for (long e = 0; e < ld; e += S::lanes) {
                    V part = (S::load(x + e) - low) / wide;
                    part = S::select(part < T(0), V{}, part);
                    S::store(A + e, S::select(part > T(1), S::splat(T(1)), part));
                }
            }
        }
    }

    // PL1's derivative, and δ of the unchanged units.
    static void backward(const C &c, int l, const PanelSpan &some) {
        if (l == 1) return;
        const Layer &layer = c.layer(l);
        const long n = layer.n_in, bins = layer.n_out - n, ld = c.ws.ld;
        for (long q = 0; q < some.count; ++q) {
            const T *delta = c.at(some.first + q, c.ws.place[l].D);
            const T *A = c.at(some.first + q, c.ws.place[l].A);
            c.error_below(l, some, q, [&](long j) {
                return [&, j](long e) {
                    V sum = S::load(delta + j * ld + e);
                    for (long k = 0; k < bins; ++k) {
                        if (column(layer, k) != j) continue;
                        const long at = (n + k) * ld + e;
                        const V part = S::load(A + at);
                        const V term =
                            S::load(delta + at) / S::splat(T(layer.settings[width][int(k)]));
                        sum += S::select(part > T(0), S::select(part < T(1), term, V{}), V{});
                    }
                    return sum;
                };
            });
        }
    }
};

} // namespace chainrule::CHAINRULE_ISA
