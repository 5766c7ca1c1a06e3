// Products in tiles: C[r, v] = Σ_q Σ_p A_q[r, p] · B_q[p, v] of bfloat16 numbers, summed in
// float32, 32 rows by 32 columns at a time. q runs over panels of examples as in product.hpp.
//
// Each C[r, v] is one chain of tile products in the order of q and p. The order stays the same when
// the chain is split into parts that fit the caches.
//
// A factor is one bfloat16 number, or three whose sum is a float32 number (bfloat16.hpp). Of the
// nine products of two such sums, six are added: the other three are smaller than the rounding of a
// float32 product.
#pragma once

#include "memory.hpp"
#include "tiles.hpp"

namespace chainrule::CHAINRULE_ISA {

// Distances are in words.
struct TileFactor {
    const float *at;
    long row;       // from a row of a tile to the next
    long beside;    // from a tile to the next one down (of A) or to the right (of B)
    long along;     // from a tile to the next one in depth
    long piece = 0; // from a tile of each number's first pieces to that of their second ones
};

struct TileProduct {
    TileFactor A, B;
    long panels, panel_stride;    // panel_stride: from A_q to A_{q+1}, B alike
    long depth, last_depth;       // of a panel and of the last one, in tiles
    const float *begun = nullptr; // partial sums to continue from; nullptr: chains begin at 0
    long begun_stride = 0;
};

// R by N tiles of C (R and N are 1 or 2), from row r and column v of tiles on. Registers 0 to 3
// hold the sums, 4 and 5 tiles of A, 6 and 7 tiles of B: each loaded tile serves up to two
// products.
template <int PIECES, int R, int N>
CHAINRULE_INLINE void tile_block(Tiles &tiles, const TileProduct &p, long r, long v, float *C,
                                 long ldc) {
    static_assert(PIECES == 1 || PIECES == 3);
    const long down = tile_rows * p.begun_stride;
    if (p.begun) {
        tiles.load<0>(p.begun, p.begun_stride);
        if constexpr (N > 1) tiles.load<1>(p.begun + tile_rows, p.begun_stride);
        if constexpr (R > 1) tiles.load<2>(p.begun + down, p.begun_stride);
        if constexpr (R > 1 && N > 1) tiles.load<3>(p.begun + down + tile_rows, p.begun_stride);
    } else {
        tiles.zero<0>();
        if constexpr (N > 1) tiles.zero<1>();
        if constexpr (R > 1) tiles.zero<2>();
        if constexpr (R > 1 && N > 1) tiles.zero<3>();
    }
    for (long q = 0; q < p.panels; ++q) {
        const float *a = p.A.at + q * p.panel_stride + r * p.A.beside;
        const float *b = p.B.at + q * p.panel_stride + v * p.B.beside;
        const long depth = q + 1 < p.panels ? p.depth : p.last_depth;
        for (long k = 0; k < depth; ++k, a += p.A.along, b += p.B.along) {
            const auto load_A = [&](long piece) __attribute__((always_inline)) {
                tiles.load<4>(a + piece * p.A.piece, p.A.row);
                if constexpr (R > 1) tiles.load<5>(a + piece * p.A.piece + p.A.beside, p.A.row);
            };
            const auto load_B = [&](long piece) __attribute__((always_inline)) {
                tiles.load<6>(b + piece * p.B.piece, p.B.row);
                if constexpr (N > 1) tiles.load<7>(b + piece * p.B.piece + p.B.beside, p.B.row);
            };
            const auto multiply = [&]() __attribute__((always_inline)) {
                tiles.multiply<0, 4, 6>();
                if constexpr (N > 1) tiles.multiply<1, 4, 7>();
                if constexpr (R > 1) tiles.multiply<2, 5, 6>();
                if constexpr (R > 1 && N > 1) tiles.multiply<3, 5, 7>();
            };
            load_A(0);
            if constexpr (PIECES == 3) {
                // The smallest products first; each step but one loads one factor.
                load_B(2);
                multiply();
                load_B(1);
                multiply();
                load_A(1);
                multiply();
                load_B(0);
                multiply();
                load_A(2);
                multiply();
                load_A(0);
            } else {
                load_B(0);
            }
            multiply();
        }
    }
    tiles.store<0>(C, ldc);
    if constexpr (N > 1) tiles.store<1>(C + tile_rows, ldc);
    if constexpr (R > 1) tiles.store<2>(C + tile_rows * ldc, ldc);
    if constexpr (R > 1 && N > 1) tiles.store<3>(C + tile_rows * ldc + tile_rows, ldc);
}

template <int PIECES>
static inline void tile_block(Tiles &tiles, const TileProduct &p, long r, long rows, long v,
                              long columns, float *C, long ldc) {
    if (rows > 1) {
        if (columns > 1) return tile_block<PIECES, 2, 2>(tiles, p, r, v, C, ldc);
        return tile_block<PIECES, 2, 1>(tiles, p, r, v, C, ldc);
    }
    if (columns > 1) return tile_block<PIECES, 1, 2>(tiles, p, r, v, C, ldc);
    tile_block<PIECES, 1, 1>(tiles, p, r, v, C, ldc);
}

} // namespace chainrule::CHAINRULE_ISA
