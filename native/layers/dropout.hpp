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
    using Out = Outputs<T, BYTES>;

    static void forward(const C &c, int l, const Block &b) {
        const long n = c.layer(l).n_out, ld = c.ws.ld;
        const double rate = c.layer(l).parameter;
        for (long q = 0; q < b.panels; ++q) {
            const long panel = b.first + q;
            const T *below = c.at(panel, c.ws.place[l - 1].A);
            T *A = c.at(panel, c.ws.place[l].A), *M = c.at(panel, c.ws.place[l].D);
            if (!b.noise.drawn) {
                std::memcpy(A, below, sizeof(T) * n * ld);
                if (c.training)
                    for (long i = 0; i < n * ld; ++i)
                        M[i] = T(1);
                continue;
            }
            const std::uint32_t first = std::uint32_t(b.example + q * c.ws.panel_size);
            for (long j = 0; j < n; ++j)
                dropout_factors(b.noise.key, l, j, first, rate, M + j * ld, ld);
            for (long i = 0; i < n * ld; ++i)
                A[i] = below[i] * M[i];
        }
    }

    static void backward(const C &c, int l, const Block &b) {
        if (l == 1) return;
        const long n = c.layer(l).n_out, ld = c.ws.ld;
        for (long q = 0; q < b.panels; ++q) {
            const T *delta = c.at(b.first + q, c.ws.place[l].D);
            const T *A = c.at(b.first + q, c.ws.place[l - 1].A);
            T *D = c.at(b.first + q, c.ws.place[l - 1].D);
            const Through through = c.through(l - 1);
            for (long i = 0; i < n * ld; i += S::lanes) {
                typename S::V d = S::load(delta + i);
                if (through == relu_mask) {
                    d = S::select(S::load(A + i) > T(0), d, typename S::V{});
                } else if (through == derivative) {
                    d *= S::load(D + i);
                }
                S::store(D + i, d);
            }
            if (through == softmax_jacobian)
                Out::softmax_error(D, A, n, ld, C::vectors(c.count(b, q)));
        }
    }
};

} // namespace chainrule::CHAINRULE_ISA
