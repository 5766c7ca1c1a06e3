// The dense layer: F1 and F2, BP2, BP3 and BP4.
#pragma once

#include "../dots.hpp"
#include "kind.hpp"

namespace chainrule::CHAINRULE_ISA {

// What dense layers have in common for all implementations of their products.
template <typename T, int BYTES> struct DenseLayer : LayerKind<T, BYTES> {
    static constexpr const char *name = "dense";

    static const char *check(const Layer &layer, bool) {
        const bool fits = layer.block_count == 2 &&
                          has_block(layer, 0, layer.n_out, layer.n_in, true) &&
                          has_block(layer, 1, layer.n_out, 1, false);
        return fits ? nullptr : "a dense layer has W and b";
    }

    static double weights(const Layer &layer) { return double(layer.n_in) * layer.n_out; }
    static double pass_work(const Layer &layer, long batch, bool first) {
        return weights(layer) * (batch * (first ? 2.0 : 3.0) + update_work);
    }
    static long shared_weights(const Layer &layer) { return long(layer.n_in) * layer.n_out; }

    // The number of units in a group. A small layer is one group. A larger one is divided evenly
    // into a power of two of groups of some dozens of units, whose δ and gradient stay in the
    // nearer caches.
    static long group_units(const Layer &layer) {
        if (long(layer.n_in) * layer.n_out <= 4096) return layer.n_out;
        long groups = 1;
        // Each group reads all of the layer's inputs, so wide layers have larger groups.
        const long most = layer.n_out < 1024 ? 48 : 96;
        while (groups * most <= layer.n_out)
            groups *= 2;
        return rounded_up(divided_up(layer.n_out, groups), 2); // even: see dense_pairs.hpp
    }
    template <typename Emit> static void divide(const Layer &layer, Emit &&emit) {
        const long units = group_units(layer);
        for (long r = 0; r < layer.n_out; r += units)
            emit(0, 2, r, smaller(r + units, layer.n_out));
    }
    static double group_work(const Layer &layer, const Group &group, long) {
        return double((group.end - group.begin) * layer.n_in);
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
    static bool prepare(const Network &net, int l, W &ws) {
        const long n_in = net.layers[l - 1].n_in, n_out = net.layers[l - 1].n_out;
        if (l == 1 || n_in * n_out < 1L << 17) return true;
        ws.place[l].copy = allocate<T>(P::packed_rows(n_in) * n_out);
        return ws.place[l].copy != nullptr;
    }

    // Renews the copy of a group's rows of W, which are columns of the copy.
    static void renew(const C &c, const Group &group) {
        const int l = group.l();
        const long n_in = c.layer(l).n_in, n_out = c.layer(l).n_out;
        const T *weights = c.block(l, 0);
        T *copy = static_cast<T *>(c.ws.place[l].copy);
        if (!copy) return;
        for (long k = 0; k < n_in; k += P::interleaved) {
            const long wide = smaller(P::interleaved, n_in - k);
            for (long r = group.begin; r < group.end; ++r) {
                T *row = copy + P::packed_at(k, r, n_in, n_out);
                for (long i = 0; i < wide; ++i)
                    row[i] = weights[r * n_in + k + i];
            }
        }
    }

    // F1 and F2; the output layer's σ is left to its heads, which may fuse it with the cost.
    static void forward(const C &c, int l, const PanelSpan &some) {
        const Layer &layer = c.layer(l);
        const W &ws = c.ws;
        const T *weights = c.block(l, 0);
        const Product<T> product{weights,
                                 layer.n_in,
                                 1,
                                 0,
                                 c.at(some.first, ws.place[l - 1].A),
                                 ws.ld,
                                 1,
                                 layer.n_in,
                                 layer.n_in,
                                 c.at(some.first, ws.place[l].A),
                                 ws.ld,
                                 c.block(l, 1)};
        after_forward<P>(c, l, product, some);
    }

    // Z[l] by a prepared product, and F2. The rectifier is fused into the product; other
    // activations follow it.
    template <typename Multiply>
    static void after_forward(const C &c, int l, const Product<T> &product, const PanelSpan &some) {
        const Layer &layer = c.layer(l);
        const bool last = l == c.net.count;
        if (c.through(l) == Through::rectifier && !last)
            return run<Multiply, store_rectified>(c, product, layer.n_out, some);
        run<Multiply, store_plain>(c, product, layer.n_out, some);
        if (!last && c.through(l) != Through::unchanged) c.activate(l, some);
    }

    // BP2, and the transposed activations of the layer below if BP4 needs them.
    static void backward(const C &c, int l, const PanelSpan &some) {
        if (l == 1) return; // the inputs were transposed when they came in
        const Layer &layer = c.layer(l);
        const W &ws = c.ws;
        const Place &below = ws.place[l - 1];
        Product<T> product{
            c.block(l, 0), 1, layer.n_in,  0,           c.at(some.first, ws.place[l].D),
            ws.ld,         1, layer.n_out, layer.n_out, c.at(some.first, below.D),
            ws.ld};
        if (const void *copy = ws.place[l].copy) {
            // W is read from its packed copy, see `prepare`.
            product.A = static_cast<const T *>(copy);
            product.row_stride = 1;
            product.column_stride = product.interleaved = P::interleaved;
            product.packed_rows = P::packed_rows(layer.n_in);
        }
        error_below<P>(c, l, product, some);
    }

    // BP2 by a prepared product, and A[l−1] transposed for BP4.
    template <typename Multiply>
    static void error_below(const C &c, int l, Product<T> product, const PanelSpan &some) {
        const long n = c.layer(l).n_in;
        const W &ws = c.ws;
        const Place &below = ws.place[l - 1];
        product.activations = c.at(some.first, below.A);
        product.parts = c.at(some.first, ws.parts);
        switch (c.through(l - 1)) {
        case Through::rectifier:
            run<Multiply, rectifier_masked>(c, product, n, some);
            break;
        case Through::derivative:
            run<Multiply, times_derivative>(c, product, n, some);
            break;
        default:
            run<Multiply, store_plain>(c, product, n, some);
        }
        for (long q = 0; q < some.count; ++q) {
            c.error_of_whole(l - 1, some, q);
            const long panel = some.first + q;
            if (below.turned)
                turn(ws, c.at(panel, below.A), c.at(panel, below.turned), n, c.count(some, q));
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
            gradient_from<typename W::Wide>(c, group, some.count, ws.panel_size, some.last_count,
                                            delta, ws.ld, c.at(some.first, below.turned), out);
        } else {
            D::run({delta, c.at(some.first, below.A), ws.ld, some.count, ws.panel_stride,
                    C::vectors(ws.panel_size), C::vectors(some.last_count), out, n},
                   rows, n);
        }
        biases(c, group, some, out + rows * n);
    }

    // BP4 from the rows of δ, `delta_stride` apart, and transposed activations. Each panel has the
    // depth `depth`, the last one `last_depth`.
    template <typename Multiply>
    static void gradient_from(const C &c, const Group &group, long panels, long depth,
                              long last_depth, const T *delta, long delta_stride, const T *turned,
                              T *out) {
        const W &ws = c.ws;
        const long rows = group.end - group.begin, n = c.layer(group.l()).n_in;
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
        const auto sum_of = [&](long r) __attribute__((always_inline)) {
            V sum = V{};
            for (long q = 0; q < some.count; ++q) {
                const T *d = delta + q * ws.panel_stride + r * ws.ld;
                const long count = c.count(some, q);
                for (long e = 0; e < count; e += S::lanes)
                    sum += S::load(d + e);
            }
            return sum;
        };
        for (long r = 0; r < rows; r += S::lanes) {
            const int part = int(smaller(S::lanes, rows - r));
            V sums[S::lanes];
            for (int i = 0; i < S::lanes; ++i)
                sums[i] = i < part ? sum_of(r + i) : V{};
            S::store_part(out + r, Transpose<T, BYTES>::sums(sums), part);
        }
    }

  private:
    template <typename Multiply, Epilogue E>
    static void run(const C &c, const Product<T> &product, long rows, const PanelSpan &some) {
        Multiply::template blocked<E>(product, rows, some.count, c.ws.panel_stride,
                                      C::vectors(c.ws.panel_size), C::vectors(some.last_count));
    }

    // Transposes a panel's A, in chunks of columns.
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
};

} // namespace chainrule::CHAINRULE_ISA
