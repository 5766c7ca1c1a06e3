// The dense layer with products of bfloat16 numbers in tiles, summed in float32. Parameters and the
// gradient remain float32; only the factors of products are rounded, when they are packed, once for
// all three products: to one bfloat16 number, or to three pieces (PIECES), whose products are as
// exact as those of float32. A left factor is packed as rows, a right factor as pairs of rows.
//
// Between two such layers, activations and errors are packed as soon as a block of them is
// finished, and never exist as float32 arrays.
#pragma once

#include "../bfloat16.hpp"
#include "../tile_packing.hpp"
#include "../tile_product.hpp"
#include "dense.hpp"

namespace chainrule::CHAINRULE_ISA {

template <int BYTES, int PIECES = 1>
struct DenseTiles : DenseLayer<float, BYTES>, TilePacking<PIECES> {
    using Plain = Dense<float, BYTES>;
    using Base = DenseLayer<float, BYTES>;
    using C = Context<float, BYTES>;
    using W = Workspace<float, BYTES>;
    using R = Bfloat16::S; // a tile's rows, even if BYTES is less than 64
    using V = typename R::V;
    using S = Simd<float, BYTES>;
    using SV = typename S::V;
    using Base::weights;
    using Packing = TilePacking<PIECES>;
    using Packing::first_of, Packing::part, Packing::put_row, Packing::put_transposed,
        Packing::put_words, Packing::set_row, Packing::set_words;

    // Predictions use the copies of weights, too.
    static constexpr bool copies = true;

    // A layer's own arrays, in words of two numbers; each holds all first pieces, then all second
    // ones, and so on.
    enum Own {
        inputs, // A[l−1], tiles with pairs of units by rows: right factor of F1
        turned, // A[l−1], tiles with pairs of examples by rows: right factor of BP4
        deltas, // δ[l], tiles with pairs of units by rows: right factor of BP2
        rows    // δ[l], pairs of examples: left factor of BP4; then the sums of each unit's δ
    };

    // Narrower layers multiply in float32: their tiles would be mostly empty, or six products
    // would take longer than one of float32.
    static bool tiled(const Layer &layer) {
        if (PIECES > 1) return layer.n_in >= 256 && layer.n_out >= 256;
        if (layer.n_out < 32) return layer.n_in >= 64; // most often the last one
        return layer.n_in >= 24 && weights(layer) >= 1536;
    }

    // The multiplications in a batch that tiles make faster. Six products are hardly faster than
    // one of float32, so that a batch must be longer before they pay for packing the weights.
    static double faster(const Layer &layer, long batch) {
        const long least = PIECES > 1 ? 128 : tile_depth;
        return tiled(layer) && batch >= least ? weights(layer) * double(batch) : 0;
    }

    // A product in tiles counts as half the work of a float32 product.
    static double pass_work(const Layer &layer, long batch, bool first) {
        if (!tiled(layer) || PIECES > 1) return Base::pass_work(layer, batch, first);
        return weights(layer) * (batch * (first ? 1.0 : 1.5) + update_work);
    }

    // Groups consist of whole tiles.
    template <typename Emit> static void divide(const Layer &layer, Emit &&emit) {
        if (!tiled(layer)) return Base::divide(layer, emit);
        const long units = layer.n_out < 1024 ? 64 : 128;
        for (long r = 0; r < layer.n_out; r += units)
            emit(0, 2, r, smaller(r + units, layer.n_out));
    }

    // Whether layer l passes its activations on, and gets its errors, only in packed form: it and
    // the layer above are in tiles, and what is between them needs no array. Layer 0 is X.
    static bool packed(const Network &net, int l) {
        if (l == 0) return tiled(net.layers[0]);
        if (l == net.count) return false;
        const Layer &layer = net.layers[l - 1], &above = net.layers[l];
        const Through through = Base::through(layer);
        return layer.kind == above.kind && tiled(layer) && tiled(above) &&
               (through == Through::rectifier || through == Through::unchanged);
    }

