// Dropout, DO1: A[l] = M ⊙ A[l−1]. The factors M stand where other kinds keep σ′(Z), so that the
// layer above multiplies by them as BP2 says.
#pragma once

#include "../noise.hpp"
#include "context.hpp"

namespace chainrule::CHAINRULE_ISA {

template <typename T, int BYTES> struct Dropout {
    using C = Context<T, BYTES>;
    using W = Workspace<T, BYTES>;
    using S = Simd<T, BYTES>;

    static void forward(const C &c, int l, const Block &b) {
        const long n = c.layer(l).n_out, ld = c.ws.ld;
        const double rate = c.layer(l).parameter;
        for (long q = 0; q < b.panels; ++q) {
            const long panel = b.first + q;
            const T *below = c.at(panel, c.ws.place[l - 1].A);
            T *A = c.at(panel, c.ws.place[l].A), *M = c.at(panel, c.ws.place[l].D);
            if (!c.stepping) {
                std::memcpy(A, below, sizeof(T) * n * ld);
                if (c.training)
                    for (long i = 0; i < n * ld; ++i)
                        M[i] = T(1);
                continue;
            }
            const std::uint32_t first = std::uint32_t(b.example + q * c.ws.panel_size);
            for (long j = 0; j < n; ++j)
                dropout_factors(b.noise, l, j, first, rate, M + j * ld, ld);
            for (long i = 0; i < n * ld; ++i)
                A[i] = below[i] * M[i];
        }
    }

    static void backward(const C &c, int l, const Block &b) {
        if (l == 1) return;
        const long ld = c.ws.ld;
        for (long q = 0; q < b.panels; ++q) {
            const T *delta = c.at(b.first + q, c.ws.place[l].D);
            c.error_below(l, b, q, [&](long j) {
                return [row = delta + j * ld](long e) { return S::load(row + e); };
            });
        }
    }
};

} // namespace chainrule::CHAINRULE_ISA
