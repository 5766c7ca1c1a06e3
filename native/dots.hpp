// Weight gradients from two arrays that both have examples side by side: C[r, k] = Σ_q Σ_e
// D_q[r, e] · A_q[k, e], q over panels of examples. No transpose is needed, but each C[r, k] ends
// in a sum over lanes: this is faster if a layer is narrow or a batch long.
//
// The order of summation of each C[r, k] does not depend on the tile that it falls in.
#pragma once

#include "transpose.hpp"

namespace chainrule::CHAINRULE_ISA {

template <typename T> struct Dot {
    const T *D, *A;
    long ld;                    // elements from a row of D or A to the next
    long panels;                // panels of examples
    long panel_stride;          // elements from a panel to the next
    long vectors, last_vectors; // vectors per row (in the last panel); D is padded with zeros
    T *C;
    long ldc;
};

template <typename T, int BYTES> struct Dots : Simd<T, BYTES> {
    using S = Simd<T, BYTES>;
    using typename S::V;
#if CHAINRULE_REGISTERS >= 32
    static constexpr int tallest = 4;
    static constexpr int widest(int rows) { return rows <= 2 ? 12 : rows == 3 ? 8 : 6; }
#else
    static constexpr int tallest = 2;
    static constexpr int widest(int rows) { return rows == 1 ? 6 : 4; }
#endif

    // Whether this is faster for the weights of a layer. Costs are in units of half a cycle: a
    // transpose takes about four per vector, and a sum over lanes ten.
    static constexpr bool pays(long n_in, long n_out, long batch, bool inputs) {
        const long lanes = S::lanes, vectors = (batch + lanes - 1) / lanes;
        const long turning = inputs ? 0 : 8 * n_in * vectors;
        const long turned = turning + n_out * batch * ((n_in + lanes - 1) / lanes);
        return n_in * n_out * (vectors + 10) < turned;
    }

    // Rows [0, rows) and columns [0, columns) of C.
    static void run(const Dot<T> &dot, long rows, long columns) {
        long r = 0;
        for (; r + tallest <= rows; r += tallest)
            band<tallest>(dot, r, columns);
        if constexpr (tallest > 2) {
            if (rows - r == 3) return band<3>(dot, r, columns);
            if (rows - r == 2) return band<2>(dot, r, columns);
        }
        if (rows - r == 1) band<1>(dot, r, columns);
    }

  private:
    template <int R> static void band(const Dot<T> &dot, long r, long columns) {
        constexpr int most = widest(R);
        long k = 0;
        for (; k + most <= columns; k += most)
            tile<R, most>(dot, r, k);
        if constexpr (most > 8) {
            for (; k + 8 <= columns; k += 8)
                tile<R, 8>(dot, r, k);
        }
        if constexpr (most > 4) {
            for (; k + 4 <= columns; k += 4)
                tile<R, 4>(dot, r, k);
        }
        for (; k + 2 <= columns; k += 2)
            tile<R, 2>(dot, r, k);
        for (; k < columns; ++k)
            tile<R, 1>(dot, r, k);
    }

    template <int R, int K> CHAINRULE_INLINE void tile(const Dot<T> &dot, long r, long k) {
        V sum[R][K];
#pragma GCC unroll 4
        for (int i = 0; i < R; ++i) {
#pragma GCC unroll 12
            for (int j = 0; j < K; ++j)
                sum[i][j] = V{};
        }
        for (long q = 0; q < dot.panels; ++q) {
            const T *d = dot.D + q * dot.panel_stride + r * dot.ld;
            const T *a = dot.A + q * dot.panel_stride + k * dot.ld;
            const long vectors = q + 1 < dot.panels ? dot.vectors : dot.last_vectors;
            for (long v = 0; v < vectors; ++v, d += S::lanes, a += S::lanes) {
                V error[R];
#pragma GCC unroll 4
                for (int i = 0; i < R; ++i)
                    error[i] = S::load(d + i * dot.ld);
#pragma GCC unroll 12
                for (int j = 0; j < K; ++j) {
                    const V x = S::load(a + j * dot.ld);
#pragma GCC unroll 4
                    for (int i = 0; i < R; ++i)
                        sum[i][j] += error[i] * x;
                }
            }
        }
        V of[R * K];
#pragma GCC unroll 4
        for (int i = 0; i < R; ++i) {
#pragma GCC unroll 12
            for (int j = 0; j < K; ++j)
                of[i * K + j] = sum[i][j];
        }
        add_lanes<R, K>(of, dot.C + r * dot.ldc + k, dot.ldc);
    }

    // Sums over lanes of as many vectors at a time as a vector has lanes, by halves as in
    // Simd::sum.
    template <int R, int K> CHAINRULE_INLINE void add_lanes(const V (&of)[R * K], T *C, long ldc) {
#pragma GCC unroll 24
        for (int first = 0; first < R * K; first += S::lanes) {
            V x[S::lanes];
#pragma GCC unroll 16
            for (int i = 0; i < S::lanes; ++i)
                x[i] = first + i < R * K ? of[first + i] : V{};
            const V sums = Transpose<T, BYTES>::sums(x);
#pragma GCC unroll 16
            for (int i = 0; i < S::lanes; ++i) {
                const int at = first + i;
                if (at < R * K) C[at / K * ldc + at % K] = sums[i];
            }
        }
    }
};

} // namespace chainrule::CHAINRULE_ISA