    // The elements of a layer's A and δ for each example.
    static long elements(const Network &net, int l) {
        if (!packed(net, l)) return Base::elements(net, l);
        return l ? 2 * PIECES * net.layers[l - 1].n_out : PIECES * net.layers[0].n_in;
    }

    // The number of words, in whole tiles, for a row of n numbers (`pairs`) and for a row of pairs
    // with one word per example of a panel (`across`).
    static long pairs(long n) { return divided_up(n, tile_depth) * tile_rows; }
    static long across(const W &ws) { return rounded_up(ws.ld, tile_rows); }
    // Where the tile of a panel's units `row` and next, and examples `column` and next, begins.
    static long tile_at(const W &ws, long row, long column) {
        return row / 2 * across(ws) + column * tile_rows;
    }
    // The number of words of a panel's n units, as pairs of units and as pairs of examples.
    static long by_units(long n, const W &ws) { return pairs(n) * across(ws); }
    static long by_examples(long n, const W &ws) { return rounded_up(n, tile_rows) * pairs(ws.ld); }
    static long sums_at(const Layer &layer, const W &ws) {
        return PIECES * by_examples(layer.n_out, ws);
    }

    template <typename Take>
    static void place(const Network &net, int l, W &ws, Take &&take, bool training) {
        const Layer &layer = net.layers[l - 1];
        if (!tiled(layer)) return Plain::place(net, l, ws, take, training);
        long *own = ws.place[l].own;
        own[inputs] = take(PIECES * by_units(layer.n_in, ws));
        if (!training) return;
        own[turned] = take(PIECES * by_examples(layer.n_in, ws));
        if (l > 1) own[deltas] = take(PIECES * by_units(layer.n_out, ws));
        own[rows] = take(sums_at(layer, ws) + layer.n_out * R::lanes);
    }
    // Chains of more than `deep` tiles leave partial sums.
    static long parts(const Layer &layer, bool first, const W &ws) {
        if (!tiled(layer)) return Plain::parts(layer, first, ws);
        const long longest = larger(layer.n_in, layer.n_out);
        return longest > deep * tile_depth ? high * rounded_up(ws.ld, block_side) : 0;
    }

    // The copy holds the tiles of W, then the tiles of Wᵀ, each row of tiles after the other.
    static long words(long n_out, long n_in) { return rounded_up(n_out, tile_rows) * pairs(n_in); }
    static bool prepare(const Network &net, int l, W &ws) {
        const Layer &layer = net.layers[l - 1];
        if (!tiled(layer)) return !ws.training || Plain::prepare(net, l, ws);
        const long transposed = ws.training && l > 1 ? words(layer.n_in, layer.n_out) : 0;
        ws.place[l].copy = allocate<float>(PIECES * (words(layer.n_out, layer.n_in) + transposed));
        return ws.place[l].copy != nullptr;
    }

    static void renew(const C &c, const Group &group) {
        const int l = group.l();
        if (!tiled(c.layer(l))) {
            if (c.training) Plain::renew(c, group);
            return;
        }
        const long n_in = c.layer(l).n_in, n_out = c.layer(l).n_out;
        const float *weights = c.block(l, 0);
        float *copy = static_cast<float *>(c.ws.place[l].copy);
        for (long r = group.begin; r < group.end; ++r) {
            const float *row = weights + r * n_in;
            float *to = copy + (r - r % tile_rows) * pairs(n_in) + r % tile_rows * tile_rows;
            for (long k = 0; k < n_in; k += tile_depth, to += tile_words)
                put_row(part(row, k, n_in), part(row, k + 16, n_in), to, words(n_out, n_in));
        }
        if (l == 1 || !c.training) return;
        float *transposed = copy + PIECES * words(n_out, n_in);
        for (long r = group.begin; r < group.end; r += tile_depth) {
            for (long k = 0; k < n_in; k += tile_rows) {
                V x[PIECES][16];
                for (long i = 0; i < 16; ++i) {
                    const float *row = weights + (r + 2 * i) * n_in;
                    const V low = r + 2 * i < n_out ? part(row, k, n_in) : V{};
                    const V high = r + 2 * i + 1 < n_out ? part(row + n_in, k, n_in) : V{};
                    set_words(low, high, x, i);
                }
                put_transposed(x, transposed + k * pairs(n_out) + r / tile_depth * tile_words,
                               words(n_in, n_out));
            }
        }
    }

