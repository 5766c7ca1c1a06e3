// The dense layer with products of bfloat16 numbers in tiles, summed in float32. Parameters,
// activations, δ and gradients remain float32; only the factors of products are rounded, when they
// are packed, once for all three products. A left factor is packed as rows, a right factor as pairs
// of rows.
#pragma once

#include "../bfloat16.hpp"
#include "../tile_product.hpp"
#include "dense.hpp"

namespace chainrule::CHAINRULE_ISA {

template <int BYTES> struct DenseTiles : DenseLayer<float, BYTES> {
    using Plain = Dense<float, BYTES>;
    using Base = DenseLayer<float, BYTES>;
    using C = Context<float, BYTES>;
    using W = Workspace<float, BYTES>;
    using S = Simd<float, BYTES>;
    using V = typename S::V;
    using R = Bfloat16::S; // a tile's rows, even if BYTES is less than 64
    using Base::weights;

    // A layer's own arrays, in words of two numbers.
    enum Own {
        inputs, // A[l−1], pairs of units by rows: right factor of F1
        turned, // A[l−1], tiles with pairs of examples by rows: right factor of BP4
        deltas, // δ[l], pairs of units by rows: right factor of BP2
        rows    // δ[l], pairs of examples: left factor of BP4; then the sums of each unit's δ
    };

    // Narrower layers multiply in float32, because their tiles would be mostly empty.
    static bool tiled(const Layer &layer) {
        return layer.n_in >= 24 && layer.n_out >= 32 && weights(layer) >= 1536;
    }

    // The multiplications in a batch that tiles make faster.
    static double faster(const Layer &layer, long batch) {
        return tiled(layer) && batch >= tile_depth ? weights(layer) * double(batch) : 0;
    }

    // A product in tiles counts as half the work of a float32 product.
    static double pass_work(const Layer &layer, long batch, bool first) {
        if (!tiled(layer)) return Base::pass_work(layer, batch, first);
        return weights(layer) * (batch * (first ? 1.0 : 1.5) + update_work);
    }

    // Groups consist of whole tiles.
    template <typename Emit> static void divide(const Layer &layer, Emit &&emit) {
        if (!tiled(layer)) return Base::divide(layer, emit);
        const long units = layer.n_out < 1024 ? 64 : 128;
        for (long r = 0; r < layer.n_out; r += units)
            emit(0, 2, r, smaller(r + units, layer.n_out));
    }

    // The number of words, in whole tiles, for a row of n numbers (`pairs`) and for a row of pairs
    // with one word per example of a panel (`across`).
    static long pairs(long n) { return divided_up(n, tile_depth) * tile_rows; }
    static long across(const W &ws) { return rounded_up(ws.ld, tile_rows); }

    template <typename Take>
    static void place(const Network &net, int l, W &ws, Take &&take, bool training) {
        const Layer &layer = net.layers[l - 1];
        if (!tiled(layer)) return Plain::place(net, l, ws, take, training);
        long *own = ws.place[l].own;
        own[inputs] = take(pairs(layer.n_in) * across(ws));
        own[turned] = take(rounded_up(layer.n_in, tile_rows) * pairs(ws.ld));
        own[deltas] = take(pairs(layer.n_out) * across(ws));
        own[rows] = take(sums_at(layer, ws) + layer.n_out * S::lanes);
    }
    static long sums_at(const Layer &layer, const W &ws) {
        return rounded_up(layer.n_out, tile_rows) * pairs(ws.ld);
    }

    // The copy holds the tiles of W, then the tiles of Wᵀ, each row of tiles after the other.
    static long words(long n_out, long n_in) { return rounded_up(n_out, tile_rows) * pairs(n_in); }
    static bool prepare(const Network &net, int l, W &ws) {
        const Layer &layer = net.layers[l - 1];
        if (!tiled(layer)) return Plain::prepare(net, l, ws);
        const long transposed = l > 1 ? words(layer.n_in, layer.n_out) : 0;
        ws.place[l].copy = allocate<float>(words(layer.n_out, layer.n_in) + transposed);
        return ws.place[l].copy != nullptr;
    }

    static void renew(const C &c, const Group &group) {
        const int l = group.l();
        if (!tiled(c.layer(l))) return Plain::renew(c, group);
        const long n_in = c.layer(l).n_in, n_out = c.layer(l).n_out;
        const float *weights = c.block(l, 0);
        float *copy = static_cast<float *>(c.ws.place[l].copy);
        for (long r = group.begin; r < group.end; ++r) {
            const float *row = weights + r * n_in;
            float *to = copy + (r - r % tile_rows) * pairs(n_in) + r % tile_rows * tile_rows;
            for (long k = 0; k < n_in; k += tile_depth, to += tile_words)
                R::store(to, Bfloat16::row(part(row, k, n_in), part(row, k + 16, n_in)));
        }
        if (l == 1) return;
        float *transposed = copy + words(n_out, n_in);
        for (long r = group.begin; r < group.end; r += tile_depth) {
            for (long k = 0; k < n_in; k += tile_rows) {
                R::V x[16];
                for (long i = 0; i < 16; ++i) {
                    const float *row = weights + (r + 2 * i) * n_in;
                    x[i] =
                        Bfloat16::words(r + 2 * i < n_out ? part(row, k, n_in) : R::V{},
                                        r + 2 * i + 1 < n_out ? part(row + n_in, k, n_in) : R::V{});
                }
                put_transposed(x, transposed + k * pairs(n_out) + r / tile_depth * tile_words);
            }
        }
    }

    static void forward(const C &c, int l, const PanelSpan &some) {
        const Layer &layer = c.layer(l);
        if (!tiled(layer)) return Plain::forward(c, l, some);
        const Place &place = c.ws.place[l];
        for (long q = 0; q < some.count; ++q)
            pack_activations(c, l, some.first + q, c.count(some, q));
        const TileProduct product = by_panel(static_cast<const float *>(place.copy), layer.n_in,
                                             c.at(some.first, place.own[inputs]), across(c.ws));
        const bool last = l == c.net.count;
        const bool rectified = c.through(l) == Through::rectifier && !last;
        const float *bias = c.block(l, 1);
        float *A = c.at(some.first, place.A);
        if (rectified) {
            multiply(c, product, layer.n_out, some, A, A, [bias](long r, float *, V sum) {
                const V z = sum + bias[r];
                return S::select(z < 0.0f, V{}, z);
            });
        } else {
            multiply(c, product, layer.n_out, some, A, A,
                     [bias](long r, float *, V sum) { return sum + bias[r]; });
        }
        if (!rectified && !last && c.through(l) != Through::unchanged) c.activate(l, some);
    }

    static void backward(const C &c, int l, const PanelSpan &some) {
        const Layer &layer = c.layer(l);
        if (!tiled(layer)) return Plain::backward(c, l, some);
        const Place &place = c.ws.place[l], &below = c.ws.place[l - 1];
        for (long q = 0; q < some.count; ++q)
            pack_errors(c, l, some.first + q, c.count(some, q));
        if (l == 1) return;
        const float *transposed =
            static_cast<const float *>(place.copy) + words(layer.n_out, layer.n_in);
        const TileProduct product =
            by_panel(transposed, layer.n_out, c.at(some.first, place.own[deltas]), across(c.ws));
        float *D = c.at(some.first, below.D), *parts = c.at(some.first, c.ws.parts);
        const long activations = below.A - below.D;
        switch (c.through(l - 1)) {
        case Through::rectifier:
            multiply(c, product, layer.n_in, some, D, D, [&](long, float *d, V error) {
                return S::select(S::load(d + activations) > 0.0f, error, V{});
            });
            break;
        case Through::derivative:
            multiply(c, product, layer.n_in, some, D, parts,
                     [](long, float *d, V error) { return error * S::load(d); });
            break;
        default:
            multiply(c, product, layer.n_in, some, D, D,
                     [](long, float *, V error) { return error; });
        }
        for (long q = 0; q < some.count; ++q)
            c.error_of_whole(l - 1, some, q);
    }

    static void gradient(const C &c, const Group &group, const PanelSpan &some, float *out) {
        const Layer &layer = c.layer(group.l());
        if (!tiled(layer)) return Plain::gradient(c, group, some, out);
        const W &ws = c.ws;
        const Place &place = ws.place[group.l()];
        const long wide = pairs(ws.ld), units = group.end - group.begin, n = layer.n_in;
        const long panels = some.count;
        const float *D = c.at(some.first, place.own[rows]) + group.begin * wide;
        const float *A = c.at(some.first, place.own[turned]);
        TileProduct product{{D, wide, tile_rows * wide, tile_rows},
                            {A, tile_rows, tile_rows * wide, tile_words},
                            panels,
                            ws.panel_stride,
                            divided_up(ws.panel_size, tile_depth),
                            divided_up(some.last_count, tile_depth)};
        Tiles tiles;
        const long down = divided_up(units, tile_rows), wide_tiles = divided_up(n, tile_rows);
        for (long v = 0; v < wide_tiles; v += 2) {
            const long columns = smaller(2, wide_tiles - v), width = smaller(32, n - v * 16);
            for (long q = 0; q < panels; q += near_panels) {
                for (long r = 0; r < down; r += 2) {
                    const long height = smaller(2, down - r), some = smaller(32, units - r * 16);
                    float *to = out + r * 16 * n + v * 16;
                    TileProduct now = product;
                    if (some == 16 * height && width == 16 * columns) {
                        now.panels = smaller(near_panels, panels - q);
                        if (q + now.panels < panels) now.last_depth = now.depth;
                        now.A.at += q * ws.panel_stride;
                        now.B.at += q * ws.panel_stride;
                        if (q) now.begun = to;
                        now.begun_stride = n;
                        tile_block(tiles, now, r, height, v, columns, to, n);
                    } else if (q == 0) { // the whole chain: `out` has no room for partial sums
                        alignas(64) float block[32 * 32];
                        tile_block(tiles, now, r, height, v, columns, block, 32);
                        for (long i = 0; i < some; ++i)
                            std::memcpy(to + i * n, block + i * 32, sizeof(float) * width);
                    }
                }
            }
        }
        const float *sums = c.at(some.first, place.own[rows]) + sums_at(layer, ws);
        for (long r = 0; r < units; ++r) { // BP3
            V sum = V{};
            for (long q = 0; q < panels; ++q)
                sum += S::load(sums + q * ws.panel_stride + (group.begin + r) * S::lanes);
            out[n * units + r] = S::sum(sum);
        }
    }

  private:
    // The number of panels whose pairs of 32 units stay in the first-level cache.
    static constexpr long near_panels = 8;
    // The depth, in tiles, at which the pairs of a span's panels stay in the second-level cache
    // while each row of tiles reads them.
    static constexpr long deep = 32;

    // Entries k to k + 15 of a row of n numbers; 0 beyond its end.
    CHAINRULE_INLINE R::V part(const float *row, long k, long n) {
        if (k + R::lanes <= n) return R::load(row + k);
        return k < n ? R::load_part(row + k, static_cast<int>(n - k)) : R::V{};
    }
    // The first `count` lanes; the others become 0.
    CHAINRULE_INLINE R::V first_of(R::V v, long count) {
        const R::M lane{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
        return R::select(lane < static_cast<int>(count), v, R::V{});
    }
    CHAINRULE_INLINE void put_transposed(R::V (&x)[16], float *tile) {
        Transpose<float, 64>::block(x);
        for (int i = 0; i < 16; ++i)
            R::store(tile + i * tile_rows, x[i]);
    }

    // Packs a panel's A[l−1] for F1 and BP4. For BP4, which sums over examples, those from `count`
    // on are 0.
    static void pack_activations(const C &c, int l, long panel, long count) {
        const Place &place = c.ws.place[l];
        const long n = c.layer(l).n_in, ld = c.ws.ld, wide = pairs(ld);
        const float *A = c.at(panel, c.ws.place[l - 1].A);
        float *of_units = c.at(panel, place.own[inputs]);
        float *of_examples = c.at(panel, place.own[turned]);
        for (long k = 0; k < n; k += 16) {
            const long some = smaller(16, n - k);
            pack_pairs(A + k * ld, ld, some, count, of_units + k / 2 * across(c.ws), across(c.ws));
            for (long e = 0; e < count; e += tile_depth) {
                R::V x[16];
                for (long i = 0; i < 16; ++i)
                    x[i] = i < some ? examples(A + (k + i) * ld, e, count) : R::V{};
                put_transposed(x, of_examples + k * wide + e / tile_depth * tile_words);
            }
        }
    }

    // Packs a panel's δ[l] for BP2 and BP4, and sums it for BP3.
    static void pack_errors(const C &c, int l, long panel, long count) {
        const Place &place = c.ws.place[l];
        const long n = c.layer(l).n_out, ld = c.ws.ld, wide = pairs(ld);
        const float *D = c.at(panel, place.D);
        float *side_by_side = c.at(panel, place.own[rows]);
        if (l > 1) pack_pairs(D, ld, n, count, c.at(panel, place.own[deltas]), across(c.ws));
        float *sums = side_by_side + sums_at(c.layer(l), c.ws);
        for (long j = 0; j < n; ++j, D += ld) {
            for (long e = 0; e < count; e += tile_depth)
                R::store(side_by_side + j * wide + e / 2, examples(D, e, count));
            V sum = V{};
            for (long e = 0; e < count; e += S::lanes)
                sum += S::load(D + e);
            S::store(sums + j * S::lanes, sum);
        }
    }

    // 32 examples of a unit, from e on; those from `count` on are 0.
    CHAINRULE_INLINE R::V examples(const float *row, long e, long count) {
        if (e + tile_depth <= count) return Bfloat16::row(R::load(row + e), R::load(row + e + 16));
        const R::V first = first_of(R::load(row + e), count - e);
        const R::V second =
            e + 16 < count ? first_of(R::load(row + e + 16), count - e - 16) : R::V{};
        return Bfloat16::row(first, second);
    }

    // Combines rows 2k and 2k + 1 into one row of words.
    static void pack_pairs(const float *from, long ld, long rows, long count, float *to,
                           long to_ld) {
        for (long k = 0; k < rows; k += 2, from += 2 * ld, to += to_ld) {
            for (long e = 0; e < count; e += 16)
                R::store(to + e, Bfloat16::words(R::load(from + e),
                                                 k + 1 < rows ? R::load(from + ld + e) : R::V{}));
        }
    }

    // The product of a copy, whose tiles are contiguous, with the pairs of a panel.
    static TileProduct by_panel(const float *left, long depth, const float *right, long ld) {
        return {{left, tile_rows, tile_rows * pairs(depth), tile_words},
                {right, ld, tile_rows, tile_rows * ld},
                1,
                0,
                divided_up(depth, tile_depth),
                divided_up(depth, tile_depth)};
    }

    // C of a span of panels; each vector of C is finish(row, place, sum). `parts` holds the partial
    // sums.
    template <typename Finish>
    static void multiply(const C &c, const TileProduct &product, long rows, const PanelSpan &some,
                         float *to, float *parts, Finish &&finish) {
        const long ld = c.ws.ld, stride = c.ws.panel_stride, down = divided_up(rows, tile_rows);
        const long depth = product.depth;
        // Partial sums are stored as whole tiles, so the depth is split only if rows consist of
        // whole tiles.
        const long pieces = some.count == 1 || ld % tile_rows ? 1 : divided_up(depth, deep);
        const long piece = divided_up(depth, pieces);
        Tiles tiles;
        // The vector units finish the previous block while the tile unit multiplies the next one,
        // so there are two buffers.
        alignas(64) float blocks[2][32 * 32];
        Block before{};
        int turn = 0;
        for (long k = 0; k < depth; k += piece) {
            for (long r = 0; r < down; r += 2) {
                const long height = smaller(2, down - r), units = smaller(32, rows - r * 16);
                // `parts` has no room for partial sums of an incomplete last row of tiles.
                const bool whole = units < 16 * height;
                if (whole && k) continue;
                const bool ends = whole || k + piece >= depth;
                TileProduct now = product;
                if (!whole) now.last_depth = smaller(piece, depth - k);
                now.A.at += k * now.A.along;
                now.B.at += k * now.B.along;
                now.begun_stride = ld;
                for (long q = 0; q < some.count; ++q, now.B.at += stride) {
                    const long wide = divided_up(c.count(some, q), tile_rows);
                    for (long v = 0; v < wide; v += 2) {
                        const long columns = smaller(2, wide - v);
                        const long at = q * stride + r * 16 * ld + v * 16;
                        if (k) now.begun = parts + at;
                        if (!ends) {
                            tile_block(tiles, now, r, height, v, columns, parts + at, ld);
                            continue;
                        }
                        float *sums = blocks[turn];
                        turn ^= 1;
                        for (long i = 0; i < units; ++i) {
                            __builtin_prefetch(to + at + i * ld, 1);
                            __builtin_prefetch(to + at + i * ld + 16, 1);
                        }
                        tile_block(tiles, now, r, height, v, columns, sums, 32);
                        finish_block(before, ld, finish);
                        before = {sums, to + at, r * 16, units, smaller(columns * 16, ld - v * 16)};
                    }
                }
            }
        }
        finish_block(before, ld, finish);
    }

    // The sums of at most 32 rows by 32 columns, and their destination.
    struct Block {
        const float *sums;
        float *to;
        long row, rows, columns;
    };
    template <typename Finish>
    CHAINRULE_INLINE void finish_block(const Block &block, long ld, Finish &&finish) {
        float *to = block.to;
        const float *sums = block.sums;
        for (long i = 0; i < block.rows; ++i, to += ld, sums += 32) {
            if (block.columns == 32) {
#pragma GCC unroll 8
                for (long j = 0; j < 32; j += S::lanes)
                    S::store(to + j, finish(block.row + i, to + j, S::load(sums + j)));
            } else {
                for (long j = 0; j < block.columns; j += S::lanes)
                    S::store(to + j, finish(block.row + i, to + j, S::load(sums + j)));
            }
        }
    }
};

} // namespace chainrule::CHAINRULE_ISA
