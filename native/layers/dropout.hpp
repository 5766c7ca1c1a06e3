// Dropout, DO1: A[l] = M ⊙ A[l−1]. The factors M are stored where other kinds store σ′(Z), so
// that the layer above multiplies by them in BP2.
#pragma once

#include "../noise.hpp"
#include "kind.hpp"

namespace chainrule::CHAINRULE_ISA {

template <typename T, int BYTES> struct Dropout : LayerKind<T, BYTES> {
    using C = Context<T, BYTES>;
    using W = Workspace<T, BYTES>;
    using S = Simd<T, BYTES>;

    static constexpr const char *name = "dropout";
    static constexpr Names settings{"rate"};

    static const char *check(const Layer &layer, bool) {
        const double rate = layer.settings[0][0];
        if (!(rate >= 0 && rate < 1)) return "a rate lies in [0, 1)";
        if (layer.n_in != layer.n_out || layer.block_count != 0) return "dropout keeps its units";
        if (Activations<T, BYTES>::through(layer.activation) != Through::unchanged)
            return "dropout has no activation";
        return nullptr;
    }

    static Through through(const Layer &) { return Through::derivative; }

    static void forward(const C &c, int l, const PanelSpan &some) {
        const long n = c.layer(l).n_out, ld = c.ws.ld;
        const double rate = c.layer(l).settings[0][0];
        for (long q = 0; q < some.count; ++q) {
            const long panel = some.first + q;
            const T *below = c.at(panel, c.ws.place[l - 1].A);
            T *A = c.at(panel, c.ws.place[l].A), *M = c.at(panel, c.ws.place[l].D);
            // Outside training steps nothing is dropped: all factors are 1.
            if (!c.stepping) {
                std::memcpy(A, below, sizeof(T) * n * ld);
                if (c.training)
                    for (long i = 0; i < n * ld; ++i)
                        M[i] = T(1);
                continue;
            }
            const std::uint32_t first =
                std::uint32_t(some.before + some.example + q * c.ws.panel_size);
            for (long j = 0; j < n; ++j)
                dropout_factors(some.noise, l, j, first, rate, M + j * ld, ld);
            for (long i = 0; i < n * ld; ++i)
                A[i] = below[i] * M[i];
        }
    }

    static void backward(const C &c, int l, const PanelSpan &some) {
        if (l == 1) return;
        const long ld = c.ws.ld;
        for (long q = 0; q < some.count; ++q) {
            const T *delta = c.at(some.first + q, c.ws.place[l].D);
            c.error_below(l, some, q, [&](long j) {
                return [row = delta + j * ld](long e) { return S::load(row + e); };
            });
        }
    }
};

} // namespace chainrule::CHAINRULE_ISA