    // Packs a panel's A[0] for F1 and BP4 of layer 1, from the rows of X. After the pointers to the
    // rows, which whole tiles of examples have, follow those of 16 rows that are needed next.
    // Returns what Panels::gather does.
    static SV gather(const C &c, long panel, const float *const *row, long count) {
        const long *own = c.ws.place[1].own, n = c.layer(1).n_in;
        const long wide = pairs(c.ws.ld);
        V zero{};
        for (long e = 0; e < count; e += tile_depth) {
            for (long k = 0; k < n; k += tile_depth) {
                float *of_units = c.at(panel, own[inputs]) + tile_at(c.ws, k, e);
                float *of_examples = c.at(panel, own[turned]) + k * wide + e / 2 * tile_rows;
                for (long h = 0; h < 32;
                     h += 16, of_units += tile_words, of_examples += 8 * tile_rows) {
                    const long valid = count - e - h;
                    V x[PIECES][16];
#pragma GCC unroll 8
                    for (long i = 0; i < 16; i += 2) {
                        V a[2][2];
#pragma GCC unroll 2
                        for (long j = 0; j < 2; ++j) {
                            const float *from = row[e + h + i + j];
                            __builtin_prefetch(row[e + h + i + j + 16] + k);
                            __builtin_prefetch(row[e + h + i + j + 16] + k + 16);
                            a[j][0] = part(from, k, n);
                            a[j][1] = part(from, k + 16, n);
                            set_row(a[j][0], a[j][1], x, i + j);
                            if (!c.training) zero += (a[j][0] - a[j][0]) + (a[j][1] - a[j][1]);
                        }
                        if (!c.training) continue;
                        float *to = of_examples + i / 2 * tile_rows;
                        for (long t = 0; t < 2 && k + 16 * t < n; ++t) {
                            const V first = i < valid ? a[0][t] : V{};
                            const V second = i + 1 < valid ? a[1][t] : V{};
                            put_words(first, second, to + 16 * t * wide, by_examples(n, c.ws));
                        }
                    }
                    if (valid > 0) put_transposed(x, of_units, by_units(n, c.ws));
                }
            }
        }
        return S::splat(R::sum(zero));
    }

    static void forward(const C &c, int l, const PanelSpan &some) {
        const Layer &layer = c.layer(l);
        if (!tiled(layer)) return Plain::forward(c, l, some);
        const Place &place = c.ws.place[l];
        if (!packed(c.net, l - 1)) {
            each_block(c, some, c.ws.place[l - 1].A, layer.n_in, [&](const Block &block) {
                put_activations(c, l, block, [](long, V a) { return a; });
            });
        }
        const TileProduct product =
            by_panel(static_cast<const float *>(place.copy), words(layer.n_out, layer.n_in),
                     layer.n_in, c.at(some.first, place.own[inputs]), c.ws);
        const float *bias = c.block(l, 1);
        const auto finish = [&](auto &&value) {
            multiply(c, product, layer.n_out, some, [&](const Block &block) {
                if (packed(c.net, l)) return put_activations(c, l + 1, block, value);
                put_floats(c, place.A, block,
                           [&](long r, const float *, SV sum) { return value(r, sum); });
            });
        };
        const bool last = l == c.net.count;
        if (c.through(l) == Through::rectifier && !last)
            return finish([bias](long r, auto sum) {
                const auto z = sum + bias[r];
                return z < 0.0f ? decltype(sum){} : z;
            });
        finish([bias](long r, auto sum) { return sum + bias[r]; });
        if (!last && c.through(l) != Through::unchanged) c.activate(l, some);
    }

