// Packing of float32 numbers into the words of tiles: as one bfloat16 number each, or as three
// pieces (PIECES), each of which has tiles of its own.
#pragma once

#include "bfloat16.hpp"
#include "memory.hpp"
#include "tiles.hpp"
#include "transpose.hpp"

namespace chainrule::CHAINRULE_ISA {

template <int PIECES> struct TilePacking {
    using R = Bfloat16::S; // a tile's rows
    using V = typename R::V;

    // Entries k to k + 15 of a row of n numbers; 0 beyond its end.
    CHAINRULE_INLINE V part(const float *row, long k, long n) {
        if (k + R::lanes <= n) return R::load(row + k);
#if defined(__AVX512F__)
        const long some = k < n ? n - k : 0;
        return reinterpret_cast<V>(
            _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << some) - 1), row + k));
#endif
        return k < n ? R::load_part(row + k, static_cast<int>(n - k)) : V{};
    }
    // The first `count` lanes; the others become 0.
    CHAINRULE_INLINE V first_of(V v, long count) {
        const typename R::M lane{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
        return R::select(lane < static_cast<int>(smaller(count, R::lanes)), v, V{});
    }

    // Packs 32 numbers in a row, and one number of each of two rows; `piece`: from the words of a
    // piece to those of the next.
    CHAINRULE_INLINE void set_row(V first, V second, V (&x)[PIECES][16], long i) {
        V a[PIECES], b[PIECES];
        Bfloat16::pieces(first, a);
        Bfloat16::pieces(second, b);
        for (int p = 0; p < PIECES; ++p)
            x[p][i] = Bfloat16::row(a[p], b[p]);
    }
    CHAINRULE_INLINE void set_words(V low, V high, V (&x)[PIECES][16], long i) {
        V a[PIECES], b[PIECES];
        Bfloat16::pieces(low, a);
        Bfloat16::pieces(high, b);
        for (int p = 0; p < PIECES; ++p)
            x[p][i] = Bfloat16::words(a[p], b[p]);
    }
    CHAINRULE_INLINE void put_row(V first, V second, float *to, long piece) {
        V a[PIECES], b[PIECES];
        Bfloat16::pieces(first, a);
        Bfloat16::pieces(second, b);
        for (int p = 0; p < PIECES; ++p)
            R::store(to + p * piece, Bfloat16::row(a[p], b[p]));
    }
    CHAINRULE_INLINE void put_words(V low, V high, float *to, long piece) {
        V a[PIECES], b[PIECES];
        Bfloat16::pieces(low, a);
        Bfloat16::pieces(high, b);
        for (int p = 0; p < PIECES; ++p)
            R::store(to + p * piece, Bfloat16::words(a[p], b[p]));
    }
    CHAINRULE_INLINE void put_transposed(V (&x)[PIECES][16], float *tile, long piece) {
        for (int p = 0; p < PIECES; ++p) {
            Transpose<float, 64>::block(x[p]);
#pragma GCC unroll 16
            for (int i = 0; i < 16; ++i)
                R::store(tile + p * piece + i * tile_rows, x[p][i]);
        }
    }
};

} // namespace chainrule::CHAINRULE_ISA
