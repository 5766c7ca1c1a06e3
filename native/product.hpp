// One register-blocked product for every layer product: C[r, v] = init + Σ_q Σ_p A_q[r, p] · B_q[p,
// v].
//
// A is broadcast, with any strides (so its transpose is free); B's rows are contiguous in v. q runs
// over panels of examples, so that a weight gradient keeps its sums in registers across the batch.
// Every C[r, v] is one chain of additions in the order of q and p, whatever tile it falls in and
// however the chain is cut into parts that fit the caches: a part begins with the number that the
// part before it stored.
#pragma once

#include "simd.hpp"

namespace chainrule::CHAINRULE_ISA {

// What happens to a finished tile.
enum Epilogue {
    store_plain,      // C = sum
    store_rectified,  // C = sum where it is > 0, else 0: F1 and F2 of a rectifier
    times_derivative, // C = sum ⊙ C: BP2, C holding σ′(Z)
    rectifier_masked, // C = sum where the activation is > 0, else 0: BP2 of a rectifier
};

template <typename T> struct Product {
    const T *A;
    long row_stride, column_stride, panel_stride; // panel_stride: from A_q to A_{q+1}, B alike
    const T *B;
    long ldb;
    long panels, depth, last_depth; // p < depth, in the last panel < last_depth
    T *C;
    long ldc;
    const T *bias = nullptr;        // by row: where a chain begins; nullptr: at 0
    const T *activations = nullptr; // laid out as C, for rectifier_masked
    // 0: A as its strides say. Else A is packed (packed_at): this many rows interleaved, and so
    // many of them in all.
    long interleaved = 0, packed_rows = 0;
    T *parts = nullptr; // laid out as C: what a chain that goes on later has come to

    const T *row(long r) const {
        if (interleaved == 0) return A + r * row_stride;
        return A + (r - r % interleaved) * last_depth + r % interleaved;
    }
};

// One step of a chain: sum + a · b, rounded once.
template <typename T, int BYTES> struct MultiplyAdd : Simd<T, BYTES> {
    using S = Simd<T, BYTES>;
    using typename S::V;
    CHAINRULE_INLINE V spread(const T *a) { return S::splat(*a); }
    CHAINRULE_INLINE V add(V sum, V a, V b) { return sum + a * b; }
};

// `Arithmetic`: what an entry of A and one of B come to (see bfloat16.hpp for another).
template <typename T, int BYTES, typename Arithmetic = MultiplyAdd<T, BYTES>>
struct Products : Simd<T, BYTES> {
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
    // Rows of B that stay in the first cache (32 KiB of it) while tile after tile reads them, and
    // rows of C whose part of A stays in the second.
    static constexpr long deep = 131072 / (chunk * static_cast<long>(sizeof(T)));
    static constexpr long high = 96;

    // BEGUN: the chains go on from `parts`.
    template <int R, int N, Epilogue E, bool BEGUN>
    CHAINRULE_INLINE void tile(const Product<T> &p, long r, long v) {
        V sum[R][N];
        if constexpr (BEGUN) {
#pragma GCC unroll 16
            for (int i = 0; i < R; ++i) {
#pragma GCC unroll 4
                for (int j = 0; j < N; ++j)
                    sum[i][j] = S::load(p.parts + (r + i) * p.ldc + v + j * S::lanes);
            }
        } else if (p.bias) {
#pragma GCC unroll 16
            for (int i = 0; i < R; ++i) {
#pragma GCC unroll 4
                for (int j = 0; j < N; ++j)
                    sum[i][j] = S::splat(p.bias[r + i]);
            }
        } else {
#pragma GCC unroll 16
            for (int i = 0; i < R; ++i) {
#pragma GCC unroll 4
                for (int j = 0; j < N; ++j)
                    sum[i][j] = V{};
            }
        }
        for (long q = 0; q < p.panels; ++q) {
            // Four rows of A share a pointer: more strides than that would not stay in registers.
            const T *a[(R + 3) / 4];
#pragma GCC unroll 3
            for (int i = 0; i < R; i += 4) {
                a[i / 4] = p.row(r) + q * p.panel_stride + i * p.row_stride;
                S::keep(a[i / 4]);
            }
            const T *b = p.B + q * p.panel_stride + v;
            const long depth = q + 1 < p.panels ? p.depth : p.last_depth;
            for (long k = 0; k < depth; ++k) {
                V row[N];
#pragma GCC unroll 4
                for (int j = 0; j < N; ++j)
                    row[j] = S::load(b + j * S::lanes);
#pragma GCC unroll 16
                for (int i = 0; i < R; ++i) {
                    const V x = Arithmetic::spread(a[i / 4] + i % 4 * p.row_stride);
#pragma GCC unroll 4
                    for (int j = 0; j < N; ++j)
                        sum[i][j] = Arithmetic::add(sum[i][j], x, row[j]);
                }
#pragma GCC unroll 3
                for (int i = 0; i < R; i += 4)
                    a[i / 4] += p.column_stride;
                b += p.ldb;
            }
        }
        finish<R, N, E>(p, r, v, sum);
    }