    static void backward(const C &c, int l, const PanelSpan &some) {
        const Layer &layer = c.layer(l);
        if (!tiled(layer)) return Plain::backward(c, l, some);
        const Place &place = c.ws.place[l], &below = c.ws.place[l - 1];
        if (!packed(c.net, l)) {
            each_block(c, some, place.D, layer.n_out,
                       [&](const Block &block) { put_errors(c, l, block, nullptr); });
        }
        if (l == 1) return;
        const float *transposed =
            static_cast<const float *>(place.copy) + PIECES * words(layer.n_out, layer.n_in);
        const TileProduct product =
            by_panel(transposed, words(layer.n_in, layer.n_out), layer.n_out,
                     c.at(some.first, place.own[deltas]), c.ws);
        const Through through = c.through(l - 1);
        if (packed(c.net, l - 1)) {
            const bool masked = through == Through::rectifier;
            multiply(c, product, layer.n_in, some, [&](const Block &block) {
                put_errors(c, l - 1, block, masked ? &place : nullptr);
            });
            return;
        }
        const long activations = below.A - below.D;
        multiply(c, product, layer.n_in, some, [&](const Block &block) {
            put_floats(c, below.D, block, [&](long, const float *d, SV error) {
                if (through == Through::rectifier)
                    return S::select(S::load(d + activations) > 0.0f, error, SV{});
                return through == Through::derivative ? error * S::load(d) : error;
            });
        });
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
        TileProduct product{{D, wide, tile_rows * wide, tile_rows, by_examples(layer.n_out, ws)},
                            {A, tile_rows, tile_rows * wide, tile_words, by_examples(n, ws)},
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
                        tile_block<PIECES>(tiles, now, r, height, v, columns, to, n);
                    } else if (q == 0) { // the whole chain: `out` has no room for partial sums
                        alignas(64) float block[block_side * block_side];
                        tile_block<PIECES>(tiles, now, r, height, v, columns, block, block_side);
                        for (long i = 0; i < some; ++i)
                            std::memcpy(to + i * n, block + i * block_side, sizeof(float) * width);
                    }
                }
            }
        }
        const float *sums = c.at(some.first, place.own[rows]) + sums_at(layer, ws);
        for (long r = 0; r < units; ++r) { // BP3
            V sum = V{};
            for (long q = 0; q < panels; ++q)
                sum += R::load(sums + q * ws.panel_stride + (group.begin + r) * R::lanes);
            out[n * units + r] = R::sum(sum);
        }
    }

  private:
    // Rows and columns of the sums that are multiplied together.
    static constexpr long block_side = 2 * tile_rows;
    // The number of panels whose pairs of 32 units stay in the first-level cache.
    static constexpr long near_panels = PIECES > 1 ? 3 : 8;
    // The depth, in tiles, at which the pairs of a span's panels stay in the second-level cache
    // while each row of tiles reads them, and the number of rows whose partial sums stay there.
    static constexpr long deep = PIECES > 1 ? 12 : 32;
    static constexpr long high = 256;

    // At most 32 units by 32 examples of a panel.
    struct Block {
        const float *at;
        long stride, panel, row, rows, column, columns;
        long valid; // examples from `column` on; further columns are padding

        bool whole() const {
            return rows == block_side && columns == block_side && valid >= block_side;
        }
    };

    // Packs a block of A[l−1] for F1 and BP4 of layer l. value(unit, vector) is A of what the block
    // holds. For BP4, which sums over examples, padding is 0.
    template <typename Value>
    CHAINRULE_INLINE void put_activations(const C &c, int l, const Block &block, Value &&value) {
        if (block.whole()) {
            put_activations_of<true>(c, l, block, value);
        } else {
            put_activations_of<false>(c, l, block, value);
        }
    }
    template <bool WHOLE, typename Value>
    static void put_activations_of(const C &c, int l, const Block &b, Value &&value) {
        const long *own = c.ws.place[l].own, n = c.layer(l).n_in, wide = pairs(c.ws.ld);
        float *of_units = c.at(b.panel, own[inputs]) + tile_at(c.ws, b.row, b.column);
        float *of_examples = c.at(b.panel, own[turned]) + b.row * wide + b.column / 2 * tile_rows;
        for (long h = 0; h < (WHOLE ? block_side : b.rows); h += 16) {
            V x[PIECES][16];
#pragma GCC unroll 8
            for (long i = 0; i < 16; i += 2) {
                V a[2][2];
#pragma GCC unroll 2
                for (long j = 0; j < 2; ++j) {
#pragma GCC unroll 2
                    for (long e = 0; e < 2; ++e) {
                        const bool there = WHOLE || (h + i + j < b.rows && 16 * e < b.columns);
                        const float *from = b.at + (h + i + j) * b.stride + 16 * e;
                        a[j][e] = there ? value(b.row + h + i + j, R::load(from)) : V{};
                    }
                }
                float *to = of_units + (h + i) / 2 * tile_rows;
                if (WHOLE || h + i < b.rows) {
                    put_words(a[0][0], a[1][0], to, by_units(n, c.ws));
                    if (WHOLE || b.columns > 16)
                        put_words(a[0][1], a[1][1], to + tile_words, by_units(n, c.ws));
                }
#pragma GCC unroll 2
                for (long j = 0; j < 2; ++j) {
                    if (WHOLE) {
                        set_row(a[j][0], a[j][1], x, i + j);
                    } else {
                        set_row(first_of(a[j][0], b.valid), first_of(a[j][1], b.valid - 16), x,
                                i + j);
                    }
                }
            }
            if (c.training) put_transposed(x, of_examples + h * wide, by_examples(n, c.ws));
        }
    }

    // Packs a block of δ[l] for BP2 and BP4, and sums it for BP3. `above`: the place of layer
    // l + 1, if its errors are yet to be multiplied by the derivative of a rectifier.
    CHAINRULE_INLINE void put_errors(const C &c, int l, const Block &block, const Place *above) {
        const float *A = above ? c.at(block.panel, above->own[inputs]) : nullptr;
        if (block.whole()) {
            put_errors_of<true>(c, l, block, A);
        } else {
            put_errors_of<false>(c, l, block, A);
        }
    }
    template <bool WHOLE>
    static void put_errors_of(const C &c, int l, const Block &b, const float *A) {
        const long *own = c.ws.place[l].own, n = c.layer(l).n_out;
        const long wide = pairs(c.ws.ld), place = tile_at(c.ws, b.row, b.column);
        float *side_by_side = c.at(b.panel, own[rows]);
        float *sums = side_by_side + sums_at(c.layer(l), c.ws) + b.row * R::lanes;
        float *of_examples = side_by_side + b.row * wide + b.column / 2;
        for (long i = 0; i < (WHOLE ? block_side : b.rows); i += 2) {
            V d[2][2];
#pragma GCC unroll 2
            for (long e = 0; e < 2; ++e) {
                const bool there = WHOLE || 16 * e < b.columns;
#pragma GCC unroll 2
                for (long j = 0; j < 2; ++j) {
                    d[j][e] = there && (WHOLE || i + j < b.rows)
                                  ? R::load(b.at + (i + j) * b.stride + 16 * e)
                                  : V{};
                    if (!WHOLE) d[j][e] = first_of(d[j][e], b.valid - 16 * e);
                }
                if (A && there) { // A of a rectifier is 0 exactly if its first piece is
                    const auto pair =
                        R::bits(R::load(A + place + i / 2 * tile_rows + e * tile_words));
                    d[0][e] = R::select((pair & 0x7fff) != 0, d[0][e], V{});
                    d[1][e] = R::select((pair & 0x7fff0000) != 0, d[1][e], V{});
                }
                if (l > 1 && there)
                    put_words(d[0][e], d[1][e],
                              c.at(b.panel, own[deltas]) + place + i / 2 * tile_rows +
                                  e * tile_words,
                              by_units(n, c.ws));
            }
#pragma GCC unroll 2
            for (long j = 0; j < 2; ++j) {
                if (!WHOLE && i + j >= b.rows) break;
                put_row(d[j][0], d[j][1], of_examples + (i + j) * wide, by_examples(n, c.ws));
                float *sum = sums + (i + j) * R::lanes;
                const V both = d[j][0] + d[j][1];
                R::store(sum, b.column ? R::load(sum) + both : both);
            }
        }
    }

    // Stores value(unit, destination, vector) of a block as float32.
    template <typename Value>
    CHAINRULE_INLINE void put_floats(const C &c, long offset, const Block &b, Value &&value) {
        const long columns = smaller(b.columns, c.ws.ld - b.column);
        float *to = c.at(b.panel, offset) + b.row * c.ws.ld + b.column;
        for (long i = 0; i < b.rows; ++i, to += c.ws.ld)
            for (long e = 0; e < columns; e += S::lanes)
                S::store(to + e, value(b.row + i, to + e, S::load(b.at + i * b.stride + e)));
    }

    // Calls f with each block of an array of n units.
    template <typename F>
    CHAINRULE_INLINE void each_block(const C &c, const PanelSpan &some, long offset, long n,
                                     F &&f) {
        for (long q = 0; q < some.count; ++q) {
            const long count = c.count(some, q), ld = c.ws.ld, panel = some.first + q;
            for (long r = 0; r < n; r += block_side)
                for (long v = 0; v < count; v += block_side)
                    f(Block{c.at(panel, offset) + r * ld + v, ld, panel, r,
                            smaller(block_side, n - r), v,
                            smaller(block_side, rounded_up(count - v, tile_rows)), count - v});
        }
    }

    // The product of a copy, whose tiles are contiguous, with the pairs of a panel.
    static TileProduct by_panel(const float *left, long piece, long depth, const float *right,
                                const W &ws) {
        return {{left, tile_rows, tile_rows * pairs(depth), tile_words, piece},
                {right, tile_rows, tile_words, tile_rows * across(ws), by_units(depth, ws)},
                1,
                0,
                divided_up(depth, tile_depth),
                divided_up(depth, tile_depth)};
    }

    // C of a span of panels: calls finish with each block of it.
    template <typename Finish>
    static void multiply(const C &c, const TileProduct &product, long n, const PanelSpan &some,
                         Finish &&finish) {
        const long stride = c.ws.panel_stride, depth = product.depth;
        const long wide_blocks = divided_up(c.ws.ld, block_side);
        const long pieces = some.count == 1 ? 1 : divided_up(depth, deep);
        const long piece = divided_up(depth, pieces), most = pieces > 1 ? high : n;
        Tiles tiles;
        // The vector units finish the previous block while the tile unit multiplies the next one,
        // so there are two buffers.
        alignas(64) float blocks[2][block_side * block_side];
        Block before{};
        int turn = 0;
        for (long top = 0; top < n; top += most) {
            for (long k = 0; k < depth; k += piece) {
                for (long r = top; r < smaller(top + most, n); r += block_side) {
                    TileProduct now = product;
                    now.last_depth = smaller(piece, depth - k);
                    now.A.at += k * now.A.along;
                    now.B.at += k * now.B.along;
                    now.begun_stride = block_side;
                    const long height = smaller(2, divided_up(n - r, tile_rows));
                    for (long q = 0; q < some.count; ++q, now.B.at += stride) {
                        const long count = c.count(some, q), panel = some.first + q;
                        for (long v = 0; v < count; v += block_side) {
                            const long columns = smaller(2, divided_up(count - v, tile_rows));
                            float *sums = blocks[turn];
                            if (pieces > 1) {
                                float *part = c.at(panel, c.ws.parts) +
                                              ((r - top) * wide_blocks + v) * block_side;
                                if (k) now.begun = part;
                                if (k + piece < depth) sums = part;
                            }
                            tile_block<PIECES>(tiles, now, r / tile_rows, height, v / tile_rows,
                                               columns, sums, block_side);
                            if (k + piece < depth) continue;
                            if (before.at) finish(before);
                            before = {
                                sums, block_side,          panel,    r, smaller(block_side, n - r),
                                v,    columns * tile_rows, count - v};
                            turn ^= 1;
                        }
                    }
                }
            }
        }
        if (before.at) finish(before);
    }
};

} // namespace chainrule::CHAINRULE_ISA
