// The dense layer: F1 and F2, BP2, BP3 and BP4, also for a part of a layer.
#pragma once

#include "../dots.hpp"
#include "kind.hpp"

namespace chainrule::CHAINRULE_ISA {

// Neighbouring units of a layer, and those of the layer below that they see: in a dense layer, all.
struct Part {
    long n_in, n_out;
    long first_in = 0, first_out = 0;
};

// What layers with weighted sums have in common for all implementations of their products. A row of
// W has a weight for each unit below that a unit of the layer sees.
template <typename T, int BYTES> struct DenseLayer : LayerKind<T, BYTES> {
    static constexpr const char *name = "dense";
    static constexpr bool has_weights = true;

    static const char *check(const Layer &layer, bool) {
        const bool fits = layer.block_count == 2 &&
                          has_block(layer, 0, layer.n_out, layer.n_in, true) &&
                          has_block(layer, 1, layer.n_out, 1, false);
        return fits ? nullptr : "a dense layer has W and b";
    }

    static long seen(const Layer &layer) { return layer.blocks[0].columns; }
    // Parts of equal size, each of which sees other units below.
    static long part_count(const Layer &layer) { return layer.n_in / seen(layer); }
    static long part_units(const Layer &layer) { return layer.n_out / part_count(layer); }

    static double weights(const Layer &layer) { return double(seen(layer)) * layer.n_out; }
    static double pass_work(const Layer &layer, long batch, bool first) {
        return weights(layer) * (batch * (first ? 2.0 : 3.0) + update_work);
    }
    static long shared_weights(const Layer &layer) { return seen(layer) * layer.n_out; }
    // The partial sums of BP2.
    static long parts(const Layer &layer, bool first, const Workspace<T, BYTES> &ws) {
        const bool deep = part_units(layer) > Products<T, BYTES>::deep;
        return ws.training && !first && deep ? seen(layer) * ws.ld : 0;
    }

    // The number of units in a group. A small part is one group. A larger one is divided evenly
    // into a power of two of groups of some dozens of units, whose δ and gradient stay in the
    // nearer caches.
    static long group_units(const Layer &layer) {
        const long n_out = part_units(layer);
        if (seen(layer) * n_out <= 4096) return n_out;
        long groups = 1;
        // Each group reads all of the part's inputs, so wide parts have larger groups.
        const long most = n_out < 1024 ? 48 : 96;
        while (groups * most <= n_out)
            groups *= 2;
        return rounded_up(divided_up(n_out, groups), 2); // even: see dense_pairs.hpp
    }
    template <typename Emit> static void divide(const Layer &layer, Emit &&emit) {
        const long units = group_units(layer), n_out = part_units(layer);
        for (long first = 0; first < layer.n_out; first += n_out)
            for (long r = 0; r < n_out; r += units)
                emit(0, 2, first + r, first + smaller(r + units, n_out));
    }
    static double group_work(const Layer &layer, const Group &group, long) {
        return double((group.end - group.begin) * seen(layer));
    }
};

template <typename T, int BYTES> struct Dense : DenseLayer<T, BYTES> {
    using C = Context<T, BYTES>;
    using W = Workspace<T, BYTES>;
    using S = Simd<T, BYTES>;
    using P = Products<T, BYTES>;
    using D = Dots<T, BYTES>;
    using V = typename S::V;
    static constexpr long chunk = W::chunk;

    template <typename Take>
    static void place(const Network &net, int l, W &ws, Take &&take, bool training) {
        const Layer &layer = net.layers[l - 1];
        if (training && !D::pays(layer.n_in, layer.n_out, ws.usual_batch, l == 1))
            place_turned(l, layer.n_in, ws, take);
    }
    template <typename Take> static void place_turned(int l, long n_in, W &ws, Take &&take) {
        ws.place[l - 1].turned = take(rounded_up(n_in, chunk) * ws.ld);
    }

    // BP2 reads W by columns. In a large W, each number would take a cache line, often a page, so
    // BP2 reads a packed copy instead.
    static long copied(long n_in, long n_out) {
        return n_in * n_out < 1L << 17 ? 0 : P::packed_rows(n_in) * n_out;
    }
    static bool prepare(const Network &net, int l, W &ws) {
        const Layer &layer = net.layers[l - 1];
        const long size = l == 1 ? 0 : copied(layer.n_in, layer.n_out);
        return !size || (ws.place[l].copy = allocate<T>(size));
    }

    // Renews the copy of a group's rows of W, which are columns of the copy.
    static void renew(const C &c, const Group &group) {
        const Layer &layer = c.layer(group.l());
        if (void *copy = c.ws.place[group.l()].copy)
            renew_part(c.block(group.l(), 0), layer.n_in, layer.n_out, group.begin, group.end,
                       static_cast<T *>(copy));
    }
    // Rows [begin, end) of a part's n_out.
    static void renew_part(const T *weights, long n_in, long n_out, long begin, long end, T *copy) {
        for (long k = 0; k < n_in; k += P::interleaved) {
            const long wide = smaller(P::interleaved, n_in - k);
            for (long r = begin; r < end; ++r) {
                T *row = copy + P::packed_at(k, r, n_in, n_out);
                for (long i = 0; i < wide; ++i)
                    row[i] = weights[r * n_in + k + i];
            }
        }
    }

    // F1 and F2; the output layer's σ is left to its heads, which may fuse it with the cost.
    static void forward(const C &c, int l, const PanelSpan &some) {
        const Layer &layer = c.layer(l);
        sums_of_part(c, l, {layer.n_in, layer.n_out}, some);
        activate(c, l, some);
    }

    // F1 of a part.
    static void sums_of_part(const C &c, int l, const Part &part, const PanelSpan &some) {
        const W &ws = c.ws;
        const Product<T> product{c.block(l, 0) + part.first_out * part.n_in,
                                 part.n_in,
                                 1,
                                 0,
                                 c.at(some.first, ws.place[l - 1].A) + part.first_in * ws.ld,
                                 ws.ld,
                                 1,
                                 part.n_in,
                                 part.n_in,
                                 c.at(some.first, ws.place[l].A) + part.first_out * ws.ld,
                                 ws.ld,
                                 c.block(l, 1) + part.first_out};
        sums_by<P>(c, l, product, part.n_out, some);
    }

    // Rows of Z[l] by a prepared product, and F2 of a rectifier, which is fused into the product.
    template <typename Multiply>
    static void sums_by(const C &c, int l, const Product<T> &product, long rows,
                        const PanelSpan &some) {
        if (c.through(l) == Through::rectifier && l != c.net.count) {
            run<Multiply, store_rectified>(c, product, rows, some);
        } else {
            run<Multiply, store_plain>(c, product, rows, some);
        }
    }
    // F2 of other activations.
    static void activate(const C &c, int l, const PanelSpan &some) {
        const Through through = c.through(l);
        if (through != Through::rectifier && through != Through::unchanged && l != c.net.count)
            c.activate(l, some);
    }

    // BP2, and the transposed activations of the layer below if BP4 needs them.
    static void backward(const C &c, int l, const PanelSpan &some) {
        if (l == 1) return; // the inputs were transposed when they came in
        const Layer &layer = c.layer(l);
        errors_of_part(c, l, {layer.n_in, layer.n_out}, static_cast<const T *>(c.ws.place[l].copy),
                       some);
        after_errors(c, l, some);
    }

    // BP2 of a part, from the packed copy of its W (see `prepare`) if it has one.
    static void errors_of_part(const C &c, int l, const Part &part, const T *copy,
                               const PanelSpan &some) {
        const W &ws = c.ws;
        Product<T> product{c.block(l, 0) + part.first_out * part.n_in,
                           1,
                           part.n_in,
                           0,
                           c.at(some.first, ws.place[l].D) + part.first_out * ws.ld,
                           ws.ld,
                           1,
                           part.n_out,
                           part.n_out,
                           nullptr,
                           ws.ld};
        if (copy) {
            product.A = copy;
            product.row_stride = 1;
            product.column_stride = product.interleaved = P::interleaved;
            product.packed_rows = P::packed_rows(part.n_in);
        }
        errors_by<P>(c, l, product, part.first_in, part.n_in, some);
    }

    // BP2 by a prepared product: δ of the units of layer l − 1 from `first` on.
    template <typename Multiply>
    static void errors_by(const C &c, int l, Product<T> product, long first, long rows,
                          const PanelSpan &some) {
        const W &ws = c.ws;
        const Place &below = ws.place[l - 1];
        product.C = c.at(some.first, below.D) + first * ws.ld;
        product.activations = c.at(some.first, below.A) + first * ws.ld;
        product.parts = c.at(some.first, ws.parts);
        switch (c.through(l - 1)) {
        case Through::rectifier:
            run<Multiply, rectifier_masked>(c, product, rows, some);
            break;
        case Through::derivative:
            run<Multiply, times_derivative>(c, product, rows, some);
            break;
        default:
            run<Multiply, store_plain>(c, product, rows, some);
        }
    }
    // What follows BP2: the error of a σ that couples the units below, and A[l−1] transposed for
    // BP4.
    static void after_errors(const C &c, int l, const PanelSpan &some) {
        const W &ws = c.ws;
        const Place &below = ws.place[l - 1];
        for (long q = 0; q < some.count; ++q) {
            c.error_of_whole(l - 1, some, q);
            const long panel = some.first + q;
            if (below.turned)
                turn(ws, c.at(panel, below.A), c.at(panel, below.turned), c.layer(l).n_in,
                     c.count(some, q));
        }
    }

    // Transposes n rows of a panel's A, in chunks of columns.
    static void turn(const W &ws, const T *A, T *turned, long n, long count) {
        for (long k = 0; k < n; k += S::lanes) {
            const long features = smaller(S::lanes, n - k);
            T *to = turned + (k / chunk) * ws.ld * chunk + k % chunk;
            for (long e = 0; e < count; e += S::lanes) {
                V x[S::lanes];
                for (int j = 0; j < S::lanes; ++j) {
                    x[j] = j < features ? S::load(A + (k + j) * ws.ld + e) : V{};
                }
                Transpose<T, BYTES>::block(x);
                for (int i = 0; i < S::lanes; ++i)
                    S::store(to + (e + i) * chunk, x[i]);
            }
        }
    }

    // BP4 and BP3 of a group over a span of panels. `out` receives the gradients of the rows of W,
    // then those of their b.
    static void gradient(const C &c, const Group &group, const PanelSpan &some, T *out) {
        const W &ws = c.ws;
        const Place &place = ws.place[group.l()], &below = ws.place[group.layer];
        const T *delta = c.at(some.first, place.D) + group.begin * ws.ld;
        const long rows = group.end - group.begin, n = c.layer(group.l()).n_in;
        if (below.turned) {
            gradient_from<typename W::Wide>(c, rows, n, some.count, ws.panel_size, some.last_count,
                                            delta, ws.ld, c.at(some.first, below.turned), out);
        } else {
            D::run({delta, c.at(some.first, below.A), ws.ld, some.count, ws.panel_stride,
                    C::vectors(ws.panel_size), C::vectors(some.last_count), out, n},
                   rows, n);
        }
        biases(c, group, some, out + rows * n);
    }

    // BP4 from the rows of δ, `delta_stride` apart, and n transposed activations. Each panel has
    // the depth `depth`, the last one `last_depth`.
    template <typename Multiply>
    static void gradient_from(const C &c, long rows, long n, long panels, long depth,
                              long last_depth, const T *delta, long delta_stride, const T *turned,
                              T *out) {
        const W &ws = c.ws;
        // The last chunk comes first: its last vector writes past the end of a row, over the
        // beginning of the next row, which chunk 0 then overwrites. With a single chunk, this would
        // destroy partial sums of the next row, so chains are not split there.
        const long chunks = divided_up(n, chunk);
        const long together = chunks == 1 && n % Multiply::lanes != 0 ? panels : ws.near;
        for (long i = 0; i < chunks; ++i) {
            const long at = i ? i - 1 : chunks - 1;
            const T *B = turned + at * delta_stride * chunk;
            const long vectors = divided_up(smaller(chunk, n - at * chunk), Multiply::lanes);
            for (long q = 0; q < panels; q += together) {
                const long now = smaller(together, panels - q);
                Product<T> product{delta + q * ws.panel_stride,
                                   delta_stride,
                                   1,
                                   ws.panel_stride,
                                   B + q * ws.panel_stride,
                                   chunk,
                                   now,
                                   depth,
                                   q + now < panels ? depth : last_depth,
                                   out + at * chunk,
                                   n};
                product.parts = product.C;
                if (q == 0) {
                    Multiply::template run<store_plain>(product, 0, rows, vectors);
                } else {
                    Multiply::template run<store_plain, true>(product, 0, rows, vectors);
                }
            }
        }
    }

    // BP3 of a group.
    static void biases(const C &c, const Group &group, const PanelSpan &some, T *out) {
        const W &ws = c.ws;
        const T *delta = c.at(some.first, ws.place[group.l()].D) + group.begin * ws.ld;
        const long rows = group.end - group.begin;
        for (long r = 0; r < rows; r += S::lanes, delta += S::lanes * ws.ld) {
            const int part = int(smaller(S::lanes, rows - r));
            V sums[S::lanes] = {};
            for (long q = 0; q < some.count; ++q) {
                const long count = c.count(some, q);
                const T *d = delta + q * ws.panel_stride;
                for (int i = 0; i < part; ++i, d += ws.ld) {
                    for (long e = 0; e < count; e += S::lanes)
                        sums[i] += S::load(d + e);
                }
            }
            S::store_part(out + r, Transpose<T, BYTES>::sums(sums), part);
        }
    }

  private:
    template <typename Multiply, Epilogue E>
    static void run(const C &c, const Product<T> &product, long rows, const PanelSpan &some) {
        Multiply::template blocked<E>(product, rows, some.count, c.ws.panel_stride,
                                      C::vectors(c.ws.panel_size), C::vectors(some.last_count));
    }
};

} // namespace chainrule::CHAINRULE_ISA