    template <int R, int N, Epilogue E>
    CHAINRULE_INLINE void finish(const Product<T> &p, long r, long v, V (&sum)[R][N]) {
#pragma GCC unroll 16
        for (int i = 0; i < R; ++i) {
            T *c = p.C + (r + i) * p.ldc + v;
#pragma GCC unroll 4
            for (int j = 0; j < N; ++j) {
                V x = sum[i][j];
                if constexpr (E == store_rectified) x = S::select(x < T(0), V{}, x);
                if constexpr (E == times_derivative) x *= S::load(c + j * S::lanes);
                if constexpr (E == rectifier_masked) {
                    const V a = S::load(p.activations + (r + i) * p.ldc + v + j * S::lanes);
                    x = S::select(a > T(0), x, V{});
                }
                S::store(c + j * S::lanes, x);
            }
        }
    }

    template <int N, Epilogue E, bool BEGUN>
    static void rows(const Product<T> &p, long r, long end, long v) {
        constexpr int most = tallest(N);
        if (most != interleaved && p.interleaved) {
            // A tile's rows of a packed A are neighbours in one interleaved group only.
            for (; r + interleaved <= end; r += interleaved)
                tile<interleaved, N, E, BEGUN>(p, r, v);
        } else {
            for (; r + most <= end; r += most)
                tile<most, N, E, BEGUN>(p, r, v);
            if constexpr (most > 8) {
                for (; r + 8 <= end; r += 8)
                    tile<8, N, E, BEGUN>(p, r, v);
            }
        }
        for (; r + 4 <= end; r += 4)
            tile<4, N, E, BEGUN>(p, r, v);
        for (; r + 2 <= end; r += 2)
            tile<2, N, E, BEGUN>(p, r, v);
        for (; r < end; ++r)
            tile<1, N, E, BEGUN>(p, r, v);
    }

    // Rows [begin, end) of C, all its `vectors` columns.
    template <Epilogue E, bool BEGUN = false>
    static void run(const Product<T> &p, long begin, long end, long vectors) {
        long v = 0;
        for (; vectors >= widest; vectors -= widest, v += chunk)
            rows<widest, E, BEGUN>(p, begin, end, v);
        if constexpr (widest > 2) {
            if (vectors == 3) rows<3, E, BEGUN>(p, begin, end, v);
            if (vectors == 2) rows<2, E, BEGUN>(p, begin, end, v);
        }
        if (vectors == 1) rows<1, E, BEGUN>(p, begin, end, v);
    }

    // How a deep chain is cut: into parts of about equal depth.
    static constexpr long part_of(long depth) {
        if (depth <= deep + deep / 2) return depth;
        const long parts = (depth + deep - 1) / deep;
        return (depth + parts - 1) / parts;
    }

    // Where A[r, k] stands in a packed copy of A: part by part as `blocked` reads it, `tallest`
    // rows interleaved, so that what the second cache is to keep is one piece of memory.
    static constexpr long interleaved = tallest(widest);
    static constexpr long packed_rows(long rows) {
        return (rows + interleaved - 1) / interleaved * interleaved;
    }
    CHAINRULE_INLINE long packed_at(long r, long k, long rows, long depth) {
        const long part = part_of(depth), first = k - k % part;
        const long now = depth - first < part ? depth - first : part;
        const long lane = r % interleaved;
        return first * packed_rows(rows) + (r - lane) * now + (k - first) * interleaved + lane;
    }

    // One product with the same A for several panels of B and C, `panel_stride` apart. Deep
    // chains go in parts, so that B's rows are read from the first cache and A's from the second.
    template <Epilogue E>
    static void blocked(const Product<T> &product, long rows, long block, long panel_stride,
                        long vectors, long last_vectors) {
        const long depth = product.last_depth, part = part_of(depth);
        if (block == 1 && depth == part) return run<E>(product, 0, rows, last_vectors);
        Product<T> p = product;
        if (depth == part) {
            for (long q = 0; q < block; ++q, shift(p, panel_stride))
                run<E>(p, 0, rows, q + 1 < block ? vectors : last_vectors);
            return;
        }
        // σ′ stands where times_derivative will put its product.
        if (E != times_derivative) p.parts = p.C;
        for (long r = 0; r < rows; r += high) {
            const long end = r + high < rows ? r + high : rows;
            for (long k = 0; k < depth; k += part) {
                Product<T> now = p;
                now.last_depth = depth - k < part ? depth - k : part;
                now.A = p.A + k * (p.interleaved ? p.packed_rows : p.column_stride);
                now.B = p.B + k * p.ldb;
                const bool ends = k + part >= depth;
                if (!ends) now.C = now.parts;
                for (long q = 0; q < block; ++q, shift(now, panel_stride)) {
                    const long wide = q + 1 < block ? vectors : last_vectors;
                    if (k == 0) {
                        run<store_plain>(now, r, end, wide);
                    } else if (ends) {
                        run<E, true>(now, r, end, wide);
                    } else {
                        run<store_plain, true>(now, r, end, wide);
                    }
                }
            }
        }
    }

  private:
    CHAINRULE_INLINE void shift(Product<T> &p, long panel_stride) {
        p.B += panel_stride;
        p.C += panel_stride;
        if (p.activations) p.activations += panel_stride;
        if (p.parts) p.parts += panel_stride;
    }
};

} // namespace chainrule::CHAINRULE_ISA
