// One register-blocked product for every layer product: C[r, v] = init + Σ_q Σ_p A_q[r, p] · B_q[p,
// v].
//
// A is broadcast, with any strides (so its transpose is free); B's rows are contiguous in v. q runs
// over panels of examples, so that a weight gradient keeps its sums in registers across the batch.
// Every C[r, v] is one chain of additions in the order of q and p, whatever tile it falls in.
#pragma once

#include "simd.hpp"

namespace chainrule::CHAINRULE_ISA {

// What happens to a finished tile.
enum Epilogue {
    store_plain,      // C = sum
    store_biased,     // C = bias + sum: F1, or F1 and F2 of the identity
    store_relu,       // C = relu(bias + sum): F1 and F2
    times_derivative, // C = sum ⊙ C: BP2, C holding σ′(Z)
    relu_masked,      // C = sum where the activation is > 0, else 0: BP2 of relu
};

template <typename T> struct Product {
    const T *A;
    long row_stride, column_stride, panel_stride; // panel_stride: from A_q to A_{q+1}, B alike
    const T *B;
    long ldb;
    long panels, depth, last_depth; // p < depth, in the last panel < last_depth
    T *C;
    long ldc;
    const T *extra; // bias by row, or activations laid out as C
    // 0: A as its strides say. Else A is packed (see Packing): this many rows interleaved.
    long interleaved = 0;

    const T *row(long r) const {
        if (interleaved == 0) return A + r * row_stride;
        return A + (r - r % interleaved) * last_depth + r % interleaved;
    }
};

template <typename T, int BYTES> struct Products : Simd<T, BYTES> {
    using S = Simd<T, BYTES>;
    using typename S::V;
#if CHAINRULE_REGISTERS >= 32
    static constexpr int widest = 4; // vectors a tile
    static constexpr int tallest(int vectors) { return vectors == 4 ? 6 : vectors == 3 ? 8 : 12; }
#else
    static constexpr int widest = 2;
    static constexpr int tallest(int vectors) { return vectors == 2 ? 6 : 8; }
#endif
    static constexpr int chunk = widest * S::lanes; // columns of B that one tile can take

    template <int R, int N, Epilogue E>
    CHAINRULE_INLINE void tile(const Product<T> &p, long r, long v) {
        V sum[R][N];
#pragma GCC unroll 16
        for (int i = 0; i < R; ++i) {
#pragma GCC unroll 4
            for (int j = 0; j < N; ++j) {
                sum[i][j] = (E == store_biased || E == store_relu) ? S::splat(p.extra[r + i]) : V{};
            }
        }
        for (long q = 0; q < p.panels; ++q) {
            const T *a = p.row(r) + q * p.panel_stride;
            const T *b = p.B + q * p.panel_stride + v;
            const long depth = q + 1 < p.panels ? p.depth : p.last_depth;
            for (long k = 0; k < depth; ++k) {
                V row[N];
#pragma GCC unroll 4
                for (int j = 0; j < N; ++j)
                    row[j] = S::load(b + j * S::lanes);
#pragma GCC unroll 16
                for (int i = 0; i < R; ++i) {
                    const V x = S::splat(a[i * p.row_stride]);
#pragma GCC unroll 4
                    for (int j = 0; j < N; ++j)
                        sum[i][j] += x * row[j];
                }
                a += p.column_stride;
                b += p.ldb;
            }
        }
#pragma GCC unroll 16
        for (int i = 0; i < R; ++i) {
            T *c = p.C + (r + i) * p.ldc + v;
#pragma GCC unroll 4
            for (int j = 0; j < N; ++j) {
                V x = sum[i][j];
                if constexpr (E == store_relu) x = S::select(x < T(0), V{}, x);
                if constexpr (E == times_derivative) x *= S::load(c + j * S::lanes);
                if constexpr (E == relu_masked) {
                    const V a = S::load(p.extra + (r + i) * p.ldc + v + j * S::lanes);
                    x = S::select(a > T(0), x, V{});
                }
                S::store(c + j * S::lanes, x);
            }
        }
    }

    template <int N, Epilogue E> static void rows(const Product<T> &p, long r, long end, long v) {
        constexpr int most = tallest(N);
        for (; r + most <= end; r += most)
            tile<most, N, E>(p, r, v);
        if constexpr (most > 8) {
            for (; r + 8 <= end; r += 8)
                tile<8, N, E>(p, r, v);
        }
        for (; r + 4 <= end; r += 4)
            tile<4, N, E>(p, r, v);
        for (; r + 2 <= end; r += 2)
            tile<2, N, E>(p, r, v);
        for (; r < end; ++r)
            tile<1, N, E>(p, r, v);
    }

    // Rows [begin, end) of C, all its `vectors` columns.
    template <Epilogue E> static void run(const Product<T> &p, long begin, long end, long vectors) {
        long v = 0;
        for (; vectors >= widest; vectors -= widest, v += chunk)
            rows<widest, E>(p, begin, end, v);
        if constexpr (widest > 2) {
            if (vectors == 3) rows<3, E>(p, begin, end, v);
            if (vectors == 2) rows<2, E>(p, begin, end, v);
        }
        if (vectors == 1) rows<1, E>(p, begin, end, v);
    }
};

} // namespace chainrule::CHAINRULE_ISA
